//! Conversations as the inbox lists, opens and moves them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::Result,
    messaging::inbox::{Counts, Key},
};

/// A conversation with what a list says about it.
#[derive(Debug, Clone)]
pub struct ConversationRow {
    pub contact_id: Uuid,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_e164: Option<String>,
    pub phone_raw: Option<String>,
    pub email: Option<String>,
    /// `open`, `snoozed` or `done`.
    pub status: String,
    pub assignee_id: Option<Uuid>,
    pub unread: i32,
    pub snoozed_until: Option<DateTime<Utc>>,
    pub last_message_at: DateTime<Utc>,
    pub last_direction: Option<String>,
    pub last_channel: Option<String>,
    pub last_preview: Option<String>,
    /// Opens 24 hours of free-form answers on WhatsApp.
    pub whatsapp_inbound_at: Option<DateTime<Utc>>,
    pub reply_channel: Option<String>,
    pub reply_from: Option<String>,
    pub waiting_since: Option<DateTime<Utc>>,
    pub needs_review: Option<String>,
    pub archived_at: Option<DateTime<Utc>>,
    /// Consent on the channel of the last message.
    pub consent: String,
    /// Where the newest message stands, and which gate holds it.
    pub message_status: Option<String>,
    pub message_gate: Option<String>,
    pub message_scheduled_at: Option<DateTime<Utc>>,
}

/// One statement per view, because each has an index of its own. `$1` is the tenant.
macro_rules! conversations {
    ($condition:literal, $($bind:expr),* $(,)?) => {
        sqlx::query_as!(
            ConversationRow,
            r#"select v.contact_id, c.first_name, c.last_name, c.phone_e164, c.phone_raw, c.email,
                 v.status, v.assignee_id, v.unread, v.snoozed_until, v.last_message_at, v.last_direction, v.last_channel, v.last_preview,
                 v.whatsapp_inbound_at, v.reply_channel, v.reply_from, v.waiting_since, v.needs_review, c.archived_at,
                 case v.last_channel when 'email' then c.consent_email when 'whatsapp' then c.consent_whatsapp else c.consent_sms end as "consent!",
                 m.status as "message_status?", m.gate as "message_gate?", m.scheduled_at as "message_scheduled_at?"
               from patchbay.conversations v
               join patchbay.contacts c on c.tenant_id = $1 and c.id = v.contact_id and c.merged_into is null
               left join lateral (
                 select status, gate, scheduled_at from patchbay.messages
                 where tenant_id = $1 and contact_id = v.contact_id order by id desc limit 1) m on true
               where v.tenant_id = $1 "# + $condition,
            $($bind),*
        )
    };
}

/// The first instant and id there can be, so that the first page is a page like any other.
fn start(after: Option<Key>) -> (DateTime<Utc>, Uuid) {
    // the end of the year 9999
    after.unwrap_or_else(|| (DateTime::from_timestamp(253_402_300_799, 0).unwrap_or_default(), Uuid::max()))
}

/// Conversations in this status, the latest message first.
pub async fn list_by_status(
    tx: &mut TenantTx,
    status: &str,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<ConversationRow>> {
    let (tenant, (at, id)) = (tx.tenant(), start(after));
    let rows = conversations!(
        "and v.status = $2 and (v.last_message_at, v.contact_id) < ($3, $4) order by v.last_message_at desc, v.contact_id desc limit $5",
        tenant,
        status,
        at,
        id,
        limit,
    );
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// Open conversations in which something is unread.
pub async fn list_unread(tx: &mut TenantTx, after: Option<Key>, limit: i64) -> Result<Vec<ConversationRow>> {
    let (tenant, (at, id)) = (tx.tenant(), start(after));
    let rows = conversations!(
        "and v.unread > 0 and v.status = 'open' and (v.last_message_at, v.contact_id) < ($2, $3)
         order by v.last_message_at desc, v.contact_id desc limit $4",
        tenant,
        at,
        id,
        limit,
    );
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// Open conversations that this member has taken.
pub async fn list_assigned(
    tx: &mut TenantTx,
    assignee: Uuid,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<ConversationRow>> {
    let (tenant, (at, id)) = (tx.tenant(), start(after));
    let rows = conversations!(
        "and v.assignee_id = $2 and v.status = 'open' and (v.last_message_at, v.contact_id) < ($3, $4)
         order by v.last_message_at desc, v.contact_id desc limit $5",
        tenant,
        assignee,
        at,
        id,
        limit,
    );
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// The conversations of these contacts, in any status, the latest message first.
pub async fn list_of(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<Vec<ConversationRow>> {
    let tenant = tx.tenant();
    let rows = conversations!(
        "and v.contact_id = any($2) order by v.last_message_at desc, v.contact_id desc",
        tenant,
        contacts
    );
    Ok(rows.fetch_all(tx.conn()).await?)
}

/// One conversation; none while nothing was ever said.
pub async fn find(tx: &mut TenantTx, contact: Uuid) -> Result<Option<ConversationRow>> {
    let tenant = tx.tenant();
    Ok(conversations!("and v.contact_id = $2", tenant, contact).fetch_optional(tx.conn()).await?)
}

/// What waits in each view; counting stops at 1,000.
pub async fn counts(tx: &mut TenantTx, user: Option<Uuid>) -> Result<Counts> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Counts,
        r#"select
           (select count(*) from (select from patchbay.conversations where tenant_id = $1 and status = 'open' limit 1000) c) as "open!",
           (select count(*) from (select from patchbay.conversations where tenant_id = $1 and status = 'open' and unread > 0 limit 1000) c) as "unread!",
           (select count(*) from (select from patchbay.conversations where tenant_id = $1 and status = 'open' and assignee_id = $2 limit 1000) c) as "mine!""#,
        tenant,
        user,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What an action finds, held until the transaction ends.
#[derive(Debug, Clone)]
pub struct StateRow {
    pub status: String,
    pub assignee_id: Option<Uuid>,
    pub snoozed_until: Option<DateTime<Utc>>,
    pub needs_review: Option<String>,
    pub reply_channel: Option<String>,
}

/// Locks the conversation of `contact`, making an empty one where nothing was said yet. The contact must exist.
pub async fn lock(tx: &mut TenantTx, contact: Uuid, now: DateTime<Utc>) -> Result<StateRow> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.conversations (tenant_id, contact_id, last_message_at, created_at, updated_at) values ($1, $2, $3, $3, $3)
         on conflict (tenant_id, contact_id) do nothing",
        tenant,
        contact,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(sqlx::query_as!(
        StateRow,
        "select status, assignee_id, snoozed_until, needs_review, reply_channel from patchbay.conversations
         where tenant_id = $1 and contact_id = $2 for update",
        tenant,
        contact,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Moves a conversation between open, snoozed and done. What is done waits for nobody and has nothing unread.
pub async fn set_status(
    tx: &mut TenantTx,
    contact: Uuid,
    status: &str,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.conversations set status = $3, snoozed_until = $4, updated_at = $5,
           unread = case when $3 = 'done' then 0 else unread end,
           waiting_since = case when $3 = 'done' then null else waiting_since end
         where tenant_id = $1 and contact_id = $2",
        tenant,
        contact,
        status,
        until,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn set_assignee(
    tx: &mut TenantTx,
    contact: Uuid,
    assignee: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.conversations set assignee_id = $3, updated_at = $4 where tenant_id = $1 and contact_id = $2",
        tenant,
        contact,
        assignee,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Everything is read. Touches nothing where it was already, so that nobody is told of it.
pub async fn mark_read(tx: &mut TenantTx, contact: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.conversations set unread = 0, updated_at = $3 where tenant_id = $1 and contact_id = $2 and unread > 0",
        tenant,
        contact,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// At least one message counts as unread again.
pub async fn mark_unread(tx: &mut TenantTx, contact: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.conversations set unread = 1, updated_at = $3 where tenant_id = $1 and contact_id = $2 and unread = 0",
        tenant,
        contact,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Somebody has looked at what a machine was not sure of.
pub async fn clear_review(tx: &mut TenantTx, contact: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.conversations set needs_review = null, updated_at = $3 where tenant_id = $1 and contact_id = $2",
        tenant,
        contact,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A person one works with.
#[derive(Debug, Clone)]
pub struct MemberRow {
    pub user_id: Uuid,
    pub email: String,
    pub name: Option<String>,
    pub role: String,
}

impl MemberRow {
    /// The name, or the address while there is none.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.email)
    }
}

pub async fn members(tx: &mut TenantTx) -> Result<Vec<MemberRow>> {
    Ok(sqlx::query_as!(
        MemberRow,
        r#"select user_id as "user_id!", email as "email!", name, role as "role!" from patchbay.members() order by lower(coalesce(name, email)) limit 200"#,
    )
    .fetch_all(tx.conn())
    .await?)
}
