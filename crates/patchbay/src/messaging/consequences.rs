//! What follows from a report beside its message's status: another attempt, an address in or out of reach, an account or
//! a sender held.
//!
//! A message that the carrier took and then failed is tried again where its code says so ([`again`]), and only if nothing
//! ever said that any of it arrived.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use patchbay_providers::{
    Hold,
    errors::{self, ErrorEntry},
};
use patchbay_rules::message::Status;
use uuid::Uuid;

use super::{
    again,
    reports::Report,
    sql::reports::{self as sql, StandingRow},
    unreachable::{self, Failure},
};
use crate::{
    db::TenantTx,
    error::Result,
    providers::holds::{self, Refused},
};

/// A message whose status a report changed.
pub(super) struct Moved<'a> {
    pub row: &'a StandingRow,
    pub status: Status,
    pub report: &'a Report,
}

impl Moved<'_> {
    /// What the table says of the failure.
    fn failure(&self) -> Option<&'static ErrorEntry> {
        let failed = matches!(self.status, Status::Undelivered | Status::Failed);
        self.report.code.filter(|_| failed).and_then(errors::explain)
    }
}

/// What follows from changed statuses: another attempt, an address in or out of reach, an account or a sender held.
pub(super) async fn draw(tx: &mut TenantTx, moved: &[Moved<'_>], now: DateTime<Utc>) -> Result<()> {
    let again = try_again(tx, moved, now).await?;
    let given_up = |moved: &&Moved<'_>| !again.contains(&moved.row.id);
    let failures = moved.iter().filter(given_up).filter_map(|moved| {
        let code = moved.failure()?.code;
        Some(Failure { channel: &moved.row.channel, address: &moved.row.to_address, code })
    });
    unreachable::note(tx, &failures.collect::<Vec<_>>(), now).await?;
    let (channels, addresses): (Vec<String>, Vec<String>) = moved
        .iter()
        .filter(|moved| moved.status.is_delivered())
        .map(|moved| (moved.row.channel.clone(), moved.row.to_address.clone()))
        .unzip();
    unreachable::clear(tx, &channels, &addresses).await?;
    let held: Vec<(Uuid, &str, &ErrorEntry)> = moved
        .iter()
        .filter_map(|moved| Some((moved.row.id, &*moved.row.to_address, moved.failure()?)))
        .filter(|(_, _, entry)| Hold::of(entry.class, entry.field).is_some())
        .collect();
    let refused = Refused::by_reports(tx, &held).await?;
    holds::hold(tx, refused, now).await
}

/// Queues again what may be tried again; answers which.
async fn try_again(tx: &mut TenantTx, moved: &[Moved<'_>], now: DateTime<Utc>) -> Result<HashSet<Uuid>> {
    let hopeful: Vec<(&Moved<'_>, &ErrorEntry)> = moved
        .iter()
        .filter_map(|moved| Some((moved, moved.failure()?)))
        .filter(|(_, entry)| again::next(entry.retry, 1, None, now).is_some())
        .collect();
    if hopeful.is_empty() {
        return Ok(HashSet::new());
    }
    let ids: Vec<Uuid> = hopeful.iter().map(|(moved, _)| moved.row.id).collect();
    let past: HashMap<Uuid, sql::PastRow> =
        sql::past(tx, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
    let mut retries = sql::Retries::default();
    for (moved, entry) in hopeful {
        let Some(past) = past.get(&moved.row.id).filter(|past| !past.arrived) else { continue };
        let tried = past.retried.iter().filter(|code| i64::from(entry.code) == i64::from(**code)).count();
        let tried = i32::try_from(tried).unwrap_or(i32::MAX).saturating_add(1);
        if let Some(next) = again::next(entry.retry, tried, None, now) {
            retries.ids.push(moved.row.id);
            retries.codes.push(i32::try_from(entry.code).ok());
            retries.details.push(entry.words.to_owned());
            retries.nexts.push(next);
        }
    }
    if !retries.ids.is_empty() {
        sql::queue_again(tx, &retries, now).await?;
    }
    Ok(retries.ids.into_iter().collect())
}
