//! The tables of the dashboard as files.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::money;

use super::{Fate, QuoteSum};
use crate::{app::App, auth::Caller, error::Result, web::csv::short};

/// Messages of each day by what became of them.
pub(super) async fn days(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let rows = super::numbers(&app, &caller).await?.days.into_iter().map(|day| {
        let counts = Fate::ALL.map(|fate| day.count(fate.statuses()).to_string());
        [day.date.to_string()].into_iter().chain(counts).collect()
    });
    let head: Vec<&str> = ["day"].into_iter().chain(Fate::ALL.map(Fate::as_str)).collect();
    Ok(short(&caller, "messages", &head, rows))
}

/// Quotes by state and currency.
pub(super) async fn quotes(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let rows = super::numbers(&app, &caller).await?.quotes.into_iter().map(|sum: QuoteSum| {
        let total = money::format(sum.total_cents, &sum.currency);
        vec![sum.status, sum.count.to_string(), total, sum.total_cents.to_string(), sum.currency]
    });
    Ok(short(&caller, "quotes", &["status", "quotes", "total", "total_cents", "currency"], rows))
}

/// New leads by source.
pub(super) async fn sources(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let sources = super::numbers(&app, &caller).await?.sources.into_iter();
    let rows = sources.map(|(source, count)| vec![source.unwrap_or_default(), count.to_string()]);
    Ok(short(&caller, "sources", &["source", "leads"], rows))
}
