//! The tenant's own row.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    db::TenantTx,
    error::Result,
    tenants::settings::{Brake, Budget, QuietHours, RateLimit, Settings},
};

struct Row {
    id: Uuid,
    slug: String,
    name: String,
    timezone: String,
    country: String,
    currency: String,
    business_name: Option<String>,
    support_contact: Option<String>,
    kill_switch: bool,
    quiet_start: Option<NaiveTime>,
    quiet_end: Option<NaiveTime>,
    country_rules: bool,
    holiday_rules: bool,
    quiet_binds_people: bool,
    budget_daily_cents: Option<i64>,
    budget_monthly_cents: Option<i64>,
    rate_per_second: Option<i32>,
    api_rate_per_second: i32,
    suppression_days: i32,
    brake_opt_out_permille: Option<i32>,
    brake_failure_permille: Option<i32>,
    brake_filtered_permille: Option<i32>,
    brake_minimum: i32,
    opt_out_line: Option<String>,
    stop_text: Option<String>,
    start_text: Option<String>,
    help_text: Option<String>,
    prices: Value,
    keep_message_months: Option<i32>,
}

/// `lock` keeps two changes at once from overwriting each other. Rows that point to the tenant may be written meanwhile.
pub(in crate::tenants) async fn find(tx: &mut TenantTx, lock: bool) -> Result<Option<Settings>> {
    let tenant = tx.tenant();
    if lock {
        sqlx::query!("select from patchbay.tenants where id = $1 for no key update", tenant)
            .fetch_optional(tx.conn())
            .await?;
    }
    let row = sqlx::query_as!(
        Row,
        "select id, slug, name, timezone, country, currency, business_name, support_contact, kill_switch,
           quiet_start, quiet_end, country_rules, holiday_rules, quiet_binds_people, budget_daily_cents, budget_monthly_cents,
           rate_per_second, api_rate_per_second, suppression_days, brake_opt_out_permille, brake_failure_permille,
           brake_filtered_permille, brake_minimum, opt_out_line, stop_text, start_text, help_text, prices,
           keep_message_months
         from patchbay.tenants where id = $1",
        tenant,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(Settings::from))
}

impl From<Row> for Settings {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            timezone: row.timezone.parse().unwrap_or(Tz::UTC),
            country: row.country,
            currency: row.currency,
            business_name: row.business_name,
            support_contact: row.support_contact,
            kill_switch: row.kill_switch,
            quiet_hours: row.quiet_start.zip(row.quiet_end).map(|(start, end)| QuietHours { start, end }),
            country_rules: row.country_rules,
            holiday_rules: row.holiday_rules,
            quiet_binds_people: row.quiet_binds_people,
            budget: Budget { daily_cents: row.budget_daily_cents, monthly_cents: row.budget_monthly_cents },
            rate_limit: RateLimit { per_second: row.rate_per_second },
            api_rate_limit: RateLimit { per_second: Some(row.api_rate_per_second) },
            suppression_days: row.suppression_days,
            brake: Brake {
                opt_out_percent: row.brake_opt_out_permille.map(percent),
                failure_percent: row.brake_failure_permille.map(percent),
                filtered_percent: row.brake_filtered_permille.map(percent),
                minimum: row.brake_minimum,
            },
            opt_out_line: row.opt_out_line,
            stop_text: row.stop_text,
            start_text: row.start_text,
            help_text: row.help_text,
            prices: serde_json::from_value(row.prices).unwrap_or_else(|_| BTreeMap::new()),
            keep_message_months: row.keep_message_months,
        }
    }
}

fn percent(permille: i32) -> f64 {
    f64::from(permille) / 10.0
}

fn permille(percent: f64) -> i32 {
    (percent * 10.0).round() as i32
}

pub(in crate::tenants) async fn update(tx: &mut TenantTx, to: &Settings, now: DateTime<Utc>) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!(
        "update patchbay.tenants set name = $2, timezone = $3, country = $4, currency = $5, business_name = $6,
           support_contact = $7, kill_switch = $8, quiet_start = $9, quiet_end = $10, country_rules = $11,
           quiet_binds_people = $12, budget_daily_cents = $13, budget_monthly_cents = $14, rate_per_second = $15,
           api_rate_per_second = $16, suppression_days = $17, opt_out_line = $18, stop_text = $19, start_text = $20,
           help_text = $21, prices = $22, updated_at = $23, keep_message_months = $24, brake_opt_out_permille = $25,
           brake_failure_permille = $26, brake_filtered_permille = $27, brake_minimum = $28, holiday_rules = $29
         where id = $1",
        tenant,
        to.name,
        to.timezone.name(),
        to.country,
        to.currency,
        to.business_name,
        to.support_contact,
        to.kill_switch,
        to.quiet_hours.map(|hours| hours.start),
        to.quiet_hours.map(|hours| hours.end),
        to.country_rules,
        to.quiet_binds_people,
        to.budget.daily_cents,
        to.budget.monthly_cents,
        to.rate_limit.per_second,
        to.api_rate_limit.per_second.unwrap_or(50),
        to.suppression_days,
        to.opt_out_line,
        to.stop_text,
        to.start_text,
        to.help_text,
        serde_json::to_value(&to.prices)?,
        now,
        to.keep_message_months,
        to.brake.opt_out_percent.map(permille),
        to.brake.failure_percent.map(permille),
        to.brake.filtered_percent.map(permille),
        to.brake.minimum,
        to.holiday_rules,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Pages that show settings, and the frame's banner, hear of the change; so do dispatchers that wait.
pub(in crate::tenants) async fn tell(tx: &mut TenantTx) -> Result<()> {
    let tenant = tx.tenant();
    sqlx::query!("select patchbay.tell($1, array['settings', 'counts'])::text, pg_notify('patchbay_work', 'messages')::text as work", tenant)
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}
