//! Settings → Notifications.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::{message::Channel, phone};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    EVENTS, NewRule, Rule, RuleChange,
    view::{RuleRow, RulesPage},
};
use crate::{
    app::App,
    auth::{Caller, Session},
    error::{FieldErrors, Result},
    web::{
        extract::{Form, Path, Query},
        fields::{Choice, Field},
        layout::Place,
        notice,
        pages::html_form,
        paging::PageQuery,
        parts::Pager,
        settings::{Section, tabs},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RuleForm {
    event_type: String,
    channel: String,
    target: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ActiveForm {
    active: String,
}

pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Response> {
    let form =
        RuleForm { event_type: "lead.created".to_owned(), channel: "sms".to_owned(), target: String::new() };
    show(&app, &session, &caller, &page, &form, FieldErrors::new(), "").await
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<RuleForm>,
) -> Result<Response> {
    let first = PageQuery::default();
    let Ok(channel) = form.channel.parse::<Channel>() else {
        let errors = FieldErrors::from([("channel".into(), "Choose how to be told.".to_owned())]);
        return show(&app, &session, &caller, &first, &form, errors, "").await;
    };
    let input = NewRule {
        event_type: form.event_type.clone(),
        channel,
        target: form.target.clone(),
        use_business_number: true,
        active: true,
    };
    match super::create(&app, &caller, input).await {
        Ok(rule) => Ok(done(&app, &format!("{} will be told", rule.target))),
        Err(error) => show(&app, &session, &caller, &first, &form, error.at_field("target")?, "").await,
    }
}

pub(super) async fn set_active(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<ActiveForm>,
) -> Result<Response> {
    let active = form.active == "true";
    super::update(&app, &caller, id, RuleChange { active: Some(active), ..RuleChange::default() }).await?;
    Ok(done(&app, if active { "Switched on" } else { "Switched off" }))
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let rule = super::delete(&app, &caller, id).await?;
    Ok(done(&app, &format!("{} is no longer told", rule.target)))
}

fn done(app: &App, text: &str) -> Response {
    notice::redirect(app, Section::Notifications.href(), text)
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    page: &PageQuery,
    form: &RuleForm,
    errors: FieldErrors,
    problem: &str,
) -> Result<Response> {
    let found = super::list(app, caller, page).await?;
    let error = |field: &str| errors.get(field).cloned().unwrap_or_default();
    let events =
        EVENTS.iter().map(|(event, words)| Choice::new(*event, *words, *event == form.event_type)).collect();
    let ways = [("sms", "Text message"), ("whatsapp", "WhatsApp"), ("email", "E-mail")];
    let ways = ways.map(|(value, words)| Choice::new(value, words, value == form.channel)).into();
    let page = RulesPage {
        tabs: tabs(Section::Notifications, caller.role),
        rules: found.data.iter().map(|rule| row(rule, &caller.tenant.country)).collect(),
        pager: Pager {
            previous: page.cursor.is_some().then(|| Section::Notifications.href().to_owned()),
            next: found
                .next_cursor
                .as_ref()
                .map(|cursor| format!("{}?cursor={cursor}", Section::Notifications.href())),
            note: String::new(),
        },
        error: problem.to_owned(),
        event_type: Field::select("event_type", "When", events).error(error("event_type")).required(),
        channel: Field::select("channel", "Tell by", ways).error(error("channel")).required(),
        target: Field::text("target", "Whom")
            .value(&form.target)
            .error(error("target"))
            .hint("A number for texts and WhatsApp, an address for e-mail.")
            .required(),
        shell: shell(app, session, Place::Settings, "Notifications").await?,
    };
    html_form(&errors, &page)
}

fn row(rule: &Rule, country: &str) -> RuleRow {
    let words = EVENTS
        .iter()
        .find(|(event, _)| *event == rule.event_type)
        .map_or_else(|| rule.event_type.clone(), |(_, words)| (*words).to_owned());
    let (way, icon) = match rule.channel {
        Channel::Sms => ("Text message", "message-square"),
        Channel::Whatsapp => ("WhatsApp", "message-circle"),
        Channel::Email => ("E-mail", "mail"),
    };
    let target = if rule.channel == Channel::Email || !phone::is_e164(&rule.target) {
        rule.target.clone()
    } else {
        phone::format_national_or_international(&rule.target, country)
    };
    RuleRow { id: rule.id.to_string(), event: words, way, icon, target, active: rule.active }
}
