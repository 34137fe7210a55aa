use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Backlog;
use crate::error::Result;

/// Parked events and unknown messages are counted up to this many per tenant.
const ENOUGH: i64 = 1000;

/// One probe per tenant and priority for the oldest due message, one per tenant for the rest: the partial indexes
/// hold nothing but work.
pub async fn backlog(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Backlog> {
    let row = sqlx::query!(
        r#"select
             coalesce(extract(epoch from $1 - min(message.oldest)), 0)::float8 as "message_lag!",
             coalesce(extract(epoch from $1 - min(event.oldest)), 0)::float8 as "event_lag!",
             coalesce(sum(unknown.count), 0)::bigint as "unknown!",
             coalesce(sum(parked.count), 0)::bigint as "parked!"
           from patchbay.tenants t
           cross join lateral (
             select min(due.send_after) as oldest from generate_series(0, 2) as priority
             cross join lateral (select m.send_after from patchbay.messages m
               where m.tenant_id = t.id and m.status = 'queued' and m.priority = priority and m.send_after <= $1
               order by m.send_after limit 1) due) message
           cross join lateral (select (
             select o.next_attempt_at from patchbay.outbox o
             where o.tenant_id = t.id and o.processed_at is null and o.parked_at is null and o.next_attempt_at <= $1
             order by o.next_attempt_at limit 1) as oldest) event
           cross join lateral (select count(*) from (select from patchbay.messages m
             where m.tenant_id = t.id and m.status = 'unknown' limit $2) m) unknown
           cross join lateral (select count(*) from (select from patchbay.outbox o
             where o.tenant_id = t.id and o.parked_at is not null limit $2) o) parked"#,
        now,
        ENOUGH
    )
    .fetch_one(conn)
    .await?;
    Ok(Backlog {
        dispatcher_lag_seconds: row.message_lag.max(0.0),
        outbox_lag_seconds: row.event_lag.max(0.0),
        unknown_messages: row.unknown,
        parked_events: row.parked,
    })
}
