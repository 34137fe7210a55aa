//! Rows of the ledger one by one: writing intents, reading, taking back.

use chrono::{DateTime, Utc};
use patchbay_rules::message::Channel;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::Result,
    messaging::{Intent, Weight},
    web::rate::{self, Bucket},
};

/// A message as it is read.
#[derive(Debug, Clone)]
pub struct MessageRow {
    pub id: Uuid,
    pub contact_id: Option<Uuid>,
    pub direction: String,
    pub channel: String,
    pub kind: String,
    pub status: String,
    pub from_address: Option<String>,
    pub to_address: String,
    pub subject: Option<String>,
    pub body: String,
    pub media: Value,
    pub template_id: Option<Uuid>,
    pub campaign_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    pub sent_by_label: Option<String>,
    pub provider: Option<String>,
    pub provider_message_id: Option<String>,
    pub segments: i16,
    pub encoding: String,
    pub cost_micros: i64,
    pub attempt: i32,
    pub send_after: DateTime<Utc>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub quiet_hours_waived: bool,
    pub gate: Option<String>,
    pub gate_reason: Option<Value>,
    pub gate_until: Option<DateTime<Utc>>,
    pub error_code: Option<i32>,
    pub error_detail: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub read_at: Option<DateTime<Utc>>,
}

/// One event in the life of a message.
#[derive(Debug, Clone)]
pub struct EventRow {
    pub event: String,
    pub code: Option<i32>,
    pub detail: Option<String>,
    pub at: DateTime<Utc>,
}

pub struct NewMessage<'a> {
    pub id: Uuid,
    pub intent: &'a Intent,
    pub body: &'a str,
    pub weight: &'a Weight,
    pub priority: i16,
    pub now: DateTime<Utc>,
}

/// The tenant's own prices.
pub async fn prices(tx: &mut TenantTx) -> Result<Value> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!("select prices from patchbay.tenants where id = $1", tenant)
        .fetch_one(tx.conn())
        .await?)
}

/// Inserts an intent; `false` when its dedupe key is known.
pub async fn insert(tx: &mut TenantTx, new: &NewMessage<'_>) -> Result<bool> {
    let tenant = tx.tenant();
    let intent = new.intent;
    let blocked = intent
        .problem
        .as_ref()
        .map(|problem| serde_json::json!({ "code": intent.gate_of_problem(), "detail": problem }));
    let done = sqlx::query!(
        "insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, priority, dedupe_key,
           from_address, to_address, subject, body, content_sid, content_variables, template_id, quote_id, sent_by, sent_by_label,
           segments, encoding, cost_micros, send_after, scheduled_at, quiet_hours_waived, gate, gate_reason, created_at, campaign_id)
         values ($1, $2, $3, 'outbound', $4, $5, case when $6::jsonb is null then 'queued' else 'blocked' end, $7, $8,
           $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, coalesce($22::timestamptz, $23), $22, $24,
           $6::jsonb ->> 'code', $6, $23, $25)
         on conflict (tenant_id, dedupe_key) do nothing",
        tenant,
        new.id,
        intent.contact_id,
        intent.channel.as_str(),
        intent.kind.as_str(),
        blocked,
        new.priority,
        intent.dedupe_key,
        intent.from,
        intent.to,
        intent.subject,
        new.body,
        intent.content_sid,
        intent.content_variables,
        intent.template_id,
        intent.quote_id,
        intent.sent_by.as_ref().and_then(crate::auth::Actor::user_id),
        intent.sent_by.as_ref().map(|actor| &*actor.label),
        new.weight.segments,
        new.weight.encoding,
        new.weight.cost_micros,
        intent.send_after,
        new.now,
        intent.quiet_hours_waived,
        intent.campaign_id,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Many intents, column by column.
#[derive(Default)]
pub struct Columns {
    pub ids: Vec<Uuid>,
    pub contacts: Vec<Option<Uuid>>,
    pub channels: Vec<String>,
    pub kinds: Vec<String>,
    pub priorities: Vec<i16>,
    pub keys: Vec<String>,
    pub froms: Vec<Option<String>>,
    pub tos: Vec<String>,
    pub subjects: Vec<Option<String>>,
    pub bodies: Vec<String>,
    pub content_sids: Vec<Option<String>>,
    pub content_variables: Vec<Option<Value>>,
    pub templates: Vec<Option<Uuid>>,
    pub campaigns: Vec<Option<Uuid>>,
    pub segments: Vec<i16>,
    pub encodings: Vec<String>,
    pub costs: Vec<i64>,
    pub send_afters: Vec<Option<DateTime<Utc>>>,
    /// `{"code": gate, "detail": why}` of those that are born blocked.
    pub problems: Vec<Option<Value>>,
}

/// Inserts intents in one statement; answers which were new. What is born blocked says so in its history.
pub async fn insert_all(tx: &mut TenantTx, rows: &Columns, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"with new as (
           insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, priority, dedupe_key,
             from_address, to_address, subject, body, content_sid, content_variables, template_id, campaign_id,
             segments, encoding, cost_micros, send_after, scheduled_at, gate, gate_reason, created_at)
           select $1, n.id, n.contact_id, 'outbound', n.channel, n.kind, case when n.problem is null then 'queued' else 'blocked' end, n.priority, n.key,
             n.from_address, n.to_address, n.subject, n.body, n.content_sid, n.content_variables, n.template_id, n.campaign_id,
             n.segments, n.encoding, n.cost, coalesce(n.send_after, $2), n.send_after, n.problem ->> 'code', n.problem, $2
           from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::smallint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
               $13::text[], $14::jsonb[], $15::uuid[], $16::uuid[], $17::smallint[], $18::text[], $19::bigint[], $20::timestamptz[], $21::jsonb[])
             n (id, contact_id, channel, kind, priority, key, from_address, to_address, subject, body, content_sid, content_variables,
               template_id, campaign_id, segments, encoding, cost, send_after, problem)
           on conflict (tenant_id, dedupe_key) do nothing
           returning id, gate_reason),
         told as (
           insert into patchbay.message_events (tenant_id, message_id, event, detail, at)
           select $1, id, 'blocked', gate_reason ->> 'detail', $2 from new where gate_reason is not null)
         select id as "id!" from new"#,
        tenant,
        now,
        &rows.ids,
        &rows.contacts as _,
        &rows.channels,
        &rows.kinds,
        &rows.priorities,
        &rows.keys,
        &rows.froms as _,
        &rows.tos,
        &rows.subjects as _,
        &rows.bodies,
        &rows.content_sids as _,
        &rows.content_variables as _,
        &rows.templates as _,
        &rows.campaigns as _,
        &rows.segments,
        &rows.encodings,
        &rows.costs,
        &rows.send_afters as _,
        &rows.problems as _,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The messages under these dedupe keys.
pub async fn find_all_by_dedupe_key(tx: &mut TenantTx, keys: &[String]) -> Result<Vec<(String, Uuid)>> {
    let tenant = tx.tenant();
    Ok(sqlx::query!(
        "select dedupe_key, id from patchbay.messages where tenant_id = $1 and dedupe_key = any($2)",
        tenant,
        keys
    )
    .fetch_all(tx.conn())
    .await?
    .into_iter()
    .map(|row| (row.dedupe_key, row.id))
    .collect())
}

pub async fn find_by_dedupe_key(tx: &mut TenantTx, key: &str) -> Result<Option<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select id from patchbay.messages where tenant_id = $1 and dedupe_key = $2",
        tenant,
        key
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// What people wrote can be searched; see the table's comment.
pub async fn insert_text(tx: &mut TenantTx, message_id: Uuid, contact_id: Uuid, body: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.message_texts (tenant_id, message_id, contact_id, folded) values ($1, $2, $3, patchbay.fold($4))",
        tenant,
        message_id,
        contact_id,
        body,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn insert_event(
    tx: &mut TenantTx,
    message_id: Uuid,
    event: &str,
    code: Option<i32>,
    detail: Option<&str>,
    at: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.message_events (tenant_id, message_id, event, code, detail, at) values ($1, $2, $3, $4, $5, $6)",
        tenant,
        message_id,
        event,
        code,
        detail,
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn list_events(tx: &mut TenantTx, message_id: Uuid) -> Result<Vec<EventRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        EventRow,
        "select event, code, detail, at from patchbay.message_events where tenant_id = $1 and message_id = $2 order by at, id limit 200",
        tenant,
        message_id,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<MessageRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        MessageRow,
        "select id, contact_id, direction, channel, kind, status, from_address, to_address, subject, body, media, template_id, campaign_id,
           quote_id, sent_by_label, provider, provider_message_id, segments, encoding, cost_micros, attempt, send_after, scheduled_at,
           quiet_hours_waived, gate, gate_reason, gate_until, error_code, error_detail, created_at, sent_at, delivered_at, read_at
         from patchbay.messages where tenant_id = $1 and id = $2",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The messages with these ids, newest first.
pub async fn find_all(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<MessageRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        MessageRow,
        "select id, contact_id, direction, channel, kind, status, from_address, to_address, subject, body, media, template_id, campaign_id,
           quote_id, sent_by_label, provider, provider_message_id, segments, encoding, cost_micros, attempt, send_after, scheduled_at,
           quiet_hours_waived, gate, gate_reason, gate_until, error_code, error_detail, created_at, sent_at, delivered_at, read_at
         from patchbay.messages where tenant_id = $1 and id = any($2) order by id desc",
        tenant,
        ids,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The same, held until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: Uuid) -> Result<Option<MessageRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        MessageRow,
        "select id, contact_id, direction, channel, kind, status, from_address, to_address, subject, body, media, template_id, campaign_id,
           quote_id, sent_by_label, provider, provider_message_id, segments, encoding, cost_micros, attempt, send_after, scheduled_at,
           quiet_hours_waived, gate, gate_reason, gate_until, error_code, error_detail, created_at, sent_at, delivered_at, read_at
         from patchbay.messages where tenant_id = $1 and id = $2 for update",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Newest first, from `before` on. One statement for every combination of filters: the planner drops the
/// conditions on absent parameters when it plans for the values at hand.
pub async fn list(
    tx: &mut TenantTx,
    contact: Option<Uuid>,
    campaign: Option<Uuid>,
    status: Option<&str>,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<MessageRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        MessageRow,
        "select id, contact_id, direction, channel, kind, status, from_address, to_address, subject, body, media, template_id, campaign_id,
           quote_id, sent_by_label, provider, provider_message_id, segments, encoding, cost_micros, attempt, send_after, scheduled_at,
           quiet_hours_waived, gate, gate_reason, gate_until, error_code, error_detail, created_at, sent_at, delivered_at, read_at
         from patchbay.messages
         where tenant_id = $1 and ($2::uuid is null or contact_id = $2) and ($3::uuid is null or campaign_id = $3)
           and ($4::text is null or status = $4) and ($5::uuid is null or id < $5)
         order by id desc limit $6",
        tenant,
        contact,
        campaign,
        status,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Of `ids` those that wait; answers how many. Without a reason nothing is added to their histories.
pub async fn mark_canceled(
    tx: &mut TenantTx,
    ids: &[Uuid],
    why: Option<&str>,
    now: DateTime<Utc>,
) -> Result<u64> {
    let tenant = tx.tenant();
    let count = sqlx::query_scalar!(
        r#"with canceled as (
             update patchbay.messages set status = 'canceled', gate = null, gate_reason = null, gate_until = null
             where tenant_id = $1 and id = any($2) and status = 'queued' returning id),
           told as (
             insert into patchbay.message_events (tenant_id, message_id, event, detail, at)
             select $1, id, 'canceled', $3, $4 from canceled where $3::text is not null)
           select count(*) as "count!" from canceled"#,
        tenant,
        ids,
        why,
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count.unsigned_abs())
}

pub async fn mark_requeued(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
    quiet_hours_waived: bool,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.messages set status = 'queued', send_after = $3, scheduled_at = null, quiet_hours_waived = $4,
           gate = null, gate_reason = null, gate_until = null, error_code = null, error_detail = null,
           provider_message_id = null, sent_at = null, delivered_at = null, failed_at = null
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        now,
        quiet_hours_waived,
    )
    .execute(tx.conn())
    .await?;
    wake(tx).await
}

/// Wakes sleeping dispatchers once the transaction commits.
pub async fn wake(tx: &mut TenantTx) -> Result<()> {
    sqlx::query!("select pg_notify('patchbay_work', 'messages')").execute(tx.conn()).await?;
    Ok(())
}

/// Whether the tenant may send from this address.
pub async fn has_sender(tx: &mut TenantTx, channel: Channel, address: &str) -> Result<bool> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        "select 1 from patchbay.senders where tenant_id = $1 and channel = $2 and address = $3 and disabled_at is null",
        tenant,
        channel.as_str(),
        address,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.is_some())
}

/// Takes one token of the API's bucket, which holds what [`rate::WINDOW`] brings.
pub async fn take_api_token(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<Bucket> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        r#"with t as (select api_rate_per_second::float8 as rate from patchbay.tenants where id = $1),
         taken as (
           insert into patchbay.rate_buckets as b (tenant_id, key, tokens, refilled_at) select $1, 'api', $3::float8 * t.rate - 1, $2 from t
           on conflict (tenant_id, key) do update set
             tokens = least($3::float8 * (select rate from t), b.tokens + greatest(0, extract(epoch from $2 - b.refilled_at)::float8) * (select rate from t)) - 1,
             refilled_at = greatest(b.refilled_at, $2)
             where least($3::float8 * (select rate from t), b.tokens + greatest(0, extract(epoch from $2 - b.refilled_at)::float8) * (select rate from t)) >= 1
           returning tokens)
         select t.rate as "rate!", (select tokens from taken) as tokens from t"#,
        tenant,
        now,
        f64::from(rate::WINDOW),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Bucket { rate: row.rate as u32, left: row.tokens.map(|tokens| tokens.max(0.0) as u32) })
}
