//! Settings → Sending: the kill switch, numbers, the carrier's account, quiet hours, budgets and limits.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use patchbay_rules::{money, phone};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    accounts::{self, Account, NewAccount},
    senders::{self, NewSender, Sender, SenderPatch},
    view::{AccountRow, SenderRow, SendingPage},
};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::{Error, FieldErrors, Result},
    tenants::{
        Settings, SettingsPatch,
        settings::{BrakePatch, BudgetPatch, QuietHoursInput, RateLimitPatch, settings, update},
    },
    web::{
        extract::{Form, Path},
        fields::{Choice, Field},
        layout::Place,
        moments::moment,
        notice,
        pages::html_with,
        parts::{Tag, Tone},
        patch::Patch,
        settings::{Section, tabs},
        shell::shell,
    },
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

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SenderForm {
    channel: String,
    address: String,
    label: String,
    rate_per_second: String,
    warm_up: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AccountForm {
    account_sid: String,
    auth_token: String,
    api_key_sid: String,
    api_key_secret: String,
    messaging_service_sid: String,
}

/// A switch: pressed on, or off.
#[derive(Debug, Deserialize)]
pub(super) struct SwitchForm {
    #[serde(default)]
    on: bool,
}

/// What is typed into the forms of the page, and what is wrong with it.
#[derive(Default)]
struct Typed {
    rules: Option<RulesForm>,
    sender: SenderForm,
    account: AccountForm,
    errors: FieldErrors,
    adds_sender: bool,
    adds_account: bool,
}

pub(super) async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    show(&app, &session, &caller, Typed::default()).await
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

pub(super) async fn save_account(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<AccountForm>,
) -> Result<Response> {
    let new = NewAccount {
        provider: "twilio".to_owned(),
        account_sid: form.account_sid.clone(),
        auth_token: form.auth_token.clone(),
        api_key_sid: Some(form.api_key_sid.clone()),
        api_key_secret: Some(form.api_key_secret.clone()),
        messaging_service_sid: Some(form.messaging_service_sid.clone()),
    };
    match accounts::save(&app, &caller, new).await {
        Ok((_, true)) => Ok(done(&app, "Account connected. Now add a number.")),
        Ok((_, false)) => Ok(done(&app, "Account replaced")),
        Err(Error::Invalid(errors)) => {
            show(
                &app,
                &session,
                &caller,
                Typed { account: form, errors, adds_account: true, ..Typed::default() },
            )
            .await
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn test_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    Ok(match accounts::test(&app, &caller, id).await? {
        Ok(()) => done(&app, "The account works"),
        Err(words) => done(&app, &format!("The account does not work: {words}")),
    })
}

pub(super) async fn remove_account(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    accounts::remove(&app, &caller, id).await?;
    Ok(done(&app, "Account disconnected"))
}

pub(super) async fn add_sender(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<SenderForm>,
) -> Result<Response> {
    let rate = Some(form.rate_per_second.trim())
        .filter(|text| !text.is_empty())
        .map(|text| text.parse::<f64>().unwrap_or(-1.0));
    let today = app.now().with_timezone(&caller.tenant.timezone).date_naive();
    let new = NewSender {
        channel: form.channel.clone(),
        address: form.address.clone(),
        label: Some(form.label.clone()),
        rate_per_second: rate,
        warmup_started_on: form.warm_up.then_some(today),
        ..NewSender::default()
    };
    let errors = match senders::create(&app, &caller, new).await {
        Ok(sender) => return Ok(done(&app, &format!("Added {}", sender.address))),
        Err(Error::Invalid(errors)) => errors,
        Err(Error::Conflict { detail, .. }) => FieldErrors::from([("address".into(), detail.into_owned())]),
        Err(error) => return Err(error),
    };
    show(&app, &session, &caller, Typed { sender: form, errors, adds_sender: true, ..Typed::default() }).await
}

pub(super) async fn warm_up(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<SwitchForm>,
) -> Result<Response> {
    let today = app.now().with_timezone(&caller.tenant.timezone).date_naive();
    let started = if form.on { Patch::Set(today) } else { Patch::Clear };
    senders::update(&app, &caller, id, SenderPatch { warmup_started_on: started, ..SenderPatch::default() })
        .await?;
    Ok(done(&app, if form.on { "Warm-up begins today" } else { "Warm-up ended" }))
}

/// Whether a sender name is registered where names must be.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<SwitchForm>,
) -> Result<Response> {
    let change = SenderPatch { name_registered: Some(form.on), ..SenderPatch::default() };
    let sender = senders::update(&app, &caller, id, change).await?;
    let said = if form.on { "is registered" } else { "is not registered" };
    Ok(done(&app, &format!("Noted: {} {said}", sender.address)))
}

pub(super) async fn make_default(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let sender =
        senders::update(&app, &caller, id, SenderPatch { is_default: Some(true), ..SenderPatch::default() })
            .await?;
    Ok(done(&app, &format!("New conversations start from {}", sender.address)))
}

pub(super) async fn remove_sender(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    senders::remove(&app, &caller, id).await?;
    Ok(done(&app, "Removed"))
}

fn done(app: &App, text: &str) -> Response {
    notice::redirect(app, Section::Sending.href(), text)
}

impl RulesForm {
    fn of(settings: &Settings) -> Self {
        let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
        Self {
            quiet_start: settings
                .quiet_hours
                .map(|hours| hours.start.format("%H:%M").to_string())
                .unwrap_or_default(),
            quiet_end: settings
                .quiet_hours
                .map(|hours| hours.end.format("%H:%M").to_string())
                .unwrap_or_default(),
            country_rules: settings.country_rules,
            holiday_rules: settings.holiday_rules,
            quiet_binds_people: settings.quiet_binds_people,
            daily: amount(settings.budget.daily_cents),
            monthly: amount(settings.budget.monthly_cents),
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
        let mut cents = |field: &'static str, text: &str| match text.trim() {
            "" => Patch::Clear,
            text => money::parse_cents(text).map_or_else(
                || {
                    errors.insert(field.into(), "Write an amount such as 50.00.".to_owned());
                    Patch::Keep
                },
                Patch::Set,
            ),
        };
        let budget = BudgetPatch {
            daily_cents: cents("budget.daily_cents", &self.daily),
            monthly_cents: cents("budget.monthly_cents", &self.monthly),
        };
        let mut whole = |field: &'static str, text: &str| match text.trim() {
            "" => Patch::Clear,
            text => text.parse::<i64>().map_or_else(
                |_| {
                    errors.insert(field.into(), "Write a whole number.".to_owned());
                    Patch::Keep
                },
                Patch::Set,
            ),
        };
        let rate = whole("rate_limit.per_second", &self.rate);
        let api_rate = whole("api_rate_limit.per_second", &self.api_rate);
        let suppression_days = whole("suppression_days", &self.suppression_days);
        let minimum = whole("brake.minimum", &self.brake_minimum);
        let mut share = |field: &'static str, text: &str| match text.trim().trim_end_matches('%').trim_end() {
            "" => Patch::Clear,
            text => text.replace(',', ".").parse::<f64>().map_or_else(
                |_| {
                    errors.insert(field.into(), "Write a percentage such as 2 or 0.5.".to_owned());
                    Patch::Keep
                },
                Patch::Set,
            ),
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
            rate_limit: Patch::Set(RateLimitPatch { per_second: rate }),
            api_rate_limit: Patch::Set(RateLimitPatch { per_second: api_rate }),
            suppression_days,
            opt_out_line: Patch::Set(self.opt_out_line.clone()),
            brake: Patch::Set(brake),
            ..SettingsPatch::default()
        };
        if errors.is_empty() { Ok(patch) } else { Err(errors) }
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

async fn show(app: &App, session: &Session, caller: &Caller, typed: Typed) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let settings = settings(&mut tx).await?;
    drop(tx);
    let accounts = accounts::list(app, caller).await?;
    let senders = senders::list(app, caller).await?;
    let has_errors = !typed.errors.is_empty();
    let rules = typed.rules.unwrap_or_else(|| RulesForm::of(&settings));
    let dress = Dress { errors: &typed.errors, may_change: caller.role.can_manage() };
    let public_url = &app.config.public_url;
    let page = SendingPage {
        tabs: tabs(Section::Sending, caller.role),
        error: if has_errors {
            "Nothing was saved yet: look at the marked fields.".to_owned()
        } else {
            String::new()
        },
        is_stopped: settings.kill_switch,
        adds_sender: typed.adds_sender || senders.is_empty(),
        senders: senders.into_iter().map(|sender| sender_row(caller, sender)).collect(),
        sender_fields: sender_fields(&dress, &typed.sender),
        adds_account: typed.adds_account,
        accounts: accounts.into_iter().map(|account| account_row(app, caller, account)).collect(),
        account_fields: account_fields(&dress, &typed.account),
        webhooks: vec![
            ("When a message comes in", format!("{public_url}/webhooks/twilio")),
            ("Status callback", format!("{public_url}/webhooks/twilio")),
        ],
        quiet: vec![
            dress.field(Field::input("quiet_hours.start", "time", "From"), &rules.quiet_start),
            dress.field(Field::input("quiet_hours.end", "time", "Until"), &rules.quiet_end),
        ],
        quiet_rules: vec![
            dress.tick(
                "country_rules",
                "Keep the stricter hours of the recipient's country or state",
                "For marketing: US states, Australia and others have hours of their own. American numbers get three texts a day at most.",
                rules.country_rules,
            ),
            dress.tick(
                "holiday_rules",
                "Rest on public holidays",
                "For marketing: federal holidays in the United States, national ones in Australia and France. Alabama, Louisiana, Pennsylvania and Rhode Island rest in any case.",
                rules.holiday_rules,
            ),
            dress.tick(
                "quiet_binds_people",
                "Hold what people type, too",
                "Otherwise only automatic messages wait for morning.",
                rules.quiet_binds_people,
            ),
        ],
        budget: vec![
            dress.field(
                Field::text("budget.daily_cents", "A day").placeholder("no limit").suffix(&settings.currency),
                &rules.daily,
            ),
            dress.field(
                Field::text("budget.monthly_cents", "A month")
                    .placeholder("no limit")
                    .suffix(&settings.currency),
                &rules.monthly,
            ),
        ],
        limits: limit_fields(&dress, &rules),
        brake: brake_fields(&dress, &rules),
        shell: shell(app, session, Place::Settings, "Sending").await?,
    };
    html_with(if has_errors { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}

/// Gives fields their values, their errors, and takes them away from who may not change them.
struct Dress<'a> {
    errors: &'a FieldErrors,
    may_change: bool,
}

impl Dress<'_> {
    fn field(&self, field: Field, value: &str) -> Field {
        let error = self.errors.get(&field.name).cloned().unwrap_or_default();
        field.value(value).error(error).disabled(!self.may_change)
    }

    fn tick(&self, name: &'static str, label: &str, hint: &str, on: bool) -> Field {
        let field = Field::tick(name, label, on).hint(hint);
        let value = field.value.clone();
        self.field(field, &value)
    }
}

fn limit_fields(dress: &Dress<'_>, rules: &RulesForm) -> Vec<Field> {
    vec![
        dress.field(
            Field::text("rate_limit.per_second", "Messages a second").placeholder("no limit"),
            &rules.rate,
        ),
        dress.field(
            Field::text("api_rate_limit.per_second", "API sends a second")
                .required()
                .hint("More are answered with 429."),
            &rules.api_rate,
        ),
        dress.field(
            Field::text("suppression_days", "Days between campaigns to one person")
                .required()
                .hint("0 for none."),
            &rules.suppression_days,
        ),
        dress.field(
            Field::text("opt_out_line", "Opt-out line")
                .placeholder("Reply STOP to opt out.")
                .hint("Added to marketing that does not say how to opt out."),
            &rules.opt_out_line,
        ),
    ]
}

fn brake_fields(dress: &Dress<'_>, rules: &RulesForm) -> Vec<Field> {
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
            &rules.brake_opt_out,
        ),
        dress.field(
            share(
                "brake.filtered_percent",
                "Filtered as spam",
                "Carriers that see spam soon stop the number itself.",
            ),
            &rules.brake_filtered,
        ),
        dress.field(
            share("brake.failure_percent", "Messages that fail", "Many wrong numbers mean an old list."),
            &rules.brake_failure,
        ),
        dress.field(
            Field::text("brake.minimum", "Not before this many messages")
                .required()
                .hint("With fewer nothing is concluded. 1 to 500."),
            &rules.brake_minimum,
        ),
    ]
}

fn sender_fields(dress: &Dress<'_>, form: &SenderForm) -> Vec<Field> {
    let choice = |value: &str, label: &str| Choice::new(value, label, form.channel == value);
    let channels = vec![choice("sms", "SMS"), choice("whatsapp", "WhatsApp"), choice("email", "E-mail")];
    vec![
        dress.field(Field::select("channel", "Channel", channels).required(), &form.channel),
        dress.field(
            Field::text("address", "Number or address").required().placeholder("+61 412 345 678").hint(
                dress.errors.get("account_id").or(dress.errors.get("provider")).cloned().unwrap_or_default(),
            ),
            &form.address,
        ),
        dress.field(Field::text("label", "Label").placeholder("Main line"), &form.label),
        dress.field(
            Field::text("rate_per_second", "Messages a second").placeholder("no limit"),
            &form.rate_per_second,
        ),
        dress.tick(
            "warm_up",
            "Warm it up",
            "For a new number: 50, 100, 200, 300 messages on its first days, then as many as you like.",
            form.warm_up,
        ),
    ]
}

fn account_fields(dress: &Dress<'_>, form: &AccountForm) -> Vec<Field> {
    vec![
        dress.field(
            Field::text("account_sid", "Account SID").required().placeholder("AC…"),
            &form.account_sid,
        ),
        dress.field(
            Field::input("auth_token", "password", "Auth token")
                .required()
                .hint("Proves that webhooks come from Twilio."),
            &form.auth_token,
        ),
        dress.field(
            Field::text("api_key_sid", "API key SID").placeholder("SK…").hint("Recommended for sending."),
            &form.api_key_sid,
        ),
        dress.field(Field::input("api_key_secret", "password", "API key secret"), &form.api_key_secret),
        dress.field(
            Field::text("messaging_service_sid", "Messaging service SID").placeholder("MG…"),
            &form.messaging_service_sid,
        ),
    ]
}

fn sender_row(caller: &Caller, sender: Sender) -> SenderRow {
    let (today, warm_up) = match sender.warmup_cap {
        Some(cap) => (
            format!("{} of {cap} today", sender.sent_today),
            Some(Tag::new(Tone::Wait, "hourglass", "warming up")),
        ),
        None => (format!("{} today", sender.sent_today), None),
    };
    SenderRow {
        id: sender.id.to_string(),
        address: phone::format_national_or_international(&sender.address, &caller.tenant.country),
        label: sender.label.unwrap_or_default(),
        channel: match sender.channel.as_str() {
            "sms" => "SMS",
            "whatsapp" => "WhatsApp",
            _ => "E-mail",
        },
        carrier: match sender.provider.as_str() {
            "twilio" if sender.account_id.is_none() => "Twilio, shared",
            "twilio" => "Twilio",
            "smtp" => "Mail server",
            _ => "practice only",
        },
        today,
        is_warming: warm_up.is_some(),
        warm_up,
        is_default: sender.is_default,
        registered: sender.name_registered,
    }
}

fn account_row(app: &App, caller: &Caller, account: Account) -> AccountRow {
    let state = if !account.usable {
        Tag::new(Tone::Stop, "key", "enter the credentials again")
    } else if account.last_error.is_some() {
        Tag::new(Tone::Wait, "triangle-alert", "refused")
    } else {
        Tag::new(Tone::Good, "check", "connected")
    };
    let parts = [
        account.api_key_sid.map(|sid| format!("API key {sid}")),
        account.messaging_service_sid,
        account.last_error,
    ];
    AccountRow {
        id: account.id.to_string(),
        sid: account.account_sid.unwrap_or_default(),
        detail: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
        state,
        changed: moment(account.updated_at, app.now(), caller.tenant.timezone),
    }
}
