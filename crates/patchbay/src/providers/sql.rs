//! Accounts and senders.

pub(super) mod accounts;
pub(super) mod senders;

use chrono::{DateTime, Utc};
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
