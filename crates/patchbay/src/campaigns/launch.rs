//! Turning a campaign on and off. Each step checks where the campaign stands while it holds its row, so that of two
//! at once one is first, and the other finds its work done.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::json;
use uuid::Uuid;

use super::{Campaign, Status, audience::Audience, draft::finished, names, sql, words};
use crate::{
    app::App,
    audit,
    auth::Caller,
    crash,
    db::TenantTx,
    error::{Error, Result},
    messaging,
};

/// Messages of a canceled campaign called off before the caller is answered; the workers see to the rest.
const AT_ONCE: i64 = 20_000;

/// Approves a draft: what it says and to whom is written down. It starts now, or at its time. Launched already, it is
/// answered as it is.
pub async fn launch(app: &App, caller: &Caller, id: Uuid) -> Result<Campaign> {
    let now = app.now();
    names::check(app, caller, id).await?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::lock(&mut tx, id).await?;
    match campaign.status {
        Status::Draft => {}
        Status::Scheduled | Status::Running => return Ok(campaign),
        Status::Paused => return Err(Error::conflict("This campaign is paused. Resume it to go on.")),
        Status::Finished | Status::Canceled => return Err(Error::conflict("This campaign is over.")),
    }
    let content = serde_json::to_value(words::words(&mut tx, &campaign).await?)?;
    let audience = Audience::load(&mut tx, app, &campaign).await?.filter()?;
    let launch_at = launch_at(&campaign, caller.tenant.timezone).filter(|at| *at > now);
    let approval =
        sql::Approval { audience: audience.as_ref(), content: &content, launch_at, by: &caller.actor.label };
    sql::approve(&mut tx, id, &approval, now).await?;
    let status = if launch_at.is_some() { "scheduled" } else { "running" };
    let changes = json!({ "status": ["draft", status], "scheduled_at": [null, campaign.scheduled_at] });
    audit::changed(&mut tx, caller, "campaign.launched", id, &changes).await?;
    let campaign = finished(tx, id).await?;
    crash::point("launch.approved").await;
    if campaign.status != Status::Running {
        return Ok(campaign);
    }
    snapshot(app, caller.tenant.id, id).await?;
    super::get(app, caller, id).await
}

/// Whether a draft's audience is no longer as large as whoever launches it was told.
pub async fn has_moved(app: &App, caller: &Caller, id: Uuid, promised: i64) -> Result<bool> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::find(&mut tx, id).await?;
    if campaign.status != Status::Draft {
        return Ok(false);
    }
    let count = Audience::load(&mut tx, app, &campaign).await?.count(&mut tx, app).await?;
    Ok(count.is_some_and(|count| count != promised))
}

/// When the first recipient's time comes: at once, at the chosen instant, or when the chosen time of day comes to the
/// first place on Earth.
fn launch_at(campaign: &Campaign, timezone: Tz) -> Option<DateTime<Utc>> {
    let at = campaign.scheduled_at?;
    if !campaign.in_recipient_zone {
        return Some(at);
    }
    let clock: NaiveDateTime = at.with_timezone(&timezone).naive_local();
    Some((clock - TimeDelta::hours(14)).and_utc())
}

/// Writes the audience of a running campaign down, unless that was done; then it can be expanded.
pub(super) async fn snapshot(app: &App, tenant: Uuid, id: Uuid) -> Result<()> {
    let mut tx = app.db.tenant(tenant).await?;
    let campaign = super::find(&mut tx, id).await?;
    let audience = Audience::load(&mut tx, app, &campaign).await?;
    drop(tx);
    // On the owner's side; see `sql::snapshot`.
    let mut system = app.db.system().await?;
    let Some(recipients) = sql::snapshot(system.conn(), tenant, id, &audience).await? else {
        return Ok(());
    };
    let recipients = i64::try_from(recipients).unwrap_or(i64::MAX);
    sql::mark_snapshot(system.conn(), tenant, id, recipients, app.now()).await?;
    crash::point("snapshot.written").await;
    system.commit().await?;
    let mut tx = app.db.tenant(tenant).await?;
    sql::wake(&mut tx).await?;
    sql::tell(&mut tx, id).await?;
    tx.commit().await
}

/// Makes a scheduled campaign a draft again.
pub async fn unschedule(app: &App, caller: &Caller, id: Uuid) -> Result<Campaign> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::lock(&mut tx, id).await?;
    match campaign.status {
        Status::Draft => return Ok(campaign),
        Status::Scheduled => {}
        _ => return Err(Error::conflict("This campaign has started.")),
    }
    sql::unschedule(&mut tx, id, app.now()).await?;
    audit::changed(&mut tx, caller, "campaign.unscheduled", id, &json!({ "status": ["scheduled", "draft"] }))
        .await?;
    finished(tx, id).await
}

/// Holds back everything that has not left, at once.
pub async fn pause(app: &App, caller: &Caller, id: Uuid) -> Result<Campaign> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::lock(&mut tx, id).await?;
    match campaign.status {
        Status::Running => {}
        Status::Paused => return Ok(campaign),
        _ => return Err(Error::conflict("Only a campaign that is running can be paused.")),
    }
    sql::pause(&mut tx, id, &caller.actor.label, None, app.now()).await?;
    audit::changed(&mut tx, caller, "campaign.paused", id, &json!({ "status": ["running", "paused"] }))
        .await?;
    finished(tx, id).await
}

/// Goes on where it was paused.
pub async fn resume(app: &App, caller: &Caller, id: Uuid) -> Result<Campaign> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::lock(&mut tx, id).await?;
    match campaign.status {
        Status::Paused => {}
        Status::Running => return Ok(campaign),
        _ => return Err(Error::conflict("Only a campaign that is paused can be resumed.")),
    }
    sql::resume(&mut tx, id, app.now()).await?;
    audit::changed(&mut tx, caller, "campaign.resumed", id, &json!({ "status": ["paused", "running"] }))
        .await?;
    sql::wake(&mut tx).await?;
    finished(tx, id).await
}

/// Calls off everything that has not left, for good. What the carrier has cannot be called back.
pub async fn cancel(app: &App, caller: &Caller, id: Uuid) -> Result<Campaign> {
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::lock(&mut tx, id).await?;
    match campaign.status {
        Status::Scheduled | Status::Running | Status::Paused => {}
        Status::Canceled => return Ok(campaign),
        Status::Draft => return Err(Error::conflict("This campaign was not launched yet.")),
        Status::Finished => return Err(Error::conflict("This campaign is over.")),
    }
    sql::cancel(&mut tx, id, now).await?;
    call_off(&mut tx, id, now).await?;
    sql::finish(&mut tx, id, now).await?;
    let changes = json!({ "status": [campaign.status, "canceled"] });
    audit::changed(&mut tx, caller, "campaign.canceled", id, &changes).await?;
    sql::wake(&mut tx).await?;
    finished(tx, id).await
}

/// Takes back messages of a canceled campaign, so many at a time; answers how many. Their campaign says why.
pub(super) async fn call_off(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<u64> {
    let waiting = sql::lock_queued(tx, id, AT_ONCE).await?;
    messaging::cancel_all(tx, &waiting, None, now).await
}
