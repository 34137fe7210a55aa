//! Campaigns over HTTP.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use patchbay_rules::message::Channel;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Campaign, Change, Filter, Look, LookAt, New, Pace, Preflight, Recipient, Status, Test, Totals, Verdict,
    recipients as people,
};
use crate::{
    app::App,
    auth::Caller,
    error::{Error, Problem, Result},
    messaging,
    web::{
        extract::{Json, Path, Query},
        paging::{Page, PageQuery},
        patch::Patch,
    },
};

/// A campaign.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Campaign)]
pub struct CampaignJson {
    pub id: Uuid,
    pub name: String,
    /// `sms`, `whatsapp` or `email`.
    #[schema(value_type = String, example = "sms")]
    pub channel: Channel,
    /// Null: every contact.
    pub segment_id: Option<Uuid>,
    /// Several take turns.
    pub template_ids: Vec<Uuid>,
    /// Null: the number of the conversation, else the default.
    pub sender_id: Option<Uuid>,
    pub status: Status,
    pub scheduled_at: Option<DateTime<Utc>>,
    /// `scheduled_at` is your clock, read on each recipient's own.
    pub in_recipient_zone: bool,
    pub launched_at: Option<DateTime<Utc>>,
    pub launched_by: Option<String>,
    pub paused_at: Option<DateTime<Utc>>,
    pub paused_by: Option<String>,
    /// A plain sentence.
    pub pause_reason: Option<String>,
    pub finished_at: Option<DateTime<Utc>>,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// In lists as they were counted last, and null until then.
    pub totals: Option<Totals>,
    /// What the latest preflight of the campaign as it is found.
    pub preflight: Option<Preflight>,
    pub preflight_at: Option<DateTime<Utc>>,
}

impl From<Campaign> for CampaignJson {
    fn from(campaign: Campaign) -> Self {
        Self {
            pause_reason: campaign.pause_sentence(),
            id: campaign.id,
            name: campaign.name,
            channel: campaign.channel,
            segment_id: campaign.segment_id,
            template_ids: campaign.template_ids,
            sender_id: campaign.sender_id,
            status: campaign.status,
            scheduled_at: campaign.scheduled_at,
            in_recipient_zone: campaign.in_recipient_zone,
            launched_at: campaign.launched_at,
            launched_by: campaign.launched_by,
            paused_at: campaign.paused_at,
            paused_by: campaign.paused_by,
            finished_at: campaign.finished_at,
            created_by: campaign.created_by,
            created_at: campaign.created_at,
            updated_at: campaign.updated_at,
            totals: campaign.totals,
            preflight: campaign.preflight,
            preflight_at: campaign.preflight_at,
        }
    }
}

/// A new campaign, a draft.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewCampaign {
    pub name: String,
    #[schema(value_type = Option<String>, example = "sms")]
    pub channel: Option<Channel>,
    pub segment_id: Option<Uuid>,
    #[serde(default)]
    pub template_ids: Vec<Uuid>,
    pub sender_id: Option<Uuid>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub in_recipient_zone: Option<bool>,
}

/// What changes; absent fields stay as they are.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct CampaignPatch {
    pub name: Option<String>,
    #[schema(value_type = Option<String>)]
    pub channel: Option<Channel>,
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub segment_id: Patch<Uuid>,
    pub template_ids: Option<Vec<Uuid>>,
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub sender_id: Patch<Uuid>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub scheduled_at: Patch<DateTime<Utc>>,
    pub in_recipient_zone: Option<bool>,
}

/// Which campaigns a list shows.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct ListQuery {
    #[param(value_type = Option<String>)]
    pub status: Option<Status>,
    /// Part of the name.
    pub q: Option<String>,
}

type Id = Path<Uuid>;
type Is = State<Arc<App>>;

/// Campaigns, newest first.
#[utoipa::path(get, path = "/api/campaigns", tag = "Campaigns", params(ListQuery, PageQuery), responses((status = 200, body = Page<CampaignJson>)))]
pub async fn list(
    State(app): Is,
    caller: Caller,
    Query(query): Query<ListQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<CampaignJson>>> {
    let search = query.q.map(|q| q.trim().to_owned()).filter(|q| !q.is_empty());
    let filter = Filter { status: query.status, search };
    Ok(Json(super::list(&app, &caller, &filter, &page).await?.map(CampaignJson::from)))
}

/// One campaign with its present totals, which always balance.
#[utoipa::path(get, path = "/api/campaigns/{id}", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, body = CampaignJson), (status = 404, body = Problem)))]
pub async fn get(State(app): Is, caller: Caller, Path(id): Id) -> Result<Json<CampaignJson>> {
    let campaign = super::get(&app, &caller, id).await?;
    answer(&app, &caller, campaign).await
}

async fn answer(app: &App, caller: &Caller, campaign: Campaign) -> Result<Json<CampaignJson>> {
    let totals = super::totals(app, caller, campaign.id).await?;
    Ok(Json(CampaignJson { totals: Some(totals), ..campaign.into() }))
}

/// Saves a draft.
#[utoipa::path(post, path = "/api/campaigns", tag = "Campaigns", request_body = NewCampaign, responses((status = 201, body = CampaignJson), (status = 422, body = Problem)))]
pub async fn create(
    State(app): Is,
    caller: Caller,
    Json(body): Json<NewCampaign>,
) -> Result<(StatusCode, Json<CampaignJson>)> {
    let input = New {
        name: body.name,
        channel: body.channel.unwrap_or(Channel::Sms),
        segment_id: body.segment_id,
        template_ids: body.template_ids,
        sender_id: body.sender_id,
        scheduled_at: body.scheduled_at,
        in_recipient_zone: body.in_recipient_zone.unwrap_or(false),
    };
    let campaign = super::create(&app, &caller, input).await?;
    Ok((StatusCode::CREATED, answer(&app, &caller, campaign).await?))
}

/// Changes a draft; of a campaign that was launched only the name.
#[utoipa::path(patch, path = "/api/campaigns/{id}", tag = "Campaigns", params(("id" = Uuid, Path)), request_body = CampaignPatch, responses((status = 200, body = CampaignJson), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn update(
    State(app): Is,
    caller: Caller,
    Path(id): Id,
    Json(body): Json<CampaignPatch>,
) -> Result<Json<CampaignJson>> {
    let change = Change {
        name: body.name,
        channel: body.channel,
        segment_id: option(body.segment_id),
        template_ids: body.template_ids,
        sender_id: option(body.sender_id),
        scheduled_at: option(body.scheduled_at),
        in_recipient_zone: body.in_recipient_zone,
    };
    let campaign = super::update(&app, &caller, id, change).await?;
    answer(&app, &caller, campaign).await
}

fn option<T>(patch: Patch<T>) -> Option<Option<T>> {
    match patch {
        Patch::Keep => None,
        Patch::Clear => Some(None),
        Patch::Set(value) => Some(Some(value)),
    }
}

/// Throws a draft away.
#[utoipa::path(delete, path = "/api/campaigns/{id}", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn delete(State(app): Is, caller: Caller, Path(id): Id) -> Result<StatusCode> {
    super::delete(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks every gate about everybody in the audience, and changes nothing: who would get it at once, who later, who
/// never and why, what it costs, when it would be finished.
#[utoipa::path(post, path = "/api/campaigns/{id}/preflight", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, body = Preflight), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn preflight(State(app): Is, caller: Caller, Path(id): Id) -> Result<Json<Preflight>> {
    Ok(Json(super::preflight(&app, &caller, id).await?))
}

/// Which verdicts a list shows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct VerdictQuery {
    /// `now`, `later` or `never`; `never` unless told.
    pub verdict: Option<String>,
    pub gate: Option<String>,
}

/// The contacts behind a number of the latest preflight.
#[utoipa::path(get, path = "/api/campaigns/{id}/preflight/contacts", tag = "Campaigns", params(("id" = Uuid, Path), VerdictQuery, PageQuery), responses((status = 200, body = Page<Verdict>), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn verdicts(
    State(app): Is,
    caller: Caller,
    Path(id): Id,
    Query(query): Query<VerdictQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Verdict>>> {
    let verdict = query.verdict.as_deref().unwrap_or("never");
    if !["now", "later", "never"].contains(&verdict) {
        return Err(Error::field("verdict", "Choose now, later or never."));
    }
    Ok(Json(super::verdicts(&app, &caller, id, verdict, query.gate.as_deref(), &page).await?))
}

/// For whom to look.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct LookRequest {
    /// Without one, a contact is made up of whom only the name is known.
    pub contact_id: Option<Uuid>,
}

/// Every text of a campaign as one contact would get it. Changes nothing.
#[utoipa::path(post, path = "/api/campaigns/{id}/preview", tag = "Campaigns", params(("id" = Uuid, Path)), request_body = LookRequest, responses((status = 200, body = Vec<Look>), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn preview(
    State(app): Is,
    caller: Caller,
    Path(id): Id,
    Json(body): Json<LookRequest>,
) -> Result<Json<Vec<Look>>> {
    Ok(Json(super::preview(&app, &caller, id, &LookAt { contact_id: body.contact_id }).await?))
}

/// Where a test goes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct TestRequest {
    /// A phone number, or an e-mail address.
    pub to: String,
    /// Whose name stands in it.
    pub contact_id: Option<Uuid>,
    /// One of the campaign's templates; all of them unless told.
    pub template_id: Option<Uuid>,
}

/// What was sent as a test.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TestAnswer {
    pub message_ids: Vec<Uuid>,
}

/// Sends the texts to oneself. They count for no limit of marketing and for no number of the campaign.
#[utoipa::path(post, path = "/api/campaigns/{id}/test", tag = "Campaigns", params(("id" = Uuid, Path)), request_body = TestRequest, responses((status = 202, body = TestAnswer), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn test(
    State(app): Is,
    caller: Caller,
    Path(id): Id,
    Json(body): Json<TestRequest>,
) -> Result<(StatusCode, Json<TestAnswer>)> {
    let test = Test { to: body.to, contact_id: body.contact_id, template_id: body.template_id };
    let sent = super::test_send(&app, &caller, id, &test).await?;
    let message_ids = sent.into_iter().map(|queued| queued.id).collect();
    Ok((StatusCode::ACCEPTED, Json(TestAnswer { message_ids })))
}

/// Approves a draft: who gets it and what it says is written down. It starts now, or at `scheduled_at`.
#[utoipa::path(post, path = "/api/campaigns/{id}/launch", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, body = CampaignJson), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn launch(State(app): Is, caller: Caller, Path(id): Id) -> Result<Json<CampaignJson>> {
    let campaign = super::launch(&app, &caller, id).await?;
    answer(&app, &caller, campaign).await
}

/// Makes a scheduled campaign a draft again.
#[utoipa::path(post, path = "/api/campaigns/{id}/unschedule", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, body = CampaignJson), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn unschedule(State(app): Is, caller: Caller, Path(id): Id) -> Result<Json<CampaignJson>> {
    let campaign = super::unschedule(&app, &caller, id).await?;
    answer(&app, &caller, campaign).await
}

/// Holds back everything that has not left, at once.
#[utoipa::path(post, path = "/api/campaigns/{id}/pause", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, body = CampaignJson), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn pause(State(app): Is, caller: Caller, Path(id): Id) -> Result<Json<CampaignJson>> {
    let campaign = super::pause(&app, &caller, id).await?;
    answer(&app, &caller, campaign).await
}

/// Goes on where it was paused.
#[utoipa::path(post, path = "/api/campaigns/{id}/resume", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, body = CampaignJson), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn resume(State(app): Is, caller: Caller, Path(id): Id) -> Result<Json<CampaignJson>> {
    let campaign = super::resume(&app, &caller, id).await?;
    answer(&app, &caller, campaign).await
}

/// Calls off everything that has not left, for good.
#[utoipa::path(post, path = "/api/campaigns/{id}/cancel", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, body = CampaignJson), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn cancel(State(app): Is, caller: Caller, Path(id): Id) -> Result<Json<CampaignJson>> {
    let campaign = super::cancel(&app, &caller, id).await?;
    answer(&app, &caller, campaign).await
}

/// How fast it goes, who waits and until when, and when it will have gone.
#[utoipa::path(get, path = "/api/campaigns/{id}/pace", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, body = Pace), (status = 404, body = Problem)))]
pub async fn pace(State(app): Is, caller: Caller, Path(id): Id) -> Result<Json<Pace>> {
    Ok(Json(super::pace(&app, &caller, id).await?))
}

/// Which recipients a list shows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
pub struct RecipientQuery {
    /// `queued`, `waiting`, `blocked`, `sending`, `sent`, `delivered`, `undelivered`, `failed`, `unknown` or `canceled`;
    /// `queued` unless told.
    #[param(value_type = Option<String>)]
    pub state: Option<people::State>,
    pub gate: Option<String>,
}

/// The people behind a number of the totals.
#[utoipa::path(get, path = "/api/campaigns/{id}/recipients", tag = "Campaigns", params(("id" = Uuid, Path), RecipientQuery, PageQuery), responses((status = 200, body = Page<Recipient>), (status = 404, body = Problem)))]
pub async fn recipients(
    State(app): Is,
    caller: Caller,
    Path(id): Id,
    Query(query): Query<RecipientQuery>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<Recipient>>> {
    let state = query.state.unwrap_or(people::State::Queued);
    Ok(Json(super::recipients(&app, &caller, id, state, query.gate.as_deref(), &page).await?))
}

/// The compliance file: who, why allowed (with the proof of consent), what was sent, what came back. CSV, streamed.
#[utoipa::path(get, path = "/api/campaigns/{id}/export", tag = "Campaigns", params(("id" = Uuid, Path)), responses((status = 200, content_type = "text/csv", body = String), (status = 404, body = Problem)))]
pub async fn export(State(app): Is, caller: Caller, Path(id): Id) -> Result<Response> {
    super::export(app, &caller, id).await
}

/// The people behind a number of the totals, all of them, as a file. CSV, streamed.
#[utoipa::path(get, path = "/api/campaigns/{id}/recipients/export", tag = "Campaigns", params(("id" = Uuid, Path), RecipientQuery), responses((status = 200, content_type = "text/csv", body = String), (status = 404, body = Problem)))]
pub async fn export_recipients(
    State(app): Is,
    caller: Caller,
    Path(id): Id,
    Query(query): Query<RecipientQuery>,
) -> Result<Response> {
    let state = query.state.unwrap_or(people::State::Queued);
    super::export::people(app, &caller, id, state, query.gate).await
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(
        list,
        get,
        create,
        update,
        delete,
        preflight,
        verdicts,
        preview,
        test,
        launch,
        unschedule,
        pause,
        resume,
        cancel,
        pace,
        recipients,
        export,
        export_recipients
    ),
    components(schemas(
        CampaignJson,
        NewCampaign,
        CampaignPatch,
        Status,
        Totals,
        Pace,
        Preflight,
        Verdict,
        LookRequest,
        Look,
        TestRequest,
        TestAnswer,
        Recipient,
        people::State,
        messaging::Gate
    ))
)]
pub struct Doc;
