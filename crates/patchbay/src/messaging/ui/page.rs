//! One conversation: the whole page, the fragment for a script, the entries before.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use patchbay_rules::calendar;
use serde::Deserialize;
use uuid::Uuid;

use super::{Look, composer, list, panel, path, thread as entries, words};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{self, Contact},
    error::{Error, Result},
    messaging::{
        compose, inbox,
        sql::inbox::{self as sql, ConversationRow, MemberRow},
        thread,
        view::{
            ConversationFragment, EarlierFragment, InboxPage,
            thread::{Assignee, ConversationView, Status},
        },
    },
    web::{
        extract::{Path, Query},
        layout::Place,
        notice, pages,
        parts::{Empty, Face, Tag, Tone},
        shell,
    },
};

/// Which part of a conversation is looked at.
#[derive(Debug, Default, Clone, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    view: Option<String>,
    /// The entries before this one.
    #[serde(default)]
    before: Option<Uuid>,
    /// How many entries are on the screen already.
    #[serde(default)]
    limit: Option<u32>,
    /// The first message that was unread when the conversation was opened: the mark stays while one looks.
    #[serde(default)]
    new: Option<Uuid>,
}

impl Part {
    /// The newest entries, as an action leaves them.
    pub fn newest() -> Self {
        Self::default()
    }

    pub fn view(&self) -> inbox::View {
        self.view.as_deref().and_then(|word| word.parse().ok()).unwrap_or_default()
    }
}

/// `GET /conversations/{id}`.
pub(super) async fn conversation(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Query(part): Query<Part>,
) -> Result<Response> {
    let look = Look::new(&app, &caller, &session, part.view());
    if let Some(kept) = merged_into(&look, id).await? {
        return Ok(notice::see_other(&path(kept, look.view)));
    }
    let conversation = view(&look, id, &part, composer::Typed::default()).await?;
    match (pages::wants_fragment(&headers), part.before) {
        (true, Some(_)) => pages::html(&EarlierFragment { conversation }),
        (true, None) => pages::html(&ConversationFragment { conversation }),
        (false, _) => whole(&look, &session, conversation, id, StatusCode::OK).await,
    }
}

async fn merged_into(look: &Look<'_>, id: Uuid) -> Result<Option<Uuid>> {
    let mut tx = look.app.db.tenant(look.caller.tenant.id).await?;
    Ok(contacts::find(&mut tx, id).await?.ok_or(Error::NotFound("conversation"))?.merged_into)
}

/// The answer to an action: the fragment for htmx, the page for a form that came back with an error.
pub(super) async fn after(
    look: &Look<'_>,
    session: &Session,
    headers: &HeaderMap,
    id: Uuid,
    typed: composer::Typed,
) -> Result<Response> {
    let status = if typed.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    if !notice::is_htmx(headers) && status == StatusCode::OK {
        return Ok(notice::see_other(&path(id, look.view)));
    }
    let conversation = view(look, id, &Part::newest(), typed).await?;
    if notice::is_htmx(headers) {
        return pages::html_with(status, &ConversationFragment { conversation });
    }
    whole(look, session, conversation, id, status).await
}

async fn whole(
    look: &Look<'_>,
    session: &Session,
    conversation: ConversationView,
    id: Uuid,
    status: StatusCode,
) -> Result<Response> {
    let ask = list::Ask { view: Some(look.view.as_str().to_owned()), ..list::Ask::default() };
    let list = list::build(look, &ask, Some(id)).await?;
    let shell = shell::shell(look.app, session, Place::Inbox, &conversation.name).await?;
    let nothing = Empty { icon: "inbox", heading: String::new(), text: String::new(), actions: Vec::new() };
    pages::html_with(
        status,
        &InboxPage { shell, list, conversation: Some(conversation), nothing, setup: Vec::new() },
    )
}

/// Gathers one conversation.
async fn view(look: &Look<'_>, id: Uuid, part: &Part, typed: composer::Typed) -> Result<ConversationView> {
    let (app, caller) = (look.app, look.caller);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::find(&mut tx, id).await?.ok_or(Error::NotFound("conversation"))?;
    let row = inbox::find(&mut tx, id).await?;
    // Live updates ask for as much as is on the screen, and a little more, since what is new counts too.
    let limit = part.limit.map_or(thread::PAGE, |shown| (i64::from(shown) + 10).clamp(thread::PAGE, 1000));
    let thread = thread::read(&mut tx, &contact, part.before, limit).await?;
    let desk = compose::desk(&mut tx, app, caller, &contact, row.as_ref()).await?;
    let members = sql::members(&mut tx).await?;
    let name = list::contact_name(look, &contact);
    let called = contact.first_name.clone().unwrap_or_else(|| name.clone());
    let unread = row.as_ref().map_or(0, |row| row.unread);
    let first_unread = entries::first_unread(&thread, unread).or(part.new);
    let setting =
        entries::Setting { name: &called, there: desk.zone_known.then_some(desk.zone), first_unread };
    let review = row.as_ref().and_then(|row| row.needs_review.clone()).unwrap_or_default();
    let typed = composer::Typed { in_doubt: !review.is_empty(), ..typed };
    let composer = composer::build(&mut tx, look, &contact, &desk, typed).await?;
    let panel = panel::build(&mut tx, look, &contact, &desk, &thread.quotes, &members).await?;
    let here = path(id, look.view);
    let assignee = row.as_ref().and_then(|row| row.assignee_id);
    Ok(ConversationView {
        id: id.to_string(),
        contact_href: format!("/contacts/{id}"),
        live_src: first_unread.map_or_else(|| here.clone(), |first| format!("{here}&new={first}")),
        back: format!("/inbox?view={}", look.view.as_str()),
        status: status(look, row.as_ref()),
        tags: tags(&contact, &desk),
        assignee: members
            .iter()
            .find(|member| Some(member.user_id) == assignee)
            .map(|member| person(member, assignee)),
        members: choices(look, &members, assignee),
        snoozes: composer::snoozes(look.now, look.zone()),
        entries: entries::entries(look, &thread, &setting),
        earlier: thread.earlier.map(|earlier| format!("{here}&before={earlier}")),
        unread: unread > 0 && look.can_write(),
        // Whoever is unsubscribed is written to no more; the composer offers the way back.
        review: if desk.is_unsubscribed() { String::new() } else { review },
        composer,
        panel,
        csrf: look.csrf.to_owned(),
        can_send: look.can_write(),
        can_write: look.can_write(),
        name,
    })
}

fn status(look: &Look<'_>, row: Option<&ConversationRow>) -> Status {
    match row.map(|row| (row.status.as_str(), row.snoozed_until)) {
        Some(("snoozed", Some(until))) => {
            Status::Snoozed(calendar::describe_instant(until, look.now, look.zone()))
        }
        Some(("done", _)) => Status::Done,
        _ => Status::Open,
    }
}

fn tags(contact: &Contact, desk: &compose::Desk) -> Vec<Tag> {
    let refused =
        desk.listed.is_some() || desk.consents.iter().any(|consent| consent.state == "unsubscribed");
    // There is room for one beside the name; the stage stands in the panel as well.
    let mut tags = match &contact.stage {
        _ if refused => vec![Tag::new(Tone::Stop, "ban", "Unsubscribed")],
        Some(stage) => vec![Tag::plain(stage)],
        None => Vec::new(),
    };
    if contact.archived_at.is_some() {
        tags.push(Tag::new(Tone::Plain, "archive", "Archived"));
    }
    tags
}

fn person(member: &MemberRow, chosen: Option<Uuid>) -> Assignee {
    let name = member.label().to_owned();
    Assignee {
        id: member.user_id.to_string(),
        face: Face::of(member.user_id, &name),
        chosen: Some(member.user_id) == chosen,
        name,
    }
}

/// Those who may answer, oneself first.
fn choices(look: &Look<'_>, members: &[MemberRow], assignee: Option<Uuid>) -> Vec<Assignee> {
    let mut able: Vec<&MemberRow> = members.iter().filter(|member| member.role != "viewer").collect();
    able.sort_by_key(|member| Some(member.user_id) != look.caller.actor.user_id());
    able.into_iter().map(|member| person(member, assignee)).collect()
}

/// What a toast calls a contact.
pub(super) fn called(look: &Look<'_>, contact: &Contact) -> String {
    contact
        .first_name
        .clone()
        .map_or_else(|| list::contact_name(look, contact), |name| words::first_word(&name).to_owned())
}
