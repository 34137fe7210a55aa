//! `carrier`: the simulator of Twilio's Messages API.

use std::{process::ExitCode, sync::Arc};

use patchbay_providers::{CarrierOptions, carrier};
use serde_json::json;
use tokio::net::TcpListener;

use super::{arguments::CarrierArguments, failure::Failure, output::Output};
use crate::{
    serve::Signals,
    time::{Clock, SystemClock},
};

/// Plays the carrier until a signal.
pub async fn run(
    arguments: CarrierArguments,
    output: &Output,
    signals: &Signals,
) -> Result<ExitCode, Failure> {
    let mut options = CarrierOptions::new(arguments.auth_token, Arc::new(|| SystemClock.now()));
    options.inbound_url = arguments.inbound_url;
    options.latency_ms = arguments.latency_ms;
    options.reject_rate = arguments.reject_rate;
    options.lost_reply_rate = arguments.lost_reply_rate;
    options.throttle_rate = arguments.throttle_rate;
    options.callbacks = !arguments.no_callbacks;
    options.duplicate_callbacks = arguments.duplicate_callbacks;
    options.reorder_callbacks = arguments.reorder_callbacks;
    options.seed = arguments.seed;
    let listener = TcpListener::bind(&arguments.listen).await.map_err(|cause| match cause.kind() {
        std::io::ErrorKind::AddrInUse => Failure::new(format!(
            "{} is in use by another program; choose another address with --listen.",
            arguments.listen
        )),
        _ => Failure::new(format!("Cannot listen on {}: {cause}.", arguments.listen)),
    })?;
    let url = listener.local_addr().map(|address| format!("http://{address}")).unwrap_or_default();
    output.say(
        format!("The carrier answers at {url}; use it with TWILIO_API_BASE={url}"),
        &json!({ "url": url }),
    );
    carrier::serve(listener, options, signals.stop.clone().cancelled_owned())
        .await
        .map_err(|cause| Failure::new(format!("The carrier cannot work: {cause}.")))?;
    Ok(ExitCode::SUCCESS)
}
