//! Messages whose outcome was lost, and what the ledger knows that may tell it.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// Tenants with leases that ran out or unknown outcomes to ask about.
pub async fn troubled_tenants(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select t.id from patchbay.tenants t
         where exists (select from patchbay.messages m where m.tenant_id = t.id and m.status = 'sending' and m.lease_until <= $1)
            or exists (select from patchbay.messages m where m.tenant_id = t.id and m.status = 'unknown' and m.reconcile_after <= $1)
         order by t.id",
        now,
    )
    .fetch_all(conn)
    .await?)
}

/// Leases that ran out: the process died between call and settle, so nobody knows what became of these.
pub async fn mark_lost_leases_unknown(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    reconcile_after: DateTime<Utc>,
) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "with lost as (
           select id from patchbay.messages where tenant_id = $1 and status = 'sending' and lease_until <= $2 limit 5000 for update skip locked),
         told as (
           insert into patchbay.message_events (tenant_id, message_id, event, detail, at)
           select $1, id, 'unknown', 'The node that was sending this stopped before it knew the outcome.', $2 from lost)
         update patchbay.messages m set status = 'unknown', lease_until = null, reconcile_after = $3
         from lost where m.tenant_id = $1 and m.id = lost.id",
        tenant,
        now,
        reconcile_after,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

pub struct UnknownRow {
    pub id: Uuid,
    pub channel: String,
    pub from_address: Option<String>,
    pub to_address: String,
    pub body: String,
    pub attempt: i32,
    pub claimed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub sender_id: Option<Uuid>,
    pub cost_micros: i64,
    pub provider_message_id: Option<String>,
}

/// Takes unknown outcomes to ask about, and puts the next asking off so that no other node asks meanwhile.
pub async fn claim_unknown(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    next: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<UnknownRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        UnknownRow,
        "update patchbay.messages m set reconcile_after = $3
         from (select id from patchbay.messages where tenant_id = $1 and status = 'unknown' and reconcile_after <= $2
               order by reconcile_after limit $4 for update skip locked) u
         where m.tenant_id = $1 and m.id = u.id
         returning m.id, m.channel, m.from_address, m.to_address, m.body, m.attempt, m.claimed_at, m.created_at, m.sender_id, m.cost_micros, m.provider_message_id",
        tenant,
        now,
        next,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Asks no more about those of `ids` that left before `before` and are unknown still. They may have arrived: so they
/// count as the marketing they were. A callback that comes after all is taken as ever.
pub async fn give_up(
    tx: &mut TenantTx,
    ids: &[Uuid],
    before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "with lost as (
           update patchbay.messages set reconcile_after = null
           where tenant_id = $1 and id = any($2) and status = 'unknown' and coalesce(claimed_at, created_at) <= $3
           returning id, contact_id, kind, coalesce(claimed_at, created_at) as left_at),
         told as (
           insert into patchbay.message_events (tenant_id, message_id, event, detail, at)
           select $1, id, 'unknown', 'Three days later nobody knows whether it arrived; nobody is asked any more.', $4 from lost),
         marketed as (
           update patchbay.contacts c set last_marketed_at = greatest(c.last_marketed_at, l.left_at)
           from (select contact_id, max(left_at) as left_at from lost where kind in ('campaign', 'sequence') group by contact_id) l
           where c.tenant_id = $1 and c.id = l.contact_id)
         select count(*) as given_up from lost",
        tenant,
        ids,
        before,
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(done.given_up.unwrap_or_default().unsigned_abs())
}

/// Which of these provider ids our ledger knows already: those of other messages, and those under which
/// an earlier attempt of `message` failed.
pub async fn known_provider_ids(tx: &mut TenantTx, message: Uuid, ids: &[String]) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select provider_message_id as "id!" from patchbay.messages where tenant_id = $1 and provider_message_id = any($2)
         union select provider_message_id from patchbay.message_events where tenant_id = $1 and message_id = $3 and provider_message_id = any($2)
           and event in ('undelivered', 'failed', 'canceled')"#,
        tenant,
        ids,
        message,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Holds all lost messages of the same text to the same recipient until the transaction ends, so that no two of them
/// take one entry of the carrier's list and no report comes between. Answers whether yet another one is with the carrier at
/// this moment: then nobody knows which of them an entry is.
pub async fn lock_twins(tx: &mut TenantTx, row: &UnknownRow) -> Result<bool> {
    let tenant = tx.tenant();
    let statuses = sqlx::query_scalar!(
        "select status from patchbay.messages
         where tenant_id = $1 and status in ('sending', 'unknown') and to_address = $2 and body = $3 order by id for update",
        tenant,
        row.to_address,
        row.body,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(statuses.iter().any(|status| status == "sending"))
}
