//! What a campaign says to each: its templates in turn, the way out, short links.

use patchbay_rules::{consent, message::Channel};
use serde_json::Value;
use uuid::Uuid;

use super::{Campaign, sql};
use crate::{
    db::TenantTx,
    error::{Error, Result},
    templates::{self, Press, Reader, Words},
    tenants::settings::Settings,
};

/// The words of `campaign`: the approved ones, else those of its templates as they are now.
///
/// # Errors
/// Invalid: no template, one that is gone or put away, of another channel, or that WhatsApp has not approved.
pub(super) async fn words(tx: &mut TenantTx, campaign: &Campaign) -> Result<Vec<Words>> {
    if let Some(approved) = &campaign.content {
        return Ok(serde_json::from_value(approved.clone())?);
    }
    if campaign.template_ids.is_empty() {
        return Err(Error::field("template_ids", "Choose what to send."));
    }
    choose(tx, campaign.channel, &campaign.template_ids).await
}

/// Whether these templates can be sent on this channel.
///
/// # Errors
/// As of [`words`].
pub(super) async fn check(tx: &mut TenantTx, channel: Channel, ids: &[Uuid]) -> Result<()> {
    choose(tx, channel, ids).await.map(drop)
}

async fn choose(tx: &mut TenantTx, channel: Channel, ids: &[Uuid]) -> Result<Vec<Words>> {
    let found = templates::find_all(tx, ids).await?;
    let chosen = ids.iter().map(|id| {
        let template = found.iter().find(|template| template.id == *id && template.archived_at.is_none());
        let wrong = |message: String| Err(Error::field("template_ids", message));
        match template {
            None => wrong("One of the templates does not exist any more.".to_owned()),
            Some(template) if template.channel != channel => {
                wrong(format!("{} is written for another channel.", template.name))
            }
            Some(template) if channel == Channel::Whatsapp && template.content_sid.is_none() => {
                wrong(format!("{} has not been approved by WhatsApp yet.", template.name))
            }
            Some(template) => Ok(Words::from(template.clone())),
        }
    });
    chosen.collect()
}

/// Why a gate keeps messages, in a few words; `code` is that of the reason, where one gate has several.
pub(crate) fn reason(gate: &str, code: Option<&str>) -> &'static str {
    match code.unwrap_or_default() {
        "campaign_paused" => return "The campaign is paused",
        "sending_off" => return "Sending is stopped",
        "sender_off" => return "The sender is switched off",
        "name_not_registered" => return "The sender name is not registered",
        "do_not_contact" => return "On the do-not-contact list",
        "unsubscribed" => return "Opted out",
        "not_subscribed" => return "Never agreed to marketing",
        "consent_ended" => return "Their consent has ended",
        "too_many" => return "Was sent enough texts of late",
        _ => {}
    }
    match gate {
        "kill_switch" => "Sending, or the sender, is stopped",
        "budget" => "Budget is used up",
        "do_not_contact" => "No consent, or asked not to be contacted",
        "suppression_window" => "Had a campaign lately",
        "quiet_hours" => "Not at this hour or day where they live",
        "rate_limit" => "In line: so many a second",
        "warm_up" => "Number is still warming up",
        "template" => "Something the text needs is missing",
        "address" => "No address for this channel",
        _ => "Held back",
    }
}

/// Why somebody without an address cannot be written to.
pub(super) fn no_address(channel: Channel) -> &'static str {
    if channel == Channel::Email {
        "This contact has no e-mail address."
    } else {
        "This contact has no phone number."
    }
}

/// Whoever writes a campaign's messages.
pub(super) struct Writer {
    pub channel: Channel,
    /// The sender's address, where one was chosen.
    pub from: Option<String>,
    presses: Vec<Press>,
    country: String,
    own_line: Option<String>,
    can_be_answered: bool,
}

/// A message before its way out and its links are in place.
pub(super) struct Page {
    pub template_id: Uuid,
    pub body: String,
    pub subject: Option<String>,
    pub content_sid: Option<String>,
    pub content_variables: Option<Value>,
    /// The way out that the text lacks.
    pub lacks: Option<WayOut>,
}

/// How a recipient may opt out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WayOut {
    /// A line of words.
    Line,
    /// A line with a link of the recipient's own.
    Link,
}

impl Writer {
    /// # Errors
    /// As of [`words`]; a sender that is gone.
    pub async fn load(tx: &mut TenantTx, campaign: &Campaign, settings: &Settings) -> Result<Self> {
        let words = words(tx, campaign).await?;
        let channel = campaign.channel;
        let from = match campaign.sender_id {
            Some(sender) => Some(
                sql::sender_address(tx, sender, channel.as_str())
                    .await?
                    .ok_or_else(|| Error::field("sender_id", "This sender cannot be used any more."))?,
            ),
            None => None,
        };
        let leaving = match &from {
            Some(address) => Some(address.clone()),
            None => sql::default_address(tx, channel.as_str()).await?,
        };
        Ok(Self {
            channel,
            presses: words.into_iter().map(|words| Press::new(words, channel)).collect::<Result<_>>()?,
            country: settings.country.clone(),
            own_line: settings.opt_out_line.clone(),
            // A name as a sender cannot be answered, and nobody reads answers to a newsletter as opt-outs.
            can_be_answered: channel != Channel::Email
                && leaving.is_none_or(|address| {
                    address.bytes().any(|b| b.is_ascii_digit())
                        && !address.bytes().any(|b| b.is_ascii_alphabetic())
                }),
            from,
        })
    }

    /// How many texts take turns.
    pub fn versions(&self) -> usize {
        self.presses.len()
    }

    /// One of the texts.
    pub fn words(&self, turn: usize) -> &Words {
        &self.presses[turn].words
    }

    /// The words for the recipient at `position`, or in a sentence why there are none.
    pub fn write(&self, position: i64, reader: &Reader) -> Result<Page, String> {
        let turn = usize::try_from(position).unwrap_or_default() % self.presses.len();
        let press = &self.presses[turn];
        let printed = press.print(reader)?;
        let lacks = match self.channel {
            // An approved template is sent as it is.
            Channel::Whatsapp => None,
            _ if self.can_be_answered && consent::says_how_to_opt_out(&printed.body) => None,
            _ if self.can_be_answered => Some(WayOut::Line),
            _ => Some(WayOut::Link),
        };
        Ok(Page {
            template_id: press.words.template_id,
            body: printed.body,
            subject: printed.subject,
            content_sid: press.words.content_sid.clone(),
            content_variables: printed.content_variables,
            lacks,
        })
    }

    /// Adds the line that the text lacks. `country` is the recipient's, `link` the recipient's own.
    pub fn add_way_out(
        &self,
        page: &mut Page,
        country: Option<&str>,
        link: Option<&str>,
    ) -> Result<(), String> {
        let Some(lacks) = page.lacks else { return Ok(()) };
        let country = country.unwrap_or(&self.country);
        let line = match (&self.own_line, lacks) {
            (Some(own), WayOut::Line) => Some(own.clone()),
            _ => consent::opt_out_line(country, lacks == WayOut::Line, link),
        };
        let line = line.ok_or_else(|| {
            "This sender cannot be answered, so the message needs an opt-out link; short links are not set up."
                .to_owned()
        })?;
        page.body.push('\n');
        page.body.push_str(&line);
        page.lacks = None;
        Ok(())
    }
}
