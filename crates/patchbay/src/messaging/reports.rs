//! Status reports: what providers say about messages after they took them.
//!
//! Reports come late, twice, out of order, and even before the answer to the call that they report on. Every one
//! becomes an event; the status is the fold over them by [`Status::advance`], which never goes down.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use patchbay_providers::{ErrorClass, Price, ProviderStatus, errors};
use patchbay_rules::message::{Channel, Status};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    outcome,
    sql::reports::{self as sql, Advances, Events, Prices, SettledRow},
};
use crate::{app::App, crash, db::TenantTx, error::Result};

/// One report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Ours, from the callback's URL; `None` when only the provider's id is known.
    pub message_id: Option<Uuid>,
    /// The attempt that it is about; a report about an earlier one changes nothing any more.
    pub attempt: Option<i32>,
    pub provider_message_id: String,
    pub status: ProviderStatus,
    pub code: Option<u32>,
    pub detail: Option<String>,
    /// What the carrier charged, once it says so.
    #[serde(default)]
    pub price: Option<Price>,
}

/// What a provider's word means for our ledger; `None` for words that say nothing about an outbound message.
fn meaning(status: ProviderStatus) -> Option<Status> {
    Some(match status {
        // Any of these proves that the provider has it.
        ProviderStatus::Accepted
        | ProviderStatus::Scheduled
        | ProviderStatus::Queued
        | ProviderStatus::Sending
        | ProviderStatus::Sent
        | ProviderStatus::PartiallyDelivered => Status::Sent,
        ProviderStatus::Delivered => Status::Delivered,
        ProviderStatus::Read => Status::Read,
        ProviderStatus::Undelivered => Status::Undelivered,
        ProviderStatus::Failed => Status::Failed,
        ProviderStatus::Canceled => Status::Canceled,
        ProviderStatus::Receiving | ProviderStatus::Received => return None,
    })
}

/// Applies reports about one tenant's messages, in the order given.
pub async fn apply(app: &App, tenant: Uuid, reports: Vec<Report>) -> Result<()> {
    let mut tx = app.db.tenant(tenant).await?;
    write(&mut tx, reports, app.now()).await?;
    crash::point("report.written").await;
    tx.commit().await
}

/// The same within a transaction.
pub(super) async fn write(tx: &mut TenantTx, mut reports: Vec<Report>, now: DateTime<Utc>) -> Result<()> {
    let unnamed: Vec<String> =
        reports.iter().filter(|r| r.message_id.is_none()).map(|r| r.provider_message_id.clone()).collect();
    if !unnamed.is_empty() {
        let known: HashMap<String, Uuid> =
            sql::find_by_provider_ids(tx, &unnamed).await?.into_iter().collect();
        for report in reports.iter_mut().filter(|report| report.message_id.is_none()) {
            report.message_id = known.get(&report.provider_message_id).copied();
        }
    }
    let mut ids: Vec<Uuid> = reports.iter().filter_map(|report| report.message_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let standing: HashMap<Uuid, sql::StandingRow> =
        sql::lock_standing(tx, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
    // A message that was given up and queued again, and now turns out to have been accepted, must not leave twice.
    // But a report about a try that was known to have failed when a person asked for another says nothing new.
    let queued: Vec<Uuid> =
        standing.values().filter(|row| row.status == "queued").map(|row| row.id).collect();
    let former: HashSet<(Uuid, String)> = if queued.is_empty() {
        HashSet::new()
    } else {
        sql::former_provider_ids(tx, &queued).await?.into_iter().collect()
    };
    let mut folds: HashMap<Uuid, Fold> = HashMap::new();
    let (mut events, mut prices) = (Events::default(), Prices::default());
    for report in &reports {
        // A message of somebody else's, or one that was erased: nothing to keep.
        let Some((id, row)) = report.message_id.and_then(|id| standing.get(&id).map(|row| (id, row))) else {
            continue;
        };
        events.ids.push(id);
        events.events.push(report.status.as_str().to_owned());
        events.codes.push(number(report.code));
        events.details.push(report.detail.clone());
        events.provider_ids.push(Some(report.provider_message_id.clone()));
        if let Some(price) = &report.price {
            prices.put(id, price);
        }
        if report.attempt.is_some_and(|attempt| attempt != row.attempt) {
            continue;
        }
        if row.status == "queued"
            && (row.attempt == 0
                || report.attempt.is_none()
                || former.contains(&(id, report.provider_message_id.clone())))
        {
            continue;
        }
        let Ok(status) = row.status.parse::<Status>() else { continue };
        let fold = folds.entry(id).or_insert_with(|| Fold { status, moved: None });
        if let Some(next) = meaning(report.status).and_then(|new| fold.status.advance(new)) {
            fold.status = next;
            fold.moved = Some(report);
        }
    }
    let mut advances = Advances::default();
    let mut settled = Vec::new();
    let mut found_late = (Vec::new(), Vec::new());
    for (id, fold) in &folds {
        let Some(report) = fold.moved else { continue };
        let row = &standing[id];
        advances.ids.push(*id);
        advances.statuses.push(fold.status.as_str().to_owned());
        advances.provider_ids.push(Some(report.provider_message_id.clone()));
        advances.codes.push(number(report.code));
        advances.details.push(report.code.map(|code| words(code, report.detail.as_deref())));
        if matches!(row.status.as_str(), "queued" | "unknown") {
            found_late.0.push(*id);
            found_late.1.push(report.provider_message_id.clone());
        }
        // The first news that it left; later ones change nothing for contact and quote.
        if matches!(row.status.as_str(), "queued" | "sending" | "unknown") {
            settled.push(SettledRow {
                id: *id,
                status: fold.status.as_str().to_owned(),
                contact_id: row.contact_id,
                quote_id: row.quote_id,
                kind: row.kind.clone(),
            });
        }
    }
    if !events.ids.is_empty() {
        sql::insert_events(tx, &events, now).await?;
    }
    if !found_late.0.is_empty() {
        sql::take_back_from_twins(tx, &found_late.0, &found_late.1, now).await?;
    }
    if !advances.ids.is_empty() {
        sql::advance(tx, &advances, now).await?;
    }
    outcome::follow_up(tx, &settled, now).await?;
    if !prices.ids.is_empty() {
        sql::settle_prices(tx, &prices).await?;
    }
    for report in reports.iter().filter(|report| {
        report.code.and_then(errors::explain).is_some_and(|entry| entry.class == ErrorClass::OptOut)
    }) {
        if let Some(row) = report.message_id.and_then(|id| standing.get(&id)) {
            let channel: Channel = row.channel.parse().unwrap_or(Channel::Sms);
            outcome::carrier_opt_out(tx, channel, &row.to_address, report.code, now).await?;
        }
    }
    Ok(())
}

/// A message while its reports are folded.
struct Fold<'a> {
    status: Status,
    /// The report that brought it where it is.
    moved: Option<&'a Report>,
}

fn number(code: Option<u32>) -> Option<i32> {
    code.and_then(|code| i32::try_from(code).ok())
}

/// A code in plain words.
fn words(code: u32, carrier: Option<&str>) -> String {
    errors::explain(code).map_or_else(
        || {
            carrier
                .filter(|text| !text.is_empty())
                .map_or_else(|| format!("The carrier reported code {code}."), str::to_owned)
        },
        |entry| entry.words.to_owned(),
    )
}
