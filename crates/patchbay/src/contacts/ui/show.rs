//! One contact: who it is, what they agreed to, what happened.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use patchbay_rules::{calendar, message::Channel, money};
use uuid::Uuid;

use super::{
    trail,
    view::{Alike, AlikeFragment, Card, CardFragment, Consent, Fact, Proof, Question, QuoteLine, ShowPage},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    consent,
    contacts::{self, ConsentState, Contact, Status, duplicates, filter, properties, sql},
    db::TenantTx,
    error::Result,
    messaging::unreachable,
    quotes,
    web::{
        extract::{Path, Query},
        fields::Choice,
        layout::Place,
        moments::{full, moment},
        pages::{html, wants_fragment},
        paging::PageQuery,
        parts::Face,
        shell::shell,
    },
};

/// Quotes shown beside a contact.
const QUOTES: u32 = 6;

/// `GET /contacts/{id}`.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Response> {
    let card = card(&app, &session, &caller, id, &page).await?;
    if wants_fragment(&headers) {
        return html(&CardFragment { card });
    }
    html(&ShowPage { shell: shell(&app, &session, Place::Contacts, &card.name).await?, card })
}

async fn card(app: &App, session: &Session, caller: &Caller, id: Uuid, page: &PageQuery) -> Result<Card> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::get(&mut tx, id).await?;
    let known = filter::vocabulary(&mut tx).await?;
    let members = sql::list_members(&mut tx).await?;
    let name = words::name(caller, &contact);
    let merged_into = match contact.merged_into {
        Some(kept) => contacts::find(&mut tx, kept)
            .await?
            .map(|kept| (words::name(caller, &kept), format!("/contacts/{}", kept.id))),
        None => None,
    };
    let consents = consents(&mut tx, app, caller, &contact).await?;
    let listed = match &contact.phone_e164 {
        Some(number) => consent::listed(&mut tx, number).await?,
        None => None,
    };
    let trail = trail::build(&mut tx, app, caller, &session.csrf, &contact, page).await?;
    drop(tx);
    let mut facts = facts(app, caller, &contact);
    if !caller.role.can_write() {
        let owner = contact.owner_id.and_then(|id| members.iter().find(|member| member.id == id));
        let work = [("Stage", contact.stage.clone()), ("Owner", owner.map(|member| member.name.clone()))];
        facts.extend(
            work.into_iter().filter_map(|(label, value)| {
                Some(Fact { label: label.to_owned(), value: value?, href: None })
            }),
        );
    }
    let choice = |value: String, label: &str, chosen: bool| Choice::new(value, label, chosen);
    let nowhere = contact.stage_id.is_none().then(|| choice(String::new(), "None", true));
    let stages = known
        .stages
        .iter()
        .map(|stage| choice(stage.id.to_string(), &stage.name, contact.stage_id == Some(stage.id)));
    let nobody = choice(String::new(), "Nobody", contact.owner_id.is_none());
    let owners = members
        .iter()
        .map(|member| choice(member.id.to_string(), &member.name, contact.owner_id == Some(member.id)));
    Ok(Card {
        id: contact.id.to_string(),
        face: Face::of(contact.id, &name),
        caption: caption(app, caller, &contact),
        archived: contact.archived_at.is_some(),
        can_write: caller.role.can_write() && contact.merged_into.is_none(),
        can_manage: caller.role.can_manage(),
        csrf: session.csrf.clone(),
        facts,
        status: Status::ALL
            .map(|status| choice(status.as_str().to_owned(), words::status(status), contact.status == status))
            .into(),
        stage: nowhere.into_iter().chain(stages).collect(),
        owner: std::iter::once(nobody).chain(owners).collect(),
        labels: contact.labels.clone(),
        known_labels: known
            .labels
            .iter()
            .filter(|label| label.active && !contact.labels.contains(&label.name))
            .map(|label| label.name.clone())
            .collect(),
        listed: listed.map(|listed| {
            let by = listed.added_by.map(|by| format!(", {by}")).unwrap_or_default();
            format!(
                "{} ({}{by})",
                listed.reason.trim_end_matches('.'),
                full(listed.created_at, caller.tenant.timezone)
            )
        }),
        consents,
        properties: properties::properties(&contact.properties, &known.fields)
            .into_iter()
            .map(|property| Fact { label: property.label, value: property.text, href: property.href })
            .collect(),
        quotes: quote_lines(app, caller, &contact).await?,
        merged_into,
        trail,
        name,
    })
}

fn caption(app: &App, caller: &Caller, contact: &Contact) -> String {
    let since = moment(contact.created_at, app.now(), caller.tenant.timezone);
    let source = contact.source.as_deref().map(|source| format!(" through {source}")).unwrap_or_default();
    match contact.stage.as_deref() {
        Some(stage) => {
            format!("{} · {stage} · came in{source}, {}", words::status(contact.status), since.title)
        }
        None => format!("{} · came in{source}, {}", words::status(contact.status), since.title),
    }
}

fn facts(app: &App, caller: &Caller, contact: &Contact) -> Vec<Fact> {
    let fact =
        |label: &str, value: String, href: Option<String>| Fact { label: label.to_owned(), value, href };
    let mut facts = Vec::new();
    match (&contact.phone_e164, &contact.phone_raw) {
        (Some(e164), _) => {
            let ext = contact.phone_ext.as_deref().map(|ext| format!(" ext. {ext}")).unwrap_or_default();
            facts.push(fact("Phone", words::number(caller, e164) + &ext, Some(format!("tel:{e164}"))));
        }
        (None, Some(raw)) => facts.push(fact("Phone", format!("{raw} (not a number)"), None)),
        (None, None) => {}
    }
    if let Some(email) = &contact.email {
        facts.push(fact("E-mail", email.clone(), Some(format!("mailto:{email}"))));
    }
    if let Some(source) = &contact.source {
        let list = filter::href("/contacts", &[("source", source.clone())]);
        facts.push(fact("Source", source.clone(), Some(list)));
    }
    let place = [&contact.postal, &contact.state, &contact.country].into_iter().flatten().cloned();
    let place = place.collect::<Vec<_>>().join(", ");
    if !place.is_empty() {
        facts.push(fact("Place", place, None));
    }
    if let Some(zone) = contact.timezone.as_deref().and_then(|zone| zone.parse::<chrono_tz::Tz>().ok()) {
        let there = calendar::clock(app.now(), zone);
        facts.push(fact("Time there", format!("{there}, {}", calendar::place(zone)), None));
    }
    let at = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| full(at, caller.tenant.timezone));
    facts.extend(at(contact.last_contacted_at).map(|at| fact("Last sent", at, None)));
    facts.extend(at(contact.last_replied_at).map(|at| fact("Last reply", at, None)));
    facts
}

/// Where each channel stands that there is an address for, with all that proves it, newest first.
async fn consents(tx: &mut TenantTx, app: &App, caller: &Caller, contact: &Contact) -> Result<Vec<Consent>> {
    let mut proofs = Vec::new();
    for address in [&contact.phone_e164, &contact.email].into_iter().flatten() {
        proofs.extend(consent::proof(tx, address).await?);
    }
    let unreachable =
        unreachable::of_contact(tx, contact.phone_e164.as_deref(), contact.email.as_deref()).await?;
    let out_of_reach = |channel: &str| {
        let found = unreachable.iter().find(|found| found.channel.as_str() == channel)?;
        let since = calendar::describe_day(found.since, app.now(), caller.tenant.timezone);
        Some(format!("Out of reach since {since}. {}", found.reason))
    };
    let channels = [
        ("sms", "Text messages", "message-square", &contact.phone_e164, contact.consent_sms),
        ("whatsapp", "WhatsApp", "message-circle", &contact.phone_e164, contact.consent_whatsapp),
        ("email", "E-mail", "mail", &contact.email, contact.consent_email),
    ];
    Ok(channels
        .into_iter()
        .filter(|(channel, _, _, address, state)| {
            // Nothing is said about WhatsApp where nobody spoke of it.
            address.is_some()
                && (*channel != "whatsapp"
                    || *state != ConsentState::Unknown
                    || unreachable.iter().any(|found| found.channel == Channel::Whatsapp))
        })
        .map(|(channel, word, icon, _, state)| Consent {
            channel: word,
            icon,
            state: words::consent(state, contact.has_lapsed(channel, app.now())),
            out_of_reach: out_of_reach(channel).unwrap_or_default(),
            term: contact
                .implied
                .get(channel)
                .map(|implied| implied.words(app.now(), caller.tenant.timezone))
                .unwrap_or_default(),
            proofs: proofs
                .iter()
                .filter(|proof| proof.channel == channel)
                .map(|proof| Proof {
                    what: format!("{}{}", did(&proof.state, proof.basis.as_deref()), how(&proof.how)),
                    at: moment(proof.created_at, app.now(), caller.tenant.timezone),
                    who: proof.actor_label.clone().unwrap_or_default(),
                    source: proof.source.clone().unwrap_or_default(),
                    wording: proof.wording.clone().unwrap_or_default(),
                })
                .collect(),
        })
        .collect())
}

fn did(state: &str, basis: Option<&str>) -> &'static str {
    match (state, basis) {
        ("subscribed", Some("enquiry")) => "Enquired",
        ("subscribed", Some("purchase")) => "Bought something",
        ("subscribed", _) => "Agreed",
        ("unsubscribed", _) => "Refused",
        _ => "Set to unknown",
    }
}

fn how(how: &str) -> &'static str {
    match how {
        "keyword" => " by reply",
        "phrase" => " in their own words",
        "form" => " on a form",
        "import" => ", told by an import",
        "carrier" => ", told by the carrier",
        "complaint" => " by reporting a message",
        "link" => " by the unsubscribe link",
        "quote" => " by accepting a quote",
        "api" => ", noted through the API",
        _ => ", noted by hand",
    }
}

async fn quote_lines(app: &App, caller: &Caller, contact: &Contact) -> Result<Vec<QuoteLine>> {
    let filter = quotes::Filter { contact_id: Some(contact.id), ..quotes::Filter::default() };
    let page = PageQuery { limit: Some(QUOTES), cursor: None };
    let found = quotes::list(app, caller, &filter, &page).await?;
    Ok(found
        .data
        .into_iter()
        .map(|quote| QuoteLine {
            number: quote.number.to_string(),
            href: format!("/quotes/{}", quote.id),
            total: money::format(quote.total_cents, &quote.currency),
            tag: quotes::status_tag(quote.status),
            title: quote
                .title
                .or_else(|| quote.items.into_iter().next().map(|item| item.name))
                .unwrap_or_default(),
        })
        .collect())
}

/// `GET /contacts/{id}/alike`: who may be the same person; fetched once the page stands.
pub(super) async fn alike(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::get(&mut tx, id).await?;
    drop(tx);
    let found = duplicates::suggest(&app, caller.tenant.id, &contact).await?;
    let people = found
        .iter()
        .map(|(other, likeness)| {
            let name = words::name(&caller, other);
            Alike {
                href: format!("/contacts/{}", other.id),
                face: Face::of(other.id, &name),
                why: likeness.words().to_owned(),
                merge: caller.role.can_write().then(|| Question::new(id, other.id)),
                name,
            }
        })
        .collect();
    html(&AlikeFragment { people })
}
