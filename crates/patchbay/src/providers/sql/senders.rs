//! Managing senders.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

pub(in crate::providers) struct ManagedSender {
    pub id: Uuid,
    pub channel: String,
    pub address: String,
    pub label: Option<String>,
    pub provider: String,
    pub account_id: Option<Uuid>,
    pub rate_per_second: Option<f64>,
    pub warmup_started_on: Option<NaiveDate>,
    pub is_default: bool,
    pub name_registered: bool,
    pub sent_today: i64,
    pub created_at: DateTime<Utc>,
}

/// The senders in use, with what they sent on the tenant's `today`.
pub(in crate::providers) async fn list(tx: &mut TenantTx, today: NaiveDate) -> Result<Vec<ManagedSender>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        ManagedSender,
        r#"select s.id, s.channel, s.address, s.label, s.provider, s.account_id,
             s.rate_per_second::float8 as rate_per_second, s.warmup_started_on, s.is_default, s.name_registered,
             coalesce(c.messages, 0) as "sent_today!", s.created_at
           from patchbay.senders s
           left join patchbay.send_counters c on c.tenant_id = $1 and c.sender_id = s.id and c.day = $2
           where s.tenant_id = $1 and s.disabled_at is null
           order by s.channel, s.is_default desc, s.created_at, s.id limit 500"#,
        tenant,
        today,
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(in crate::providers) async fn find_by_address(
    tx: &mut TenantTx,
    channel: &str,
    address: &str,
) -> Result<Option<Uuid>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        "select id from patchbay.senders where tenant_id = $1 and channel = $2 and address = $3 and disabled_at is null",
        tenant,
        channel,
        address,
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(in crate::providers) struct SenderInput<'a> {
    pub id: Uuid,
    pub channel: &'a str,
    pub address: &'a str,
    pub label: Option<&'a str>,
    pub provider: &'a str,
    pub account_id: Option<Uuid>,
    pub rate_per_second: Option<f64>,
    pub warmup_started_on: Option<NaiveDate>,
    pub is_default: bool,
    pub name_registered: bool,
    pub now: DateTime<Utc>,
}

/// False if the address is in use already.
pub(in crate::providers) async fn insert(tx: &mut TenantTx, new: &SenderInput<'_>) -> Result<bool> {
    let tenant = tx.tenant();
    let done = sqlx::query!(
        "insert into patchbay.senders (tenant_id, id, channel, address, label, provider, account_id, rate_per_second,
           warmup_started_on, is_default, created_at, name_registered)
         values ($1, $2, $3, $4, $5, $6, $7, $8::float8::numeric, $9, $10, $11, $12)
         on conflict (tenant_id, channel, address) where disabled_at is null do nothing",
        tenant,
        new.id,
        new.channel,
        new.address,
        new.label,
        new.provider,
        new.account_id,
        new.rate_per_second,
        new.warmup_started_on,
        new.is_default,
        new.now,
        new.name_registered,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(in crate::providers) async fn update(tx: &mut TenantTx, to: &SenderInput<'_>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.senders set label = $3, rate_per_second = $4::float8::numeric, warmup_started_on = $5,
           is_default = $6, name_registered = $7
         where tenant_id = $1 and id = $2 and disabled_at is null",
        tenant,
        to.id,
        to.label,
        to.rate_per_second,
        to.warmup_started_on,
        to.is_default,
        to.name_registered,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One default for each channel: all others step back.
pub(in crate::providers) async fn clear_other_defaults(
    tx: &mut TenantTx,
    channel: &str,
    kept: Uuid,
) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.senders set is_default = false
         where tenant_id = $1 and channel = $2 and id <> $3 and is_default and disabled_at is null",
        tenant,
        channel,
        kept,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(in crate::providers) async fn disable(tx: &mut TenantTx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.senders set disabled_at = $3, is_default = false
         where tenant_id = $1 and id = $2 and disabled_at is null",
        tenant,
        id,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
