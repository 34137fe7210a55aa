//! All SQL of the engine. Not checked at compile time: the crate does not know where its schema lives.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::Job;

pub(crate) async fn insert(
    conn: &mut PgConnection,
    tenant_id: Uuid,
    event_type: &str,
    payload: &Value,
    due: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("insert into patchbay.outbox (tenant_id, event_type, payload, next_attempt_at) values ($1, $2, $3, $4)")
        .bind(tenant_id)
        .bind(event_type)
        .bind(payload)
        .bind(due)
        .execute(conn)
        .await?;
    Ok(())
}

/// Tenants with due work. One index probe per tenant, whatever the number of jobs.
pub(crate) async fn due_tenants(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "select t.id from patchbay.tenants t where exists (
           select from patchbay.outbox o where o.tenant_id = t.id and o.processed_at is null and o.parked_at is null and o.next_attempt_at <= $1)
         order by t.id",
    )
    .bind(now)
    .fetch_all(conn)
    .await
}

pub(crate) async fn claim(
    conn: &mut PgConnection,
    tenant_id: Uuid,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
    batch: i64,
) -> sqlx::Result<Vec<Job>> {
    let rows = sqlx::query(
        "update patchbay.outbox o set attempt = o.attempt + 1, next_attempt_at = $3
         from (select id from patchbay.outbox
               where tenant_id = $1 and processed_at is null and parked_at is null and next_attempt_at <= $2
               order by next_attempt_at, id limit $4 for update skip locked) due
         where o.tenant_id = $1 and o.id = due.id
         returning o.id, o.event_type, o.payload, o.attempt",
    )
    .bind(tenant_id)
    .bind(now)
    .bind(lease_until)
    .bind(batch)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Job {
                tenant_id,
                id: row.try_get(0)?,
                event_type: row.try_get(1)?,
                payload: row.try_get(2)?,
                attempt: row.try_get(3)?,
            })
        })
        .collect()
}

/// Marks jobs done. `attempt` guards against a slow node settling what another has claimed since.
pub(crate) async fn mark_processed(
    conn: &mut PgConnection,
    tenant_id: Uuid,
    ids: &[i64],
    attempts: &[i32],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update patchbay.outbox o set processed_at = $4, last_error = null
         from unnest($2::bigint[], $3::int[]) as done (id, attempt)
         where o.tenant_id = $1 and o.id = done.id and o.attempt = done.attempt",
    )
    .bind(tenant_id)
    .bind(ids)
    .bind(attempts)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn mark_failed(
    conn: &mut PgConnection,
    job: &Job,
    error: &str,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update patchbay.outbox set last_error = $4, next_attempt_at = coalesce($5, next_attempt_at),
           parked_at = case when $5::timestamptz is null then $6 end
         where tenant_id = $1 and id = $2 and attempt = $3",
    )
    .bind(job.tenant_id)
    .bind(job.id)
    .bind(job.attempt)
    .bind(error)
    .bind(next)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets jobs done before `before`, a batch at a time.
pub(crate) async fn sweep(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "delete from patchbay.outbox where (tenant_id, id) in (
           select tenant_id, id from patchbay.outbox where processed_at < $1 limit 5000)",
    )
    .bind(before)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
