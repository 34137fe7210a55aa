//! Message templates: the tenant's words, with tokens.
//!
//! Promises: what is saved can be rendered (syntax and names are checked, each mistake told with its place); a
//! value that is missing is never sent as a hole, it becomes the `problem` of the rendered message.
//! Does not: send anything, or decide whether a text may be sent.

mod api;
mod check;
mod choices;
mod context;
mod defaults;
mod press;
mod render;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;
mod words;

use chrono::{DateTime, Utc};
use patchbay_rules::message::Channel;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    db::TenantTx,
    error::{Error, FieldErrors, Result},
    web::{
        paging::{Page, PageQuery},
        routes::{Access, Routes},
    },
};

pub use api::Doc;
pub use choices::{Choice, approved, choices};
pub use defaults::{QUOTE_EMAIL, QUOTE_SMS, defaults};
pub use press::{Press, Reader, Words, readers};
#[cfg(test)]
pub use render::RenderedMessage;
pub use render::{Preview, PreviewProblem, Source, preview, render};

/// A tenant's template.
#[derive(Debug, Clone)]
pub struct Template {
    pub id: Uuid,
    pub key: String,
    pub name: String,
    pub channel: Channel,
    /// Of an e-mail; a template itself.
    pub subject: Option<String>,
    pub content: String,
    /// The provider's name for a WhatsApp template it has approved.
    pub content_sid: Option<String>,
    /// Placeholder of the approved template -> our template text.
    pub content_variables: Option<Value>,
    pub archived_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What a template is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTemplate {
    /// Made from the name when empty.
    pub key: String,
    pub name: String,
    pub channel: Channel,
    pub subject: Option<String>,
    pub content: String,
    pub content_sid: Option<String>,
    pub content_variables: Option<Value>,
}

/// What changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct TemplateChange {
    pub key: Option<String>,
    pub name: Option<String>,
    pub channel: Option<Channel>,
    pub subject: Option<Option<String>>,
    pub content: Option<String>,
    pub content_sid: Option<Option<String>>,
    pub content_variables: Option<Option<Value>>,
}

/// Which templates a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub channel: Option<Channel>,
    /// Part of the name, the key or the text.
    pub search: Option<String>,
    pub archived: bool,
}

/// A page of templates, newest first.
pub async fn list(app: &App, caller: &Caller, filter: &Filter, page: &PageQuery) -> Result<Page<Template>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list(&mut tx, filter, page.after()?, page.limit() + 1).await?;
    Ok(Page::cut(rows, page.limit(), |template| template.id))
}

/// One template, put away or not.
pub async fn get(app: &App, caller: &Caller, id: Uuid) -> Result<Template> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    sql::find(&mut tx, id).await?.ok_or(Error::NotFound("template"))
}

/// The templates with these ids, put away or not; what is not there is left out.
pub async fn find_all(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Template>> {
    sql::list_by_ids(tx, ids).await
}

/// Saves a new template.
pub async fn create(app: &App, caller: &Caller, mut input: NewTemplate) -> Result<Template> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    if input.key.trim().is_empty() {
        input.key = check::key_of(&input.name);
    }
    let known = sql::known_keys(&mut tx).await?;
    let input = check::checked(input, &known)?;
    let id = app.new_id();
    sql::lock_keys(&mut tx).await?;
    if let Some(other) = sql::find_by_key(&mut tx, &input.key).await? {
        return Err(key_taken(&other));
    }
    sql::insert(&mut tx, id, &input, app.now()).await?;
    let changes = json!({ "name": [null, input.name], "key": [null, input.key] });
    audit::changed(&mut tx, caller, "template.created", id, &changes).await?;
    let template = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("template"))?;
    tx.commit().await?;
    Ok(template)
}

/// Changes a template. Messages that were rendered keep their words.
pub async fn update(app: &App, caller: &Caller, id: Uuid, change: TemplateChange) -> Result<Template> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let known = sql::known_keys(&mut tx).await?;
    sql::lock_keys(&mut tx).await?;
    let before = sql::find(&mut tx, id)
        .await?
        .filter(|template| template.archived_at.is_none())
        .ok_or(Error::NotFound("template"))?;
    let input = NewTemplate {
        key: change.key.unwrap_or_else(|| before.key.clone()),
        name: change.name.unwrap_or_else(|| before.name.clone()),
        channel: change.channel.unwrap_or(before.channel),
        subject: change.subject.unwrap_or_else(|| before.subject.clone()),
        content: change.content.unwrap_or_else(|| before.content.clone()),
        content_sid: change.content_sid.unwrap_or_else(|| before.content_sid.clone()),
        content_variables: change.content_variables.unwrap_or_else(|| before.content_variables.clone()),
    };
    let input = check::checked(input, &known)?;
    if input.key != before.key {
        if defaults().iter().any(|default| default.key == before.key) {
            return Err(Error::field(
                "key",
                format!("{} is looked for by this name; it cannot be renamed.", before.key),
            ));
        }
        if let Some(other) = sql::find_by_key(&mut tx, &input.key).await? {
            return Err(key_taken(&other));
        }
    }
    sql::update(&mut tx, id, &input, app.now()).await?;
    let changes = json!({
        "name": [before.name, input.name],
        "key": [before.key, input.key],
        "channel": [before.channel, input.channel],
        "content": [before.content, input.content],
    });
    audit::changed(&mut tx, caller, "template.updated", id, &changes).await?;
    let template = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("template"))?;
    tx.commit().await?;
    Ok(template)
}

/// Puts a template away. One that the program looks for by its key falls back to the words it was born with.
pub async fn archive(app: &App, caller: &Caller, id: Uuid) -> Result<Template> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let template = sql::find(&mut tx, id)
        .await?
        .filter(|template| template.archived_at.is_none())
        .ok_or(Error::NotFound("template"))?;
    sql::set_archived(&mut tx, id, Some(app.now())).await?;
    let changes = json!({ "name": [template.name, null] });
    audit::changed(&mut tx, caller, "template.archived", id, &changes).await?;
    tx.commit().await?;
    Ok(template)
}

/// Takes a template that was put away out again.
pub async fn restore(app: &App, caller: &Caller, id: Uuid) -> Result<Template> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    sql::lock_keys(&mut tx).await?;
    let template = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("template"))?;
    if template.archived_at.is_some() {
        if let Some(other) = sql::find_by_key(&mut tx, &template.key).await? {
            return Err(key_taken(&other));
        }
        sql::set_archived(&mut tx, id, None).await?;
        let changes = json!({ "name": [null, template.name] });
        audit::changed(&mut tx, caller, "template.restored", id, &changes).await?;
    }
    let template = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("template"))?;
    tx.commit().await?;
    Ok(template)
}

fn key_taken(other: &Template) -> Error {
    Error::Invalid(FieldErrors::from([(
        "key".into(),
        format!("The template “{}” has this key already.", other.name),
    )]))
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/templates", Access::Api(Role::Viewer), api::list)
        .post("/api/templates", Access::Api(Role::Admin), api::create)
        .post("/api/templates/preview", Access::Api(Role::Viewer), api::preview_text)
        .get("/api/templates/{id}", Access::Api(Role::Viewer), api::get)
        .patch("/api/templates/{id}", Access::Api(Role::Admin), api::update)
        .delete("/api/templates/{id}", Access::Api(Role::Admin), api::archive)
        .post("/api/templates/{id}/restore", Access::Api(Role::Admin), api::restore)
        .post("/api/templates/{id}/preview", Access::Api(Role::Viewer), api::preview)
        .get("/templates", Access::Page(Role::Viewer), ui::list)
        .post("/templates", Access::Page(Role::Admin), ui::create)
        .get("/templates/new", Access::Page(Role::Admin), ui::new)
        .get("/templates/people", Access::Page(Role::Viewer), ui::people)
        .post("/templates/preview", Access::Page(Role::Viewer), ui::preview)
        .get("/templates/{id}", Access::Page(Role::Viewer), ui::edit)
        .post("/templates/{id}", Access::Page(Role::Admin), ui::save)
        .post("/templates/{id}/archive", Access::Page(Role::Admin), ui::archive)
        .post("/templates/{id}/restore", Access::Page(Role::Admin), ui::restore)
}
