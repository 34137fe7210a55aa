//! Segments as JSON.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Change, Context, Filter, Segment, people};
use crate::{
    app::App,
    auth::Caller,
    contacts::{Contact, ContactBody},
    error::{Problem, Result},
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
    },
};

/// A named group of contacts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Segment)]
pub struct SegmentJson {
    pub id: Uuid,
    pub name: String,
    /// Groups `all`, `any` and `not` around conditions.
    #[schema(value_type = Object, example = json!({"all": [{"field": "status", "op": "is", "value": "lead"}, {"not": {"field": "last_contacted_at", "op": "after", "value": "-30d"}}]}))]
    pub filter: Value,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl From<Segment> for SegmentJson {
    fn from(segment: Segment) -> Self {
        Self {
            id: segment.id,
            name: segment.name,
            filter: segment.filter.to_json(),
            created_by: segment.created_by,
            created_at: segment.created_at,
            updated_at: segment.updated_at,
        }
    }
}

/// A new segment.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewSegmentJson {
    #[serde(default)]
    pub name: String,
    #[schema(value_type = Object)]
    pub filter: Value,
}

/// What changes; absent fields stay as they are.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SegmentPatch {
    pub name: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Value>,
}

/// A filter that is not saved.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct FilterJson {
    #[schema(value_type = Object)]
    pub filter: Value,
}

/// How many a filter means, and the newest few of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SegmentCount {
    pub count: i64,
    /// Otherwise `count` is an estimate in round numbers, because counting would take long.
    pub exact: bool,
    pub sample: Vec<SampleJson>,
}

/// Somebody a filter means.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SampleJson {
    pub id: Uuid,
    pub name: String,
    pub phone: Option<String>,
    pub email: Option<String>,
}

impl From<Contact> for SampleJson {
    fn from(contact: Contact) -> Self {
        Self { id: contact.id, name: contact.display_name(), phone: contact.phone_e164, email: contact.email }
    }
}

/// Which segments a list shows.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct ListQuery {
    /// Part of the name.
    pub q: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// Segments by name.
#[utoipa::path(get, path = "/api/segments", tag = "segments", params(ListQuery), responses((status = 200, body = Page<SegmentJson>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<SegmentJson>>> {
    let search = query.q.as_deref().map(str::trim).filter(|q| !q.is_empty());
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    Ok(Json(super::list(&app, &caller, search, &page).await?.map(SegmentJson::from)))
}

/// One segment.
#[utoipa::path(get, path = "/api/segments/{id}", tag = "segments", params(("id" = Uuid, Path)), responses((status = 200, body = SegmentJson), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<SegmentJson>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Json(super::get(&mut tx, id).await?.into()))
}

/// Saves a segment. Mistakes in the filter are told with their path, such as `filter.all[1].op`.
#[utoipa::path(post, path = "/api/segments", tag = "segments", request_body = NewSegmentJson, responses((status = 201, body = SegmentJson), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<NewSegmentJson>,
) -> Result<(StatusCode, Json<SegmentJson>)> {
    let segment = super::create(&app, &caller, &body.name, &body.filter).await?;
    Ok((StatusCode::CREATED, Json(segment.into())))
}

/// Changes a segment. Campaigns that were launched keep their recipients.
#[utoipa::path(patch, path = "/api/segments/{id}", tag = "segments", params(("id" = Uuid, Path)), request_body = SegmentPatch, responses((status = 200, body = SegmentJson), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<SegmentPatch>,
) -> Result<Json<SegmentJson>> {
    let change = Change { name: body.name, filter: body.filter };
    Ok(Json(super::update(&app, &caller, id, change).await?.into()))
}

/// Deletes a segment. One that a campaign uses stays.
#[utoipa::path(delete, path = "/api/segments/{id}", tag = "segments", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn delete(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode> {
    super::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many a segment means now.
#[utoipa::path(get, path = "/api/segments/{id}/count", tag = "segments", params(("id" = Uuid, Path)), responses((status = 200, body = SegmentCount), (status = 404, body = Problem)))]
pub async fn count(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<SegmentCount>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let segment = super::get(&mut tx, id).await?;
    let context = Context::load(&mut tx, &app).await?;
    drop(tx);
    segment.filter.check(&context)?;
    counted(&app, &segment.filter, &context).await
}

/// The contacts that a segment means now, newest first.
#[utoipa::path(get, path = "/api/segments/{id}/contacts", tag = "segments", params(("id" = Uuid, Path), PageQuery), responses((status = 200, body = Page<ContactBody>), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn contacts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ContactBody>>> {
    let (segment, context) = people::of(&app, &caller, id).await?;
    let found = people::people(&app, &segment.filter, &context, page.after()?, page.limit()).await?;
    Ok(Json(Page::until(found.contacts, found.next).map(ContactBody::from)))
}

/// The contacts that a segment means now, all of them, as a file with the columns of the contacts' own. CSV, streamed.
#[utoipa::path(get, path = "/api/segments/{id}/export", tag = "segments", params(("id" = Uuid, Path)), responses((status = 200, content_type = "text/csv", body = String), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn export(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    people::export(app, &caller, id).await
}

/// How many a filter means that is not saved.
#[utoipa::path(post, path = "/api/segments/count", tag = "segments", request_body = FilterJson, responses((status = 200, body = SegmentCount), (status = 422, body = Problem)))]
pub async fn count_unsaved(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<FilterJson>,
) -> Result<Json<SegmentCount>> {
    let filter = Filter::parse(&body.filter)?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let context = Context::load(&mut tx, &app).await?;
    drop(tx);
    filter.check(&context)?;
    counted(&app, &filter, &context).await
}

async fn counted(app: &App, filter: &Filter, context: &Context) -> Result<Json<SegmentCount>> {
    let count = super::count(app, filter, context).await?;
    let ids = if count.count > 0 { super::newest(app, filter, context, 5).await? } else { Vec::new() };
    let mut tx = app.db.tenant(context.tenant).await?;
    let sample = crate::contacts::find_all(&mut tx, &ids).await?.into_iter().map(SampleJson::from).collect();
    Ok(Json(SegmentCount { count: count.count, exact: count.exact, sample }))
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, get, create, update, delete, count, count_unsaved, contacts, export),
    components(schemas(SegmentJson, NewSegmentJson, SegmentPatch, FilterJson, SegmentCount, SampleJson))
)]
pub struct Doc;
