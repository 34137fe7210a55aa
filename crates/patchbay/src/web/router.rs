//! All routes of the program, and the layers around them.

use std::sync::Arc;

use axum::Router;

use super::routes::{Route, Routes};
use crate::{app::App, audit, contacts, dashboard, ingest, messaging, notifications, quotes, templates, tenants};

/// The whole web server, with the table of its routes.
pub fn build(app: Arc<App>) -> (Router, Vec<Route>) {
    let (router, table) = Routes::new(app.clone())
        .with(crate::auth::routes)
        .with(tenants::routes)
        .with(contacts::routes)
        .with(messaging::routes)
        .with(templates::routes)
        .with(quotes::routes)
        .with(ingest::routes)
        .with(notifications::routes)
        .with(dashboard::routes)
        .with(audit::routes)
        .finish();
    (router.with_state(app), table)
}
