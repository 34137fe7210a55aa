//! Where an answer is written, and what it will take.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Datelike, Days, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use patchbay_rules::{calendar, message::Channel, money, segments};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Look, list, words};
use crate::{
    app::App,
    auth::Caller,
    contacts::{self, Contact},
    db::TenantTx,
    error::{Error, Result},
    messaging::{
        self,
        compose::{self, Desk, Obstacle, Road},
        view::{
            composer::{Caution, ChannelChoice, Composer, Hurdle, TemplateChoice},
            thread::Later,
        },
    },
    templates,
    web::{
        extract::{Form, Json},
        parts::Tone,
    },
};

/// What was typed into a form that came back.
#[derive(Debug, Default, Clone)]
pub(super) struct Typed {
    pub channel: Option<Channel>,
    pub body: String,
    pub subject: String,
    pub error: String,
    /// Whether a person is to say what the contact's words meant.
    pub in_doubt: bool,
    /// Kept, so that a corrected form is still the same form.
    pub nonce: Option<String>,
}

/// The composer for `contact`.
pub(super) async fn build(
    tx: &mut TenantTx,
    look: &Look<'_>,
    contact: &Contact,
    desk: &Desk,
    typed: Typed,
) -> Result<Composer> {
    let name = list::contact_name(look, contact);
    let to = contact.first_name.clone().unwrap_or_else(|| name.clone());
    let chosen = typed.channel.filter(|channel| desk.road(*channel).is_some()).or_else(|| desk.first());
    let templates =
        if look.can_write() { templates::choices(tx, look.app, contact.id).await? } else { Vec::new() };
    let road = chosen.and_then(|channel| desk.road(channel));
    let estimate = road.map_or_else(String::new, |road| {
        estimate_of(road.channel, &road.address, &typed.body, &desk.prices, &look.caller.tenant.currency).text
    });
    let there = if desk.zone_known { desk.zone } else { look.zone() };
    let clock = look.now.with_timezone(&there).format("%H:%M");
    Ok(Composer {
        conversation_id: contact.id.to_string(),
        channels: desk
            .roads
            .iter()
            .map(|road| ChannelChoice {
                hurdle: road
                    .obstacle
                    .as_ref()
                    .map(|obstacle| hurdle(look, desk, road, obstacle, contact, &to, typed.in_doubt)),
                ..channel_choice(look, road, chosen)
            })
            .collect(),
        templates: templates.into_iter().map(template_choice).collect(),
        laters: laters(look.now, there),
        zone: format!("{} time, now {clock}", calendar::place(there)),
        estimate,
        barred: (!look.can_write()).then(|| barred(look)),
        can_note: look.can_write(),
        caution: caution(look, desk),
        nonce: typed.nonce.unwrap_or_else(|| look.app.new_id().to_string()),
        csrf: look.csrf.to_owned(),
        body: typed.body,
        subject: typed.subject,
        error: typed.error,
        to,
    })
}

fn template_choice(choice: templates::Choice) -> TemplateChoice {
    TemplateChoice {
        id: choice.id.to_string(),
        name: choice.name,
        channel: words::channel(choice.channel.as_str()),
        body: choice.body,
        subject: choice.subject.unwrap_or_default(),
        approved: choice.approved && choice.channel == Channel::Whatsapp,
    }
}

fn channel_choice(look: &Look<'_>, road: &Road, chosen: Option<Channel>) -> ChannelChoice {
    let email = road.channel == Channel::Email;
    ChannelChoice {
        channel: words::channel(road.channel.as_str()),
        address: if email { road.address.clone() } else { list::number(look, &road.address) },
        chosen: chosen == Some(road.channel),
        hurdle: None,
    }
}

/// A role that only reads.
fn barred(look: &Look<'_>) -> Hurdle {
    Hurdle {
        tone: Tone::Plain,
        icon: "eye",
        heading: "You can read along".to_owned(),
        text: format!(
            "Your role in {} is {}. To answer, ask an owner for the role of member.",
            look.caller.tenant.name,
            look.caller.role.as_str()
        ),
        template_helps: false,
        action: None,
        misread: false,
    }
}

/// What stands in the way, who put it there, and the way round it.
fn hurdle(
    look: &Look<'_>,
    desk: &Desk,
    road: &Road,
    obstacle: &Obstacle,
    contact: &Contact,
    to: &str,
    in_doubt: bool,
) -> Hurdle {
    let word = words::channel(road.channel.as_str()).word();
    let proof = Some(("See the proof".to_owned(), format!("/contacts/{}#consent", contact.id)));
    match obstacle {
        Obstacle::Unsubscribed(consent) => {
            let how = words::consent_proof(
                &consent.how,
                consent.detail.as_deref(),
                consent.actor_label.as_deref(),
                consent.changed_at,
                look.now,
                look.zone(),
            );
            let by_contact =
                matches!(consent.how.as_str(), "keyword" | "phrase" | "link" | "carrier" | "complaint");
            let misread = in_doubt && consent.how == "phrase" && look.can_write();
            let way_back = match (by_contact && road.channel != Channel::Email, &road.from) {
                _ if misread => "That counts as an opt-out, unless you say it was none.".to_owned(),
                (true, Some(from)) => {
                    format!("Only {to} can undo that, by writing START to {}.", list::number(look, from))
                }
                (true, None) => format!("Only {to} can undo that, by writing START."),
                (false, _) => "It can be changed on the contact's page, with a reason.".to_owned(),
            };
            Hurdle {
                tone: Tone::Stop,
                icon: "ban",
                heading: format!("{to} unsubscribed from {word}"),
                text: format!("{how}. {way_back}"),
                template_helps: false,
                action: proof,
                misread,
            }
        }
        Obstacle::Listed(listed) => {
            let since = words::moment_past(listed.created_at, look.now, look.zone());
            let who = listed
                .actor_label
                .as_deref()
                .map_or_else(String::new, |who| format!(" by {}", words::first_word(who)));
            Hurdle {
                tone: Tone::Stop,
                icon: "ban",
                heading: format!("{to} is on the do-not-contact list"),
                text: format!("Put there {since}{who}: {}", sentence(&listed.reason)),
                template_helps: false,
                action: proof,
                misread: false,
            }
        }
        Obstacle::OneWay => Hurdle {
            tone: Tone::Plain,
            icon: "phone",
            heading: format!("{to} cannot be answered"),
            text: "The messages came from a short code or a sender's name, not from a phone number. \
                   Give the contact a number, and you can write to that."
                .to_owned(),
            template_helps: false,
            action: Some(("Add a number".to_owned(), format!("/contacts/{}/edit", contact.id))),
            misread: false,
        },
        Obstacle::NoSender => Hurdle {
            tone: Tone::Wait,
            icon: "phone",
            heading: format!("There is nothing to send {word} from"),
            text: if look.caller.role.can_manage() {
                "Connect a number, and you can write here at once.".to_owned()
            } else {
                "An admin can connect a number under Settings, Sending.".to_owned()
            },
            template_helps: false,
            misread: false,
            action: look
                .caller
                .role
                .can_manage()
                .then(|| ("Connect a number".to_owned(), "/settings/sending".to_owned())),
        },
        Obstacle::WindowClosed(wrote) => {
            let approved_only = format!("Until {to} writes again, only an approved template may be sent.");
            let (heading, text) = match wrote {
                Some(at) => (
                    "WhatsApp’s 24 hours are over".to_owned(),
                    format!(
                        "{to} last wrote here {}. {approved_only}",
                        words::moment_past(*at, look.now, look.zone())
                    ),
                ),
                None => (
                    format!("{to} has not written on WhatsApp"),
                    format!("{approved_only} SMS works at any time."),
                ),
            };
            let text = if desk.road(Channel::Sms).is_none() {
                text.replace(" SMS works at any time.", "")
            } else {
                text
            };
            Hurdle {
                tone: Tone::Wait,
                icon: "hourglass",
                heading,
                text,
                template_helps: true,
                action: None,
                misread: false,
            }
        }
    }
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// The hour at the contact's, when it is one at which people sleep.
fn caution(look: &Look<'_>, desk: &Desk) -> Option<Caution> {
    let (until, zone) = desk.quiet?;
    let local = until.with_timezone(&zone);
    let hint = local.format("%H:%M").to_string();
    let waits = if desk.quiet_binds { format!(" A message waits until {hint}.") } else { String::new() };
    let text = format!("It is {}.{waits}", compose::time_there(look.now, zone));
    Some(Caution { text, later: Later { label: format!("Send at {hint}"), hint, value: until.to_rfc3339() } })
}

/// Moments worth offering, on the clock in `zone`.
fn laters(now: DateTime<Utc>, zone: Tz) -> Vec<Later> {
    let local = now.with_timezone(&zone);
    let today = local.date_naive();
    let mut laters = Vec::new();
    let mut offer = |label: &str, days: u64, hour: u32| {
        let Some(time) = NaiveTime::from_hms_opt(hour, 0, 0) else { return };
        let Some(day) = today.checked_add_days(Days::new(days)) else { return };
        let at = compose::instant(day.and_time(time), zone);
        laters.push(Later {
            label: label.to_owned(),
            hint: at.with_timezone(&zone).format("%a %-d %b, %H:%M").to_string(),
            value: at.to_rfc3339(),
        });
    };
    if local.time() < NaiveTime::from_hms_opt(8, 30, 0).unwrap_or_default() {
        offer("This morning", 0, 9);
    }
    if local.time() < NaiveTime::from_hms_opt(13, 30, 0).unwrap_or_default() {
        offer("This afternoon", 0, 14);
    }
    offer("Tomorrow morning", 1, 9);
    offer("Tomorrow afternoon", 1, 14);
    let to_monday = u64::from(7 - today.weekday().num_days_from_monday());
    if to_monday > 1 {
        offer("Monday morning", to_monday, 9);
    }
    laters
}

/// When a conversation may come back, on the clock of the business.
pub(super) fn snoozes(now: DateTime<Utc>, zone: Tz) -> Vec<Later> {
    let local = now.with_timezone(&zone);
    let today = local.date_naive();
    let mut offers = Vec::new();
    let mut offer = |label: &str, at: DateTime<Utc>, format: &str| {
        offers.push(Later {
            label: label.to_owned(),
            hint: at.with_timezone(&zone).format(format).to_string(),
            value: at.to_rfc3339(),
        });
    };
    let at = |days: u64, hour: u32| {
        let day = today.checked_add_days(Days::new(days)).unwrap_or(today);
        compose::instant(day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()), zone)
    };
    offer("In an hour", now + chrono::TimeDelta::hours(1), "%H:%M");
    if local.time() < NaiveTime::from_hms_opt(15, 0, 0).unwrap_or_default() {
        offer("This evening", at(0, 18), "%H:%M");
    }
    offer("Tomorrow", at(1, 9), "%a %H:%M");
    let to_monday = u64::from(7 - today.weekday().num_days_from_monday());
    if matches!(
        today.weekday(),
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri | Weekday::Sat
    ) {
        offer("Next week", at(to_monday, 9), "%a %-d %b");
    }
    offer("In two weeks", at(to_monday + 7, 9), "%a %-d %b");
    offers
}

/// What a text will take.
#[derive(Debug, Serialize)]
pub(super) struct Estimate {
    /// `GSM-7`, `UCS-2`, or empty where no segments are counted.
    encoding: &'static str,
    units: usize,
    segments: i16,
    cost: String,
    /// All of it in a line.
    text: String,
}

fn estimate_of(channel: Channel, to: &str, body: &str, prices: &Value, currency: &str) -> Estimate {
    let body = segments::normalise(body);
    let body = body.trim_end();
    let weight = messaging::weigh(channel, to, body, prices);
    let cost = cost(weight.cost_micros, currency);
    let (units, count) = (weight.units, weight.segments);
    let characters = if units == 1 { "1 character".to_owned() } else { format!("{units} characters") };
    let (encoding, text) = match channel {
        Channel::Sms => {
            let encoding = segments::encode(body);
            let (name, alphabet) =
                if encoding == segments::Encoding::Gsm7 { ("GSM-7", "") } else { ("UCS-2", " · special") };
            let room = if count > 1 {
                usize::from(count.unsigned_abs()) * encoding.multipart() as usize
            } else {
                encoding.single() as usize
            };
            (
                name,
                format!(
                    "{units} / {room} · {count} segment{} · {cost}{alphabet}",
                    if count == 1 { "" } else { "s" }
                ),
            )
        }
        Channel::Whatsapp => ("", format!("{characters} · {cost}")),
        Channel::Email => ("", characters),
    };
    Estimate { encoding, units, segments: count, cost, text }
}

/// Money that may be less than the smallest coin: `$0.0083`.
fn cost(micros: i64, currency: &str) -> String {
    if micros % 10_000 == 0 {
        return money::format_micros(micros, currency);
    }
    let zero = money::format(0, currency);
    let symbol = zero.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let amount = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    format!("{symbol}{}", amount.trim_end_matches('0'))
}

/// What is being written.
#[derive(Debug, Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    body: String,
    #[serde(default)]
    channel: String,
    conversation_id: Uuid,
}

/// `POST /compose/estimate`.
pub(super) async fn estimate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(ask): Form<Ask>,
) -> Result<Json<Estimate>> {
    let channel = ask.channel.parse().unwrap_or(Channel::Sms);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact =
        contacts::find(&mut tx, ask.conversation_id).await?.ok_or(Error::NotFound("conversation"))?;
    let prices = messaging::sql::ledger::prices(&mut tx).await?;
    let to = contact.phone_e164.unwrap_or_default();
    Ok(Json(estimate_of(channel, &to, &ask.body, &prices, &caller.tenant.currency)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_count_as_carriers_do() {
        let of = |channel, body: &str| estimate_of(channel, "+12125550123", body, &Value::Null, "USD").text;
        assert_eq!(of(Channel::Sms, ""), "0 / 160 · 1 segment · $0.01");
        assert_eq!(of(Channel::Sms, &"a".repeat(161)), "161 / 306 · 2 segments · $0.02");
        assert_eq!(of(Channel::Sms, "👍"), "2 / 70 · 1 segment · $0.01 · special");
        assert_eq!(of(Channel::Whatsapp, "hi"), "2 characters · $0.03");
        assert_eq!(of(Channel::Email, "h"), "1 character");
        assert_eq!(cost(8_300, "USD"), "$0.0083");
    }

    #[test]
    fn moments_ahead_are_ahead_whatever_the_hour() {
        for zone in [chrono_tz::America::Chicago, chrono_tz::Australia::Perth, chrono_tz::Pacific::Kiritimati]
        {
            for hour in 0..24 * 8 {
                let now = DateTime::from_timestamp(1_763_683_200 + hour * 3_600, 0).unwrap();
                for later in laters(now, zone).into_iter().chain(snoozes(now, zone)) {
                    let at: DateTime<Utc> = later.value.parse().unwrap();
                    assert!(
                        at > now && at < now + chrono::TimeDelta::days(16),
                        "{} at {now} in {zone}",
                        later.label
                    );
                }
            }
        }
    }
}
