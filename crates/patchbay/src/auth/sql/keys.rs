//! API keys of a tenant, under row-level security.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

pub(in crate::auth) struct NewKeyRow<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub scope: &'a str,
    pub prefix: &'a str,
    pub key_hash: &'a [u8],
    pub created_by: Option<Uuid>,
    pub now: DateTime<Utc>,
}

pub(in crate::auth) async fn insert(tx: &mut TenantTx, new: &NewKeyRow<'_>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.api_keys (id, tenant_id, name, scope, prefix, key_hash, created_by, created_at)
         values ($2, $1, $3, $4, $5, $6, $7, $8)",
        tenant,
        new.id,
        new.name,
        new.scope,
        new.prefix,
        new.key_hash,
        new.created_by,
        new.now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What the list of keys shows.
pub struct KeyEntry {
    pub id: Uuid,
    pub name: String,
    pub scope: String,
    pub prefix: String,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
}

/// The keys that work, newest first.
pub(in crate::auth) async fn list(tx: &mut TenantTx) -> Result<Vec<KeyEntry>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        KeyEntry,
        "select id, name, scope, prefix, created_at, last_used_at from patchbay.api_keys
         where tenant_id = $1 and revoked_at is null order by created_at desc, id desc limit 200",
        tenant,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Who made the key, while they work here.
pub(in crate::auth) async fn maker(tx: &mut TenantTx, id: Uuid) -> Result<Option<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select m.user_id from patchbay.api_keys k join patchbay.memberships m on m.tenant_id = k.tenant_id and m.user_id = k.created_by
         where k.tenant_id = $1 and k.id = $2",
        tenant,
        id,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The name of the key that was revoked.
pub(in crate::auth) async fn revoke(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "update patchbay.api_keys set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null returning name",
        tenant,
        id,
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}
