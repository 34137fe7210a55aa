//! The demo's rows, a statement per table however many they are.

use chrono::{DateTime, NaiveTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::script::Rows;
use crate::{db::SystemTx, error::Result};

pub(super) struct Tenant {
    pub id: Uuid,
    pub name: &'static str,
    pub slug: &'static str,
    pub timezone: &'static str,
    pub support_contact: &'static str,
    pub quiet: Option<(NaiveTime, NaiveTime)>,
    pub next_quote_number: i32,
    pub created_at: DateTime<Utc>,
}

/// `false` when there is a tenant of that name in addresses. Two who seed at once take turns here.
pub(super) async fn insert_tenant(tx: &mut SystemTx, tenant: &Tenant) -> Result<bool> {
    let done = sqlx::query!(
        "insert into patchbay.tenants (id, name, slug, timezone, country, currency, business_name, support_contact, quiet_start, quiet_end,
           next_quote_number, created_at, updated_at)
         values ($1, $2, $3, $4, 'US', 'USD', $2, $5, $6, $7, $8, $9, $9) on conflict (slug) do nothing",
        tenant.id,
        tenant.name,
        tenant.slug,
        tenant.timezone,
        tenant.support_contact,
        tenant.quiet.map(|(start, _)| start),
        tenant.quiet.map(|(_, end)| end),
        tenant.next_quote_number,
        tenant.created_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Makes users where there are none of that address, and members of them.
pub(super) async fn insert_members(
    tx: &mut SystemTx,
    tenant: Uuid,
    rows: &[Value],
    at: DateTime<Utc>,
) -> Result<Vec<(String, Uuid)>> {
    let rows = Value::from(rows);
    sqlx::query!(
        "insert into patchbay.users (id, email, name, created_at)
         select r.id, r.email, r.name, $2 from jsonb_to_recordset($1) r (id uuid, email text, name text)
         on conflict (email) do update set name = coalesce(users.name, excluded.name)",
        rows,
        at,
    )
    .execute(tx.conn())
    .await?;
    let members = sqlx::query!(
        r#"with joined as (
           insert into patchbay.memberships (tenant_id, user_id, role, created_at)
           select $1, u.id, r.role, $3 from jsonb_to_recordset($2) r (email text, role text) join patchbay.users u on u.email = r.email
           returning user_id)
         select u.email, u.id from joined j join patchbay.users u on u.id = j.user_id"#,
        tenant,
        rows,
        at,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(members.into_iter().map(|row| (row.email, row.id)).collect())
}

pub(super) async fn insert_stages(
    tx: &mut SystemTx,
    tenant: Uuid,
    rows: &[Value],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.stages (tenant_id, id, name, position, kind, created_at)
         select $1, r.id, r.name, r.position, r.kind, $3 from jsonb_to_recordset($2) r (id uuid, name text, position int, kind text)",
        tenant,
        Value::from(rows),
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_templates(
    tx: &mut SystemTx,
    tenant: Uuid,
    rows: &[Value],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.templates (tenant_id, id, key, name, channel, subject, content, content_sid, created_at, updated_at)
         select $1, r.id, r.key, r.name, r.channel, r.subject, r.content, r.content_sid, $3, $3
         from jsonb_to_recordset($2) r (id uuid, key text, name text, channel text, subject text, content text, content_sid text)",
        tenant,
        Value::from(rows),
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_senders(
    tx: &mut SystemTx,
    tenant: Uuid,
    rows: &[Value],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.senders (tenant_id, id, channel, address, label, provider, is_default, created_at)
         select $1, r.id, r.channel, r.address, r.label, 'fake', true, $3
         from jsonb_to_recordset($2) r (id uuid, channel text, address text, label text)",
        tenant,
        Value::from(rows),
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_labels(
    tx: &mut SystemTx,
    tenant: Uuid,
    rows: &[Value],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.labels (tenant_id, id, name, created_at) select $1, r.id, r.name, $3 from jsonb_to_recordset($2) r (id uuid, name text)",
        tenant,
        Value::from(rows),
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_custom_fields(tx: &mut SystemTx, tenant: Uuid, rows: &[Value]) -> Result<()> {
    sqlx::query!(
        r#"insert into patchbay.custom_fields (tenant_id, id, key, label, type, options, position, created_at)
         select $1, r.id, r.key, r.label, r.type, r.options, r.position, r.created_at
         from jsonb_to_recordset($2) r (id uuid, key text, label text, type text, options jsonb, position int, created_at timestamptz)"#,
        tenant,
        Value::from(rows),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Everything that happened, in the order in which rows need one another.
pub(super) async fn insert_rows(
    tx: &mut SystemTx,
    tenant: Uuid,
    rows: &Rows,
    now: DateTime<Utc>,
) -> Result<()> {
    insert_consents(tx, tenant, rows).await?;
    insert_contacts(tx, tenant, rows).await?;
    insert_quotes(tx, tenant, rows).await?;
    insert_messages(tx, tenant, rows).await?;
    insert_talk(tx, tenant, rows).await?;
    // What is over needs no announcement.
    sqlx::query!(
        "update patchbay.outbox set processed_at = $2 where tenant_id = $1 and event_type <> 'lead.created'",
        tenant,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_consents(tx: &mut SystemTx, tenant: Uuid, rows: &Rows) -> Result<()> {
    sqlx::query!(
        "with given as (
           select * from jsonb_to_recordset($2) r (id uuid, channel text, address text, state text, how text, detail text, source text, wording text, changed_at timestamptz)),
         proof as (
           insert into patchbay.consent_events (tenant_id, id, channel, address, state, how, source, wording, created_at)
           select $1, id, channel, address, state, how, source, wording, changed_at from given)
         insert into patchbay.consents (tenant_id, channel, address, state, how, detail, changed_at)
         select distinct on (channel, address) $1, channel, address, state, how, detail, changed_at from given order by channel, address, changed_at desc",
        tenant,
        Value::from(rows.consents.clone()),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into patchbay.do_not_contact (tenant_id, id, phone_e164, reason, source, created_at)
         select $1, r.id, r.phone_e164, r.reason, r.source, r.created_at
         from jsonb_to_recordset($2) r (id uuid, phone_e164 text, reason text, source text, created_at timestamptz)",
        tenant,
        Value::from(rows.listed.clone()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_contacts(tx: &mut SystemTx, tenant: Uuid, rows: &Rows) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.contacts (tenant_id, id, status, first_name, last_name, phone_e164, email, stage_id, stage_position, source, timezone,
           properties, owner_id, created_at, updated_at)
         select $1, r.id, r.status, r.first_name, r.last_name, r.phone_e164, r.email, r.stage_id, -extract(epoch from r.created_at), r.source, r.timezone,
           r.properties, r.owner_id, r.created_at, r.created_at
         from jsonb_to_recordset($2) r (id uuid, status text, first_name text, last_name text, phone_e164 text, email text, stage_id uuid, source text,
           timezone text, properties jsonb, owner_id uuid, created_at timestamptz)",
        tenant,
        Value::from(rows.contacts.clone()),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into patchbay.contact_labels (tenant_id, contact_id, label_id, created_at)
         select $1, r.contact_id, r.label_id, r.created_at from jsonb_to_recordset($2) r (contact_id uuid, label_id uuid, created_at timestamptz)",
        tenant,
        Value::from(rows.contact_labels.clone()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_quotes(tx: &mut SystemTx, tenant: Uuid, rows: &Rows) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.quotes (tenant_id, id, number, contact_id, title, items, tax_basis_points, tax_cents, total_cents, currency, status, held,
           token, owner_id, expires_on, created_by_label, created_at, updated_at, sent_at, viewed_at, answered_at)
         select $1, r.id, r.number, r.contact_id, r.title, r.items, r.tax_basis_points, r.tax_cents, r.total_cents, 'USD', r.status, r.held,
           r.token, r.owner_id, r.expires_on, r.created_by_label, r.created_at, coalesce(r.answered_at, r.viewed_at, r.created_at), r.sent_at, r.viewed_at, r.answered_at
         from jsonb_to_recordset($2) r (id uuid, number int, contact_id uuid, title text, items jsonb, tax_basis_points int, tax_cents bigint, total_cents bigint,
           status text, held boolean, token text, owner_id uuid, expires_on date, created_by_label text, created_at timestamptz, sent_at timestamptz,
           viewed_at timestamptz, answered_at timestamptz)",
        tenant,
        Value::from(rows.quotes.clone()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_messages(tx: &mut SystemTx, tenant: Uuid, rows: &Rows) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, priority, dedupe_key, from_address, to_address, body,
           quote_id, sent_by, sent_by_label, sender_id, provider, provider_message_id, segments, encoding, cost_micros, attempt, send_after, scheduled_at,
           gate, gate_reason, gate_until, error_code, error_detail, created_at, sent_at, delivered_at, read_at, failed_at)
         select $1, r.id, r.contact_id, r.direction, r.channel, r.kind, r.status, r.priority, r.dedupe_key, r.from_address, r.to_address, r.body,
           r.quote_id, r.sent_by, r.sent_by_label, s.id, r.provider, r.provider_message_id, r.segments, r.encoding, r.cost_micros, r.attempt, r.send_after,
           r.scheduled_at, r.gate, r.gate_reason, r.gate_until, r.error_code, r.error_detail, r.created_at, r.sent_at, r.delivered_at, r.read_at, r.failed_at
         from jsonb_to_recordset($2) r (id uuid, contact_id uuid, direction text, channel text, kind text, status text, priority smallint, dedupe_key text,
           from_address text, to_address text, body text, quote_id uuid, sent_by uuid, sent_by_label text, provider text, provider_message_id text,
           segments smallint, encoding text, cost_micros bigint, attempt int, send_after timestamptz, scheduled_at timestamptz, gate text, gate_reason jsonb,
           gate_until timestamptz, error_code int, error_detail text, created_at timestamptz, sent_at timestamptz, delivered_at timestamptz,
           read_at timestamptz, failed_at timestamptz)
         left join patchbay.senders s on s.tenant_id = $1 and s.channel = r.channel and s.address = r.from_address",
        tenant,
        Value::from(rows.messages.clone()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_talk(tx: &mut SystemTx, tenant: Uuid, rows: &Rows) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.conversations (tenant_id, contact_id, status, assignee_id, unread, snoozed_until, last_message_at, last_direction, last_channel,
           last_preview, last_inbound_at, whatsapp_inbound_at, reply_channel, reply_from, waiting_since, needs_review, created_at, updated_at)
         select $1, r.contact_id, r.status, r.assignee_id, r.unread, r.snoozed_until, r.last_message_at, r.last_direction, r.last_channel,
           r.last_preview, r.last_inbound_at, r.whatsapp_inbound_at, r.reply_channel, r.reply_from, r.waiting_since, r.needs_review, r.created_at, r.updated_at
         from jsonb_to_recordset($2) r (contact_id uuid, status text, assignee_id uuid, unread int, snoozed_until timestamptz, last_message_at timestamptz,
           last_direction text, last_channel text, last_preview text, last_inbound_at timestamptz, whatsapp_inbound_at timestamptz, reply_channel text,
           reply_from text, waiting_since timestamptz, needs_review text, created_at timestamptz, updated_at timestamptz)",
        tenant,
        Value::from(rows.conversations.clone()),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into patchbay.notes (tenant_id, id, contact_id, author_id, author_label, body, created_at)
         select $1, r.id, r.contact_id, r.author_id, r.author_label, r.body, r.created_at
         from jsonb_to_recordset($2) r (id uuid, contact_id uuid, author_id uuid, author_label text, body text, created_at timestamptz)",
        tenant,
        Value::from(rows.notes.clone()),
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into patchbay.activities (tenant_id, id, contact_id, kind, data, actor_label, created_at)
         select $1, r.id, r.contact_id, r.kind, r.data, r.actor_label, r.created_at
         from jsonb_to_recordset($2) r (id uuid, contact_id uuid, kind text, data jsonb, actor_label text, created_at timestamptz)",
        tenant,
        Value::from(rows.activities.clone()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What the ledger would have written along: events, searchable texts, counters, when contacts were last heard.
pub(super) async fn follow(tx: &mut SystemTx, tenant: Uuid) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.message_events (tenant_id, message_id, event, code, detail, at)
         select $1, m.id, e.event, case when e.event = m.status then m.error_code end, case when e.event = m.status then m.error_detail end, e.at
         from patchbay.messages m cross join lateral (values
           ('sent', m.sent_at), ('delivered', m.delivered_at), ('read', m.read_at), (m.status, m.failed_at), (case when m.gate is not null then 'waiting' end, m.created_at)) e (event, at)
         where m.tenant_id = $1 and e.at is not null and e.event is not null",
        tenant,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into patchbay.message_texts (tenant_id, message_id, contact_id, folded)
         select $1, id, contact_id, patchbay.fold(body) from patchbay.messages where tenant_id = $1 and kind in ('inbound', 'manual')",
        tenant,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "with days as (
           select (m.sent_at at time zone t.timezone)::date as day, m.sender_id, count(*) as messages, sum(m.cost_micros)::bigint as cost
           from patchbay.messages m join patchbay.tenants t on t.id = m.tenant_id where m.tenant_id = $1 and m.sent_at is not null group by 1, 2),
         senders as (
           insert into patchbay.send_counters (tenant_id, sender_id, day, messages) select $1, sender_id, day, messages from days where sender_id is not null)
         insert into patchbay.spend_counters (tenant_id, day, messages, cost_micros) select $1, day, sum(messages), sum(cost) from days group by day",
        tenant,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update patchbay.contacts c set last_replied_at = h.heard, last_contacted_at = h.written
         from (select contact_id, max(created_at) filter (where direction = 'inbound') as heard, max(sent_at) as written
               from patchbay.messages where tenant_id = $1 group by contact_id) h
         where c.tenant_id = $1 and c.id = h.contact_id",
        tenant,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_segments(
    tx: &mut SystemTx,
    tenant: Uuid,
    rows: &[Value],
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.segments (tenant_id, id, name, filter, created_by, created_at, updated_at)
         select $1, r.id, r.name, r.filter, 'Rosa Marín', $3, $3 from jsonb_to_recordset($2) r (id uuid, name text, filter jsonb)",
        tenant,
        Value::from(rows.to_vec()),
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn insert_campaigns(tx: &mut SystemTx, tenant: Uuid, rows: &[Value]) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.campaigns (tenant_id, id, name, channel, segment_id, template_ids, status, launched_at, launched_by, snapshot_at,
           finished_at, paused_at, paused_by, pause_reason, scheduled_at, in_recipient_zone, created_by, created_at, updated_at)
         select $1, r.id, r.name, 'sms', r.segment_id, array(select jsonb_array_elements_text(r.template_ids)::uuid), r.status, r.launched_at,
           case when r.launched_at is not null then 'Rosa Marín' end, r.launched_at, r.finished_at, r.paused_at, r.paused_by, r.pause_reason,
           r.scheduled_at, coalesce(r.in_recipient_zone, false), 'Rosa Marín',
           coalesce(r.launched_at, now()) - interval '1 hour', coalesce(r.finished_at, r.paused_at, r.launched_at, now())
         from jsonb_to_recordset($2) r (id uuid, name text, segment_id uuid, template_ids jsonb, status text, launched_at timestamptz, finished_at timestamptz,
           paused_at timestamptz, paused_by text, pause_reason jsonb, scheduled_at timestamptz, in_recipient_zone boolean)",
        tenant,
        Value::from(rows.to_vec()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Somebody a campaign may have gone to.
pub(super) struct Reachable {
    pub id: Uuid,
    pub phone: String,
    pub consent: String,
    pub timezone: Option<String>,
    /// When they opted out.
    pub refused_at: Option<DateTime<Utc>>,
}

pub(super) async fn list_reachable(
    tx: &mut SystemTx,
    tenant: Uuid,
    before: DateTime<Utc>,
) -> Result<Vec<Reachable>> {
    Ok(sqlx::query_as!(
        Reachable,
        r#"select id, phone_e164 as "phone!", consent_sms as consent, timezone,
             (select k.changed_at from patchbay.consents k where k.tenant_id = $1 and k.channel = 'sms' and k.address = phone_e164 and k.state = 'unsubscribed') as refused_at
           from patchbay.contacts
           where tenant_id = $1 and phone_e164 is not null and created_at < $2 order by id"#,
        tenant,
        before,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How often one person may be written to, and how soon the brake concludes something: a small business.
pub(super) async fn set_limits(tx: &mut SystemTx, tenant: Uuid) -> Result<()> {
    sqlx::query!(
        "update patchbay.tenants set suppression_days = 7, brake_minimum = 10 where id = $1",
        tenant
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The recipients of a campaign and the messages of those whose turn has come; of one that is over, its totals.
pub(super) async fn insert_campaign_messages(
    tx: &mut SystemTx,
    tenant: Uuid,
    campaign: Uuid,
    rows: &[Value],
) -> Result<()> {
    sqlx::query!(
        "with r as materialized (
           select * from jsonb_to_recordset($3) r (id uuid, position bigint, contact_id uuid, to_address text, body text, template_id uuid, dedupe_key text,
             segments smallint, cost_micros bigint, created_at timestamptz, status text, sent_at timestamptz, delivered_at timestamptz, send_after timestamptz, gate text, gate_reason jsonb, error_code int, error_detail text)
         ), sent as (
           insert into patchbay.messages (tenant_id, id, contact_id, campaign_id, direction, channel, kind, status, priority, dedupe_key, from_address,
             to_address, body, template_id, provider, attempt, send_after, gate, gate_reason, error_code, error_detail, created_at, claimed_at, sent_at, delivered_at, segments, cost_micros, sender_id)
           select $1, id, contact_id, $2, 'outbound', 'sms', 'campaign', status, 2, dedupe_key, '+13125550100', to_address, body, template_id, 'fake',
             case when sent_at is null then 0 else 1 end, coalesce(send_after, created_at), gate, gate_reason, error_code, error_detail, created_at, sent_at, sent_at,
             delivered_at, coalesce(segments, 1), coalesce(cost_micros, 0),
             (select s.id from patchbay.senders s where s.tenant_id = $1 and s.channel = 'sms' and s.address = '+13125550100')
           from r where status is not null
         ), listed as (
           insert into patchbay.campaign_recipients (tenant_id, campaign_id, position, contact_id) select $1, $2, position, contact_id from r
         )
         update patchbay.campaigns set recipients = n.everybody, expanded = n.written, totals_at = finished_at, totals = case when finished_at is not null then jsonb_build_object(
           'recipients', n.everybody, 'queued', 0, 'waiting', '{}'::jsonb, 'sending', 0, 'sent', 0, 'delivered', n.delivered, 'undelivered', n.undelivered,
           'blocked', case when n.blocked > 0 then jsonb_build_object('do_not_contact', n.blocked) else '{}' end, 'failed', 0, 'unknown', 0, 'canceled', 0) end
         from (select count(*) as everybody, count(*) filter (where status = 'delivered') as delivered,
             count(*) filter (where status = 'undelivered') as undelivered, count(*) filter (where status = 'blocked') as blocked, count(status) as written from r) n
         where tenant_id = $1 and id = $2",
        tenant,
        campaign,
        Value::from(rows.to_vec()),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
