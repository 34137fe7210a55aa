//! Whether this node lives, whether it can work, and how far behind the work is.
//!
//! Liveness asks nothing but the process. Readiness asks the database; being behind is reported, but does not make a
//! node unready, since taking it away would not help. Neither needs credentials nor tells anything about tenants.

mod api;
mod sql;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use axum::Router;
use serde::Serialize;

use crate::{
    app::App,
    error::{Error, Result},
    web::{
        pages,
        routes::{Access, Routes},
        security,
    },
};

pub use api::Doc;
pub(crate) use api::live;

/// How long a database may take to answer before it counts as gone.
const PATIENCE: Duration = Duration::from_secs(3);

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/health", Access::Public, live).get("/health/ready", Access::Public, api::ready).get(
        "/metrics",
        Access::Public,
        api::metrics,
    )
}

/// These routes alone, for an address of their own: a worker has no other.
pub fn router(app: &Arc<App>) -> Router {
    let (router, _) = Routes::new(app.clone()).with(routes).finish();
    let router =
        router.fallback(async || Error::NotFound("page")).method_not_allowed_fallback(pages::wrong_method);
    security::protect(app, router.with_state(app.clone()))
}

/// How far behind the workers are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Backlog {
    /// Seconds since the oldest message that could leave by now came due.
    pub dispatcher_lag_seconds: f64,
    /// Seconds since the oldest event that could be handled by now came due.
    pub outbox_lag_seconds: f64,
    /// Messages whose outcome the carrier has not told.
    pub unknown_messages: i64,
    /// Events that failed for good and wait for a person.
    pub parked_events: i64,
}

/// Measures the backlog of all tenants. A few index probes per tenant.
pub async fn backlog(app: &App) -> Result<Backlog> {
    let mut conn = app.db.system_conn().await?;
    sql::backlog(&mut conn, app.now()).await
}
