//! A tenant's settings: read by everything that sends, changed by admins, every change in the audit log.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::NaiveTime;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{places, sql::settings as sql};
use crate::{
    app::App,
    audit,
    auth::Caller,
    db::TenantTx,
    error::{Error, FieldErrors, Result},
    messaging,
    web::patch::Patch,
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
    let entry = audit::Entry {
        action: "settings.updated",
        kind: audit::Kind::Settings,
        entity_id: Some(after.id.to_string()),
        changes: &changes,
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    let moved = after.moved_gates(&before);
    if !moved.is_empty() {
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

impl SettingsPatch {
    fn apply(self, to: &mut Settings, check: &mut Check) {
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

/// Collects what is wrong, so that a form can show all of it at once.
#[derive(Default)]
struct Check(FieldErrors);

impl Check {
    fn wrong(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.insert(field.into(), message.into());
    }

    fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    fn text(&mut self, field: &'static str, patch: Patch<String>, to: &mut String, most: usize) {
        let mut optional = Some(to.clone());
        self.optional(field, patch, &mut optional, most);
        match optional {
            Some(text) => *to = text,
            None => self.wrong(field, "This cannot be empty."),
        }
    }

    fn optional(&mut self, field: &'static str, patch: Patch<String>, to: &mut Option<String>, most: usize) {
        let Patch::Set(text) = patch else {
            if patch == Patch::Clear {
                *to = None;
            }
            return;
        };
        let text = text.trim();
        if text.chars().count() > most {
            self.wrong(field, format!("This is longer than {most} characters."));
        } else if text.chars().any(|letter| letter.is_control() && letter != '\n') {
            self.wrong(field, "This holds characters that cannot be sent.");
        } else {
            *to = Some(text.to_owned()).filter(|text| !text.is_empty());
        }
    }

    fn yes_or_no(&mut self, field: &'static str, patch: Patch<bool>, current: bool) -> bool {
        if patch == Patch::Clear {
            self.wrong(field, "Choose true or false.");
        }
        patch.or(current, current)
    }

    fn timezone(&mut self, patch: Patch<String>, to: &mut Tz) {
        match patch {
            Patch::Keep => {}
            Patch::Set(name) if name.parse::<Tz>().is_ok() => *to = name.parse().unwrap_or(*to),
            _ => self.wrong("timezone", "Choose a time zone such as Australia/Perth."),
        }
    }

    fn country(&mut self, patch: Patch<String>, to: &mut String) {
        match patch {
            Patch::Keep => {}
            Patch::Set(code) if places::find(&code.trim().to_uppercase()).is_some() => {
                *to = code.trim().to_uppercase()
            }
            _ => self.wrong("country", "Choose a country by its two letters, such as AU."),
        }
    }

    fn currency(&mut self, patch: Patch<String>, to: &mut String) {
        match patch {
            Patch::Keep => {}
            Patch::Set(code) if places::currencies().contains(&code.trim().to_uppercase().as_str()) => {
                *to = code.trim().to_uppercase();
            }
            _ => self.wrong("currency", "Choose a currency by its three letters, such as AUD."),
        }
    }

    fn quiet_hours(&mut self, patch: Patch<QuietHoursInput>, to: &mut Option<QuietHours>) {
        let input = match patch {
            Patch::Keep => return,
            Patch::Clear => return *to = None,
            Patch::Set(input) => input,
        };
        let read = |text: &str| {
            ["%H:%M", "%H:%M:%S"]
                .iter()
                .find_map(|format| NaiveTime::parse_from_str(text.trim(), format).ok())
        };
        let (start, end) = (read(&input.start), read(&input.end));
        for (field, time) in [("quiet_hours.start", start), ("quiet_hours.end", end)] {
            if time.is_none() {
                self.wrong(field, "Write a time of day such as 21:00.");
            }
        }
        match start.zip(end) {
            Some((start, end)) if start == end => {
                self.wrong("quiet_hours.end", "Then there would be no time left to send.")
            }
            Some((start, end)) => *to = Some(QuietHours { start, end }),
            None => {}
        }
    }

    fn amount(&mut self, field: &'static str, patch: Patch<i64>, to: &mut Option<i64>) {
        // A trillion cents is beyond any budget and far from where arithmetic overflows.
        match patch {
            Patch::Set(cents) if !(0..=1_000_000_000_000).contains(&cents) => {
                self.wrong(field, "Choose an amount of zero or more.")
            }
            patch => *to = patch.over(*to),
        }
    }

    fn rate(
        &mut self,
        field: &'static str,
        patch: Patch<RateLimitPatch>,
        to: &mut Option<i32>,
        may_be_empty: bool,
    ) {
        let per_second = match patch {
            Patch::Keep => return,
            Patch::Clear => Patch::Clear,
            Patch::Set(rate) => rate.per_second,
        };
        match per_second {
            Patch::Keep => {}
            Patch::Clear if may_be_empty => *to = None,
            Patch::Set(rate) if (1..=10_000).contains(&rate) => *to = i32::try_from(rate).ok(),
            _ => self.wrong(field, "Choose 1 to 10,000 a second."),
        }
    }

    fn brake(&mut self, patch: Patch<BrakePatch>, to: &mut Brake) {
        let patch = match patch {
            Patch::Keep => return,
            Patch::Clear => BrakePatch {
                opt_out_percent: Patch::Clear,
                failure_percent: Patch::Clear,
                filtered_percent: Patch::Clear,
                minimum: Patch::Keep,
            },
            Patch::Set(patch) => patch,
        };
        let mut percent = |field: &'static str, patch: Patch<f64>, to: &mut Option<f64>| match patch {
            Patch::Set(percent) if !(0.1..=100.0).contains(&percent) => {
                self.wrong(field, "Choose 0.1 to 100 percent.")
            }
            Patch::Set(percent) => *to = Some((percent * 10.0).round() / 10.0),
            patch => *to = patch.over(*to),
        };
        percent("brake.opt_out_percent", patch.opt_out_percent, &mut to.opt_out_percent);
        percent("brake.failure_percent", patch.failure_percent, &mut to.failure_percent);
        percent("brake.filtered_percent", patch.filtered_percent, &mut to.filtered_percent);
        match patch.minimum {
            Patch::Keep => {}
            Patch::Set(minimum) if (1..=500).contains(&minimum) => {
                to.minimum = i32::try_from(minimum).unwrap_or(100)
            }
            _ => self.wrong("brake.minimum", "Choose 1 to 500 messages."),
        }
    }

    fn prices(
        &mut self,
        patch: Patch<BTreeMap<String, BTreeMap<String, i64>>>,
        to: &mut BTreeMap<String, BTreeMap<String, i64>>,
    ) {
        let prices = match patch {
            Patch::Keep => return,
            Patch::Clear => return to.clear(),
            Patch::Set(prices) => prices,
        };
        let is_good = prices.iter().all(|(channel, countries)| {
            matches!(channel.as_str(), "sms" | "whatsapp" | "email")
                && countries.len() <= 300
                && countries.iter().all(|(country, micros)| {
                    country.len() == 2
                        && country.bytes().all(|b| b.is_ascii_uppercase())
                        && (0..=100_000_000).contains(micros)
                })
        });
        if is_good {
            *to = prices;
        } else {
            self.wrong(
                "prices",
                r#"Write millionths of the currency by channel and country, such as {"sms": {"AU": 51500}}."#,
            );
        }
    }
}
