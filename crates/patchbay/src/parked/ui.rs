//! Settings → Events.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Event,
    view::{EventRow, EventsPage},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::Result,
    web::{
        extract::{Path, Query},
        layout::Place,
        moments::moment,
        notice,
        pages::html,
        paging::PageQuery,
        parts::{Pager, Tab, Tag, Tone},
        settings::{Section, tabs},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EventsQuery {
    view: String,
    cursor: Option<String>,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<EventsQuery>,
) -> Result<Response> {
    let only_parked = query.view != "all";
    let view = if only_parked { "" } else { "?view=all" };
    let here = format!("{}{view}", Section::Events.href());
    let asked = PageQuery { limit: Some(50), cursor: query.cursor.clone() };
    let found = super::list(&app, &caller, only_parked, &asked).await?;
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let sign = if only_parked { '?' } else { '&' };
    let shell = shell(&app, &session, Place::Settings, "Events").await?;
    let page = EventsPage {
        tabs: tabs(Section::Events, caller.role),
        views: vec![
            Tab::new("Given up", Section::Events.href(), only_parked).counted(shell.counts.parked),
            Tab::new("Recent", format!("{}?view=all", Section::Events.href()), !only_parked),
        ],
        only_parked,
        rows: found.data.iter().map(|event| row(event, now, zone)).collect(),
        pager: Pager {
            previous: query.cursor.is_some().then(|| here.clone()),
            next: found.next_cursor.as_ref().map(|cursor| format!("{here}{sign}cursor={cursor}")),
            note: String::new(),
        },
        live_src: here,
        shell,
    };
    html(&page)
}

fn row(event: &Event, now: DateTime<Utc>, zone: Tz) -> EventRow {
    let (what, meant) = words::event(event);
    let id = |name: &str| event.payload[name].as_str().and_then(|id| Uuid::parse_str(id).ok());
    let href = match (id("quote_id"), id("contact_id")) {
        (Some(quote), _) => format!("/quotes/{quote}"),
        (None, Some(contact)) => format!("/contacts/{contact}"),
        (None, None) => String::new(),
    };
    let failed = event.last_error.is_some() && event.processed_at.is_none();
    let tag = match (event.parked_at, event.processed_at) {
        (Some(_), _) => Tag::new(Tone::Stop, "circle-alert", "Given up"),
        (None, Some(_)) => Tag::new(Tone::Good, "check", "Done"),
        (None, None) if failed => Tag::new(Tone::Wait, "rotate-cw", "Will try again"),
        (None, None) => Tag::new(Tone::Wait, "hourglass", "Waiting"),
    };
    EventRow {
        id: event.id.to_string(),
        what,
        meant,
        event_type: event.event_type.clone(),
        tag,
        problem: event.last_error.as_deref().filter(|_| failed).map(words::problem).unwrap_or_default(),
        error: event.last_error.clone().filter(|_| failed).unwrap_or_default(),
        tries: event.attempt,
        at: moment(event.parked_at.or(event.processed_at).unwrap_or(event.created_at), now, zone),
        href,
        is_parked: event.parked_at.is_some(),
    }
}

pub(super) async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Response> {
    super::retry(&app, &caller, id).await?;
    Ok(notice::redirect(&app, Section::Events.href(), "It is being tried again"))
}

pub(super) async fn retry_all(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let count = super::retry_all(&app, &caller).await?;
    let text = match count {
        0 => "Nothing was given up".to_owned(),
        1 => "One event is being tried again".to_owned(),
        more => format!("{more} events are being tried again"),
    };
    Ok(notice::redirect(&app, Section::Events.href(), &text))
}
