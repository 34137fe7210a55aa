//! The SQL of the frame around pages and of idempotency keys.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    db::{SystemTx, TenantTx},
    error::Result,
};

pub(super) struct Waiting {
    pub inbox: i64,
    pub quotes: i64,
    pub parked: i64,
    pub kill_switch: bool,
    pub is_held: bool,
}

/// What waits in each room. Counting stops at 1,000, so it stays cheap however much waits.
pub(super) async fn waiting(tx: &mut TenantTx, user_id: Uuid) -> Result<Waiting> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Waiting,
        r#"select
           (select count(*) from (select from patchbay.conversations
              where tenant_id = $1 and unread > 0 and status = 'open' limit 1000) c) as "inbox!",
           (select count(*) from (select from patchbay.quotes q
              where q.tenant_id = $1 and q.status in ('viewed', 'accepted', 'rejected')
                and coalesce(q.answered_at, q.viewed_at) > coalesce(m.quotes_seen_at, '-infinity') limit 1000) c) as "quotes!",
           (select count(*) from (select from patchbay.outbox
              where tenant_id = $1 and parked_at is not null limit 1000) c) as "parked!",
           t.kill_switch, t.sending_held_at is not null as "is_held!"
           from patchbay.tenants t
           left join patchbay.memberships m on m.tenant_id = $1 and m.user_id = $2
           where t.id = $1"#,
        tenant,
        user_id,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whoever opens the quotes has seen what changed.
pub(super) async fn mark_quotes_seen(tx: &mut TenantTx, user_id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.memberships set quotes_seen_at = $3 where tenant_id = $1 and user_id = $2",
        tenant,
        user_id,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes `key`, if it is free or its former use is older than `expired`, or was given up by a dead process before
/// `abandoned` on a route that may run again. True if it is ours now.
pub(super) async fn claim_key(tx: &mut TenantTx, claim: &Claim<'_>) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "insert into patchbay.idempotency_keys as k (tenant_id, key, route, request_hash, created_at)
         values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, key) do update
           set route = excluded.route, request_hash = excluded.request_hash, created_at = excluded.created_at,
               status = null, content_type = null, response = null
           where k.created_at < $6
              or ($8 and k.status is null and k.created_at < $7 and k.request_hash = excluded.request_hash)",
        tenant,
        claim.key,
        claim.route,
        claim.request_hash,
        claim.now,
        claim.expired,
        claim.abandoned,
        claim.repeatable,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) struct Claim<'a> {
    pub key: &'a str,
    pub route: &'a str,
    pub request_hash: &'a [u8],
    pub now: DateTime<Utc>,
    pub expired: DateTime<Utc>,
    pub abandoned: DateTime<Utc>,
    pub repeatable: bool,
}

pub(super) struct Kept {
    pub request_hash: Vec<u8>,
    pub status: Option<i16>,
    pub content_type: Option<String>,
    pub response: Option<Vec<u8>>,
    pub created_at: DateTime<Utc>,
}

pub(super) async fn find_key(tx: &mut TenantTx, key: &str) -> Result<Option<Kept>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Kept,
        "select request_hash, status, content_type, response, created_at
         from patchbay.idempotency_keys where tenant_id = $1 and key = $2",
        tenant,
        key,
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(super) async fn keep_answer(
    tx: &mut TenantTx,
    key: &str,
    status: i16,
    content_type: Option<&str>,
    response: &[u8],
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.idempotency_keys set status = $3, content_type = $4, response = $5
         where tenant_id = $1 and key = $2",
        tenant,
        key,
        status,
        content_type,
        response,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn free_key(tx: &mut TenantTx, key: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.idempotency_keys where tenant_id = $1 and key = $2", tenant, key)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(super) async fn delete_keys_before(tx: &mut SystemTx, before: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!("delete from patchbay.idempotency_keys where created_at < $1", before)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected())
}
