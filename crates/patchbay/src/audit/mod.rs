//! The audit log: who changed what. Append-only; written in the transaction of the change it tells of.

mod sql;

use serde_json::Value;

use crate::{auth::Actor, db::TenantTx, error::Result, web::routes::Routes};

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
    sql::insert(tx, actor, &entry).await
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
}
