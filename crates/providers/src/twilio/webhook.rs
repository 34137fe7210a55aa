//! What Twilio posts to us: inbound messages and status callbacks (Twilio Docs: Request to your incoming message
//! webhook; Outbound message status in status callbacks).
//!
//! Parsing never panics, whatever the pairs, and keeps to what the product uses: unknown parameters are ignored
//! here (the signature, which must cover them, is checked before, over all pairs). Texts are the sender's, to be
//! escaped wherever they are shown.

use crate::{
    message::{Channel, Price},
    status::{ProviderStatus, UnknownStatus},
    twilio::resource::is_message_sid,
};

/// A webhook of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Webhook {
    Inbound(Box<InboundMessage>),
    Status(StatusCallback),
}

/// Somebody wrote to us. Addresses are plain; `channel` tells what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// The key to deduplicate on.
    pub message_sid: String,
    /// To be believed only after the signature was verified with this account's token.
    pub account_sid: Option<String>,
    pub messaging_service_sid: Option<String>,
    pub channel: Channel,
    pub from: String,
    pub to: String,
    /// May be empty, and is kept to the byte: nothing is trimmed.
    pub body: String,
    pub media: Vec<Media>,
    pub segments: Option<u32>,
    /// Set by Twilio only when Advanced Opt-Out is on for the messaging service.
    pub opt_out_type: Option<OptOutType>,
    /// WhatsApp: the name people gave themselves.
    pub profile_name: Option<String>,
    /// WhatsApp: the account's digits, which can differ from the number that was dialled.
    pub whatsapp_id: Option<String>,
    pub button_text: Option<String>,
    pub button_payload: Option<String>,
    /// The chosen entry of a list picker.
    pub list_id: Option<String>,
    /// The message that this one quotes.
    pub replied_to_sid: Option<String>,
    pub location: Option<Location>,
    /// The advertisement that a WhatsApp conversation started from.
    pub referral_url: Option<String>,
}

/// A picture or file; the URL may need the account's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub url: String,
    pub content_type: Option<String>,
}

/// A shared place; the numbers stay the text that they arrived as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub latitude: String,
    pub longitude: String,
    pub label: Option<String>,
    pub address: Option<String>,
}

/// How Twilio itself understood the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOutType {
    Stop,
    Start,
    Help,
}

/// A message of ours got further. Twins, latecomers and overtakers are normal: see [`ProviderStatus::supersedes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCallback {
    pub message_sid: String,
    pub account_sid: Option<String>,
    pub messaging_service_sid: Option<String>,
    pub status: ProviderStatus,
    pub error_code: Option<u32>,
    /// Twilio's own words, or those of the channel behind it.
    pub error_message: Option<String>,
    pub channel: Channel,
    pub from: Option<String>,
    pub to: Option<String>,
    /// Where the callback tells it; usually the Message resource does, later.
    pub price: Option<Price>,
    /// The carrier's own time of receipt, `YYMMDDhhmm`, zone unknown.
    pub carrier_receipt: Option<String>,
}

/// Why a webhook makes no sense. Answer 400: sending it again would not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    #[error("MessageSid is not a message id")]
    InvalidSid,
    #[error("MessageStatus is {0}")]
    Status(#[from] UnknownStatus),
    #[error("the address belongs to a channel that is not handled")]
    Channel,
    #[error("neither an inbound message nor a status callback")]
    Neither,
}

/// Twilio sends at most this many media.
const MAXIMUM_MEDIA: usize = 10;

/// Decodes a form body or a query into pairs, in order, repeats included: what the signature is checked over.
pub fn parse_form(body: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(body).into_owned().collect()
}

/// Tells what a webhook says.
///
/// # Errors
/// When it is neither an inbound message nor a status callback, or lacks what identifies it.
pub fn parse(pairs: &[(String, String)]) -> Result<Webhook, WebhookError> {
    let fields = Fields(pairs);
    match fields.filled("MessageStatus").or_else(|| fields.filled("SmsStatus")) {
        Some("received" | "receiving") => inbound(&fields),
        Some(word) => status(&fields, word),
        None if fields.first("Body").is_some() || fields.first("NumMedia").is_some() => inbound(&fields),
        None => Err(WebhookError::Neither),
    }
}

fn inbound(fields: &Fields<'_>) -> Result<Webhook, WebhookError> {
    let message_sid = fields.message_sid()?;
    let (channel, from) = split(fields.filled("From").ok_or(WebhookError::Missing("From"))?)?;
    let (_, to) = split(fields.filled("To").ok_or(WebhookError::Missing("To"))?)?;
    Ok(Webhook::Inbound(Box::new(InboundMessage {
        message_sid,
        account_sid: fields.owned("AccountSid"),
        messaging_service_sid: fields.owned("MessagingServiceSid"),
        channel,
        from: from.to_owned(),
        to: to.to_owned(),
        body: fields.first("Body").unwrap_or_default().to_owned(),
        media: media(fields),
        segments: fields.number("NumSegments"),
        opt_out_type: fields.filled("OptOutType").and_then(|word| match word {
            "STOP" => Some(OptOutType::Stop),
            "START" => Some(OptOutType::Start),
            "HELP" => Some(OptOutType::Help),
            _ => None,
        }),
        profile_name: fields.owned("ProfileName"),
        whatsapp_id: fields.owned("WaId"),
        button_text: fields.owned("ButtonText"),
        button_payload: fields.owned("ButtonPayload"),
        list_id: fields.owned("ListId"),
        replied_to_sid: fields.owned("OriginalRepliedMessageSid"),
        location: location(fields),
        referral_url: fields.owned("ReferralSourceUrl"),
    })))
}

fn media(fields: &Fields<'_>) -> Vec<Media> {
    let count = fields.number("NumMedia").map_or(0, |count| (count as usize).min(MAXIMUM_MEDIA));
    (0..count)
        .filter_map(|nth| {
            let url = fields.owned(&format!("MediaUrl{nth}"))?;
            Some(Media { url, content_type: fields.owned(&format!("MediaContentType{nth}")) })
        })
        .collect()
}

fn location(fields: &Fields<'_>) -> Option<Location> {
    Some(Location {
        latitude: fields.owned("Latitude")?,
        longitude: fields.owned("Longitude")?,
        label: fields.owned("Label"),
        address: fields.owned("Address"),
    })
}

fn status(fields: &Fields<'_>, word: &str) -> Result<Webhook, WebhookError> {
    let to = fields.filled("To").map(split).transpose()?;
    let from = fields.filled("From").map(split).transpose()?;
    Ok(Webhook::Status(StatusCallback {
        message_sid: fields.message_sid()?,
        account_sid: fields.owned("AccountSid"),
        messaging_service_sid: fields.owned("MessagingServiceSid"),
        status: word.parse()?,
        // A code of 0 is how some callbacks say that there is none.
        error_code: fields.number("ErrorCode").filter(|code| *code != 0),
        error_message: fields.owned("ErrorMessage").or_else(|| fields.owned("ChannelStatusMessage")),
        channel: to.or(from).map_or(Channel::Sms, |(channel, _)| channel),
        from: from.map(|(_, plain)| plain.to_owned()),
        to: to.map(|(_, plain)| plain.to_owned()),
        price: Price::read(fields.filled("Price"), fields.filled("PriceUnit")),
        carrier_receipt: fields.owned("RawDlrDoneDate"),
    }))
}

/// Splits an address; Twilio has more channels (`messenger:`, `rcs:` …) than the product speaks.
fn split(address: &str) -> Result<(Channel, &str), WebhookError> {
    let (channel, plain) = Channel::split(address);
    if plain.is_empty() || plain.contains(':') { Err(WebhookError::Channel) } else { Ok((channel, plain)) }
}

/// The pairs by name; of a repeated name the first counts. A webhook has some twenty pairs, so that looking
/// through them beats building a map.
struct Fields<'a>(&'a [(String, String)]);

impl<'a> Fields<'a> {
    fn first(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Twilio sends many parameters with empty values: those count as absent.
    fn filled(&self, name: &str) -> Option<&'a str> {
        self.first(name).filter(|value| !value.is_empty())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.filled(name).map(str::to_owned)
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.filled(name)?.parse().ok()
    }

    fn message_sid(&self) -> Result<String, WebhookError> {
        let sid = self.filled("MessageSid").or_else(|| self.filled("SmsSid"));
        let sid = sid.ok_or(WebhookError::Missing("MessageSid"))?;
        if is_message_sid(sid) { Ok(sid.to_owned()) } else { Err(WebhookError::InvalidSid) }
    }
}

#[cfg(test)]
mod tests;
