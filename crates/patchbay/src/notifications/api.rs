use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use patchbay_rules::message::Channel;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{NewRule, Rule, RuleChange};
use crate::{
    app::App,
    auth::Caller,
    error::{Problem, Result},
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
    },
};

/// Who is told of what, which way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NotificationRule)]
pub struct RuleJson {
    pub id: Uuid,
    /// `lead.created`, `message.received`, `quote.viewed`, `quote.accepted`, `quote.rejected` or `quote.expired`.
    #[schema(example = "lead.created")]
    pub event_type: String,
    #[schema(value_type = String, example = "sms")]
    pub channel: Channel,
    /// A phone number or an e-mail address.
    pub target: String,
    /// From the business's own number rather than the shared account's.
    pub use_business_number: bool,
    pub active: bool,
    pub created_at: DateTime<Utc>,
}

impl From<Rule> for RuleJson {
    fn from(rule: Rule) -> Self {
        let Rule { id, event_type, channel, target, use_business_number, active, created_at } = rule;
        Self { id, event_type, channel, target, use_business_number, active, created_at }
    }
}

/// A new rule.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NewNotificationRule)]
pub struct NewRuleJson {
    pub event_type: String,
    #[schema(value_type = String, example = "sms")]
    pub channel: Channel,
    /// Numbers may be written the national way.
    pub target: String,
    pub use_business_number: Option<bool>,
    pub active: Option<bool>,
}

/// What changes; absent fields stay as they are.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = NotificationRulePatch)]
pub struct RulePatch {
    pub event_type: Option<String>,
    #[schema(value_type = Option<String>)]
    pub channel: Option<Channel>,
    pub target: Option<String>,
    pub use_business_number: Option<bool>,
    pub active: Option<bool>,
}

/// Rules, newest first.
#[utoipa::path(get, path = "/api/notification-rules", tag = "notifications", params(PageQuery), responses((status = 200, body = Page<RuleJson>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<RuleJson>>> {
    Ok(Json(super::list(&app, &caller, &page).await?.map(RuleJson::from)))
}

/// One rule.
#[utoipa::path(get, path = "/api/notification-rules/{id}", tag = "notifications", params(("id" = Uuid, Path)), responses((status = 200, body = RuleJson), (status = 404, body = Problem)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<RuleJson>> {
    Ok(Json(super::get(&app, &caller, id).await?.into()))
}

/// Saves a rule.
#[utoipa::path(post, path = "/api/notification-rules", tag = "notifications", request_body = NewRuleJson, responses((status = 201, body = RuleJson), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<NewRuleJson>,
) -> Result<(StatusCode, Json<RuleJson>)> {
    let input = NewRule {
        event_type: body.event_type,
        channel: body.channel,
        target: body.target,
        use_business_number: body.use_business_number.unwrap_or(true),
        active: body.active.unwrap_or(true),
    };
    Ok((StatusCode::CREATED, Json(super::create(&app, &caller, input).await?.into())))
}

/// Changes a rule.
#[utoipa::path(patch, path = "/api/notification-rules/{id}", tag = "notifications", params(("id" = Uuid, Path)), request_body = RulePatch, responses((status = 200, body = RuleJson), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<RulePatch>,
) -> Result<Json<RuleJson>> {
    let RulePatch { event_type, channel, target, use_business_number, active } = body;
    let change = RuleChange { event_type, channel, target, use_business_number, active };
    Ok(Json(super::update(&app, &caller, id, change).await?.into()))
}

/// Removes a rule.
#[utoipa::path(delete, path = "/api/notification-rules/{id}", tag = "notifications", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub async fn delete(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode> {
    super::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, get, create, update, delete), components(schemas(RuleJson, NewRuleJson, RulePatch)))]
pub struct Doc;
