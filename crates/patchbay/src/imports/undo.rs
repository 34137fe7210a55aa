//! Taking an import back: contacts that it made and nobody has touched since go, fields that still hold what it wrote
//! get back what they held before. Whatever has changed since stays as it is.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Import, engine::lease_until, sql};
use crate::{app::App, error::Result};

const BATCH: i64 = 2_000;

/// Does the whole of a claimed undo, batch by batch; going on after a death does nothing twice.
pub async fn run(app: &Arc<App>, import: &Import) -> Result<()> {
    let done = restore_changes(app, import).await?
        && restore_addresses(app, import).await?
        && delete_made(app, import).await?;
    if !done {
        return Ok(()); // another node has it
    }
    let mut tx = app.db.system().await?;
    let (tenant, id) = (import.tenant_id, import.id);
    let kept = sql::count_made(tx.conn(), tenant, id).await?;
    if sql::advance_undo(tx.conn(), tenant, id, import.attempt, &json!({ "kept": kept }), lease_until(app))
        .await?
    {
        sql::finish(tx.conn(), tenant, id, import.attempt, "undone", None, app.now()).await?;
        sql::delete_chunks(tx.conn(), tenant, id).await?;
    }
    tx.commit().await
}

async fn advance(tx: &mut crate::db::SystemTx, app: &App, import: &Import, counts: &Value) -> Result<bool> {
    sql::advance_undo(tx.conn(), import.tenant_id, import.id, import.attempt, counts, lease_until(app)).await
}

async fn restore_changes(app: &App, import: &Import) -> Result<bool> {
    loop {
        let mut tx = app.db.system().await?;
        let changes = sql::take_changes(tx.conn(), import.tenant_id, import.id, BATCH).await?;
        if changes.is_empty() {
            return Ok(true);
        }
        let (mut ids, mut patches) = (Vec::new(), Vec::new());
        for change in &changes {
            let patch =
                change.now.as_ref().map(|now| back(&change.before, &change.after, now)).unwrap_or_default();
            if !patch.is_empty() {
                ids.push(change.contact_id);
                patches.push(Value::Object(patch));
            }
        }
        sql::restore_contacts(tx.conn(), import.tenant_id, &ids, &patches, app.now()).await?;
        if !advance(&mut tx, app, import, &json!({ "restored": changes.len() })).await? {
            return Ok(false);
        }
        tx.commit().await?;
    }
}

/// The fields that still hold what the import wrote, with what they held before.
fn back(before: &Value, after: &Value, now: &Value) -> Map<String, Value> {
    let mut patch = Map::new();
    for (field, was) in before.as_object().into_iter().flatten() {
        if field == "properties" {
            let mut properties = now[field].as_object().cloned().unwrap_or_default();
            let mut changed = false;
            for (key, written) in after[field].as_object().into_iter().flatten() {
                if properties.get(key) == Some(written) {
                    changed = true;
                    match &was[key] {
                        Value::Null => properties.remove(key),
                        value => properties.insert(key.clone(), value.clone()),
                    };
                }
            }
            if changed {
                patch.insert(field.clone(), Value::Object(properties));
            }
        } else if now[field] == after[field] {
            patch.insert(field.clone(), was.clone());
        }
    }
    patch
}

async fn restore_addresses(app: &App, import: &Import) -> Result<bool> {
    loop {
        let mut tx = app.db.system().await?;
        let taken = sql::restore_addresses(tx.conn(), import.tenant_id, import.id, BATCH, app.now()).await?;
        if taken == 0 {
            return Ok(true);
        }
        if !advance(&mut tx, app, import, &json!({})).await? {
            return Ok(false);
        }
        tx.commit().await?;
    }
}

async fn delete_made(app: &App, import: &Import) -> Result<bool> {
    let mut after = Uuid::nil();
    loop {
        let mut tx = app.db.system().await?;
        let ids = sql::list_made(tx.conn(), import.tenant_id, import.id, after, BATCH).await?;
        let Some(last) = ids.last() else { return Ok(true) };
        after = *last;
        let deleted = sql::delete_untouched(tx.conn(), import.tenant_id, import.id, &ids).await?;
        if !advance(&mut tx, app, import, &json!({ "deleted": deleted })).await? {
            return Ok(false);
        }
        tx.commit().await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_still_stands_as_written_goes_back() {
        let before = json!({"first_name": "Dana", "last_name": null, "properties": {"size": 3, "colour": null, "shape": "round"}});
        let after = json!({"first_name": "Daniela", "last_name": "Whitfield", "properties": {"size": 4, "colour": "red", "shape": "flat"}});
        let now = json!({"first_name": "Daniela", "last_name": "Wells", "properties": {"size": 4, "colour": "red", "shape": "oval", "own": 1}});
        assert_eq!(
            Value::Object(back(&before, &after, &now)),
            json!({"first_name": "Dana", "properties": {"size": 3, "shape": "oval", "own": 1}})
        );
    }
}
