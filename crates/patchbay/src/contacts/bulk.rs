//! One change to many contacts at once, in one transaction and a handful of statements; and taking it back.
//!
//! Undoing gives each contact what it had before, save those that somebody has changed since.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{input, labels, sql, stages};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, Result},
};

/// A page of a list can be chosen, not a whole tenant: that is what campaigns are for.
pub const MOST: usize = 500;
/// How long a change can be taken back.
const KEPT: TimeDelta = TimeDelta::days(30);

/// What happens to all of them.
#[derive(Debug, Clone)]
pub enum Change {
    /// A label by name, made if it is missing.
    AddLabel(String),
    RemoveLabel(String),
    Stage(Uuid),
    /// `None` takes the owner away.
    Owner(Option<Uuid>),
    Archive,
    Restore,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Done {
    /// By which it can be undone; `None` when nothing changed.
    pub id: Option<Uuid>,
    /// Whom it changed.
    pub changed: Vec<Uuid>,
}

/// How a change is taken back.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Undo {
    Label { label_id: Uuid, given: bool, ids: Vec<Uuid> },
    Stage { to: Uuid, before: Vec<(Uuid, Option<Uuid>, f64)> },
    Owner { to: Option<Uuid>, before: Vec<(Uuid, Option<Uuid>)> },
    Archived { archived: bool, ids: Vec<Uuid> },
}

/// A change as it was made: what tells of it, and what takes it back.
struct Made {
    changed: Vec<Uuid>,
    kind: &'static str,
    action: &'static str,
    data: Value,
    undo: Undo,
}

/// Does `change` to those of `ids` that are there, not merged, and not so already.
pub async fn apply(app: &App, caller: &Caller, ids: &[Uuid], change: &Change) -> Result<Done> {
    if ids.len() > MOST {
        return Err(Error::field("ids", format!("Choose at most {MOST} contacts at once.")));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::lock_many(&mut tx, ids).await?;
    let made = match change {
        Change::AddLabel(name) => label(&mut tx, app, &rows, name, true).await?,
        Change::RemoveLabel(name) => label(&mut tx, app, &rows, name, false).await?,
        Change::Stage(to) => stage(&mut tx, app, &rows, *to).await?,
        Change::Owner(to) => owner(&mut tx, app, &rows, *to).await?,
        Change::Archive => archived(&mut tx, app, &rows, true).await?,
        Change::Restore => archived(&mut tx, app, &rows, false).await?,
    };
    if made.changed.is_empty() {
        tx.commit().await?;
        return Ok(Done::default());
    }
    sql::insert_activities(&mut tx, &made.changed, made.kind, &made.data, &caller.actor.label).await?;
    let id = app.new_id();
    let now = app.now();
    sql::insert_bulk(&mut tx, id, &serde_json::to_value(&made.undo)?, &caller.actor.label, now).await?;
    sql::forget_bulk(&mut tx, now - KEPT).await?;
    record(&mut tx, caller, made.action, &json!({"ids": made.changed, "change": made.data})).await?;
    tx.commit().await?;
    Ok(Done { id: Some(id), changed: made.changed })
}

/// Takes a change back; answers for whom.
pub async fn undo(app: &App, caller: &Caller, id: Uuid) -> Result<Vec<Uuid>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (undo, undone) = sql::lock_bulk(&mut tx, id).await?.ok_or(Error::NotFound("change"))?;
    if undone {
        return Err(Error::conflict("This was undone already."));
    }
    let now = app.now();
    let changed = match serde_json::from_value(undo)? {
        Undo::Label { label_id, given: true, ids } => {
            contacts_of(sql::detach_labels(&mut tx, &ids, &[label_id]).await?)
        }
        Undo::Label { label_id, given: false, ids } => {
            contacts_of(sql::attach_labels(&mut tx, &ids, &[label_id]).await?)
        }
        Undo::Stage { to, before } => sql::put_stages_back(&mut tx, to, &before, now).await?,
        Undo::Owner { to, before } => sql::put_owners_back(&mut tx, to, &before, now).await?,
        Undo::Archived { archived, ids } => sql::set_archived(&mut tx, &ids, !archived, now).await?,
    };
    sql::mark_bulk_undone(&mut tx, id, now).await?;
    sql::insert_activities(&mut tx, &changed, "bulk.undone", &json!({}), &caller.actor.label).await?;
    record(&mut tx, caller, "contacts.undone", &json!({"ids": changed})).await?;
    tx.commit().await?;
    Ok(changed)
}

async fn label(tx: &mut TenantTx, app: &App, rows: &[sql::Locked], name: &str, given: bool) -> Result<Made> {
    let names = [name.to_owned()];
    let found = if given {
        labels::ensure(tx, app, &names).await?
    } else {
        sql::list_labels_named(tx, &names).await?
    };
    let label = found.first().ok_or_else(|| Error::field("label", "There is no such label."))?;
    let ids = ids_of(rows);
    let (pairs, kind, action) = if given {
        (sql::attach_labels(tx, &ids, &[label.id]).await?, "label.added", "contacts.labelled")
    } else {
        (sql::detach_labels(tx, &ids, &[label.id]).await?, "label.removed", "contacts.unlabelled")
    };
    let changed = contacts_of(pairs);
    let undo = Undo::Label { label_id: label.id, given, ids: changed.clone() };
    Ok(Made { changed, kind, action, data: json!({"label": label.name}), undo })
}

async fn stage(tx: &mut TenantTx, app: &App, rows: &[sql::Locked], to: Uuid) -> Result<Made> {
    let stages = stages::list(tx).await?;
    let stage = stages
        .iter()
        .find(|stage| stage.id == to)
        .ok_or_else(|| Error::field("stage", "There is no such stage."))?;
    let changed = sql::set_stage(tx, &ids_of(rows), to, app.now()).await?;
    let before = rows
        .iter()
        .filter(|row| changed.contains(&row.id))
        .map(|row| (row.id, row.stage_id, row.stage_position))
        .collect();
    let data = json!({"to": stage.name, "to_id": to});
    Ok(Made {
        changed,
        kind: "stage.moved",
        action: "contacts.moved",
        data,
        undo: Undo::Stage { to, before },
    })
}

async fn owner(tx: &mut TenantTx, app: &App, rows: &[sql::Locked], to: Option<Uuid>) -> Result<Made> {
    let members = sql::list_members(tx).await?;
    let name = match to {
        Some(id) => Some(
            input::member(&members, id)
                .ok_or_else(|| Error::field("owner", "Choose a member of this business."))?
                .name
                .clone(),
        ),
        None => None,
    };
    let changed = sql::set_owner(tx, &ids_of(rows), to, app.now()).await?;
    let before =
        rows.iter().filter(|row| changed.contains(&row.id)).map(|row| (row.id, row.owner_id)).collect();
    let data = json!({"to": to, "to_name": name});
    Ok(Made {
        changed,
        kind: "owner.changed",
        action: "contacts.assigned",
        data,
        undo: Undo::Owner { to, before },
    })
}

async fn archived(tx: &mut TenantTx, app: &App, rows: &[sql::Locked], archived: bool) -> Result<Made> {
    let changed = sql::set_archived(tx, &ids_of(rows), archived, app.now()).await?;
    let (kind, action) =
        if archived { ("archived", "contacts.archived") } else { ("restored", "contacts.restored") };
    let undo = Undo::Archived { archived, ids: changed.clone() };
    Ok(Made { changed, kind, action, data: json!({}), undo })
}

fn ids_of(rows: &[sql::Locked]) -> Vec<Uuid> {
    rows.iter().map(|row| row.id).collect()
}

fn contacts_of(pairs: Vec<(Uuid, Uuid)>) -> Vec<Uuid> {
    pairs.into_iter().map(|(contact, _)| contact).collect()
}

async fn record(tx: &mut TenantTx, caller: &Caller, action: &'static str, changes: &Value) -> Result<()> {
    let entry = audit::Entry { action, kind: audit::Kind::Contact, entity_id: None, changes };
    audit::record(tx, &caller.actor, entry).await
}
