//! Global tables: users, sessions, keys. All of it runs as the system role, before a tenant is known.

pub(super) mod keys;
pub(super) mod sessions;
pub(super) mod sign_in;
pub(super) mod users;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

pub(super) struct SessionRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub email: String,
    pub name: Option<String>,
    pub theme: String,
    pub tenant_id: Option<Uuid>,
    pub seen_at: DateTime<Utc>,
    pub as_of: String,
}

pub(super) async fn find_session(
    conn: &mut PgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
) -> Result<Option<SessionRow>> {
    Ok(sqlx::query_as!(
        SessionRow,
        r#"select s.id, s.user_id, u.email, u.name, u.theme, s.tenant_id, s.seen_at,
           pg_snapshot_xmin(pg_current_snapshot())::text as "as_of!"
         from patchbay.sessions s join patchbay.users u on u.id = s.user_id
         where s.token_hash = $1 and s.expires_at > $2 and s.seen_at > $3 and u.disabled_at is null"#,
        token_hash,
        now,
        idle_since,
    )
    .fetch_optional(conn)
    .await?)
}

/// Whether a session still is one of a member of `tenant`.
pub(super) async fn is_session_in(
    conn: &mut PgConnection,
    id: Uuid,
    tenant: Uuid,
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from patchbay.sessions s join patchbay.users u on u.id = s.user_id
             join patchbay.memberships m on m.user_id = s.user_id and m.tenant_id = $2
             where s.id = $1 and s.expires_at > $3 and s.seen_at > $4 and u.disabled_at is null) as "still!""#,
        id,
        tenant,
        now,
        idle_since,
    )
    .fetch_one(conn)
    .await?)
}

pub(super) async fn is_key_in_force(conn: &mut PgConnection, id: Uuid) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from patchbay.api_keys where id = $1 and revoked_at is null) as "still!""#,
        id,
    )
    .fetch_one(conn)
    .await?)
}

pub(super) async fn mark_session_seen(conn: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update patchbay.sessions set seen_at = $2 where id = $1", id, now).execute(conn).await?;
    Ok(())
}

pub(super) struct MembershipRow {
    pub tenant_id: Uuid,
    pub role: String,
    pub slug: String,
    pub name: String,
    pub timezone: String,
    pub country: String,
    pub currency: String,
}

pub(super) async fn list_memberships(conn: &mut PgConnection, user_id: Uuid) -> Result<Vec<MembershipRow>> {
    Ok(sqlx::query_as!(
        MembershipRow,
        "select m.tenant_id, m.role, t.slug, t.name, t.timezone, t.country, t.currency
         from patchbay.memberships m join patchbay.tenants t on t.id = m.tenant_id
         where m.user_id = $1 order by t.name, t.id",
        user_id,
    )
    .fetch_all(conn)
    .await?)
}

pub(super) struct KeyRow {
    pub id: Uuid,
    pub name: String,
    pub scope: String,
    pub last_used_at: Option<DateTime<Utc>>,
    pub tenant_id: Uuid,
    pub slug: String,
    pub tenant_name: String,
    pub timezone: String,
    pub country: String,
    pub currency: String,
}

pub(super) async fn find_key(conn: &mut PgConnection, key_hash: &[u8]) -> Result<Option<KeyRow>> {
    Ok(sqlx::query_as!(
        KeyRow,
        "select k.id, k.name, k.scope, k.last_used_at, k.tenant_id, t.slug, t.name as tenant_name, t.timezone, t.country, t.currency
         from patchbay.api_keys k join patchbay.tenants t on t.id = k.tenant_id
         where k.key_hash = $1 and k.revoked_at is null",
        key_hash,
    )
    .fetch_optional(conn)
    .await?)
}

pub(super) async fn mark_key_used(conn: &mut PgConnection, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("update patchbay.api_keys set last_used_at = $2 where id = $1", id, now)
        .execute(conn)
        .await?;
    Ok(())
}
