//! API keys and sessions as JSON. A key's secret is in the one answer that made it, and nowhere else.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Caller, Scope,
    keys::{self, KeyEntry},
    sessions::{self, SessionEntry},
};
use crate::{
    app::App,
    error::{Problem, Result},
    web::{
        client::browser_name,
        extract::{Json, Path},
        paging::Page,
    },
};

/// An API key, without its secret.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ApiKey {
    id: Uuid,
    name: String,
    /// `full`, `read` or `ingest`
    scope: String,
    /// How it begins, to tell it from others.
    prefix: String,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<KeyEntry> for ApiKey {
    fn from(key: KeyEntry) -> Self {
        let KeyEntry { id, name, scope, prefix, created_at, last_used_at } = key;
        Self { id, name, scope, prefix, created_at, last_used_at }
    }
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct NewApiKey {
    /// Which program uses it.
    name: String,
    scope: Scope,
}

/// A key just made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MadeApiKey {
    id: Uuid,
    name: String,
    scope: Scope,
    /// The secret. It is shown this once.
    #[schema(example = "pb_…")]
    key: String,
}

/// The keys that work, newest first.
#[utoipa::path(get, path = "/api/api-keys", tag = "Settings", responses((status = 200, body = Page<ApiKey>)))]
pub(super) async fn list_keys(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Page<ApiKey>>> {
    Ok(Json(Page::whole(keys::list(&app, &caller).await?).map(ApiKey::from)))
}

/// Makes a key. Its secret is in this answer only; the same `Idempotency-Key` again is answered without it.
#[utoipa::path(
    post, path = "/api/api-keys", tag = "Settings", request_body = NewApiKey,
    responses((status = 201, body = MadeApiKey), (status = 422, body = Problem)),
)]
pub(super) async fn create_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewApiKey>,
) -> Result<(StatusCode, Json<MadeApiKey>)> {
    let made = keys::create_key(&app, caller.tenant.id, &caller.actor, &new.name, new.scope).await?;
    let name = new.name.trim().to_owned();
    Ok((StatusCode::CREATED, Json(MadeApiKey { id: made.id, name, scope: new.scope, key: made.key })))
}

/// Ends a key at once.
#[utoipa::path(delete, path = "/api/api-keys/{id}", tag = "Settings", params(("id" = Uuid, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn revoke_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    keys::revoke(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where somebody is signed in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SignedInAt {
    id: Uuid,
    #[schema(example = "Firefox on Linux")]
    browser: String,
    ip: Option<String>,
    created_at: DateTime<Utc>,
    /// To the minute.
    seen_at: DateTime<Utc>,
}

impl From<SessionEntry> for SignedInAt {
    fn from(one: SessionEntry) -> Self {
        let browser = browser_name(one.user_agent.as_deref().unwrap_or_default());
        Self { id: one.id, browser, ip: one.ip, created_at: one.created_at, seen_at: one.seen_at }
    }
}

/// Where the person who made this key is signed in to this business, the session used last first.
#[utoipa::path(get, path = "/api/sessions", tag = "Settings", responses((status = 200, body = Page<SignedInAt>), (status = 403)))]
pub(super) async fn list_sessions(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Page<SignedInAt>>> {
    Ok(Json(Page::whole(sessions::list_of_maker(&app, &caller).await?.1).map(SignedInAt::from)))
}

/// Ends one of these sessions.
#[utoipa::path(delete, path = "/api/sessions/{id}", tag = "Settings", params(("id" = Uuid, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn revoke_session(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    sessions::revoke_of_maker(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list_keys, create_key, revoke_key, list_sessions, revoke_session),
    components(schemas(ApiKey, NewApiKey, MadeApiKey, SignedInAt))
)]
pub struct Doc;
