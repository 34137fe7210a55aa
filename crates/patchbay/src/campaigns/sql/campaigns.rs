//! Campaigns one by one: writing them, and turning them on and off.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    campaigns::{Campaign, Filter, New, Status},
    db::TenantTx,
    error::{Error, Result},
};

struct Row {
    id: Uuid,
    name: String,
    channel: String,
    segment_id: Option<Uuid>,
    template_ids: Vec<Uuid>,
    sender_id: Option<Uuid>,
    status: String,
    scheduled_at: Option<DateTime<Utc>>,
    in_recipient_zone: bool,
    audience: Option<Value>,
    content: Option<Value>,
    launched_at: Option<DateTime<Utc>>,
    launched_by: Option<String>,
    snapshot_at: Option<DateTime<Utc>>,
    recipients: i64,
    paused_at: Option<DateTime<Utc>>,
    paused_by: Option<String>,
    pause_reason: Option<Value>,
    resumed_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    totals: Option<Value>,
    totals_at: Option<DateTime<Utc>>,
    preflight: Option<Value>,
    preflight_at: Option<DateTime<Utc>>,
    created_by: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for Campaign {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            name: row.name,
            channel: row.channel.parse().map_err(Error::internal)?,
            segment_id: row.segment_id,
            template_ids: row.template_ids,
            sender_id: row.sender_id,
            status: Status::read(&row.status).ok_or_else(|| Error::internal("a campaign's status"))?,
            scheduled_at: row.scheduled_at,
            in_recipient_zone: row.in_recipient_zone,
            launched_at: row.launched_at,
            launched_by: row.launched_by,
            snapshot_at: row.snapshot_at,
            recipients: row.recipients,
            paused_at: row.paused_at,
            paused_by: row.paused_by,
            pause_reason: row.pause_reason,
            resumed_at: row.resumed_at,
            finished_at: row.finished_at,
            // What an earlier version counted in another shape is counted again.
            totals: row.totals.and_then(|totals| serde_json::from_value(totals).ok()),
            totals_at: row.totals_at,
            preflight: row.preflight.and_then(|preflight| serde_json::from_value(preflight).ok()),
            preflight_at: row.preflight_at,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            audience: row.audience,
            content: row.content,
        })
    }
}

/// Newest first, from `before` on. Campaigns are few; one statement serves lists and single ones.
async fn select(
    tx: &mut TenantTx,
    id: Option<Uuid>,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Campaign>> {
    let tenant = tx.tenant();
    let rows = sqlx::query_as!(
        Row,
        "select id, name, channel, segment_id, template_ids, sender_id, status, scheduled_at, in_recipient_zone, audience, content,
           launched_at, launched_by, snapshot_at, recipients, paused_at, paused_by, pause_reason, resumed_at, finished_at,
           totals, totals_at, preflight, preflight_at, created_by, created_at, updated_at
         from patchbay.campaigns
         where tenant_id = $1 and ($2::uuid is null or id = $2) and ($3::text is null or status = $3)
           and ($4::text is null or position(lower($4) in lower(name)) > 0) and ($5::uuid is null or id < $5)
         order by id desc limit $6",
        tenant,
        id,
        filter.status.map(Status::as_str),
        filter.search,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter().map(Campaign::try_from).collect()
}

pub async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Campaign>> {
    select(tx, None, filter, before, limit).await
}

pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Campaign>> {
    Ok(select(tx, Some(id), &Filter::default(), None, 1).await?.pop())
}

/// Holds the row until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("select id from patchbay.campaigns where tenant_id = $1 and id = $2 for update", tenant, id)
        .fetch_optional(tx.conn())
        .await?;
    Ok(())
}

pub async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    new: &New,
    created_by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.campaigns (tenant_id, id, name, channel, segment_id, template_ids, sender_id, scheduled_at, in_recipient_zone, created_by, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
        tenant,
        id,
        new.name,
        new.channel.as_str(),
        new.segment_id,
        &new.template_ids,
        new.sender_id,
        new.scheduled_at,
        new.in_recipient_zone,
        created_by,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was found out about a draft beforehand does not hold for another one.
pub async fn update(tx: &mut TenantTx, id: Uuid, new: &New, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set name = $3, channel = $4, segment_id = $5, template_ids = $6, sender_id = $7, scheduled_at = $8,
           in_recipient_zone = $9, updated_at = $10, preflight = null, preflight_at = null
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        new.name,
        new.channel.as_str(),
        new.segment_id,
        &new.template_ids,
        new.sender_id,
        new.scheduled_at,
        new.in_recipient_zone,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn rename(tx: &mut TenantTx, id: Uuid, name: &str, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set name = $3, updated_at = $4 where tenant_id = $1 and id = $2",
        tenant,
        id,
        name,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "delete from patchbay.campaigns where tenant_id = $1 and id = $2 and status = 'draft'",
        tenant,
        id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What is approved at launch.
pub struct Approval<'a> {
    pub audience: Option<&'a Value>,
    pub content: &'a Value,
    /// `None`: now.
    pub launch_at: Option<DateTime<Utc>>,
    pub by: &'a str,
}

pub async fn approve(tx: &mut TenantTx, id: Uuid, approval: &Approval<'_>, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set audience = $3, content = $4, launch_at = $5, launched_by = $6, updated_at = $7,
           status = case when $5::timestamptz is null then 'running' else 'scheduled' end,
           launched_at = case when $5::timestamptz is null then $7::timestamptz end
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        approval.audience,
        approval.content,
        approval.launch_at,
        approval.by,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn unschedule(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set status = 'draft', launch_at = null, audience = null, content = null, launched_by = null, updated_at = $3
         where tenant_id = $1 and id = $2 and status = 'scheduled'",
        tenant,
        id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Starts a scheduled campaign whose time has come; `false` if somebody else did.
pub async fn start_due(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.campaigns set status = 'running', launch_at = null, launched_at = $3, updated_at = $3
         where tenant_id = $1 and id = $2 and status = 'scheduled' and launch_at <= $3",
        tenant,
        id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

pub async fn pause(
    tx: &mut TenantTx,
    id: Uuid,
    by: &str,
    reason: Option<&Value>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.campaigns set status = 'paused', paused_at = $3, paused_by = $4, pause_reason = $5, updated_at = $3
         where tenant_id = $1 and id = $2 and status = 'running'",
        tenant,
        id,
        now,
        by,
        reason,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Pauses all that run, and those whose time has come.
pub async fn pause_all(tx: &mut TenantTx, by: &str, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set status = 'paused', paused_at = $2, paused_by = $3, pause_reason = null, updated_at = $2
         where tenant_id = $1 and (status = 'running' or status = 'scheduled' and launch_at <= $2)",
        tenant,
        now,
        by,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn resume(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set status = 'running', paused_at = null, paused_by = null, pause_reason = null, resumed_at = $3, updated_at = $3
         where tenant_id = $1 and id = $2 and status = 'paused'",
        tenant,
        id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn cancel(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set status = 'canceled', launch_at = null, paused_at = null, updated_at = $3
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whoever watches the list or this campaign looks again.
pub async fn tell(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "select patchbay.tell($1, array['campaigns', 'campaign:' || $2::uuid::text])::text as told",
        tenant,
        id
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// Writes an event about a campaign into the outbox.
pub async fn announce(tx: &mut TenantTx, event: &str, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.outbox (tenant_id, event_type, payload) values ($1, $2, jsonb_build_object('campaign_id', $3::uuid))",
        tenant,
        event,
        id,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Wakes the workers of all nodes once the transaction commits.
pub async fn wake(tx: &mut TenantTx) -> Result<()> {
    sqlx::query!("select pg_notify('patchbay_work', 'campaigns')").execute(tx.conn()).await?;
    Ok(())
}

/// A campaign that the workers look after.
pub struct UnderWay {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub status: String,
    pub has_snapshot: bool,
}

/// Campaigns of all tenants that something may have to be done for: those under way, and those that are over whose
/// numbers are due to be counted again (see [`crate::campaigns::totals`]). Those of a restored database wait for its owner.
pub async fn under_way(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    over_since: DateTime<Utc>,
    rarer: i32,
) -> Result<Vec<UnderWay>> {
    Ok(sqlx::query_as!(
        UnderWay,
        r#"select tenant_id, id, status, snapshot_at is not null as "has_snapshot!" from patchbay.campaigns
         where not exists (select from patchbay.tenants t where t.id = tenant_id and t.sending_held_at is not null)
           and (status in ('scheduled', 'running') or (status in ('paused', 'canceled') and finished_at is null)
             or (finished_at > $2 and (totals_at is null or totals_at <= $1::timestamptz - greatest(interval '1 second', ($1::timestamptz - finished_at) / $3::float8))))
           and (status <> 'scheduled' or launch_at <= $1)
         order by tenant_id, id"#,
        now,
        over_since,
        f64::from(rarer),
    )
    .fetch_all(conn)
    .await?)
}

/// Whether a sender of the tenant serves the channel: its address.
pub async fn sender_address(tx: &mut TenantTx, id: Uuid, channel: &str) -> Result<Option<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select address from patchbay.senders where tenant_id = $1 and id = $2 and channel = $3 and disabled_at is null",
        tenant,
        id,
        channel,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The address that leaves unless told otherwise.
pub async fn default_address(tx: &mut TenantTx, channel: &str) -> Result<Option<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select address from patchbay.senders where tenant_id = $1 and channel = $2 and disabled_at is null order by is_default desc, id limit 1",
        tenant,
        channel,
    )
    .fetch_optional(tx.conn())
    .await?)
}
