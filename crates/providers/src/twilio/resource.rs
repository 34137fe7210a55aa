//! The Message resource as Twilio writes it in JSON, and error answers (Twilio Docs: Message resource).
//!
//! Numbers arrive as text and dates as RFC 2822; unknown members are ignored, because Twilio adds some.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::{
    message::{Channel, Found, Price},
    status::ProviderStatus,
};

/// Whether `sid` is `SM` or `MM` and 32 hexadecimal digits, in either case.
pub(crate) fn is_message_sid(sid: &str) -> bool {
    sid.len() == 34
        && matches!(&sid.as_bytes()[..2], b"SM" | b"MM" | b"sm" | b"mm")
        && sid.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit())
}

/// What the answer to a create request is read for. Borrowing keeps it free of allocations until it is needed.
#[derive(Deserialize)]
pub(super) struct Created<'a> {
    #[serde(borrow)]
    pub(super) sid: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) num_segments: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) from: Option<Cow<'a, str>>,
}

/// A message as fetched or listed.
#[derive(Deserialize)]
pub(super) struct MessageResource {
    sid: String,
    to: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    body: Option<String>,
    status: String,
    #[serde(default)]
    error_code: Option<u32>,
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    price_unit: Option<String>,
    date_created: String,
}

impl MessageResource {
    /// `None` when the date cannot be read.
    pub(super) fn into_found(self) -> Option<Found> {
        let created_at: DateTime<Utc> = DateTime::parse_from_rfc2822(&self.date_created).ok()?.to_utc();
        let (channel, to) = Channel::split(&self.to);
        Some(Found {
            provider_message_id: self.sid,
            channel,
            to: to.to_owned(),
            from: self.from.map(|from| Channel::split(&from).1.to_owned()),
            body: self.body.unwrap_or_default(),
            status: self.status.parse().unwrap_or(ProviderStatus::Accepted),
            error_code: self.error_code,
            price: Price::read(self.price.as_deref(), self.price_unit.as_deref()),
            created_at,
        })
    }
}

/// One page of the list.
#[derive(Deserialize)]
pub(super) struct MessagePage {
    pub(super) messages: Vec<MessageResource>,
    #[serde(default)]
    pub(super) next_page_uri: Option<String>,
}

/// An error answer, in the classic shape or in that of Twilio's newer products; both name code and message alike.
#[derive(Deserialize, Default)]
pub(super) struct ErrorBody {
    #[serde(default)]
    pub(super) code: Option<u32>,
    #[serde(default)]
    pub(super) message: Option<String>,
}

impl ErrorBody {
    /// Reads what can be read: a gateway's HTML page or an empty body has neither code nor message.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }
}
