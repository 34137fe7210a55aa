//! Settings → Sending: one page, on which each part saves itself. Here is what the parts share.

mod accounts;
mod prices;
mod rules;
mod senders;

use std::sync::Arc;

use axum::{extract::State, response::Response};

use self::{accounts::AccountForm, rules::RulesForm, senders::SenderForm};
use super::view::SendingPage;
use crate::{
    app::App,
    auth::{Caller, Role, Session},
    error::{FieldErrors, Result},
    tenants,
    web::{
        fields::{Field, NOT_SAVED},
        layout::Place,
        notice,
        pages::html_form,
        routes::{Access, Routes},
        settings::{Section, tabs},
        shell::shell,
    },
};

/// The routes of this page.
pub(super) fn routes(routes: Routes) -> Routes {
    let managed = Access::Page(Role::Admin);
    routes
        .get("/settings/sending", Access::Page(Role::Viewer), page)
        .post("/settings/sending", managed, rules::save)
        .post("/settings/sending/stop", managed, rules::stop)
        .post("/settings/sending/resume", managed, rules::resume)
        .post("/settings/accounts", managed, accounts::save)
        .post("/settings/accounts/{id}/test", managed, accounts::test)
        .post("/settings/accounts/{id}/remove", managed, accounts::remove)
        .post("/settings/senders", managed, senders::add)
        .post("/settings/senders/{id}/warm-up", managed, senders::warm_up)
        .post("/settings/senders/{id}/registered", managed, senders::register)
        .post("/settings/senders/{id}/default", managed, senders::make_default)
        .post("/settings/senders/{id}/remove", managed, senders::remove)
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
    asks_name: bool,
}

async fn page(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    show(&app, &session, &caller, Typed::default()).await
}

fn done(app: &App, text: &str) -> Response {
    notice::redirect(app, Section::Sending.href(), text)
}

async fn show(app: &App, session: &Session, caller: &Caller, typed: Typed) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let settings = tenants::settings(&mut tx).await?;
    drop(tx);
    let accounts = super::accounts::list(app, caller).await?;
    let senders = super::senders::list(app, caller).await?;
    let has_errors = !typed.errors.is_empty();
    let rules = typed.rules.unwrap_or_else(|| RulesForm::of(&settings));
    let dress = Dress { errors: &typed.errors, may_change: caller.role.can_manage() };
    let public_url = &app.config.public_url;
    let page = SendingPage {
        tabs: tabs(Section::Sending, caller.role),
        error: if has_errors { NOT_SAVED.to_owned() } else { String::new() },
        is_stopped: settings.kill_switch,
        adds_sender: typed.adds_sender || senders.is_empty(),
        senders: senders.into_iter().map(|sender| senders::row(caller, sender)).collect(),
        sender_fields: typed.sender.fields(&dress, typed.asks_name),
        adds_account: typed.adds_account,
        accounts: accounts.into_iter().map(|account| accounts::row(app, caller, account)).collect(),
        account_fields: typed.account.fields(&dress),
        webhooks: vec![
            ("When a message comes in", format!("{public_url}/webhooks/twilio")),
            ("Status callback", format!("{public_url}/webhooks/twilio")),
        ],
        quiet: rules.quiet(&dress),
        quiet_rules: rules.quiet_rules(&dress),
        budget: rules.budget(&dress, &settings.currency),
        prices: rules.prices(&dress, &settings.currency),
        limits: rules.limits(&dress),
        brake: rules.brake(&dress),
        shell: shell(app, session, Place::Settings, "Sending").await?,
    };
    html_form(&typed.errors, &page)
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
