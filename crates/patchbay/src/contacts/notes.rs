//! Notes: what members tell each other about a contact. Never sent to anybody.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{clean, sql};
use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    db::TenantTx,
    error::{Error, Result},
};

/// A private note on a contact.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Note {
    pub id: Uuid,
    pub contact_id: Uuid,
    /// The member who wrote it; absent for programs.
    pub author_id: Option<Uuid>,
    pub author: String,
    pub body: String,
    pub created_at: DateTime<Utc>,
    pub edited_at: Option<DateTime<Utc>>,
}

/// The newest notes of a contact, before the note `before` if one is named.
pub async fn list(
    tx: &mut TenantTx,
    contact_id: Uuid,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Note>> {
    sql::list_notes(tx, contact_id, before, limit).await
}

/// Writes a note.
pub async fn create(app: &App, caller: &Caller, contact_id: Uuid, body: &str) -> Result<Note> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    super::get(&mut tx, contact_id).await?;
    let note = add(&mut tx, app, caller, contact_id, body).await?;
    tx.commit().await?;
    Ok(note)
}

/// Writes a note in the caller's transaction.
pub async fn add(
    tx: &mut TenantTx,
    app: &App,
    caller: &Caller,
    contact_id: Uuid,
    body: &str,
) -> Result<Note> {
    let note = Note {
        id: app.new_id(),
        contact_id,
        author_id: caller.actor.user_id(),
        author: caller.actor.label.clone(),
        body: checked_body(body)?,
        created_at: app.now(),
        edited_at: None,
    };
    sql::insert_note(tx, &note).await?;
    Ok(note)
}

/// Rewrites a note. Its author may, and who manages the business.
pub async fn update(app: &App, caller: &Caller, id: Uuid, body: &str) -> Result<Note> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let mut note = owned(&mut tx, caller, id).await?;
    note.body = checked_body(body)?;
    note.edited_at = Some(app.now());
    sql::update_note(&mut tx, &note).await?;
    tx.commit().await?;
    Ok(note)
}

/// Removes a note. Its author may, and who manages the business; the log keeps that it happened.
pub async fn delete(app: &App, caller: &Caller, id: Uuid) -> Result<Note> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let note = owned(&mut tx, caller, id).await?;
    sql::delete_note(&mut tx, id).await?;
    let changes = json!({"contact_id": note.contact_id});
    audit::changed(&mut tx, caller, "note.deleted", id, &changes).await?;
    tx.commit().await?;
    Ok(note)
}

async fn owned(tx: &mut TenantTx, caller: &Caller, id: Uuid) -> Result<Note> {
    let note = sql::find_note(tx, id).await?.ok_or(Error::NotFound("note"))?;
    let is_author = note.author_id.is_some() && note.author_id == caller.actor.user_id();
    if is_author || caller.role >= Role::Admin {
        Ok(note)
    } else {
        Err(Error::Forbidden("Only its author or an admin may change this note.".into()))
    }
}

fn checked_body(body: &str) -> Result<String> {
    match clean::text(body) {
        Some(body) if body.chars().count() <= 10_000 => Ok(body),
        Some(_) => Err(Error::field("body", "Use at most 10,000 characters.")),
        None => Err(Error::field("body", "Write something first.")),
    }
}
