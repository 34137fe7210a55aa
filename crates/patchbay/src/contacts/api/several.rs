use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    auth::Caller,
    contacts::{
        bulk::{self, Change, Done},
        stages,
    },
    error::{Error, Result},
    web::{
        extract::{Json, Path},
        patch::Patch,
    },
};

/// Contacts, and the one thing to do with all of them.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub(super) struct BulkInput {
    /// At most 500.
    ids: Vec<Uuid>,
    /// Name of a label to give; made if it is missing.
    add_label: Option<String>,
    /// Name of a label to take off.
    remove_label: Option<String>,
    /// Id or name of a stage.
    stage: Option<String>,
    /// User id of a member; `null` takes the owner away.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    owner_id: Patch<Uuid>,
    /// `true` archives, `false` restores.
    archived: Option<bool>,
}

/// What came of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BulkDone {
    /// By which it can be undone for 30 days; `null` when nothing changed.
    id: Option<Uuid>,
    /// Whom it changed: those that were there, and not so already.
    changed: Vec<Uuid>,
}

impl From<Done> for BulkDone {
    fn from(done: Done) -> Self {
        Self { id: done.id, changed: done.changed }
    }
}

/// Does one thing to many contacts: exactly one of the fields beside `ids`.
#[utoipa::path(post, path = "/api/contacts/bulk", tag = "Contacts", request_body = BulkInput, responses((status = 200, body = BulkDone), (status = 422)))]
pub(super) async fn apply(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<BulkInput>,
) -> Result<Json<BulkDone>> {
    let stage = match &input.stage {
        Some(wanted) => {
            let mut tx = app.db.tenant(caller.tenant.id).await?;
            let found = stages::list(&mut tx).await?.into_iter().find(|stage| {
                stage.id.to_string() == *wanted || stage.name.to_lowercase() == wanted.to_lowercase()
            });
            Some(found.ok_or_else(|| Error::field("stage", "There is no such stage."))?.id)
        }
        None => None,
    };
    let owner = match input.owner_id {
        Patch::Keep => None,
        Patch::Clear => Some(Change::Owner(None)),
        Patch::Set(id) => Some(Change::Owner(Some(id))),
    };
    let archived = input.archived.map(|archived| if archived { Change::Archive } else { Change::Restore });
    let wishes = [
        input.add_label.map(Change::AddLabel),
        input.remove_label.map(Change::RemoveLabel),
        stage.map(Change::Stage),
        owner,
        archived,
    ];
    let wishes: Vec<Change> = wishes.into_iter().flatten().collect();
    let [change] = wishes.as_slice() else {
        return Err(Error::field(
            "ids",
            "Name one change: add_label, remove_label, stage, owner_id or archived.",
        ));
    };
    Ok(Json(bulk::apply(&app, &caller, &input.ids, change).await?.into()))
}

/// Takes a change to many back. Who was changed again since stays so.
#[utoipa::path(post, path = "/api/contacts/bulk/{id}/undo", tag = "Contacts", params(("id" = Uuid, Path)), responses((status = 200, body = BulkDone), (status = 404), (status = 409)))]
pub(super) async fn undo(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<BulkDone>> {
    let changed = bulk::undo(&app, &caller, id).await?;
    Ok(Json(BulkDone { id: None, changed }))
}
