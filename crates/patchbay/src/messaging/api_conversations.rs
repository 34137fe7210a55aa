//! Conversations over HTTP.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    conversations,
    inbox::{self, Key, View},
    sql::inbox::ConversationRow,
};
use crate::{
    app::App,
    auth::{Caller, Role},
    contacts::{self, full_name, notes::Note},
    error::{Error, Result},
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
        patch::Patch,
        routes::{Access, Routes},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, get, update, add_note), components(schemas(Conversation, Change, NewNote)))]
pub struct Doc;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/conversations", Access::Api(Role::Viewer), list)
        .get("/api/conversations/{contact_id}", Access::Api(Role::Viewer), get)
        .patch("/api/conversations/{contact_id}", Access::Api(Role::Member), update)
        .post("/api/conversations/{contact_id}/notes", Access::Api(Role::Member), add_note)
}

/// Everything said with one contact. Its id is the contact's.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Conversation {
    pub contact_id: Uuid,
    /// The contact's name; empty when only an address is known.
    pub name: String,
    pub phone: Option<String>,
    pub email: Option<String>,
    /// `open`, `snoozed` or `done`.
    pub status: String,
    pub assignee_id: Option<Uuid>,
    /// Messages that nobody has looked at.
    pub unread: i32,
    pub snoozed_until: Option<DateTime<Utc>>,
    pub last_message_at: DateTime<Utc>,
    /// `inbound` or `outbound`.
    pub last_direction: Option<String>,
    /// `sms`, `whatsapp` or `email`.
    pub last_channel: Option<String>,
    /// The beginning of the last message.
    pub last_preview: Option<String>,
    /// Since when the contact waits for an answer.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Why a person should look: words that may have been an opt-out.
    pub needs_review: Option<String>,
}

impl From<ConversationRow> for Conversation {
    fn from(row: ConversationRow) -> Self {
        Self {
            contact_id: row.contact_id,
            name: full_name(row.first_name.as_deref(), row.last_name.as_deref()),
            phone: row.phone_e164,
            email: row.email,
            status: row.status,
            assignee_id: row.assignee_id,
            unread: row.unread,
            snoozed_until: row.snoozed_until,
            last_message_at: row.last_message_at,
            last_direction: row.last_direction,
            last_channel: row.last_channel,
            last_preview: row.last_preview,
            waiting_since: row.waiting_since,
            needs_review: row.needs_review,
        }
    }
}

/// Which conversations.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct Filter {
    /// `open` (unless told), `unread`, `snoozed` or `done`.
    pub view: Option<String>,
}

/// Lists conversations, the latest message first.
#[utoipa::path(get, path = "/api/conversations", tag = "Conversations", params(Filter, PageQuery), responses((status = 200, body = Page<Conversation>), (status = 422)))]
async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(filter): Query<Filter>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Conversation>>> {
    let view: View = filter.view.as_deref().map_or(Ok(View::Open), str::parse)?;
    let (limit, after) = (page.limit(), page.after::<Key>()?);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = inbox::list(&mut tx, &caller, view, after, limit + 1).await?;
    Ok(Json(Page::cut(rows, limit, |row| (row.last_message_at, row.contact_id)).map(Conversation::from)))
}

/// One conversation.
#[utoipa::path(get, path = "/api/conversations/{contact_id}", tag = "Conversations", params(("contact_id" = Uuid, Path)), responses((status = 200, body = Conversation), (status = 404)))]
async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(contact_id): Path<Uuid>,
) -> Result<Json<Conversation>> {
    Ok(Json(find(&app, &caller, contact_id).await?))
}

async fn find(app: &App, caller: &Caller, contact_id: Uuid) -> Result<Conversation> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(inbox::find(&mut tx, contact_id).await?.ok_or(Error::NotFound("conversation"))?.into())
}

/// What changes. Absent fields stay as they are.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// `open`, `done`, or `snoozed` together with `snoozed_until`.
    #[serde(default)]
    pub status: Option<String>,
    /// A member; `null` gives the conversation back to everybody.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub assignee_id: Patch<Uuid>,
    /// Setting it snoozes; `null` opens again.
    #[serde(default)]
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub snoozed_until: Patch<DateTime<Utc>>,
    /// `0` marks everything as read.
    #[serde(default)]
    pub unread: Option<i32>,
}

/// What a change does to the status, decided before anything is written.
enum Move {
    Stay,
    Open,
    Done,
    Snooze(DateTime<Utc>),
}

impl Change {
    fn status(&self) -> Result<Move> {
        Ok(match (self.status.as_deref(), self.snoozed_until) {
            (Some("snoozed") | None, Patch::Set(until)) => Move::Snooze(until),
            (Some("snoozed"), _) => return Err(Error::field("snoozed_until", "Say until when.")),
            (Some("open"), Patch::Keep | Patch::Clear) | (None, Patch::Clear) => Move::Open,
            (Some("done"), Patch::Keep | Patch::Clear) => Move::Done,
            (Some("open" | "done"), Patch::Set(_)) => {
                return Err(Error::field("snoozed_until", "Only a snoozed conversation has this."));
            }
            (Some(_), _) => return Err(Error::field("status", "Choose open, snoozed or done.")),
            (None, Patch::Keep) => Move::Stay,
        })
    }
}

/// Changes who answers, or whether it is done.
#[utoipa::path(patch, path = "/api/conversations/{contact_id}", tag = "Conversations", params(("contact_id" = Uuid, Path)), request_body = Change,
    responses((status = 200, body = Conversation), (status = 404), (status = 422)))]
async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(contact_id): Path<Uuid>,
    Json(change): Json<Change>,
) -> Result<Json<Conversation>> {
    let status = change.status()?;
    if change.unread.is_some_and(|unread| unread != 0) {
        return Err(Error::field("unread", "Only 0 can be set: everything is read."));
    }
    match change.assignee_id {
        Patch::Keep => {}
        Patch::Clear => drop(conversations::assign(&app, &caller, contact_id, None).await?),
        Patch::Set(member) => drop(conversations::assign(&app, &caller, contact_id, Some(member)).await?),
    }
    match status {
        Move::Stay => {}
        Move::Open => drop(conversations::reopen(&app, &caller, contact_id).await?),
        Move::Done => drop(conversations::done(&app, &caller, contact_id).await?),
        Move::Snooze(until) => drop(conversations::snooze(&app, &caller, contact_id, until).await?),
    }
    if change.unread.is_some() {
        conversations::mark_read(&app, &caller, contact_id).await?;
    }
    Ok(Json(find(&app, &caller, contact_id).await?))
}

/// A note to write.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewNote {
    pub body: String,
}

/// Writes a note into a conversation. Only the team sees it.
#[utoipa::path(post, path = "/api/conversations/{contact_id}/notes", tag = "Conversations", params(("contact_id" = Uuid, Path)), request_body = NewNote,
    responses((status = 201, body = Note), (status = 404), (status = 422)))]
async fn add_note(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(contact_id): Path<Uuid>,
    Json(note): Json<NewNote>,
) -> Result<(StatusCode, Json<Note>)> {
    let note = contacts::notes::create(&app, &caller, contact_id, &note.body).await?;
    Ok((StatusCode::CREATED, Json(note)))
}
