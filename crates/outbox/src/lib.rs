//! A transactional outbox on PostgreSQL.
//!
//! A change and the events that follow from it are written in one transaction ([`enqueue`]); workers claim due
//! jobs in batches, hand them to a [`Handler`], and settle them in batches. Any number of nodes may run.
//!
//! Promises: a committed job is handled at least once; a claim is a lease, so the jobs of a dead node come due
//! again; a job that keeps failing backs off and is parked after a limit, never dropped. Handlers must therefore
//! be idempotent. Tenants take turns, so that one with a million jobs does not starve the others.
//!
//! It knows the table `patchbay.outbox` and nothing of what jobs mean.

mod back_off;
mod engine;
mod sql;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

pub use back_off::back_off;
pub use engine::{Engine, Handler, Options, Round};

/// One event to be handled.
#[derive(Debug, Clone)]
pub struct Job {
    pub tenant_id: Uuid,
    pub id: i64,
    pub event_type: String,
    pub payload: Value,
    /// 1 on the first try.
    pub attempt: i32,
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Worth another try after a pause.
    #[error("{0}")]
    Retry(String),
    /// No number of tries will help; a person should look.
    #[error("{0}")]
    Park(String),
}

/// Writes an event in the caller's transaction.
///
/// # Errors
/// What the database says.
pub async fn enqueue(
    conn: &mut PgConnection,
    tenant_id: Uuid,
    event_type: &str,
    payload: &Value,
    due: DateTime<Utc>,
) -> sqlx::Result<()> {
    sql::insert(conn, tenant_id, event_type, payload, due).await
}
