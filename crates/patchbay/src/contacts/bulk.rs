//! One change to many contacts at once, in one transaction and a handful of statements.

use serde_json::json;
use uuid::Uuid;

use super::{input, labels, sql, stages};
use crate::{
    app::App,
    audit,
    auth::Caller,
    error::{Error, Result},
};

/// A page of a list can be chosen, not a whole tenant: that is what campaigns are for.
pub const MOST: usize = 500;

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

/// Does `change` to those of `ids` that are there, not merged, and not so already; answers which.
pub async fn apply(app: &App, caller: &Caller, ids: &[Uuid], change: &Change) -> Result<Vec<Uuid>> {
    if ids.len() > MOST {
        return Err(Error::field("ids", format!("Choose at most {MOST} contacts at once.")));
    }
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let ids = sql::lock_many(&mut tx, ids).await?;
    let (changed, kind, data, action) = match change {
        Change::AddLabel(name) => {
            let label = labels::ensure(&mut tx, app, std::slice::from_ref(name)).await?;
            let label = label.first().ok_or_else(|| Error::field("label", "Name the label."))?;
            let pairs = sql::attach_labels(&mut tx, &ids, &[label.id]).await?;
            (contacts_of(pairs), "label.added", json!({"label": label.name}), "contacts.labelled")
        }
        Change::RemoveLabel(name) => {
            let label = sql::list_labels_named(&mut tx, std::slice::from_ref(name)).await?;
            let label = label.first().ok_or_else(|| Error::field("label", "There is no such label."))?;
            let pairs = sql::detach_labels(&mut tx, &ids, &[label.id]).await?;
            (contacts_of(pairs), "label.removed", json!({"label": label.name}), "contacts.unlabelled")
        }
        Change::Stage(stage) => {
            let stages = stages::list(&mut tx).await?;
            let stage = stages
                .iter()
                .find(|other| other.id == *stage)
                .ok_or_else(|| Error::field("stage", "There is no such stage."))?;
            let changed = sql::set_stage(&mut tx, &ids, stage.id, now).await?;
            (changed, "stage.moved", json!({"to": stage.name, "to_id": stage.id}), "contacts.moved")
        }
        Change::Owner(owner) => {
            let members = sql::list_members(&mut tx).await?;
            let name = match owner {
                Some(id) => Some(
                    input::member(&members, *id)
                        .ok_or_else(|| Error::field("owner", "Choose a member of this business."))?
                        .name
                        .clone(),
                ),
                None => None,
            };
            let changed = sql::set_owner(&mut tx, &ids, *owner, now).await?;
            (changed, "owner.changed", json!({"to": owner, "to_name": name}), "contacts.assigned")
        }
        Change::Archive => {
            (sql::set_archived(&mut tx, &ids, true, now).await?, "archived", json!({}), "contacts.archived")
        }
        Change::Restore => {
            (sql::set_archived(&mut tx, &ids, false, now).await?, "restored", json!({}), "contacts.restored")
        }
    };
    if !changed.is_empty() {
        sql::insert_activities(&mut tx, &changed, kind, &data, &caller.actor.label).await?;
        let changes = json!({"ids": changed, "change": data});
        let entry = audit::Entry { action, entity_type: "contact", entity_id: None, changes: &changes };
        audit::record(&mut tx, &caller.actor, entry).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

fn contacts_of(pairs: Vec<(Uuid, Uuid)>) -> Vec<Uuid> {
    pairs.into_iter().map(|(contact, _)| contact).collect()
}
