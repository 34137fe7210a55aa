//! Handing a claimed batch to its provider, as many calls at a time as there are slots.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_rules::gates::{self, Consent};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::{Batch, Claimed, Lane, Settlement};
use crate::{app::App, crash, error::Result, messaging::sql::dispatch as sql, providers::holds::Holds};

/// Most messages checked once more together, right before they leave.
const CHUNK: usize = 64;
/// Of a tenant's slots, the share that is waited for before a chunk is checked: one by one, the checks would cost more
/// than the calls.
const SHARE: usize = 4;

/// Hands over `batch`. Every message ends as a settlement, or goes back to the queue untouched.
pub(super) async fn run(
    app: Arc<App>,
    batch: Batch,
    lane: Arc<Lane>,
    slots: Arc<Semaphore>,
    settlements: mpsc::Sender<Settlement>,
) {
    let calls = TaskTracker::new();
    let most = (app.config.send_concurrency / SHARE).clamp(1, CHUNK);
    let mut waiting = batch.claimed.into_iter();
    while waiting.len() > 0 {
        // Slots first, then the check: nothing waits between being checked and being called.
        let wanted = u32::try_from(waiting.len().min(most)).unwrap_or(1);
        // The semaphores are never closed. Lane before node: who waits for a lane holds nothing of the others'.
        let (Ok(mut own), Ok(mut shared)) = (
            lane.slots.clone().acquire_many_owned(wanted).await,
            slots.clone().acquire_many_owned(wanted).await,
        ) else {
            return;
        };
        let chunk: Vec<Claimed> = waiting.by_ref().take(most).collect();
        let taken = chunk.len();
        let expired = app.now() + app.call_time() > batch.lease_until;
        let checked = if expired { Ok((Vec::new(), chunk)) } else { check(&app, batch.tenant, chunk).await };
        let (go, back) = match checked {
            Ok(checked) => checked,
            // Not handed over, still ours: the lease runs out and reconciliation finds nothing sent.
            Err(error) => {
                tracing::warn!(%error, "claimed messages could not be checked before hand-over");
                lane.free(taken);
                continue;
            }
        };
        if !back.is_empty() {
            let count = back.len();
            if let Err(error) = put_back(&app, batch.tenant, back).await {
                tracing::warn!(%error, "recalled messages could not be put back");
            }
            lane.free(count);
        }
        let now = app.now();
        for mut claimed in go {
            claimed.outgoing.validity_seconds = validity(&claimed, now);
            let permit = (own.split(1), shared.split(1));
            let (settlements, lane, tenant) = (settlements.clone(), lane.clone(), batch.tenant);
            calls.spawn(async move {
                crash::point("hand_over.checked").await;
                let outcome = claimed.route.provider.send(&claimed.outgoing).await;
                crash::point("hand_over.called").await;
                drop(permit);
                let _ = settlements.send(Settlement { tenant, claimed, outcome }).await;
                lane.free(1);
            });
        }
    }
    calls.close();
    calls.wait().await;
}

/// The longest that a carrier is told to keep trying.
const LONGEST: TimeDelta = TimeDelta::hours(10);

/// The shortest that a carrier can be told to try; with less left it is too late.
const SHORTEST: TimeDelta = TimeDelta::seconds(1);

/// How long the carrier may keep trying, so that nothing arrives in quiet hours.
fn validity(claimed: &Claimed, now: DateTime<Utc>) -> Option<u32> {
    let left = claimed.open_until? - now;
    (left < LONGEST).then(|| u32::try_from(left.num_seconds().max(1)).unwrap_or(1))
}

/// Splits a chunk into what may leave and what must go back: a STOP, a pause, a carrier's no to the account or the sender,
/// the evening that came since the claim count.
async fn check(app: &App, tenant: Uuid, chunk: Vec<Claimed>) -> Result<(Vec<Claimed>, Vec<Claimed>)> {
    let now = app.now();
    let ids: Vec<Uuid> = chunk.iter().map(|claimed| claimed.id).collect();
    let attempts: Vec<i32> = chunk.iter().map(|claimed| claimed.attempt).collect();
    let mut tx = app.db.tenant(tenant).await?;
    let recalled: HashMap<Uuid, sql::RecalledRow> =
        sql::recalled(&mut tx, &ids, &attempts).await?.into_iter().map(|row| (row.id, row)).collect();
    let holds = Holds::load(&mut tx).await?;
    let is_held = |claimed: &Claimed| holds.on(&claimed.route, &claimed.outgoing.to).is_some();
    let may_leave = |claimed: &Claimed| match recalled.get(&claimed.id) {
        None => claimed.open_until.is_none_or(|closes| closes - now >= SHORTEST) && !is_held(claimed),
        Some(row) => {
            row.ours
                && !is_held(claimed)
                && (!row.opted_out || gates::policy(claimed.kind).needs_consent == Consent::None)
        }
    };
    Ok(chunk.into_iter().partition(may_leave))
}

/// Undoes a claim: the message waits again, the counters get back what was reserved, the gates decide anew.
async fn put_back(app: &App, tenant: Uuid, back: Vec<Claimed>) -> Result<()> {
    let ids: Vec<Uuid> = back.iter().map(|claimed| claimed.id).collect();
    let attempts: Vec<i32> = back.iter().map(|claimed| claimed.attempt).collect();
    let mut tx = app.db.tenant(tenant).await?;
    sql::unclaim(&mut tx, &ids, &attempts).await?;
    let refunds: Vec<_> = back.iter().map(Claimed::refund).collect();
    super::give_back(&mut tx, &refunds).await?;
    crash::point("put_back.written").await;
    tx.commit().await
}
