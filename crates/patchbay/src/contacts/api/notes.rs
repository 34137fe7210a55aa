use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::Caller,
    contacts::{self, notes, notes::Note},
    error::Result,
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
    },
};

/// A note's text.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct NoteInput {
    /// Up to 10,000 characters.
    body: String,
}

/// A contact's notes, newest first.
#[utoipa::path(get, path = "/api/contacts/{id}/notes", tag = "Contacts", params(("id" = Uuid, Path), PageQuery), responses((status = 200, body = Page<Note>), (status = 404)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Note>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    contacts::get(&mut tx, id).await?;
    let rows = notes::list(&mut tx, id, page.after()?, page.limit() + 1).await?;
    Ok(Json(Page::cut(rows, page.limit(), |note| note.id)))
}

/// Writes a private note on a contact.
#[utoipa::path(post, path = "/api/contacts/{id}/notes", tag = "Contacts", params(("id" = Uuid, Path)), request_body = NoteInput,
    responses((status = 201, body = Note), (status = 404), (status = 422)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<NoteInput>,
) -> Result<(StatusCode, Json<Note>)> {
    Ok((StatusCode::CREATED, Json(notes::create(&app, &caller, id, &input.body).await?)))
}

/// Rewrites a note.
#[utoipa::path(patch, path = "/api/notes/{id}", tag = "Contacts", params(("id" = Uuid, Path)), request_body = NoteInput,
    responses((status = 200, body = Note), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<NoteInput>,
) -> Result<Json<Note>> {
    Ok(Json(notes::update(&app, &caller, id, &input.body).await?))
}

/// Removes a note.
#[utoipa::path(delete, path = "/api/notes/{id}", tag = "Contacts", params(("id" = Uuid, Path)), responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    notes::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
