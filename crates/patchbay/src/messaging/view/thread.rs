//! One conversation: its head and, in order of time, everything said, noted and done in it.

use crate::web::parts::{Face, Moment, Tag, Tone};

use super::composer::Composer;
use super::panel::Panel;

#[derive(Debug, Clone)]
pub struct ConversationView {
    pub id: String,
    /// The person's name, or the number when there is no name.
    pub name: String,
    pub contact_href: String,
    /// Path and query that answer with this very conversation.
    pub live_src: String,
    /// Where the list is, for the way back on a phone.
    pub back: String,
    pub status: Status,
    /// Stage, unsubscribed, archived: beside the name.
    pub tags: Vec<Tag>,
    pub assignee: Option<Assignee>,
    pub members: Vec<Assignee>,
    pub snoozes: Vec<Later>,
    pub entries: Vec<Entry>,
    /// Path of the entries before the first one shown.
    pub earlier: Option<String>,
    pub unread: bool,
    /// What a person should decide: whether these words were an opt-out. Empty when nothing is to be decided.
    pub review: String,
    pub composer: Composer,
    pub panel: Panel,
    pub csrf: String,
    pub can_send: bool,
    pub can_write: bool,
}

#[derive(Debug, Clone)]
pub enum Status {
    Open,
    /// Until when, as text: "tomorrow, 9:00".
    Snoozed(String),
    Done,
}

impl Status {
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Empty unless snoozed.
    pub fn until(&self) -> &str {
        match self {
            Self::Snoozed(until) => until,
            _ => "",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Assignee {
    pub id: String,
    pub name: String,
    pub face: Face,
    pub chosen: bool,
}

impl Assignee {
    /// As colleagues say it: the first name.
    pub fn first(&self) -> &str {
        self.name.split_whitespace().next().unwrap_or(&self.name)
    }
}

/// A moment to choose: "Tomorrow morning", "Sat 22 Nov, 9:00".
#[derive(Debug, Clone)]
pub struct Later {
    pub label: String,
    pub hint: String,
    /// RFC 3339, what the form posts.
    pub value: String,
}

/// One thing in the course of a conversation.
#[derive(Debug, Clone)]
pub enum Entry {
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
pub struct Message {
    pub id: String,
    pub inbound: bool,
    /// E-mail only; empty otherwise.
    pub subject: String,
    pub body: Vec<Span>,
    pub state: MessageState,
    pub moment: Moment,
    /// Who or what sent it: "Rosa", "sent by itself when the quote was made".
    pub by: String,
    /// Said after the time when it is worth saying: "SMS", "from the web form on /water-heaters".
    pub via: String,
    /// Why it is where it is: "Waiting: quiet hours in Perth until 9:00 tomorrow". Empty when all is well.
    pub sentence: String,
    /// Part of a run: the last of the run carries the line below.
    pub grouped: bool,
    pub can_cancel: bool,
    pub can_retry: bool,
    pub can_send_now: bool,
}

/// A stretch of a body: text, or a link found in it. Only `http`, `https`, `mailto` and `tel` reach here.
#[derive(Debug, Clone)]
pub struct Span {
    pub text: String,
    pub href: Option<String>,
}

/// Where a message is, as shown. A finer reading of the ledger's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
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
    pub fn word(self) -> &'static str {
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

    pub fn icon(self) -> &'static str {
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

    pub fn tone(self) -> Tone {
        match self {
            Self::Delivered => Tone::Good,
            Self::Read => Tone::Calm,
            Self::Waiting | Self::Scheduled | Self::Unknown => Tone::Wait,
            Self::Undelivered | Self::Failed | Self::Blocked => Tone::Stop,
            Self::Received | Self::Queued | Self::Sending | Self::Sent | Self::Canceled => Tone::Plain,
        }
    }

    /// Whether it has not left, or not as far as anybody knows: drawn with a dashed edge.
    pub fn held(self) -> bool {
        !matches!(self, Self::Received | Self::Sending | Self::Sent | Self::Delivered | Self::Read)
    }

    pub fn canceled(self) -> bool {
        self == Self::Canceled
    }

    /// Whether the gates have something to say about it.
    pub fn explained(self) -> bool {
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
pub struct Note {
    pub id: String,
    pub by: String,
    pub body: Vec<Span>,
    /// As it was typed, for who may change it; `None` for everybody else.
    pub own: Option<String>,
    pub edited: bool,
    pub moment: Moment,
}

/// A quote where it was sent, with the message that carried it.
#[derive(Debug, Clone)]
pub struct QuoteCard {
    pub number: String,
    pub href: String,
    pub state: Tag,
    /// What and how much.
    pub lines: Vec<(String, String)>,
    /// "and 4 more"; empty when all lines are shown.
    pub more: String,
    pub total: String,
    pub message: Message,
}

/// Something that happened: "Rosa took this conversation", "Dana accepted quote 1042".
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub icon: &'static str,
    pub tone: Tone,
    pub text: String,
    pub moment: Moment,
}

/// The answer to "Why?".
#[derive(Debug, Clone)]
pub struct WhyView {
    pub conversation_href: String,
    pub sentence: String,
    /// The seven, in the order in which they were asked.
    pub gates: Vec<GateLine>,
}

#[derive(Debug, Clone)]
pub struct GateLine {
    /// "Quiet hours".
    pub label: String,
    pub verdict: Verdict,
    /// "21:00–9:00 in Perth; opens at 9:00 tomorrow".
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Waiting,
    Blocked,
    /// This kind of message is not subject to the gate, or an earlier gate had the last word.
    NotAsked,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "Fine",
            Self::Waiting => "Not yet",
            Self::Blocked => "Never",
            Self::NotAsked => "Not needed",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Passed => "check",
            Self::Waiting => "clock",
            Self::Blocked => "ban",
            Self::NotAsked => "minus",
        }
    }

    pub fn tone(self) -> Tone {
        match self {
            Self::Passed => Tone::Good,
            Self::Waiting => Tone::Wait,
            Self::Blocked => Tone::Stop,
            Self::NotAsked => Tone::Plain,
        }
    }
}
