//! Settling: outcomes of calls go into the ledger in batches, guarded by attempt.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{NaiveDate, TimeDelta};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Refund, Settlement};
use crate::{
    app::App,
    crash,
    db::TenantTx,
    error::Result,
    messaging::{outcome, sql::dispatch as sql},
};

const BATCH: usize = 500;
/// A batch that does not fill up is written after this long.
const LINGER: Duration = Duration::from_millis(10);

/// Settles until all senders are gone.
pub(super) async fn run(app: Arc<App>, mut settlements: mpsc::Receiver<Settlement>) {
    let mut batch = Vec::with_capacity(BATCH);
    while settlements.recv_many(&mut batch, BATCH).await > 0 {
        let linger = tokio::time::sleep(LINGER);
        tokio::pin!(linger);
        while batch.len() < BATCH {
            tokio::select! {
                more = settlements.recv() => match more {
                    Some(settlement) => batch.push(settlement),
                    None => break,
                },
                () = &mut linger => break,
            }
        }
        let mut by_tenant: HashMap<Uuid, Vec<Settlement>> = HashMap::new();
        for settlement in batch.drain(..) {
            by_tenant.entry(settlement.tenant).or_default().push(settlement);
        }
        for (tenant, settlements) in by_tenant {
            write(&app, tenant, settlements).await;
        }
    }
}

/// Tries until the database takes it, or the lease is as good as lost: then reconciliation settles it.
async fn write(app: &App, tenant: Uuid, settlements: Vec<Settlement>) {
    crash::point("settle.begun").await;
    for pause in [50, 200, 1000, 3000, 0] {
        match outcome::settle(app, tenant, &settlements).await {
            Ok(()) => {
                crash::point("settle.committed").await;
                return;
            }
            Err(error) => tracing::warn!(%error, count = settlements.len(), "outcomes could not be written"),
        }
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// Gives back what was reserved for messages that did not leave.
pub(in crate::messaging) async fn give_back(tx: &mut TenantTx, unsent: &[Refund]) -> Result<()> {
    let mut by_day: BTreeMap<NaiveDate, (i64, i64, HashMap<Uuid, i64>)> = BTreeMap::new();
    for refund in unsent {
        let (count, cost, senders) = by_day.entry(refund.day).or_default();
        *count -= 1;
        *cost -= refund.cost_micros.max(0);
        if let Some(sender) = refund.sender_id {
            *senders.entry(sender).or_default() -= 1;
        }
    }
    // One day, or two around midnight.
    for (day, (count, cost, by_sender)) in by_day {
        let (senders, sent): (Vec<_>, Vec<_>) = by_sender.into_iter().unzip();
        sql::count(tx, day, count, cost, &senders, &sent).await?;
    }
    Ok(())
}

/// The pause before the next attempt after the `attempt`-th was refused for now.
pub(in crate::messaging) fn pause(attempt: i32, told: Option<Duration>) -> TimeDelta {
    told.and_then(|told| TimeDelta::from_std(told).ok())
        .unwrap_or_else(|| patchbay_outbox::back_off(attempt, rand::random::<f64>()))
        .min(TimeDelta::hours(24))
}
