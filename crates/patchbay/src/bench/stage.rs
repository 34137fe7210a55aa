//! Where measuring happens: a private cluster in a folder of its own, and the program's processes on it.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};

use super::{
    Result, failed,
    process::{Process, family_cpu, parent_of},
};
use crate::{
    db::{Db, embedded::Cluster},
    secrets::Secrets,
};

/// The account that the environment names, which the simulator accepts as any.
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// See the module.
pub struct Stage {
    pub sql: PgConnection,
    folder: PathBuf,
    kept: bool,
    cluster: Cluster,
    master_key: String,
    postmaster: u32,
}

impl Stage {
    /// Makes a database, in `keep` if it should outlive the run.
    pub async fn open(name: &str, keep: Option<&Path>) -> Result<Self> {
        let folder = match keep {
            Some(folder) => folder.to_owned(),
            None => std::env::temp_dir().join(format!("patchbay-bench-{}-{name}", std::process::id())),
        };
        let cluster = Cluster::open(&folder, None).await.map_err(failed("No database for measuring"))?;
        let db = Db::connect(&cluster.url(), 2).await.map_err(failed("No database for measuring"))?;
        db.migrate().await.map_err(failed("No database for measuring"))?;
        db.close().await;
        let options: PgConnectOptions = cluster.url().parse().map_err(failed("No database for measuring"))?;
        // Statements that load a million rows take their time.
        let options = options.disable_statement_logging();
        let mut sql =
            PgConnection::connect_with(&options).await.map_err(failed("No database for measuring"))?;
        let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(&mut sql)
            .await
            .map_err(failed("The database"))?;
        let postmaster = u32::try_from(backend).ok().and_then(parent_of).unwrap_or_default();
        Ok(Self { sql, folder, kept: keep.is_some(), cluster, master_key: Secrets::new_key(), postmaster })
    }

    /// Runs statements.
    pub async fn execute(&mut self, statements: &str) -> Result<()> {
        self.sql
            .execute(AssertSqlSafe(statements.to_owned()))
            .await
            .map(drop)
            .map_err(failed("Preparing the database"))
    }

    /// Clears dead rows away and counts the living, as the database would do by itself after a while.
    pub async fn vacuum(&mut self) -> Result<()> {
        let tables: Vec<String> =
            sqlx::query_scalar("select quote_ident(tablename) from pg_tables where schemaname = 'patchbay'")
                .fetch_all(&mut self.sql)
                .await
                .map_err(failed("Preparing the database"))?;
        for table in tables {
            self.execute(&format!("vacuum (analyze) patchbay.{table}")).await?;
        }
        Ok(())
    }

    /// One number.
    pub async fn number(&mut self, query: &str) -> Result<f64> {
        let query = format!("select ({query})::float8");
        let number: Option<f64> = sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&mut self.sql)
            .await
            .map_err(failed("Reading a result"))?;
        Ok(number.unwrap_or_default())
    }

    /// Processor seconds of the database so far.
    pub fn database_cpu(&self) -> f64 {
        family_cpu(self.postmaster)
    }

    /// Plays the carrier; answers where.
    pub async fn carrier(&self, callbacks: bool) -> Result<(Process, String)> {
        let address = free_address()?;
        let mut arguments = vec!["carrier", "--listen", &address, "--auth-token", TOKEN];
        if !callbacks {
            arguments.push("--no-callbacks");
        }
        let mut process = Process::start(&arguments, &[], &self.folder.join("carrier.log"))?;
        process.answers(&address).await?;
        Ok((process, format!("http://{address}")))
    }

    /// Starts a server whose messages go to `carrier`; answers its address.
    pub async fn server(&self, role: &str, carrier: &str, concurrency: u32) -> Result<(Process, String)> {
        let address = free_address()?;
        let environment = [
            ("DATABASE_URL", self.cluster.url()),
            ("PATCHBAY_DATA_DIR", self.folder.join("server").display().to_string()),
            ("PATCHBAY_MASTER_KEY", self.master_key.clone()),
            ("PATCHBAY_PUBLIC_URL", format!("http://{address}")),
            ("PATCHBAY_SEND_CONCURRENCY", concurrency.to_string()),
            ("TWILIO_ACCOUNT_SID", ACCOUNT.to_owned()),
            ("TWILIO_AUTH_TOKEN", TOKEN.to_owned()),
            ("TWILIO_API_BASE", carrier.to_owned()),
            ("RUST_LOG", "warn".to_owned()),
        ];
        let arguments = ["serve", "--role", role, "--listen", &address];
        let mut process = Process::start(&arguments, &environment, &self.folder.join("server.log"))?;
        if role != "worker" {
            process.answers(&address).await?;
        }
        Ok((process, address))
    }

    /// Stops the database, and removes it unless it is kept.
    pub async fn close(self) {
        let Self { sql, cluster, folder, kept, .. } = self;
        let _ = sql.close().await;
        cluster.close().await;
        if !kept {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// An address that nobody listens on.
pub fn free_address() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failed("No free port"))?;
    Ok(listener.local_addr().map_err(failed("No free port"))?.to_string())
}
