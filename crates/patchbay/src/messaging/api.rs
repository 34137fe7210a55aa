//! Messages over HTTP.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use chrono::{DateTime, Utc};
use patchbay_rules::{
    gates::Reason,
    message::{Channel, Kind, Status},
    phone,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Intent, MessageRow, cancel, enqueue, explain, retry, send_now, sql};
use crate::{
    app::App,
    auth::{Caller, Role},
    contacts::{self, NewContact},
    db::TenantTx,
    error::{Error, Result},
    templates,
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
        routes::{Access, Routes},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, get, send, cancel_message, retry_message, send_message_now, why),
    components(schemas(Message, Gate, Failure, Event, Send, GateAnswer))
)]
pub struct Doc;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/messages", Access::Api(Role::Viewer), list)
        .get("/api/messages/{id}", Access::Api(Role::Viewer), get)
        .post("/api/messages/send", Access::Api(Role::Member), send)
        .post("/api/messages/{id}/cancel", Access::Api(Role::Member), cancel_message)
        .post("/api/messages/{id}/retry", Access::Api(Role::Member), retry_message)
        .post("/api/messages/{id}/send-now", Access::Api(Role::Member), send_message_now)
        .get("/api/messages/{id}/why", Access::Api(Role::Viewer), why)
}

/// A message of the ledger.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Message {
    pub id: Uuid,
    pub contact_id: Option<Uuid>,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// `sms`, `whatsapp` or `email`.
    pub channel: String,
    pub kind: String,
    pub from: Option<String>,
    pub to: String,
    pub subject: Option<String>,
    pub body: String,
    #[schema(value_type = Vec<String>)]
    pub media: Value,
    /// `queued`, `sending`, `sent`, `delivered`, `read`, `undelivered`, `failed`, `unknown`, `blocked`, `canceled` or `received`.
    pub status: String,
    /// What holds the message, or refused it.
    pub gate: Option<Gate>,
    pub error: Option<Failure>,
    pub segments: i16,
    pub encoding: String,
    /// Millionths of the tenant's currency unit.
    pub cost_micros: i64,
    pub provider: Option<String>,
    pub provider_message_id: Option<String>,
    pub attempt: i32,
    pub send_after: DateTime<Utc>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub template_id: Option<Uuid>,
    pub campaign_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    pub sent_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub read_at: Option<DateTime<Utc>>,
    /// Everything that happened to it; only where one message is asked for.
    pub events: Vec<Event>,
}

/// A gate's word.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Gate {
    /// `kill_switch`, `budget`, `do_not_contact`, `suppression_window`, `quiet_hours`, `rate_limit`, `warm_up`, or
    /// `template` for a message with a hole in its text, or `address` for a contact who cannot be written to.
    pub name: String,
    /// `waiting` or `blocked`.
    pub verdict: &'static str,
    /// A plain sentence.
    pub reason: String,
    pub until: Option<DateTime<Utc>>,
}

/// Why a provider did not take or deliver it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Failure {
    /// The provider's code.
    pub code: Option<i32>,
    pub detail: String,
}

/// One event in the life of a message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Event {
    pub event: String,
    pub code: Option<i32>,
    pub detail: Option<String>,
    pub at: DateTime<Utc>,
}

/// The sentence for why a message is where it is; `None` when nothing holds it.
pub(super) fn gate(row: &MessageRow, now: DateTime<Utc>, viewer: chrono_tz::Tz) -> Option<Gate> {
    gate_of(row.gate.as_deref(), &row.status, row.gate_reason.as_ref(), row.gate_until, now, viewer)
}

/// The same from the columns alone.
pub(crate) fn gate_of(
    name: Option<&str>,
    status: &str,
    stored: Option<&Value>,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    viewer: chrono_tz::Tz,
) -> Option<Gate> {
    let name = name?.to_owned();
    let verdict = if status == Status::Blocked.as_str() { "blocked" } else { "waiting" };
    let reason = match stored.and_then(|reason| serde_json::from_value::<Reason>(reason.clone()).ok()) {
        Some(reason) => reason.sentence(until, now, viewer),
        None => stored
            .and_then(|reason| reason.get("detail"))
            .and_then(Value::as_str)
            .unwrap_or("Held back")
            .to_owned(),
    };
    Some(Gate { name, verdict, reason, until })
}

/// The public shape of a row.
pub(super) fn message(
    row: MessageRow,
    events: Vec<super::EventRow>,
    now: DateTime<Utc>,
    viewer: chrono_tz::Tz,
) -> Message {
    let gate = gate(&row, now, viewer);
    let error = (row.error_code.is_some() || row.error_detail.is_some())
        .then(|| Failure { code: row.error_code, detail: row.error_detail.clone().unwrap_or_default() });
    Message {
        id: row.id,
        contact_id: row.contact_id,
        direction: row.direction,
        channel: row.channel,
        kind: row.kind,
        from: row.from_address,
        to: row.to_address,
        subject: row.subject,
        body: row.body,
        media: row.media,
        status: row.status,
        gate,
        error,
        segments: row.segments,
        encoding: row.encoding,
        cost_micros: row.cost_micros,
        provider: row.provider,
        provider_message_id: row.provider_message_id,
        attempt: row.attempt,
        send_after: row.send_after,
        scheduled_at: row.scheduled_at,
        template_id: row.template_id,
        campaign_id: row.campaign_id,
        quote_id: row.quote_id,
        sent_by: row.sent_by_label,
        created_at: row.created_at,
        sent_at: row.sent_at,
        delivered_at: row.delivered_at,
        read_at: row.read_at,
        events: events
            .into_iter()
            .map(|e| Event { event: e.event, code: e.code, detail: e.detail, at: e.at })
            .collect(),
    }
}

/// Filters of the list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct Filter {
    pub contact_id: Option<Uuid>,
    pub campaign_id: Option<Uuid>,
    pub status: Option<String>,
}

/// Lists messages, newest first.
#[utoipa::path(get, path = "/api/messages", tag = "Messages", params(Filter, PageQuery), responses((status = 200, body = Page<Message>)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Message>>> {
    if let Some(status) = &filter.status
        && status.parse::<Status>().is_err()
    {
        return Err(Error::field("status", "This is not a status of a message."));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let limit = page.limit();
    let rows = sql::ledger::list(
        &mut tx,
        filter.contact_id,
        filter.campaign_id,
        filter.status.as_deref(),
        page.after()?,
        limit + 1,
    )
    .await?;
    let now = app.now();
    let page =
        Page::cut(rows, limit, |row| row.id).map(|row| message(row, Vec::new(), now, caller.tenant.timezone));
    Ok(Json(page))
}

/// A page of the messages from and to one contact, newest first.
pub async fn list_of_contact(
    tx: &mut TenantTx,
    contact_id: Uuid,
    page: &PageQuery,
    now: DateTime<Utc>,
    viewer: chrono_tz::Tz,
) -> Result<Page<Message>> {
    let limit = page.limit();
    let rows = sql::ledger::list(tx, Some(contact_id), None, None, page.after()?, limit + 1).await?;
    Ok(Page::cut(rows, limit, |row| row.id).map(|row| message(row, Vec::new(), now, viewer)))
}

/// One message with everything that happened to it.
#[utoipa::path(get, path = "/api/messages/{id}", tag = "Messages", params(("id" = Uuid, Path)), responses((status = 200, body = Message), (status = 404)))]
async fn get(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Message>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let row = sql::ledger::find(&mut tx, id).await?.ok_or(Error::NotFound("message"))?;
    let events = sql::ledger::list_events(&mut tx, id).await?;
    Ok(Json(message(row, events, app.now(), caller.tenant.timezone)))
}

/// A message to send.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Send {
    /// Whom; or a number or e-mail in `to`, which finds or makes the contact.
    pub contact_id: Option<Uuid>,
    pub to: Option<String>,
    /// `sms` unless told.
    pub channel: Option<String>,
    /// One of your senders; the default one unless told.
    pub from: Option<String>,
    /// The text; or a template.
    pub body: Option<String>,
    /// Key or id of a template.
    pub template: Option<String>,
    pub subject: Option<String>,
    /// An approved WhatsApp template, with its variables.
    pub content_sid: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub content_variables: Option<Value>,
    /// Not before this instant.
    #[serde(alias = "scheduled_at", alias = "send_after")]
    pub send_at: Option<DateTime<Utc>>,
}

/// Queues a message. It passes the gates like every other and is sent once; with an `Idempotency-Key`, once per key.
#[utoipa::path(post, path = "/api/messages/send", tag = "Messages", request_body = Send,
    responses((status = 202, body = Message), (status = 404), (status = 422), (status = 429, description = "Slow down; see Retry-After")))]
async fn send(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(send): Json<Send>,
) -> Result<(StatusCode, Json<Message>)> {
    let channel: Channel = send
        .channel
        .as_deref()
        .unwrap_or("sms")
        .parse()
        .map_err(|_| Error::field("channel", "Choose sms, whatsapp or email."))?;
    if send.send_at.is_some_and(|at| at > app.now() + super::compose::FURTHEST) {
        return Err(Error::field("send_at", "Choose a moment within a year."));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = recipient(&mut tx, &app, &caller, channel, &send).await?;
    let address = if channel == Channel::Email { contact.email.clone() } else { contact.phone_e164.clone() };
    let to = address.ok_or_else(|| {
        Error::field(
            "contact_id",
            if channel == Channel::Email {
                "This contact has no e-mail address."
            } else {
                "This contact has no phone number."
            },
        )
    })?;
    if let Some(from) = &send.from
        && !sql::ledger::has_sender(&mut tx, channel, from).await?
    {
        return Err(Error::field(
            "from",
            "This is not one of your senders. Leave it out to send from the default one; Settings, Sending adds another.",
        ));
    }
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .map_or_else(|| app.new_id().to_string(), str::to_owned);
    let mut intent =
        Intent::new(Kind::Api, channel, format!("api:{key}"), to, send.body.clone().unwrap_or_default());
    intent.contact_id = Some(contact.id);
    intent.from = send.from;
    intent.subject = send.subject;
    intent.content_sid = send.content_sid;
    intent.content_variables = send.content_variables;
    intent.send_after = send.send_at;
    intent.sent_by = Some(caller.actor.clone());
    if let Some(template) = &send.template {
        let source = template.parse().map_or(templates::Source::Key(template), templates::Source::Id);
        let rendered = templates::render(&mut tx, &app, source, contact.id, None).await?;
        // Whoever asks is there to be told.
        if let Some(problem) = rendered.problem {
            return Err(Error::field("template", problem));
        }
        intent.template_id = rendered.template_id;
        intent.body = rendered.body;
        intent.subject = intent.subject.or(rendered.subject);
    }
    let queued = enqueue(&mut tx, &app, intent).await?;
    let row = sql::ledger::find(&mut tx, queued.id).await?.ok_or(Error::NotFound("message"))?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(message(row, Vec::new(), app.now(), caller.tenant.timezone))))
}

async fn recipient(
    tx: &mut TenantTx,
    app: &App,
    caller: &Caller,
    channel: Channel,
    send: &Send,
) -> Result<contacts::Contact> {
    let to = send.to.as_deref().map(|to| clean_address(channel, to, &caller.tenant.country)).transpose()?;
    match (send.contact_id, to) {
        (Some(id), to) => {
            let contact = contacts::find(tx, id).await?.ok_or(Error::NotFound("contact"))?;
            let known = if channel == Channel::Email { &contact.email } else { &contact.phone_e164 };
            if to.is_some() && to != *known {
                return Err(Error::field(
                    "to",
                    "This is not the contact's address. Leave one of the two out.",
                ));
            }
            Ok(contact)
        }
        (None, Some(to)) => {
            let mut new = NewContact { source: Some("API".to_owned()), ..NewContact::default() };
            if channel == Channel::Email {
                new.email = Some(to);
            } else {
                new.phone = Some(to);
            }
            Ok(contacts::upsert(tx, app, new).await?.0)
        }
        (None, None) => {
            Err(Error::field("contact_id", "Say whom: a contact_id, or a number or address in to."))
        }
    }
}

/// An address as contacts have it.
fn clean_address(channel: Channel, to: &str, country: &str) -> Result<String> {
    if channel == Channel::Email {
        let email = contacts::clean::email(to).map_err(|words| Error::field("to", words))?;
        return email.ok_or_else(|| Error::field("to", "Write an address such as dana@example.com."));
    }
    let parsed = phone::parse(to, Some(country)).map_err(|error| Error::field("to", format!("{error}.")))?;
    Ok(parsed.e164)
}

/// Takes back a message that has not left.
#[utoipa::path(post, path = "/api/messages/{id}/cancel", tag = "Messages", params(("id" = Uuid, Path)), responses((status = 200, body = Message), (status = 404), (status = 409)))]
async fn cancel_message(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Message>> {
    let row = cancel(&app, &caller, id).await?;
    Ok(Json(message(row, Vec::new(), app.now(), caller.tenant.timezone)))
}

/// Sends again what failed, was blocked or canceled, through the same gates.
#[utoipa::path(post, path = "/api/messages/{id}/retry", tag = "Messages", params(("id" = Uuid, Path)), responses((status = 200, body = Message), (status = 404), (status = 409)))]
async fn retry_message(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Message>> {
    let row = retry(&app, &caller, id).await?;
    Ok(Json(message(row, Vec::new(), app.now(), caller.tenant.timezone)))
}

/// Lets a waiting message go now instead of at its chosen time or after quiet hours. All other gates hold.
#[utoipa::path(post, path = "/api/messages/{id}/send-now", tag = "Messages", params(("id" = Uuid, Path)), responses((status = 200, body = Message), (status = 404), (status = 409)))]
async fn send_message_now(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Message>> {
    let row = send_now(&app, &caller, id).await?;
    Ok(Json(message(row, Vec::new(), app.now(), caller.tenant.timezone)))
}

/// What one gate says about a message right now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct GateAnswer {
    pub name: &'static str,
    /// `pass`, `waiting` or `blocked`.
    pub verdict: &'static str,
    pub reason: Option<String>,
    pub until: Option<DateTime<Utc>>,
}

/// What each of the seven gates would say if the message were to leave now. Changes nothing.
#[utoipa::path(get, path = "/api/messages/{id}/why", tag = "Messages", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<GateAnswer>), (status = 404)))]
async fn why(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Vec<GateAnswer>>> {
    Ok(Json(explain(&app, &caller, id).await?))
}
