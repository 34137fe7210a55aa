//! The transactions that features work in.

use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use crate::error::{Error, Result};

/// A transaction bound to one tenant by row-level security: the role is `patchbay_tenant`, which owns nothing,
/// and `patchbay.tenant_id` is set for as long as the transaction lasts. Dropping it rolls back.
pub struct TenantTx {
    transaction: Transaction<'static, Postgres>,
    tenant: Uuid,
}

impl TenantTx {
    pub(super) async fn begin(pool: &PgPool, tenant: Uuid) -> Result<Self> {
        let opening = format!("begin; {}", binding(tenant));
        let pool = pool.clone();
        Ok(Self {
            transaction: to_the_end(async move { pool.begin_with(AssertSqlSafe(opening)).await }).await?,
            tenant,
        })
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

    /// Goes back to the system role that [`SystemTx::bind`] came from, in the same transaction.
    pub async fn release(mut self) -> Result<SystemTx> {
        self.transaction.execute("set local role none; set local patchbay.tenant_id = ''").await?;
        Ok(SystemTx(self.transaction))
    }
}

/// What binds a transaction to one tenant. Statements rather than set_config: a distributed server passes only
/// these on to its workers. Nothing but a parsed Uuid is ever formatted in.
fn binding(tenant: Uuid) -> String {
    format!("set local role patchbay_tenant; set local patchbay.tenant_id = '{tenant}'")
}

/// A transaction of the system role. It sees every tenant: rare, and easy to find.
pub struct SystemTx(Transaction<'static, Postgres>);

impl SystemTx {
    pub(super) async fn begin(pool: &PgPool) -> Result<Self> {
        let pool = pool.clone();
        Ok(Self(to_the_end(async move { pool.begin().await }).await?))
    }

    /// The connection to run queries on.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.0
    }

    /// Goes on as one tenant, in the same transaction: what concerns several becomes lasting at once or not at all.
    pub async fn bind(mut self, tenant: Uuid) -> Result<TenantTx> {
        self.0.execute(AssertSqlSafe(binding(tenant))).await?;
        Ok(TenantTx { transaction: self.0, tenant })
    }

    /// Makes the changes lasting.
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}

/// Runs `opening` in a task of its own. A handler is dropped when its client goes away; dropped in the middle of
/// opening a transaction, sqlx would put a connection back into the pool with the transaction open, and the next
/// one to take it would work inside. A task is not dropped: it ends, and rolls back what nobody wants any more.
async fn to_the_end(
    opening: impl Future<Output = sqlx::Result<Transaction<'static, Postgres>>> + Send + 'static,
) -> Result<Transaction<'static, Postgres>> {
    Ok(tokio::spawn(opening).await.map_err(Error::internal)??)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::{self, Either};

    use crate::tests::TestApp;

    #[tokio::test]
    async fn a_request_that_goes_away_leaves_no_transaction_behind() {
        let t = TestApp::new().await;
        let tenant = t.id();
        for microseconds in 0..400 {
            let opening = std::pin::pin!(t.app.db.tenant(tenant));
            let cut = std::pin::pin!(tokio::time::sleep(Duration::from_micros(microseconds)));
            if let Either::Left((opened, _)) = future::select(opening, cut).await {
                drop(opened);
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(t.scalar("select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'").await, 0);
        for _ in 0..16 {
            let mut conn = t.app.db.system_conn().await.unwrap();
            let role: String =
                sqlx::query_scalar("select current_user::text").fetch_one(&mut *conn).await.unwrap();
            assert_eq!(role, "patchbay");
        }
    }
}
