//! The private PostgreSQL cluster of a data folder.
//!
//! With no `DATABASE_URL`, Patchbay runs its own server: made at the first start, listening on a Unix socket in a
//! folder that nobody else may enter, shared by all of Patchbay's commands that use the data folder at the same
//! time, and stopped by the last of them. One left behind by a crash is found running, or recovers, and is used on.
//!
//! It does not upgrade a cluster to another major version (`backup` and `restore` do), and it does not watch the
//! server's health: connections that fail say so.

mod error;
mod find;
mod lock;
mod place;
mod process;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Child,
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgConnectOptions};

pub use error::ClusterError;
pub use find::{Binaries, client};
pub use lock::Claim;
pub use place::data_folder;

use error::Result;
use lock::{Gate, Presence};
use place::Place;
use process::Server;

/// The database of the program, and the role that owns it and may not do more than that.
const NAME: &str = "patchbay";

/// A running private cluster, for as long as this value lives or until [`Cluster::close`].
pub struct Cluster {
    place: Place,
    binaries: Binaries,
    presence: Presence,
    extra: &'static [&'static str],
    /// `None` once closed.
    server: Option<Server>,
    /// Still writing a new cluster to disk.
    sync: Option<Child>,
    socket: PathBuf,
}

/// A cluster that is being opened. However that ends, the gate opens before the cluster is dropped, which passes it.
struct Opening {
    _gate: Gate,
    cluster: Cluster,
}

impl Cluster {
    /// Finds or starts the cluster of `data`, making it if it is not there. `pg_bin` names the folder of
    /// PostgreSQL's programs; without it the usual places are searched.
    ///
    /// # Errors
    /// One sentence about what stands in the way, and what to do.
    pub async fn open(data: &Path, pg_bin: Option<&Path>) -> Result<Self> {
        Self::open_with(data, pg_bin, &[]).await
    }

    /// The same, with settings of the server beside the usual ones.
    pub(crate) async fn open_with(
        data: &Path,
        pg_bin: Option<&Path>,
        extra: &'static [&'static str],
    ) -> Result<Self> {
        let (data, pg_bin) = (data.to_owned(), pg_bin.map(Path::to_owned));
        let opening = blocking(move || Self::start(&data, pg_bin.as_deref(), extra)).await?;
        opening.cluster.prepare().await.map_err(ClusterError::Sql)?;
        Ok(opening.cluster)
    }

    fn start(data: &Path, pg_bin: Option<&Path>, extra: &'static [&'static str]) -> Result<Opening> {
        let data = data_folder(data)?;
        let gate = Gate::enter(&data)?;
        let place = place::settle(&data)?;
        let made_by = std::fs::read_to_string(place.cluster.join("PG_VERSION")).ok();
        let made_by = made_by.and_then(|version| version.trim().parse().ok());
        let binaries = find::server(pg_bin, made_by)?;
        let (presence, alone) = Presence::join(&data, &gate)?;
        let sync = if made_by.is_none() { Some(process::create(&binaries, &place)?) } else { None };
        let server = Server::run(&binaries, &place, extra, alone)?;
        let socket = server.socket.clone();
        let cluster = Self { place, binaries, presence, extra, server: Some(server), sync, socket };
        Ok(Opening { _gate: gate, cluster })
    }

    /// Makes what is missing of the role and the database. Harmless every time.
    async fn prepare(&self) -> sqlx::Result<()> {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&self.socket)
            .port(5432)
            .username("postgres")
            .database("postgres");
        let mut admin = PgConnection::connect_with(&options).await?;
        let (role, database): (bool, bool) = sqlx::query_as(
            "select exists (select from pg_roles where rolname = $1), exists (select from pg_database where datname = $1)",
        )
        .bind(NAME)
        .fetch_one(&mut admin)
        .await?;
        if !role {
            admin.execute(AssertSqlSafe(format!("create role {NAME} login nosuperuser createrole"))).await?;
        }
        if !database {
            admin.execute(AssertSqlSafe(format!("create database {NAME} owner {NAME}"))).await?;
        }
        admin.close().await
    }

    /// The URL of the database, for us and for every PostgreSQL client.
    pub fn url(&self) -> String {
        url(&self.socket, NAME, NAME)
    }

    /// PostgreSQL's own data directory.
    #[cfg(test)]
    pub(crate) fn folder(&self) -> &Path {
        &self.place.cluster
    }

    /// Where its socket is.
    #[cfg(test)]
    pub(crate) fn socket_folder(&self) -> &Path {
        &self.socket
    }

    /// Whether the server still runs.
    pub fn is_alive(&mut self) -> bool {
        self.server.as_mut().is_some_and(Server::is_alive)
    }

    /// Starts the server again after it died under us, as the out-of-memory killer makes servers do. The URL
    /// stays the same. Blocks meanwhile.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn revive(&mut self) -> Result<()> {
        let _gate = Gate::enter(&self.place.data)?;
        self.server = Some(Server::run(&self.binaries, &self.place, self.extra, false)?);
        Ok(())
    }

    /// Leaves the cluster, and stops it if nobody else uses it; answers whether it did.
    pub async fn close(mut self) -> bool {
        blocking(move || Ok(self.leave())).await.unwrap_or_default()
    }

    fn leave(&mut self) -> bool {
        if let Some(mut sync) = self.sync.take() {
            let _ = sync.wait();
        }
        let Some(server) = self.server.take() else { return false };
        match Gate::enter(&self.place.data) {
            Ok(gate) => {
                let last = self.presence.leave(&gate);
                if last {
                    server.stop(&self.place);
                }
                last
            }
            Err(error) => {
                tracing::warn!(%error, "the database was left running");
                false
            }
        }
    }

    /// Leaves in a hurry: asks the server to stop if nobody else uses it, and does not wait.
    pub fn abandon(&mut self) {
        if let (Some(server), Some(gate)) = (self.server.take(), Gate::try_enter(&self.place.data))
            && self.presence.leave(&gate)
        {
            server.ask_to_stop();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Runs what waits for processes and locks beside the asynchronous work.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(cause) => std::panic::resume_unwind(cause.into_panic()),
    }
}

/// A URL over a socket that libpq, sqlx and others read alike: a host name has to be there, and is overridden.
fn url(socket: &Path, role: &str, database: &str) -> String {
    let mut url = format!("postgresql://{role}@localhost:5432/{database}?host=");
    for byte in socket.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(*byte))
            }
            other => write!(url, "%{other:02X}").expect("writing to a string"),
        }
    }
    url
}
