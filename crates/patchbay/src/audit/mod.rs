//! The audit log: who changed what. Append-only; written in the transaction of the change it tells of.

mod api;
mod said;
mod sql;
mod ui;
mod view;

pub use api::Doc;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    auth::{Actor, Caller, Role},
    db::{SystemTx, TenantTx},
    error::Result,
    web::routes::{Access, Routes},
};

/// One change, in the words of the log.
pub struct Entry<'a> {
    /// `contact.updated`, `settings.updated`, …
    pub action: &'static str,
    /// `contact`, `settings`, …
    pub entity_type: &'static str,
    pub entity_id: Option<String>,
    /// `{"field": [before, after]}`, without secrets or message bodies.
    pub changes: &'a Value,
}

/// What differs between two states of something, as `changes` of an entry: `{"field": [before, after]}`.
pub fn diff(before: &impl Serialize, after: &impl Serialize) -> Value {
    let read = |value: Result<Value, serde_json::Error>| match value {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (read(serde_json::to_value(before)), read(serde_json::to_value(after)));
    let mut changes = serde_json::Map::new();
    for (field, new) in after {
        let old = before.get(&field).cloned().unwrap_or(Value::Null);
        if old != new {
            changes.insert(field, Value::Array(vec![old, new]));
        }
    }
    Value::Object(changes)
}

/// Writes `entry` in the caller's transaction.
pub async fn record(tx: &mut TenantTx, actor: &Actor, entry: Entry<'_>) -> Result<()> {
    let tenant = tx.tenant();
    sql::insert(tx.conn(), tenant, actor, &entry).await
}

/// Writes what `caller` did to one thing, whose kind is the first word of `action`.
pub async fn changed(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    id: Uuid,
    changes: &Value,
) -> Result<()> {
    let entity_type = action.split_once('.').map_or(action, |(kind, _)| kind);
    let entry = Entry { action, entity_type, entity_id: Some(id.to_string()), changes };
    record(tx, &caller.actor, entry).await
}

/// [`record`] for what happens before a tenant is on screen, such as joining it.
pub async fn record_as_system(
    tx: &mut SystemTx,
    tenant: Uuid,
    actor: &Actor,
    entry: Entry<'_>,
) -> Result<()> {
    sql::insert(tx.conn(), tenant, actor, &entry).await
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/audit-log", Access::Api(Role::Admin), api::list).get(
        "/settings/audit",
        Access::Page(Role::Admin),
        ui::page,
    )
}
