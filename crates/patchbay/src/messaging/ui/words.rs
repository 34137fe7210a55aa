//! Words for what happened and for where a message is.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::{calendar, money};
use serde_json::Value;

use super::super::{
    sql::thread::{ConsentEventRow, ThreadMessage},
    view::{self, thread::MessageState},
};
use crate::{
    messaging::api,
    web::{
        moments,
        parts::{Moment, Tone},
    },
};

/// "8:41 PM" today, "Thu" within the week, "20 Nov" before.
pub(super) fn when(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Moment {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    let age = today.signed_duration_since(local.date_naive()).num_days();
    let text = match age {
        0 => calendar::clock(at, zone),
        1..=6 => local.format("%a").to_string(),
        _ if local.year() == today.year() => local.format("%-d %b").to_string(),
        _ => local.format("%-d %b %Y").to_string(),
    };
    Moment { iso: at.to_rfc3339(), text, title: moments::full(at, zone) }
}

/// The time of day alone, for where the day stands above.
pub(super) fn clock(at: DateTime<Utc>, zone: Tz) -> Moment {
    Moment { iso: at.to_rfc3339(), text: calendar::clock(at, zone), title: moments::full(at, zone) }
}

/// "Today", "Yesterday", "Thursday 20 November", with the year where it is another one.
pub(super) fn day(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (day, today) = (at.with_timezone(&zone).date_naive(), now.with_timezone(&zone).date_naive());
    match today.signed_duration_since(day).num_days() {
        0 => "Today".to_owned(),
        1 => "Yesterday".to_owned(),
        -1 => "Tomorrow".to_owned(),
        _ if day.year() == today.year() => day.format("%A %-d %B").to_string(),
        _ => day.format("%A %-d %B %Y").to_string(),
    }
}

/// A coming moment in full: "Monday 24 November at 8:00 AM".
pub(super) fn moment_ahead(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let clock = calendar::clock(at, zone);
    match day(at, now, zone).as_str() {
        near @ ("Today" | "Tomorrow") => format!("{} at {clock}", near.to_lowercase()),
        far => format!("{far} at {clock}"),
    }
}

/// A past moment in a sentence: "today at 7:05 PM", "on 12 November at 7:05 PM".
pub(super) fn moment_past(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (local, clock) = (at.with_timezone(&zone), calendar::clock(at, zone));
    match now.with_timezone(&zone).date_naive().signed_duration_since(local.date_naive()).num_days() {
        0 => format!("today at {clock}"),
        1 => format!("yesterday at {clock}"),
        _ => format!("on {} at {clock}", calendar::describe_day(at, now, zone)),
    }
}

/// How long ago, roughly: "2 days", "3 weeks".
pub(super) fn age(since: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let days = (now - since).num_days();
    let (amount, unit) = match days {
        ..1 => return "new today".to_owned(),
        1..14 => (days, "day"),
        14..60 => (days / 7, "week"),
        60..730 => (days / 30, "month"),
        _ => (days / 365, "year"),
    };
    format!("{amount} {unit}{}", if amount == 1 { "" } else { "s" })
}

/// "Rosa" of "Rosa Marín"; an address stays what it is.
pub(super) fn first_word(label: &str) -> &str {
    if label.contains('@') { label } else { label.split_whitespace().next().unwrap_or(label) }
}

/// A sentence continued after a colon: "Quiet hours…" becomes "quiet hours…", but names and digits stay.
fn continued(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let (first, second) = (letters.next(), sentence.chars().nth(1));
    match first {
        Some(first) if second.is_some_and(|c| c.is_lowercase() || c == ' ') => {
            first.to_lowercase().collect::<String>() + letters.as_str()
        }
        _ => sentence.to_owned(),
    }
}

/// The finer reading of a ledger row's status.
pub(super) fn state(message: &ThreadMessage, now: DateTime<Utc>) -> MessageState {
    match message.status.as_str() {
        "received" => MessageState::Received,
        "queued" if message.gate.is_some() || message.attempt > 0 && message.send_after > now => {
            MessageState::Waiting
        }
        "queued" if message.send_after > now => MessageState::Scheduled,
        "sending" => MessageState::Sending,
        "sent" => MessageState::Sent,
        "delivered" => MessageState::Delivered,
        "read" => MessageState::Read,
        "undelivered" => MessageState::Undelivered,
        "failed" => MessageState::Failed,
        "blocked" => MessageState::Blocked,
        "unknown" => MessageState::Unknown,
        "canceled" => MessageState::Canceled,
        _ => MessageState::Queued,
    }
}

/// Why a message is where it is, without a full stop; empty when all is well. `there` is the contact's zone, if known.
pub(super) fn sentence(
    message: &ThreadMessage,
    state: MessageState,
    now: DateTime<Utc>,
    zone: Tz,
    there: Option<Tz>,
) -> String {
    let held = || {
        let gate = api::gate_of(
            message.gate.as_deref(),
            &message.status,
            message.gate_reason.as_ref(),
            message.gate_until,
            now,
            zone,
        );
        gate.map(|gate| continued(gate.reason.trim_end_matches('.')))
    };
    let detail = || message.error_detail.as_deref().map(|detail| continued(detail.trim_end_matches('.')));
    match state {
        MessageState::Waiting => match (held(), detail()) {
            (Some(reason), _) => format!("Waiting: {reason}"),
            (None, Some(detail)) => format!("Waiting: {detail}; tried again at {}", clock(message.send_after, zone).text),
            (None, None) => format!("Waiting: tried again at {}", clock(message.send_after, zone).text),
        },
        MessageState::Scheduled => {
            let (clock, whose) = there.filter(|there| *there != zone).map_or((zone, String::new()), |there| (there, format!(", {} time", calendar::place(there))));
            format!("Leaves {}{whose}", moment_ahead(message.send_after, now, clock))
        }
        MessageState::Blocked => held().map_or_else(|| "Blocked".to_owned(), |reason| format!("Blocked: {reason}")),
        MessageState::Failed => detail().map_or_else(|| "Failed".to_owned(), |detail| format!("Failed: {detail}")),
        MessageState::Undelivered => {
            detail().map_or_else(|| "Not delivered: the carrier did not say why".to_owned(), |detail| format!("Not delivered: {detail}"))
        }
        MessageState::Unknown => "Unknown: it was handed over, but the carrier's answer was lost. We are asking; nothing is sent twice".to_owned(),
        MessageState::Canceled => match message.canceled_by.as_deref() {
            Some(who) => format!("Canceled by {} before it left", first_word(who)),
            None => "Canceled before it left".to_owned(),
        },
        _ => String::new(),
    }
}

/// Who or what sent it.
pub(super) fn by(message: &ThreadMessage) -> String {
    let label = message.sent_by_label.as_deref();
    match (message.kind.as_str(), label) {
        ("inbound", _) => String::new(),
        ("quote", None) => "sent by itself when the quote was made".to_owned(),
        ("api", Some(key)) => format!("sent by {key} through the API"),
        ("api", None) => "sent through the API".to_owned(),
        ("campaign", _) => "from a campaign".to_owned(),
        ("sequence", _) => "from a sequence".to_owned(),
        ("reminder", _) => "reminded by itself".to_owned(),
        ("auto_reply" | "help", _) => "answered by itself".to_owned(),
        ("consent_confirmation", _) => "confirmed by itself, as the law asks".to_owned(),
        (_, Some(label)) => first_word(label).to_owned(),
        (_, None) => String::new(),
    }
}

/// Something that happened, in a line.
pub(super) struct Happening {
    pub icon: &'static str,
    pub tone: Tone,
    pub text: String,
}

impl Happening {
    fn new(icon: &'static str, tone: Tone, text: impl Into<String>) -> Self {
        Self { icon, tone, text: text.into() }
    }
}

/// An activity in words; `None` for what is no news in a conversation.
pub(super) fn happened(kind: &str, data: &Value, actor: Option<&str>, name: &str) -> Option<Happening> {
    let text = |key: &str| data[key].as_str().unwrap_or_default();
    let who = actor.map_or("Patchbay", first_word);
    let quote = || format!("quote {}", data["number"].as_i64().unwrap_or_default());
    let total = || {
        data["total_cents"]
            .as_i64()
            .map_or_else(String::new, |cents| format!(", {}", money::format(cents, text("currency"))))
    };
    Some(match kind {
        "stage.moved" => {
            let (from, to) = (stage(&data["from"]), stage(&data["to"]));
            let moved =
                if from.is_empty() { format!("Stage: {to}") } else { format!("Stage: {from} → {to}") };
            Happening::new("square-kanban", Tone::Plain, moved)
        }
        "quote.created" => {
            Happening::new("file-text", Tone::Plain, format!("Quote {} made{}", data["number"], total()))
        }
        "quote.sent" => {
            Happening::new("send", Tone::Plain, format!("Quote {} sent{}", data["number"], total()))
        }
        "quote.viewed" => Happening::new("eye", Tone::Calm, format!("{name} looked at {}", quote())),
        "quote.accepted" => {
            Happening::new("circle-check", Tone::Good, format!("{name} accepted {}", quote()))
        }
        "quote.rejected" => Happening::new("circle-x", Tone::Stop, format!("{name} declined {}", quote())),
        "quote.expired" => {
            Happening::new("hourglass", Tone::Wait, format!("Quote {} expired", data["number"]))
        }
        "conversation.assigned" => {
            let said = match data["assignee"].as_str() {
                None => format!("{who} gave this back to everybody"),
                Some(assignee) if Some(assignee) == actor => format!("{who} took this conversation"),
                Some(assignee) => format!("{who} gave this to {}", first_word(assignee)),
            };
            Happening::new("user-round-plus", Tone::Plain, said)
        }
        "conversation.done" => Happening::new("check", Tone::Plain, format!("{who} marked this as done")),
        "conversation.reopened" => Happening::new("undo-2", Tone::Plain, format!("{who} opened this again")),
        "contact.merged" => {
            Happening::new("merge", Tone::Plain, format!("{who} merged two contacts into this one"))
        }
        "contact.archived" => Happening::new("archive", Tone::Plain, format!("{who} archived {name}")),
        "contact.restored" => {
            Happening::new("archive-restore", Tone::Plain, format!("{who} restored {name}"))
        }
        _ => return None,
    })
}

fn stage(value: &Value) -> &str {
    value.as_str().or_else(|| value["name"].as_str()).unwrap_or_default()
}

/// A change of consent in words.
pub(super) fn consented(event: &ConsentEventRow, name: &str) -> Option<Happening> {
    let channel = channel(&event.channel).word();
    let by_us = matches!(event.how.as_str(), "admin" | "api" | "import");
    let agreed = match event.basis.as_deref() {
        Some("enquiry") => format!("{name} enquired, which counts for {channel}"),
        Some("purchase") => format!("{name} bought something, which counts for {channel}"),
        _ => format!("{name} agreed to {channel}"),
    };
    Some(match (event.state.as_str(), by_us, event.actor_label.as_deref()) {
        ("unsubscribed", true, Some(who)) => Happening::new(
            "ban",
            Tone::Stop,
            format!("{} unsubscribed {name} from {channel}", first_word(who)),
        ),
        ("unsubscribed", ..) => {
            Happening::new("ban", Tone::Stop, format!("{name} unsubscribed from {channel}"))
        }
        ("subscribed", _, _) if event.how == "form" && event.basis.as_deref() != Some("enquiry") => {
            Happening::new("shield-check", Tone::Good, format!("{agreed} on a form"))
        }
        ("subscribed", true, Some(who)) => {
            Happening::new("shield-check", Tone::Good, format!("{} noted that {agreed}", first_word(who)))
        }
        ("subscribed", ..) => Happening::new("shield-check", Tone::Good, agreed),
        ("unknown", _, Some(who)) => Happening::new(
            "shield",
            Tone::Plain,
            format!("{} decided that {name} did not unsubscribe from {channel}", first_word(who)),
        ),
        _ => return None,
    })
}

/// The channel of a stored word.
pub(super) fn channel(word: &str) -> view::Channel {
    match word {
        "whatsapp" => view::Channel::Whatsapp,
        "email" => view::Channel::Email,
        _ => view::Channel::Sms,
    }
}

/// How an address came to where it stands, in a sentence without its end: "Wrote STOP today at 7:05 PM".
pub(super) fn consent_proof(
    how: &str,
    detail: Option<&str>,
    actor: Option<&str>,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    zone: Tz,
) -> String {
    let when = moment_past(at, now, zone);
    let who = actor.map_or("A member of your team", first_word);
    match how {
        "keyword" => format!("Wrote {} {when}", detail.unwrap_or("STOP")),
        "phrase" => match detail {
            Some(phrase) => format!("Wrote “{phrase}” {when}"),
            None => format!("Asked to be left alone {when}"),
        },
        "link" => format!("Followed the unsubscribe link {when}"),
        "form" => format!("Ticked the box on the form {when}"),
        "quote" => format!("Accepted a quote {when}"),
        "import" => format!("Came with an import {when}"),
        "carrier" => format!("The carrier reported it {when}"),
        "complaint" => format!("Reported a message as unwanted {when}"),
        "api" => format!("Noted through the API {when}"),
        _ => format!("{who} noted it {when}"),
    }
}

/// Whether two messages follow each other closely enough to be one run.
pub(super) fn is_run(first: DateTime<Utc>, second: DateTime<Utc>) -> bool {
    (TimeDelta::zero()..TimeDelta::minutes(5)).contains(&(second - first))
}
