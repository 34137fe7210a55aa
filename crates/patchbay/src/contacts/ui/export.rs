//! The list as a file.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    app::App,
    auth::Caller,
    contacts::{
        export,
        filter::{self, FilterQuery, href},
    },
    error::Result,
    web::extract::Query,
};

/// `GET /contacts/export`: what the list with the same parameters shows, all of it, as CSV.
pub(super) async fn csv(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<FilterQuery>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let words = filter::vocabulary(&mut tx).await?;
    drop(tx);
    let filter = query.resolve(&words, caller.actor.user_id())?;
    let day = app.now().with_timezone(&caller.tenant.timezone).format("%Y-%m-%d");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"contacts-{day}.csv\"")),
    ];
    let told = json!(href("", &query.pairs()).trim_start_matches('?'));
    let rows = export::csv(app, &caller, filter, told).await?;
    Ok((headers, Body::from_stream(rows)).into_response())
}
