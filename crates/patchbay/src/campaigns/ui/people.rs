//! The people behind a number, of a preflight or of the campaign itself.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::phone;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Caller, Session},
    campaigns::{
        self,
        recipients::State as Standing,
        view::{PeoplePage, PersonRow},
        words::reason,
    },
    error::{Error, Result},
    web::{
        extract::{Path, Query},
        layout::Place,
        moments::full,
        pages::html,
        paging::PageQuery,
        parts::{Face, Pager},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PeopleQuery {
    verdict: String,
    state: String,
    gate: String,
    cursor: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(mut query): Query<PeopleQuery>,
) -> Result<Response> {
    if query.state.is_empty() && query.verdict.is_empty() {
        "now".clone_into(&mut query.verdict);
    }
    let campaign = campaigns::get(&app, &caller, id).await?;
    let asked = PageQuery { limit: Some(50), cursor: Some(query.cursor.clone()) };
    let gate = Some(query.gate.as_str()).filter(|gate| !gate.is_empty());
    let row = |contact: Option<Uuid>, name: String, address: Option<String>, why: String| {
        let address = address.map(|text| readable(&text, &caller.tenant.country)).unwrap_or_default();
        let name = if name.is_empty() { address.clone() } else { name };
        PersonRow {
            href: contact.map(|id| format!("/contacts/{id}")).unwrap_or_default(),
            face: Face::of(contact.unwrap_or(id), &name),
            address: if address == name { String::new() } else { address },
            name,
            why,
        }
    };
    let (rows, next) = if ["now", "later", "never"].contains(&query.verdict.as_str()) {
        let found = campaigns::verdicts(&app, &caller, id, &query.verdict, gate, &asked).await?;
        let each = |one: campaigns::Verdict| {
            row(Some(one.contact_id), one.name, one.address, one.reason.unwrap_or_default())
        };
        (found.data.into_iter().map(each).collect::<Vec<_>>(), found.next_cursor)
    } else {
        let standing: Standing =
            serde_json::from_value(Value::from(query.state.as_str())).map_err(|_| Error::NotFound("page"))?;
        let found = campaigns::recipients(&app, &caller, id, standing, gate, &asked).await?;
        let each = |one: campaigns::Recipient| {
            let why = said(&one, caller.tenant.timezone);
            row(one.contact_id, one.name, one.address, why)
        };
        (found.data.into_iter().map(each).collect(), found.next_cursor)
    };
    let place = |cursor: &str| {
        let pairs = [
            ("verdict", query.verdict.as_str()),
            ("state", &query.state),
            ("gate", &query.gate),
            ("cursor", cursor),
        ];
        let text = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.into_iter().filter(|(_, value)| !value.is_empty()))
            .finish();
        format!("/campaigns/{id}/people?{text}")
    };
    let heading = heading(&query);
    html(&PeoplePage {
        shell: shell(&app, &session, Place::Campaigns, &heading).await?,
        heading,
        campaign: campaign.name,
        campaign_href: format!("/campaigns/{id}"),
        rows,
        pager: Pager {
            previous: (!query.cursor.is_empty()).then(|| place("")),
            next: next.as_deref().map(place),
            note: String::new(),
        },
    })
}

/// Why it is where it is, else since when.
fn said(one: &campaigns::Recipient, zone: Tz) -> String {
    let why = one.gate.as_ref().map(|gate| gate.reason.clone()).or_else(|| one.error_detail.clone());
    let at = |what: &str, at: DateTime<Utc>| format!("{what} {}", full(at, zone));
    why.or_else(|| one.goes_at.map(|when| at("Goes", when)))
        .or_else(|| one.delivered_at.map(|when| at("Delivered", when)))
        .or_else(|| one.sent_at.map(|when| at("Sent", when)))
        .unwrap_or_default()
}

fn heading(query: &PeopleQuery) -> String {
    let what = match (query.verdict.as_str(), query.state.as_str()) {
        ("now", _) => "Gets it at once",
        ("later", _) => "Gets it later",
        (_, "waiting") => "Waiting",
        ("never", _) => "Never gets it",
        (_, "blocked") => "Not sent",
        (_, "queued") => "Waiting, in line",
        (_, "sending") => "Waiting, being sent",
        (_, "sent") => "Sent, no receipt yet",
        (_, "delivered") => "Delivered",
        (_, "undelivered") => "Failed, not delivered",
        (_, "failed") => "Failed",
        (_, "unknown") => "Waiting, being found out",
        _ => "Called off",
    };
    if query.gate.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {}", lower(reason(&query.gate, None)))
    }
}

fn readable(address: &str, country: &str) -> String {
    if address.starts_with('+') {
        phone::format_national_or_international(address, country)
    } else {
        address.to_owned()
    }
}

/// "Budget is used up" after a colon.
fn lower(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
