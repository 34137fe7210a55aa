//! The SQL of tenants: creation as the system role, settings and members under row-level security.

pub(super) mod members;
pub(super) mod settings;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::SystemTx, error::Result};

pub(super) struct NewTenantRow<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub slug: &'a str,
    pub timezone: &'a str,
    pub country: &'a str,
    pub currency: &'a str,
    pub now: DateTime<Utc>,
}

/// False if the slug is taken.
pub(super) async fn insert(tx: &mut SystemTx, new: &NewTenantRow<'_>) -> Result<bool> {
    let done = sqlx::query!(
        "insert into patchbay.tenants (id, name, slug, timezone, country, currency, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7) on conflict (slug) do nothing",
        new.id,
        new.name,
        new.slug,
        new.timezone,
        new.country,
        new.currency,
        new.now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Names, positions and kinds side by side.
pub(super) async fn insert_stages(
    tx: &mut SystemTx,
    tenant: Uuid,
    names: &[String],
    kinds: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.stages (tenant_id, name, kind, position, created_at)
         select $1, name, kind, position::int, $4
         from unnest($2::text[], $3::text[]) with ordinality as s (name, kind, position)",
        tenant,
        names,
        kinds,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) struct NewSender<'a> {
    pub channel: &'a str,
    pub address: &'a str,
    pub label: &'a str,
    pub provider: &'a str,
}

pub(super) async fn insert_sender(
    tx: &mut SystemTx,
    tenant: Uuid,
    new: &NewSender<'_>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.senders (tenant_id, channel, address, label, provider, is_default, created_at)
         values ($1, $2, $3, $4, $5, true, $6)",
        tenant,
        new.channel,
        new.address,
        new.label,
        new.provider,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The templates every tenant is born with, side by side.
pub(super) struct NewTemplates {
    pub keys: Vec<String>,
    pub names: Vec<String>,
    pub channels: Vec<String>,
    pub subjects: Vec<Option<String>>,
    pub contents: Vec<String>,
}

pub(super) async fn insert_templates(
    tx: &mut SystemTx,
    tenant: Uuid,
    new: &NewTemplates,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.templates (tenant_id, key, name, channel, subject, content, created_at, updated_at)
         select $1, key, name, channel, subject, content, $7, $7
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as t (key, name, channel, subject, content)",
        tenant,
        &new.keys,
        &new.names,
        &new.channels,
        &new.subjects as &[Option<String>],
        &new.contents,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(super) async fn find_by_slug(tx: &mut SystemTx, slug: &str) -> Result<Option<Uuid>> {
    Ok(sqlx::query_scalar!("select id from patchbay.tenants where slug = $1", slug)
        .fetch_optional(tx.conn())
        .await?)
}

/// What working in a tenant needs to know of it.
pub(super) struct InfoRow {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) timezone: String,
    pub(super) country: String,
    pub(super) currency: String,
}

pub(super) async fn find_info(tx: &mut SystemTx, slug: &str) -> Result<Option<InfoRow>> {
    Ok(sqlx::query_as!(
        InfoRow,
        "select id, slug, name, timezone, country, currency from patchbay.tenants where slug = $1",
        slug,
    )
    .fetch_optional(tx.conn())
    .await?)
}
