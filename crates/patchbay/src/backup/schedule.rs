//! The daily backup of a node that has its own database.
//!
//! Promises: a backup a day, each read back before it counts, kept for seven days; the newest is never removed,
//! however old it is. A failure is logged, counted and tried again.
//! Does not: carry the files to another machine. A disk takes its backups with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use super::{BackupError, Written, failed};
use crate::{app::App, config::Config, db::embedded::Claim};

/// How often to look whether a backup is due.
const LOOK: Duration = Duration::from_secs(600);
const EVERY: TimeDelta = TimeDelta::days(1);
const KEPT: TimeDelta = TimeDelta::days(7);
/// A new database gets its first backup when there is something worth keeping.
const FIRST: TimeDelta = TimeDelta::hours(1);
/// A file that is older than this has not been followed by the next.
pub const LATE: TimeDelta = TimeDelta::days(2);

const NAME: &str = "patchbay-%Y%m%d-%H%M%S.dump";

/// Where this node keeps backups: the folder that was named, or one beside the private cluster. `None`: nowhere.
pub fn folder(config: &Config) -> Option<PathBuf> {
    match config.backup_dir.as_deref() {
        Some("off") => None,
        Some(folder) => Some(PathBuf::from(folder)),
        None if config.database_url.is_none() => Some(config.data_dir.join("backups")),
        None => None,
    }
}

/// Makes backups when they are due, until `stop`.
pub async fn run(app: Arc<App>, url: String, stop: CancellationToken) {
    let Some(folder) = folder(&app.config) else {
        stop.cancelled().await;
        return;
    };
    let mut tick = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let done = tokio::select! {
            () = stop.cancelled() => return,
            done = once(&app, &url, &folder) => done,
        };
        match done {
            Ok(None) => {}
            Ok(Some(written)) => {
                metrics::gauge!("patchbay_backup_last_success_timestamp_seconds")
                    .set(app.now().timestamp() as f64);
                tracing::info!(bytes = written.bytes, "the daily backup was written and read back");
            }
            Err(error) => {
                metrics::counter!("patchbay_backup_failures_total").increment(1);
                tracing::error!(%error, "the daily backup failed");
            }
        }
    }
}

/// Makes a backup if one is due, and removes those that are no longer kept.
pub async fn once(app: &App, url: &str, folder: &Path) -> Result<Option<Written>, BackupError> {
    let now = app.now();
    let newest = newest(folder);
    let is_due = match newest {
        Some(at) => now - at >= EVERY,
        None => app.db.begun_at().await.map_err(super::internal)?.is_some_and(|at| now - at >= FIRST),
    };
    if !is_due {
        return Ok(None);
    }
    let told = |cause: &dyn std::fmt::Display| failed(format!("{}: {cause}.", folder.display()));
    fs::create_dir_all(folder).map_err(|cause| told(&cause))?;
    let Some(_claim) = Claim::take(folder, "backup.lock").map_err(|cause| told(&cause))? else {
        return Ok(None); // another node of this machine is at it
    };
    let file = folder.join(now.format(NAME).to_string());
    let written = super::write(app, url, &file).await?;
    remove_old(folder, now).map_err(|cause| told(&cause))?;
    Ok(Some(written))
}

/// When the newest backup in `folder` was made.
pub fn newest(folder: &Path) -> Option<DateTime<Utc>> {
    backups(folder).ok()?.into_iter().map(|(at, _)| at).max()
}

/// Ours only: what else lies in the folder is nobody's business.
fn backups(folder: &Path) -> io::Result<Vec<(DateTime<Utc>, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Ok(at) = NaiveDateTime::parse_from_str(&name, NAME) {
            found.push((at.and_utc(), path));
        }
    }
    Ok(found)
}

fn remove_old(folder: &Path, now: DateTime<Utc>) -> io::Result<()> {
    let mut all = backups(folder)?;
    all.sort();
    all.pop(); // the newest stays
    for (at, file) in all {
        if now - at > KEPT {
            fs::remove_file(&file)?;
            let _ = fs::remove_file(super::sibling(&file, "sha256"));
        }
    }
    Ok(())
}
