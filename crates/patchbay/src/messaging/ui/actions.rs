//! What members do in a conversation. Each handler reads the form, calls one operation, and shows what is there now.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use chrono::{DateTime, NaiveDateTime, Utc};
use patchbay_rules::{calendar, message::Channel};
use serde::Deserialize;
use uuid::Uuid;

use super::{Look, composer::Typed, page, view_of};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::notes,
    error::{Error, Result},
    messaging::{
        self, MessageRow,
        compose::{self, Draft, When},
        conversations,
    },
    web::{
        extract::{Form, Path},
        notice,
    },
};

/// What the composer posts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Written {
    #[serde(default)]
    channel: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    template_id: Option<Uuid>,
    /// An instant that was offered.
    #[serde(default)]
    send_at: Option<DateTime<Utc>>,
    /// `custom`: at `send_at_local` on the contact's clock.
    #[serde(default)]
    later: Option<String>,
    #[serde(default)]
    send_at_local: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
}

impl Written {
    fn when(&self) -> Result<When> {
        if self.later.as_deref() == Some("custom") {
            let typed = self.send_at_local.as_deref().unwrap_or_default();
            let read = NaiveDateTime::parse_from_str(typed, "%Y-%m-%dT%H:%M")
                .or_else(|_| NaiveDateTime::parse_from_str(typed, "%Y-%m-%dT%H:%M:%S"));
            return read
                .map(When::There)
                .map_err(|_| Error::field("send_at_local", "Choose a day and a time."));
        }
        Ok(self.send_at.map_or(When::Now, When::At))
    }
}

/// `POST /conversations/{id}/messages`.
pub(super) async fn send(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(form): Form<Written>,
) -> Result<Response> {
    // The channel "note" is the composer's other mode; a form sent without script arrives here with it.
    if form.channel == "note" {
        return note(&app, &session, &caller, &headers, id, form.body).await;
    }
    let look = Look::new(&app, &caller, &session, view_of(&headers));
    let sent = async {
        let channel: Channel =
            form.channel.parse().map_err(|_| Error::field("channel", "Choose how to send it."))?;
        let (subject, body, nonce) = (form.subject.clone(), form.body.clone(), form.nonce.clone());
        let draft =
            Draft { channel, subject, body, template_id: form.template_id, when: form.when()?, nonce };
        compose::write(&app, &caller, id, draft).await
    };
    let typed = match sent.await {
        Ok(_) => Typed::default(),
        Err(error) => Typed {
            error: complaint(error)?,
            channel: form.channel.parse().ok(),
            subject: form.subject.unwrap_or_default(),
            nonce: form.nonce,
            in_doubt: false,
            body: form.body,
        },
    };
    page::after(&look, &session, &headers, id, typed).await
}

/// What is wrong with a form, in a sentence for its writer; anything else stays an error.
fn complaint(error: Error) -> Result<String> {
    match error {
        Error::Invalid(fields) => Ok(fields.into_values().collect::<Vec<_>>().join(" ")),
        Error::Conflict { detail, .. } => Ok(detail.into_owned()),
        other => Err(other),
    }
}

/// A note's text.
#[derive(Debug, Deserialize)]
pub(super) struct Noted {
    #[serde(default)]
    body: String,
}

/// `POST /conversations/{id}/notes`.
pub(super) async fn add_note(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(form): Form<Noted>,
) -> Result<Response> {
    note(&app, &session, &caller, &headers, id, form.body).await
}

async fn note(
    app: &App,
    session: &Session,
    caller: &Caller,
    headers: &HeaderMap,
    id: Uuid,
    body: String,
) -> Result<Response> {
    let look = Look::new(app, caller, session, view_of(headers));
    let typed = match notes::create(app, caller, id, &body).await {
        Ok(_) => Typed::default(),
        Err(error) => Typed { error: complaint(error)?, body, ..Typed::default() },
    };
    page::after(&look, session, headers, id, typed).await
}

/// `POST /conversations/{id}/notes/{note}`.
pub(super) async fn edit_note(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path((id, note)): Path<(Uuid, Uuid)>,
    Form(form): Form<Noted>,
) -> Result<Response> {
    notes::update(&app, &caller, note, &form.body).await?;
    show(&app, &session, &caller, &headers, id).await
}

/// `POST /conversations/{id}/notes/{note}/delete`.
pub(super) async fn delete_note(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path((id, note)): Path<(Uuid, Uuid)>,
) -> Result<Response> {
    notes::delete(&app, &caller, note).await?;
    show(&app, &session, &caller, &headers, id).await
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    headers: &HeaderMap,
    id: Uuid,
) -> Result<Response> {
    let look = Look::new(app, caller, session, view_of(headers));
    page::after(&look, session, headers, id, Typed::default()).await
}

/// Whom to give it to; empty for nobody.
#[derive(Debug, Deserialize)]
pub(super) struct Assigned {
    #[serde(default)]
    assignee_id: Option<Uuid>,
}

/// `POST /conversations/{id}/assign`.
pub(super) async fn assign(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(form): Form<Assigned>,
) -> Result<Response> {
    conversations::assign(&app, &caller, id, form.assignee_id).await?;
    show(&app, &session, &caller, &headers, id).await
}

/// Until when it may rest.
#[derive(Debug, Deserialize)]
pub(super) struct Snoozed {
    until: DateTime<Utc>,
}

/// `POST /conversations/{id}/snooze`.
pub(super) async fn snooze(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(form): Form<Snoozed>,
) -> Result<Response> {
    let contact = conversations::snooze(&app, &caller, id, form.until).await?;
    let look = Look::new(&app, &caller, &session, view_of(&headers));
    let until = calendar::describe_instant(form.until, look.now, look.zone());
    leave(
        &look,
        &headers,
        id,
        &format!("Snoozed {} until {until}", page::called(&look, &contact)),
        Some("reopen"),
    )
}

/// `POST /conversations/{id}/done`.
pub(super) async fn done(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let contact = conversations::done(&app, &caller, id).await?;
    let look = Look::new(&app, &caller, &session, view_of(&headers));
    leave(&look, &headers, id, &format!("Done with {}", page::called(&look, &contact)), Some("reopen"))
}

/// `POST /conversations/{id}/unread`.
pub(super) async fn unread(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let contact = conversations::mark_unread(&app, &caller, id).await?;
    let look = Look::new(&app, &caller, &session, view_of(&headers));
    leave(&look, &headers, id, &format!("{} is unread again", page::called(&look, &contact)), None)
}

/// The conversation makes way for the next one.
fn leave(look: &Look<'_>, headers: &HeaderMap, id: Uuid, text: &str, undo: Option<&str>) -> Result<Response> {
    let undo = undo.map(|verb| format!("/conversations/{id}/{verb}"));
    Ok(notice::toast(
        look.app,
        headers,
        &format!("/inbox?view={}", look.view.as_str()),
        text,
        undo.as_deref(),
    ))
}

/// `POST /conversations/{id}/reopen`.
pub(super) async fn reopen(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    conversations::reopen(&app, &caller, id).await?;
    show(&app, &session, &caller, &headers, id).await
}

/// `POST /conversations/{id}/read`: what a page does by itself when it is looked at.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    conversations::mark_read(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a person makes of words that may have been an opt-out.
#[derive(Debug, Deserialize)]
pub(super) struct Reviewed {
    opted_out: bool,
}

/// `POST /conversations/{id}/review`.
pub(super) async fn review(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(form): Form<Reviewed>,
) -> Result<Response> {
    conversations::review(&app, &caller, id, form.opted_out).await?;
    show(&app, &session, &caller, &headers, id).await
}

/// `POST /messages/{id}/cancel`.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let message = messaging::cancel(&app, &caller, id).await?;
    back(&app, &session, &caller, &headers, message).await
}

/// `POST /messages/{id}/retry`.
pub(super) async fn retry(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let message = messaging::retry(&app, &caller, id).await?;
    back(&app, &session, &caller, &headers, message).await
}

/// `POST /messages/{id}/send-now`.
pub(super) async fn send_now(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let message = messaging::send_now(&app, &caller, id).await?;
    back(&app, &session, &caller, &headers, message).await
}

/// Back to the conversation that the message is in.
async fn back(
    app: &App,
    session: &Session,
    caller: &Caller,
    headers: &HeaderMap,
    message: MessageRow,
) -> Result<Response> {
    let contact = message.contact_id.ok_or(Error::NotFound("conversation"))?;
    let look = Look::new(app, caller, session, view_of(headers));
    page::after(&look, session, headers, contact, Typed::default()).await
}
