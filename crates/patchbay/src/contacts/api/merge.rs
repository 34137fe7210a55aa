use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ContactBody;
use crate::{
    app::App,
    auth::Caller,
    contacts::{
        self,
        duplicates::{self, Likeness},
        merge::{self, Line, MergeField, Wish},
    },
    error::Result,
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
    },
};

/// The duplicate, and where its values win.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub(super) struct MergeInput {
    /// Becomes part of the contact in the path.
    merged_id: Uuid,
    /// Fields where the duplicate's value wins; elsewhere it only fills what is empty.
    #[serde(default)]
    take: Vec<MergeField>,
    /// Custom fields where the duplicate's value wins.
    #[serde(default)]
    take_properties: Vec<String>,
}

/// Both contacts side by side.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct MergePreview {
    kept: ContactBody,
    merged: ContactBody,
    fields: Vec<Line>,
    properties: Vec<Line>,
}

/// What came of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Merged {
    /// By which it can be undone.
    merge_id: Uuid,
    contact: ContactBody,
}

/// Two contacts again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Separated {
    kept: ContactBody,
    separated: ContactBody,
}

/// A contact that may be the same person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Suggestion {
    likeness: Likeness,
    contact: ContactBody,
}

/// Contacts that may be one person, oldest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct SuggestedGroup {
    likeness: Likeness,
    contacts: Vec<ContactBody>,
    /// How many there are, of whom a few are named.
    count: i64,
}

/// What a merge would do; nothing changes.
#[utoipa::path(post, path = "/api/contacts/{id}/merge/preview", tag = "Contacts", params(("id" = Uuid, Path)), request_body = MergeInput,
    responses((status = 200, body = MergePreview), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<MergeInput>,
) -> Result<Json<MergePreview>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let merge::Preview { kept, merged, fields, properties } =
        merge::preview(&mut tx, id, input.merged_id).await?;
    Ok(Json(MergePreview { kept: kept.into(), merged: merged.into(), fields, properties }))
}

/// Makes one contact of two. Everything that happened with either belongs to the kept one; both their addresses lead
/// to it.
#[utoipa::path(post, path = "/api/contacts/{id}/merge", tag = "Contacts", params(("id" = Uuid, Path)), request_body = MergeInput,
    responses((status = 200, body = Merged), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn merge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<MergeInput>,
) -> Result<Json<Merged>> {
    let MergeInput { merged_id: merged, take, take_properties } = input;
    let merge_id = merge::merge(&app, &caller, &Wish { kept: id, merged, take, take_properties }).await?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(Merged { merge_id, contact: contacts::get(&mut tx, id).await?.into() }))
}

/// Takes a merge back. What people changed since stays.
#[utoipa::path(post, path = "/api/merges/{id}/undo", tag = "Contacts", params(("id" = Uuid, Path)), responses((status = 200, body = Separated), (status = 404), (status = 409)))]
pub(super) async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Separated>> {
    let (kept, separated) = merge::undo(&app, &caller, id).await?;
    Ok(Json(Separated { kept: kept.into(), separated: separated.into() }))
}

/// Who may be the same person as this contact, likeliest first.
#[utoipa::path(get, path = "/api/contacts/{id}/duplicates", tag = "Contacts", params(("id" = Uuid, Path)), responses((status = 200, body = Page<Suggestion>), (status = 404)))]
pub(super) async fn suggest(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Page<Suggestion>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::get(&mut tx, id).await?;
    drop(tx);
    let found = duplicates::suggest(&app, caller.tenant.id, &contact).await?;
    let suggestion =
        |(contact, likeness): (contacts::Contact, _)| Suggestion { likeness, contact: contact.into() };
    Ok(Json(Page::whole(found.into_iter().map(suggestion).collect())))
}

/// The likeliest duplicates among all contacts.
#[utoipa::path(get, path = "/api/duplicates", tag = "Contacts", params(PageQuery), responses((status = 200, body = Page<SuggestedGroup>)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<SuggestedGroup>>> {
    // The list is given whole, so no cursor comes from it.
    page.nowhere()?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let groups = duplicates::list(&mut tx, app.now()).await?;
    tx.commit().await?;
    let groups = groups.into_iter().map(|group| SuggestedGroup {
        likeness: group.likeness,
        contacts: group.contacts.into_iter().map(ContactBody::from).collect(),
        count: group.count,
    });
    Ok(Json(Page::whole(groups.collect())))
}

/// These two are not the same person: they are not suggested as duplicates again.
#[utoipa::path(put, path = "/api/contacts/{id}/distinct/{other_id}", tag = "Contacts", params(("id" = Uuid, Path), ("other_id" = Uuid, Path)),
    responses((status = 204), (status = 404), (status = 422)))]
pub(super) async fn tell_apart(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, other)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode> {
    duplicates::set_distinct(&app, &caller, id, other, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// They may be the same person after all.
#[utoipa::path(delete, path = "/api/contacts/{id}/distinct/{other_id}", tag = "Contacts", params(("id" = Uuid, Path), ("other_id" = Uuid, Path)),
    responses((status = 204), (status = 404), (status = 422)))]
pub(super) async fn doubt(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, other)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode> {
    duplicates::set_distinct(&app, &caller, id, other, false).await?;
    Ok(StatusCode::NO_CONTENT)
}
