//! The program's own processes: started, watched, ended.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::Path,
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::{BenchError, Result, failed};

/// How long a process may take to answer, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running process of this program. Dropping it kills it.
pub struct Process {
    child: Child,
    pid: u32,
}

impl Process {
    /// Starts this program with other arguments. What it logs goes to `log`.
    pub fn start<S: AsRef<OsStr>>(
        arguments: &[S],
        environment: &[(&str, String)],
        log: &Path,
    ) -> Result<Self> {
        let program = std::env::current_exe().map_err(failed("This program cannot be found"))?;
        let log =
            File::options().create(true).append(true).open(log).map_err(failed("A log cannot be written"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| {
                let name = name.to_string_lossy();
                !name.starts_with("PATCHBAY_") && !name.starts_with("TWILIO_") && name != "DATABASE_URL"
            }))
            .envs(environment.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed("A log cannot be written"))?)
            .stderr(log)
            .kill_on_drop(true);
        let child = command.spawn().map_err(failed("The program cannot be started"))?;
        let pid = child.id().ok_or_else(|| BenchError("The program ended at once.".to_owned()))?;
        Ok(Self { child, pid })
    }

    /// Waits until something answers at `address`.
    pub async fn answers(&mut self, address: &str) -> Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(BenchError(format!("The program ended at its start ({status}).")));
            }
            if tokio::time::Instant::now() > deadline {
                return Err(BenchError(format!("Nothing answers at {address}.")));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Processor seconds used so far.
    pub fn cpu(&self) -> f64 {
        cpu(self.pid, false)
    }

    /// Resident memory in megabytes: now, and the most there was.
    pub fn memory(&self) -> (f64, f64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let megabytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default()
                / 1024.0
        };
        (megabytes("VmRSS:"), megabytes("VmHWM:"))
    }

    /// Asks it to end, and waits for it.
    pub async fn stop(mut self) {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = tokio::time::timeout(PATIENCE, self.child.wait()).await;
    }
}

/// Processor seconds of a process, with those of its ended children on request.
fn cpu(pid: u32, children: bool) -> f64 {
    // Linux: proc(5). Fields 14 to 17 count ticks of a hundredth of a second.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').collect()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    let own = ticks(11) + ticks(12);
    (own + if children { ticks(13) + ticks(14) } else { 0.0 }) / 100.0
}

/// Processor seconds of a process and all its children, living or ended: a database server's.
pub fn family_cpu(parent: u32) -> f64 {
    let living = fs::read_dir("/proc").map(|entries| {
        entries
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| parent_of(*pid) == Some(parent))
            .map(|pid| cpu(pid, false))
            .sum::<f64>()
    });
    cpu(parent, true) + living.unwrap_or_default()
}

/// The parent of a process.
pub fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
