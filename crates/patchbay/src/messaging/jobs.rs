//! Events that the ledger handles: what webhooks brought, and the clock's own.

use chrono::TimeDelta;
use patchbay_outbox::Job;
use serde::Deserialize;

use super::{dispatcher, inbound, reports, sql};
use crate::{
    app::App,
    error::{Error, Result},
};

#[derive(Deserialize)]
struct StatusBatch {
    reports: Vec<reports::Report>,
}

/// `webhook.status`: status reports, many at a time.
pub async fn status(app: &App, job: &Job) -> Result<()> {
    let batch: StatusBatch = StatusBatch::deserialize(&job.payload)
        .map_err(|_| Error::BadRequest("The event does not hold status reports.".into()))?;
    reports::apply(app, job.tenant_id, batch.reports).await
}

/// `webhook.inbound`: one message that somebody sent us.
pub async fn inbound(app: &App, job: &Job) -> Result<()> {
    let message: inbound::Inbound = inbound::Inbound::deserialize(&job.payload)
        .map_err(|_| Error::BadRequest("The event does not hold a message.".into()))?;
    inbound::receive(app, job.tenant_id, message).await
}

/// Periodic: brings snoozed conversations back.
pub async fn wake_snoozed(app: &App) -> Result<()> {
    let mut conn = app.db.system_conn().await?;
    sql::conversations::wake_snoozed(&mut conn, app.now()).await
}

/// Periodic: asks for the lost receipts and the prices of one tenant, of each once an hour.
pub async fn look_after_receipts(app: &App) -> Result<()> {
    let now = app.now();
    let mut conn = app.db.system_conn().await?;
    let next = sql::reports::next_to_look_after(&mut conn, now - TimeDelta::hours(1), now).await?;
    drop(conn);
    if let Some(tenant) = next {
        dispatcher::receipts::look_after(app, tenant).await?;
    }
    Ok(())
}
