use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Line, SenderCount, SpendDay,
    campaign::{Group, Hour},
};
use crate::{db::TenantTx, error::Result};

pub(super) struct Kept {
    pub data: Value,
    pub counted_at: DateTime<Utc>,
    pub took_ms: i32,
}

pub(super) async fn find_kept(tx: &mut TenantTx, subject: &str) -> Result<Option<Kept>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Kept,
        "select data, counted_at, took_ms from patchbay.reports where tenant_id = $1 and subject = $2",
        tenant,
        subject
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(super) async fn keep(
    tx: &mut TenantTx,
    subject: &str,
    data: &Value,
    now: DateTime<Utc>,
    took_ms: i32,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.reports (tenant_id, subject, data, counted_at, took_ms) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, subject) do update set data = excluded.data, counted_at = excluded.counted_at, took_ms = excluded.took_ms",
        tenant,
        subject,
        data,
        now,
        took_ms,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) struct Campaign {
    pub name: String,
    pub status: String,
    pub launched_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub recipients: i64,
    pub template_ids: Vec<Uuid>,
}

pub(super) async fn find_campaign(tx: &mut TenantTx, id: Uuid) -> Result<Option<Campaign>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Campaign,
        "select name, status, launched_at, finished_at, recipients, template_ids from patchbay.campaigns where tenant_id = $1 and id = $2",
        tenant,
        id
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Launched campaigns, latest first, with what their reports said when somebody last looked.
pub(super) async fn list_campaigns(tx: &mut TenantTx, before: Option<Uuid>, limit: i64) -> Result<Vec<Line>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"select c.id, c.name, c.status, c.launched_at, c.recipients, r.data as "data?"
           from patchbay.campaigns c left join patchbay.reports r on r.tenant_id = c.tenant_id and r.subject = c.id::text
           where c.tenant_id = $1 and c.launched_at is not null and ($2::uuid is null or c.id < $2) order by c.id desc limit $3"#,
        tenant,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Line {
            id: row.id,
            name: row.name,
            status: row.status,
            launched_at: row.launched_at,
            recipients: row.recipients,
            counted: row.data.and_then(|data| serde_json::from_value(data).ok()),
        })
        .collect())
}

pub(super) async fn template_names(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "select t.id, t.name from unnest($2::uuid[]) with ordinality n (id, place)
         join patchbay.templates t on t.tenant_id = $1 and t.id = n.id order by n.place",
        tenant,
        ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// One pass over the campaign's messages. Who answered is read from the messages between `first` and `after`, which
/// are ids and so instants.
pub(super) async fn count_groups(
    tx: &mut TenantTx,
    id: Uuid,
    first: Uuid,
    after: Uuid,
) -> Result<Vec<Group>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Group,
        r#"with answers as (
             select contact_id, min(created_at) as first, max(created_at) as last from patchbay.messages
             where tenant_id = $1 and campaign_id is null and id >= $3 and id < $4 and direction = 'inbound' and contact_id is not null
             group by contact_id),
           openers as (
             select distinct message_id from patchbay.link_clicks where tenant_id = $1 and campaign_id = $2 and not is_bot)
           select m.template_id, m.status, m.gate, m.gate_reason->>'code' as code, m.error_code, count(*) as "messages!",
             count(*) filter (where m.sent_at is not null) as "sent!",
             coalesce(sum(m.segments) filter (where m.sent_at is not null), 0)::bigint as "segments!",
             coalesce(sum(m.cost_micros) filter (where m.sent_at is not null), 0)::bigint as "cost_micros!",
             count(o.message_id) as "clicked!",
             count(*) filter (where a.last >= m.sent_at and a.first < m.sent_at + interval '7 days') as "replied!",
             count(*) filter (where k.changed_at >= m.sent_at and k.changed_at < m.sent_at + interval '7 days') as "opted_out!"
           from patchbay.messages m
           left join openers o on o.message_id = m.id
           left join answers a on a.contact_id = m.contact_id
           left join patchbay.consents k on k.tenant_id = $1 and k.channel = m.channel and k.address = m.to_address and k.state = 'unsubscribed'
           where m.tenant_id = $1 and m.campaign_id = $2
           group by m.template_id, m.status, m.gate, m.gate_reason->>'code', m.error_code"#,
        tenant,
        id,
        first,
        after,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(super) async fn count_hours(tx: &mut TenantTx, id: Uuid) -> Result<Vec<Hour>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Hour,
        r#"with pairs as materialized (
             select date_trunc('hour', sent_at) as sent_in, date_trunc('hour', delivered_at) as delivered_in, count(*) as n
             from patchbay.messages where tenant_id = $1 and campaign_id = $2 and (sent_at is not null or delivered_at is not null) group by 1, 2)
           select at as "at!", sum(sent)::bigint as "sent!", sum(delivered)::bigint as "delivered!", sum(clicks)::bigint as "clicks!", sum(hits)::bigint as "hits!" from (
             select sent_in as at, n as sent, 0 as delivered, 0 as clicks, 0 as hits from pairs where sent_in is not null
             union all
             select delivered_in, 0, n, 0, 0 from pairs where delivered_in is not null
             union all
             select date_trunc('hour', at), 0, 0, count(*) filter (where not is_bot), count(*)
             from patchbay.link_clicks where tenant_id = $1 and campaign_id = $2 group by 1) h
           group by at order by at"#,
        tenant,
        id,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(super) struct Sender {
    pub id: Uuid,
    pub address: String,
    pub label: Option<String>,
    pub channel: String,
    pub warmup_started_on: Option<NaiveDate>,
    /// Days on which it sent since then, before today.
    pub warm_up_days: i64,
    pub sent_today: i64,
}

pub(super) async fn senders(tx: &mut TenantTx, today: NaiveDate) -> Result<Vec<Sender>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Sender,
        r#"select s.id, s.address, s.label, s.channel, s.warmup_started_on,
             (select count(*) from patchbay.send_counters c where c.tenant_id = $1 and c.sender_id = s.id
                and c.day >= s.warmup_started_on and c.day < $2 and c.messages > 0) as "warm_up_days!",
             coalesce((select messages from patchbay.send_counters c where c.tenant_id = $1 and c.sender_id = s.id and c.day = $2), 0) as "sent_today!"
           from patchbay.senders s where s.tenant_id = $1 and s.disabled_at is null order by s.channel, s.is_default desc, s.address"#,
        tenant,
        today,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What the ledger says of each sender since `first`.
pub(super) async fn count_senders(tx: &mut TenantTx, first: Uuid) -> Result<Vec<SenderCount>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        SenderCount,
        r#"select m.sender_id as "sender_id!", count(*) as "sent!",
             count(*) filter (where m.status in ('delivered', 'read')) as "delivered!",
             count(*) filter (where m.status in ('undelivered', 'failed')) as "failed!",
             count(*) filter (where m.error_code = 30007) as "filtered!",
             count(*) filter (where k.changed_at >= m.sent_at and k.changed_at < m.sent_at + interval '7 days') as "opted_out!"
           from patchbay.messages m
           left join patchbay.consents k on k.tenant_id = $1 and k.channel = m.channel and k.address = m.to_address and k.state = 'unsubscribed'
           where m.tenant_id = $1 and m.id >= $2 and m.sender_id is not null and m.sent_at is not null
           group by m.sender_id"#,
        tenant,
        first,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(super) async fn spend(tx: &mut TenantTx, first: NaiveDate) -> Result<Vec<SpendDay>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        SpendDay,
        "select day, messages, cost_micros from patchbay.spend_counters where tenant_id = $1 and day >= $2 order by day",
        tenant,
        first
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(super) struct Budget {
    pub currency: String,
    pub daily: Option<i64>,
    pub monthly: Option<i64>,
}

pub(super) async fn budget(tx: &mut TenantTx) -> Result<Budget> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Budget,
        "select currency, budget_daily_cents as daily, budget_monthly_cents as monthly from patchbay.tenants where id = $1",
        tenant
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What was sent since `first`, by channel and the beginning of the number, which tells its country.
pub(super) async fn spend_by_number(tx: &mut TenantTx, first: Uuid) -> Result<Vec<SpendNumbers>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        SpendNumbers,
        r#"select m.channel, case when m.channel = 'email' then '' else left(m.to_address, 6) end as "beginning!", count(*) as "messages!",
             coalesce(sum(m.segments), 0)::bigint as "segments!", coalesce(sum(m.cost_micros), 0)::bigint as "cost_micros!"
           from patchbay.messages m
           where m.tenant_id = $1 and m.id >= $2 and m.direction = 'outbound' and m.sent_at is not null group by 1, 2"#,
        tenant,
        first,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(super) struct SpendNumbers {
    pub channel: String,
    pub beginning: String,
    pub messages: i64,
    pub segments: i64,
    pub cost_micros: i64,
}
