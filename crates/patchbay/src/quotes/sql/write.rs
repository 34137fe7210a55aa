//! What changes a quote.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::Result,
    quotes::{Checked, Status},
};

pub(in crate::quotes) async fn insert(
    tx: &mut TenantTx,
    id: Uuid,
    quote: &Checked,
    held: bool,
    created_by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.quotes (tenant_id, id, contact_id, title, data, items, discount_cents, tax_basis_points, tax_cents, total_cents,
           currency, terms, held, owner_id, expires_on, created_by_label, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)",
        tenant,
        id,
        quote.contact_id,
        quote.title,
        Value::Object(quote.data.clone()),
        serde_json::to_value(&quote.items)?,
        quote.discount_cents,
        quote.tax_basis_points.cast_signed(),
        quote.tax_cents,
        quote.total_cents,
        quote.currency,
        quote.terms,
        held,
        quote.owner_id,
        quote.expires_on,
        created_by,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::quotes) async fn update(
    tx: &mut TenantTx,
    id: Uuid,
    quote: &Checked,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set contact_id = $3, title = $4, data = $5, items = $6, discount_cents = $7, tax_basis_points = $8,
           tax_cents = $9, total_cents = $10, currency = $11, terms = $12, owner_id = $13, expires_on = $14, updated_at = $15
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        quote.contact_id,
        quote.title,
        Value::Object(quote.data.clone()),
        serde_json::to_value(&quote.items)?,
        quote.discount_cents,
        quote.tax_basis_points.cast_signed(),
        quote.tax_cents,
        quote.total_cents,
        quote.currency,
        quote.terms,
        quote.owner_id,
        quote.expires_on,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets a held draft go; the trigger announces it.
pub(in crate::quotes) async fn release(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set held = false, updated_at = $3 where tenant_id = $1 and id = $2 and held",
        tenant,
        id,
        now
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a status is accompanied by.
pub(in crate::quotes) struct Turn<'a> {
    pub status: Status,
    pub sent_at: Option<DateTime<Utc>>,
    pub viewed_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub answered_by: Option<&'a str>,
    pub answer_note: Option<&'a str>,
}

pub(in crate::quotes) async fn turn(
    tx: &mut TenantTx,
    id: Uuid,
    turn: &Turn<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set status = $3, held = false, sent_at = $4, viewed_at = $5, answered_at = $6, answered_by = $7, answer_note = $8, updated_at = $9
         where tenant_id = $1 and id = $2",
        tenant,
        id,
        turn.status.as_str(),
        turn.sent_at,
        turn.viewed_at,
        turn.answered_at,
        turn.answered_by,
        turn.answer_note,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The carrier has the message. A quote that was opened before we learned that keeps its later status.
pub(in crate::quotes) async fn mark_sent(tx: &mut TenantTx, id: Uuid, at: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.quotes set sent_at = $3, status = case status when 'draft' then 'sent' else status end
         where tenant_id = $1 and id = $2 and sent_at is null",
        tenant,
        id,
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::quotes) async fn delete(tx: &mut TenantTx, id: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.quotes where tenant_id = $1 and id = $2", tenant, id)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Tenants with a quote whose last day may be over. A day's margin covers every time zone; each tenant's own zone
/// decides in [`expire`].
pub(in crate::quotes) async fn list_expiring(conn: &mut PgConnection, today: NaiveDate) -> Result<Vec<Uuid>> {
    let rows = sqlx::query_scalar!(
        "select distinct tenant_id from patchbay.quotes where status in ('sent', 'viewed') and expires_on <= $1 limit 10000",
        today,
    );
    Ok(rows.fetch_all(conn).await?)
}

pub(in crate::quotes) async fn expire(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.quotes q set status = 'expired', updated_at = $2
         from patchbay.tenants t
         where t.id = $1 and q.tenant_id = $1 and q.status in ('sent', 'viewed') and q.expires_on < ($2::timestamptz at time zone t.timezone)::date",
        tenant,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}
