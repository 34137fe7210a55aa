use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use uuid::Uuid;

use crate::{
    app::App,
    auth::Caller,
    contacts::labels::{self, Label, LabelInput},
    error::Result,
    web::{
        extract::{Json, Path},
        paging::Page,
    },
};

/// All labels by name.
#[utoipa::path(get, path = "/api/labels", tag = "Labels", responses((status = 200, body = Page<Label>)))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Page<Label>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(Page::whole(labels::list(&mut tx).await?)))
}

/// Makes a label.
#[utoipa::path(post, path = "/api/labels", tag = "Labels", request_body = LabelInput,
    responses((status = 201, body = Label), (status = 409, description = "The name is taken: `existing_id`"), (status = 422)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<LabelInput>,
) -> Result<(StatusCode, Json<Label>)> {
    Ok((StatusCode::CREATED, Json(labels::create(&app, &caller, input).await?)))
}

/// Renames a label or takes it off what is offered.
#[utoipa::path(patch, path = "/api/labels/{id}", tag = "Labels", params(("id" = Uuid, Path)), request_body = LabelInput,
    responses((status = 200, body = Label), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<LabelInput>,
) -> Result<Json<Label>> {
    Ok(Json(labels::update(&app, &caller, id, input).await?))
}

/// Removes a label, also from the contacts that carry it.
#[utoipa::path(delete, path = "/api/labels/{id}", tag = "Labels", params(("id" = Uuid, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    labels::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
