//! What happened with a contact, as steps with an icon, a sentence and a time.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde_json::Value;
use uuid::Uuid;

use super::view::{Step, Trail, TrailFragment};
use crate::{
    app::App,
    auth::{Caller, Role, Session},
    contacts::{
        self, Contact, sql,
        timeline::{self, Entry},
    },
    db::TenantTx,
    error::Result,
    web::{
        extract::{Path, Query},
        moments::moment,
        pages::html,
        paging::PageQuery,
    },
};

/// `GET /contacts/{id}/trail`: earlier steps.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::get(&mut tx, id).await?;
    html(&TrailFragment { trail: build(&mut tx, &app, &caller, &session.csrf, &contact, &page).await? })
}

/// A page of it.
pub(super) async fn build(
    tx: &mut TenantTx,
    app: &App,
    caller: &Caller,
    csrf: &str,
    contact: &Contact,
    page: &PageQuery,
) -> Result<Trail> {
    let found = timeline::timeline(tx, contact, page.after()?, page.limit()).await?;
    let merges = sql::list_open_merges(tx, contact.id).await?;
    Ok(Trail {
        steps: found.data.iter().map(|entry| step(app, caller, contact, entry, &merges)).collect(),
        id: contact.id.to_string(),
        earlier: found.next_cursor,
        csrf: csrf.to_owned(),
    })
}

fn step(app: &App, caller: &Caller, contact: &Contact, entry: &Entry, merges: &[Uuid]) -> Step {
    let word = |key: &str| entry.data.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_note = entry.entry_type == "note";
    let author = entry.data.get("author_id").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
    let may_change = is_note
        && caller.role.can_write()
        && (caller.role >= Role::Admin || (author.is_some() && author == caller.actor.user_id()));
    let merge =
        Uuid::parse_str(word("merge_id")).ok().filter(|id| entry.kind == "merged" && merges.contains(id));
    let edited = if entry.data.get("edited_at").is_some_and(|at| !at.is_null()) { " (edited)" } else { "" };
    Step {
        icon: icon(entry),
        text: if is_note { format!("Note{edited}") } else { entry.text.clone() },
        body: if matches!(entry.entry_type.as_str(), "note" | "message") {
            word("body").to_owned()
        } else {
            String::new()
        },
        who: entry.actor.clone().unwrap_or_default(),
        at: moment(entry.at, app.now(), caller.tenant.timezone),
        href: match entry.entry_type.as_str() {
            "message" => Some(format!("/conversations/{}#m-{}", contact.id, entry.id)),
            "quote" => Some(format!("/quotes/{}", entry.id)),
            _ => None,
        },
        note: may_change.then(|| format!("/notes/{}", entry.id)),
        undo: merge
            .filter(|_| caller.role.can_write())
            .map(|id| (format!("/contacts/merges/{id}/undo"), "Separate again")),
    }
}

fn icon(entry: &Entry) -> &'static str {
    let word = |key: &str| entry.data.get(key).and_then(Value::as_str).unwrap_or_default();
    match (entry.entry_type.as_str(), entry.kind.as_str()) {
        ("message", _) if word("channel") == "email" => "mail",
        ("message", _) if word("channel") == "whatsapp" => "message-circle",
        ("message", _) => "message-square",
        ("note", _) => "sticky-note",
        ("quote", _) => "file-text",
        ("consent", "subscribed") => "shield-check",
        ("consent", _) => "shield-off",
        (_, "created") => "user-round-plus",
        (_, "stage.moved") => "square-kanban",
        (_, "owner.changed") => "user-round",
        (_, "label.added" | "label.removed") => "tag",
        (_, "archived") => "archive",
        (_, "restored") => "archive-restore",
        (_, "merged" | "merge.undone") => "merge",
        (_, kind) if kind.starts_with("quote.") => "file-text",
        (_, kind) if kind.starts_with("conversation.") => "inbox",
        _ => "history",
    }
}
