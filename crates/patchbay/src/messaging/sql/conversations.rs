//! Conversations and what inbound messages do to them.

use chrono::{DateTime, Utc};
use patchbay_rules::message::Channel;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result, messaging::inbound::Inbound};

pub async fn note_outbound(
    tx: &mut TenantTx,
    contact: Uuid,
    channel: Channel,
    by_person: bool,
    preview: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.conversations as v (tenant_id, contact_id, last_message_at, last_direction, last_channel, last_preview, created_at, updated_at)
         values ($1, $2, $6, 'outbound', $3, $5, $6, $6)
         on conflict (tenant_id, contact_id) do update set
           last_message_at = $6, last_direction = 'outbound', last_channel = $3, last_preview = $5, updated_at = $6,
           unread = case when $4 then 0 else v.unread end,
           waiting_since = case when $4 then null else v.waiting_since end",
        tenant,
        contact,
        channel.as_str(),
        by_person,
        preview,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn note_inbound(
    tx: &mut TenantTx,
    contact: Uuid,
    channel: Channel,
    reply_from: &str,
    preview: &str,
    review: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    let whatsapp = (channel == Channel::Whatsapp).then_some(now);
    sqlx::query!(
        "with touched as (update patchbay.contacts set last_replied_at = $6 where tenant_id = $1 and id = $2)
         insert into patchbay.conversations as v (tenant_id, contact_id, unread, last_message_at, last_direction, last_channel, last_preview,
           last_inbound_at, whatsapp_inbound_at, reply_channel, reply_from, waiting_since, needs_review, created_at, updated_at)
         values ($1, $2, 1, $6, 'inbound', $3, $5, $6, $7, $3, $4, $6, $8, $6, $6)
         on conflict (tenant_id, contact_id) do update set
           status = 'open', snoozed_until = null, unread = v.unread + 1,
           last_message_at = $6, last_direction = 'inbound', last_channel = $3, last_preview = $5, last_inbound_at = $6,
           whatsapp_inbound_at = coalesce($7, v.whatsapp_inbound_at), reply_channel = $3, reply_from = $4,
           waiting_since = coalesce(v.waiting_since, $6), needs_review = coalesce($8, v.needs_review), updated_at = $6",
        tenant,
        contact,
        channel.as_str(),
        reply_from,
        preview,
        now,
        whatsapp,
        review,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Who has written from a sender that is no number (a short code, a name) before. Two first messages of one sender
/// take turns, so that they are of one contact.
pub async fn contact_of_sender(tx: &mut TenantTx, channel: Channel, sender: &str) -> Result<Option<Uuid>> {
    let tenant = tx.tenant();
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('sender:' || $1::uuid::text || $2::text, 0))",
        tenant,
        sender,
    )
    .execute(tx.conn())
    .await?;
    Ok(sqlx::query_scalar!(
        r#"select contact_id as "contact_id!" from patchbay.messages
         where tenant_id = $1 and from_address = $2 and channel = $3 and direction = 'inbound' and from_address not like '+%' and contact_id is not null
         order by id desc limit 1"#,
        tenant,
        sender,
        channel.as_str(),
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Inserts a received message; `false` when it is known.
pub async fn insert_inbound(
    tx: &mut TenantTx,
    id: Uuid,
    contact: Option<Uuid>,
    dedupe_key: &str,
    inbound: &Inbound,
    now: DateTime<Utc>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let media = serde_json::json!(inbound.media);
    let done = sqlx::query!(
        "insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, priority, dedupe_key, from_address, to_address,
           body, media, provider, provider_message_id, send_after, created_at)
         values ($1, $2, $3, 'inbound', $4, 'inbound', 'received', 0, $5, $6, $7, $8, $9, $10, $11, $12, $12)
         on conflict (tenant_id, dedupe_key) do nothing",
        tenant,
        id,
        contact,
        inbound.channel,
        dedupe_key,
        inbound.from,
        inbound.to,
        inbound.body,
        media,
        inbound.provider,
        inbound.provider_message_id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether an address was sent a test since `first`, which is an id and so an instant.
pub async fn was_tested(tx: &mut TenantTx, address: &str, first: Uuid) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from patchbay.messages
             where tenant_id = $1 and contact_id is null and id >= $3 and to_address = $2 and kind = 'test') as "was!""#,
        tenant,
        address,
        first,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How many answers of this sort (`stop`, `help`, …) an address was given lately.
pub async fn count_confirmations(
    tx: &mut TenantTx,
    address: &str,
    what: &str,
    since: DateTime<Utc>,
) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from patchbay.messages
         where tenant_id = $1 and contact_id in (select id from patchbay.contacts where tenant_id = $1 and phone_e164 = $2)
           and to_address = $2 and kind in ('consent_confirmation', 'help') and dedupe_key like $3 || ':%' and created_at >= $4"#,
        tenant,
        address,
        what,
        since,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Since when the present consent state of an address holds.
pub async fn consent_changed_at(
    tx: &mut TenantTx,
    channel: Channel,
    address: &str,
) -> Result<Option<DateTime<Utc>>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select changed_at from patchbay.consents where tenant_id = $1 and channel = $2 and address = $3",
        tenant,
        channel.as_str(),
        address,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// What waits for this address will never go: says so at once instead of when it comes due.
pub async fn block_queued(tx: &mut TenantTx, address: &str, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    block_queued_all(tx.conn(), tenant, &[address.to_owned()], now).await
}

/// The same for many addresses at once.
pub async fn block_queued_all(
    conn: &mut PgConnection,
    tenant: Uuid,
    addresses: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "with stopped as (
           update patchbay.messages set status = 'blocked', gate = 'do_not_contact', gate_until = null,
             gate_reason = jsonb_build_object('code', 'do_not_contact', 'note', 'Asked not to be contacted', 'at', to_char($3::timestamptz at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'))
           where tenant_id = $1 and status = 'queued' and to_address = any($2) and kind not in ('consent_confirmation', 'help', 'notification')
             and contact_id in (select id from patchbay.contacts where tenant_id = $1 and phone_e164 = any($2))
           returning id)
         insert into patchbay.message_events (tenant_id, message_id, event, detail, at) select $1, id, 'blocked', 'do_not_contact', $3 from stopped",
        tenant,
        addresses,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub struct ConsentTexts {
    pub name: String,
    pub business_name: Option<String>,
    pub support_contact: Option<String>,
    pub stop_text: Option<String>,
    pub start_text: Option<String>,
    pub help_text: Option<String>,
}

pub async fn consent_texts(tx: &mut TenantTx) -> Result<ConsentTexts> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ConsentTexts,
        "select name, business_name, support_contact, stop_text, start_text, help_text from patchbay.tenants where id = $1",
        tenant,
    )
    .fetch_one(tx.conn())
    .await?)
}

pub async fn wake_snoozed(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update patchbay.conversations set status = 'open', snoozed_until = null, updated_at = $1 where status = 'snoozed' and snoozed_until <= $1",
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
