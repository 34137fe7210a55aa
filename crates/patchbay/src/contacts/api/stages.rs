use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::Caller,
    contacts::stages::{self, Stage, StageInput},
    error::Result,
    web::{
        extract::{Json, Path, Query},
        paging::Page,
    },
};

/// Ids in their new order.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct Order {
    pub(super) ids: Vec<Uuid>,
}

/// What becomes of the contacts in a stage that goes.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(super) struct Leaving {
    /// The stage that takes them; may be left out when there are none.
    move_to: Option<Uuid>,
}

/// All stages in their order.
#[utoipa::path(get, path = "/api/stages", tag = "Stages", responses((status = 200, body = Page<Stage>)))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Page<Stage>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(Page::whole(stages::list(&mut tx).await?)))
}

/// Adds a stage at the end.
#[utoipa::path(post, path = "/api/stages", tag = "Stages", request_body = StageInput,
    responses((status = 201, body = Stage), (status = 409, description = "The name is taken: `existing_id`"), (status = 422)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<StageInput>,
) -> Result<(StatusCode, Json<Stage>)> {
    Ok((StatusCode::CREATED, Json(stages::create(&app, &caller, input).await?)))
}

/// Renames a stage or changes what it means.
#[utoipa::path(patch, path = "/api/stages/{id}", tag = "Stages", params(("id" = Uuid, Path)), request_body = StageInput,
    responses((status = 200, body = Stage), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<StageInput>,
) -> Result<Json<Stage>> {
    Ok(Json(stages::update(&app, &caller, id, input).await?))
}

/// Puts the stages in another order; every one is named once.
#[utoipa::path(put, path = "/api/stages/order", tag = "Stages", request_body = Order, responses((status = 200, body = Page<Stage>), (status = 422)))]
pub(super) async fn reorder(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(order): Json<Order>,
) -> Result<Json<Page<Stage>>> {
    Ok(Json(Page::whole(stages::reorder(&app, &caller, &order.ids).await?)))
}

/// Removes a stage and moves its contacts.
#[utoipa::path(delete, path = "/api/stages/{id}", tag = "Stages", params(("id" = Uuid, Path), Leaving), responses((status = 204), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(leaving): Query<Leaving>,
) -> Result<StatusCode> {
    stages::delete(&app, &caller, id, leaving.move_to).await?;
    Ok(StatusCode::NO_CONTENT)
}
