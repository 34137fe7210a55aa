use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Event;
use crate::{contacts::full_name, db::TenantTx, error::Result};

struct Row {
    id: i64,
    event_type: String,
    payload: Value,
    attempt: i32,
    processed_at: Option<DateTime<Utc>>,
    parked_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    created_at: DateTime<Utc>,
    first_name: Option<String>,
    last_name: Option<String>,
}

impl From<Row> for Event {
    fn from(row: Row) -> Self {
        Self {
            contact_name: full_name(row.first_name.as_deref(), row.last_name.as_deref()),
            id: row.id,
            event_type: row.event_type,
            payload: row.payload,
            attempt: row.attempt,
            processed_at: row.processed_at,
            parked_at: row.parked_at,
            last_error: row.last_error,
            created_at: row.created_at,
        }
    }
}

/// One list of columns for both lists. A payload is anybody's JSON, so only what looks like an id is taken for one.
macro_rules! events {
    ($tail:tt, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select o.id, o.event_type, o.payload, o.attempt, o.processed_at, o.parked_at, o.last_error, o.created_at,
                 c.first_name as "first_name?", c.last_name as "last_name?"
               from patchbay.outbox o
               left join patchbay.contacts c on c.tenant_id = $1 and c.id =
                 case when o.payload->>'contact_id' ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then (o.payload->>'contact_id')::uuid end
               where o.tenant_id = $1 and ($2::bigint is null or o.id < $2) "# + $tail,
            $($argument),*
        )
    };
}

pub(super) async fn list(tx: &mut TenantTx, before: Option<i64>, limit: i64) -> Result<Vec<Event>> {
    let tenant = tx.tenant();
    let rows = events!("order by o.id desc limit $3", tenant, before, limit).fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(Event::from).collect())
}

pub(super) async fn list_parked(tx: &mut TenantTx, before: Option<i64>, limit: i64) -> Result<Vec<Event>> {
    let tenant = tx.tenant();
    let rows = events!("and o.parked_at is not null order by o.id desc limit $3", tenant, before, limit);
    Ok(rows.fetch_all(tx.conn()).await?.into_iter().map(Event::from).collect())
}

pub(super) async fn find_parked(tx: &mut TenantTx, id: i64) -> Result<Option<Event>> {
    // One past the id, because the lists ask for what is before.
    let (tenant, before) = (tx.tenant(), id.checked_add(1));
    let row = events!("and o.parked_at is not null and o.id = $3", tenant, before, id);
    Ok(row.fetch_optional(tx.conn()).await?.map(Event::from))
}

/// Answers the type of the event, if it was parked.
pub(super) async fn unpark(tx: &mut TenantTx, id: i64, now: DateTime<Utc>) -> Result<Option<String>> {
    let tenant = tx.tenant();
    let found = sqlx::query_scalar!(
        "update patchbay.outbox set parked_at = null, attempt = 0, next_attempt_at = $3
         where tenant_id = $1 and id = $2 and parked_at is not null returning event_type",
        tenant,
        id,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    wake(tx).await?;
    Ok(found)
}

pub(super) async fn unpark_all(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.outbox set parked_at = null, attempt = 0, next_attempt_at = $2 where tenant_id = $1 and parked_at is not null",
        tenant,
        now,
    )
    .execute(tx.conn())
    .await?;
    wake(tx).await?;
    Ok(done.rows_affected())
}

/// A hint to sleeping workers; polling finds the rest.
async fn wake(tx: &mut TenantTx) -> Result<()> {
    sqlx::query!("select pg_notify('patchbay_work', 'outbox')").execute(tx.conn()).await?;
    Ok(())
}
