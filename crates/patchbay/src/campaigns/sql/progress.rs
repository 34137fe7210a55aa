//! A campaign under way: how far it may go, what was done, when it is over.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// How many more recipients may become messages, `window` being the most that may be due at once over all bulk of
/// the tenant, together with what waits here for a gate that holds everybody alike.
pub async fn room(tx: &mut TenantTx, id: Uuid, window: i64, now: DateTime<Utc>) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select $4
             - (select count(*) from (select from patchbay.messages
                  where tenant_id = $1 and status = 'queued' and priority = 2 and send_after <= $3 limit $4) due)
             - (select count(*) from (select from patchbay.messages
                  where tenant_id = $1 and campaign_id = $2 and status = 'queued' and gate in ('kill_switch', 'budget', 'warm_up', 'carrier') limit $4) held)
             as "room!""#,
        tenant,
        id,
        now,
        window,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Holds a running campaign of which somebody is still to be written to, and answers how many have been; `None` if
/// there is nobody, or another node holds it.
pub async fn lock_running(tx: &mut TenantTx, id: Uuid) -> Result<Option<i64>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select g.expanded from patchbay.campaigns g join patchbay.tenants t on t.id = g.tenant_id
         where g.tenant_id = $1 and g.id = $2 and g.status = 'running' and g.snapshot_at is not null and g.expanded < g.recipients
           and not t.kill_switch
         for update of g skip locked",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A recipient whose turn has come, with what is known of the contact now.
pub struct RecipientRow {
    pub position: i64,
    pub contact_id: Uuid,
    pub is_there: bool,
    pub is_archived: bool,
    pub is_merged: bool,
    pub phone_e164: Option<String>,
    pub email: Option<String>,
    pub timezone: Option<String>,
    pub country: Option<String>,
    pub state: Option<String>,
    pub postal: Option<String>,
}

pub async fn next_recipients(
    tx: &mut TenantTx,
    id: Uuid,
    from: i64,
    limit: i64,
) -> Result<Vec<RecipientRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        RecipientRow,
        r#"select r.position, r.contact_id, c.id is not null as "is_there!", c.archived_at is not null as "is_archived!",
             c.merged_into is not null as "is_merged!", c.phone_e164 as "phone_e164?", c.email as "email?",
             c.timezone as "timezone?", c.country as "country?", c.state as "state?", c.postal as "postal?"
           from patchbay.campaign_recipients r left join patchbay.contacts c on c.tenant_id = $1 and c.id = r.contact_id
           where r.tenant_id = $1 and r.campaign_id = $2 and r.position >= $3 and r.position < $3 + $4 order by r.position"#,
        tenant,
        id,
        from,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// `count` more recipients have their message.
pub async fn advance(tx: &mut TenantTx, id: Uuid, count: i64) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set expanded = expanded + $3 where tenant_id = $1 and id = $2",
        tenant,
        id,
        count
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Up to `limit` messages of a canceled campaign that have not left.
pub async fn lock_queued(tx: &mut TenantTx, id: Uuid, limit: i64) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select m.id from patchbay.messages m where m.tenant_id = $1 and m.campaign_id = $2 and m.status = 'queued'
           and exists (select from patchbay.campaigns g where g.tenant_id = $1 and g.id = $2 and g.status = 'canceled')
         limit $3 for update of m skip locked",
        tenant,
        id,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Ends a campaign of which nothing is open any more: nobody to be written to, nothing queued, under way, or unknown and
/// still asked about.
pub async fn finish(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.campaigns g set finished_at = $3, updated_at = $3,
           status = case g.status when 'running' then 'finished' else g.status end
         where g.tenant_id = $1 and g.id = $2 and g.finished_at is null
           and (g.status = 'canceled' or (g.status = 'running' and g.snapshot_at is not null and g.expanded = g.recipients))
           and not exists (select from patchbay.messages m where m.tenant_id = $1 and m.campaign_id = $2 and m.status in ('queued', 'sending', 'unknown')
             and (m.status <> 'unknown' or m.reconcile_after is not null))",
        tenant,
        id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether all sending of the tenant is off.
pub async fn is_switched_off(tx: &mut TenantTx) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!("select kill_switch from patchbay.tenants where id = $1", tenant)
        .fetch_one(tx.conn())
        .await?)
}
