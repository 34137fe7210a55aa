//! Events that could not be handled: seen, explained in words, tried again by a person.
//!
//! Promises: nothing is dropped silently; trying again is recorded. Does not: handle events (the engine does, see
//! `workers`), or show what they carry beyond what they are about.

mod api;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;
mod words;

pub use api::Doc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    error::{Error, Result},
    web::{
        paging::{Page, PageQuery},
        routes::{Access, Routes},
    },
};

/// One event of the outbox.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: i64,
    pub event_type: String,
    pub payload: Value,
    pub attempt: i32,
    pub processed_at: Option<DateTime<Utc>>,
    pub parked_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    /// The contact it is about; empty when it is about none, or the contact has no name.
    pub contact_name: String,
}

/// A page of events, newest first: those that are parked, or all.
pub async fn list(app: &App, caller: &Caller, only_parked: bool, page: &PageQuery) -> Result<Page<Event>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (before, limit) = (page.after::<i64>()?, page.limit() + 1);
    let rows = if only_parked {
        sql::list_parked(&mut tx, before, limit).await?
    } else {
        sql::list(&mut tx, before, limit).await?
    };
    Ok(Page::cut(rows, page.limit(), |event| event.id))
}

/// The parked event with this id.
pub async fn get(app: &App, caller: &Caller, id: i64) -> Result<Event> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    sql::find_parked(&mut tx, id).await?.ok_or(Error::NotFound("parked event"))
}

/// Lets a parked event run again at once, with all its tries.
pub async fn retry(app: &App, caller: &Caller, id: i64) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let event_type = sql::unpark(&mut tx, id, app.now()).await?.ok_or(Error::NotFound("parked event"))?;
    let changes = json!({ "event_type": event_type });
    let entry = audit::Entry {
        action: "event.retried",
        entity_type: "event",
        entity_id: Some(id.to_string()),
        changes: &changes,
    };
    audit::record(&mut tx, &caller.actor, entry).await?;
    tx.commit().await
}

/// The same for all of them. Answers how many.
pub async fn retry_all(app: &App, caller: &Caller) -> Result<u64> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let count = sql::unpark_all(&mut tx, app.now()).await?;
    if count > 0 {
        let changes = json!({ "count": count });
        let entry = audit::Entry {
            action: "event.retried_all",
            entity_type: "event",
            entity_id: None,
            changes: &changes,
        };
        audit::record(&mut tx, &caller.actor, entry).await?;
    }
    tx.commit().await?;
    Ok(count)
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    let managed = Access::Api(Role::Admin);
    routes
        .get("/api/parked-events", managed, api::list)
        .post("/api/parked-events/retry", managed, api::retry_all)
        .get("/api/parked-events/{id}", managed, api::get)
        .post("/api/parked-events/{id}/retry", managed, api::retry)
        .get("/settings/events", Access::Page(Role::Admin), ui::page)
        .post("/settings/events/retry", Access::Page(Role::Admin), ui::retry_all)
        .post("/settings/events/{id}/retry", Access::Page(Role::Admin), ui::retry)
}
