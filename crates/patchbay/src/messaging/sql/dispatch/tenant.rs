//! What a tenant and its senders allow, and the right to claim for it.

use chrono::{NaiveDate, NaiveTime};
use uuid::Uuid;

use crate::{db::TenantTx, error::Result};

/// Claims for one tenant are made one at a time, so that counters are read and written by one claimer.
/// Held until the transaction ends; `false` when another node holds it.
pub async fn try_lock_tenant(tx: &mut TenantTx) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(sqlx::query_scalar!(
        r#"select pg_try_advisory_xact_lock(hashtextextended('dispatch:' || $1::uuid, 0)) as "locked!""#,
        tenant
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same for whoever must have it: waits for the claimer.
pub async fn lock_tenant(tx: &mut TenantTx) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('dispatch:' || $1::uuid, 0))", tenant)
        .execute(tx.conn())
        .await?;
    Ok(())
}

pub struct TenantRow {
    pub timezone: String,
    pub country: String,
    pub currency: String,
    /// Switched off by the tenant, or held since the database was restored.
    pub kill_switch: bool,
    pub quiet_start: Option<NaiveTime>,
    pub quiet_end: Option<NaiveTime>,
    pub country_rules: bool,
    pub holiday_rules: bool,
    pub quiet_binds_people: bool,
    pub budget_daily_cents: Option<i64>,
    pub budget_monthly_cents: Option<i64>,
    pub rate_per_second: Option<i32>,
    pub suppression_days: i32,
}

pub async fn tenant(tx: &mut TenantTx) -> Result<TenantRow> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        TenantRow,
        r#"select timezone, country, currency, kill_switch or sending_held_at is not null as "kill_switch!", quiet_start,
           quiet_end, country_rules, holiday_rules, quiet_binds_people, budget_daily_cents, budget_monthly_cents, rate_per_second,
           suppression_days
         from patchbay.tenants where id = $1"#,
        tenant,
    )
    .fetch_one(tx.conn())
    .await?)
}

pub struct SenderRow {
    pub id: Uuid,
    pub channel: String,
    pub address: String,
    pub label: Option<String>,
    pub provider: String,
    pub account_id: Option<Uuid>,
    pub rate_per_second: Option<f64>,
    pub warmup_started_on: Option<NaiveDate>,
    pub name_registered: bool,
    pub sent_today: i64,
    pub warmup_days: i64,
}

/// Active senders with what they sent today and on how many earlier days of their warm-up.
pub async fn senders(tx: &mut TenantTx, today: NaiveDate) -> Result<Vec<SenderRow>> {
    let tenant = tx.tenant();
    Ok(sqlx::query_as!(
        SenderRow,
        r#"select s.id, s.channel, s.address, s.label, s.provider, s.account_id, s.rate_per_second::float8 as rate_per_second,
           s.warmup_started_on, s.name_registered,
           coalesce((select c.messages from patchbay.send_counters c where c.tenant_id = $1 and c.sender_id = s.id and c.day = $2), 0) as "sent_today!",
           case when s.warmup_started_on is null then 0 else
             (select count(*) from patchbay.send_counters c where c.tenant_id = $1 and c.sender_id = s.id
                and c.day >= s.warmup_started_on and c.day < $2 and c.messages > 0) end as "warmup_days!"
         from patchbay.senders s where s.tenant_id = $1 and s.disabled_at is null order by s.is_default desc, s.id"#,
        tenant,
        today,
    )
    .fetch_all(tx.conn())
    .await?)
}
