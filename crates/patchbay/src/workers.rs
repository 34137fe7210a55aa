//! The worker side: which feature handles which event.

mod api;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use patchbay_outbox::{Engine, Failure, Handler, Job, Options, Round};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    app::App, auth, campaigns, contacts, crash, error::Error, imports, links, messaging, notifications,
    privacy, providers, quotes, web::idempotency,
};

pub use api::{Doc, routes};

/// Hands each event to the features that care about it.
pub struct Events(pub Arc<App>);

impl Handler for Events {
    async fn handle(&self, job: &Job) -> Result<(), Failure> {
        let outcome = handle(&self.0, job).await;
        crash::point("event.handled").await;
        outcome.map_err(|error| match error {
            // What the database or the network refused may work later; what the data refuses never will.
            Error::Internal(_) | Error::RateLimited { .. } => Failure::Retry(error.to_string()),
            other => Failure::Park(other.to_string()),
        })
    }
}

/// Several features may follow one event; all are idempotent, so that a failure of one repeats all.
async fn handle(app: &App, job: &Job) -> Result<(), Error> {
    match job.event_type.as_str() {
        "lead.created" => {
            contacts::jobs::lead_created(app, job).await?;
            notifications::jobs::notify(app, job).await
        }
        "contact.readdressed" => contacts::jobs::lead_created(app, job).await,
        contacts::duplicates::WANTED => contacts::jobs::duplicates_wanted(app, job).await,
        // For whoever reads the log of events; nothing is to be done.
        "campaign.finished" => Ok(()),
        "campaign.paused" => notifications::jobs::campaign_paused(app, job).await,
        providers::holds::HELD => notifications::jobs::sending_held(app, job).await,
        "message.received" => notifications::jobs::notify(app, job).await,
        "quote.created" => quotes::jobs::quote_created(app, job).await,
        "quote.send" => quotes::jobs::quote_send(app, job).await,
        "quote.viewed" | "quote.accepted" | "quote.rejected" | "quote.expired" => {
            quotes::jobs::quote_changed(app, job).await?;
            notifications::jobs::notify(app, job).await
        }
        "webhook.status" => messaging::jobs::status(app, job).await,
        "webhook.inbound" => messaging::jobs::inbound(app, job).await,
        // Whoever wrote it expects something of it: parked, it is seen.
        other => Err(Error::BadRequest(format!("Nothing here handles events of the type {other}.").into())),
    }
}

/// The outbox engine of this process.
pub fn engine(app: &Arc<App>, options: Options) -> Engine<Events> {
    let clock = app.clock.clone();
    Engine::new(
        app.db.outbox_pool(),
        Events(app.clone()),
        options,
        Arc::new(move || clock.now()),
        rand::random::<f64>,
    )
}

/// Most events that one call of [`work_off`] takes.
const AT_ONCE: i64 = 200;

/// Works off what is due of one tenant, a batch at most, beside whatever workers run. For who cannot wait for them.
pub async fn work_off(app: &Arc<App>, tenant: Uuid) -> Result<Round, Error> {
    let lease = TimeDelta::from_std(app.config.lease).unwrap_or(Options::default().lease);
    Ok(engine(app, Options { lease, batch: AT_ONCE, ..Options::default() }).run_tenant(tenant).await?)
}

/// How often the clock's own work is looked at.
const TICK: Duration = Duration::from_secs(5);

/// All workers of one node, until `stop`; each finishes what it has claimed.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let lease = TimeDelta::from_std(app.config.lease).unwrap_or(Options::default().lease);
    let engine = engine(&app, Options { lease, ..Options::default() });
    let wakers = Wakers {
        events: engine.waker(),
        messages: Arc::default(),
        campaigns: Arc::default(),
        imports: Arc::default(),
    };
    tokio::join!(
        engine.run(stop.clone()),
        messaging::dispatcher::run(app.clone(), wakers.messages.clone(), stop.clone()),
        campaigns::jobs::run(app.clone(), wakers.campaigns.clone(), stop.clone()),
        imports::jobs::run(app.clone(), wakers.imports.clone(), stop.clone()),
        wake(app.clone(), wakers, stop.clone()),
        tick(app.clone(), stop.clone()),
    );
}

/// Whom a hint of the database wakes.
struct Wakers {
    events: Arc<Notify>,
    messages: Arc<Notify>,
    campaigns: Arc<Notify>,
    imports: Arc<Notify>,
}

impl Wakers {
    fn of(&self, hint: &str) -> &Notify {
        match hint {
            "outbox" => &self.events,
            "campaigns" => &self.campaigns,
            "imports" => &self.imports,
            _ => &self.messages,
        }
    }
}

/// Turns the database's hints into wake-ups, so that nothing waits for the next poll.
async fn wake(app: Arc<App>, wakers: Wakers, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match app.db.listen(&["patchbay_work"]).await {
            Ok(mut listener) => loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    hint = listener.try_recv() => match hint {
                        Ok(Some(hint)) => wakers.of(hint.payload()).notify_one(),
                        // The connection was lost; polling finds what was missed.
                        Ok(None) | Err(_) => break,
                    },
                }
            },
            Err(error) => tracing::warn!(%error, "cannot listen for work"),
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What the clock brings about. Every job here is idempotent, so that any number of nodes may run it.
async fn tick(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
        if let Err(error) = periodic(&app).await {
            tracing::warn!(%error, "periodic work failed");
        }
    }
}

/// One round of periodic work.
pub async fn periodic(app: &App) -> Result<(), Error> {
    messaging::jobs::wake_snoozed(app).await?;
    messaging::jobs::look_after_receipts(app).await?;
    quotes::jobs::expire(app).await?;
    auth::forget_old(app).await?;
    idempotency::forget_old(app).await?;
    links::jobs::score_due(app).await?;
    imports::jobs::forget_old(app).await?;
    privacy::jobs::forget_old(app).await?;
    Ok(())
}
