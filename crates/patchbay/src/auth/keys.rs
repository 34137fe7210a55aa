//! API keys: shown once, stored as a hash, good for one tenant and one scope until revoked.

use serde_json::json;
use uuid::Uuid;

pub use super::sql::keys::KeyEntry;
use super::{Actor, Caller, Scope, sql::keys as sql};
use crate::{
    app::App,
    audit,
    error::{Error, Result},
    ids::{hash_secret, new_secret},
};

/// A key just made; the only time it is seen whole.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub id: Uuid,
    pub key: String,
}

/// Makes a key for `tenant`.
///
/// # Errors
/// Names the field `name` when it is empty or too long.
pub async fn create_key(app: &App, tenant: Uuid, actor: &Actor, name: &str, scope: Scope) -> Result<NewKey> {
    let name = name.trim();
    if !(1..=120).contains(&name.chars().count()) || name.contains('\0') {
        return Err(Error::field("name", "Give the key a name of up to 120 characters."));
    }
    let new = NewKey { id: app.new_id(), key: new_secret("pb_") };
    let mut tx = app.db.tenant(tenant).await?;
    let row = sql::NewKeyRow {
        id: new.id,
        name,
        scope: scope.as_str(),
        prefix: new.key.get(..7).unwrap_or_default(),
        key_hash: &hash_secret(&new.key),
        created_by: actor.user_id(),
        now: app.now(),
    };
    sql::insert(&mut tx, &row).await?;
    let changes = json!({ "name": [null, name], "scope": [null, scope.as_str()] });
    let entry = audit::Entry {
        action: "api_key.created",
        entity_type: "api_key",
        entity_id: Some(new.id.to_string()),
        changes: &changes,
    };
    audit::record(&mut tx, actor, entry).await?;
    tx.commit().await?;
    Ok(new)
}

/// The keys that work, newest first.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<KeyEntry>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    sql::list(&mut tx).await
}

/// Ends a key at once. Returns its name.
pub async fn revoke(app: &App, caller: &Caller, id: Uuid) -> Result<String> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let name = sql::revoke(&mut tx, id, app.now()).await?.ok_or(Error::NotFound("API key"))?;
    let changes = json!({ "name": [name, null] });
    audit::changed(&mut tx, caller, "api_key.revoked", id, &changes).await?;
    tx.commit().await?;
    Ok(name)
}
