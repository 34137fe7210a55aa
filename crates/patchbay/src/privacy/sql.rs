use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// A contact to erase.
pub(super) struct Member {
    pub id: Uuid,
    pub phone_e164: Option<String>,
    pub email: Option<String>,
}

/// A contact and all that were merged into it, locked.
pub(super) async fn lock_family(tx: &mut TenantTx, contact: Uuid) -> Result<Vec<Member>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Member,
        "select id, phone_e164, email from patchbay.contacts
         where tenant_id = $1 and id in (
           with recursive family as (
             select id from patchbay.contacts where tenant_id = $1 and id = $2
             union
             select c.id from patchbay.contacts c join family f on c.merged_into = f.id where c.tenant_id = $1)
           select id from family)
         order by id for update",
        tenant,
        contact,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Contacts of all tenants, or one, that have this address. Those merged into others come with those.
pub(super) async fn contacts_with(
    conn: &mut PgConnection,
    address: &str,
    slug: Option<&str>,
) -> Result<Vec<(Uuid, String, Uuid)>> {
    let rows = sqlx::query!(
        "select t.id as tenant_id, t.slug, c.id from patchbay.tenants t
         join patchbay.contacts c on c.tenant_id = t.id
         where ($2::text is null or t.slug = $2) and (c.phone_e164 = $1 or c.email = lower($1)) and c.erased_at is null
         order by t.slug, c.merged_into nulls first, c.id",
        address,
        slug,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.slug, row.id)).collect())
}

pub(super) async fn any_under_way(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from patchbay.messages
             where tenant_id = $1 and contact_id = any($2) and status in ('sending', 'unknown')) as "any!""#,
        tenant,
        contacts,
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(super) async fn waiting_messages(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<Vec<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select id from patchbay.messages where tenant_id = $1 and contact_id = any($2) and status = 'queued' for update",
        tenant,
        contacts,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Only what happened, when, and what it cost stays.
pub(super) async fn erase_messages(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<u64> {
    let tenant = tx.tenant();
    sqlx::query!(
        "delete from patchbay.message_texts where tenant_id = $1 and contact_id = any($2)",
        tenant,
        contacts
    )
    .execute(tx.conn())
    .await?;
    let done = sqlx::query!(
        "update patchbay.messages set body = '', subject = null, media = '[]', content_variables = null, error_detail = null,
           gate_reason = null, to_address = case direction when 'outbound' then 'erased' else to_address end,
           from_address = case direction when 'inbound' then 'erased' else from_address end
         where tenant_id = $1 and contact_id = any($2)",
        tenant,
        contacts,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn erase_notes(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "delete from patchbay.notes where tenant_id = $1 and contact_id = any($2)",
        tenant,
        contacts
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Items, sums and dates are business records and stay.
pub(super) async fn erase_quotes(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.quotes set data = '{}', title = null, answer_note = null, answered_by = null
         where tenant_id = $1 and contact_id = any($2)",
        tenant,
        contacts,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

pub(super) async fn erase_contacts(tx: &mut TenantTx, contacts: &[Uuid], now: DateTime<Utc>) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.contacts set first_name = 'Erased', last_name = null, phone_e164 = null, phone_ext = null,
           phone_raw = null, email = null, properties = '{}', source = null, timezone = null, state = null, postal = null,
           country = null, archived_at = coalesce(archived_at, $3), erased_at = $3
         where tenant_id = $1 and id = any($2)",
        tenant,
        contacts,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// What other tables tell about them: timeline, labels, merges, clicks, previews, the audit log's values.
pub(super) async fn erase_traces(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "delete from patchbay.activities where tenant_id = $1 and contact_id = any($2)",
        tenant,
        contacts
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from patchbay.contact_labels where tenant_id = $1 and contact_id = any($2)",
        tenant,
        contacts
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from patchbay.contact_merges where tenant_id = $1 and (kept_id = any($2) or merged_id = any($2))",
        tenant,
        contacts,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        // The verdict stays: nothing is left to judge again.
        "update patchbay.link_clicks set user_agent = '', headers = '{}', ip_hash = '', network = null, classifier = 32767
         where tenant_id = $1 and contact_id = any($2)",
        tenant,
        contacts,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update patchbay.conversations set last_preview = '', status = 'done', unread = 0, needs_review = null
         where tenant_id = $1 and contact_id = any($2)",
        tenant,
        contacts,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("select patchbay.erase_from_logs($1)", contacts).execute(tx.conn()).await?;
    Ok(())
}

/// What imports keep to show and to undo. Undoing one leaves an erased contact alone.
pub(super) async fn erase_from_imports(
    tx: &mut TenantTx,
    contacts: &[Uuid],
    addresses: &[String],
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with touched as (
           delete from patchbay.import_changes where tenant_id = $1 and contact_id = any($2) returning import_id
         ), named as (
           delete from patchbay.import_addresses where tenant_id = $1 and address = any($3) returning import_id
         ), refused as (
           delete from patchbay.import_rejects where tenant_id = $1
             and cells::text like any (select '%' || address || '%' from unnest($3::text[]) address) returning import_id)
         update patchbay.imports set samples = '{}', preview = '{}'
         where tenant_id = $1 and status not in ('uploading', 'draft') and id in (
           select import_id from touched union select import_id from named union select import_id from refused
           union select import_id from patchbay.contacts where tenant_id = $1 and id = any($2))",
        tenant,
        contacts,
        addresses,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The carrier's raw reports that name one of these numbers.
pub(super) async fn erase_reports(tx: &mut TenantTx, phones: &[String]) -> Result<()> {
    if !phones.is_empty() {
        sqlx::query!("select patchbay.erase_reports($1)", phones).execute(tx.conn()).await?;
    }
    Ok(())
}

pub(super) async fn forget_people(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<()> {
    sqlx::query!("select patchbay.forget_people($1)", contacts).execute(tx.conn()).await?;
    Ok(())
}

/// A tenant that does not keep texts for good.
pub(super) struct Keeper {
    pub tenant_id: Uuid,
    pub months: i32,
    /// Texts of messages before this one are gone.
    pub kept_from: Option<Uuid>,
}

pub(super) async fn keepers(conn: &mut PgConnection) -> Result<Vec<Keeper>> {
    Ok(sqlx::query_as!(
        Keeper,
        r#"select id as tenant_id, keep_message_months as "months!", texts_kept_from as kept_from
           from patchbay.tenants where keep_message_months is not null order by id"#
    )
    .fetch_all(conn)
    .await?)
}

/// Forgets the texts of up to `most` messages after `from` and before `until`, in the order of their ids, and
/// remembers how far it came. Answers how many there were.
pub(super) async fn forget_texts(
    tx: &mut TenantTx,
    from: Option<Uuid>,
    until: Uuid,
    most: i64,
) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"with old as materialized (
             select id from patchbay.messages
             where tenant_id = $1 and id < $3 and ($2::uuid is null or id > $2) and status not in ('queued', 'sending', 'unknown')
             order by id limit $4
           ), blank as (
             update patchbay.messages m set body = '', subject = null, media = '[]', content_variables = null
             from old where m.tenant_id = $1 and m.id = old.id
           ), searchable as (
             delete from patchbay.message_texts t using old where t.tenant_id = $1 and t.message_id = old.id
           ), mark as (
             update patchbay.tenants set texts_kept_from = (select id from old order by id desc limit 1)
             where id = $1 and exists (select from old)
           )
           select count(*) as "count!" from old"#,
        tenant,
        from,
        until,
        most,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Raw reports of carriers serve only to find out what happened; their content is in the ledger.
pub(super) async fn forget_reports(conn: &mut PgConnection, before: DateTime<Utc>, most: i64) -> Result<u64> {
    let done = sqlx::query!(
        "delete from patchbay.webhook_events where (provider, provider_event_id) in (
           select provider, provider_event_id from patchbay.webhook_events where received_at < $1 order by received_at limit $2)",
        before,
        most,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
