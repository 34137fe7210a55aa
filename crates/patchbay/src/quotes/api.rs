use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Filter, Item, NewQuote, Quote, QuoteChange, Status};
use crate::{
    app::App,
    auth::Caller,
    error::{Problem, Result},
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
        patch::Patch,
    },
};

/// A quote.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Quote)]
pub struct QuoteJson {
    pub id: Uuid,
    /// Counts up per business.
    pub number: i32,
    pub contact_id: Uuid,
    /// Name of the contact, or its best address.
    pub contact_name: String,
    pub title: Option<String>,
    pub items: Vec<Item>,
    /// Whatever else the writer knows; templates read it.
    #[schema(value_type = Object)]
    pub data: Value,
    pub discount_cents: i64,
    /// 1,000 are 10 %.
    pub tax_basis_points: u32,
    pub tax_cents: i64,
    pub total_cents: i64,
    #[schema(example = "USD")]
    pub currency: String,
    pub terms: Option<String>,
    pub status: Status,
    /// Held back: nobody is told of it until this is set to `false`.
    pub draft: bool,
    /// The lead's own page.
    pub url: String,
    pub owner_id: Option<Uuid>,
    /// The last day on which it can be accepted, where the business is.
    pub expires_on: Option<NaiveDate>,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub viewed_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    /// The name the lead signed with, or the member who noted the answer.
    pub answered_by: Option<String>,
    pub answer_note: Option<String>,
}

impl QuoteJson {
    fn new(quote: Quote, app: &App) -> Self {
        Self {
            url: quote.url(app),
            contact_name: quote.contact_label(),
            id: quote.id,
            number: quote.number,
            contact_id: quote.contact_id,
            title: quote.title,
            items: quote.items,
            data: quote.data,
            discount_cents: quote.discount_cents,
            tax_basis_points: quote.tax_basis_points,
            tax_cents: quote.tax_cents,
            total_cents: quote.total_cents,
            currency: quote.currency,
            terms: quote.terms,
            status: quote.status,
            draft: quote.held,
            owner_id: quote.owner_id,
            expires_on: quote.expires_on,
            created_by: quote.created_by,
            created_at: quote.created_at,
            updated_at: quote.updated_at,
            sent_at: quote.sent_at,
            viewed_at: quote.viewed_at,
            answered_at: quote.answered_at,
            answered_by: quote.answered_by,
            answer_note: quote.answer_note,
        }
    }
}

/// A new quote: with `items`, or with `total_cents` and whatever `data` there is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewQuoteJson {
    #[serde(alias = "lead_id")]
    pub contact_id: Uuid,
    pub title: Option<String>,
    pub items: Option<Vec<Item>>,
    /// For templates; `items` and `terms` in here serve a quote that has none.
    #[schema(value_type = Option<Object>)]
    pub data: Option<Map<String, Value>>,
    /// With `items`: must be what they come to.
    pub total_cents: Option<i64>,
    /// The business's when absent.
    pub currency: Option<String>,
    pub tax_basis_points: Option<u32>,
    pub discount_cents: Option<i64>,
    pub terms: Option<String>,
    pub expires_on: Option<NaiveDate>,
    pub owner_id: Option<Uuid>,
    /// `true` holds it back until it is released.
    pub draft: Option<bool>,
}

/// What changes; absent fields stay as they are, `null` clears.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct QuotePatch {
    pub contact_id: Option<Uuid>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub title: Patch<String>,
    pub items: Option<Vec<Item>>,
    #[schema(value_type = Option<Object>)]
    pub data: Option<Map<String, Value>>,
    pub total_cents: Option<i64>,
    pub currency: Option<String>,
    pub tax_basis_points: Option<u32>,
    pub discount_cents: Option<i64>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub terms: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>)]
    pub expires_on: Patch<NaiveDate>,
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub owner_id: Patch<Uuid>,
    /// `false` lets a held draft go.
    pub draft: Option<bool>,
    /// `accepted` and `rejected` note an answer given elsewhere; `sent` says it went out another way, and opens what
    /// was closed.
    pub status: Option<Status>,
    pub answer_note: Option<String>,
}

/// Which quotes a list shows.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct ListQuery {
    pub status: Option<Status>,
    #[serde(alias = "lead_id")]
    pub contact_id: Option<Uuid>,
    /// Part of the contact's name, number or e-mail, of the title, or the quote's number.
    pub q: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// The message that was queued.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Resent {
    pub message_id: Uuid,
}

/// Quotes, newest first.
#[utoipa::path(get, path = "/api/quotes", tag = "quotes", params(ListQuery), responses((status = 200, body = Page<QuoteJson>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<QuoteJson>>> {
    let filter = Filter { status: query.status, contact_id: query.contact_id, search: query.q };
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    Ok(Json(super::list(&app, &caller, &filter, &page).await?.map(|quote| QuoteJson::new(quote, &app))))
}

/// What the list with the same parameters shows, all of it, as a file. CSV, streamed.
#[utoipa::path(get, path = "/api/quotes/export", tag = "quotes", params(ListQuery), responses((status = 200, content_type = "text/csv", body = String)))]
pub async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let filter = Filter { status: query.status, contact_id: query.contact_id, search: query.q };
    super::export::export(app, &caller, filter).await
}

/// One quote.
#[utoipa::path(get, path = "/api/quotes/{id}", tag = "quotes", params(("id" = Uuid, Path)), responses((status = 200, body = QuoteJson), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<QuoteJson>> {
    let quote = super::get(&app, &caller, id).await?;
    Ok(Json(QuoteJson::new(quote, &app)))
}

/// Saves a quote and, unless it is a draft, texts its link to the contact.
#[utoipa::path(post, path = "/api/quotes", tag = "quotes", request_body = NewQuoteJson, responses((status = 201, body = QuoteJson), (status = 422, body = Problem)))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<NewQuoteJson>,
) -> Result<(StatusCode, HeaderMap, Json<QuoteJson>)> {
    let input = NewQuote {
        contact_id: body.contact_id,
        title: body.title,
        items: body.items.unwrap_or_default(),
        data: body.data.unwrap_or_default(),
        total_cents: body.total_cents,
        currency: body.currency,
        tax_basis_points: body.tax_basis_points.unwrap_or(0),
        discount_cents: body.discount_cents.unwrap_or(0),
        terms: body.terms,
        expires_on: body.expires_on,
        owner_id: body.owner_id,
        draft: body.draft.unwrap_or(false),
    };
    let quote = super::create(&app, &caller, input).await?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::from_str(&format!("/api/quotes/{}", quote.id)) {
        headers.insert(header::LOCATION, location);
    }
    Ok((StatusCode::CREATED, headers, Json(QuoteJson::new(quote, &app))))
}

/// Changes a quote. What was answered or has expired is opened again first, with `status: "sent"`.
#[utoipa::path(patch, path = "/api/quotes/{id}", tag = "quotes", params(("id" = Uuid, Path)), request_body = QuotePatch, responses((status = 200, body = QuoteJson), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<QuotePatch>,
) -> Result<Json<QuoteJson>> {
    let change = QuoteChange {
        contact_id: body.contact_id,
        title: body.title,
        items: body.items,
        data: body.data,
        total_cents: body.total_cents,
        currency: body.currency,
        tax_basis_points: body.tax_basis_points,
        discount_cents: body.discount_cents,
        terms: body.terms,
        expires_on: body.expires_on,
        owner_id: body.owner_id,
        draft: body.draft,
        status: body.status,
        answer_note: body.answer_note,
    };
    let quote = super::update(&app, &caller, id, change).await?;
    Ok(Json(QuoteJson::new(quote, &app)))
}

/// Tells the contact of the quote again.
#[utoipa::path(post, path = "/api/quotes/{id}/resend", tag = "quotes", params(("id" = Uuid, Path)), responses((status = 202, body = Resent), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn resend(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, Json<Resent>)> {
    let queued = super::resend(&app, &caller, id).await?;
    Ok((StatusCode::ACCEPTED, Json(Resent { message_id: queued.id })))
}

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, export, get, create, update, resend),
    components(schemas(QuoteJson, NewQuoteJson, QuotePatch, Item, Status, Resent))
)]
pub struct Doc;
