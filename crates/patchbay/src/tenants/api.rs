//! Settings and members as JSON.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;

use super::{Member, Settings, SettingsPatch, members as people, settings};
use crate::{
    app::App,
    auth::Caller,
    error::{Problem, Result},
    web::extract::Json,
};

/// The settings of the business.
#[utoipa::path(get, path = "/api/settings", tag = "Settings", responses((status = 200, body = Settings)))]
pub(super) async fn get(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Settings>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(settings(&mut tx).await?))
}

/// Changes settings, all or nothing.
#[utoipa::path(
    patch, path = "/api/settings", tag = "Settings", request_body = SettingsPatch,
    responses((status = 200, body = Settings), (status = 422, body = Problem)),
)]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(change): Json<SettingsPatch>,
) -> Result<Json<Settings>> {
    Ok(Json(settings::update(&app, &caller, change).await?))
}

/// Everybody who works here.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Members {
    data: Vec<Member>,
}

/// The members of the business, for owners and assignees.
#[utoipa::path(get, path = "/api/members", tag = "Settings", responses((status = 200, body = Members)))]
pub(super) async fn members(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Members>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(Members { data: people::list(&mut tx).await? }))
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(get, update, members))]
pub struct Doc;
