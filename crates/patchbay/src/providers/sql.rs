//! Accounts and senders.

pub(super) mod accounts;
pub(super) mod holds;
pub(super) mod senders;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

pub(super) struct AccountRow {
    pub id: Uuid,
    pub provider: String,
    pub account_sid: Option<String>,
    pub messaging_service_sid: Option<String>,
    pub credentials_sealed: Option<Vec<u8>>,
    pub updated_at: DateTime<Utc>,
}

pub(super) async fn list_active_accounts(tx: &mut TenantTx) -> Result<Vec<AccountRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        AccountRow,
        "select id, provider, account_sid, messaging_service_sid, credentials_sealed, updated_at
         from patchbay.provider_accounts where tenant_id = $1 and disabled_at is null order by id",
        tenant,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The sealed credentials of one account, of whichever tenant.
pub(super) struct SealedAccount {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub sealed: Vec<u8>,
}

/// All sealed credentials, as they stay until the transaction ends. For the system role only.
pub(super) async fn lock_sealed(conn: &mut PgConnection) -> Result<Vec<SealedAccount>> {
    Ok(sqlx::query_as!(
        SealedAccount,
        r#"select tenant_id, id, credentials_sealed as "sealed!" from patchbay.provider_accounts
           where credentials_sealed is not null order by tenant_id, id for update"#,
    )
    .fetch_all(conn)
    .await?)
}

/// Puts new seals in place. The accounts' `updated_at` moves along, so that running nodes read them again.
pub(super) async fn replace_seals(conn: &mut PgConnection, accounts: &[SealedAccount]) -> Result<()> {
    let tenants: Vec<Uuid> = accounts.iter().map(|account| account.tenant_id).collect();
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.id).collect();
    let sealed: Vec<Vec<u8>> = accounts.iter().map(|account| account.sealed.clone()).collect();
    sqlx::query!(
        "update patchbay.provider_accounts a set credentials_sealed = s.sealed, updated_at = now()
         from unnest($1::uuid[], $2::uuid[], $3::bytea[]) as s (tenant_id, id, sealed)
         where a.tenant_id = s.tenant_id and a.id = s.id",
        &tenants,
        &ids,
        &sealed
    )
    .execute(conn)
    .await?;
    Ok(())
}
