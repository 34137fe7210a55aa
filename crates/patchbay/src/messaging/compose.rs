//! Writing to a contact: the roads there are, what stands in the way of each, and a message on its way.
//!
//! Promises: the same form sent twice is one message; who asked not to be written to is not, and the answer says who
//! and when; outside WhatsApp's 24 hours only an approved template leaves. Does not: decide the gates, which are
//! asked when the message is due.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    calendar,
    message::{Channel, Kind},
    quiet_hours::{self, QuietDecision, Window},
    zones::{self, ZoneFacts},
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Intent, Queued, enqueue,
    sql::{
        inbox::{self, ConversationRow},
        thread::{self as sql, ConsentRow, ListedRow},
    },
};
use crate::{
    app::App,
    auth::{Caller, Role},
    contacts::{self, Contact},
    db::TenantTx,
    error::{Error, Result},
    templates,
};

/// How long a WhatsApp message of the contact opens free-form answers (WhatsApp Business Platform Docs: customer
/// service window).
const WHATSAPP_WINDOW: TimeDelta = TimeDelta::hours(24);

/// How far ahead a message may be put off.
pub const FURTHEST: TimeDelta = TimeDelta::days(366);

/// What stands in the way on one channel.
#[derive(Debug, Clone)]
pub enum Obstacle {
    /// The contact said no on this channel.
    Unsubscribed(ConsentRow),
    /// The number is on the do-not-contact list.
    Listed(ListedRow),
    /// The contact wrote from a short code or a sender's name, which takes no answer, and has no number.
    OneWay,
    /// There is nothing to send from.
    NoSender,
    /// WhatsApp's 24 hours are over, or never began.
    WindowClosed(Option<DateTime<Utc>>),
}

/// One way of reaching the contact.
#[derive(Debug, Clone)]
pub struct Road {
    pub channel: Channel,
    /// E.164 or e-mail.
    pub address: String,
    /// Our number; `None` where the shared account decides.
    pub from: Option<String>,
    pub obstacle: Option<Obstacle>,
}

/// Everything one has to know before writing to a contact.
#[derive(Debug, Clone)]
pub struct Desk {
    pub roads: Vec<Road>,
    /// The channel on which an answer is expected.
    pub usual: Option<Channel>,
    /// The contact's zone; the business's own while nothing tells.
    pub zone: Tz,
    /// Whether `zone` is the contact's only candidate.
    pub zone_known: bool,
    /// Set while it is too early or too late there: until when, and where.
    pub quiet: Option<(DateTime<Utc>, Tz)>,
    /// Whether quiet hours hold what a person types as well.
    pub quiet_binds: bool,
    pub prices: Value,
    /// Where consent stands, for the channels on which anything is known.
    pub consents: Vec<ConsentRow>,
    pub listed: Option<ListedRow>,
}

impl Desk {
    /// Whether the contact has unsubscribed from any channel.
    pub fn is_unsubscribed(&self) -> bool {
        self.consents.iter().any(|consent| consent.state == "unsubscribed")
    }

    /// The road of a channel.
    pub fn road(&self, channel: Channel) -> Option<&Road> {
        self.roads.iter().find(|road| road.channel == channel)
    }

    /// The road that is offered first: where the contact wrote last if it is open, else the first open one.
    pub fn first(&self) -> Option<Channel> {
        let usual = self.usual.and_then(|channel| self.road(channel)).or_else(|| self.roads.first())?;
        let open = |road: &&Road| road.obstacle.is_none();
        // An opt-out is not something to walk around by another channel.
        let refused = matches!(usual.obstacle, Some(Obstacle::Unsubscribed(_) | Obstacle::Listed(_)));
        Some(if refused {
            usual.channel
        } else {
            Some(usual).filter(open).or_else(|| self.roads.iter().find(open)).unwrap_or(usual).channel
        })
    }
}

/// Looks at the roads to `contact`.
pub async fn desk(
    tx: &mut TenantTx,
    app: &App,
    caller: &Caller,
    contact: &Contact,
    conversation: Option<&ConversationRow>,
) -> Result<Desk> {
    let now = app.now();
    let sending = sql::sending(tx).await?;
    let consents = sql::consents(tx, contact.phone_e164.as_deref(), contact.email.as_deref()).await?;
    let listed = match &contact.phone_e164 {
        Some(phone) => sql::listed(tx, phone).await?,
        None => None,
    };
    let resolved = zones::resolve(&ZoneFacts {
        explicit: contact.timezone.as_deref().and_then(|zone| zone.parse().ok()),
        country: contact.country.as_deref(),
        state: contact.state.as_deref(),
        postal: contact.postal.as_deref(),
        phone_e164: contact.phone_e164.as_deref(),
        tenant: caller.tenant.timezone,
    });
    let window = sending.quiet_start.zip(sending.quiet_end).map(|(start, end)| Window { start, end });
    let quiet = match quiet_hours::check(now, &resolved.zones, window, None) {
        QuietDecision::Open => None,
        QuietDecision::Quiet { until, zone } => Some((until, zone)),
    };
    let (zone, zone_known) = match resolved.zones.as_slice() {
        [only] => (*only, resolved.source != zones::ZoneSource::Tenant),
        _ => (caller.tenant.timezone, false),
    };
    let senders: Vec<(&str, &str)> = sending
        .sender_channels
        .iter()
        .zip(&sending.sender_addresses)
        .map(|(channel, address)| (channel.as_str(), address.as_str()))
        .collect();
    let mut roads = Vec::new();
    for channel in [Channel::Sms, Channel::Whatsapp, Channel::Email] {
        let used = conversation.is_some_and(|c| c.last_channel.as_deref() == Some(channel.as_str()));
        let known = if channel == Channel::Email { &contact.email } else { &contact.phone_e164 };
        let one_way = known.is_none() && channel != Channel::Email && used;
        let address = match known {
            Some(address) => address.clone(),
            None if one_way => contact.display_name(),
            None => continue,
        };
        let own = |address: &str| senders.iter().any(|sender| *sender == (channel.as_str(), address));
        let replies_from = conversation
            .filter(|c| c.reply_channel.as_deref() == Some(channel.as_str()))
            .and_then(|c| c.reply_from.as_deref());
        let default = senders.iter().find(|(of, _)| *of == channel.as_str()).map(|(_, address)| *address);
        let from = replies_from.filter(|from| own(from)).or(default).map(str::to_owned);
        let shared = match channel {
            Channel::Sms => app.config.twilio.is_some(),
            Channel::Whatsapp => false,
            Channel::Email => app.config.smtp_url.is_some(),
        };
        // Text messages are always spoken of; the other channels where a business has them.
        if from.is_none() && !shared && !used && channel != Channel::Sms {
            continue;
        }
        let refused = consents
            .iter()
            .find(|consent| consent.channel == channel.as_str() && consent.state == "unsubscribed");
        let obstacle = match (refused, &listed) {
            _ if one_way => Some(Obstacle::OneWay),
            (Some(consent), _) => Some(Obstacle::Unsubscribed(consent.clone())),
            (None, Some(listed)) if channel != Channel::Email => Some(Obstacle::Listed(listed.clone())),
            _ if from.is_none() && !shared => Some(Obstacle::NoSender),
            _ if channel == Channel::Whatsapp => {
                let wrote = conversation.and_then(|c| c.whatsapp_inbound_at);
                wrote.is_none_or(|at| now - at >= WHATSAPP_WINDOW).then_some(Obstacle::WindowClosed(wrote))
            }
            _ => None,
        };
        roads.push(Road { channel, address, from, obstacle });
    }
    let word = conversation.and_then(|c| c.reply_channel.as_deref().or(c.last_channel.as_deref()));
    let usual = word
        .and_then(|word| word.parse().ok())
        .filter(|channel| roads.iter().any(|road| road.channel == *channel));
    let quiet_binds = sending.quiet_binds_people;
    Ok(Desk { roads, usual, zone, zone_known, quiet, quiet_binds, prices: sending.prices, consents, listed })
}

/// When a message is to leave, as a form says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum When {
    #[default]
    Now,
    /// Not before this instant.
    At(DateTime<Utc>),
    /// Not before this moment on the contact's clock.
    There(NaiveDateTime),
}

/// What a person wrote.
#[derive(Debug, Clone)]
pub struct Draft {
    pub channel: Channel,
    pub subject: Option<String>,
    pub body: String,
    pub template_id: Option<Uuid>,
    pub when: When,
    /// Made with the form: the same form sent twice is one message. `None` makes every call a new one.
    pub nonce: Option<String>,
}

/// Queues what a person wrote.
///
/// # Errors
/// Not found; invalid `body`, `subject`, `channel`, `send_at`; a conflict in a sentence for what stands in the way.
pub async fn write(app: &App, caller: &Caller, contact: Uuid, draft: Draft) -> Result<Queued> {
    caller.need(Role::Member)?;
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::find(&mut tx, contact).await?.ok_or(Error::NotFound("conversation"))?;
    if contact.merged_into.is_some() {
        return Err(Error::conflict("This contact became part of another one. Write there."));
    }
    let conversation = inbox::find(&mut tx, contact.id).await?;
    let desk = desk(&mut tx, app, caller, &contact, conversation.as_ref()).await?;
    let road = desk.road(draft.channel).ok_or_else(|| Error::field("channel", no_road(draft.channel)))?;
    let approved = match draft.template_id {
        Some(id) => templates::approved(&mut tx, app, id, contact.id)
            .await?
            .filter(|_| draft.channel == Channel::Whatsapp),
        None => None,
    };
    match &road.obstacle {
        None => {}
        Some(Obstacle::WindowClosed(_)) if approved.is_some() => {}
        Some(obstacle) => return Err(Error::conflict(refusal(obstacle, &contact))),
    }
    let body = draft.body.replace("\r\n", "\n");
    if body.trim().is_empty() {
        return Err(Error::field("body", "Write a message."));
    }
    if draft.channel == Channel::Email && body.chars().count() > 100_000 {
        return Err(Error::field("body", "An e-mail can be 100,000 characters at most."));
    }
    let subject = draft
        .subject
        .map(|subject| subject.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|subject| !subject.is_empty());
    if subject.as_ref().is_some_and(|subject| subject.chars().count() > 200) {
        return Err(Error::field("subject", "A subject can be 200 characters at most."));
    }
    let send_after = departure(&draft.when, desk.zone, now)?;
    let key = dedupe_key(app, draft.nonce.as_deref(), draft.channel, &body, send_after);
    let mut intent = Intent::new(Kind::Manual, draft.channel, key, road.address.clone(), body);
    intent.contact_id = Some(contact.id);
    intent.from.clone_from(&road.from);
    intent.subject = subject.filter(|_| draft.channel == Channel::Email);
    intent.template_id = draft.template_id;
    if let Some(approved) = approved {
        intent.content_sid = Some(approved.content_sid);
        intent.content_variables = approved.content_variables;
    }
    intent.send_after = send_after;
    intent.sent_by = Some(caller.actor.clone());
    let queued = enqueue(&mut tx, app, intent).await?;
    inbox::mark_read(&mut tx, contact.id, now).await?;
    tx.commit().await?;
    Ok(queued)
}

fn departure(when: &When, zone: Tz, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let at = match when {
        When::Now => return Ok(None),
        When::At(at) => *at,
        When::There(local) => instant(*local, zone),
    };
    if at <= now {
        return Err(Error::field("send_at", "This moment has passed there. Choose a later one."));
    }
    if at > now + FURTHEST {
        return Err(Error::field("send_at", "Choose a moment within a year."));
    }
    Ok(Some(at))
}

/// The instant at which a clock in `zone` shows `local`; where clocks skip it, the first that exists after it.
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let found = zone.from_local_datetime(&local).earliest();
    let found = found
        .or_else(|| zone.from_local_datetime(&local.checked_add_signed(TimeDelta::hours(1))?).earliest());
    found.map_or_else(|| local.and_utc(), |at| at.to_utc())
}

fn dedupe_key(
    app: &App,
    nonce: Option<&str>,
    channel: Channel,
    body: &str,
    at: Option<DateTime<Utc>>,
) -> String {
    let Some(nonce) = nonce.filter(|nonce| {
        !nonce.is_empty()
            && nonce.len() <= 64
            && nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    }) else {
        return format!("manual:{}", app.new_id());
    };
    // What is typed next into the same form is another message.
    let mut hash = Sha256::new();
    for part in [channel.as_str(), body, &at.map_or_else(String::new, |at| at.to_rfc3339())] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hash: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("manual:{nonce}:{hash}")
}

fn no_road(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms | Channel::Whatsapp => "This contact has no phone number.",
        Channel::Email => "This contact has no e-mail address.",
    }
}

fn refusal(obstacle: &Obstacle, contact: &Contact) -> String {
    let name = contact.display_name();
    match obstacle {
        Obstacle::Unsubscribed(_) => format!("{name} unsubscribed. Nothing was sent."),
        Obstacle::Listed(_) => format!("{name} is on the do-not-contact list. Nothing was sent."),
        Obstacle::OneWay => {
            "This sender takes no answers. Give the contact a phone number to write to.".to_owned()
        }
        Obstacle::NoSender => {
            "There is nothing to send from yet. Add a number in Settings, Sending.".to_owned()
        }
        Obstacle::WindowClosed(_) => {
            "WhatsApp's 24 hours are over; only an approved template may be sent.".to_owned()
        }
    }
}

/// What a clock in `zone` shows, with the place: "21:06 in Perth".
pub fn time_there(now: DateTime<Utc>, zone: Tz) -> String {
    format!("{} in {}", now.with_timezone(&zone).format("%H:%M"), calendar::place(zone))
}
