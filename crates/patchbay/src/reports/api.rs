//! Reports over HTTP: the same numbers as on the pages.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use uuid::Uuid;

use super::{
    CampaignReport, SenderHealth, Spend, SpendDay,
    campaign::{Funnel, Hour, Outcome, TemplateResult},
};
use crate::{
    app::App,
    auth::Caller,
    error::Result,
    web::extract::{Json, Path},
};

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(campaign, senders, spend),
    components(schemas(
        CampaignReport,
        Funnel,
        Outcome,
        Hour,
        TemplateResult,
        SenderHealth,
        Senders,
        Spend,
        SpendDay
    ))
)]
pub struct Doc;

/// All senders.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SendersHealth)]
pub struct Senders {
    pub data: Vec<SenderHealth>,
}

/// What came of a campaign.
#[utoipa::path(get, path = "/api/reports/campaigns/{id}", tag = "Reports", params(("id" = Uuid, Path)), responses((status = 200, body = CampaignReport), (status = 404)))]
pub(super) async fn campaign(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<CampaignReport>> {
    Ok(Json(super::report(&app, &caller, id).await?))
}

/// How each sender fared in 30 days, and what it may send today.
#[utoipa::path(get, path = "/api/reports/senders", tag = "Reports", responses((status = 200, body = Senders)))]
pub(super) async fn senders(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Senders>> {
    Ok(Json(Senders { data: super::senders(&app, &caller).await? }))
}

/// Spending of 31 days, of today and of this month, against the caps.
#[utoipa::path(get, path = "/api/reports/spend", tag = "Reports", responses((status = 200, body = Spend)))]
pub(super) async fn spend(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Spend>> {
    Ok(Json(super::spend(&app, &caller).await?))
}
