//! Intake over HTTP.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::body::Fields;
use crate::{app::App, auth::Caller, error::Result, web::extract::Json};

#[derive(utoipa::OpenApi)]
#[openapi(paths(lead, quote), components(schemas(LeadForm, QuoteForm, Taken, TakenQuote)))]
pub struct Doc;

/// A lead, as JSON or as a form. Every other field goes to the contact's `properties`.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `Fields` takes")]
struct LeadForm {
    first_name: Option<String>,
    last_name: Option<String>,
    /// Both names in one.
    name: Option<String>,
    /// As people write it; local to the business's country unless it names another.
    phone: Option<String>,
    email: Option<String>,
    /// Where the lead comes from, such as the name of the form.
    source: Option<String>,
    /// Whether the person agreed to text messages. A refusal given before stands.
    consent_sms: Option<bool>,
    consent_whatsapp: Option<bool>,
    consent_email: Option<bool>,
    /// What the agreement rests on: `express`, `enquiry` or `purchase`. When absent, `express` with `consent_wording` and
    /// `enquiry` without: agreement that the law reads into an enquiry ends where the law says so.
    consent_basis: Option<String>,
    /// The words that were agreed to; kept as proof.
    consent_wording: Option<String>,
    /// The page the form was on; kept as proof.
    page_url: Option<String>,
    #[schema(value_type = Option<Object>)]
    properties: Option<serde_json::Value>,
}

/// A quote and whom it is for: `lead_id`, or the fields of a lead.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `Fields` takes")]
struct QuoteForm {
    lead_id: Option<Uuid>,
    phone: Option<String>,
    email: Option<String>,
    name: Option<String>,
    title: Option<String>,
    /// `[{name, quantity, unit_cents}]`.
    #[schema(value_type = Option<Vec<Object>>)]
    items: Option<serde_json::Value>,
    /// Whatever else is known; templates read it.
    #[schema(value_type = Option<Object>)]
    data: Option<serde_json::Value>,
    /// Needed without items.
    total_cents: Option<i64>,
    /// The business's when absent.
    currency: Option<String>,
    tax_basis_points: Option<u32>,
    discount_cents: Option<i64>,
    terms: Option<String>,
    expires_on: Option<chrono::NaiveDate>,
    /// `true` holds it back until somebody sends it.
    draft: Option<bool>,
}

/// The lead that was taken in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Taken {
    /// Of the contact; also the `lead_id` of its quotes.
    pub id: Uuid,
    /// `false` when the contact was known.
    pub created: bool,
}

/// The quote that was taken in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TakenQuote {
    pub id: Uuid,
    pub lead_id: Uuid,
    pub number: i32,
    /// The lead's own page.
    pub url: String,
}

/// Takes a lead in. The same lead twice is one contact.
#[utoipa::path(post, path = "/functions/v1/ingest-lead", tag = "Intake", request_body(content((LeadForm = "application/json"), (LeadForm = "application/x-www-form-urlencoded"))),
    responses((status = 201, body = Taken), (status = 200, body = Taken, description = "The contact was known"), (status = 413), (status = 422)))]
pub(super) async fn lead(
    State(app): State<Arc<App>>,
    caller: Caller,
    fields: Fields,
) -> Result<(StatusCode, Json<Taken>)> {
    let (contact, created) = super::take_lead(&app, &caller, fields).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Taken { id: contact.id, created })))
}

/// Takes a quote in. Unless it is a draft, the lead is told of it.
#[utoipa::path(post, path = "/functions/v1/ingest-quote", tag = "Intake", request_body(content((QuoteForm = "application/json"), (QuoteForm = "application/x-www-form-urlencoded"))),
    responses((status = 201, body = TakenQuote), (status = 413), (status = 422)))]
pub(super) async fn quote(
    State(app): State<Arc<App>>,
    caller: Caller,
    fields: Fields,
) -> Result<(StatusCode, Json<TakenQuote>)> {
    let quote = super::take_quote(&app, &caller, fields).await?;
    let url = quote.url(&app);
    Ok((
        StatusCode::CREATED,
        Json(TakenQuote { id: quote.id, lead_id: quote.contact_id, number: quote.number, url }),
    ))
}
