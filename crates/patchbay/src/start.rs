//! From a configuration to a running [`App`]: the database (a private cluster or the one named in `DATABASE_URL`),
//! the master key, the providers. Every command that touches data begins here and ends with [`Program::close`].

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use patchbay_providers::{Event, Fake, FakeOptions};
use tokio::sync::mpsc;

use crate::{
    app::App,
    auth::mail::{Mailer, MailerError},
    config::Config,
    db::{
        ConnectError, Db,
        embedded::{self, Cluster, ClusterError},
    },
    fence,
    links::{Clicks, Signer},
    messaging::webhooks::Mailroom,
    providers::Providers,
    realtime::Realtime,
    secrets::{SecretError, Secrets},
    time::{Clock, SystemClock},
};

/// The file in the data folder that holds the master key when no variable does. One key per line, current one first.
pub const KEY_FILE: &str = "master.key";
/// The file in the data folder that tells commands where a running server is reached.
pub const ADDRESS_FILE: &str = "serve.url";

/// Why the program cannot start, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("PATCHBAY_MASTER_KEY (or {}) cannot be used: {cause}.", file.display())]
    Key { file: PathBuf, cause: SecretError },
    #[error("{path} cannot be {action}: {cause}.")]
    File { path: PathBuf, action: &'static str, cause: io::Error },
    #[error("The carriers cannot be set up: {0}.")]
    Providers(String),
    #[error("Whether this database is a copy cannot be told: {0}.")]
    Fence(String),
    #[error("{0}.")]
    Mail(#[from] MailerError),
}

/// A running program.
pub struct Program {
    pub app: Arc<App>,
    /// What the fake carrier reports back.
    pub fake_events: mpsc::Receiver<Event>,
    /// The private cluster, if that is where the data is.
    pub cluster: Option<Cluster>,
    /// Where the database is.
    pub url: String,
}

/// Opens the database, brings its schema up to date, and puts the program together.
pub async fn open(config: Config) -> Result<Program, StartError> {
    let program = open_as_is(config).await?;
    match prepare(&program).await {
        Ok(()) => Ok(program),
        Err(error) => {
            program.close().await;
            Err(error)
        }
    }
}

async fn prepare(program: &Program) -> Result<(), StartError> {
    let app = &program.app;
    app.db.migrate().await?;
    let folder = program.cluster.as_ref().map(|_| app.config.data_dir.as_path());
    fence::check(&app.db, folder, app.now()).await.map_err(|error| StartError::Fence(error.to_string()))?;
    Ok(())
}

/// The same without changing the schema.
pub async fn open_as_is(mut config: Config) -> Result<Program, StartError> {
    config.data_dir = embedded::data_folder(&config.data_dir)?;
    assume_address(&mut config);
    let secrets = secrets(&mut config)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mailer = Mailer::new(&config, provider_clock(&clock))?;
    let mut options = FakeOptions::new(provider_clock(&clock));
    options.replies = config.fake_replies;
    let (fake, fake_events) = Fake::new(options);
    let providers = Providers::new(&config, fake, clock.clone())
        .map_err(|error| StartError::Providers(error.to_string()))?;
    let (cluster, url) = match &config.database_url {
        Some(url) => (None, url.clone()),
        None => {
            let cluster = Cluster::open(&config.data_dir, config.pg_bin.as_deref()).await?;
            let url = cluster.url();
            (Some(cluster), url)
        }
    };
    let db = match Db::connect(&url, config.db_connections).await {
        Ok(db) => db,
        Err(error) => {
            if let Some(cluster) = cluster {
                cluster.close().await;
            }
            return Err(error.into());
        }
    };
    let webhooks = Mailroom::start(db.clone(), clock.clone());
    let (links, clicks) = (Signer::new(&config), Clicks::start(db.clone(), clock.clone()));
    let app = App {
        config,
        db,
        clock,
        providers,
        mailer,
        secrets,
        realtime: Realtime::default(),
        webhooks,
        links,
        clicks,
    };
    Ok(Program { app: Arc::new(app), fake_events, cluster, url })
}

impl Program {
    /// Closes connections, and the cluster if nobody else uses it.
    pub async fn close(self) {
        self.app.db.close().await;
        if let Some(cluster) = self.cluster {
            cluster.close().await;
        }
    }
}

fn provider_clock(clock: &Arc<dyn Clock>) -> patchbay_providers::Clock {
    let clock = clock.clone();
    Arc::new(move || clock.now())
}

/// Links made on the command line lead to the server that runs on this data folder, wherever it listens.
fn assume_address(config: &mut Config) {
    if config.public_url_assumed
        && let Ok(url) = fs::read_to_string(config.data_dir.join(ADDRESS_FILE))
        && url.starts_with("http")
    {
        url.trim().clone_into(&mut config.public_url);
    }
}

/// The master keys: from the environment, or from a file in the data folder that is made once.
fn secrets(config: &mut Config) -> Result<Secrets, StartError> {
    let file = config.data_dir.join(KEY_FILE);
    if config.master_keys.is_empty() {
        config.master_keys = read_keys(&file)?;
    }
    Secrets::new(&config.master_keys).map_err(|cause| StartError::Key { file, cause })
}

fn read_keys(file: &Path) -> Result<Vec<String>, StartError> {
    let failed = |action| move |cause| StartError::File { path: file.to_owned(), action, cause };
    match fs::read_to_string(file) {
        Ok(text) => {
            return Ok(text
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty())
                .collect());
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(failed("read")(cause)),
    }
    write_keys(file, &[Secrets::new_key()], true).map_err(failed("written"))?;
    // Perhaps somebody else was first; what is in the file counts.
    let text = fs::read_to_string(file).map_err(failed("read"))?;
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// Writes the key file whole or not at all, readable for nobody else. With `once`, an existing file stays as it is.
pub fn write_keys(file: &Path, keys: &[String], once: bool) -> io::Result<()> {
    let draft = file.with_extension(format!("key-{}", std::process::id()));
    let mut open = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    open.write_all(format!("{}\n", keys.join("\n")).as_bytes())?;
    open.sync_all()?;
    let placed = if once {
        match fs::hard_link(&draft, file) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    } else {
        fs::rename(&draft, file)
    };
    let _ = fs::remove_file(&draft);
    placed
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_master_key_is_made_once_and_kept_to_ourselves() {
        let folder = std::env::temp_dir().join(format!("patchbay-key-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(KEY_FILE);
        let key = read_keys(&file).unwrap();
        assert_eq!(key.len(), 1);
        assert_eq!(read_keys(&file).unwrap(), key);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        write_keys(&file, &[Secrets::new_key()], true).unwrap();
        assert_eq!(read_keys(&file).unwrap(), key, "an existing key is never replaced by accident");
        let two = [Secrets::new_key(), key[0].clone()];
        write_keys(&file, &two, false).unwrap();
        assert_eq!(read_keys(&file).unwrap(), two);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no drafts stay behind");
        fs::remove_dir_all(&folder).unwrap();
    }
}
