//! Sessions of one person.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::SystemTx, error::Result};

pub(in crate::auth) struct NewSession<'a> {
    pub id: Uuid,
    pub token_hash: &'a [u8],
    pub user_id: Uuid,
    pub tenant_id: Option<Uuid>,
    pub user_agent: Option<&'a str>,
    pub ip: Option<&'a str>,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(in crate::auth) async fn insert(tx: &mut SystemTx, new: &NewSession<'_>) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.sessions (id, token_hash, user_id, tenant_id, user_agent, ip, created_at, seen_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
        new.id,
        new.token_hash,
        new.user_id,
        new.tenant_id,
        new.user_agent,
        new.ip,
        new.now,
        new.expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One of a person's sessions.
pub struct SessionEntry {
    pub id: Uuid,
    pub user_agent: Option<String>,
    pub ip: Option<String>,
    pub created_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    /// The tenant that was on screen last.
    pub tenant_id: Option<Uuid>,
}

/// The sessions that still work, the one used last first.
pub(in crate::auth) async fn list(
    tx: &mut SystemTx,
    user: Uuid,
    now: DateTime<Utc>,
    idle_since: DateTime<Utc>,
) -> Result<Vec<SessionEntry>> {
    Ok(sqlx::query_as!(
        SessionEntry,
        "select id, user_agent, ip, created_at, seen_at, tenant_id from patchbay.sessions
         where user_id = $1 and expires_at > $2 and seen_at > $3 order by seen_at desc, id desc limit 100",
        user,
        now,
        idle_since,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::auth) struct Former {
    pub user_agent: Option<String>,
    pub tenant_id: Option<Uuid>,
}

/// Where the person signed in before, newest first: to recognise a new browser and to open the tenant used last.
pub(in crate::auth) async fn former(tx: &mut SystemTx, user: Uuid) -> Result<Vec<Former>> {
    Ok(sqlx::query_as!(
        Former,
        "select user_agent, tenant_id from patchbay.sessions where user_id = $1 order by seen_at desc limit 100",
        user,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::auth) async fn delete_by_token(tx: &mut SystemTx, token_hash: &[u8]) -> Result<()> {
    sqlx::query!("delete from patchbay.sessions where token_hash = $1", token_hash)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Ends one session of `user`; false if there is none.
pub(in crate::auth) async fn delete(tx: &mut SystemTx, user: Uuid, id: Uuid) -> Result<bool> {
    let done = sqlx::query!("delete from patchbay.sessions where user_id = $1 and id = $2", user, id)
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of `user`, but for `kept`.
pub(in crate::auth) async fn delete_others(tx: &mut SystemTx, user: Uuid, kept: Option<Uuid>) -> Result<u64> {
    let done = sqlx::query!(
        "delete from patchbay.sessions where user_id = $1 and id is distinct from $2",
        user,
        kept,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

pub(in crate::auth) async fn set_tenant(tx: &mut SystemTx, id: Uuid, tenant: Uuid) -> Result<()> {
    sqlx::query!("update patchbay.sessions set tenant_id = $2 where id = $1", id, tenant)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(in crate::auth) async fn delete_expired(tx: &mut SystemTx, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("delete from patchbay.sessions where expires_at < $1", before).execute(tx.conn()).await?;
    Ok(())
}
