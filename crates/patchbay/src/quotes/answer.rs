//! The lead's side: opening the page, saying yes or no. No login; the token is the right.

use chrono_tz::Tz;
use serde_json::json;
use uuid::Uuid;

use super::{Quote, Status, sql};
use crate::{
    app::App,
    audit,
    auth::{Actor, ActorKind},
    db::TenantTx,
    error::{Error, FieldErrors, Result},
};

/// What the lead says.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub accepted: bool,
    pub name: Option<String>,
    pub note: Option<String>,
    /// The edition that was on the screen; another one must be looked at first.
    pub edition: Option<String>,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Taken,
    /// Answered before, in this or the other way; nothing changed.
    AnsweredBefore,
    /// The business changed the quote while it was on the screen.
    Changed,
    /// Its last day is over.
    Expired,
}

/// A token as we make them: anything else cannot be one, and is not worth a query.
pub(super) fn is_token(token: &str) -> bool {
    (8..=64).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Opens the tenant that a token leads to. Held drafts are nobody's business yet.
pub(super) async fn open(app: &App, token: &str) -> Result<(TenantTx, Uuid)> {
    if !is_token(token) {
        return Err(Error::NotFound("quote"));
    }
    let mut conn = app.db.system_conn().await?;
    let (tenant, id) = sql::find_by_token(&mut conn, token).await?.ok_or(Error::NotFound("quote"))?;
    drop(conn);
    Ok((app.db.tenant(tenant).await?, id))
}

/// Notes that a person has the page on the screen. The page's script says so; a scanner that only fetches does not.
pub async fn note_viewed(app: &App, token: &str) -> Result<()> {
    let (mut tx, id) = open(app, token).await?;
    let quote = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    let zone = zone(&sql::find_business(&mut tx, &quote).await?);
    let now = app.now();
    if matches!(quote.status, Status::Draft | Status::Sent) && !quote.is_past(now, zone) {
        let turn = sql::Turn {
            status: Status::Viewed,
            sent_at: quote.sent_at,
            viewed_at: quote.viewed_at.or(Some(now)),
            answered_at: None,
            answered_by: None,
            answer_note: None,
        };
        sql::turn(&mut tx, id, &turn, quote.updated_at).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Takes an answer. Saying the same again is fine; taking an answer back is for the business to note.
///
/// # Errors
/// Not found for an unknown token; invalid fields for a name or note that is too long.
pub async fn answer(app: &App, token: &str, answer: &Answer) -> Result<Outcome> {
    let (name, note) = checked(answer)?;
    let (mut tx, id) = open(app, token).await?;
    let quote = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    let zone = zone(&sql::find_business(&mut tx, &quote).await?);
    let now = app.now();
    if quote.status.is_answered() {
        return Ok(Outcome::AnsweredBefore);
    }
    if quote.status == Status::Expired || quote.is_past(now, zone) {
        return Ok(Outcome::Expired);
    }
    if answer.edition.as_ref().is_some_and(|edition| *edition != quote.edition()) {
        return Ok(Outcome::Changed);
    }
    let status = if answer.accepted { Status::Accepted } else { Status::Rejected };
    let who = name.unwrap_or_else(|| quote.contact_label());
    let turn = sql::Turn {
        status,
        sent_at: quote.sent_at,
        viewed_at: quote.viewed_at.or(Some(now)),
        answered_at: Some(now),
        answered_by: Some(&who),
        answer_note: note.as_deref(),
    };
    sql::turn(&mut tx, id, &turn, now).await?;
    let actor = Actor { kind: ActorKind::Contact, id: Some(quote.contact_id), label: who.clone() };
    let changes = json!({ "status": [quote.status, status] });
    let entry = audit::Entry {
        action: "quote.answered",
        kind: audit::Kind::Quote,
        entity_id: Some(id.to_string()),
        changes: &changes,
    };
    audit::record(&mut tx, &actor, entry).await?;
    tx.commit().await?;
    Ok(Outcome::Taken)
}

fn checked(answer: &Answer) -> Result<(Option<String>, Option<String>)> {
    let mut errors = FieldErrors::new();
    let mut text = |value: &Option<String>, field: &'static str, longest: usize| {
        let value = value.as_deref().map(str::trim).filter(|value| !value.is_empty())?;
        if value.chars().count() > longest {
            errors.insert(field.into(), format!("At most {longest} characters fit here."));
        }
        Some(value.to_owned())
    };
    let (name, note) = (text(&answer.name, "name", 200), text(&answer.note, "note", 2_000));
    if errors.is_empty() { Ok((name, note)) } else { Err(Error::Invalid(errors)) }
}

pub(super) fn zone(business: &sql::Business) -> Tz {
    business.timezone.parse().unwrap_or(Tz::UTC)
}

/// The quote behind a token, with who makes it.
pub(super) async fn look(app: &App, token: &str) -> Result<(Quote, sql::Business)> {
    let (mut tx, id) = open(app, token).await?;
    let quote = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    let business = sql::find_business(&mut tx, &quote).await?;
    Ok((quote, business))
}
