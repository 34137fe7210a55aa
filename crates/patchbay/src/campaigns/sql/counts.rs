//! Numbers and lists of a campaign, from the index `messages_campaign`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{campaigns::pace::Waiting, db::TenantTx, error::Result};

/// What a campaign's messages are, counted in one statement, so that the numbers belong together.
pub struct Counted {
    pub recipients: i64,
    pub expanded: i64,
    pub status: String,
    /// `[status, gate, number]` each.
    pub counts: Value,
}

pub async fn count(tx: &mut TenantTx, id: Uuid) -> Result<Option<Counted>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Counted,
        r#"select g.recipients, g.expanded, g.status, coalesce((
             select jsonb_agg(jsonb_build_array(n.status, n.gate, n.number)) from (
               select m.status, m.gate, count(*) as number from patchbay.messages m
               where m.tenant_id = $1 and m.campaign_id = $2 group by m.status, m.gate) n), '[]') as "counts!"
           from patchbay.campaigns g where g.tenant_id = $1 and g.id = $2"#,
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Remembers what was counted.
pub async fn keep_totals(tx: &mut TenantTx, id: Uuid, totals: &Value, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.campaigns set totals = $3, totals_at = $4 where tenant_id = $1 and id = $2",
        tenant,
        id,
        totals,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Where the tenant's brake is set, and what was sent lately.
pub struct Sample {
    pub opt_out_permille: Option<i32>,
    pub failure_permille: Option<i32>,
    pub filtered_permille: Option<i32>,
    pub minimum: i32,
    pub settled: i64,
    pub failed: i64,
    pub filtered: i64,
    pub opted_out: i64,
}

/// The latest 500 messages, or those of the last minutes if they are more, as far as they have an outcome. What failed and
/// waits for another attempt has one.
pub async fn sample(
    tx: &mut TenantTx,
    id: Uuid,
    since: Option<DateTime<Utc>>,
    lately: DateTime<Utc>,
) -> Result<Sample> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Sample,
        r#"with latest as (
             select m.status, m.error_code, m.failed_at, m.channel, m.to_address, m.claimed_at,
               row_number() over (order by m.claimed_at desc) as place
             from (select * from patchbay.messages
                   where tenant_id = $1 and campaign_id = $2 and claimed_at > coalesce($3, '-infinity'::timestamptz)
                   order by claimed_at desc limit 20000) m),
           settled as (
             select l.*, (k.state = 'unsubscribed' and k.changed_at >= l.claimed_at) is true as opted_out
             from latest l left join patchbay.consents k on k.tenant_id = $1 and k.channel = l.channel and k.address = l.to_address
             where (l.status in ('sent', 'delivered', 'read', 'undelivered', 'failed') or l.status = 'queued' and l.failed_at is not null) and (l.place <= 500 or l.claimed_at >= $4))
           select t.brake_opt_out_permille as opt_out_permille, t.brake_failure_permille as failure_permille,
             t.brake_filtered_permille as filtered_permille, t.brake_minimum as minimum,
             n.settled as "settled!", n.failed as "failed!", n.filtered as "filtered!", n.opted_out as "opted_out!"
           from patchbay.tenants t cross join (
             select count(*) as settled, count(*) filter (where status in ('undelivered', 'failed', 'queued')) as failed,
               count(*) filter (where error_code = 30007) as filtered, count(*) filter (where opted_out) as opted_out
             from settled) n
           where t.id = $1"#,
        tenant,
        id,
        since,
        lately,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// One line of a list of recipients.
pub struct ReachedRow {
    pub message_id: Uuid,
    pub contact_id: Option<Uuid>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub to_address: String,
    pub status: String,
    pub gate: Option<String>,
    pub gate_reason: Option<Value>,
    pub gate_until: Option<DateTime<Utc>>,
    pub error_code: Option<i32>,
    pub error_detail: Option<String>,
    pub send_after: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// Recipients that have their message, in the order in which they got it. Each pair of status and gate is a walk
/// along the index; `gate` is `''` for none.
pub async fn list_reached(
    tx: &mut TenantTx,
    id: Uuid,
    statuses: &[String],
    gate: Option<&str>,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ReachedRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ReachedRow,
        r#"select m.id as message_id, m.contact_id, c.first_name as "first_name?", c.last_name as "last_name?", m.to_address, m.status,
             m.gate, m.gate_reason, m.gate_until, m.error_code, m.error_detail, m.send_after, m.sent_at, m.delivered_at
           from patchbay.messages m left join patchbay.contacts c on c.tenant_id = $1 and c.id = m.contact_id
           where m.tenant_id = $1 and m.campaign_id = $2 and m.status = any($3)
             and ($4::text is null or coalesce(m.gate, '') = $4) and ($5::uuid is null or m.id > $5)
           order by m.id limit $6"#,
        tenant,
        id,
        statuses,
        gate,
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Recipients that wait at any gate.
pub async fn list_waiting(
    tx: &mut TenantTx,
    id: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ReachedRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ReachedRow,
        r#"select m.id as message_id, m.contact_id, c.first_name as "first_name?", c.last_name as "last_name?", m.to_address, m.status,
             m.gate, m.gate_reason, m.gate_until, m.error_code, m.error_detail, m.send_after, m.sent_at, m.delivered_at
           from patchbay.messages m left join patchbay.contacts c on c.tenant_id = $1 and c.id = m.contact_id
           where m.tenant_id = $1 and m.campaign_id = $2 and m.status = 'queued' and m.gate is not null and ($3::uuid is null or m.id > $3)
           order by m.id limit $4"#,
        tenant,
        id,
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A recipient whose turn has not come.
pub struct UnreachedRow {
    pub position: i64,
    pub contact_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub address: Option<String>,
}

/// Recipients without a message, from after `position` on, if the campaign is canceled or not, as `canceled` says.
pub async fn list_unreached(
    tx: &mut TenantTx,
    id: Uuid,
    canceled: bool,
    position: Option<i64>,
    limit: i64,
) -> Result<Vec<UnreachedRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        UnreachedRow,
        r#"select r.position, r.contact_id, c.first_name as "first_name?", c.last_name as "last_name?",
             case g.channel when 'email' then c.email else c.phone_e164 end as address
           from patchbay.campaigns g
           join patchbay.campaign_recipients r on r.tenant_id = $1 and r.campaign_id = $2 and r.position >= g.expanded
           left join patchbay.contacts c on c.tenant_id = $1 and c.id = r.contact_id
           where g.tenant_id = $1 and g.id = $2 and (g.status = 'canceled') = $3 and r.position > coalesce($4::bigint, -1)
           order by r.position limit $5"#,
        tenant,
        id,
        canceled,
        position,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// One line of what preflight found.
pub struct VerdictRow {
    pub contact_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub address: Option<String>,
    pub gate: String,
    pub reason: Option<Value>,
    pub until: Option<DateTime<Utc>>,
}

pub async fn list_verdicts(
    tx: &mut TenantTx,
    id: Uuid,
    verdict: &str,
    gate: Option<&str>,
    after: Option<(String, Uuid)>,
    limit: i64,
) -> Result<Vec<VerdictRow>> {
    let tenant = tx.tenant();
    let (after_gate, after_contact) = after.unzip();
    Ok(sqlx::query_as!(
        VerdictRow,
        r#"select p.contact_id, c.first_name as "first_name?", c.last_name as "last_name?", p.gate, p.reason, p.until,
             case g.channel when 'email' then c.email else c.phone_e164 end as address
           from patchbay.campaign_preflight p
           join patchbay.campaigns g on g.tenant_id = $1 and g.id = $2
           left join patchbay.contacts c on c.tenant_id = $1 and c.id = p.contact_id
           where p.tenant_id = $1 and p.campaign_id = $2 and p.verdict = $3 and ($4::text is null or p.gate = $4)
             and ($5::text is null or (p.gate, p.contact_id) > ($5, $6::uuid))
           order by p.gate, p.contact_id limit $7"#,
        tenant,
        id,
        verdict,
        gate,
        after_gate,
        after_contact,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// One message of the compliance file.
pub struct ExportRow {
    pub id: Uuid,
    pub contact_id: Option<Uuid>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub channel: String,
    pub from_address: Option<String>,
    pub to_address: String,
    pub status: String,
    pub gate: Option<String>,
    pub gate_reason: Option<Value>,
    pub gate_until: Option<DateTime<Utc>>,
    pub template_id: Option<Uuid>,
    pub body: String,
    pub segments: i16,
    pub cost_micros: i64,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub read_at: Option<DateTime<Utc>>,
    pub clicked_at: Option<DateTime<Utc>>,
    pub replied_at: Option<DateTime<Utc>>,
    pub opted_out_at: Option<DateTime<Utc>>,
    pub provider_message_id: Option<String>,
    pub error_code: Option<i32>,
    pub error_detail: Option<String>,
    pub consent_state: Option<String>,
    pub consent_how: Option<String>,
    pub consent_source: Option<String>,
    pub consent_wording: Option<String>,
    pub consent_at: Option<DateTime<Utc>>,
    pub consent_basis: Option<String>,
    pub consent_expires_at: Option<DateTime<Utc>>,
    pub consent_evidence: Option<Value>,
}

/// Messages with the latest proof of consent from before each was decided about, and what came back: a person's first
/// click, and the first reply and opt-out within seven days.
pub async fn list_for_export(
    tx: &mut TenantTx,
    id: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<ExportRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ExportRow,
        r#"select m.id, m.contact_id, c.first_name as "first_name?", c.last_name as "last_name?", m.channel, m.from_address, m.to_address, m.status,
             m.gate, m.gate_reason, m.gate_until, m.template_id, m.body, m.segments, m.cost_micros, m.created_at, m.sent_at, m.delivered_at,
             m.read_at, m.provider_message_id, m.error_code, m.error_detail,
             (select min(l.at) from patchbay.link_clicks l
                where l.tenant_id = $1 and l.contact_id = m.contact_id and l.message_id = m.id and not l.is_bot) as clicked_at,
             (select min(i.created_at) from patchbay.messages i
                where i.tenant_id = $1 and i.contact_id = m.contact_id and i.id > m.id and i.direction = 'inbound'
                  and i.created_at >= m.sent_at and i.created_at < m.sent_at + interval '7 days') as replied_at,
             (select min(o.created_at) from patchbay.consent_events o
                where o.tenant_id = $1 and o.address = m.to_address and o.channel = m.channel and o.state = 'unsubscribed'
                  and o.created_at >= m.sent_at and o.created_at < m.sent_at + interval '7 days') as opted_out_at,
             k.state as "consent_state?", k.how as "consent_how?", k.source as "consent_source?", k.wording as "consent_wording?",
             k.created_at as "consent_at?", k.basis as "consent_basis?", k.expires_at as "consent_expires_at?", k.evidence as "consent_evidence?"
           from (select * from patchbay.messages where tenant_id = $1 and campaign_id = $2 and ($3::uuid is null or id > $3) order by id limit $4) m
           left join patchbay.contacts c on c.tenant_id = $1 and c.id = m.contact_id
           left join lateral (
             select * from patchbay.consent_events e
             where e.tenant_id = $1 and e.address = m.to_address and e.channel = m.channel and e.created_at <= coalesce(m.claimed_at, m.created_at)
             order by e.id desc limit 1) k on true
           order by m.id"#,
        tenant,
        id,
        after,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How many messages went to the carrier, by how many minutes ago, since `since`.
pub async fn handed_over(
    tx: &mut TenantTx,
    id: Uuid,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<(i64, i64)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        r#"select floor(extract(epoch from $4::timestamptz - claimed_at) / 60)::bigint as "minutes_ago!", count(*) as "count!"
           from patchbay.messages where tenant_id = $1 and campaign_id = $2 and claimed_at > $3 and claimed_at <= $4 group by 1"#,
        tenant,
        id,
        since,
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.minutes_ago, row.count)).collect())
}

/// How many messages went to the carrier since `since`, and when the first of them did.
pub async fn lately(
    tx: &mut TenantTx,
    id: Uuid,
    since: DateTime<Utc>,
) -> Result<(i64, Option<DateTime<Utc>>)> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        r#"select count(*) as "count!", min(claimed_at) as first_at
           from patchbay.messages where tenant_id = $1 and campaign_id = $2 and claimed_at > $3"#,
        tenant,
        id,
        since,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.count, row.first_at))
}

/// Who waits for an hour of their own or for a gate other than the rate: `limit` of them are looked at.
pub async fn waiting(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>, limit: i64) -> Result<Waiting> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Waiting,
        r#"select count(*) as "count!", min(send_after) as first_at, max(send_after) as last_at from (
             select send_after from patchbay.messages where tenant_id = $1 and campaign_id = $2 and status = 'queued'
               and gate is distinct from 'rate_limit' and send_after > $3 limit $4) w"#,
        tenant,
        id,
        now,
        limit,
    )
    .fetch_one(tx.conn())
    .await?)
}
