//! The carrier's account: connected, tested, disconnected.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::{Dress, Typed, done, show};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::{Error, Result},
    providers::{
        accounts::{self, Account, NewAccount},
        view::AccountRow,
    },
    web::{
        extract::{Form, Path},
        fields::Field,
        moments::moment,
        parts::{Tag, Tone},
    },
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AccountForm {
    account_sid: String,
    auth_token: String,
    api_key_sid: String,
    api_key_secret: String,
    messaging_service_sid: String,
}

pub(super) async fn save(
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

pub(super) async fn test(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    Ok(match accounts::test(&app, &caller, id).await? {
        Ok(()) => done(&app, "The account works"),
        Err(words) => done(&app, &format!("The account does not work: {words}")),
    })
}

pub(super) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    accounts::remove(&app, &caller, id).await?;
    Ok(done(&app, "Account disconnected"))
}

impl AccountForm {
    pub(super) fn fields(&self, dress: &Dress<'_>) -> Vec<Field> {
        vec![
            dress.field(
                Field::text("account_sid", "Account SID").required().placeholder("AC…"),
                &self.account_sid,
            ),
            dress.field(
                Field::input("auth_token", "password", "Auth token")
                    .required()
                    .hint("Proves that webhooks come from Twilio."),
                &self.auth_token,
            ),
            dress.field(
                Field::text("api_key_sid", "API key SID").placeholder("SK…").hint("Recommended for sending."),
                &self.api_key_sid,
            ),
            dress.field(Field::input("api_key_secret", "password", "API key secret"), &self.api_key_secret),
            dress.field(
                Field::text("messaging_service_sid", "Messaging service SID").placeholder("MG…"),
                &self.messaging_service_sid,
            ),
        ]
    }
}

pub(super) fn row(app: &App, caller: &Caller, account: Account) -> AccountRow {
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
