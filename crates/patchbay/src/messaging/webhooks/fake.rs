//! The practice carrier's receipts and replies, which come over a channel rather than the network.

use std::sync::Arc;

use patchbay_providers::Event;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Mark, mailroom::Letter};
use crate::{
    app::App,
    error::Result,
    messaging::{inbound::Inbound, reports::Report},
};

/// Takes the fake carrier's receipts and replies the way the real one's arrive. Ends with the channel.
pub async fn pump(app: Arc<App>, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        if let Err(error) = take(&app, event).await {
            tracing::warn!(%error, "an event of the practice carrier was lost");
        }
    }
}

/// One event of the fake carrier.
pub async fn take(app: &App, event: Event) -> Result<()> {
    let callback = match &event {
        Event::Status { callback, .. } | Event::Inbound { callback, .. } => {
            callback.as_deref().unwrap_or_default()
        }
    };
    let mark = Mark::read(callback.split_once('?').map_or("", |(_, query)| query));
    let Some(tenant) = mark.tenant else { return Ok(()) };
    let letter = match event {
        Event::Status { message_id, provider_message_id, status, error_code, .. } => {
            let report = Report {
                message_id: Some(message_id),
                attempt: mark.attempt,
                provider_message_id,
                status,
                code: error_code,
                detail: None,
                price: None,
            };
            Letter::status("fake", tenant, report)
        }
        Event::Inbound { provider_message_id, channel, from, to, body, .. } => {
            let inbound = Inbound {
                provider: "fake".to_owned(),
                provider_message_id,
                channel: channel.as_str().to_owned(),
                from,
                to,
                body,
                media: Vec::new(),
                profile_name: None,
                button_payload: None,
                handled_by_carrier: false,
            };
            Letter::inbound("fake", tenant, inbound, Value::Null)
        }
    };
    app.webhooks.deliver(letter).await
}
