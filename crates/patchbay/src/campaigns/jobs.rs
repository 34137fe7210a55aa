//! Looking after campaigns under way: any number of nodes may do it, each step belongs to whoever holds the row.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{brake, expand, launch, sql, totals};
use crate::{app::App, error::Result, messaging, reports};

/// How often to look without being woken.
const POLL: Duration = Duration::from_millis(500);
/// Messages let go on at a time, after a pause or the kill switch.
const WOKEN: i64 = 10_000;

/// Looks after campaigns until `stop`.
pub async fn run(app: Arc<App>, wake: Arc<Notify>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let done = match once(&app).await {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(%error, "campaigns cannot be looked after");
                0
            }
        };
        if done == 0 {
            tokio::select! {
                () = stop.cancelled() => break,
                () = wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
}

/// One look at every campaign under way; answers how much was done.
pub async fn once(app: &App) -> Result<u64> {
    let under_way = {
        let mut conn = app.db.system_conn().await?;
        sql::under_way(&mut conn, app.now(), app.now() - totals::LATE, totals::RARER).await?
    };
    let mut done = 0;
    for campaign in under_way {
        match tend(app, &campaign).await {
            Ok(more) => done += more,
            Err(error) => {
                tracing::warn!(%error, campaign = %campaign.id, "a campaign could not be looked after")
            }
        }
    }
    Ok(done)
}

async fn tend(app: &App, campaign: &sql::UnderWay) -> Result<u64> {
    let (tenant, id) = (campaign.tenant_id, campaign.id);
    let done = match campaign.status.as_str() {
        "scheduled" => start(app, campaign).await?,
        "running" => go_on(app, campaign).await?,
        "canceled" => call_off(app, campaign).await?,
        // Paused, or over: only its numbers may move.
        _ => 0,
    };
    if totals::refresh(app, tenant, id).await? {
        reports::settle(app, tenant, id).await?;
    }
    Ok(done)
}

/// The time of a scheduled campaign has come.
async fn start(app: &App, campaign: &sql::UnderWay) -> Result<u64> {
    let mut tx = app.db.tenant(campaign.tenant_id).await?;
    let started = sql::start_due(&mut tx, campaign.id, app.now()).await?;
    tx.commit().await?;
    if started {
        launch::snapshot(app, campaign.tenant_id, campaign.id).await?;
    }
    Ok(u64::from(started))
}

async fn go_on(app: &App, campaign: &sql::UnderWay) -> Result<u64> {
    let (tenant, id, now) = (campaign.tenant_id, campaign.id, app.now());
    if !campaign.has_snapshot {
        launch::snapshot(app, tenant, id).await?;
        return Ok(1);
    }
    brake::check(app, tenant, id).await?;
    let mut tx = app.db.tenant(tenant).await?;
    let woken = match sql::is_switched_off(&mut tx).await? {
        true => 0,
        false => messaging::wake_held(&mut tx, &["kill_switch"], Some(id), now, WOKEN).await?,
    };
    tx.commit().await?;
    let expanded = expand::expand(app, tenant, id).await?;
    let mut tx = app.db.tenant(tenant).await?;
    if sql::finish(&mut tx, id, now).await? {
        sql::announce(&mut tx, "campaign.finished", id).await?;
        sql::tell(&mut tx, id).await?;
    }
    tx.commit().await?;
    Ok(woken + expanded.unsigned_abs())
}

async fn call_off(app: &App, campaign: &sql::UnderWay) -> Result<u64> {
    let mut tx = app.db.tenant(campaign.tenant_id).await?;
    let called_off = launch::call_off(&mut tx, campaign.id, app.now()).await?;
    if sql::finish(&mut tx, campaign.id, app.now()).await? {
        sql::tell(&mut tx, campaign.id).await?;
    }
    tx.commit().await?;
    Ok(called_off)
}
