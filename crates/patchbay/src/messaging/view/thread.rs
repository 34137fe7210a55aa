//! One conversation: its head and, in order of time, everything said, noted and done in it.

use crate::web::parts::{Face, Moment, Tag, Tone};

use super::Channel;
use super::composer::Composer;
use super::panel::Panel;

#[derive(Debug, Clone)]
pub(crate) struct ConversationView {
    pub(crate) id: String,
    /// The person's name, or the number when there is no name.
    pub(crate) name: String,
    pub(crate) contact_href: String,
    /// Where the list is, for the way back on a phone.
    pub(crate) back: String,
    pub(crate) status: Status,
    /// Stage, unsubscribed, archived: beside the name.
    pub(crate) tags: Vec<Tag>,
    pub(crate) assignee: Option<Assignee>,
    pub(crate) members: Vec<Assignee>,
    pub(crate) snoozes: Vec<Later>,
    pub(crate) entries: Vec<Entry>,
    /// Path of the entries before the first one shown.
    pub(crate) earlier: Option<String>,
    pub(crate) unread: bool,
    pub(crate) composer: Composer,
    pub(crate) panel: Panel,
    pub(crate) csrf: String,
    pub(crate) can_send: bool,
    pub(crate) can_write: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Status {
    Open,
    /// Until when, as text: "tomorrow, 9:00".
    Snoozed(String),
    Done,
}

impl Status {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Empty unless snoozed.
    pub(crate) fn until(&self) -> &str {
        match self {
            Self::Snoozed(until) => until,
            _ => "",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Assignee {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) face: Face,
    pub(crate) chosen: bool,
}

/// A moment to choose: "Tomorrow morning", "Sat 22 Nov, 9:00".
#[derive(Debug, Clone)]
pub(crate) struct Later {
    pub(crate) label: String,
    pub(crate) hint: String,
    /// RFC 3339, what the form posts.
    pub(crate) value: String,
}

/// One thing in the course of a conversation.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// A day begins: "Today", "Thursday 20 November".
    Day(String),
    /// Everything below has not been read.
    Unread,
    Message(Message),
    Note(Note),
    Quote(QuoteCard),
    Event(Event),
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) inbound: bool,
    pub(crate) channel: Channel,
    /// E-mail only; empty otherwise.
    pub(crate) subject: String,
    pub(crate) body: Vec<Span>,
    pub(crate) state: MessageState,
    pub(crate) moment: Moment,
    /// Who or what sent it: "Rosa", "sent by itself when the quote was made".
    pub(crate) by: String,
    /// Said after the time when it is worth saying: "SMS", "from the web form on /water-heaters".
    pub(crate) via: String,
    /// Why it is where it is: "Waiting: quiet hours in Perth until 9:00 tomorrow". Empty when all is well.
    pub(crate) sentence: String,
    /// Part of a run: the last of the run carries the line below.
    pub(crate) grouped: bool,
    pub(crate) can_cancel: bool,
    pub(crate) can_retry: bool,
    pub(crate) can_send_now: bool,
}

/// A stretch of a body: text, or a link found in it. Only `http`, `https`, `mailto` and `tel` reach here.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) text: String,
    pub(crate) href: Option<String>,
}

/// Where a message is, as shown. A finer reading of the ledger's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageState {
    Received,
    /// About to leave, nothing in its way.
    Queued,
    /// A gate said: not yet.
    Waiting,
    /// A person said: later.
    Scheduled,
    Sending,
    Sent,
    Delivered,
    Read,
    Undelivered,
    Failed,
    Blocked,
    Unknown,
    Canceled,
}

impl MessageState {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Received => "Received",
            Self::Queued => "Queued",
            Self::Waiting => "Waiting",
            Self::Scheduled => "Scheduled",
            Self::Sending => "Sending",
            Self::Sent => "Sent",
            Self::Delivered => "Delivered",
            Self::Read => "Read",
            Self::Undelivered => "Not delivered",
            Self::Failed => "Failed",
            Self::Blocked => "Blocked",
            Self::Unknown => "Unknown",
            Self::Canceled => "Canceled",
        }
    }

    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Received => "corner-down-left",
            Self::Queued | Self::Sending => "circle-dashed",
            Self::Waiting => "clock",
            Self::Scheduled => "calendar-clock",
            Self::Sent => "check",
            Self::Delivered | Self::Read => "check-check",
            Self::Undelivered | Self::Failed => "circle-alert",
            Self::Blocked => "ban",
            Self::Unknown => "circle-help",
            Self::Canceled => "circle-x",
        }
    }

    pub(crate) fn tone(self) -> Tone {
        match self {
            Self::Delivered => Tone::Good,
            Self::Read => Tone::Calm,
            Self::Waiting | Self::Scheduled | Self::Unknown => Tone::Wait,
            Self::Undelivered | Self::Failed | Self::Blocked => Tone::Stop,
            Self::Received | Self::Queued | Self::Sending | Self::Sent | Self::Canceled => Tone::Plain,
        }
    }

    /// Whether it has not left, or not as far as anybody knows: drawn with a dashed edge.
    pub(crate) fn held(self) -> bool {
        !matches!(self, Self::Received | Self::Sending | Self::Sent | Self::Delivered | Self::Read)
    }

    pub(crate) fn canceled(self) -> bool {
        self == Self::Canceled
    }

    /// Whether the gates have something to say about it.
    pub(crate) fn explained(self) -> bool {
        matches!(
            self,
            Self::Waiting
                | Self::Blocked
                | Self::Unknown
                | Self::Failed
                | Self::Undelivered
                | Self::Scheduled
        )
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) by: String,
    pub(crate) body: Vec<Span>,
    pub(crate) moment: Moment,
}

/// A quote where it was sent, with the message that carried it.
#[derive(Debug, Clone)]
pub(crate) struct QuoteCard {
    pub(crate) number: String,
    pub(crate) href: String,
    pub(crate) state: Tag,
    /// What and how much.
    pub(crate) lines: Vec<(String, String)>,
    /// "and 4 more"; empty when all lines are shown.
    pub(crate) more: String,
    pub(crate) total: String,
    pub(crate) message: Message,
}

/// Something that happened: "Rosa took this conversation", "Dana accepted quote 1042".
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) icon: &'static str,
    pub(crate) tone: Tone,
    pub(crate) text: String,
    pub(crate) moment: Moment,
}

/// The answer to "Why?".
#[derive(Debug, Clone)]
pub(crate) struct WhyView {
    pub(crate) message_id: String,
    pub(crate) conversation_href: String,
    pub(crate) sentence: String,
    /// The seven, in the order in which they were asked.
    pub(crate) gates: Vec<GateLine>,
}

#[derive(Debug, Clone)]
pub(crate) struct GateLine {
    /// "Quiet hours".
    pub(crate) label: String,
    pub(crate) verdict: Verdict,
    /// "21:00–9:00 in Perth; opens at 9:00 tomorrow".
    pub(crate) detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Waiting,
    Blocked,
    /// This kind of message is not subject to the gate, or an earlier gate had the last word.
    NotAsked,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Passed => "Open",
            Self::Waiting => "Not yet",
            Self::Blocked => "Never",
            Self::NotAsked => "Not asked",
        }
    }

    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Passed => "check",
            Self::Waiting => "clock",
            Self::Blocked => "ban",
            Self::NotAsked => "minus",
        }
    }

    pub(crate) fn tone(self) -> Tone {
        match self {
            Self::Passed => Tone::Good,
            Self::Waiting => Tone::Wait,
            Self::Blocked => Tone::Stop,
            Self::NotAsked => Tone::Plain,
        }
    }
}
