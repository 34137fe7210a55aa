//! The server as a process: made once, started, found running, stopped.
//!
//! It gets a process group of its own, so that Ctrl-C at the terminal reaches only us and the server stops after
//! everything that uses it. Its output goes to a file in the data folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom},
    os::unix::{
        fs::{OpenOptionsExt, PermissionsExt},
        net::UnixStream,
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{
    error::{ClusterError, Result},
    find::Binaries,
    place::{Account, Place, own_folder},
    settings,
};

/// How often to look whether something has happened.
const LOOK: Duration = Duration::from_millis(4);
/// Recovery after a crash reads at most `max_wal_size` of log.
const START_LIMIT: Duration = Duration::from_secs(300);
/// How long to knock at a cluster that somebody unseen holds.
const RETRY_LIMIT: Duration = Duration::from_secs(10);
/// The log is started anew when it has grown beyond this.
const LOG_LIMIT: u64 = 10 << 20;

/// A running server.
pub struct Server {
    pid: Pid,
    /// `None` for one that somebody else started.
    child: Option<Child>,
    /// The folder where it listens.
    pub socket: PathBuf,
}

/// A command of PostgreSQL, run as the right user, undisturbed by the caller's environment.
pub fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C").process_group(0);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
    if let Some(Account { uid, gid }) = account {
        command.uid(uid).gid(gid);
    }
    command
}

/// Creates the cluster, wholly or not at all. Answers the process that still writes it to disk, which need not be
/// waited for before the server starts, only before the program ends.
pub fn create(binaries: &Binaries, place: &Place) -> Result<Child> {
    let draft = place.cluster.with_extension(format!("new-{}", std::process::id()));
    remove_drafts(&place.cluster);
    own_folder(&draft, place.account)?;
    let mut said = String::new();
    for locale in locales(binaries.version) {
        let initdb = binaries.program("initdb");
        let output = command(&initdb, place.account)
            .arg("-D")
            .arg(&draft)
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-sync",
                "--no-instructions",
            ])
            .args(*locale)
            .output()
            .map_err(|cause| ClusterError::Run { program: initdb.clone(), cause })?;
        if output.status.success() {
            let conf = draft.join("postgresql.conf");
            let mut text = fs::read_to_string(&conf).map_err(ClusterError::file(&conf, "read"))?;
            text.push_str(&format!("\ninclude_if_exists = '{}'\n", settings::FILE));
            fs::write(&conf, text).map_err(ClusterError::file(&conf, "written"))?;
            let access = draft.join("pg_hba.conf");
            fs::write(&access, settings::ACCESS).map_err(ClusterError::file(&access, "written"))?;
            fs::rename(&draft, &place.cluster).map_err(ClusterError::file(&place.cluster, "created"))?;
            return command(&initdb, place.account)
                .arg("--sync-only")
                .arg("-D")
                .arg(&place.cluster)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|cause| ClusterError::Run { program: initdb, cause });
        }
        said = last_words(&String::from_utf8_lossy(&output.stderr));
        // initdb leaves the folder empty when it fails.
    }
    let _ = fs::remove_dir_all(&draft);
    Err(ClusterError::Init(said))
}

/// Byte order for sorting, Unicode for letter case, the same on every machine; plain C where that is unknown.
fn locales(version: u32) -> &'static [&'static [&'static str]] {
    const LIBC: &[&str] = &["--locale=C.UTF-8"];
    const PLAIN: &[&str] = &["--locale=C"];
    if version >= 17 {
        &[&["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"], LIBC, PLAIN]
    } else {
        &[LIBC, PLAIN]
    }
}

/// What interrupted attempts left.
fn remove_drafts(cluster: &Path) {
    let Some(entries) = cluster.parent().and_then(|parent| fs::read_dir(parent).ok()) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with("postgres.new-") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Server {
    /// Finds the server of this cluster running, or starts it, and waits until it answers. Call it at the gate only;
    /// `alone` says that no other process uses the cluster.
    pub fn run(binaries: &Binaries, place: &Place, extra: &[&str], alone: bool) -> Result<Self> {
        let began = Instant::now();
        loop {
            if let Some(found) = Self::running(place) {
                return Ok(found);
            }
            if leftovers(place) {
                // A server that is starting, stopping, or dying after its parent was killed.
                if began.elapsed() < START_LIMIT {
                    thread::sleep(LOOK);
                    continue;
                }
            } else if alone && cfg!(target_os = "linux") {
                // Nobody is at work there, so a process with the number that is noted down is somebody else.
                let _ = fs::remove_file(place.cluster.join("postmaster.pid"));
            }
            match Self::start(binaries, place, extra) {
                Err(ClusterError::Start { said, .. })
                    if (said.contains("lock file") || said.contains("shared memory block"))
                        && began.elapsed() < RETRY_LIMIT =>
                {
                    thread::sleep(LOOK * 10);
                }
                other => return other,
            }
        }
    }

    /// The server of this cluster, if it answers.
    pub fn running(place: &Place) -> Option<Self> {
        let note = Note::read(&place.cluster)?;
        UnixStream::connect(note.socket.join(".s.PGSQL.5432")).ok()?;
        note.ready.then_some(Self { pid: note.pid, child: None, socket: note.socket })
    }

    fn start(binaries: &Binaries, place: &Place, extra: &[&str]) -> Result<Self> {
        let conf = place.cluster.join(settings::FILE);
        fs::write(&conf, settings::tuned()).map_err(ClusterError::file(&conf, "written"))?;
        if let Some(Account { uid, gid }) = place.account {
            std::os::unix::fs::chown(&conf, Some(uid), Some(gid))
                .map_err(ClusterError::file(&conf, "handed over"))?;
        }
        let log = open_log(&place.log)?;
        let log_start = log.metadata().map_or(0, |found| found.len());
        let errors = log.try_clone().map_err(ClusterError::file(&place.log, "opened"))?;
        let program = binaries.program("postgres");
        let mut command = command(&program, place.account);
        command
            .arg("-D")
            .arg(&place.cluster)
            .arg("-c")
            .arg(format!("unix_socket_directories={}", quoted(&place.socket)));
        for setting in settings::FIXED.iter().chain(extra) {
            command.args(["-c", setting]);
        }
        let mut child = command
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|cause| ClusterError::Run { program, cause })?;
        let own = Pid::from_child(&child);
        let began = Instant::now();
        loop {
            if Note::read(&place.cluster).is_some_and(|note| note.ready && note.pid == own) {
                return Ok(Self { pid: own, child: Some(child), socket: place.socket.clone() });
            }
            if let Ok(Some(_)) = child.try_wait() {
                return Err(start_error(&place.log, log_start));
            }
            if began.elapsed() > START_LIMIT {
                let _ = child.kill();
                let _ = child.wait();
                return Err(ClusterError::Start {
                    said: "it was not ready in time".to_owned(),
                    log: place.log.clone(),
                });
            }
            thread::sleep(LOOK);
        }
    }

    /// Whether the server still runs.
    pub fn is_alive(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => test_kill_process(self.pid).is_ok(),
        }
    }

    /// Asks the server to stop at once but in order: sessions are ended, nothing committed is lost.
    pub fn ask_to_stop(&self) {
        let _ = kill_process(self.pid, Signal::INT);
    }

    /// Stops the server and waits for its end.
    pub fn stop(mut self, place: &Place) {
        self.ask_to_stop();
        let began = Instant::now();
        while self.is_alive() && Note::read(&place.cluster).is_some_and(|note| note.pid == self.pid) {
            if began.elapsed() > Duration::from_secs(60) {
                tracing::warn!("the database does not stop; ending it, it will recover at its next start");
                let _ = kill_process(self.pid, Signal::QUIT);
                thread::sleep(Duration::from_secs(1));
                break;
            }
            thread::sleep(LOOK);
        }
        if let Some(child) = &mut self.child {
            // The note goes a moment before the process does.
            let _ = child.wait();
        }
    }
}

/// What a server notes down about itself (postmaster.pid).
struct Note {
    pid: Pid,
    socket: PathBuf,
    ready: bool,
}

impl Note {
    fn read(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let pid = lines.first()?.parse().ok().and_then(Pid::from_raw)?;
        let socket = PathBuf::from(lines.get(4).copied().unwrap_or_default());
        Some(Self { pid, socket, ready: lines.get(7) == Some(&"ready") })
    }
}

/// Whether processes of this cluster's server are still there. They all work in its folder, which says more than
/// the number in postmaster.pid: after a restart of the machine that number belongs to somebody else.
fn leftovers(place: &Place) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Note::read(&place.cluster).is_some_and(|note| test_kill_process(note.pid).is_ok());
    };
    processes
        .flatten()
        .any(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == place.cluster))
}

/// A path as an item of PostgreSQL's list syntax.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
}

fn open_log(path: &Path) -> Result<File> {
    if fs::metadata(path).is_ok_and(|found| found.len() > LOG_LIMIT) {
        let _ = fs::rename(path, path.with_extension("log.1"));
    }
    let log = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    let log = log.map_err(ClusterError::file(path, "opened"))?;
    // Older versions left it open to everybody.
    let closed = log.set_permissions(fs::Permissions::from_mode(0o600));
    closed.map_err(ClusterError::file(path, "closed to others"))?;
    Ok(log)
}

/// Why a start failed, in the server's words.
fn start_error(log: &Path, from: u64) -> ClusterError {
    let mut said = String::new();
    if let Ok(mut file) = File::open(log) {
        let _ = file.seek(SeekFrom::Start(from)).and_then(|_| file.read_to_string(&mut said));
    }
    ClusterError::Start { said: last_words(&said), log: log.to_owned() }
}

/// The line that says what went wrong: the last complaint, or else the last line.
fn last_words(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty()).rev();
    let complaint =
        |line: &&str| ["FATAL:", "PANIC:", "ERROR:", "error:"].iter().any(|word| line.contains(word));
    let line = lines().find(complaint).or_else(|| lines().next()).unwrap_or("it said nothing");
    let words = ["FATAL:", "PANIC:", "ERROR:", "error:"];
    words.iter().find_map(|word| line.split_once(word)).map_or(line, |(_, rest)| rest).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complaint_is_found_among_the_chatter() {
        for (text, words) in [
            (
                "2026-01-01 UTC [1] LOG:  starting\n2026 [1] FATAL:  could not map\n2026 [1] LOG:  shut down\n",
                "could not map",
            ),
            (
                "initdb: error: invalid locale name \"X\"\ninitdb: hint: pick another\n",
                "invalid locale name \"X\"",
            ),
            ("only this\n\n", "only this"),
            ("", "it said nothing"),
        ] {
            assert_eq!(last_words(text), words);
        }
    }
}
