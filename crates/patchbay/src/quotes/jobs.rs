//! What follows from a quote: its announcement, its traces in the thread and on the board, its expiry.

use chrono::SecondsFormat;
use patchbay_outbox::Job;
use serde_json::json;
use uuid::Uuid;

use super::{Quote, announce, sql};
use crate::{
    app::App,
    consent, contacts,
    error::{Error, Result},
};

/// Handles `quote.created`, which any writer's insert or a released draft brings about: queues the message. The
/// ledger's dedupe key makes it one message, however often this runs.
pub async fn quote_created(app: &App, job: &Job) -> Result<()> {
    let Some(id) = quote_id(job) else { return Ok(()) };
    let mut tx = app.db.tenant(job.tenant_id).await?;
    // Locked, so that an edit under way is part of what is announced.
    let Some(quote) = sql::lock(&mut tx, id).await? else { return Ok(()) };
    // A row that comes with its answer, or with the time it was sent, tells of something that happened elsewhere.
    if quote.held || !quote.status.is_open() || quote.sent_at.is_some() {
        return Ok(());
    }
    let sender = sql::released_by(&mut tx, id).await?;
    announce::announce(&mut tx, app, &quote, format!("quote:{id}"), sender).await?;
    contacts::advance_stage(&mut tx, app, quote.contact_id, contacts::Advance::Named("Quoted")).await?;
    tell(&mut tx, app, &quote, "quote.created", &at(quote.created_at)).await?;
    tx.commit().await
}

/// Handles `quote.send`, by which a program asks for what an insert brings about by itself: a draft that is still being
/// written is let go, and one that was announced is not announced again.
pub async fn quote_send(app: &App, job: &Job) -> Result<()> {
    let id = quote_id(job).ok_or_else(|| {
        Error::BadRequest("The event names no quote. Its payload needs {\"quote_id\": \"…\"}.".into())
    })?;
    let mut tx = app.db.tenant(job.tenant_id).await?;
    let quote = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    if !quote.held {
        drop(tx);
        return quote_created(app, job).await;
    }
    sql::release(&mut tx, id, app.now()).await?;
    tx.commit().await
}

/// Handles `quote.viewed`, `quote.accepted`, `quote.rejected` and `quote.expired`: the thread tells of it, and a won lead
/// moves on the board. Whoever accepts has bought something, which extends an implied agreement.
pub async fn quote_changed(app: &App, job: &Job) -> Result<()> {
    let Some(id) = quote_id(job) else { return Ok(()) };
    let mut tx = app.db.tenant(job.tenant_id).await?;
    let Some(quote) = sql::find(&mut tx, id).await? else { return Ok(()) };
    let when = match job.event_type.as_str() {
        "quote.viewed" => quote.viewed_at,
        "quote.accepted" | "quote.rejected" => quote.answered_at,
        _ => None,
    };
    tell(&mut tx, app, &quote, &job.event_type, &at(when.unwrap_or(quote.updated_at))).await?;
    if job.event_type == "quote.accepted" && quote.status == super::Status::Accepted {
        contacts::advance_stage(&mut tx, app, quote.contact_id, contacts::Advance::Won).await?;
        if let Some(contact) = contacts::find(&mut tx, quote.contact_id).await? {
            let at = when.unwrap_or(quote.updated_at);
            consent::bought(&mut tx, &contact, at, &json!({ "quote_id": id, "number": quote.number }))
                .await?;
        }
    }
    tx.commit().await
}

/// Periodic: closes the quotes whose last day is over where their tenant lives. Answers how many.
pub async fn expire(app: &App) -> Result<u64> {
    let now = app.now();
    // The day begins first in Kiribati, 14 hours before UTC.
    let latest = (now + chrono::TimeDelta::hours(14)).date_naive();
    let mut conn = app.db.system_conn().await?;
    let tenants = sql::list_expiring(&mut conn, latest).await?;
    drop(conn);
    let mut expired = 0;
    for tenant in tenants {
        let mut tx = app.db.tenant(tenant).await?;
        expired += sql::expire(&mut tx, now).await?;
        tx.commit().await?;
    }
    Ok(expired)
}

async fn tell(tx: &mut crate::db::TenantTx, _app: &App, quote: &Quote, kind: &str, at: &str) -> Result<()> {
    if sql::is_told(tx, quote, kind, at).await? {
        return Ok(());
    }
    let data = json!({
        "quote_id": quote.id,
        "number": quote.number,
        "total_cents": quote.total_cents,
        "currency": quote.currency,
        "note": quote.answer_note,
        "at": at,
    });
    let who = match kind {
        "quote.created" => quote.created_by.clone(),
        "quote.accepted" | "quote.rejected" => quote.answered_by.clone(),
        "quote.viewed" => Some(quote.contact_label()),
        _ => None,
    };
    contacts::activity(tx, quote.contact_id, kind, &data, who.as_deref()).await
}

fn at(instant: chrono::DateTime<chrono::Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn quote_id(job: &Job) -> Option<Uuid> {
    job.payload["quote_id"].as_str().and_then(|id| Uuid::parse_str(id).ok())
}
