//! The transactions that features work in.

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use crate::error::Result;

/// A transaction bound to one tenant by row-level security: the role is `patchbay_tenant`, which owns nothing,
/// and `patchbay.tenant_id` is set for as long as the transaction lasts. Dropping it rolls back.
pub struct TenantTx {
    transaction: Transaction<'static, Postgres>,
    tenant: Uuid,
}

impl TenantTx {
    pub(super) async fn begin(pool: &PgPool, tenant: Uuid) -> Result<Self> {
        // Statements rather than set_config: a distributed server passes only these on to its workers.
        // Nothing but a parsed Uuid is ever formatted in.
        let opening =
            format!("begin; set local role patchbay_tenant; set local patchbay.tenant_id = '{tenant}'");
        Ok(Self { transaction: pool.begin_with(AssertSqlSafe(opening)).await?, tenant })
    }

    /// The tenant whose rows exist here; every query names it.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// The connection to run queries on.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Makes the changes lasting.
    pub async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }
}

/// A transaction of the system role. It sees every tenant: rare, and easy to find.
pub struct SystemTx(Transaction<'static, Postgres>);

impl SystemTx {
    pub(super) async fn begin(pool: &PgPool) -> Result<Self> {
        Ok(Self(pool.begin().await?))
    }

    /// The connection to run queries on.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Makes the changes lasting.
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}
