//! What a node does beside answering requests.

use std::{sync::Arc, time::Duration};

use patchbay_providers::Event;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{app::App, backup, messaging, telemetry, workers};

/// How often histograms are folded.
const TIDY: Duration = Duration::from_secs(5);

/// Starts the parts; each ends with `stop` and then tells its name.
pub fn start(
    parts: &mut JoinSet<&'static str>,
    app: &Arc<App>,
    url: String,
    fake_events: mpsc::Receiver<Event>,
    works: bool,
    serves: bool,
    stop: &CancellationToken,
) {
    // The fake carrier calls back where the message was sent from, so every node listens to its own.
    let (app_of_fake, halt) = (app.clone(), stop.clone());
    parts.spawn(async move {
        tokio::select! {
            () = messaging::webhooks::pump_fake(app_of_fake, fake_events) => {}
            () = halt.cancelled() => {}
        }
        "The fake carrier"
    });
    if works {
        let (keeper, halt) = (app.clone(), stop.clone());
        parts.spawn(async move {
            backup::schedule::run(keeper, url, halt).await;
            "The daily backup"
        });
        let (worker, halt) = (app.clone(), stop.clone());
        parts.spawn(async move {
            workers::run(worker, halt).await;
            "The workers"
        });
    }
    if serves {
        let (listener, halt) = (app.clone(), stop.clone());
        parts.spawn(async move {
            tokio::select! {
                () = listener.realtime.run(&listener.db) => {}
                () = halt.cancelled() => {}
            }
            "The listener for changes"
        });
    }
    parts.spawn(tidy(stop.clone()));
}

async fn tidy(stop: CancellationToken) -> &'static str {
    let mut tick = tokio::time::interval(TIDY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return "The numbers",
            _ = tick.tick() => telemetry::tidy(),
        }
    }
}
