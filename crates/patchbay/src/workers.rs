//! The worker side: which feature handles which event.

use std::sync::Arc;

use patchbay_outbox::{Engine, Failure, Handler, Job, Options};

use crate::{app::App, contacts, messaging, error::Error};

/// Hands each event to the features that care about it.
pub struct Events(pub Arc<App>);

impl Handler for Events {
    async fn handle(&self, job: &Job) -> Result<(), Failure> {
        handle(&self.0, job).await.map_err(|error| match error {
            // What the database or the network refused may work later; what the data refuses never will.
            Error::Internal(_) | Error::RateLimited { .. } => Failure::Retry(error.to_string()),
            other => Failure::Park(other.to_string()),
        })
    }
}

/// Several features may follow one event; all are idempotent, so that a failure of one repeats all.
async fn handle(app: &App, job: &Job) -> Result<(), Error> {
    match job.event_type.as_str() {
        "lead.created" | "contact.readdressed" => contacts::jobs::lead_created(app, job).await,
        "webhook.status" => messaging::jobs::status(app, job).await,
        "webhook.inbound" => messaging::jobs::inbound(app, job).await,
        // An event that nobody handles here is for webhooks and readers of api.outbox.
        _ => Ok(()),
    }
}

/// The outbox engine of this process.
pub fn engine(app: &Arc<App>, options: Options) -> Engine<Events> {
    let clock = app.clock.clone();
    Engine::new(app.db.outbox_pool(), Events(app.clone()), options, Arc::new(move || clock.now()), rand::random::<f64>)
}
