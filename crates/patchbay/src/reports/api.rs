//! Reports over HTTP: the same numbers as on the pages.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    CampaignReport, Line, SenderHealth, Spend, SpendDay,
    campaign::{Funnel, Hour, Outcome, TemplateResult},
};
use crate::{
    app::App,
    auth::Caller,
    error::Result,
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
    },
};

#[derive(utoipa::OpenApi)]
#[openapi(
    paths(campaigns, campaign, senders, spend),
    components(schemas(
        CampaignLine,
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

/// A campaign in the list of reports.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CampaignLine {
    pub id: Uuid,
    pub name: String,
    pub status: String,
    pub launched_at: Option<DateTime<Utc>>,
    /// When the numbers were counted; null while they have not been.
    pub counted_at: Option<DateTime<Utc>>,
    pub funnel: Option<Funnel>,
    /// Of what was handed to the carrier, in millionths of the currency.
    pub cost_micros: Option<i64>,
}

impl From<Line> for CampaignLine {
    fn from(line: Line) -> Self {
        Self {
            funnel: line.counted.as_ref().map(|counted| counted.funnel(line.recipients)),
            cost_micros: line.counted.as_ref().map(super::campaign::Counted::cost_micros),
            id: line.id,
            name: line.name,
            status: line.status,
            launched_at: line.launched_at,
            counted_at: line.counted_at,
        }
    }
}

/// Launched campaigns, the latest first, with the numbers that are kept of each: of a minute ago while one runs, older the
/// longer it is over.
#[utoipa::path(get, path = "/api/reports/campaigns", tag = "Reports", params(PageQuery), responses((status = 200, body = Page<CampaignLine>)))]
pub(super) async fn campaigns(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<CampaignLine>>> {
    Ok(Json(super::campaigns(&app, &caller, &page).await?.map(CampaignLine::from)))
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
