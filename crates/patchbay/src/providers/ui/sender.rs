//! One sender: what of it may change.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::NaiveDate;
use patchbay_rules::phone;
use serde::Deserialize;
use uuid::Uuid;

use super::{Dress, done, senders::rate_of};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::{Error, FieldErrors, Result},
    providers::{
        senders::{self, Sender, SenderPatch},
        view::SenderPage,
    },
    web::{
        extract::{Form, Path},
        fields::Field,
        layout::Place,
        pages::html_with,
        patch::Patch,
        settings::{Section, tabs},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChangeForm {
    label: String,
    rate_per_second: String,
    warmup_started_on: String,
}

/// `GET /settings/senders/{id}`.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let sender = senders::find(&app, &caller, id).await?;
    let form = ChangeForm {
        label: sender.label.clone().unwrap_or_default(),
        rate_per_second: sender.rate_per_second.map(|rate| rate.to_string()).unwrap_or_default(),
        warmup_started_on: sender.warmup_started_on.map(|day| day.to_string()).unwrap_or_default(),
    };
    show(&app, &session, &caller, &sender, &form, &FieldErrors::new()).await
}

/// `POST /settings/senders/{id}`.
pub(super) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<ChangeForm>,
) -> Result<Response> {
    let sender = senders::find(&app, &caller, id).await?;
    let errors = match form.change() {
        Ok(change) => match senders::update(&app, &caller, id, change).await {
            Ok(sender) => return Ok(done(&app, &format!("Saved {}", sender.address))),
            Err(Error::Invalid(errors)) => errors,
            Err(error) => return Err(error),
        },
        Err(errors) => errors,
    };
    show(&app, &session, &caller, &sender, &form, &errors).await
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    sender: &Sender,
    form: &ChangeForm,
    errors: &FieldErrors,
) -> Result<Response> {
    let address = phone::format_national_or_international(&sender.address, &caller.tenant.country);
    let page = SenderPage {
        tabs: tabs(Section::Sending, caller.role),
        id: sender.id.to_string(),
        error: if errors.is_empty() {
            String::new()
        } else {
            "Nothing was saved yet: look at the marked fields.".to_owned()
        },
        fields: form.fields(&Dress { errors, may_change: true }),
        shell: shell(app, session, Place::Settings, &address).await?,
        address,
    };
    html_with(if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

impl ChangeForm {
    fn change(&self) -> Result<SenderPatch, FieldErrors> {
        let started = match self.warmup_started_on.trim() {
            "" => Patch::Clear,
            day => Patch::Set(day.parse::<NaiveDate>().map_err(|_| {
                FieldErrors::from([(
                    "warmup_started_on".into(),
                    "Choose a day, or leave it empty.".to_owned(),
                )])
            })?),
        };
        Ok(SenderPatch {
            label: Patch::Set(self.label.clone()),
            rate_per_second: rate_of(&self.rate_per_second).map_or(Patch::Clear, Patch::Set),
            warmup_started_on: started,
            ..SenderPatch::default()
        })
    }

    fn fields(&self, dress: &Dress<'_>) -> Vec<Field> {
        vec![
            dress.field(Field::text("label", "Label").placeholder("Main line"), &self.label),
            dress.field(
                Field::text("rate_per_second", "Messages a second")
                    .placeholder("no limit")
                    .hint("As many as the carrier allows this number. Leave it empty for no limit of its own."),
                &self.rate_per_second,
            ),
            dress.field(
                Field::input("warmup_started_on", "date", "Warm-up starts on").hint(
                    "For a new number: 50, 100, 200, 300 messages on its first days, then as many as you like. Empty for a number that needs none.",
                ),
                &self.warmup_started_on,
            ),
        ]
    }
}
