//! The audit log as JSON.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::sql::{self, Filter};
use crate::{
    app::App,
    auth::Caller,
    error::Result,
    web::{
        extract::{Json, Query},
        paging::{Page, PageQuery},
    },
};

/// One change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AuditEntry {
    id: Uuid,
    at: DateTime<Utc>,
    actor: AuditActor,
    /// Such as `settings.updated`.
    #[schema(example = "settings.updated")]
    action: String,
    #[schema(example = "settings")]
    entity_type: String,
    entity_id: Option<String>,
    /// `{"field": [before, after]}`, without secrets or texts of messages.
    #[schema(value_type = Object)]
    changes: Value,
}

/// Who made it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AuditActor {
    /// `user`, `api_key`, `system` or `contact`
    kind: String,
    id: Option<Uuid>,
    label: String,
}

/// Which changes a list shows.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub(super) struct AuditQuery {
    /// Such as `contact`, `settings` or `api_key`.
    entity_type: Option<String>,
    entity_id: Option<String>,
    /// The user or the API key that made the change.
    actor_id: Option<Uuid>,
    /// 1 to 200, 50 unless told.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What was changed, newest first.
#[utoipa::path(get, path = "/api/audit-log", tag = "Settings", params(AuditQuery), responses((status = 200, body = Page<AuditEntry>)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Page<AuditEntry>>> {
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let filter = Filter {
        entity_type: query.entity_type.as_deref(),
        entity_id: query.entity_id.as_deref(),
        actor_id: query.actor_id,
        before: paging.after::<Uuid>()?,
        limit: paging.limit() + 1,
    };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let page = Page::cut(sql::list(&mut tx, &filter).await?, paging.limit(), |row| row.id);
    Ok(Json(page.map(|row| AuditEntry {
        id: row.id,
        at: row.at,
        actor: AuditActor { kind: row.actor_kind, id: row.actor_id, label: row.actor_label },
        action: row.action,
        entity_type: row.entity_type,
        entity_id: row.entity_id,
        changes: row.changes,
    })))
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list), components(schemas(AuditEntry, AuditActor)))]
pub struct Doc;
