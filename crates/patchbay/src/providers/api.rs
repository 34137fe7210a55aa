//! Carrier accounts and senders as JSON. Credentials go in and never come out.

use std::sync::Arc;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    accounts::{self, Account, NewAccount},
    holds::{self, Hold},
    senders::{self, NewSender, Sender, SenderPatch},
};
use crate::{
    app::App,
    auth::Caller,
    error::{Problem, Result},
    web::extract::{Json, Path},
};

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Accounts {
    data: Vec<Account>,
    /// Always null: there are few.
    next_cursor: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Senders {
    data: Vec<Sender>,
    /// Always null: there are few.
    next_cursor: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SendingHolds)]
pub(super) struct Holds {
    data: Vec<Hold>,
    /// Always null: there are few.
    next_cursor: Option<String>,
}

/// The carrier accounts of the business.
#[utoipa::path(get, path = "/api/provider-accounts", tag = "Sending", responses((status = 200, body = Accounts)))]
pub(super) async fn accounts(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Accounts>> {
    Ok(Json(Accounts { data: accounts::list(&app, &caller).await?, next_cursor: None }))
}

/// Connects an account; one with the same SID is replaced.
#[utoipa::path(
    post, path = "/api/provider-accounts", tag = "Sending", request_body = NewAccount,
    responses((status = 201, body = Account), (status = 200, description = "Replaced", body = Account), (status = 422, body = Problem)),
)]
pub(super) async fn save_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewAccount>,
) -> Result<Response> {
    let (account, is_new) = accounts::save(&app, &caller, new).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(account)).into_response())
}

/// Replaces an account, credentials and all.
#[utoipa::path(
    put, path = "/api/provider-accounts/{id}", tag = "Sending", params(("id" = Uuid, Path)), request_body = NewAccount,
    responses((status = 200, body = Account), (status = 404, body = Problem), (status = 422, body = Problem)),
)]
pub(super) async fn replace_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(new): Json<NewAccount>,
) -> Result<Json<Account>> {
    Ok(Json(accounts::replace(&app, &caller, id, new).await?))
}

/// Disconnects an account and takes its senders out of use.
#[utoipa::path(
    delete, path = "/api/provider-accounts/{id}", tag = "Sending", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
pub(super) async fn remove_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    accounts::remove(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The numbers and addresses the business sends from.
#[utoipa::path(get, path = "/api/senders", tag = "Sending", responses((status = 200, body = Senders)))]
pub(super) async fn senders(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Senders>> {
    Ok(Json(Senders { data: senders::list(&app, &caller).await?, next_cursor: None }))
}

/// Adds a sender.
#[utoipa::path(
    post, path = "/api/senders", tag = "Sending", request_body = NewSender,
    responses((status = 201, body = Sender), (status = 409, body = Problem), (status = 422, body = Problem)),
)]
pub(super) async fn create_sender(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewSender>,
) -> Result<Response> {
    let sender = senders::create(&app, &caller, new).await?;
    Ok((StatusCode::CREATED, Json(sender)).into_response())
}

/// Changes label, rate, warm-up or default.
#[utoipa::path(
    patch, path = "/api/senders/{id}", tag = "Sending", params(("id" = Uuid, Path)), request_body = SenderPatch,
    responses((status = 200, body = Sender), (status = 404, body = Problem), (status = 422, body = Problem)),
)]
pub(super) async fn update_sender(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(change): Json<SenderPatch>,
) -> Result<Json<Sender>> {
    Ok(Json(senders::update(&app, &caller, id, change).await?))
}

/// Takes a sender out of use.
#[utoipa::path(
    delete, path = "/api/senders/{id}", tag = "Sending", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
pub(super) async fn remove_sender(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    senders::remove(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What waits because the carrier refuses an account or a sender, and why.
#[utoipa::path(get, path = "/api/sending-holds", tag = "Sending", responses((status = 200, body = Holds)))]
pub(super) async fn holds(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Holds>> {
    Ok(Json(Holds { data: holds::list(&app, &caller).await?, next_cursor: None }))
}

/// Lifts a hold: what waits for it tries again.
#[utoipa::path(
    delete, path = "/api/sending-holds/{id}", tag = "Sending", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 404, body = Problem)),
)]
pub(super) async fn lift_hold(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    holds::lift(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    accounts,
    save_account,
    replace_account,
    remove_account,
    senders,
    create_sender,
    update_sender,
    remove_sender,
    holds,
    lift_hold
))]
pub struct Doc;
