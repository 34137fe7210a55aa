//! Who it is: the right-hand column.

use patchbay_rules::money;

use super::{Look, list, words};
use crate::{
    contacts::{Contact, Status, custom_fields, properties},
    db::TenantTx,
    error::Result,
    messaging::{
        compose::Desk,
        sql::{
            inbox::MemberRow,
            thread::{self as sql, QuoteRow},
        },
        view::panel::{Consent, Fact, Panel, QuoteLine, Trail},
    },
    web::parts::{Face, Tag, Tone},
};

/// The panel beside a conversation.
pub(super) async fn build(
    tx: &mut TenantTx,
    look: &Look<'_>,
    contact: &Contact,
    desk: &Desk,
    quotes: &[QuoteRow],
    members: &[MemberRow],
) -> Result<Panel> {
    let fields = custom_fields::list(tx).await?;
    let name = list::contact_name(look, contact);
    let status = match contact.status {
        Status::Lead => "Lead",
        Status::Active => "Customer",
        Status::Inactive => "Inactive",
    };
    Ok(Panel {
        contact_id: contact.id.to_string(),
        href: format!("/contacts/{}", contact.id),
        face: Face::of(contact.id, &name),
        caption: format!("{status} · {}", words::age(contact.created_at, look.now)),
        facts: facts(look, contact, desk, members),
        consents: consents(look, contact, desk),
        labels: contact.labels.clone(),
        properties: properties::properties(&contact.properties, &fields)
            .into_iter()
            .take(20)
            .map(|property| Fact { label: property.label, value: property.text, href: property.href })
            .collect(),
        quotes: quotes.iter().take(5).map(quote).collect(),
        timeline: timeline(tx, look, contact).await?,
        can_write: look.can_write(),
        csrf: look.csrf.to_owned(),
        name,
    })
}

fn facts(look: &Look<'_>, contact: &Contact, desk: &Desk, members: &[MemberRow]) -> Vec<Fact> {
    let fact =
        |label: &str, value: String, href: Option<String>| Fact { label: label.to_owned(), value, href };
    let mut facts = Vec::new();
    if let Some(phone) = &contact.phone_e164 {
        facts.push(fact("Phone", list::number(look, phone), Some(format!("tel:{phone}"))));
    } else if let Some(raw) = &contact.phone_raw {
        facts.push(fact("Phone", format!("{raw} (not a number)"), None));
    }
    if let Some(email) = &contact.email {
        facts.push(fact("E-mail", email.clone(), Some(format!("mailto:{email}"))));
    }
    if desk.zone_known {
        let there = patchbay_rules::calendar::clock(look.now, desk.zone);
        facts.push(fact(
            "Time there",
            format!("{there}, {}", patchbay_rules::calendar::place(desk.zone)),
            None,
        ));
    }
    if let Some(stage) = &contact.stage {
        facts.push(fact("Stage", stage.clone(), None));
    }
    if let Some(source) = &contact.source {
        facts.push(fact("Source", source.clone(), None));
    }
    if let Some(owner) = contact.owner_id.and_then(|id| members.iter().find(|member| member.user_id == id)) {
        facts.push(fact("Owner", owner.label().to_owned(), None));
    }
    facts
}

/// Consent per channel that there is an address for.
fn consents(look: &Look<'_>, contact: &Contact, desk: &Desk) -> Vec<Consent> {
    let mut consents = Vec::new();
    for (word, address) in
        [("sms", &contact.phone_e164), ("whatsapp", &contact.phone_e164), ("email", &contact.email)]
    {
        let known = desk.consents.iter().find(|consent| consent.channel == word);
        // Nothing is said about WhatsApp where nobody uses it.
        let in_use = desk.roads.iter().any(|road| road.channel.as_str() == word);
        if address.is_none() || (word == "whatsapp" && known.is_none() && !in_use) {
            continue;
        }
        let listed = desk.listed.as_ref().filter(|_| word != "email");
        let state = match (known.map(|known| known.state.as_str()), listed) {
            (Some("unsubscribed"), _) => Tag::new(Tone::Stop, "ban", "Unsubscribed"),
            (_, Some(_)) => Tag::new(Tone::Stop, "ban", "Do not contact"),
            (Some("subscribed"), None) if contact.has_lapsed(word, look.now) => {
                Tag::new(Tone::Wait, "hourglass", "Ended")
            }
            (Some("subscribed"), None) => Tag::new(Tone::Good, "check", "Subscribed"),
            _ => Tag::plain("Unknown"),
        };
        let proof = match (known, listed) {
            (Some(known), _) if known.state != "unknown" => {
                words::consent_proof(
                    &known.how,
                    known.detail.as_deref(),
                    known.actor_label.as_deref(),
                    known.changed_at,
                    look.now,
                    look.zone(),
                ) + "."
            }
            (_, Some(listed)) => format!(
                "{}, {}.",
                listed.reason.trim_end_matches('.'),
                words::moment_past(listed.created_at, look.now, look.zone())
            ),
            _ => String::new(),
        };
        let proof = match contact.implied.get(word) {
            Some(implied) if listed.is_none() => {
                format!("{proof} {}.", implied.words(look.now, look.zone()))
            }
            _ => proof,
        };
        let proof_href = (!proof.is_empty()).then(|| format!("/contacts/{}#consent", contact.id));
        consents.push(Consent { channel: words::channel(word), state, proof, proof_href });
    }
    consents
}

fn quote(quote: &QuoteRow) -> QuoteLine {
    QuoteLine {
        number: quote.number.to_string(),
        href: format!("/quotes/{}", quote.id),
        total: money::format(quote.total_cents, &quote.currency),
        state: quote_state(quote),
    }
}

/// Where a quote stands: a word, a shape and a tone.
pub(super) fn quote_state(quote: &QuoteRow) -> Tag {
    match quote.status.as_str() {
        "sent" => Tag::new(Tone::Plain, "send", "Sent"),
        "viewed" => Tag::new(Tone::Calm, "eye", "Viewed"),
        "accepted" => Tag::new(Tone::Good, "check", "Accepted"),
        "rejected" => Tag::new(Tone::Stop, "x", "Declined"),
        "expired" => Tag::new(Tone::Wait, "hourglass", "Expired"),
        _ if quote.held => Tag::new(Tone::Plain, "pencil", "Draft"),
        _ => Tag::new(Tone::Wait, "circle-dashed", "On its way"),
    }
}

/// The last things that happened, newest first, down to how it began.
async fn timeline(tx: &mut TenantTx, look: &Look<'_>, contact: &Contact) -> Result<Vec<Trail>> {
    let name = contact.first_name.clone().unwrap_or_else(|| list::contact_name(look, contact));
    let mut trail: Vec<_> = sql::activities(tx, contact.id, uuid::Uuid::max(), 24)
        .await?
        .iter()
        .filter(|activity| !activity.kind.starts_with("conversation."))
        .filter_map(|activity| {
            Some((
                activity.created_at,
                words::happened(&activity.kind, &activity.data, activity.actor_label.as_deref(), &name)?.text,
            ))
        })
        .collect();
    let addresses: Vec<String> = contact.phone_e164.iter().chain(&contact.email).cloned().collect();
    let consents = sql::consent_events(tx, &addresses, uuid::Uuid::max(), 6).await?;
    trail.extend(
        consents.iter().filter_map(|event| Some((event.created_at, words::consented(event, &name)?.text))),
    );
    trail.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    trail.truncate(7);
    let origin = contact
        .source
        .as_deref()
        .map_or_else(|| "Added as a contact".to_owned(), |source| format!("Lead from {source}"));
    trail.push((contact.created_at, origin));
    let many = trail.len() > 1;
    Ok(trail
        .into_iter()
        .enumerate()
        .map(|(place, (at, text))| Trail {
            text,
            moment: words::when(at, look.now, look.zone()),
            now: place == 0 && many,
        })
        .collect())
}
