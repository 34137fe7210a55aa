//! The dispatcher's statements: set-based, per tenant, in short transactions.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use patchbay_rules::frequency;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// Tenants with messages that are due. One index probe per tenant and priority, whatever waits there.
pub async fn due_tenants(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select t.id from patchbay.tenants t where exists (
           select from unnest(array[0, 1, 2]::smallint[]) p (priority) where exists (
             select from patchbay.messages m
             where m.tenant_id = t.id and m.status = 'queued' and m.priority = p.priority and m.send_after <= $1))
         order by t.id",
        now,
    )
    .fetch_all(conn)
    .await?)
}

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

/// Claims for one tenant are made one at a time, so that counters are read and written by one claimer.
/// Held until the transaction ends; `false` when another node holds it.
pub async fn try_lock_tenant(tx: &mut TenantTx) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('dispatch:' || $1::uuid, 0)) as "locked!""#,
        tenant
    )
    .fetch_one(tx.conn())
    .await?)
}

pub struct TenantRow {
    pub timezone: String,
    pub country: String,
    pub currency: String,
    /// Switched off by the tenant, or held since the database was restored.
    pub kill_switch: bool,
    pub quiet_start: Option<NaiveTime>,
    pub quiet_end: Option<NaiveTime>,
    pub country_rules: bool,
    pub holiday_rules: bool,
    pub quiet_binds_people: bool,
    pub budget_daily_cents: Option<i64>,
    pub budget_monthly_cents: Option<i64>,
    pub rate_per_second: Option<i32>,
    pub suppression_days: i32,
}

pub async fn tenant(tx: &mut TenantTx) -> Result<TenantRow> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        TenantRow,
        r#"select timezone, country, currency, kill_switch or sending_held_at is not null as "kill_switch!", quiet_start,
           quiet_end, country_rules, holiday_rules, quiet_binds_people, budget_daily_cents, budget_monthly_cents, rate_per_second,
           suppression_days
         from patchbay.tenants where id = $1"#,
        tenant,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What the tenant's local day and month have cost so far, in millionths.
pub async fn spent(tx: &mut TenantTx, today: NaiveDate, month_start: NaiveDate) -> Result<(i64, i64)> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        r#"select coalesce(sum(cost_micros) filter (where day = $2), 0)::bigint as "today!", coalesce(sum(cost_micros), 0)::bigint as "month!"
         from patchbay.spend_counters where tenant_id = $1 and day between $3 and $2"#,
        tenant,
        today,
        month_start,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.today, row.month))
}

pub struct SenderRow {
    pub id: Uuid,
    pub channel: String,
    pub address: String,
    pub label: Option<String>,
    pub provider: String,
    pub account_id: Option<Uuid>,
    pub rate_per_second: Option<f64>,
    pub warmup_started_on: Option<NaiveDate>,
    pub name_registered: bool,
    pub sent_today: i64,
    pub warmup_days: i64,
}

/// Active senders with what they sent today and on how many earlier days of their warm-up.
pub async fn senders(tx: &mut TenantTx, today: NaiveDate) -> Result<Vec<SenderRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        SenderRow,
        r#"select s.id, s.channel, s.address, s.label, s.provider, s.account_id, s.rate_per_second::float8 as rate_per_second,
           s.warmup_started_on, s.name_registered,
           coalesce((select c.messages from patchbay.send_counters c where c.tenant_id = $1 and c.sender_id = s.id and c.day = $2), 0) as "sent_today!",
           case when s.warmup_started_on is null then 0 else
             (select count(*) from patchbay.send_counters c where c.tenant_id = $1 and c.sender_id = s.id
                and c.day >= s.warmup_started_on and c.day < $2 and c.messages > 0) end as "warmup_days!"
         from patchbay.senders s where s.tenant_id = $1 and s.disabled_at is null order by s.is_default desc, s.id"#,
        tenant,
        today,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub struct BucketRow {
    pub key: String,
    pub tokens: f64,
    pub refilled_at: DateTime<Utc>,
}

pub async fn buckets(tx: &mut TenantTx) -> Result<Vec<BucketRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        BucketRow,
        "select key, tokens, refilled_at from patchbay.rate_buckets where tenant_id = $1 and key <> 'api'",
        tenant
    )
    .fetch_all(tx.conn())
    .await?)
}

pub async fn save_buckets(
    tx: &mut TenantTx,
    keys: &[String],
    tokens: &[f64],
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.rate_buckets (tenant_id, key, tokens, refilled_at)
         select $1, b.key, b.tokens, $4 from unnest($2::text[], $3::float8[]) b (key, tokens)
         on conflict (tenant_id, key) do update set tokens = excluded.tokens, refilled_at = excluded.refilled_at",
        tenant,
        keys,
        tokens,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A due message with the facts its gates ask for.
pub struct DueRow {
    pub id: Uuid,
    pub contact_id: Option<Uuid>,
    pub channel: String,
    pub kind: String,
    pub from_address: Option<String>,
    pub to_address: String,
    pub subject: Option<String>,
    pub body: String,
    pub media: Value,
    pub content_sid: Option<String>,
    pub content_variables: Option<Value>,
    pub sender_id: Option<Uuid>,
    /// Of its campaign, if it belongs to one.
    pub campaign_status: Option<String>,
    pub campaign_id: Option<Uuid>,
    pub cost_micros: i64,
    pub attempt: i32,
    pub quiet_hours_waived: bool,
    pub gate: Option<String>,
    pub contact_timezone: Option<String>,
    pub contact_country: Option<String>,
    pub contact_state: Option<String>,
    pub contact_postal: Option<String>,
    pub last_marketed_at: Option<DateTime<Utc>>,
    /// When they were sent other marketing texts since the longest span over which these are counted.
    pub texted_at: Vec<DateTime<Utc>>,
    pub last_inbound_at: Option<DateTime<Utc>>,
    pub whatsapp_inbound_at: Option<DateTime<Utc>>,
    pub reply_from: Option<String>,
    pub consent_state: Option<String>,
    pub consent_how: Option<String>,
    pub consent_detail: Option<String>,
    pub consent_changed_at: Option<DateTime<Utc>>,
    pub consent_basis: Option<String>,
    pub consent_expires_at: Option<DateTime<Utc>>,
    pub listed_reason: Option<String>,
    pub listed_at: Option<DateTime<Utc>>,
}

/// Locks up to `limit` due messages, live ones first, each priority in the order of its due time.
///
/// Each priority is a walk along the index `messages_due`, so a million waiting rows of one priority are not
/// looked at for the sake of another. All joins are by primary key.
pub async fn lock_due(tx: &mut TenantTx, now: DateTime<Utc>, limit: i64) -> Result<Vec<DueRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        DueRow,
        r#"with due as materialized (
           select d.id, d.priority, d.send_after from unnest(array[0, 1, 2]::smallint[]) p (priority) cross join lateral (
             select m.id, m.priority, m.send_after from patchbay.messages m
             where m.tenant_id = $1 and m.status = 'queued' and m.priority = p.priority and m.send_after <= $2
             order by m.send_after limit $3 for update skip locked) d
           order by d.priority, d.send_after limit $3)
         select m.id, m.contact_id, m.channel, m.kind, m.from_address, m.to_address, m.subject, m.body, m.media, m.content_sid, m.content_variables,
           m.sender_id, g.status as "campaign_status?", m.campaign_id, m.cost_micros, m.attempt, m.quiet_hours_waived, m.gate,
           c.timezone as "contact_timezone?", c.country as "contact_country?", c.state as "contact_state?", c.postal as "contact_postal?",
           -- an earlier attempt of its own does not suppress it
           case when m.campaign_id is null or m.attempt = 0 then c.last_marketed_at else (
             select max(o.sent_at) from patchbay.messages o where o.tenant_id = $1 and o.contact_id = m.contact_id
               and o.kind in ('campaign', 'sequence') and o.campaign_id is distinct from m.campaign_id) end as "last_marketed_at?",
           case when m.kind in ('campaign', 'sequence') and m.channel = 'sms' and c.last_marketed_at > $4 then array(
             select o.sent_at from patchbay.messages o where o.tenant_id = $1 and o.contact_id = m.contact_id and o.id <> m.id
               and o.kind in ('campaign', 'sequence') and o.channel = 'sms' and o.sent_at > $4) else '{}' end as "texted_at!", v.last_inbound_at as "last_inbound_at?", v.whatsapp_inbound_at as "whatsapp_inbound_at?",
           case when v.reply_channel = m.channel then v.reply_from end as reply_from,
           k.state as "consent_state?", k.how as "consent_how?", k.detail as "consent_detail?", k.changed_at as "consent_changed_at?",
           k.basis as "consent_basis?", k.expires_at as "consent_expires_at?",
           d.reason as "listed_reason?", d.created_at as "listed_at?"
         from due join patchbay.messages m on m.tenant_id = $1 and m.id = due.id
         left join patchbay.contacts c on c.tenant_id = $1 and c.id = m.contact_id
         left join patchbay.conversations v on v.tenant_id = $1 and v.contact_id = m.contact_id
         left join patchbay.campaigns g on g.tenant_id = $1 and g.id = m.campaign_id
         left join patchbay.consents k on k.tenant_id = $1 and k.channel = m.channel and k.address = m.to_address
         left join patchbay.do_not_contact d on d.tenant_id = $1 and d.phone_e164 = m.to_address
         order by due.priority, due.send_after"#,
        tenant,
        now,
        limit,
        now - frequency::LONGEST,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The same facts of one message, whatever its status.
pub async fn facts_of(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<Option<DueRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        DueRow,
        r#"select m.id, m.contact_id, m.channel, m.kind, m.from_address, m.to_address, m.subject, m.body, m.media, m.content_sid, m.content_variables,
           m.sender_id, g.status as "campaign_status?", m.campaign_id, m.cost_micros, m.attempt, m.quiet_hours_waived, m.gate,
           c.timezone as "contact_timezone?", c.country as "contact_country?", c.state as "contact_state?", c.postal as "contact_postal?",
           -- an earlier attempt of its own does not suppress it
           case when m.campaign_id is null or m.attempt = 0 then c.last_marketed_at else (
             select max(o.sent_at) from patchbay.messages o where o.tenant_id = $1 and o.contact_id = m.contact_id
               and o.kind in ('campaign', 'sequence') and o.campaign_id is distinct from m.campaign_id) end as "last_marketed_at?",
           case when m.kind in ('campaign', 'sequence') and m.channel = 'sms' and c.last_marketed_at > $3 then array(
             select o.sent_at from patchbay.messages o where o.tenant_id = $1 and o.contact_id = m.contact_id and o.id <> m.id
               and o.kind in ('campaign', 'sequence') and o.channel = 'sms' and o.sent_at > $3) else '{}' end as "texted_at!", v.last_inbound_at as "last_inbound_at?", v.whatsapp_inbound_at as "whatsapp_inbound_at?",
           case when v.reply_channel = m.channel then v.reply_from end as reply_from,
           k.state as "consent_state?", k.how as "consent_how?", k.detail as "consent_detail?", k.changed_at as "consent_changed_at?",
           k.basis as "consent_basis?", k.expires_at as "consent_expires_at?",
           d.reason as "listed_reason?", d.created_at as "listed_at?"
         from patchbay.messages m
         left join patchbay.contacts c on c.tenant_id = $1 and c.id = m.contact_id
         left join patchbay.conversations v on v.tenant_id = $1 and v.contact_id = m.contact_id
         left join patchbay.campaigns g on g.tenant_id = $1 and g.id = m.campaign_id
         left join patchbay.consents k on k.tenant_id = $1 and k.channel = m.channel and k.address = m.to_address
         left join patchbay.do_not_contact d on d.tenant_id = $1 and d.phone_e164 = m.to_address
         where m.tenant_id = $1 and m.id = $2 and m.direction = 'outbound'"#,
        tenant,
        id,
        now - frequency::LONGEST,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Marketing that is with the carrier at this moment, or may have got there: nobody's facts tell of it yet.
pub struct UnderWayRow {
    pub contact_id: Uuid,
    pub campaign_id: Option<Uuid>,
    pub channel: String,
    pub claimed_at: DateTime<Utc>,
}

/// Asked before messages are locked: what is settled in between is then among their facts, as is what was given up.
pub async fn under_way(tx: &mut TenantTx) -> Result<Vec<UnderWayRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        UnderWayRow,
        r#"select contact_id as "contact_id!", campaign_id, channel as "channel!", claimed_at as "claimed_at!" from patchbay.messages
           where tenant_id = $1 and status = 'sending' and kind in ('campaign', 'sequence') and contact_id is not null and claimed_at is not null
           union all
           select contact_id, campaign_id, channel, claimed_at from patchbay.messages
           where tenant_id = $1 and status = 'unknown' and reconcile_after is not null
             and kind in ('campaign', 'sequence') and contact_id is not null and claimed_at is not null"#,
        tenant,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What passed, column by column.
#[derive(Default)]
pub struct Passed {
    pub ids: Vec<Uuid>,
    pub senders: Vec<Option<Uuid>>,
    pub froms: Vec<Option<String>>,
    pub providers: Vec<String>,
}

/// Hands the lease to this process and begins an attempt.
pub async fn mark_sending(
    tx: &mut TenantTx,
    passed: &Passed,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.messages m set status = 'sending', attempt = m.attempt + 1, claimed_at = $6, lease_until = $7,
           sender_id = p.sender_id, from_address = coalesce(p.from_address, m.from_address), provider = p.provider,
           gate = null, gate_reason = null, gate_until = null, error_code = null, error_detail = null
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) p (id, sender_id, from_address, provider)
         where m.tenant_id = $1 and m.id = p.id",
        tenant,
        &passed.ids,
        &passed.senders as _,
        &passed.froms as _,
        &passed.providers,
        now,
        lease_until,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a gate holds or refuses, column by column.
#[derive(Default)]
pub struct Held {
    pub ids: Vec<Uuid>,
    pub statuses: Vec<String>,
    pub gates: Vec<String>,
    pub reasons: Vec<Value>,
    pub untils: Vec<Option<DateTime<Utc>>>,
    /// Whether the gate is another one than before, which is worth an event.
    pub news: Vec<bool>,
}

pub async fn mark_held(tx: &mut TenantTx, held: &Held, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with held as (
           select * from unnest($2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[], $7::bool[]) h (id, status, gate, reason, until, news)),
         told as (
           insert into patchbay.message_events (tenant_id, message_id, event, detail, at)
           select $1, h.id, case h.status when 'queued' then 'waiting' else 'blocked' end, h.gate, $8 from held h where h.news)
         update patchbay.messages m set status = h.status, send_after = coalesce(h.until, m.send_after),
           gate = h.gate, gate_reason = h.reason, gate_until = h.until
         from held h where m.tenant_id = $1 and m.id = h.id",
        tenant,
        &held.ids,
        &held.statuses,
        &held.gates,
        &held.reasons,
        &held.untils as _,
        &held.news,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn mark_unroutable(
    tx: &mut TenantTx,
    ids: &[Uuid],
    details: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with lost as (select * from unnest($2::uuid[], $3::text[]) l (id, detail)),
         told as (insert into patchbay.message_events (tenant_id, message_id, event, detail, at) select $1, id, 'failed', detail, $4 from lost)
         update patchbay.messages m set status = 'failed', failed_at = $4, error_detail = l.detail, gate = null, gate_reason = null, gate_until = null
         from lost l where m.tenant_id = $1 and m.id = l.id",
        tenant,
        ids,
        details,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes messages that wait at `gates` due now.
pub async fn wake_held(
    tx: &mut TenantTx,
    gates: &[&str],
    campaign: Option<Uuid>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.messages m set send_after = $4, gate = null, gate_reason = null, gate_until = null
         from (select id from patchbay.messages where tenant_id = $1 and status = 'queued' and gate = any($2)
                 and ($3::uuid is null or campaign_id = $3) limit $5 for update skip locked) held
         where m.tenant_id = $1 and m.id = held.id",
        tenant,
        gates as _,
        campaign,
        now,
        limit,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Adds to (or, negative, gives back to) the counters of the tenant's local day.
pub async fn count(
    tx: &mut TenantTx,
    day: NaiveDate,
    messages: i64,
    cost_micros: i64,
    senders: &[Uuid],
    sent: &[i64],
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with spend as (
           insert into patchbay.spend_counters as s (tenant_id, day, messages, cost_micros) values ($1, $2, $3, $4)
           on conflict (tenant_id, day) do update set messages = s.messages + excluded.messages, cost_micros = s.cost_micros + excluded.cost_micros)
         insert into patchbay.send_counters as c (tenant_id, sender_id, day, messages)
         select $1, n.sender_id, $2, n.sent from unnest($5::uuid[], $6::bigint[]) n (sender_id, sent)
         on conflict (tenant_id, sender_id, day) do update set messages = c.messages + excluded.messages",
        tenant,
        day,
        messages,
        cost_micros,
        senders,
        sent,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Of messages that were claimed, those that must not be handed over after all: the lease was lost, or since then the
/// recipient opted out or was listed, or somebody switched sending or the campaign off. The columns say which.
pub struct RecalledRow {
    pub id: Uuid,
    pub ours: bool,
    pub opted_out: bool,
}

pub async fn recalled(tx: &mut TenantTx, ids: &[Uuid], attempts: &[i32]) -> Result<Vec<RecalledRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        RecalledRow,
        r#"select * from (
           select c.id as "id!", coalesce(m.status = 'sending' and m.attempt = c.attempt, false) as "ours!",
             (exists (select from patchbay.consents k where k.tenant_id = $1 and k.channel = m.channel and k.address = m.to_address and k.state = 'unsubscribed')
              or exists (select from patchbay.do_not_contact d where d.tenant_id = $1 and d.phone_e164 = m.to_address)
              or exists (select from patchbay.tenants t where t.id = $1 and t.kill_switch)
              or exists (select from patchbay.campaigns g where g.tenant_id = $1 and g.id = m.campaign_id and g.status in ('paused', 'canceled'))) as "opted_out!"
           from unnest($2::uuid[], $3::int[]) c (id, attempt)
           left join patchbay.messages m on m.tenant_id = $1 and m.id = c.id) r
         where not "ours!" or "opted_out!""#,
        tenant,
        ids,
        attempts,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Puts messages back that were claimed but not handed over; the next claim decides them afresh.
pub async fn unclaim(tx: &mut TenantTx, ids: &[Uuid], attempts: &[i32]) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.messages m set status = 'queued', lease_until = null, claimed_at = null, attempt = m.attempt - 1
         from unnest($2::uuid[], $3::int[]) c (id, attempt)
         where m.tenant_id = $1 and m.id = c.id and m.status = 'sending' and m.attempt = c.attempt",
        tenant,
        ids,
        attempts,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
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
