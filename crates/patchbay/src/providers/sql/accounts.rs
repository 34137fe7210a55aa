//! Managing carrier accounts.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

pub(in crate::providers) struct ManagedAccount {
    pub id: Uuid,
    pub provider: String,
    pub account_sid: Option<String>,
    pub messaging_service_sid: Option<String>,
    pub credentials_sealed: Option<Vec<u8>>,
    pub last_error: Option<String>,
    pub last_error_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

pub(in crate::providers) async fn list(tx: &mut TenantTx) -> Result<Vec<ManagedAccount>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ManagedAccount,
        "select id, provider, account_sid, messaging_service_sid, credentials_sealed, last_error, last_error_at,
           created_at, updated_at
         from patchbay.provider_accounts where tenant_id = $1 and disabled_at is null order by created_at, id limit 100",
        tenant,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::providers) struct AccountInput<'a> {
    pub id: Uuid,
    pub provider: &'a str,
    pub account_sid: &'a str,
    pub messaging_service_sid: Option<&'a str>,
    pub credentials_sealed: &'a [u8],
    pub now: DateTime<Utc>,
}

/// Saves the account with this SID. Returns its id, which is the one given if it is new.
pub(in crate::providers) async fn upsert(tx: &mut TenantTx, new: &AccountInput<'_>) -> Result<Uuid> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "insert into patchbay.provider_accounts
           (tenant_id, id, provider, account_sid, messaging_service_sid, credentials_sealed, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (tenant_id, provider, account_sid) where disabled_at is null
           do update set messaging_service_sid = excluded.messaging_service_sid,
             credentials_sealed = excluded.credentials_sealed, updated_at = excluded.updated_at,
             last_error = null, last_error_at = null
         returning id",
        tenant,
        new.id,
        new.provider,
        new.account_sid,
        new.messaging_service_sid,
        new.credentials_sealed,
        new.now,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Replaces everything about the account `id`; false if there is none.
pub(in crate::providers) async fn replace(
    tx: &mut TenantTx,
    id: Uuid,
    new: &AccountInput<'_>,
) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.provider_accounts set account_sid = $3, messaging_service_sid = $4, credentials_sealed = $5,
           updated_at = $6, last_error = null, last_error_at = null
         where tenant_id = $1 and id = $2 and disabled_at is null",
        tenant,
        id,
        new.account_sid,
        new.messaging_service_sid,
        new.credentials_sealed,
        new.now,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Switches an account off with the senders that use it, and forgets its credentials. Returns its SID.
pub(in crate::providers) async fn disable(
    tx: &mut TenantTx,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let tenant = tx.tenant();
    let sid = sqlx::query_scalar!(
        r#"update patchbay.provider_accounts set disabled_at = $3, updated_at = $3, credentials_sealed = null
           where tenant_id = $1 and id = $2 and disabled_at is null returning coalesce(account_sid, '') as "sid!""#,
        tenant,
        id,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    if sid.is_some() {
        sqlx::query!(
            "update patchbay.senders set disabled_at = $3, is_default = false
             where tenant_id = $1 and account_id = $2 and disabled_at is null",
            tenant,
            id,
            now,
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(sid)
}

/// Real messages must not end with the carrier that only pretends.
pub(in crate::providers) async fn disable_pretended_senders(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.senders set disabled_at = $2, is_default = false
         where tenant_id = $1 and provider = 'fake' and disabled_at is null",
        tenant,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
