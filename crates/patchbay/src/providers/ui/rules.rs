//! The rules of sending: the switch, quiet hours, budgets, limits, the brake.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use chrono::NaiveTime;
use patchbay_rules::money;
use serde::Deserialize;

use super::{Dress, Typed, done, prices, show};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::{Error, FieldErrors, Result},
    tenants::{
        Settings, SettingsPatch,
        settings::{BrakePatch, BudgetPatch, QuietHours, QuietHoursInput, RateLimitPatch, update},
    },
    web::{extract::Form, fields::Field, patch::Patch},
};

/// The rules of sending, as typed. Amounts are in the currency, not in cents.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RulesForm {
    #[serde(rename = "quiet_hours.start")]
    quiet_start: String,
    #[serde(rename = "quiet_hours.end")]
    quiet_end: String,
    country_rules: bool,
    holiday_rules: bool,
    quiet_binds_people: bool,
    #[serde(rename = "budget.daily_cents")]
    daily: String,
    #[serde(rename = "budget.monthly_cents")]
    monthly: String,
    prices: String,
    #[serde(rename = "rate_limit.per_second")]
    rate: String,
    #[serde(rename = "api_rate_limit.per_second")]
    api_rate: String,
    suppression_days: String,
    opt_out_line: String,
    #[serde(rename = "brake.opt_out_percent")]
    brake_opt_out: String,
    #[serde(rename = "brake.failure_percent")]
    brake_failure: String,
    #[serde(rename = "brake.filtered_percent")]
    brake_filtered: String,
    #[serde(rename = "brake.minimum")]
    brake_minimum: String,
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<RulesForm>,
) -> Result<Response> {
    let saved = match form.patch() {
        Ok(patch) => update(&app, &caller, patch).await.map(drop),
        Err(errors) => Err(Error::Invalid(errors)),
    };
    match saved {
        Ok(()) => Ok(done(&app, "Settings saved")),
        Err(Error::Invalid(errors)) => {
            show(&app, &session, &caller, Typed { rules: Some(form), errors, ..Typed::default() }).await
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn stop(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    switch(&app, &caller, true).await?;
    Ok(done(&app, "Sending is stopped. Nothing leaves until you resume."))
}

pub(super) async fn resume(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    switch(&app, &caller, false).await?;
    Ok(done(&app, "Sending goes on"))
}

async fn switch(app: &App, caller: &Caller, kill_switch: bool) -> Result<Settings> {
    update(app, caller, SettingsPatch { kill_switch: Patch::Set(kill_switch), ..SettingsPatch::default() })
        .await
}

impl RulesForm {
    pub(super) fn of(settings: &Settings) -> Self {
        let time = |of: fn(QuietHours) -> NaiveTime| {
            settings.quiet_hours.map(|hours| of(hours).format("%H:%M").to_string()).unwrap_or_default()
        };
        let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
        Self {
            quiet_start: time(|hours| hours.start),
            quiet_end: time(|hours| hours.end),
            country_rules: settings.country_rules,
            holiday_rules: settings.holiday_rules,
            quiet_binds_people: settings.quiet_binds_people,
            daily: amount(settings.budget.daily_cents),
            monthly: amount(settings.budget.monthly_cents),
            prices: prices::written(&settings.prices),
            rate: number(settings.rate_limit.per_second),
            api_rate: number(settings.api_rate_limit.per_second),
            suppression_days: settings.suppression_days.to_string(),
            opt_out_line: settings.opt_out_line.clone().unwrap_or_default(),
            brake_opt_out: percent(settings.brake.opt_out_percent),
            brake_failure: percent(settings.brake.failure_percent),
            brake_filtered: percent(settings.brake.filtered_percent),
            brake_minimum: settings.brake.minimum.to_string(),
        }
    }

    /// What is typed as a change; what cannot be read is an error at its field.
    fn patch(&self) -> Result<SettingsPatch, FieldErrors> {
        let mut errors = FieldErrors::new();
        let mut cents = |field, text| {
            read(&mut errors, field, text, "Write an amount such as 50.00.", money::parse_cents)
        };
        let budget = BudgetPatch {
            daily_cents: cents("budget.daily_cents", &self.daily),
            monthly_cents: cents("budget.monthly_cents", &self.monthly),
        };
        let prices = match prices::read(&self.prices) {
            Ok(prices) => Patch::Set(prices),
            Err(words) => {
                errors.insert("prices".into(), words);
                Patch::Keep
            }
        };
        let mut whole =
            |field, text| read(&mut errors, field, text, "Write a whole number.", |text| text.parse().ok());
        let rate = whole("rate_limit.per_second", &self.rate);
        let api_rate = whole("api_rate_limit.per_second", &self.api_rate);
        let suppression_days = whole("suppression_days", &self.suppression_days);
        let minimum = whole("brake.minimum", &self.brake_minimum);
        let mut share = |field, text: &str| {
            let number = |text: &str| text.replace(',', ".").parse().ok();
            read(
                &mut errors,
                field,
                text.trim().trim_end_matches('%'),
                "Write a percentage such as 2 or 0.5.",
                number,
            )
        };
        let brake = BrakePatch {
            opt_out_percent: share("brake.opt_out_percent", &self.brake_opt_out),
            failure_percent: share("brake.failure_percent", &self.brake_failure),
            filtered_percent: share("brake.filtered_percent", &self.brake_filtered),
            minimum,
        };
        let quiet_hours = if self.quiet_start.trim().is_empty() && self.quiet_end.trim().is_empty() {
            Patch::Clear
        } else {
            Patch::Set(QuietHoursInput { start: self.quiet_start.clone(), end: self.quiet_end.clone() })
        };
        let patch = SettingsPatch {
            quiet_hours,
            country_rules: Patch::Set(self.country_rules),
            holiday_rules: Patch::Set(self.holiday_rules),
            quiet_binds_people: Patch::Set(self.quiet_binds_people),
            budget: Patch::Set(budget),
            prices,
            rate_limit: Patch::Set(RateLimitPatch { per_second: rate }),
            api_rate_limit: Patch::Set(RateLimitPatch { per_second: api_rate }),
            suppression_days,
            opt_out_line: Patch::Set(self.opt_out_line.clone()),
            brake: Patch::Set(brake),
            ..SettingsPatch::default()
        };
        if errors.is_empty() { Ok(patch) } else { Err(errors) }
    }

    pub(super) fn quiet(&self, dress: &Dress<'_>) -> Vec<Field> {
        vec![
            dress.field(Field::input("quiet_hours.start", "time", "From"), &self.quiet_start),
            dress.field(Field::input("quiet_hours.end", "time", "Until"), &self.quiet_end),
        ]
    }

    pub(super) fn quiet_rules(&self, dress: &Dress<'_>) -> Vec<Field> {
        vec![
            dress.tick(
                "country_rules",
                "Keep the stricter hours of the recipient's country or state",
                "For marketing: US states, Australia and others have hours of their own. American numbers get three texts a day at most.",
                self.country_rules,
            ),
            dress.tick(
                "holiday_rules",
                "Rest on public holidays",
                "For marketing: federal holidays in the United States, national ones in Australia and France. Alabama, Louisiana, Pennsylvania and Rhode Island rest in any case.",
                self.holiday_rules,
            ),
            dress.tick(
                "quiet_binds_people",
                "Hold what people type, too",
                "Otherwise only automatic messages wait for morning.",
                self.quiet_binds_people,
            ),
        ]
    }

    pub(super) fn budget(&self, dress: &Dress<'_>, currency: &str) -> Vec<Field> {
        let amount = |name: &'static str, label: &str, value| {
            dress.field(Field::text(name, label).placeholder("no limit").suffix(currency), value)
        };
        vec![
            amount("budget.daily_cents", "A day", &self.daily),
            amount("budget.monthly_cents", "A month", &self.monthly),
        ]
    }

    pub(super) fn prices(&self, dress: &Dress<'_>, currency: &str) -> Field {
        let hint = format!(
            "In {currency}: of a segment for SMS, of a message otherwise; a line each, such as SMS AU 0.0515. Where there is no line, list prices are assumed."
        );
        dress
            .field(Field::area("prices", "Your prices").placeholder("SMS AU 0.0515").hint(hint), &self.prices)
    }

    pub(super) fn limits(&self, dress: &Dress<'_>) -> Vec<Field> {
        vec![
            dress.field(
                Field::text("rate_limit.per_second", "Messages a second").placeholder("no limit"),
                &self.rate,
            ),
            dress.field(
                Field::text("api_rate_limit.per_second", "API sends a second")
                    .required()
                    .hint("Programs that send faster are told to wait (status 429)."),
                &self.api_rate,
            ),
            dress.field(
                Field::text("suppression_days", "Days between campaigns to one person")
                    .required()
                    .hint("0 for none."),
                &self.suppression_days,
            ),
            dress.field(
                Field::text("opt_out_line", "Opt-out line")
                    .placeholder("Reply STOP to opt out.")
                    .hint("Added to marketing that does not say how to opt out."),
                &self.opt_out_line,
            ),
        ]
    }

    pub(super) fn brake(&self, dress: &Dress<'_>) -> Vec<Field> {
        let share = |name: &'static str, label: &str, hint: &str| {
            Field::text(name, label).placeholder("never").suffix("%").hint(hint)
        };
        vec![
            dress.field(
                share(
                    "brake.opt_out_percent",
                    "People who opt out",
                    "More than a few in a hundred means that it is unwelcome.",
                ),
                &self.brake_opt_out,
            ),
            dress.field(
                share(
                    "brake.filtered_percent",
                    "Filtered as spam",
                    "Carriers that see spam soon stop the number itself.",
                ),
                &self.brake_filtered,
            ),
            dress.field(
                share("brake.failure_percent", "Messages that fail", "Many wrong numbers mean an old list."),
                &self.brake_failure,
            ),
            dress.field(
                Field::text("brake.minimum", "Not before this many messages")
                    .required()
                    .hint("With fewer nothing is concluded. 1 to 500."),
                &self.brake_minimum,
            ),
        ]
    }
}

/// What was typed; nothing clears, and what cannot be read is an error at its field.
fn read<T>(
    errors: &mut FieldErrors,
    field: &'static str,
    text: &str,
    wrong: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Patch<T> {
    match text.trim() {
        "" => Patch::Clear,
        text => parse(text).map_or_else(
            || {
                errors.insert(field.into(), wrong.to_owned());
                Patch::Keep
            },
            Patch::Set,
        ),
    }
}

/// Cents as they are typed: `50.00`.
fn amount(cents: Option<i64>) -> String {
    cents.map(|cents| format!("{}.{:02}", cents / 100, cents % 100)).unwrap_or_default()
}

/// A share as it is typed: `2`, `0.5`.
fn percent(share: Option<f64>) -> String {
    share.map(|share| share.to_string()).unwrap_or_default()
}
