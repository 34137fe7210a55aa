//! What members do with one contact, from its page and from the panel beside its conversation.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::words;
use crate::{
    app::App,
    auth::Caller,
    consent::{self, Give},
    contacts::{self, ContactInput, filter, notes},
    error::{Error, Result},
    web::{
        extract::{Form, Path},
        notice,
        patch::Patch,
    },
};

fn page(id: Uuid) -> String {
    format!("/contacts/{id}")
}

/// One of the fields that are changed in place.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Quick {
    status: Option<String>,
    stage_id: Option<String>,
    owner_id: Option<String>,
    /// Which field is meant when its value is empty.
    field: Option<String>,
}

/// `POST /contacts/{id}/set`: status, stage or owner, chosen on the page.
pub(super) async fn set(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(quick): Form<Quick>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = contacts::get(&mut tx, id).await?;
    drop(tx);
    let id_text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let set = |value: Option<String>| value.map_or(Patch::Clear, Patch::Set);
    let field = quick.field.as_deref().unwrap_or_default();
    let (input, old) = match field {
        "status" => {
            let input = ContactInput { status: set(quick.status), ..ContactInput::default() };
            (input, ("status", before.status.as_str().to_owned()))
        }
        "stage_id" => {
            let input = ContactInput { stage_id: set(quick.stage_id), ..ContactInput::default() };
            (input, ("stage_id", id_text(before.stage_id)))
        }
        "owner_id" => {
            let input = ContactInput { owner_id: set(quick.owner_id), ..ContactInput::default() };
            (input, ("owner_id", id_text(before.owner_id)))
        }
        _ => return Err(Error::BadRequest("Choose what to change.".into())),
    };
    let contact = contacts::update(&app, &caller, id, &input).await?;
    let said = match old.0 {
        "status" => format!("Status: {}", words::status(contact.status)),
        "stage_id" => match &contact.stage {
            Some(stage) => format!("Moved to {stage}"),
            None => "Taken off the board".to_owned(),
        },
        _ => "Owner changed".to_owned(),
    };
    let undo = filter::href(&format!("/contacts/{id}/set"), &[("field", old.0.to_owned()), old]);
    Ok(notice::toast(&app, &headers, &page(id), &said, Some(&undo)))
}

/// `POST /contacts/{id}/archive`.
pub(super) async fn archive(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let contact = contacts::archive(&app, &caller, id).await?;
    let said = format!("Archived {}", words::name(&caller, &contact));
    Ok(notice::toast(&app, &headers, &page(id), &said, Some(&format!("/contacts/{id}/restore"))))
}

/// `POST /contacts/{id}/restore`.
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let contact = contacts::restore(&app, &caller, id).await?;
    let said = format!("Restored {}", words::name(&caller, &contact));
    Ok(notice::toast(&app, &headers, &page(id), &said, None))
}

/// A label by name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Labelled {
    label: String,
}

/// `POST /contacts/{id}/labels`.
pub(super) async fn add_label(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(Labelled { label }): Form<Labelled>,
) -> Result<Response> {
    contacts::add_labels(&app, &caller, id, std::slice::from_ref(&label)).await?;
    Ok(labelled(&app, &headers, id, &format!("Labelled {}", label.trim()), "labels/remove", &label))
}

/// `POST /contacts/{id}/labels/remove`.
pub(super) async fn remove_label(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(Labelled { label }): Form<Labelled>,
) -> Result<Response> {
    contacts::remove_label(&app, &caller, id, &label).await?;
    Ok(labelled(&app, &headers, id, &format!("Took {} off", label.trim()), "labels", &label))
}

fn labelled(app: &App, headers: &HeaderMap, id: Uuid, said: &str, back: &str, label: &str) -> Response {
    let undo = filter::href(&format!("/contacts/{id}/{back}"), &[("label", label.to_owned())]);
    notice::toast(app, headers, &page(id), said, Some(&undo))
}

/// A note's text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    body: String,
}

/// `POST /contacts/{id}/notes`.
pub(super) async fn add_note(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(written): Form<Written>,
) -> Result<Response> {
    notes::create(&app, &caller, id, &written.body).await?;
    Ok(notice::toast(&app, &headers, &page(id), "Note added", None))
}

/// `POST /notes/{id}`.
pub(super) async fn edit_note(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(written): Form<Written>,
) -> Result<Response> {
    let note = notes::update(&app, &caller, id, &written.body).await?;
    Ok(notice::toast(&app, &headers, &page(note.contact_id), "Note saved", None))
}

/// `POST /notes/{id}/delete`.
pub(super) async fn delete_note(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let note = notes::delete(&app, &caller, id).await?;
    Ok(notice::toast(&app, &headers, &page(note.contact_id), "Note deleted", None))
}

/// `POST /contacts/{id}/consent`: what somebody said outside of any message.
pub(super) async fn note_consent(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(given): Form<Give>,
) -> Result<Response> {
    consent::note(&app, &caller, id, &given).await?;
    Ok(notice::toast(&app, &headers, &page(id), "Consent noted", None))
}
