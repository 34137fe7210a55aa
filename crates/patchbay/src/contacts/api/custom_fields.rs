use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use uuid::Uuid;

use super::stages::Order;
use crate::{
    app::App,
    auth::Caller,
    contacts::custom_fields::{self, CustomField, CustomFieldInput},
    error::Result,
    web::{
        extract::{Json, Path},
        paging::Page,
    },
};

/// All custom fields in their order.
#[utoipa::path(get, path = "/api/custom-fields", tag = "Custom fields", responses((status = 200, body = Page<CustomField>)))]
pub(super) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Page<CustomField>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(Page::whole(custom_fields::list(&mut tx).await?)))
}

/// Defines a field of contacts.
#[utoipa::path(post, path = "/api/custom-fields", tag = "Custom fields", request_body = CustomFieldInput, responses((status = 201, body = CustomField), (status = 422)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<CustomFieldInput>,
) -> Result<(StatusCode, Json<CustomField>)> {
    Ok((StatusCode::CREATED, Json(custom_fields::create(&app, &caller, input).await?)))
}

/// Changes a field's label, choices, or whether it is required.
#[utoipa::path(patch, path = "/api/custom-fields/{id}", tag = "Custom fields", params(("id" = Uuid, Path)), request_body = CustomFieldInput,
    responses((status = 200, body = CustomField), (status = 404), (status = 422)))]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<CustomFieldInput>,
) -> Result<Json<CustomField>> {
    Ok(Json(custom_fields::update(&app, &caller, id, input).await?))
}

/// Puts the fields in another order.
#[utoipa::path(put, path = "/api/custom-fields/order", tag = "Custom fields", request_body = Order, responses((status = 200, body = Page<CustomField>)))]
pub(super) async fn reorder(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(order): Json<Order>,
) -> Result<Json<Page<CustomField>>> {
    Ok(Json(Page::whole(custom_fields::reorder(&app, &caller, &order.ids).await?)))
}

/// Forgets a definition; the values stay in `properties`.
#[utoipa::path(delete, path = "/api/custom-fields/{id}", tag = "Custom fields", params(("id" = Uuid, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    custom_fields::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
