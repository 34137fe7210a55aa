//! Numbers and addresses to send from.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::{phone, senders::is_name};
use serde::Deserialize;
use uuid::Uuid;

use super::{Dress, Typed, done, show};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::{FieldErrors, Result},
    providers::{
        senders::{self, NewSender, Sender, SenderPatch},
        view::SenderRow,
    },
    web::{
        extract::{Form, Path},
        fields::{Choice, Field},
        parts::{Tag, Tone},
        patch::Patch,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SenderForm {
    channel: String,
    address: String,
    label: String,
    rate_per_second: String,
    warm_up: bool,
    /// Said of letters where a number is usual.
    is_name: bool,
}

/// A switch: pressed on, or off.
#[derive(Debug, Deserialize)]
pub(super) struct Switch {
    #[serde(default)]
    on: bool,
}

pub(super) async fn add(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<SenderForm>,
) -> Result<Response> {
    let rate = Some(form.rate_per_second.trim())
        .filter(|text| !text.is_empty())
        .map(|text| text.parse::<f64>().unwrap_or(-1.0));
    let today = app.now().with_timezone(&caller.tenant.timezone).date_naive();
    if form.channel == "sms" && is_name(form.address.trim()) && !form.is_name {
        let message = "This is a name rather than a number. If you mean it, say so below.";
        let errors = FieldErrors::from([("address".into(), message.to_owned())]);
        let typed = Typed { sender: form, errors, adds_sender: true, asks_name: true, ..Typed::default() };
        return show(&app, &session, &caller, typed).await;
    }
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
        Err(error) => error.at_field("address")?,
    };
    show(&app, &session, &caller, Typed { sender: form, errors, adds_sender: true, ..Typed::default() }).await
}

pub(super) async fn warm_up(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<Switch>,
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
    Form(form): Form<Switch>,
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

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    senders::remove(&app, &caller, id).await?;
    Ok(done(&app, "Removed"))
}

impl SenderForm {
    /// `asks_name` adds the question whether letters are meant.
    pub(super) fn fields(&self, dress: &Dress<'_>, asks_name: bool) -> Vec<Field> {
        let choice = |value: &str, label: &str| Choice::new(value, label, self.channel == value);
        let channels = vec![choice("sms", "SMS"), choice("whatsapp", "WhatsApp"), choice("email", "E-mail")];
        let mut fields = vec![
            dress.field(Field::select("channel", "Channel", channels).required(), &self.channel),
            dress.field(
                Field::text("address", "Number or address").required().placeholder("+61 412 345 678").hint(
                    dress
                        .errors
                        .get("account_id")
                        .or(dress.errors.get("provider"))
                        .cloned()
                        .unwrap_or_default(),
                ),
                &self.address,
            ),
            dress.field(Field::text("label", "Label").placeholder("Main line"), &self.label),
            dress.field(
                Field::text("rate_per_second", "Messages a second").placeholder("no limit"),
                &self.rate_per_second,
            ),
            dress.tick(
                "warm_up",
                "Warm it up",
                "For a new number: 50, 100, 200, 300 messages on its first days, then as many as you like.",
                self.warm_up,
            ),
        ];
        if asks_name || self.is_name {
            let hint = "Texts show the name instead of a number. Nobody can answer it, and some countries show registered names only.";
            fields.insert(2, dress.tick("is_name", "Send under this name", hint, self.is_name));
        }
        fields
    }
}

pub(super) fn row(caller: &Caller, sender: Sender) -> SenderRow {
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
