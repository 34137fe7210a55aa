//! A tenant's settings: read by everything that sends, changed by admins, every change in the audit log.

mod check;
mod patch;

use std::collections::BTreeMap;

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::Serialize;
use uuid::Uuid;

pub use patch::{BrakePatch, BudgetPatch, QuietHoursInput, RateLimitPatch, SettingsPatch};

use self::check::Check;
use super::sql::settings as sql;
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, Result},
    messaging,
};

/// All settings of a tenant, as the API shows them.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Settings {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    /// IANA name.
    #[schema(value_type = String)]
    pub timezone: Tz,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// ISO 4217.
    pub currency: String,
    /// Named in the answer to HELP, in confirmations and on quotes; the tenant's name where absent.
    pub business_name: Option<String>,
    /// A phone number, address or page for help.
    pub support_contact: Option<String>,
    /// While on, nothing is sent.
    pub kill_switch: bool,
    /// In the recipient's zone; null for none.
    pub quiet_hours: Option<QuietHours>,
    /// Whether the stricter marketing hours of the recipient's country and state hold too.
    pub country_rules: bool,
    /// Whether marketing rests on the public holidays of the recipient's country; needs `country_rules`.
    pub holiday_rules: bool,
    /// Whether what a person types waits for morning too.
    pub quiet_binds_people: bool,
    pub budget: Budget,
    pub rate_limit: RateLimit,
    /// Requests to POST /api/messages/send.
    pub api_rate_limit: RateLimit,
    /// Days between two campaigns to the same contact.
    pub suppression_days: i32,
    pub brake: Brake,
    /// Added to marketing that has no opt-out wording of its own.
    pub opt_out_line: Option<String>,
    /// Answers STOP; null for the built-in text. Likewise `start_text` and `help_text`.
    pub stop_text: Option<String>,
    pub start_text: Option<String>,
    pub help_text: Option<String>,
    /// Price per segment in millionths of the currency, by channel and country: `{"sms": {"AU": 51500}}`.
    pub prices: BTreeMap<String, BTreeMap<String, i64>>,
    /// Texts of messages are erased after so many months; null keeps them.
    pub keep_message_months: Option<i32>,
}

/// From `start` to `end`, over midnight if `end` is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QuietHours {
    #[serde(serialize_with = "hours_and_minutes")]
    #[schema(value_type = String, example = "21:00")]
    pub start: NaiveTime,
    #[serde(serialize_with = "hours_and_minutes")]
    #[schema(value_type = String, example = "09:00")]
    pub end: NaiveTime,
}

fn hours_and_minutes<S: serde::Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.format("%H:%M"))
}

/// What sending may cost, in cents; null for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Budget {
    pub daily_cents: Option<i64>,
    pub monthly_cents: Option<i64>,
}

/// Null for no limit of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RateLimit {
    pub per_second: Option<i32>,
}

/// When a campaign pauses itself: a share of what was sent lately that passes one of these, in percent; null for never.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Brake {
    pub opt_out_percent: Option<f64>,
    pub failure_percent: Option<f64>,
    /// Filtered by carriers as spam.
    pub filtered_percent: Option<f64>,
    /// With fewer messages nothing is concluded.
    pub minimum: i32,
}

/// The settings of the transaction's tenant.
pub async fn settings(tx: &mut TenantTx) -> Result<Settings> {
    sql::find(tx, false).await?.ok_or(Error::NotFound("business"))
}

/// Changes settings, all or nothing.
///
/// # Errors
/// Every field that is wrong, by the name it has in the API (`budget.daily_cents`).
pub async fn update(app: &App, caller: &Caller, change: SettingsPatch) -> Result<Settings> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = sql::find(&mut tx, true).await?.ok_or(Error::NotFound("business"))?;
    let mut after = before.clone();
    let mut check = Check::default();
    change.apply(&mut after, &mut check);
    check.finish()?;
    if after == before {
        return Ok(after);
    }
    sql::update(&mut tx, &after, app.now()).await?;
    let changes = audit::diff(&before, &after);
    audit::changed(&mut tx, caller, "settings.updated", after.id, &changes).await?;
    let moved = after.moved_gates(&before);
    if !moved.is_empty() {
        messaging::hold_claims(&mut tx).await?;
        messaging::wake_held(&mut tx, &moved, None, app.now(), WOKEN).await?;
    }
    sql::tell(&mut tx).await?;
    tx.commit().await?;
    Ok(after)
}

/// Messages asked again at once after a change; where more wait, the rest keeps its time.
const WOKEN: i64 = 50_000;

impl Settings {
    /// Gates that may answer otherwise than they did under `before`.
    fn moved_gates(&self, before: &Self) -> Vec<&'static str> {
        let laws = |s: &Self| (s.country_rules, s.holiday_rules, s.timezone, s.country.clone());
        let hours = |s: &Self| (s.quiet_hours, s.quiet_binds_people, laws(s));
        let moved = [
            ("kill_switch", before.kill_switch && !self.kill_switch),
            ("budget", self.budget != before.budget || self.prices != before.prices),
            ("suppression_window", before.country_rules && !self.country_rules),
            ("quiet_hours", hours(self) != hours(before)),
            ("rate_limit", self.rate_limit != before.rate_limit),
        ];
        moved.into_iter().filter(|(_, moved)| *moved).map(|(gate, _)| gate).collect()
    }
}
