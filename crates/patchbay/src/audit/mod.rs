//! The audit log: who changed what. Append-only; written in the transaction of the change it tells of.

mod sql;

use serde_json::Value;
use uuid::Uuid;

use crate::{auth::Actor, db::{SystemTx, TenantTx}, error::Result, web::routes::Routes};

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

/// Writes `entry` in the caller's transaction.
pub async fn record(tx: &mut TenantTx, actor: &Actor, entry: Entry<'_>) -> Result<()> {
    let tenant = tx.tenant();
    sql::insert(tx.conn(), tenant, actor, &entry).await
}

/// The same for what happens before a tenant is on screen, such as joining it.
pub async fn record_as_system(tx: &mut SystemTx, tenant: Uuid, actor: &Actor, entry: Entry<'_>) -> Result<()> {
    sql::insert(tx.conn(), tenant, actor, &entry).await
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
}
