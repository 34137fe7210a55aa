//! `POST /inbound`: somebody writes in, and the webhook hears of it as it would from Twilio.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use hyper::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{
    Simulator,
    answer::{self, Body},
};
use crate::{message::Channel, segments};

/// The account of a message to a number that has never sent anything.
const FALLBACK_ACCOUNT: &str = "AC00000000000000000000000000000000";

#[derive(Deserialize)]
struct Inbound {
    from: String,
    to: String,
    #[serde(default)]
    body: String,
    /// `whatsapp` puts the prefix before addresses that do not have it.
    #[serde(default)]
    channel: Option<Channel>,
    /// The account that owns `to`; by default the one that last sent from there.
    #[serde(default)]
    account_sid: Option<String>,
    #[serde(default)]
    messaging_service_sid: Option<String>,
    /// To send the same message again, as a carrier that heard no answer does.
    #[serde(default)]
    message_sid: Option<String>,
    #[serde(default)]
    profile_name: Option<String>,
    #[serde(default)]
    button_payload: Option<String>,
    #[serde(default)]
    opt_out_type: Option<String>,
    #[serde(default)]
    media: Vec<String>,
    /// Any further parameters, under Twilio's names.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

pub(super) async fn handle(simulator: &Simulator, body: &[u8]) -> Response<Body> {
    let inbound: Inbound = match serde_json::from_slice(body) {
        Ok(inbound) => inbound,
        Err(error) => return failure(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let Some(url) = &simulator.options.inbound_url else {
        return failure(StatusCode::CONFLICT, "the carrier was started without an inbound URL");
    };
    let sid = inbound.message_sid.clone().unwrap_or_else(|| {
        // Counted down from the end of the ledger's places, so that they never meet an outbound one.
        let nth = simulator.inbound.fetch_add(1, Ordering::Relaxed);
        simulator.ledger.sid(u32::MAX - 1 - nth).to_string()
    });
    match simulator.poster.ask(url, &parameters(simulator, inbound, &sid)).await {
        Ok(answer) => {
            let text = String::from_utf8_lossy(&answer.body);
            let body = json!({"sid": sid, "status": answer.status, "body": text});
            answer::json(StatusCode::OK, body.to_string())
        }
        Err(error) => failure(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

fn parameters(simulator: &Simulator, inbound: Inbound, sid: &str) -> Vec<(String, String)> {
    let prefixed = |address: String| match inbound.channel {
        Some(channel) if !address.starts_with(channel.prefix()) => format!("{}{address}", channel.prefix()),
        _ => address,
    };
    let (from, to) = (prefixed(inbound.from), prefixed(inbound.to));
    let account = inbound
        .account_sid
        .or_else(|| simulator.ledger.account_of(&to))
        .unwrap_or_else(|| FALLBACK_ACCOUNT.to_owned());
    let mut pairs = BTreeMap::new();
    let mut put = |name: &str, value: String| pairs.insert(name.to_owned(), value);
    for name in ["MessageSid", "SmsMessageSid", "SmsSid"] {
        put(name, sid.to_owned());
    }
    put("AccountSid", account);
    put("ApiVersion", "2010-04-01".to_owned());
    put("NumMedia", inbound.media.len().to_string());
    put("NumSegments", segments::count(&inbound.body).to_string());
    put("SmsStatus", "received".to_owned());
    for (nth, url) in inbound.media.into_iter().enumerate() {
        put(&format!("MediaUrl{nth}"), url);
        put(&format!("MediaContentType{nth}"), "image/jpeg".to_owned());
    }
    let (channel, plain) = Channel::split(&from);
    if channel == Channel::Whatsapp {
        put("WaId", plain.trim_start_matches('+').to_owned());
        put("ProfileName", inbound.profile_name.unwrap_or_else(|| "Sam".to_owned()));
    } else {
        // Twilio sends these with empty values, and they count in the signature.
        for name in ["FromCity", "FromState", "FromZip", "ToCity", "ToState", "ToZip"] {
            put(name, String::new());
        }
    }
    let optional = [
        ("MessagingServiceSid", inbound.messaging_service_sid),
        ("ButtonPayload", inbound.button_payload.clone()),
        ("ButtonText", inbound.button_payload.map(|_| inbound.body.clone())),
        ("OptOutType", inbound.opt_out_type),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            put(name, value);
        }
    }
    put("From", from);
    put("To", to);
    put("Body", inbound.body);
    pairs.extend(inbound.parameters);
    pairs.into_iter().collect()
}

fn failure(status: StatusCode, words: &str) -> Response<Body> {
    answer::json(status, json!({"error": words}).to_string())
}
