//! Finding out what became of messages whose outcome was lost.
//!
//! A lost lease or a lost answer makes a message `unknown`. Its status callback usually settles it; when none came
//! in time, the provider's own list does: a message that is on it was accepted, one that is not on it (the list
//! read to its end) was not, and only then is it queued again. Never is anything sent on a guess: what nobody can tell
//! stays `unknown`, and after some days nobody is asked any more ([`PATIENCE`]).

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_providers::{Found, Lookup, ProviderError};
use patchbay_rules::{calendar, message::Channel};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{RESCUE, Refund};
use crate::{
    app::App,
    crash,
    db::TenantTx,
    error::{Error, Result},
    messaging::{
        outcome,
        reports::{self, Report},
        sql::{
            dispatch::{self as sql, UnknownRow},
            reports::Outcomes,
        },
    },
    providers,
};

const BATCH: i64 = 200;
/// What nobody knew for so long nobody will: a carrier tries for hours (Twilio ten at most, its Message resource says) and
/// reports within days. A mail server cannot be asked at all.
const PATIENCE: TimeDelta = TimeDelta::hours(72);
/// Clocks of provider and node may differ by this much.
const SKEW: TimeDelta = TimeDelta::minutes(2);

/// Rescues until `stop`.
pub(super) async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(RESCUE) => {}
        }
        if let Err(error) = once(&app).await {
            tracing::warn!(%error, "lost messages could not be looked after");
        }
    }
}

/// One look at every tenant that has lost leases or unknown outcomes due.
pub(super) async fn once(app: &App) -> Result<()> {
    let now = app.now();
    let tenants = {
        let mut conn = app.db.system_conn().await?;
        sql::troubled_tenants(&mut conn, now).await?
    };
    for tenant in tenants {
        of_tenant(app, tenant).await?;
    }
    Ok(())
}

/// What asking the carrier came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Reconciled {
    /// Messages of a process that stopped while it handed them over: their outcome is unknown from now on.
    pub lost: u64,
    /// Unknown outcomes that the carrier was asked about.
    pub asked: usize,
    /// Those that are known now: sent, failed, or queued again because the carrier never had them.
    pub settled: usize,
    /// Those that nobody will be asked about any more.
    pub given_up: u64,
}

/// The same for one tenant.
pub async fn of_tenant(app: &App, tenant: Uuid) -> Result<Reconciled> {
    let now = app.now();
    let mut tx = app.db.tenant(tenant).await?;
    let ask_at = now + TimeDelta::from_std(app.config.reconcile_after).map_err(Error::internal)?;
    let lost = sql::mark_lost_leases_unknown(&mut tx, now, ask_at).await?;
    // Who asks may die asking: then somebody else does, after a lease.
    let lease = TimeDelta::from_std(app.config.lease).map_err(Error::internal)?;
    let unknown = sql::claim_unknown(&mut tx, now, ask_at + lease, BATCH).await?;
    let senders = sql::senders(&mut tx, now.date_naive()).await?;
    let routes = providers::Routes::load(app, &mut tx, &senders).await?;
    tx.commit().await?;
    crash::point("reconcile.marked").await;
    if lost > 0 {
        tracing::warn!(count = lost, "messages of a node that stopped are being reconciled");
    }
    let asked: Vec<Uuid> = unknown.iter().map(|row| row.id).collect();
    let mut settled = 0;
    for row in unknown {
        match settle_one(app, tenant, &routes, row).await {
            Ok(known) => settled += usize::from(known),
            Err(error) => tracing::warn!(%error, "an unknown outcome could not be settled yet"),
        }
    }
    let mut tx = app.db.tenant(tenant).await?;
    let given_up = sql::give_up(&mut tx, &asked, now - PATIENCE, now).await?;
    tx.commit().await?;
    if given_up > 0 {
        tracing::warn!(count = given_up, "what became of some messages was never found out");
    }
    Ok(Reconciled { lost, asked: asked.len(), settled, given_up })
}

/// Whether the outcome is known now.
async fn settle_one(app: &App, tenant: Uuid, routes: &providers::Routes, row: UnknownRow) -> Result<bool> {
    let channel: Channel = row.channel.parse().map_err(Error::internal)?;
    let route =
        routes.choose(channel, row.sender_id, row.from_address.as_deref()).map_err(Error::internal)?;
    let since = row.claimed_at.unwrap_or(row.created_at) - SKEW;
    let lookup = Lookup { channel: providers::channel(channel), to: row.to_address.clone(), since };
    let answer = route.provider.find(&lookup).await;
    crash::point("reconcile.found").await;
    match answer {
        Ok(found) => decide(app, tenant, &row, found).await,
        // Nothing can be proven: the message stays unknown, visibly, and a person decides.
        Err(ProviderError::Unsupported(_)) => Ok(false),
        Err(error) => Err(Error::internal(error)),
    }
}

/// Acts on what the carrier's list says.
async fn decide(app: &App, tenant: Uuid, row: &UnknownRow, found: Vec<Found>) -> Result<bool> {
    let mut tx = app.db.tenant(tenant).await?;
    match pick(&mut tx, row, found).await? {
        Pick::Ours(found) => {
            let report = Report {
                message_id: Some(row.id),
                attempt: Some(row.attempt),
                provider_message_id: found.provider_message_id,
                status: found.status,
                code: found.error_code,
                detail: Some("Found in the carrier's own list.".to_owned()),
                price: found.price,
            };
            reports::write(&mut tx, vec![report], app.now()).await?;
        }
        Pick::Uncertain => return Ok(false),
        Pick::None => send_again(&mut tx, row, app.now()).await?,
    }
    crash::point("reconcile.written").await;
    tx.commit().await?;
    Ok(true)
}

/// What the carrier's list says about an unknown outcome.
enum Pick {
    Ours(Found),
    /// The carrier never had it.
    None,
    /// A twin is under way at this moment: what is on the list may be that one's. Asked again later.
    Uncertain,
}

/// The carrier's message that is ours: same text, same sender where known, and not yet in our ledger.
async fn pick(tx: &mut TenantTx, row: &UnknownRow, found: Vec<Found>) -> Result<Pick> {
    let same: Vec<Found> = found
        .into_iter()
        .filter(|found| {
            found.body == row.body
                && (found.from.is_none() || row.from_address.is_none() || found.from == row.from_address)
        })
        .collect();
    if same.is_empty() {
        return Ok(Pick::None);
    }
    let twin = sql::lock_twins(tx, row).await?;
    let ids: Vec<String> = same.iter().map(|found| found.provider_message_id.clone()).collect();
    let mut known: HashSet<String> = sql::known_provider_ids(tx, row.id, &ids).await?.into_iter().collect();
    if let Some(own) = &row.provider_message_id {
        known.remove(own);
    }
    // Oldest first, so that two lost twins take theirs in order.
    let ours = same.into_iter().rev().find(|found| !known.contains(&found.provider_message_id));
    Ok(match ours {
        None => Pick::None,
        Some(_) if twin => Pick::Uncertain,
        Some(ours) => Pick::Ours(ours),
    })
}

async fn send_again(tx: &mut TenantTx, row: &UnknownRow, now: DateTime<Utc>) -> Result<()> {
    let mut outcomes = Outcomes::default();
    outcomes.ids.push(row.id);
    outcomes.attempts.push(row.attempt);
    outcomes.statuses.push("queued".to_owned());
    outcomes.provider_ids.push(None);
    outcomes.froms.push(None);
    outcomes.codes.push(None);
    outcomes.details.push(Some("The carrier never received it; trying again.".to_owned()));
    outcomes.nexts.push(Some(now));
    let settled = outcome::write(tx, &outcomes, now).await?;
    if settled.iter().any(|settled| settled.status == "queued") {
        // The attempt was booked when it was claimed, perhaps yesterday.
        let timezone = sql::tenant(tx).await?.timezone.parse().unwrap_or(Tz::UTC);
        let day = calendar::local_day(row.claimed_at.unwrap_or(row.created_at), timezone);
        super::give_back(tx, &[Refund { sender_id: row.sender_id, cost_micros: row.cost_micros, day }])
            .await?;
    }
    Ok(())
}
