//! Kicking the workers over HTTP, by the names that a scheduler of an existing set-up calls every minute. Patchbay's own
//! workers need no scheduler; a call does at once what they would do soon, for the tenant of the key, and nothing twice.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;

use crate::{
    app::App,
    auth::{Caller, Role},
    error::Result,
    messaging::dispatcher::{self, Reconciled, receipts, receipts::Receipts},
    web::{
        extract::Json,
        routes::{Access, Routes},
    },
};

/// What became of the events that were due.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WorkedOff {
    pub processed: usize,
    /// Failed for now; tried again later.
    pub postponed: usize,
    /// Set aside for a person to look at.
    pub parked: usize,
    /// Whether the batch was full: call again for the rest.
    pub more: bool,
}

/// Works off the events that are due, 200 at most; the messages that follow leave through the gates as ever.
#[utoipa::path(post, path = "/functions/v1/outbox-worker", tag = "Intake", responses((status = 200, body = WorkedOff)))]
pub(super) async fn outbox_worker(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<WorkedOff>> {
    let round = super::work_off(&app, caller.tenant.id).await?;
    Ok(Json(WorkedOff {
        processed: round.processed,
        postponed: round.postponed,
        parked: round.parked,
        more: round.taken() >= super::AT_ONCE,
    }))
}

/// What the carrier knew.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Looked {
    /// Messages whose outcome was lost.
    pub unknown: Reconciled,
    /// Messages without a receipt or a price.
    pub receipts: Receipts,
}

/// Asks the carrier about messages whose outcome, receipt or price is not known.
#[utoipa::path(post, path = "/functions/v1/reconcile-status", tag = "Intake", responses((status = 200, body = Looked)))]
pub(super) async fn reconcile_status(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Looked>> {
    let unknown = dispatcher::reconcile(&app, caller.tenant.id).await?;
    let receipts = receipts::look_after(&app, caller.tenant.id).await?;
    Ok(Json(Looked { unknown, receipts }))
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.post("/functions/v1/outbox-worker", Access::Api(Role::Member), outbox_worker).post(
        "/functions/v1/reconcile-status",
        Access::Api(Role::Member),
        reconcile_status,
    )
}

/// This feature's part of the API's description.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(outbox_worker, reconcile_status),
    components(schemas(WorkedOff, Looked, Reconciled, Receipts))
)]
pub struct Doc;
