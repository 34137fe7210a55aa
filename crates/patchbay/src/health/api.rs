use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use subtle::ConstantTimeEq;

use super::{Backlog, PATIENCE, backlog};
use crate::{app::App, error::Error, telemetry};

/// The process answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Live {
    status: &'static str,
    version: &'static str,
}

/// The process can work, or why not.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Ready {
    /// `ready` or `unavailable`.
    status: &'static str,
    /// Whether the database answers.
    database: bool,
    #[serde(flatten)]
    backlog: Option<Backlog>,
}

/// Whether the process lives.
#[utoipa::path(get, path = "/health", tag = "Health", security(()), responses((status = 200, body = Live)))]
pub async fn live() -> Json<Live> {
    Json(Live { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether it can work: asks the database, and tells how far behind the work is.
#[utoipa::path(
    get, path = "/health/ready", tag = "Health", security(()),
    responses((status = 200, body = Ready), (status = 503, description = "The database does not answer", body = Ready))
)]
pub async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<Ready>) {
    match tokio::time::timeout(PATIENCE, backlog(&app)).await {
        Ok(Ok(backlog)) => {
            (StatusCode::OK, Json(Ready { status: "ready", database: true, backlog: Some(backlog) }))
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(Ready { status: "unavailable", database: false, backlog: None }),
            )
        }
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(Ready { status: "unavailable", database: false, backlog: None }),
        ),
    }
}

/// The numbers, in Prometheus's text format.
#[utoipa::path(
    get, path = "/metrics", tag = "Health", security((), ("key" = [])),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 401))
)]
pub async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Some(token) = &app.config.metrics_token
        && !presents(&headers, token)
    {
        return Error::Unauthorised.into_response();
    }
    if let Ok(Ok(backlog)) = tokio::time::timeout(PATIENCE, backlog(&app)).await {
        metrics::gauge!("patchbay_dispatcher_lag_seconds").set(backlog.dispatcher_lag_seconds);
        metrics::gauge!("patchbay_outbox_lag_seconds").set(backlog.outbox_lag_seconds);
        // Counted only as far as a person would care, hence gauges.
        metrics::gauge!("patchbay_unknown_messages").set(backlog.unknown_messages as f64);
        metrics::gauge!("patchbay_parked_events").set(backlog.parked_events as f64);
        metrics::gauge!("patchbay_database_up").set(1.0);
    } else {
        metrics::gauge!("patchbay_database_up").set(0.0);
    }
    let (open, idle) = app.db.connections();
    metrics::gauge!("patchbay_database_connections", "state" => "busy").set(f64::from(open) - idle as f64);
    metrics::gauge!("patchbay_database_connections", "state" => "idle").set(idle as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], telemetry::render())
        .into_response()
}

fn presents(headers: &HeaderMap, token: &str) -> bool {
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(token.as_bytes())))
}

#[derive(utoipa::OpenApi)]
#[openapi(paths(live, ready, metrics), components(schemas(Live, Ready, Backlog)))]
pub struct Doc;
