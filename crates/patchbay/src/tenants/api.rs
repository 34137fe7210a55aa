//! Settings, members and invitations as JSON.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Member, Settings, SettingsPatch,
    members::{self as people, Invitation},
    settings,
};
use crate::{
    app::App,
    auth::{Caller, Role},
    error::{Error, Problem, Result},
    web::{
        extract::{Json, Path},
        paging::Page,
    },
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

/// A member's new role.
#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct RoleChange {
    role: Role,
}

/// Gives a member another role. Owners are made and changed by owners only, who sign in; no key is one.
#[utoipa::path(
    patch, path = "/api/members/{id}", tag = "Settings", params(("id" = Uuid, Path)), request_body = RoleChange,
    responses((status = 200, body = Member), (status = 403), (status = 404), (status = 409, description = "The last owner stays")),
)]
pub(super) async fn set_role(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(change): Json<RoleChange>,
) -> Result<Json<Member>> {
    people::set_role(&app, &caller, id, change.role).await?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let members = people::list(&mut tx).await?;
    Ok(Json(members.into_iter().find(|member| member.id == id).ok_or(Error::NotFound("member"))?))
}

/// Takes a member out of the business, with effect at once.
#[utoipa::path(
    delete, path = "/api/members/{id}", tag = "Settings", params(("id" = Uuid, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409, description = "The last owner stays")),
)]
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    people::remove(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The invitations that nobody has accepted yet, newest first.
#[utoipa::path(get, path = "/api/invitations", tag = "Settings", responses((status = 200, body = Page<Invitation>)))]
pub(super) async fn invitations(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Page<Invitation>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(Page::whole(people::invitations(&mut tx).await?)))
}

#[derive(Deserialize, utoipa::ToSchema)]
pub(super) struct NewInvitation {
    email: String,
    role: Role,
}

/// Invites an address and writes to it. Inviting again renews the invitation.
#[utoipa::path(
    post, path = "/api/invitations", tag = "Settings", request_body = NewInvitation,
    responses((status = 201, body = Invitation), (status = 422, body = Problem)),
)]
pub(super) async fn invite(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewInvitation>,
) -> Result<(StatusCode, Json<Invitation>)> {
    let id = people::invite(&app, &caller, &new.email, new.role).await?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let open = people::invitations(&mut tx).await?;
    let made = open.into_iter().find(|one| one.id == id).ok_or(Error::NotFound("invitation"))?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/api/invitations/{id}", tag = "Settings", params(("id" = Uuid, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn revoke_invitation(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    people::revoke_invitation(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(get, update, members, set_role, remove, invitations, invite, revoke_invitation))]
pub struct Doc;
