//! One message in the ledger: as it comes in, as it is kept, and as it is shown.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::arena::Span;
use crate::{
    magic::{self, VALID_SENDER},
    message::Channel,
    status::ProviderStatus,
};

/// From acceptance to `sent`.
pub(super) const SENT_AFTER: Duration = Duration::from_millis(40);

/// From acceptance to the last status.
pub(super) const ENDED_AFTER: Duration = Duration::from_millis(120);

/// A message's place, in the order of acceptance.
pub(super) type Index = u32;

/// A message about to be accepted; addresses as Twilio spells them.
pub(super) struct Entry<'a> {
    pub(super) account: &'a str,
    pub(super) to: &'a str,
    pub(super) from: Option<&'a str>,
    pub(super) service: Option<&'a str>,
    pub(super) body: &'a str,
    pub(super) callback: Option<&'a str>,
    pub(super) segments: u32,
    pub(super) media: u8,
    pub(super) is_scheduled: bool,
    pub(super) created_at: DateTime<Utc>,
}

/// A message as it is now.
pub(super) struct Message<'a> {
    pub(super) sid: Sid,
    pub(super) account: &'a str,
    pub(super) to: &'a str,
    /// The sender; `None` while a messaging service has not chosen one.
    pub(super) from: Option<&'a str>,
    pub(super) service: Option<&'a str>,
    /// As accepted, even after it was redacted.
    pub(super) body: &'a str,
    pub(super) is_redacted: bool,
    pub(super) callback: Option<&'a str>,
    pub(super) segments: u32,
    pub(super) media: u8,
    pub(super) created_at: DateTime<Utc>,
    pub(super) status: ProviderStatus,
    pub(super) error_code: Option<u32>,
}

/// A message's id: `SM` and 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Sid(pub(super) u64, pub(super) u64);

impl std::fmt::Display for Sid {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SM{:016x}{:016x}", self.0, self.1)
    }
}

pub(super) struct Record {
    pub(super) text: Span,
    pub(super) created_at: i64,
    /// Milliseconds since the start, by a clock that nobody moves.
    pub(super) accepted: u32,
    pub(super) previous_to: Index,
    pub(super) account: u32,
    pub(super) from: u32,
    pub(super) service: u32,
    pub(super) body_length: u16,
    pub(super) callback_length: u16,
    pub(super) to_length: u8,
    pub(super) segments: u8,
    pub(super) media: u8,
    pub(super) state: State,
}

/// What requests have done to a message since.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    pub(super) is_scheduled: bool,
    pub(super) is_canceled: bool,
    pub(super) is_redacted: bool,
    pub(super) is_deleted: bool,
}

/// The sender that a messaging service chooses, once it has; in the recipient's channel.
pub(super) fn pool_sender(to: &str, status: ProviderStatus) -> Option<&'static str> {
    const WHATSAPP_SENDER: &str = "whatsapp:+15005550006";
    let sender = if Channel::split(to).0 == Channel::Whatsapp { WHATSAPP_SENDER } else { VALID_SENDER };
    (status.rank() >= ProviderStatus::Sent.rank() && status != ProviderStatus::Canceled).then_some(sender)
}

impl Record {
    /// The status at an age, told from the recipient's digits and from what requests have done.
    pub(super) fn status(&self, to: &str, age: Duration) -> (ProviderStatus, Option<u32>) {
        if self.state.is_canceled {
            return (ProviderStatus::Canceled, None);
        }
        if self.state.is_scheduled {
            return (ProviderStatus::Scheduled, None);
        }
        let ending = magic::ending(Channel::split(to).1);
        match ending.last {
            Some(last) if age >= ENDED_AFTER => (last, ending.error_code),
            _ if ending.sent && age >= SENT_AFTER => (ProviderStatus::Sent, None),
            _ if self.service != 0 => (ProviderStatus::Accepted, None),
            _ => (ProviderStatus::Queued, None),
        }
    }
}
