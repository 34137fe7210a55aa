//! Segments: named groups of contacts, meant by what is known of them rather than listed.
//!
//! Promises: a segment is stored as data with a version, checked before it is saved, and compiled to SQL with bound
//! values only; it means the same in a list, a count and a campaign. Does not: keep who was in it when. A campaign
//! takes its own snapshot.

mod api;
mod compile;
mod context;
mod count;
mod fields;
mod filter;
mod operand;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;
mod when;
mod words;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

pub use api::Doc;
pub use compile::push_where;
pub use context::Context;
pub use count::{count, newest};
pub use filter::Filter;
pub use ui::grouped;

use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    contacts::clean,
    db::TenantTx,
    error::{Error, FieldErrors, Result},
    web::{
        paging::{Page, PageQuery},
        routes::{Access, Routes},
    },
};

/// A named group of contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub id: Uuid,
    pub name: String,
    pub filter: Filter,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What is wanted of a segment; `None` leaves a part as it is.
#[derive(Debug, Default)]
pub struct Change {
    pub name: Option<String>,
    pub filter: Option<Value>,
}

/// The segment with this id.
pub async fn get(tx: &mut TenantTx, id: Uuid) -> Result<Segment> {
    sql::find(tx, id).await?.ok_or(Error::NotFound("segment"))
}

/// Segments by name, those with `search` in theirs.
pub async fn list(
    app: &App,
    caller: &Caller,
    search: Option<&str>,
    page: &PageQuery,
) -> Result<Page<Segment>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list(&mut tx, search, page.after()?, page.limit() + 1).await?;
    Ok(Page::cut(rows, page.limit(), |segment| (segment.name.to_lowercase(), segment.id)))
}

/// Saves a new segment.
pub async fn create(app: &App, caller: &Caller, name: &str, filter: &Value) -> Result<Segment> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let context = Context::load(&mut tx, app).await?;
    let (name, filter) = checked(name, filter, &context)?;
    let now = app.now();
    let segment = Segment {
        id: app.new_id(),
        name,
        filter,
        created_by: Some(caller.actor.label.clone()),
        created_at: now,
        updated_at: now,
    };
    if !sql::insert(&mut tx, &segment).await? {
        return Err(taken(&mut tx, &segment.name).await?);
    }
    let changes = json!({"name": [null, segment.name], "filter": [null, segment.filter]});
    audit::changed(&mut tx, caller, "segment.created", segment.id, &changes).await?;
    tx.commit().await?;
    Ok(segment)
}

/// Renames a segment or changes whom it means. Campaigns that were launched keep their recipients.
pub async fn update(app: &App, caller: &Caller, id: Uuid, change: Change) -> Result<Segment> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = get(&mut tx, id).await?;
    let context = Context::load(&mut tx, app).await?;
    let name = change.name.as_deref().unwrap_or(&before.name);
    let stored = before.filter.to_json();
    let (name, filter) = match &change.filter {
        Some(filter) => checked(name, filter, &context)?,
        // What only gets a new name is not asked whether its names still exist.
        None => (checked_name(name).map_err(|words| Error::field("name", words))?, before.filter.clone()),
    };
    let segment = Segment { name, filter, updated_at: app.now(), ..before.clone() };
    if sql::find_by_name(&mut tx, &segment.name).await?.is_some_and(|other| other != id) {
        return Err(taken(&mut tx, &segment.name).await?);
    }
    sql::update(&mut tx, &segment).await?;
    let changes = json!({"name": [before.name, segment.name], "filter": [stored, segment.filter]});
    audit::changed(&mut tx, caller, "segment.updated", id, &changes).await?;
    tx.commit().await?;
    Ok(segment)
}

/// Deletes a segment that no campaign is still to use. Campaigns that are over have kept what it was.
pub async fn delete(app: &App, caller: &Caller, id: Uuid) -> Result<()> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let segment = get(&mut tx, id).await?;
    let uses = sql::list_uses(&mut tx, &[id]).await?;
    let under_way: Vec<String> = uses
        .into_iter()
        .filter(|(_, used)| !matches!(used.status.as_str(), "finished" | "canceled"))
        .map(|(_, used)| format!("“{}”", used.name))
        .collect();
    if !under_way.is_empty() {
        let names = under_way.join(", ");
        return Err(Error::conflict(format!("This segment is the audience of {names}. Change that first.")));
    }
    sql::delete(&mut tx, id).await?;
    let changes = json!({"name": [segment.name, null], "filter": [segment.filter, null]});
    audit::changed(&mut tx, caller, "segment.deleted", id, &changes).await?;
    tx.commit().await
}

fn checked(name: &str, filter: &Value, context: &Context) -> Result<(String, Filter)> {
    let mut errors = FieldErrors::new();
    let name = checked_name(name).unwrap_or_else(|words| {
        errors.insert("name".into(), words);
        String::new()
    });
    let filter = Filter::parse(filter).and_then(|filter| filter.check(context).map(|()| filter));
    match filter {
        Ok(filter) if errors.is_empty() => Ok((name, filter)),
        Ok(_) => Err(Error::Invalid(errors)),
        Err(Error::Invalid(more)) => {
            errors.extend(more);
            Err(Error::Invalid(errors))
        }
        Err(other) => Err(other),
    }
}

fn checked_name(name: &str) -> Result<String, String> {
    clean::line_within(name, 120)?.ok_or_else(|| "Give the segment a name.".to_owned())
}

async fn taken(tx: &mut TenantTx, name: &str) -> Result<Error> {
    let existing_id = sql::find_by_name(tx, name).await?;
    Ok(Error::Conflict { detail: "A segment with this name exists.".into(), existing_id })
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/segments", Access::Api(Role::Viewer), api::list)
        .post("/api/segments", Access::Api(Role::Member), api::create)
        .post("/api/segments/count", Access::Api(Role::Viewer), api::count_unsaved)
        .get("/api/segments/{id}", Access::Api(Role::Viewer), api::get)
        .patch("/api/segments/{id}", Access::Api(Role::Member), api::update)
        .delete("/api/segments/{id}", Access::Api(Role::Member), api::delete)
        .get("/api/segments/{id}/count", Access::Api(Role::Viewer), api::count)
        .get("/segments", Access::Page(Role::Viewer), ui::list)
        .post("/segments", Access::Page(Role::Member), ui::create)
        .get("/segments/new", Access::Page(Role::Member), ui::new)
        .post("/segments/builder", Access::Page(Role::Viewer), ui::builder)
        .post("/segments/preview", Access::Page(Role::Viewer), ui::preview)
        .get("/segments/{id}", Access::Page(Role::Viewer), ui::edit)
        .post("/segments/{id}", Access::Page(Role::Member), ui::save)
        .post("/segments/{id}/delete", Access::Page(Role::Member), ui::delete)
        .get("/segments/{id}/size", Access::Page(Role::Viewer), ui::size)
}
