//! The words, tags and sentences that stand for a quote's state on a screen.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::{gates::Reason, money};
use serde_json::Value;

use super::{
    Quote, Status,
    sql::{Announcement, Happening},
};
use crate::web::{
    moments,
    parts::{Tag, Tone},
};

/// The tag of a list and a page.
pub(super) fn tag(quote: &Quote, now: DateTime<Utc>, zone: Tz) -> Tag {
    if quote.held {
        return Tag::new(Tone::Plain, "pencil", "Draft");
    }
    match quote.status {
        status if status.is_open() && quote.is_past(now, zone) => Tag::new(Tone::Wait, "clock", "Expired"),
        Status::Draft => match quote.message_status.as_deref() {
            Some("blocked" | "failed" | "undelivered" | "canceled") => {
                Tag::new(Tone::Stop, "ban", "Not sent")
            }
            _ => Tag::new(Tone::Wait, "hourglass", "Going out"),
        },
        other => status_tag(other),
    }
}

/// The tag of a state as such.
pub(crate) fn status_tag(status: Status) -> Tag {
    match status {
        Status::Draft => Tag::new(Tone::Plain, "pencil", "Draft"),
        Status::Sent => Tag::new(Tone::Calm, "send", "Sent"),
        Status::Viewed => Tag::new(Tone::Calm, "eye", "Viewed"),
        Status::Accepted => Tag::new(Tone::Good, "check", "Accepted"),
        Status::Rejected => Tag::new(Tone::Stop, "x", "Declined"),
        Status::Expired => Tag::new(Tone::Wait, "clock", "Expired"),
    }
}

/// The amount, as everywhere inside the house.
pub(super) fn total(quote: &Quote) -> String {
    money::format(quote.total_cents, &quote.currency)
}

/// Where a message that told of the quote stands: a tag, and why, if there is a why.
pub(super) fn announcement(message: &Announcement, now: DateTime<Utc>, zone: Tz) -> (Tag, String) {
    let reason = reason(message, now, zone);
    match message.status.as_str() {
        "queued" if reason.is_empty() && message.send_after <= now => {
            (Tag::new(Tone::Wait, "hourglass", "On its way"), String::new())
        }
        "queued" if reason.is_empty() => (
            Tag::new(Tone::Wait, "calendar-clock", "Scheduled"),
            format!("For {}.", moments::full(message.send_after, zone)),
        ),
        "queued" => (Tag::new(Tone::Wait, "hourglass", "Waiting"), reason),
        "sending" => (Tag::new(Tone::Wait, "hourglass", "On its way"), String::new()),
        "sent" => (Tag::new(Tone::Calm, "check", "Sent"), String::new()),
        "delivered" => (Tag::new(Tone::Good, "check-check", "Delivered"), String::new()),
        "read" => (Tag::new(Tone::Good, "check-check", "Read"), String::new()),
        "blocked" => (Tag::new(Tone::Stop, "ban", "Blocked"), reason),
        "canceled" => (Tag::new(Tone::Plain, "circle-x", "Canceled"), String::new()),
        "unknown" => (
            Tag::new(Tone::Wait, "circle-help", "Being checked"),
            "The carrier's answer was lost; it is being asked.".to_owned(),
        ),
        _ => {
            (Tag::new(Tone::Stop, "circle-alert", "Failed"), message.error_detail.clone().unwrap_or_default())
        }
    }
}

fn reason(message: &Announcement, now: DateTime<Utc>, zone: Tz) -> String {
    let Some(stored) = &message.gate_reason else { return String::new() };
    match serde_json::from_value::<Reason>(stored.clone()) {
        Ok(reason) => reason.sentence(message.gate_until, now, zone),
        Err(_) => stored.get("detail").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

/// Icon and sentence of something that happened to a quote.
pub(super) fn happening(what: &Happening) -> (&'static str, String) {
    let who = what.actor_label.as_deref().unwrap_or_default();
    let note = what.data["note"].as_str().filter(|note| !note.is_empty());
    let by = |verb: &str| if who.is_empty() { capitalised(verb) } else { format!("{who} {verb}") };
    let noted = |sentence: String| note.map_or(sentence.clone(), |note| format!("{sentence}: “{note}”"));
    match what.kind.as_str() {
        "quote.created" => ("file-plus", by("made this quote")),
        "quote.viewed" => ("eye", by("opened the quote")),
        "quote.accepted" => ("circle-check", noted(by("accepted"))),
        "quote.rejected" => ("circle-x", noted(by("declined"))),
        "quote.expired" => ("clock", "The quote expired".to_owned()),
        other => ("info", other.to_owned()),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
