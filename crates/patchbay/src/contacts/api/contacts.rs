use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::ContactBody;
use crate::{
    app::App,
    auth::Caller,
    contacts::{
        self, ContactInput,
        filter::{self, FilterQuery},
        search::{self, Slice},
        timeline::{self, Entry},
    },
    error::Result,
    messaging,
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
    },
};

/// Lists and searches contacts, newest first.
#[utoipa::path(get, path = "/api/contacts", tag = "Contacts", params(FilterQuery), responses((status = 200, body = Page<ContactBody>)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<FilterQuery>,
) -> Result<Json<Page<ContactBody>>> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor.clone() };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let words = filter::vocabulary(&mut tx).await?;
    drop(tx);
    let filter = query.resolve(&words, None)?;
    let slice = Slice::after(page.after()?, page.limit());
    let (rows, found) = search::list(&app, caller.tenant.id, &filter, slice).await?;
    // The cursor is the last match, whether or not its row is still there to be read.
    let last = found.ids.last().copied();
    Ok(Json(Page::until(rows, last.filter(|_| found.more)).map(ContactBody::from)))
}

/// What the list with the same parameters shows, all of it, as a file. CSV, streamed.
#[utoipa::path(get, path = "/api/contacts/export", tag = "Contacts", params(FilterQuery), responses((status = 200, content_type = "text/csv", body = String)))]
pub(in crate::contacts) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<FilterQuery>,
) -> Result<Response> {
    contacts::export::export(app, &caller, &query).await
}

/// Makes a contact.
#[utoipa::path(post, path = "/api/contacts", tag = "Contacts", request_body = ContactInput,
    responses((status = 201, body = ContactBody), (status = 409, description = "Another contact has this number: `existing_id`"), (status = 422)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<ContactInput>,
) -> Result<(StatusCode, Json<ContactBody>)> {
    let contact = contacts::create(&app, &caller, &input).await?;
    Ok((StatusCode::CREATED, Json(contact.into())))
}

/// One contact, archived or not.
#[utoipa::path(get, path = "/api/contacts/{id}", tag = "Contacts", params(("id" = Uuid, Path)), responses((status = 200, body = ContactBody), (status = 404)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<ContactBody>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(contacts::get(&mut tx, id).await?.into()))
}

/// Changes the fields that are named.
#[utoipa::path(patch, path = "/api/contacts/{id}", tag = "Contacts", params(("id" = Uuid, Path)), request_body = ContactInput,
    responses((status = 200, body = ContactBody), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<ContactInput>,
) -> Result<Json<ContactBody>> {
    Ok(Json(contacts::update(&app, &caller, id, &input).await?.into()))
}

/// Archives a contact. Nothing is lost; see restore.
#[utoipa::path(delete, path = "/api/contacts/{id}", tag = "Contacts", params(("id" = Uuid, Path)), responses((status = 204), (status = 404)))]
pub(super) async fn archive(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    contacts::archive(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Brings an archived contact back.
#[utoipa::path(post, path = "/api/contacts/{id}/restore", tag = "Contacts", params(("id" = Uuid, Path)), responses((status = 200, body = ContactBody), (status = 404)))]
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<ContactBody>> {
    Ok(Json(contacts::restore(&app, &caller, id).await?.into()))
}

/// Everything that happened with a contact, newest first.
#[utoipa::path(get, path = "/api/contacts/{id}/timeline", tag = "Contacts", params(("id" = Uuid, Path), PageQuery), responses((status = 200, body = Page<Entry>), (status = 404)))]
pub(super) async fn timeline(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Entry>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::get(&mut tx, id).await?;
    Ok(Json(timeline::timeline(&mut tx, &contact, page.after()?, page.limit()).await?))
}

/// The messages from and to a contact, newest first.
#[utoipa::path(get, path = "/api/contacts/{id}/messages", tag = "Contacts", params(("id" = Uuid, Path), PageQuery), responses((status = 200, body = Page<messaging::Message>), (status = 404)))]
pub(super) async fn messages(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<messaging::Message>>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    contacts::get(&mut tx, id).await?;
    Ok(Json(messaging::list_of_contact(&mut tx, id, &page, app.now(), caller.tenant.timezone).await?))
}

/// Labels to give.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(super) struct Labels {
    /// Names; missing labels are made.
    labels: Vec<String>,
}

/// Gives a contact labels, in addition to those it has.
#[utoipa::path(post, path = "/api/contacts/{id}/labels", tag = "Contacts", params(("id" = Uuid, Path)), request_body = Labels,
    responses((status = 200, body = ContactBody), (status = 404), (status = 422)))]
pub(super) async fn add_labels(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<Labels>,
) -> Result<Json<ContactBody>> {
    Ok(Json(contacts::add_labels(&app, &caller, id, &input.labels).await?.into()))
}

/// Takes a label, by id or name, from a contact.
#[utoipa::path(delete, path = "/api/contacts/{id}/labels/{label}", tag = "Contacts", params(("id" = Uuid, Path), ("label" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn remove_label(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, label)): Path<(Uuid, String)>,
) -> Result<StatusCode> {
    contacts::remove_label(&app, &caller, id, &label).await?;
    Ok(StatusCode::NO_CONTENT)
}
