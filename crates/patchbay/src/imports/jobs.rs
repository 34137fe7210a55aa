//! Which node works on which import.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{engine, sql, undo};
use crate::{app::App, error::Result};

/// Hints wake the loop; this finds what was missed and what a dead node left.
const POLL: Duration = Duration::from_secs(5);
/// An import that was begun so often breaks whoever takes it.
const MOST_ATTEMPTS: i32 = 12;

/// Works on imports until `stop`. An import that is under way is left where it is: another node goes on from there.
pub async fn run(app: Arc<App>, wake: Arc<Notify>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            worked = run_once(&app) => match worked {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "an import was interrupted"),
            },
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = wake.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Does the import that has waited the longest; `false` when none waits.
pub async fn run_once(app: &Arc<App>) -> Result<bool> {
    let mut conn = app.db.system_conn().await?;
    let due = sql::list_due(&mut conn, app.now()).await?;
    drop(conn);
    for (tenant, id) in due {
        if work(app, tenant, id).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Claims one import and does it; `false` when somebody else has it.
pub async fn work(app: &Arc<App>, tenant: Uuid, id: Uuid) -> Result<bool> {
    let now = app.now();
    let mut conn = app.db.system_conn().await?;
    let Some(import) = sql::claim(&mut conn, tenant, id, now, engine::lease_until(app)).await? else {
        return Ok(false);
    };
    if import.attempt > MOST_ATTEMPTS {
        let words = "This import failed again and again. What it has done stays; the log says more.";
        sql::finish(&mut conn, tenant, id, import.attempt, "failed", Some(words), now).await?;
        return Ok(true);
    }
    drop(conn);
    if import.status == "undoing" {
        undo::run(app, &import).await?;
    } else {
        engine::run(app, import).await?;
    }
    Ok(true)
}

/// Forgets files that were uploaded and never imported. Called now and then by the worker.
pub async fn forget_old(app: &App) -> Result<()> {
    let mut conn = app.db.system_conn().await?;
    sql::delete_abandoned(&mut conn, app.now() - TimeDelta::days(7)).await?;
    Ok(())
}
