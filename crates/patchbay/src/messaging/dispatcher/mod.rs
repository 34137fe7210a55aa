//! The dispatcher: the one place that hands messages to providers.
//!
//! A round asks which tenants have due messages and takes them in turn, so that a million of one do not hold up
//! ten of another. Per tenant one short transaction claims a batch: locks it, gathers facts ([`facts`]), asks the
//! gates, reserves counters ([`meter`]), marks what passed `sending` under a lease ([`claim`]). After the commit the
//! messages are handed over concurrently ([`hand_over`]) and settled in batches ([`settle`]). Whoever dies in between
//! leaves a lease that runs out; [`reconcile`] then finds out what the provider knows before anything is sent again.

mod claim;
mod facts;
mod hand_over;
mod marketed;
mod meter;
pub mod receipts;
mod reconcile;
mod settle;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, NaiveDate, Utc};
use patchbay_providers::{Outcome, Outgoing};
use patchbay_rules::message::Kind;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

#[cfg(test)]
pub use super::sql::dispatch::facts_of;
pub use super::sql::dispatch::{DueRow, SenderRow};
pub use facts::{Facts, facts_for, recipient_facts, sender_facts};
pub use meter::Meter;
pub use reconcile::{Reconciled, of_tenant as reconcile};
pub(super) use settle::{give_back, pause};

use super::sql;
use crate::{app::App, error::Result, providers::Route};

/// Most messages claimed of one tenant before the next tenant has its turn.
const QUANTUM: usize = 500;
/// Calls under way at once over all tenants, in multiples of one tenant's.
const LANES: usize = 8;
/// Messages claimed and not settled yet, in multiples of the calls under way at once.
const AHEAD: usize = 8;
/// How often to look without being woken.
const POLL: Duration = Duration::from_millis(500);
/// How often to look for lost leases and unknown outcomes.
const RESCUE: Duration = Duration::from_secs(2);

/// A message that passed the gates and is ours to hand over.
pub(super) struct Claimed {
    pub id: Uuid,
    pub attempt: i32,
    pub kind: Kind,
    pub route: Arc<Route>,
    pub outgoing: Outgoing,
    pub sender_id: Option<Uuid>,
    pub cost_micros: i64,
    /// The tenant's local day whose counters it was booked on.
    pub day: NaiveDate,
    /// When it becomes too late at the recipient's, however long it waits here or with the carrier.
    pub open_until: Option<DateTime<Utc>>,
}

impl Claimed {
    /// What the counters get back when this does not leave.
    pub(super) fn refund(&self) -> Refund {
        Refund { sender_id: self.sender_id, cost_micros: self.cost_micros, day: self.day }
    }
}

/// What was reserved for a message that did not leave.
pub(super) struct Refund {
    pub sender_id: Option<Uuid>,
    pub cost_micros: i64,
    /// The day it was booked on, which may be yesterday by now.
    pub day: NaiveDate,
}

/// A claimed batch of one tenant.
pub(super) struct Batch {
    pub tenant: Uuid,
    pub claimed: Vec<Claimed>,
    /// Nothing is handed over when less than a call's time is left of the lease.
    pub lease_until: DateTime<Utc>,
}

/// What became of one hand-over.
pub(super) struct Settlement {
    pub tenant: Uuid,
    pub claimed: Claimed,
    pub outcome: Outcome,
}

/// One tenant's way out of this node: a carrier that hangs holds up its own tenant and nobody else.
pub(super) struct Lane {
    /// Calls of this tenant.
    slots: Arc<Semaphore>,
    /// Claimed and not settled yet.
    in_flight: AtomicUsize,
    /// Told whenever `in_flight` falls.
    freed: Arc<Notify>,
}

impl Lane {
    /// `count` messages are no longer under way.
    fn free(&self, count: usize) {
        self.in_flight.fetch_sub(count, Ordering::AcqRel);
        self.freed.notify_one();
    }
}

/// The dispatcher of one node.
pub struct Dispatcher {
    app: Arc<App>,
    slots: Arc<Semaphore>,
    lanes: Mutex<HashMap<Uuid, Arc<Lane>>>,
    freed: Arc<Notify>,
    settlements: mpsc::Sender<Settlement>,
    turn: AtomicUsize,
}

/// Dispatches until `stop`; finishes what was claimed by then.
pub async fn run(app: Arc<App>, wake: Arc<Notify>, stop: CancellationToken) {
    let (settlements, receiver) = mpsc::channel(4096);
    let dispatcher = Dispatcher::new(app.clone(), settlements);
    let settler = tokio::spawn(settle::run(app.clone(), receiver));
    let rescuer = tokio::spawn(reconcile::run(app, stop.clone()));
    let hand_overs = TaskTracker::new();
    while !stop.is_cancelled() {
        let claimed = match dispatcher.round(&hand_overs, &stop).await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(%error, "the ledger cannot be read");
                tokio::time::sleep(POLL).await;
                0
            }
        };
        if claimed == 0 {
            tokio::select! {
                () = stop.cancelled() => break,
                () = wake.notified() => {}
                () = dispatcher.freed.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
    hand_overs.close();
    hand_overs.wait().await;
    drop(dispatcher); // the last sender: lets the settler finish
    let _ = settler.await;
    let _ = rescuer.await;
}

impl Dispatcher {
    fn new(app: Arc<App>, settlements: mpsc::Sender<Settlement>) -> Self {
        let slots = Arc::new(Semaphore::new(LANES * app.config.send_concurrency));
        Self {
            app,
            slots,
            lanes: Mutex::default(),
            freed: Arc::default(),
            settlements,
            turn: AtomicUsize::new(0),
        }
    }

    fn lane(&self, tenant: Uuid) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().expect("lanes lock");
        let lane = || Lane {
            slots: Arc::new(Semaphore::new(self.app.config.send_concurrency)),
            in_flight: AtomicUsize::new(0),
            freed: self.freed.clone(),
        };
        lanes.entry(tenant).or_insert_with(|| Arc::new(lane())).clone()
    }

    /// One turn for every tenant with due messages; answers how many were claimed or held.
    async fn round(&self, hand_overs: &TaskTracker, stop: &CancellationToken) -> Result<usize> {
        let mut tenants = {
            let mut conn = self.app.db.system_conn().await?;
            sql::dispatch::due_tenants(&mut conn, self.app.now()).await?
        };
        if tenants.is_empty() {
            return Ok(0);
        }
        // Another tenant is first each time.
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % tenants.len();
        tenants.rotate_left(first);
        let mut decided = 0;
        for tenant in tenants {
            if stop.is_cancelled() {
                break;
            }
            // Claim ahead of the calls, but not so far that leases age in a queue; and not before half of the room
            // is free, since a claim costs the same for one message as for a hundred.
            let lane = self.lane(tenant);
            let space = AHEAD * self.app.config.send_concurrency;
            let room = space.saturating_sub(lane.in_flight.load(Ordering::Acquire));
            if room < space / 2 {
                continue;
            }
            let (count, batch) = claim::claim(&self.app, tenant, room.min(QUANTUM)).await?;
            decided += count;
            if let Some(batch) = batch {
                lane.in_flight.fetch_add(batch.claimed.len(), Ordering::AcqRel);
                hand_overs.spawn(hand_over::run(
                    self.app.clone(),
                    batch,
                    lane,
                    self.slots.clone(),
                    self.settlements.clone(),
                ));
            }
        }
        Ok(decided)
    }
}

/// One round and everything that follows from it, for tests that move the clock themselves.
#[cfg(test)]
pub async fn run_once(app: &Arc<App>) -> Result<usize> {
    let (settlements, receiver) = mpsc::channel(4096);
    let dispatcher = Dispatcher::new(app.clone(), settlements);
    let settler = tokio::spawn(settle::run(app.clone(), receiver));
    let hand_overs = TaskTracker::new();
    let claimed = dispatcher.round(&hand_overs, &CancellationToken::new()).await?;
    hand_overs.close();
    hand_overs.wait().await;
    drop(dispatcher);
    settler.await.expect("settler");
    reconcile::once(app).await?;
    Ok(claimed)
}
