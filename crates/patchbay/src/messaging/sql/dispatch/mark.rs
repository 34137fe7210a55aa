//! What a claim decided, written down: what leaves, what a gate holds or refuses, what has no way out.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// What passed, column by column.
#[derive(Default)]
pub struct Passed {
    pub ids: Vec<Uuid>,
    pub senders: Vec<Option<Uuid>>,
    pub froms: Vec<Option<String>>,
    pub providers: Vec<String>,
}

/// Hands the lease to this process and begins an attempt.
pub async fn mark_sending(
    tx: &mut TenantTx,
    passed: &Passed,
    now: DateTime<Utc>,
    lease_until: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.messages m set status = 'sending', attempt = m.attempt + 1, claimed_at = $6, lease_until = $7,
           sender_id = p.sender_id, from_address = coalesce(p.from_address, m.from_address), provider = p.provider,
           gate = null, gate_reason = null, gate_until = null, error_code = null, error_detail = null, sent_at = null, failed_at = null
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[]) p (id, sender_id, from_address, provider)
         where m.tenant_id = $1 and m.id = p.id",
        tenant,
        &passed.ids,
        &passed.senders as _,
        &passed.froms as _,
        &passed.providers,
        now,
        lease_until,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a gate holds or refuses, column by column.
#[derive(Default)]
pub struct Held {
    pub ids: Vec<Uuid>,
    pub statuses: Vec<String>,
    pub gates: Vec<String>,
    pub reasons: Vec<Value>,
    pub untils: Vec<Option<DateTime<Utc>>>,
    /// Whether the gate is another one than before, which is worth an event.
    pub news: Vec<bool>,
}

pub async fn mark_held(tx: &mut TenantTx, held: &Held, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with held as (
           select * from unnest($2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::timestamptz[], $7::bool[]) h (id, status, gate, reason, until, news)),
         told as (
           insert into patchbay.message_events (tenant_id, message_id, event, detail, at)
           select $1, h.id, case h.status when 'queued' then 'waiting' else 'blocked' end, h.gate, $8 from held h where h.news)
         update patchbay.messages m set status = h.status, send_after = coalesce(h.until, m.send_after),
           gate = h.gate, gate_reason = h.reason, gate_until = h.until
         from held h where m.tenant_id = $1 and m.id = h.id",
        tenant,
        &held.ids,
        &held.statuses,
        &held.gates,
        &held.reasons,
        &held.untils as _,
        &held.news,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn mark_unroutable(
    tx: &mut TenantTx,
    ids: &[Uuid],
    details: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with lost as (select * from unnest($2::uuid[], $3::text[]) l (id, detail)),
         told as (insert into patchbay.message_events (tenant_id, message_id, event, detail, at) select $1, id, 'failed', detail, $4 from lost)
         update patchbay.messages m set status = 'failed', failed_at = $4, error_detail = l.detail, gate = null, gate_reason = null, gate_until = null
         from lost l where m.tenant_id = $1 and m.id = l.id",
        tenant,
        ids,
        details,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes messages that wait at `gates` due now.
pub async fn wake_held(
    tx: &mut TenantTx,
    gates: &[&str],
    campaign: Option<Uuid>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<u64> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "update patchbay.messages m set send_after = $4, gate = null, gate_reason = null, gate_until = null
         from (select id from patchbay.messages where tenant_id = $1 and status = 'queued' and gate = any($2)
                 and ($3::uuid is null or campaign_id = $3) limit $5 for update skip locked) held
         where m.tenant_id = $1 and m.id = held.id",
        tenant,
        gates as _,
        campaign,
        now,
        limit,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}
