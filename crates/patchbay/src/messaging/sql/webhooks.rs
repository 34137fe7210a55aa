//! What a webhook touches before it is answered: global tables, as the system role, many at a time.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::error::Result;

/// Raw events, column by column.
#[derive(Default)]
pub struct Events {
    pub providers: Vec<String>,
    pub ids: Vec<String>,
    pub tenants: Vec<Uuid>,
    pub kinds: Vec<String>,
    pub payloads: Vec<Value>,
}

/// Stores raw events; answers the ids of those that are new.
pub async fn insert_events(
    conn: &mut PgConnection,
    events: &Events,
    now: DateTime<Utc>,
) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "insert into patchbay.webhook_events (provider, provider_event_id, tenant_id, kind, payload, received_at)
         select e.provider, e.id, e.tenant_id, e.kind, e.payload, $6
         from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::jsonb[]) e (provider, id, tenant_id, kind, payload)
         on conflict do nothing returning provider_event_id",
        &events.providers,
        &events.ids,
        &events.tenants,
        &events.kinds,
        &events.payloads,
        now,
    )
    .fetch_all(conn)
    .await?)
}

/// Work for the outbox, column by column.
#[derive(Default)]
pub struct Jobs {
    pub tenants: Vec<Uuid>,
    pub types: Vec<String>,
    pub payloads: Vec<Value>,
}

pub async fn enqueue(conn: &mut PgConnection, jobs: &Jobs, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "insert into patchbay.outbox (tenant_id, event_type, payload, next_attempt_at)
         select j.tenant_id, j.event_type, j.payload, $4 from unnest($1::uuid[], $2::text[], $3::jsonb[]) j (tenant_id, event_type, payload)",
        &jobs.tenants,
        &jobs.types,
        &jobs.payloads,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub struct AccountRow {
    pub tenant_id: Uuid,
    pub credentials_sealed: Option<Vec<u8>>,
}

/// Every tenant's account of this name.
pub async fn accounts(conn: &mut PgConnection, account_sid: &str) -> Result<Vec<AccountRow>> {
    Ok(sqlx::query_as!(
        AccountRow,
        "select tenant_id, credentials_sealed from patchbay.provider_accounts where account_sid = $1 and provider = 'twilio' and disabled_at is null",
        account_sid,
    )
    .fetch_all(conn)
    .await?)
}

/// Tenants that own this number, optionally only those on the shared account.
pub async fn tenants_of_number(conn: &mut PgConnection, channel: &str, address: &str) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        "select tenant_id from patchbay.senders where address = $1 and channel = $2 and disabled_at is null order by created_at",
        address,
        channel,
    )
    .fetch_all(conn)
    .await?)
}
