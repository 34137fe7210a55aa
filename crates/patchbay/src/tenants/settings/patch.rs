//! A change of settings as the API takes it, and which check each field goes through.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Budget, Settings, check::Check};
use crate::web::patch::Patch;

/// A change of settings. Absent fields stay; null clears what may be empty.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct SettingsPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub timezone: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub country: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub currency: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub business_name: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub support_contact: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub kill_switch: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<QuietHoursInput>)]
    pub quiet_hours: Patch<QuietHoursInput>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub country_rules: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub holiday_rules: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    pub quiet_binds_people: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<BudgetPatch>)]
    pub budget: Patch<BudgetPatch>,
    #[serde(default)]
    #[schema(value_type = Option<RateLimitPatch>)]
    pub rate_limit: Patch<RateLimitPatch>,
    #[serde(default)]
    #[schema(value_type = Option<RateLimitPatch>)]
    pub api_rate_limit: Patch<RateLimitPatch>,
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub suppression_days: Patch<i64>,
    #[serde(default)]
    #[schema(value_type = Option<BrakePatch>)]
    pub brake: Patch<BrakePatch>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub opt_out_line: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub stop_text: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub start_text: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub help_text: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub prices: Patch<BTreeMap<String, BTreeMap<String, i64>>>,
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub keep_message_months: Patch<i64>,
}

/// Times of day as `HH:MM`.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct QuietHoursInput {
    #[schema(example = "21:00")]
    pub start: String,
    #[schema(example = "09:00")]
    pub end: String,
}

#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct BudgetPatch {
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub daily_cents: Patch<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub monthly_cents: Patch<i64>,
}

#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct RateLimitPatch {
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub per_second: Patch<i64>,
}

#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct BrakePatch {
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    pub opt_out_percent: Patch<f64>,
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    pub failure_percent: Patch<f64>,
    #[serde(default)]
    #[schema(value_type = Option<f64>)]
    pub filtered_percent: Patch<f64>,
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    pub minimum: Patch<i64>,
}

impl SettingsPatch {
    pub(super) fn apply(self, to: &mut Settings, check: &mut Check) {
        check.text("name", self.name, &mut to.name, 120);
        check.timezone(self.timezone, &mut to.timezone);
        check.country(self.country, &mut to.country);
        check.currency(self.currency, &mut to.currency);
        check.optional("business_name", self.business_name, &mut to.business_name, 120);
        check.optional("support_contact", self.support_contact, &mut to.support_contact, 200);
        to.kill_switch = check.yes_or_no("kill_switch", self.kill_switch, to.kill_switch);
        check.quiet_hours(self.quiet_hours, &mut to.quiet_hours);
        to.country_rules = check.yes_or_no("country_rules", self.country_rules, to.country_rules);
        to.holiday_rules = check.yes_or_no("holiday_rules", self.holiday_rules, to.holiday_rules);
        to.quiet_binds_people =
            check.yes_or_no("quiet_binds_people", self.quiet_binds_people, to.quiet_binds_people);
        match self.budget {
            Patch::Keep => {}
            Patch::Clear => to.budget = Budget { daily_cents: None, monthly_cents: None },
            Patch::Set(budget) => {
                check.amount("budget.daily_cents", budget.daily_cents, &mut to.budget.daily_cents);
                check.amount("budget.monthly_cents", budget.monthly_cents, &mut to.budget.monthly_cents);
            }
        }
        check.rate("rate_limit.per_second", self.rate_limit, &mut to.rate_limit.per_second, true);
        check.rate(
            "api_rate_limit.per_second",
            self.api_rate_limit,
            &mut to.api_rate_limit.per_second,
            false,
        );
        match self.suppression_days {
            Patch::Keep => {}
            Patch::Set(days) if (0..=3650).contains(&days) => {
                to.suppression_days = i32::try_from(days).unwrap_or_default()
            }
            _ => check.wrong("suppression_days", "Choose 0 to 3650 days."),
        }
        check.brake(self.brake, &mut to.brake);
        check.optional("opt_out_line", self.opt_out_line, &mut to.opt_out_line, 160);
        check.optional("stop_text", self.stop_text, &mut to.stop_text, 480);
        check.optional("start_text", self.start_text, &mut to.start_text, 480);
        check.optional("help_text", self.help_text, &mut to.help_text, 480);
        check.prices(self.prices, &mut to.prices);
        match self.keep_message_months {
            Patch::Keep => {}
            Patch::Clear => to.keep_message_months = None,
            Patch::Set(months) if (1..=120).contains(&months) => {
                to.keep_message_months = i32::try_from(months).ok()
            }
            Patch::Set(_) => check.wrong("keep_message_months", "Choose 1 to 120 months, or nothing."),
        }
    }
}
