//! The database: a private pool, and two ways in.
//!
//! [`Db::tenant`] opens a transaction that row-level security binds to one tenant; nearly everything uses it.
//! [`Db::system`] is the owner's own transaction, for what has no tenant yet (signing in, webhooks, workers
//! that look for due work) and nothing else. No function outside this module sees the pool.

pub mod embedded;
mod health;
#[cfg(test)]
mod history;
mod statistics;
mod tenant;
#[cfg(test)]
mod tests;

use std::time::Duration;

use sqlx::{
    Connection, PgConnection, PgPool,
    migrate::MigrateError,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use uuid::Uuid;

pub use health::Health;
pub use statistics::Growth;
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

/// Why the database cannot be used, in one sentence for the person at the terminal. Never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("DATABASE_URL is not a PostgreSQL address: {0}.")]
    Url(String),
    #[error("The database {place} does not answer: {cause}.")]
    Unreachable { place: String, cause: String },
    #[error("The database {place} refuses us: {cause}.")]
    Refused { place: String, cause: String },
    #[error("The database {place} is PostgreSQL {version}; version {OLDEST_SERVER} or newer is needed.")]
    TooOld { place: String, version: String },
    #[error(
        "The database was made by a newer Patchbay (it knows migration {0}); use that version, or restore a backup of yours."
    )]
    Newer(i64),
    #[error("The database could not be brought up to date: {0}.")]
    Migration(String),
}

impl Db {
    /// Connects, and checks that the server is new enough.
    ///
    /// # Errors
    /// At once: a server that is not there (yet) is not waited for.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, ConnectError> {
        let options = options(url)?;
        let place = place(&options);
        let unreachable = |cause: &sqlx::Error| {
            let (place, said) = (place.clone(), cause_of(cause));
            match cause {
                sqlx::Error::Database(_) => ConnectError::Refused { place, cause: said },
                _ => ConnectError::Unreachable { place, cause: said },
            }
        };
        // Not through the pool, which would keep trying and then only say that it timed out.
        let first = tokio::time::timeout(Duration::from_secs(10), PgConnection::connect_with(&options));
        let mut first = match first.await {
            Ok(connected) => connected.map_err(|cause| unreachable(&cause))?,
            Err(_) => {
                return Err(ConnectError::Unreachable {
                    place,
                    cause: "nothing came back within ten seconds".to_owned(),
                });
            }
        };
        let version: String = sqlx::query_scalar("show server_version")
            .fetch_one(&mut first)
            .await
            .map_err(|cause| unreachable(&cause))?;
        if major(&version).is_some_and(|major| major < OLDEST_SERVER) {
            return Err(ConnectError::TooOld { place, version });
        }
        let _ = first.close().await;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(20))
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// Brings the schema up to date. Safe from several nodes at once.
    pub async fn migrate(&self) -> Result<(), ConnectError> {
        MIGRATIONS.run(&self.pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => ConnectError::Newer(version),
            other => ConnectError::Migration(other.to_string()),
        })
    }

    /// How many migrations there are, and how many of them the database has.
    pub async fn migrations(&self) -> Result<(usize, usize)> {
        let mut conn = self.pool.acquire().await?;
        let exists: bool = sqlx::query_scalar("select to_regclass('public._sqlx_migrations') is not null")
            .fetch_one(&mut *conn)
            .await?;
        let done: i64 = if exists {
            sqlx::query_scalar("select count(*) from public._sqlx_migrations where success")
                .fetch_one(&mut *conn)
                .await?
        } else {
            0
        };
        Ok((MIGRATIONS.iter().count(), usize::try_from(done).unwrap_or_default()))
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

    /// The first transaction that has not begun yet.
    pub async fn next_transaction(&self) -> Result<u64> {
        let next: String = sqlx::query_scalar("select pg_snapshot_xmax(pg_current_snapshot())::text")
            .fetch_one(&self.pool)
            .await?;
        next.parse().map_err(crate::error::Error::internal)
    }

    /// For the outbox engine, which claims on behalf of all tenants.
    pub fn outbox_pool(&self) -> PgPool {
        self.pool.clone()
    }

    /// The server's major version.
    pub async fn server_version(&self) -> Result<u32> {
        let number: String = sqlx::query_scalar("show server_version_num").fetch_one(&self.pool).await?;
        number.parse::<u32>().map(|number| number / 10_000).map_err(crate::error::Error::internal)
    }

    /// Whether there is data: how many tenants, 0 without a schema.
    pub async fn tenant_count(&self) -> Result<i64> {
        let exists: bool = sqlx::query_scalar("select to_regclass('patchbay.tenants') is not null")
            .fetch_one(&self.pool)
            .await?;
        if !exists {
            return Ok(0);
        }
        Ok(sqlx::query_scalar("select count(*) from patchbay.tenants").fetch_one(&self.pool).await?)
    }

    /// When this database was first opened (see `fence`); `None` before that.
    pub async fn begun_at(&self) -> Result<Option<chrono::DateTime<chrono::Utc>>> {
        Ok(sqlx::query_scalar!("select marked_at from patchbay.instance").fetch_optional(&self.pool).await?)
    }

    /// How many other processes of this program are connected to the same database. Closes this one's own
    /// connections, which cannot be told from others.
    pub async fn other_sessions(&self) -> Result<i64> {
        let options = (*self.pool.connect_options()).clone();
        self.pool.close().await;
        let mut conn = PgConnection::connect_with(&options).await?;
        let mut count = 0;
        for _ in 0..20 {
            count = sqlx::query_scalar(
                "select count(*) from pg_stat_activity where datname = current_database()
                 and application_name = 'patchbay' and pid <> pg_backend_pid()",
            )
            .fetch_one(&mut conn)
            .await?;
            if count == 0 {
                break;
            }
            // Sessions outlive the goodbye by a moment.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        conn.close().await?;
        Ok(count)
    }

    /// Connections open, and those of them idle.
    pub fn connections(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// How we connect to `url`.
fn options(url: &str) -> Result<PgConnectOptions, ConnectError> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(ConnectError::Url("it does not begin with postgresql://".to_owned()));
    }
    let options: PgConnectOptions =
        url.parse().map_err(|error: sqlx::Error| ConnectError::Url(cause_of(&error)))?;
    Ok(options.application_name("patchbay").statement_cache_capacity(512).options([
        ("timezone", "UTC"),
        ("jit", "off"),
        ("client_min_messages", "warning"),
        // Not "$user": for a role named like our schema, unqualified names would change their meaning.
        ("search_path", "public"),
    ]))
}

/// The database as people name it, without secrets.
fn place(options: &PgConnectOptions) -> String {
    let name = options.get_database().unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("{name:?} at {}", socket.display()),
        None => format!("{name:?} at {}:{}", options.get_host(), options.get_port()),
    }
}

/// The innermost cause, in the server's or the system's words, as part of a sentence.
fn cause_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(cause) => cause.message().to_owned(),
        sqlx::Error::Io(cause) => cause.to_string(),
        sqlx::Error::Configuration(cause) | sqlx::Error::Tls(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

/// The major version in `15.18 (Debian 15.18-0+deb12u1)` or `17beta1`.
fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
