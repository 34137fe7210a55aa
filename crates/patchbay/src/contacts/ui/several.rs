//! What is done to the chosen rows of the list.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::words;
use crate::{
    app::App,
    auth::Caller,
    contacts::bulk::{self, Change},
    error::{Error, Result},
    web::{
        extract::{Form, Path},
        notice,
    },
};

/// The chosen rows, and the button that was pressed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    ids: Vec<Uuid>,
    /// Name of a label to give.
    label: Option<String>,
    /// Name of a label to take off.
    remove_label: Option<String>,
    stage: Option<Uuid>,
    /// A member's id, or `none`.
    owner: Option<String>,
    archived: Option<bool>,
}

impl Chosen {
    fn change(&self) -> Result<Change> {
        if let Some(label) = &self.label {
            return Ok(Change::AddLabel(label.clone()));
        }
        if let Some(label) = &self.remove_label {
            return Ok(Change::RemoveLabel(label.clone()));
        }
        if let Some(stage) = self.stage {
            return Ok(Change::Stage(stage));
        }
        match (self.owner.as_deref(), self.archived) {
            (Some("none"), _) => Ok(Change::Owner(None)),
            (Some(id), _) => Uuid::parse_str(id)
                .map(|id| Change::Owner(Some(id)))
                .map_err(|_| Error::field("owner", "Choose a member of this business.")),
            (None, Some(true)) => Ok(Change::Archive),
            (None, Some(false)) => Ok(Change::Restore),
            (None, None) => Err(Error::BadRequest("Choose what to do with them.".into())),
        }
    }
}

/// `POST /contacts/bulk`.
pub(super) async fn apply(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Form(chosen): Form<Chosen>,
) -> Result<Response> {
    if chosen.ids.is_empty() {
        return Err(Error::BadRequest("Choose contacts first.".into()));
    }
    let change = chosen.change()?;
    let done = bulk::apply(&app, &caller, &chosen.ids, &change).await?;
    let who = words::contacts(done.changed.len());
    let said = match (&change, done.id) {
        (_, None) => "Nothing changed: they were like that already".to_owned(),
        (Change::AddLabel(label), _) => format!("Labelled {who} {}", label.trim()),
        (Change::RemoveLabel(label), _) => format!("Took {} off {who}", label.trim()),
        (Change::Stage(_), _) => format!("Moved {who}"),
        (Change::Owner(None), _) => format!("{who} without an owner now"),
        (Change::Owner(Some(_)), _) => format!("Gave {who} a new owner"),
        (Change::Archive, _) => format!("Archived {who}"),
        (Change::Restore, _) => format!("Restored {who}"),
    };
    let undo = done.id.map(|id| format!("/contacts/bulk/{id}/undo"));
    Ok(notice::toast(&app, &headers, "/contacts", &said, undo.as_deref()))
}

/// `POST /contacts/bulk/{id}/undo`.
pub(super) async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let changed = bulk::undo(&app, &caller, id).await?;
    let said = format!("Undone for {}", words::contacts(changed.len()));
    Ok(notice::toast(&app, &headers, "/contacts", &said, None))
}
