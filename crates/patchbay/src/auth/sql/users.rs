//! Users, and the tenants they join.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::SystemTx, error::Result};

/// The user with this address, made if need be; `None` for a disabled one.
pub(in crate::auth) async fn upsert(
    tx: &mut SystemTx,
    id: Uuid,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>> {
    Ok(sqlx::query_scalar!(
        "insert into patchbay.users as u (id, email, created_at) values ($1, $2, $3)
         on conflict (email) do update set email = excluded.email where u.disabled_at is null
         returning id",
        id,
        email,
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The user with this address, unless disabled.
pub(in crate::auth) async fn find(tx: &mut SystemTx, email: &str) -> Result<Option<Uuid>> {
    Ok(sqlx::query_scalar!("select id from patchbay.users where email = $1 and disabled_at is null", email)
        .fetch_optional(tx.conn())
        .await?)
}

pub(in crate::auth) async fn update(
    tx: &mut SystemTx,
    id: Uuid,
    name: Option<&str>,
    theme: &str,
) -> Result<()> {
    sqlx::query!("update patchbay.users set name = $2, theme = $3 where id = $1", id, name, theme)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(in crate::auth) async fn find_tenant(tx: &mut SystemTx, slug: &str) -> Result<Option<Uuid>> {
    Ok(sqlx::query_scalar!("select id from patchbay.tenants where slug = $1", slug)
        .fetch_optional(tx.conn())
        .await?)
}

/// The role afterwards: the one asked for, or the one the member already had.
pub(in crate::auth) async fn join(
    tx: &mut SystemTx,
    tenant: Uuid,
    user: Uuid,
    role: &str,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let joined = sqlx::query!(
        "insert into patchbay.memberships (tenant_id, user_id, role, quotes_seen_at, created_at)
         values ($1, $2, $3, $4, $4) on conflict do nothing",
        tenant,
        user,
        role,
        now,
    )
    .execute(tx.conn())
    .await?;
    if joined.rows_affected() == 1 {
        return Ok(None);
    }
    Ok(sqlx::query_scalar!(
        "select role from patchbay.memberships where tenant_id = $1 and user_id = $2",
        tenant,
        user,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A tenant that waits for the person to join.
pub struct OpenInvitation {
    pub tenant: String,
    pub role: String,
}

pub(in crate::auth) async fn open_invitations(
    tx: &mut SystemTx,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Vec<OpenInvitation>> {
    Ok(sqlx::query_as!(
        OpenInvitation,
        "select t.name as tenant, i.role from patchbay.invitations i join patchbay.tenants t on t.id = i.tenant_id
         where i.email = $1 and i.accepted_at is null and i.revoked_at is null and i.expires_at > $2
         order by i.created_at limit 50",
        email,
        now,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::auth) struct Accepted {
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub role: String,
}

/// Accepts every open invitation of this address.
pub(in crate::auth) async fn accept_invitations(
    tx: &mut SystemTx,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Accepted>> {
    Ok(sqlx::query_as!(
        Accepted,
        "update patchbay.invitations set accepted_at = $2
         where email = $1 and accepted_at is null and revoked_at is null and expires_at > $2
         returning id, tenant_id, role",
        email,
        now,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Joins several tenants at once; memberships that exist stay as they are.
pub(in crate::auth) async fn join_all(
    tx: &mut SystemTx,
    user: Uuid,
    tenants: &[Uuid],
    roles: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.memberships (tenant_id, user_id, role, quotes_seen_at, created_at)
         select tenant_id, $1, role, $4, $4 from unnest($2::uuid[], $3::text[]) as j (tenant_id, role)
         on conflict do nothing",
        user,
        tenants,
        roles,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
