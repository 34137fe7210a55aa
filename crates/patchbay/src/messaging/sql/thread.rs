//! What stands in a conversation, source by source, each walked backwards by id: ids are ordered by time.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// A message with who took it back, if somebody did.
#[derive(Debug, Clone)]
pub struct ThreadMessage {
    pub id: Uuid,
    pub direction: String,
    pub channel: String,
    pub kind: String,
    pub status: String,
    pub subject: Option<String>,
    pub body: String,
    pub media: Value,
    pub quote_id: Option<Uuid>,
    pub sent_by: Option<Uuid>,
    pub sent_by_label: Option<String>,
    pub attempt: i32,
    pub send_after: DateTime<Utc>,
    pub gate: Option<String>,
    pub gate_reason: Option<Value>,
    pub gate_until: Option<DateTime<Utc>>,
    pub error_detail: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub canceled_by: Option<String>,
}

pub async fn messages(
    tx: &mut TenantTx,
    contact: Uuid,
    before: Uuid,
    limit: i64,
) -> Result<Vec<ThreadMessage>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ThreadMessage,
        r#"select m.id, m.direction, m.channel, m.kind, m.status, m.subject, m.body, m.media, m.quote_id,
             m.sent_by, m.sent_by_label, m.attempt, m.send_after, m.gate, m.gate_reason, m.gate_until,
             m.error_detail, m.created_at, m.sent_at,
             case when m.status = 'canceled' then (
               select e.detail from patchbay.message_events e
               where e.tenant_id = $1 and e.message_id = m.id and e.event = 'canceled' order by e.id desc limit 1) end as canceled_by
           from patchbay.messages m
           where m.tenant_id = $1 and m.contact_id = $2 and m.id < $3 order by m.id desc limit $4"#,
        tenant,
        contact,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Something that happened, as `contacts::activity` noted it.
#[derive(Debug, Clone)]
pub struct ActivityRow {
    pub id: Uuid,
    pub kind: String,
    pub data: Value,
    pub actor_label: Option<String>,
    pub created_at: DateTime<Utc>,
}

pub async fn activities(
    tx: &mut TenantTx,
    contact: Uuid,
    before: Uuid,
    limit: i64,
) -> Result<Vec<ActivityRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ActivityRow,
        "select id, kind, data, actor_label, created_at from patchbay.activities
         where tenant_id = $1 and contact_id = $2 and id < $3 order by id desc limit $4",
        tenant,
        contact,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A change of consent.
#[derive(Debug, Clone)]
pub struct ConsentEventRow {
    pub id: Uuid,
    pub channel: String,
    pub state: String,
    pub how: String,
    pub basis: Option<String>,
    pub actor_label: Option<String>,
    pub created_at: DateTime<Utc>,
}

pub async fn consent_events(
    tx: &mut TenantTx,
    addresses: &[String],
    before: Uuid,
    limit: i64,
) -> Result<Vec<ConsentEventRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ConsentEventRow,
        "select id, channel, state, how, basis, actor_label, created_at from patchbay.consent_events
         where tenant_id = $1 and address = any($2) and id < $3 order by id desc limit $4",
        tenant,
        addresses,
        before,
        limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A quote as a card or a line shows it.
#[derive(Debug, Clone)]
pub struct QuoteRow {
    pub id: Uuid,
    pub number: i32,
    pub status: String,
    pub held: bool,
    pub items: Value,
    pub discount_cents: i64,
    pub tax_cents: i64,
    pub total_cents: i64,
    pub currency: String,
    pub viewed_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
}

/// The quotes with these ids, and the newest of the contact.
pub async fn quotes(tx: &mut TenantTx, contact: Uuid, ids: &[Uuid], newest: i64) -> Result<Vec<QuoteRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        QuoteRow,
        "select id, number, status, held, items, discount_cents, tax_cents, total_cents, currency, viewed_at, answered_at
         from patchbay.quotes
         where tenant_id = $1 and contact_id = $2
           and (id = any($3) or id in (select id from patchbay.quotes where tenant_id = $1 and contact_id = $2 order by id desc limit $4))
         order by id desc",
        tenant,
        contact,
        ids,
        newest,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What a business may send from, and what binds it.
#[derive(Debug, Clone)]
pub struct SendingRow {
    pub quiet_start: Option<chrono::NaiveTime>,
    pub quiet_end: Option<chrono::NaiveTime>,
    pub quiet_binds_people: bool,
    pub prices: Value,
    /// Default senders first, channel and address side by side.
    pub sender_channels: Vec<String>,
    pub sender_addresses: Vec<String>,
}

pub async fn sending(tx: &mut TenantTx) -> Result<SendingRow> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        SendingRow,
        r#"select t.quiet_start, t.quiet_end, t.quiet_binds_people, t.prices,
             coalesce((select array_agg(s.channel order by s.is_default desc, s.id) from patchbay.senders s
               where s.tenant_id = $1 and s.disabled_at is null), '{}') as "sender_channels!",
             coalesce((select array_agg(s.address order by s.is_default desc, s.id) from patchbay.senders s
               where s.tenant_id = $1 and s.disabled_at is null), '{}') as "sender_addresses!"
           from patchbay.tenants t where t.id = $1"#,
        tenant,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How an address came to where it stands.
#[derive(Debug, Clone)]
pub struct ConsentRow {
    pub channel: String,
    pub state: String,
    pub how: String,
    pub detail: Option<String>,
    pub actor_label: Option<String>,
    pub changed_at: DateTime<Utc>,
}

pub async fn consents(
    tx: &mut TenantTx,
    phone: Option<&str>,
    email: Option<&str>,
) -> Result<Vec<ConsentRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ConsentRow,
        "select channel, state, how, detail, actor_label, changed_at from patchbay.consents
         where tenant_id = $1 and ((channel in ('sms', 'whatsapp') and address = $2) or (channel = 'email' and address = $3))",
        tenant,
        phone,
        email,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// An entry of the do-not-contact list.
#[derive(Debug, Clone)]
pub struct ListedRow {
    pub reason: String,
    pub actor_label: Option<String>,
    pub created_at: DateTime<Utc>,
}

pub async fn listed(tx: &mut TenantTx, phone: &str) -> Result<Option<ListedRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ListedRow,
        "select reason, actor_label, created_at from patchbay.do_not_contact where tenant_id = $1 and phone_e164 = $2",
        tenant,
        phone,
    )
    .fetch_optional(tx.conn())
    .await?)
}
