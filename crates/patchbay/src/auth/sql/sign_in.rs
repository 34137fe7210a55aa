//! Links by mail. Asking takes a lock per address, so that the limits hold for requests at the same instant.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::SystemTx, error::Result};

pub(in crate::auth) async fn lock_address(tx: &mut SystemTx, email: &str) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('sign-in:' || $1, 0))", email)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(in crate::auth) struct Recent {
    pub last_at: Option<DateTime<Utc>>,
    pub for_address: i64,
    pub from_ip: i64,
}

/// What was asked lately. Links made on the command line do not count.
pub(in crate::auth) async fn recent(
    tx: &mut SystemTx,
    email: &str,
    ip: Option<&str>,
    since: DateTime<Utc>,
) -> Result<Recent> {
    Ok(sqlx::query_as!(
        Recent,
        r#"select
             (select max(created_at) from patchbay.login_tokens
              where email = $1 and created_at > $3 and browser_hash is not null) as last_at,
             (select count(*) from patchbay.login_tokens
              where email = $1 and created_at > $3 and browser_hash is not null) as "for_address!",
             (select count(*) from patchbay.login_tokens where ip = $2 and created_at > $3) as "from_ip!""#,
        email,
        ip,
        since,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A new link ends the ones asked for before.
pub(in crate::auth) async fn expire_former(tx: &mut SystemTx, email: &str, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "update patchbay.login_tokens set expires_at = $2
         where email = $1 and used_at is null and expires_at > $2 and browser_hash is not null",
        email,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::auth) struct NewToken<'a> {
    pub id: Uuid,
    pub token_hash: &'a [u8],
    pub email: &'a str,
    pub ip: Option<&'a str>,
    pub browser_hash: Option<&'a [u8]>,
    pub next_path: Option<&'a str>,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(in crate::auth) async fn insert_token(tx: &mut SystemTx, new: &NewToken<'_>) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.login_tokens
           (id, token_hash, email, ip, browser_hash, next_path, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id,
        new.token_hash,
        new.email,
        new.ip,
        new.browser_hash,
        new.next_path,
        new.now,
        new.expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether a link to this address would open anything: a user who is not disabled, or an open invitation.
pub(in crate::auth) async fn is_known(tx: &mut SystemTx, email: &str, now: DateTime<Utc>) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from patchbay.users where email = $1 and disabled_at is null)
             or (not exists (select from patchbay.users where email = $1)
                 and exists (select from patchbay.invitations
                             where email = $1 and accepted_at is null and revoked_at is null and expires_at > $2)) as "known!""#,
        email,
        now,
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(in crate::auth) struct OpenToken {
    pub id: Uuid,
    pub email: String,
    pub browser_hash: Option<Vec<u8>>,
}

/// A link that still works. Looking at it uses nothing up.
pub(in crate::auth) async fn find_open(
    tx: &mut SystemTx,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<OpenToken>> {
    Ok(sqlx::query_as!(
        OpenToken,
        "select id, email, browser_hash from patchbay.login_tokens
         where token_hash = $1 and used_at is null and expires_at > $2",
        token_hash,
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The address that a browser waits for.
pub(in crate::auth) async fn find_awaited(
    tx: &mut SystemTx,
    browser_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "select email from patchbay.login_tokens
         where browser_hash = $1 and used_at is null and expires_at > $2 order by created_at desc limit 1",
        browser_hash,
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(in crate::auth) async fn set_code(tx: &mut SystemTx, id: Uuid, code_hash: &[u8]) -> Result<()> {
    sqlx::query!("update patchbay.login_tokens set code_hash = $2 where id = $1", id, code_hash)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub(in crate::auth) struct Redeemed {
    pub email: String,
    pub next_path: Option<String>,
}

/// Uses a link up: of any number at once exactly one gets the row.
pub(in crate::auth) async fn redeem(
    tx: &mut SystemTx,
    token_hash: &[u8],
    browser_hash: Option<&[u8]>,
    now: DateTime<Utc>,
) -> Result<Option<Redeemed>> {
    Ok(sqlx::query_as!(
        Redeemed,
        "update patchbay.login_tokens set used_at = $3
         where token_hash = $1 and used_at is null and expires_at > $3 and (browser_hash is null or browser_hash = $2)
         returning email, next_path",
        token_hash,
        browser_hash,
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(in crate::auth) struct Guessed {
    pub id: Uuid,
    pub code_hash: Vec<u8>,
}

/// Counts a guess at the code that the asking browser waits for; nothing once the guesses are used up.
pub(in crate::auth) async fn count_guess(
    tx: &mut SystemTx,
    browser_hash: &[u8],
    most: i32,
    now: DateTime<Utc>,
) -> Result<Option<Guessed>> {
    Ok(sqlx::query_as!(
        Guessed,
        r#"update patchbay.login_tokens set code_attempts = code_attempts + 1
           where browser_hash = $1 and used_at is null and expires_at > $3 and code_attempts < $2 and code_hash is not null
           returning id, code_hash as "code_hash!""#,
        browser_hash,
        most,
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(in crate::auth) async fn redeem_by_id(
    tx: &mut SystemTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Redeemed>> {
    Ok(sqlx::query_as!(
        Redeemed,
        "update patchbay.login_tokens set used_at = $2
         where id = $1 and used_at is null and expires_at > $2 returning email, next_path",
        id,
        now,
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(in crate::auth) async fn delete_before(tx: &mut SystemTx, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("delete from patchbay.login_tokens where created_at < $1", before)
        .execute(tx.conn())
        .await?;
    Ok(())
}
