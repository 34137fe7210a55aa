//! What belongs to a quote without being it: whom it is for, who makes it, what told of it and what happened to it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    auth::{Actor, ActorKind},
    db::TenantTx,
    error::Result,
    quotes::Quote,
};

/// Whom a quote is for: its id, if the contact can get one.
pub(in crate::quotes) async fn contact_exists(tx: &mut TenantTx, contact: Uuid) -> Result<bool> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        r#"select exists (select from patchbay.contacts where tenant_id = $1 and id = $2 and merged_into is null) as "found!""#,
        tenant,
        contact,
    );
    Ok(found.fetch_one(tx.conn()).await?)
}

/// Whether a user is a member of this tenant.
pub(in crate::quotes) async fn is_member(tx: &mut TenantTx, user: Uuid) -> Result<bool> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        r#"select exists (select from patchbay.memberships where tenant_id = $1 and user_id = $2) as "found!""#,
        tenant,
        user,
    );
    Ok(found.fetch_one(tx.conn()).await?)
}

/// Which tenant's quote a link leads to. The token is all that a lead has, so this one query names no tenant.
pub(in crate::quotes) async fn find_by_token(
    conn: &mut PgConnection,
    token: &str,
) -> Result<Option<(Uuid, Uuid)>> {
    let row = sqlx::query!("select tenant_id, id from patchbay.quotes where token = $1 and not held", token)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| (row.tenant_id, row.id)))
}

/// Who makes a quote, as its page names them.
pub(in crate::quotes) struct Business {
    pub id: Uuid,
    pub name: String,
    pub support_contact: Option<String>,
    pub timezone: String,
    pub country: String,
    pub owner_name: Option<String>,
    /// The number that the quote was texted from.
    pub texted_from: Option<String>,
}

pub(in crate::quotes) async fn find_business(tx: &mut TenantTx, quote: &Quote) -> Result<Business> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Business,
        r#"select t.id, coalesce(t.business_name, t.name) as "name!", t.support_contact, t.timezone, t.country,
             (select m.name from patchbay.members() m where m.user_id = $2) as owner_name,
             (select m.from_address from patchbay.messages m
              where m.tenant_id = $1 and m.contact_id = $3 and m.quote_id = $4 and m.channel <> 'email' and m.from_address ~ '^\+'
              order by m.id desc limit 1) as texted_from
           from patchbay.tenants t where t.id = $1"#,
        tenant,
        quote.owner_id,
        quote.contact_id,
        quote.id,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A message that told of a quote.
pub(in crate::quotes) struct Announcement {
    pub channel: String,
    pub status: String,
    pub to_address: String,
    pub body: String,
    pub gate_reason: Option<Value>,
    pub gate_until: Option<DateTime<Utc>>,
    pub error_detail: Option<String>,
    pub send_after: DateTime<Utc>,
    pub sent_by_label: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
}

/// The messages that told of a quote, newest first.
pub(in crate::quotes) async fn list_announcements(
    tx: &mut TenantTx,
    quote: &Quote,
) -> Result<Vec<Announcement>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Announcement,
        "select channel, status, to_address, body, gate_reason, gate_until, error_detail, send_after, sent_by_label, created_at, sent_at, delivered_at
         from patchbay.messages where tenant_id = $1 and contact_id = $2 and quote_id = $3 and direction = 'outbound'
         order by id desc limit 50",
        tenant,
        quote.contact_id,
        quote.id,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How many messages have told of it, whatever became of them.
pub(in crate::quotes) async fn count_announcements(tx: &mut TenantTx, quote: &Quote) -> Result<i64> {
    let tenant = tx.tenant();
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from patchbay.messages where tenant_id = $1 and contact_id = $2 and quote_id = $3"#,
        tenant,
        quote.contact_id,
        quote.id,
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

pub(in crate::quotes) struct Happening {
    pub kind: String,
    pub data: Value,
    pub actor_label: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// What happened to a quote, newest first.
pub(in crate::quotes) async fn list_happenings(tx: &mut TenantTx, quote: &Quote) -> Result<Vec<Happening>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Happening,
        "select kind, data, actor_label, created_at from patchbay.activities
         where tenant_id = $1 and contact_id = $2 and kind like 'quote.%' and data->>'quote_id' = $3
         order by id desc limit 100",
        tenant,
        quote.contact_id,
        quote.id.to_string(),
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The member who sent a quote on its way: whoever wrote it to be sent, or let the draft go. `None` where a program did.
pub(in crate::quotes) async fn released_by(tx: &mut TenantTx, id: Uuid) -> Result<Option<Actor>> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        "select actor_kind, actor_id, actor_label from patchbay.audit_log
         where tenant_id = $1 and entity_type = 'quote' and entity_id = $2 and (action = 'quote.created' or changes ? 'draft')
         order by id desc limit 1",
        tenant,
        id.to_string(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.filter(|row| row.actor_kind == ActorKind::User.as_str()).map(|row| Actor {
        kind: ActorKind::User,
        id: row.actor_id,
        label: row.actor_label,
    }))
}

/// Whether the timeline tells of this already: jobs may run twice.
pub(in crate::quotes) async fn is_told(
    tx: &mut TenantTx,
    quote: &Quote,
    kind: &str,
    at: &str,
) -> Result<bool> {
    let tenant = tx.tenant();
    let told = sqlx::query_scalar!(
        r#"select exists (select from patchbay.activities
             where tenant_id = $1 and contact_id = $2 and kind = $3 and data->>'quote_id' = $4 and data->>'at' = $5) as "told!""#,
        tenant,
        quote.contact_id,
        kind,
        quote.id.to_string(),
        at,
    );
    Ok(told.fetch_one(tx.conn()).await?)
}
