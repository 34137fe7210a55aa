//! What was spent, sent and may be sent this second: read before a claim, written with it, given back after it.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// What the tenant's local day and month have cost so far, in millionths.
pub async fn spent(tx: &mut TenantTx, today: NaiveDate, month_start: NaiveDate) -> Result<(i64, i64)> {
    let tenant = tx.tenant();
    let row = sqlx::query!(
        r#"select coalesce(sum(cost_micros) filter (where day = $2), 0)::bigint as "today!", coalesce(sum(cost_micros), 0)::bigint as "month!"
         from patchbay.spend_counters where tenant_id = $1 and day between $3 and $2"#,
        tenant,
        today,
        month_start,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.today, row.month))
}

/// Adds to (or, negative, gives back to) the counters of the tenant's local day.
pub async fn count(
    tx: &mut TenantTx,
    day: NaiveDate,
    messages: i64,
    cost_micros: i64,
    senders: &[Uuid],
    sent: &[i64],
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "with spend as (
           insert into patchbay.spend_counters as s (tenant_id, day, messages, cost_micros) values ($1, $2, $3, $4)
           on conflict (tenant_id, day) do update set messages = s.messages + excluded.messages, cost_micros = s.cost_micros + excluded.cost_micros)
         insert into patchbay.send_counters as c (tenant_id, sender_id, day, messages)
         select $1, n.sender_id, $2, n.sent from unnest($5::uuid[], $6::bigint[]) n (sender_id, sent)
         on conflict (tenant_id, sender_id, day) do update set messages = c.messages + excluded.messages",
        tenant,
        day,
        messages,
        cost_micros,
        senders,
        sent,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub struct BucketRow {
    pub key: String,
    pub tokens: f64,
    pub refilled_at: DateTime<Utc>,
}

pub async fn buckets(tx: &mut TenantTx) -> Result<Vec<BucketRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        BucketRow,
        "select key, tokens, refilled_at from patchbay.rate_buckets where tenant_id = $1 and key <> 'api'",
        tenant
    )
    .fetch_all(tx.conn())
    .await?)
}

pub async fn save_buckets(
    tx: &mut TenantTx,
    keys: &[String],
    tokens: &[f64],
    now: DateTime<Utc>,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "insert into patchbay.rate_buckets (tenant_id, key, tokens, refilled_at)
         select $1, b.key, b.tokens, $4 from unnest($2::text[], $3::float8[]) b (key, tokens)
         on conflict (tenant_id, key) do update set tokens = excluded.tokens, refilled_at = excluded.refilled_at",
        tenant,
        keys,
        tokens,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
