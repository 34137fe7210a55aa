//! The database server of the tests: the one that `PATCHBAY_TEST_SERVER` names, or a private cluster of this process.
//!
//! A process of tests ends in many ways, and none of them runs destructors. So a watchdog, a shell that reads from a
//! pipe which only we hold open, stops the cluster and clears it away when we are gone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use rustix::process::{Pid, test_kill_process};

use crate::db::embedded::{Cluster, data_folder};

const NAME: &str = "patchbay-tests-";
/// Nothing of a test has to survive a power cut.
const HASTY: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
    "max_wal_size=1GB",
];
/// Arguments: the folders to clear away, the first of them the cluster's.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
pid=$(head -n 1 "$1/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2>/dev/null
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
fi
rm -rf "$@"
"#;

static SERVER: OnceLock<Server> = OnceLock::new();

/// Where databases are made.
#[derive(Debug)]
pub enum Server {
    /// `postgres://postgres@host:port`, without a database.
    Named(String),
    /// The URL of a database of the private cluster, as its owner.
    Private(String),
}

impl Server {
    /// The server, started by whoever asks first.
    pub fn get() -> &'static Self {
        SERVER.get_or_init(|| match std::env::var("PATCHBAY_TEST_SERVER") {
            Ok(url) if !url.is_empty() => Self::Named(url.trim_end_matches('/').to_owned()),
            // Tests have a runtime, in which one cannot wait.
            _ => std::thread::spawn(start).join().expect("the tests' own PostgreSQL"),
        })
    }

    /// The URL of `database` for the superuser.
    pub fn admin_url(&self, database: &str) -> String {
        self.url("postgres", database)
    }

    /// The URL of `database` for the role that owns it.
    pub fn owner_url(&self, database: &str) -> String {
        self.url("patchbay", database)
    }

    fn url(&self, role: &str, database: &str) -> String {
        match self {
            Self::Named(base) => {
                format!("{}/{database}", base.replacen("//postgres@", &format!("//{role}@"), 1))
            }
            Self::Private(url) => url.replacen("//patchbay@", &format!("//{role}@"), 1).replacen(
                "/patchbay?",
                &format!("/{database}?"),
                1,
            ),
        }
    }
}

fn start() -> Server {
    let temp = std::env::temp_dir();
    clear_leftovers(&temp);
    let data = data_folder(&temp.join(format!("{NAME}{}", std::process::id()))).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let cluster =
        runtime.block_on(Cluster::open_with(&data, None, HASTY)).unwrap_or_else(|error| panic!("{error}"));
    let folders = [cluster.folder().to_owned(), cluster.socket_folder().to_owned(), data];
    watch(&folders);
    let url = cluster.url();
    // From here on the watchdog has it; closing it would be for the last test, which nobody knows.
    std::mem::forget(cluster);
    Server::Private(url)
}

fn watch(folders: &[PathBuf]) {
    use std::os::unix::process::CommandExt;
    let watchdog = Command::new("sh")
        .args(["-c", WATCHDOG, "watchdog"])
        .args(folders)
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh");
    // Keeps the pipe open until the process ends.
    std::mem::forget(watchdog);
}

/// What tests left behind whose watchdog was killed as well, or whose machine went down.
fn clear_leftovers(temp: &Path) {
    let Ok(entries) = fs::read_dir(temp) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(NAME)?.parse().ok()).and_then(Pid::from_raw);
        if owner.is_some_and(|owner| test_kill_process(owner).is_err()) {
            watch_nobody(&entry.path());
        }
    }
}

/// A watchdog whose pipe closes at once.
fn watch_nobody(data: &Path) {
    let _ = Command::new("sh")
        .args(["-c", WATCHDOG, "watchdog"])
        .args([data.join("postgres"), data.to_owned()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
