use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use patchbay_rules::{message::Channel, template};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Filter, NewTemplate, Preview, PreviewProblem, Template, TemplateChange, placeholders, render::Look,
};
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Problem, Result},
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
        patch::Patch,
    },
};

/// A message template.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Template)]
pub struct TemplateJson {
    pub id: Uuid,
    /// What programs call it by; unique among the templates in use.
    #[schema(example = "quote_sms")]
    pub key: String,
    pub name: String,
    /// `sms`, `whatsapp` or `email`.
    #[schema(value_type = String, example = "sms")]
    pub channel: Channel,
    /// Of an e-mail.
    pub subject: Option<String>,
    /// Text with tokens such as `{{first_name}}` or `{{ first_name | default("there") }}`. Of an approved WhatsApp template it
    /// may be the approved text, with `{{1}}` where `content_variables` say what stands.
    pub content: String,
    /// The provider's name for an approved WhatsApp template.
    #[schema(example = "HX0f3d1c2b4a5968778695a4b3c2d1e0f9")]
    pub content_sid: Option<String>,
    /// Placeholder of the approved template -> text with tokens.
    #[schema(value_type = Option<Object>, example = json!({"1": "{{ first_name }}"}))]
    pub content_variables: Option<Value>,
    /// The tokens that the content uses.
    pub tokens: Vec<String>,
    pub archived_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<Template> for TemplateJson {
    fn from(template: Template) -> Self {
        Self {
            tokens: template::tokens(&template.text()),
            id: template.id,
            key: template.key,
            name: template.name,
            channel: template.channel,
            subject: template.subject,
            content: template.content,
            content_sid: template.content_sid,
            content_variables: template.content_variables,
            archived_at: template.archived_at,
            created_at: template.created_at,
            updated_at: template.updated_at,
        }
    }
}

/// A new template.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewTemplateJson {
    /// Made from the name when absent.
    pub key: Option<String>,
    /// Made from the key when absent.
    pub name: Option<String>,
    #[schema(value_type = Option<String>, example = "sms")]
    pub channel: Option<Channel>,
    pub subject: Option<String>,
    pub content: String,
    /// Of WhatsApp: the id of the approved template, `HX…`. Without one the text can only answer within 24 hours.
    pub content_sid: Option<String>,
    /// Of WhatsApp: what each placeholder of the approved template stands for; needed for every `{{1}}` in `content`.
    #[schema(value_type = Option<Object>)]
    pub content_variables: Option<Value>,
}

/// What changes; absent fields stay as they are.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct TemplatePatch {
    pub key: Option<String>,
    pub name: Option<String>,
    #[schema(value_type = Option<String>)]
    pub channel: Option<Channel>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub subject: Patch<String>,
    pub content: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub content_sid: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub content_variables: Patch<Value>,
}

/// For whom a template is looked at.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PreviewRequest {
    /// Without one, a contact is made up of whom only the name is known.
    pub contact_id: Option<Uuid>,
    /// The contact's newest quote when absent.
    pub quote_id: Option<Uuid>,
    /// Words to try instead of the stored ones.
    pub content: Option<String>,
    /// What stands for `{{1}}` and so on, instead of what is stored.
    #[schema(value_type = Option<Object>)]
    pub content_variables: Option<Value>,
    pub subject: Option<String>,
    #[schema(value_type = Option<String>)]
    pub channel: Option<Channel>,
}

/// Which templates a list shows.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct ListQuery {
    /// Part of the name, the key or the text.
    pub q: Option<String>,
    #[param(value_type = Option<String>)]
    pub channel: Option<Channel>,
    /// `true` lists those that were put away.
    pub archived: Option<bool>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// Templates, newest first.
#[utoipa::path(get, path = "/api/templates", tag = "templates", params(ListQuery), responses((status = 200, body = Page<TemplateJson>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<TemplateJson>>> {
    let filter = Filter {
        channel: query.channel,
        search: query.q.map(|q| q.trim().to_owned()).filter(|q| !q.is_empty()),
        archived: query.archived.unwrap_or(false),
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    Ok(Json(super::list(&app, &caller, &filter, &page).await?.map(TemplateJson::from)))
}

/// One template.
#[utoipa::path(get, path = "/api/templates/{id}", tag = "templates", params(("id" = Uuid, Path)), responses((status = 200, body = TemplateJson), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<TemplateJson>> {
    Ok(Json(super::get(&app, &caller, id).await?.into()))
}

/// Saves a template. Syntax errors and unknown tokens are refused, each with its line and column.
#[utoipa::path(post, path = "/api/templates", tag = "templates", request_body = NewTemplateJson, responses((status = 201, body = TemplateJson), (status = 422, body = Problem)))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<NewTemplateJson>,
) -> Result<(StatusCode, Json<TemplateJson>)> {
    let name = body.name.unwrap_or_else(|| body.key.clone().unwrap_or_default().replace('_', " "));
    let input = NewTemplate {
        key: body.key.unwrap_or_default(),
        name,
        channel: body.channel.unwrap_or(Channel::Sms),
        subject: body.subject,
        content: body.content,
        content_sid: body.content_sid,
        content_variables: body.content_variables,
    };
    Ok((StatusCode::CREATED, Json(super::create(&app, &caller, input).await?.into())))
}

/// Changes a template. Messages that were rendered keep their words.
#[utoipa::path(patch, path = "/api/templates/{id}", tag = "templates", params(("id" = Uuid, Path)), request_body = TemplatePatch, responses((status = 200, body = TemplateJson), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<TemplatePatch>,
) -> Result<Json<TemplateJson>> {
    let change = TemplateChange {
        key: body.key,
        name: body.name,
        channel: body.channel,
        subject: option(body.subject),
        content: body.content,
        content_sid: option(body.content_sid),
        content_variables: option(body.content_variables),
    };
    Ok(Json(super::update(&app, &caller, id, change).await?.into()))
}

/// Puts a template away. Quotes whose template was put away use the words every business starts with.
#[utoipa::path(delete, path = "/api/templates/{id}", tag = "templates", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub async fn archive(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    super::archive(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a template that was put away out again.
#[utoipa::path(post, path = "/api/templates/{id}/restore", tag = "templates", params(("id" = Uuid, Path)), responses((status = 200, body = TemplateJson), (status = 422, body = Problem)))]
pub async fn restore(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<TemplateJson>> {
    Ok(Json(super::restore(&app, &caller, id).await?.into()))
}

/// How a template looks for a contact; changes nothing.
#[utoipa::path(post, path = "/api/templates/{id}/preview", tag = "templates", params(("id" = Uuid, Path)), request_body = PreviewRequest, responses((status = 200, body = Preview), (status = 404, body = Problem)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<PreviewRequest>,
) -> Result<Json<Preview>> {
    let template = super::get(&app, &caller, id).await?;
    let content = body.content.clone().unwrap_or(template.content);
    let content =
        placeholders::fill(&content, body.content_variables.as_ref().or(template.content_variables.as_ref()));
    let subject = body.subject.clone().or(template.subject);
    look(&app, &caller, &body, body.channel.unwrap_or(template.channel), &content, subject.as_deref()).await
}

/// How words that are not saved look for a contact.
#[utoipa::path(post, path = "/api/templates/preview", tag = "templates", request_body = PreviewRequest, responses((status = 200, body = Preview), (status = 404, body = Problem)))]
pub async fn preview_text(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<PreviewRequest>,
) -> Result<Json<Preview>> {
    let content =
        body.content.as_deref().ok_or_else(|| Error::field("content", "Write the text to look at."))?;
    let content = placeholders::fill(content, body.content_variables.as_ref());
    look(&app, &caller, &body, body.channel.unwrap_or(Channel::Sms), &content, body.subject.as_deref()).await
}

async fn look(
    app: &App,
    caller: &Caller,
    body: &PreviewRequest,
    channel: Channel,
    content: &str,
    subject: Option<&str>,
) -> Result<Json<Preview>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let look = Look { channel, content, subject, contact_id: body.contact_id, quote_id: body.quote_id };
    Ok(Json(super::preview(&mut tx, app, &look, &caller.tenant.currency).await?))
}

fn option<T>(patch: Patch<T>) -> Option<Option<T>> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(value) => Some(Some(value)),
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, get, create, update, archive, restore, preview, preview_text),
    components(schemas(
        TemplateJson,
        NewTemplateJson,
        TemplatePatch,
        PreviewRequest,
        Preview,
        PreviewProblem
    ))
)]
pub struct Doc;
