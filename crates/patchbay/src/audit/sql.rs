//! The audit log's SQL.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Entry;
use crate::{auth::Actor, error::Result};

pub(super) async fn insert(conn: &mut PgConnection, tenant: Uuid, actor: &Actor, entry: &Entry<'_>) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.audit_log (tenant_id, actor_kind, actor_id, actor_label, action, entity_type, entity_id, changes)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant,
        actor.kind.as_str(),
        actor.id,
        actor.label,
        entry.action,
        entry.entity_type,
        entry.entity_id,
        entry.changes,
    )
    .execute(conn)
    .await?;
    Ok(())
}
