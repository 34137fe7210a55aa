//! Parked events as JSON.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::{Event, words};
use crate::{
    app::App,
    auth::Caller,
    error::Result,
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
    },
};

/// An event that could not be handled.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ParkedEvent {
    id: i64,
    event_type: String,
    #[schema(value_type = Object)]
    payload: Value,
    /// What happened, in a few words.
    what: String,
    /// What was to follow from it.
    meant: &'static str,
    /// What went wrong, and what may help.
    problem: &'static str,
    /// The exact words.
    error: Option<String>,
    attempt: i32,
    created_at: DateTime<Utc>,
    parked_at: Option<DateTime<Utc>>,
}

impl From<Event> for ParkedEvent {
    fn from(event: Event) -> Self {
        let (what, meant) = words::event(&event);
        Self {
            what,
            meant,
            problem: event.last_error.as_deref().map(words::problem).unwrap_or_default(),
            id: event.id,
            event_type: event.event_type,
            payload: event.payload,
            error: event.last_error,
            attempt: event.attempt,
            created_at: event.created_at,
            parked_at: event.parked_at,
        }
    }
}

/// How many events run again.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Retried {
    count: u64,
}

/// Parked events, newest first.
#[utoipa::path(get, path = "/api/parked-events", tag = "Events", params(PageQuery), responses((status = 200, body = Page<ParkedEvent>)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ParkedEvent>>> {
    Ok(Json(super::list(&app, &caller, true, &page).await?.map(ParkedEvent::from)))
}

/// One parked event, explained.
#[utoipa::path(get, path = "/api/parked-events/{id}", tag = "Events", params(("id" = i64, Path)), responses((status = 200, body = ParkedEvent), (status = 404)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<ParkedEvent>> {
    Ok(Json(super::get(&app, &caller, id).await?.into()))
}

/// Lets a parked event run again at once, with all its tries.
#[utoipa::path(post, path = "/api/parked-events/{id}/retry", tag = "Events", params(("id" = i64, Path)), responses((status = 202), (status = 404)))]
pub(super) async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<StatusCode> {
    super::retry(&app, &caller, id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The same for all of them.
#[utoipa::path(post, path = "/api/parked-events/retry", tag = "Events", responses((status = 202, body = Retried)))]
pub(super) async fn retry_all(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<(StatusCode, Json<Retried>)> {
    let count = super::retry_all(&app, &caller).await?;
    Ok((StatusCode::ACCEPTED, Json(Retried { count })))
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list, get, retry, retry_all), components(schemas(ParkedEvent, Retried)))]
pub struct Doc;
