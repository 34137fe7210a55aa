//! Memberships and invitations of one tenant.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// A person who works in the tenant.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Member {
    /// The user's id: what owners and assignees refer to.
    pub id: Uuid,
    pub email: String,
    pub name: Option<String>,
    /// owner, admin, member or viewer
    pub role: String,
    pub created_at: DateTime<Utc>,
}

impl Member {
    /// The name, or the address while there is none.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.email)
    }
}

pub(in crate::tenants) async fn list(tx: &mut TenantTx) -> Result<Vec<Member>> {
    Ok(sqlx::query_as!(
        Member,
        r#"select user_id as "id!", email as "email!", name, role as "role!", created_at as "created_at!"
           from patchbay.members() order by lower(coalesce(name, email)), user_id"#,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The roles of everybody, locked in one order, so that two owners cannot remove each other at once.
pub(in crate::tenants) async fn lock_roles(tx: &mut TenantTx) -> Result<Vec<(Uuid, String)>> {
    let tenant = tx.tenant();
    let rows = sqlx::query!(
        "select user_id, role from patchbay.memberships where tenant_id = $1 order by user_id for update",
        tenant,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.user_id, row.role)).collect())
}

pub(in crate::tenants) async fn set_role(tx: &mut TenantTx, user: Uuid, role: &str) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.memberships set role = $3 where tenant_id = $1 and user_id = $2",
        tenant,
        user,
        role
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::tenants) async fn remove(tx: &mut TenantTx, user: Uuid) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("delete from patchbay.memberships where tenant_id = $1 and user_id = $2", tenant, user)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// An invitation that nobody has accepted yet.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Invitation {
    pub id: Uuid,
    pub email: String,
    /// owner, admin, member or viewer
    pub role: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(in crate::tenants) async fn list_invitations(tx: &mut TenantTx) -> Result<Vec<Invitation>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        Invitation,
        "select id, email, role, created_at, expires_at from patchbay.invitations
         where tenant_id = $1 and accepted_at is null and revoked_at is null order by created_at desc, id limit 200",
        tenant,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::tenants) struct NewInvitation<'a> {
    pub id: Uuid,
    pub email: &'a str,
    pub role: &'a str,
    pub invited_by: Option<Uuid>,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Inviting again renews the open invitation. Returns its id.
pub(in crate::tenants) async fn upsert_invitation(
    tx: &mut TenantTx,
    new: &NewInvitation<'_>,
) -> Result<Uuid> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "insert into patchbay.invitations (tenant_id, id, email, role, invited_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, email) where accepted_at is null and revoked_at is null
           do update set role = excluded.role, invited_by = excluded.invited_by, created_at = excluded.created_at,
             expires_at = excluded.expires_at
         returning id",
        tenant,
        new.id,
        new.email,
        new.role,
        new.invited_by,
        new.now,
        new.expires_at,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The address and role of the invitation that was taken back.
pub(in crate::tenants) async fn revoke_invitation(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<(String, String)>> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        "update patchbay.invitations set revoked_at = $3
         where tenant_id = $1 and id = $2 and accepted_at is null and revoked_at is null returning email, role",
        tenant,
        id,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.email, row.role)))
}

/// Which of the first steps are done.
pub(in crate::tenants) struct SetupDone {
    pub sender: bool,
    pub contact: bool,
    pub colleague: bool,
}

pub(in crate::tenants) async fn setup_done(tx: &mut TenantTx) -> Result<SetupDone> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        SetupDone,
        r#"select exists (select from patchbay.senders where tenant_id = $1 and disabled_at is null) as "sender!",
             exists (select from patchbay.contacts where tenant_id = $1) as "contact!",
             (select count(*) from patchbay.memberships where tenant_id = $1) > 1
               or exists (select from patchbay.invitations where tenant_id = $1 and revoked_at is null) as "colleague!""#,
        tenant,
    )
    .fetch_one(tx.conn())
    .await?)
}
