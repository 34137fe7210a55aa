//! The database: a private pool, and two ways in.
//!
//! [`Db::tenant`] opens a transaction that row-level security binds to one tenant; nearly everything uses it.
//! [`Db::system`] is the owner's own transaction, for what has no tenant yet (signing in, webhooks, workers
//! that look for due work) and nothing else. No function outside this module sees the pool.

pub mod embedded;
mod tenant;

use std::time::Duration;

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use uuid::Uuid;

pub use tenant::{SystemTx, TenantTx};

use crate::error::Result;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The oldest server whose SQL we speak.
pub const OLDEST_SERVER: u32 = 15;

/// A handle to the database; cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: PgPool,
}

/// Why the database cannot be used, in one sentence for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("DATABASE_URL is not a PostgreSQL URL: {0}")]
    Url(String),
    #[error("The database does not answer: {0}")]
    Unreachable(String),
    #[error("PostgreSQL {0} is too old; version {OLDEST_SERVER} or newer is needed.")]
    TooOld(String),
    #[error("The database could not be brought up to date: {0}")]
    Migration(String),
}

impl Db {
    /// Connects, and checks that the server is new enough.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, ConnectError> {
        let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| ConnectError::Url(error.to_string()))?;
        let options = options
            .application_name("patchbay")
            .statement_cache_capacity(512)
            .options([("timezone", "UTC"), ("jit", "off"), ("client_min_messages", "warning")]);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(20))
            .connect_with(options)
            .await
            .map_err(|error| ConnectError::Unreachable(error.to_string()))?;
        let version: String = sqlx::query_scalar("show server_version")
            .fetch_one(&pool)
            .await
            .map_err(|error| ConnectError::Unreachable(error.to_string()))?;
        let major = version.split(['.', ' ', 'b', 'r', 'd']).next().and_then(|major| major.parse::<u32>().ok());
        if major.is_some_and(|major| major < OLDEST_SERVER) {
            return Err(ConnectError::TooOld(version));
        }
        Ok(Self { pool })
    }

    /// Brings the schema up to date. Safe from several nodes at once.
    pub async fn migrate(&self) -> Result<(), ConnectError> {
        MIGRATIONS.run(&self.pool).await.map_err(|error| ConnectError::Migration(error.to_string()))
    }

    /// Opens a transaction in which only `tenant`'s rows exist. One round trip.
    pub async fn tenant(&self, tenant: Uuid) -> Result<TenantTx> {
        TenantTx::begin(&self.pool, tenant).await
    }

    /// Opens a transaction of the system role, which row-level security does not bind.
    pub async fn system(&self) -> Result<SystemTx> {
        SystemTx::begin(&self.pool).await
    }

    /// A connection of the system role for single statements that need no transaction.
    pub async fn system_conn(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Postgres>> {
        Ok(self.pool.acquire().await?)
    }

    /// A connection that listens for notifications, outside the pool's size.
    pub async fn listen(&self, channels: &[&str]) -> Result<PgListener> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen_all(channels.iter().copied()).await?;
        Ok(listener)
    }

    /// For the outbox engine, which claims on behalf of all tenants.
    pub fn outbox_pool(&self) -> PgPool {
        self.pool.clone()
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
