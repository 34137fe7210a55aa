//! All routes of the program, and the layers around them.

use std::sync::Arc;

use axum::Router;

use super::{
    assets, pages,
    routes::{Route, Routes},
    security,
};
use crate::{
    app::App, audit, auth::guard, contacts, dashboard, fence, health, imports, ingest, links, messaging,
    notifications, openapi, parked, privacy, providers, quotes, reports, segments, templates, tenants,
    workers,
};

/// The whole web server, with the table of its routes. Those of the short domain are not in it: they are reached by
/// its name alone.
pub fn build(app: Arc<App>) -> (Router, Vec<Route>) {
    let (router, table) = Routes::new(app.clone())
        .with(crate::auth::routes)
        .with(tenants::routes)
        .with(providers::routes)
        .with(contacts::routes)
        .with(segments::routes)
        .with(messaging::routes)
        .with(crate::campaigns::routes)
        .with(templates::routes)
        .with(quotes::routes)
        .with(imports::routes)
        .with(ingest::routes)
        .with(notifications::routes)
        .with(parked::routes)
        .with(workers::routes)
        .with(fence::routes)
        .with(privacy::routes)
        .with(dashboard::routes)
        .with(audit::routes)
        .with(crate::consent::routes)
        .with(crate::realtime::routes)
        .with(reports::routes)
        .with(links::routes)
        .with(health::routes)
        .with(openapi::routes)
        .with(assets::routes)
        .finish();
    for Route { method, path, access } in &table {
        tracing::trace!(%method, path, ?access, "route");
    }
    let router = router.fallback(guard::not_found).method_not_allowed_fallback(pages::wrong_method);
    (links::beside(&app, security::protect(&app, router.with_state(app.clone()))), table)
}
