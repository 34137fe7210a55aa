//! The words every adapter shares: what goes out, what came of it, what was found later.
//!
//! Addresses are plain here: E.164 numbers, short codes, sender names or e-mail addresses. A carrier's own
//! spelling (`whatsapp:+61…`) is added and removed by its adapter; the channel says which it is.

use std::{fmt, str::FromStr, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    errors::{self, ErrorClass, Field, Retry},
    status::ProviderStatus,
};

/// The way a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    Sms,
    Whatsapp,
    Email,
}

impl Channel {
    /// The stored spelling: `sms`, `whatsapp`, `email`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
            Self::Email => "email",
        }
    }

    /// Splits a carrier address into its channel and the plain address.
    ///
    /// An address without a prefix is a phone number, hence SMS.
    pub fn split(address: &str) -> (Self, &str) {
        match address.strip_prefix(WHATSAPP_PREFIX) {
            Some(plain) => (Self::Whatsapp, plain),
            None => (Self::Sms, address),
        }
    }

    /// The prefix that Twilio puts before an address of this channel.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Whatsapp => WHATSAPP_PREFIX,
            Self::Sms | Self::Email => "",
        }
    }
}

const WHATSAPP_PREFIX: &str = "whatsapp:";

impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sms" => Ok(Self::Sms),
            "whatsapp" => Ok(Self::Whatsapp),
            "email" => Ok(Self::Email),
            _ => Err(UnknownChannel),
        }
    }
}

/// A channel name other than `sms`, `whatsapp` and `email`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the channel must be sms, whatsapp or email")]
pub struct UnknownChannel;

/// One message to hand to a carrier.
#[derive(Clone, PartialEq)]
pub struct Outgoing {
    /// Our own id. It travels in the callback URL, which is how a callback finds a message whose reply was lost.
    pub message_id: Uuid,
    pub channel: Channel,
    /// The sender. May be absent when a messaging service (Twilio) or a configured mailbox (SMTP) chooses it.
    pub from: Option<String>,
    pub to: String,
    pub body: String,
    /// Public URLs of pictures or files, at most ten with Twilio.
    pub media: Vec<String>,
    /// A WhatsApp content template. With one, `body` and `media` are not sent.
    pub content_sid: Option<String>,
    /// The template's values: an object whose values are strings.
    pub content_variables: Option<serde_json::Value>,
    pub status_callback: Option<String>,
    /// How long the carrier may keep trying, in seconds: 1 to 36,000 with Twilio.
    pub validity_seconds: Option<u32>,
    pub messaging_service_sid: Option<String>,
    /// E-mail only.
    pub subject: Option<String>,
    /// E-mail only: where a mail program's own button unsubscribes, by an empty `POST` (RFC 8058).
    pub unsubscribe_url: Option<String>,
}

impl Outgoing {
    /// A plain text message; set the other fields with `..`.
    pub fn text(
        message_id: Uuid,
        channel: Channel,
        from: impl Into<String>,
        to: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        Self {
            message_id,
            channel,
            from: Some(from.into()),
            to: to.into(),
            body: body.into(),
            media: Vec::new(),
            content_sid: None,
            content_variables: None,
            status_callback: None,
            validity_seconds: None,
            unsubscribe_url: None,
            messaging_service_sid: None,
            subject: None,
        }
    }
}

/// Shows neither the body nor the address, so that a stray `{:?}` in a log line leaks nothing.
impl fmt::Debug for Outgoing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Outgoing")
            .field("message_id", &self.message_id)
            .field("channel", &self.channel)
            .field("to", &format_args!("…{}", last_three(&self.to)))
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The last three characters of an address: as much of it as a log may hold.
pub(crate) fn last_three(address: &str) -> &str {
    let start = address.char_indices().rev().nth(2).map_or(0, |(at, _)| at);
    &address[start..]
}

/// What came of handing a message over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The carrier has it and answers for it from here on.
    Accepted {
        provider_message_id: String,
        /// `None` when the carrier does not know yet (a messaging service has not chosen its sender).
        segments: Option<u32>,
        /// The sender that was used, when the carrier told.
        from: Option<String>,
        status: ProviderStatus,
    },
    /// The carrier said no, and will say no again.
    Refused(Refusal),
    /// Proven not accepted, and worth another attempt: no connection, no name, no TLS, throttled, queue full.
    Retry {
        /// How long the carrier asked us to wait, or what its error code calls for.
        after: Option<Duration>,
        code: Option<u32>,
        detail: String,
    },
    /// The request may have been read: a timeout, a lost connection, a 5xx. Never send it again before
    /// [`Provider::find`](crate::Provider::find) or a callback has told what happened.
    Unknown { detail: String },
}

impl Outcome {
    /// The outcome of a request that the carrier certainly refused with `code`: `Retry` when the code says that
    /// time alone will help, `Refused` otherwise.
    pub fn from_code(code: Option<u32>, carrier_words: &str) -> Self {
        let refusal = Refusal::from_code(code, carrier_words);
        match (refusal.class, refusal.retry) {
            // A refusal by status, yet the code says that the carrier itself cannot be sure.
            (_, Retry::AfterReconciliation) => Self::Unknown { detail: refusal.detail },
            (ErrorClass::RetryLater, retry) => {
                Self::Retry { after: retry.first_delay(), code, detail: refusal.detail }
            }
            _ => Self::Refused(refusal),
        }
    }

    pub(crate) fn retry(detail: impl Into<String>) -> Self {
        Self::Retry { after: None, code: None, detail: detail.into() }
    }

    pub(crate) fn unknown(detail: impl Into<String>) -> Self {
        Self::Unknown { detail: detail.into() }
    }
}

/// A carrier's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: Option<u32>,
    pub class: ErrorClass,
    /// What a refusal with this code allows later, by a decision above this crate.
    pub retry: Retry,
    /// One or two sentences in plain words, fit for the screen.
    pub detail: String,
    /// The part of the message to look at, when one is to blame.
    pub field: Option<Field>,
}

impl Refusal {
    /// Explains a carrier's error code. A code that the table does not hold keeps the carrier's own words and is
    /// not retried.
    pub fn from_code(code: Option<u32>, carrier_words: &str) -> Self {
        match code.and_then(errors::explain) {
            Some(entry) => Self {
                code,
                class: entry.class,
                retry: entry.retry,
                detail: entry.words.to_owned(),
                field: entry.field,
            },
            None => Self {
                code,
                class: ErrorClass::Permanent,
                retry: Retry::Never,
                detail: errors::unknown_words(code, carrier_words),
                field: None,
            },
        }
    }

    pub(crate) fn configuration(detail: impl Into<String>, field: Field) -> Self {
        Self {
            code: None,
            class: ErrorClass::Configuration,
            retry: Retry::Never,
            detail: detail.into(),
            field: Some(field),
        }
    }

    pub(crate) fn permanent(detail: impl Into<String>, field: Option<Field>) -> Self {
        Self { code: None, class: ErrorClass::Permanent, retry: Retry::Never, detail: detail.into(), field }
    }
}

/// What the carrier charged for a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Millionths of the currency; what is charged is positive.
    pub micros: i64,
    /// ISO 4217.
    pub currency: String,
}

impl Price {
    /// Reads Twilio's spelling: `-0.00750`, `USD`. A charge is negative there. Empty until the carrier knows.
    pub fn read(amount: Option<&str>, unit: Option<&str>) -> Option<Self> {
        let currency = unit.map(str::trim).filter(|unit| unit.len() == 3)?.to_ascii_uppercase();
        let amount = amount?.trim();
        let digits = amount.strip_prefix('-').unwrap_or(amount);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 6 || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let six: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
        let micros = whole.parse::<i64>().ok()? * 1_000_000 + six.parse::<i64>().ok()?;
        Some(Self { micros, currency })
    }
}

/// Which messages to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    pub channel: Channel,
    /// The plain address.
    pub to: String,
    /// Only messages made at or after this instant, to the second, by the *carrier's* clock: subtract what our
    /// clock may be ahead.
    pub since: DateTime<Utc>,
}

/// A message as its carrier sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub provider_message_id: String,
    pub channel: Channel,
    pub to: String,
    /// `None` while a messaging service has not chosen a sender.
    pub from: Option<String>,
    pub body: String,
    /// The carrier's word for a status we do not know is kept out: such a message counts as `Accepted`, the
    /// lowest rank, because the carrier has it.
    pub status: ProviderStatus,
    pub error_code: Option<u32>,
    /// `None` until the carrier knows, which may be after the receipt.
    pub price: Option<Price>,
    /// To the second.
    pub created_at: DateTime<Utc>,
}

/// Why a carrier could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("the carrier could not be reached: {0}")]
    Unreachable(String),
    #[error("the carrier asks us to slow down")]
    Throttled { after: Option<Duration> },
    #[error("the carrier refused: {}", .0.detail)]
    Refused(Refusal),
    #[error("the carrier's answer makes no sense: {0}")]
    Malformed(String),
    #[error("{0} cannot list what it has sent")]
    Unsupported(&'static str),
}

#[cfg(test)]
mod tests {
    use super::Price;

    #[test]
    fn prices_are_read_exactly() {
        let read =
            |amount, unit| Price::read(Some(amount), Some(unit)).map(|price| (price.micros, price.currency));
        for (amount, micros) in
            [("-0.00750", 7_500), ("-0.0515", 51_500), ("0", 0), ("-1.5", 1_500_000), ("-0.00000019", 0)]
        {
            assert_eq!(read(amount, "usd"), Some((micros, "USD".to_owned())), "{amount}");
        }
        for amount in ["", "-", ".5", "1e3", "x", "--1", "9999999"] {
            assert_eq!(read(amount, "USD"), None, "{amount:?}");
        }
        assert_eq!(Price::read(None, Some("USD")), None);
        assert_eq!(Price::read(Some("-1"), None), None);
    }
}
