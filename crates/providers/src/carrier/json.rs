//! Twilio's JSON, written by hand: numbers as text, dates as RFC 2822, every member present.

use std::io::Write as _;

use super::record::Message;
use crate::status::ProviderStatus;

/// A `String` or `Vec<u8>` cannot fail to take what is written to it.
const INFALLIBLE: &str = "memory takes what is written to it";

/// Appends formatted text.
macro_rules! put {
    ($into:expr, $($format:tt)*) => { write!($into, $($format)*).expect(INFALLIBLE) };
}

/// The Message resource.
pub(super) fn message(message: &Message<'_>) -> Vec<u8> {
    let mut json = Vec::with_capacity(800 + message.body.len());
    write_message(&mut json, message);
    json
}

/// Appends the Message resource.
pub(super) fn write_message(json: &mut Vec<u8>, message: &Message<'_>) {
    let Message { sid, account, created_at, .. } = *message;
    let created = created_at.to_rfc2822();
    let sent =
        message.status.rank() >= ProviderStatus::Sent.rank() && message.status != ProviderStatus::Canceled;
    put!(json, "{{\"account_sid\":");
    text(json, account);
    put!(json, ",\"api_version\":\"2010-04-01\",\"body\":");
    text(json, if message.is_redacted { "" } else { message.body });
    put!(json, ",\"date_created\":\"{created}\",\"date_sent\":");
    if sent {
        put!(json, "\"{created}\"");
    } else {
        put!(json, "null");
    }
    put!(json, ",\"date_updated\":\"{created}\",\"direction\":\"outbound-api\",\"error_code\":");
    match message.error_code {
        Some(code) => put!(json, "{code},\"error_message\":\"The message was not delivered ({code})\""),
        None => put!(json, "null,\"error_message\":null"),
    }
    put!(json, ",\"from\":");
    optional(json, message.from);
    put!(json, ",\"messaging_service_sid\":");
    optional(json, message.service);
    // Before a sender is chosen nobody can count.
    let segments = if message.from.is_some() { message.segments } else { 0 };
    put!(json, ",\"num_media\":\"{}\",\"num_segments\":\"{segments}\"", message.media);
    put!(json, ",\"price\":null,\"price_unit\":null,\"sid\":\"{sid}\",\"status\":\"{}\"", message.status);
    let path = format_args!("/2010-04-01/Accounts/{account}/Messages/{sid}");
    put!(json, ",\"subresource_uris\":{{\"media\":\"{path}/Media.json\"}},\"to\":");
    text(json, message.to);
    put!(json, ",\"uri\":\"{path}.json\"}}");
}

/// Appends a line of the ledger.
pub(super) fn write_ledger_entry(json: &mut Vec<u8>, message: &Message<'_>) {
    put!(json, "{{\"sid\":\"{}\",\"to\":", message.sid);
    text(json, message.to);
    put!(json, ",\"from\":");
    optional(json, message.from);
    put!(json, ",\"body\":");
    text(json, message.body);
    put!(json, ",\"status\":\"{}\",\"status_callback\":", message.status);
    optional(json, message.callback);
    put!(
        json,
        ",\"created_at\":\"{}\"}}",
        message.created_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    );
}

/// The Account resource, as far as anybody asks for it: to try out credentials.
pub(super) fn account(sid: &str) -> Vec<u8> {
    let mut json = Vec::with_capacity(160);
    put!(json, "{{\"sid\":");
    text(&mut json, sid);
    put!(json, ",\"friendly_name\":\"Simulated account\",\"status\":\"active\",\"type\":\"Full\"}}");
    json
}

/// An error answer.
pub(super) fn error(status: u16, code: u32, words: &str) -> Vec<u8> {
    let mut json = Vec::with_capacity(200);
    put!(json, "{{\"code\":{code},\"message\":");
    text(&mut json, words);
    put!(json, ",\"more_info\":\"https://www.twilio.com/docs/errors/{code}\",\"status\":{status}}}");
    json
}

/// Appends a string with its quotes and escapes.
pub(super) fn text(json: &mut Vec<u8>, value: &str) {
    serde_json::to_writer(json, value).expect(INFALLIBLE);
}

/// Appends a string or `null`.
pub(super) fn optional(json: &mut Vec<u8>, value: Option<&str>) {
    match value {
        Some(value) => text(json, value),
        None => json.extend_from_slice(b"null"),
    }
}
