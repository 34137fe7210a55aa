//! The audit log's SQL.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Entry;
use crate::{auth::Actor, db::TenantTx, error::Result};

pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: Uuid,
    actor: &Actor,
    entry: &Entry<'_>,
) -> Result<()> {
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

/// One line of the log.
pub(super) struct LogRow {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub actor_label: String,
    pub action: String,
    pub entity_type: String,
    pub entity_id: Option<String>,
    pub changes: Value,
}

/// What to list: everything where a filter is absent.
pub(super) struct Filter<'a> {
    pub entity_type: Option<&'a str>,
    pub entity_id: Option<&'a str>,
    pub actor_id: Option<Uuid>,
    pub before: Option<Uuid>,
    pub limit: i64,
}

/// Newest first. Ids are made in time order, so the key is the order.
pub(super) async fn list(tx: &mut TenantTx, filter: &Filter<'_>) -> Result<Vec<LogRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        LogRow,
        "select id, at, actor_kind, actor_id, actor_label, action, entity_type, entity_id, changes from patchbay.audit_log
         where tenant_id = $1 and ($2::text is null or entity_type = $2) and ($3::text is null or entity_id = $3)
           and ($4::uuid is null or actor_id = $4) and ($5::uuid is null or id < $5)
         order by id desc limit $6",
        tenant,
        filter.entity_type,
        filter.entity_id,
        filter.actor_id,
        filter.before,
        filter.limit,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whoever changed something lately, for the filter.
pub(super) struct ActorRow {
    pub id: Uuid,
    pub label: String,
}

pub(super) async fn recent_actors(tx: &mut TenantTx) -> Result<Vec<ActorRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ActorRow,
        r#"select distinct on (actor_id) actor_id as "id!", actor_label as label
           from (select actor_id, actor_label, id from patchbay.audit_log
                 where tenant_id = $1 and actor_id is not null order by id desc limit 2000) recent
           order by actor_id, id desc"#,
        tenant,
    )
    .fetch_all(tx.conn())
    .await?)
}
