//! Addresses out of reach: what carriers say of numbers that do not exist, cannot be texted, or do not answer for long.
//!
//! Promises: a failure counts once, when its message is given up; whatever proves the opposite (a receipt, a message from
//! there, a number typed anew) clears it. Marketing is not sent to such an address; whatever a person or a quote sends is
//! tried all the same, since phones come back. Does not: judge a code (see [`errors::strikes`]).

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_providers::errors;
use patchbay_rules::message::Channel;

use super::sql::unreachable as sql;
use crate::{
    db::TenantTx,
    error::{Error, Result},
};

/// A message that was given up: its channel, its recipient, and the carrier's code.
pub(super) struct Failure<'a> {
    pub channel: &'a str,
    pub address: &'a str,
    pub code: u32,
}

/// Counts failures, as far as their codes say something about the address.
pub(super) async fn note(tx: &mut TenantTx, failures: &[Failure<'_>], now: DateTime<Utc>) -> Result<()> {
    let mut strikes = sql::Strikes::default();
    for failure in failures {
        let Some(most) = errors::strikes(failure.code) else { continue };
        strikes.channels.push(failure.channel.to_owned());
        strikes.addresses.push(failure.address.to_owned());
        strikes.codes.push(i32::try_from(failure.code).map_err(Error::internal)?);
        strikes.most.push(i16::from(most));
    }
    if strikes.channels.is_empty() {
        return Ok(());
    }
    let within = TimeDelta::from_std(errors::STRIKES_WITHIN).map_err(Error::internal)?;
    sql::strike(tx, &strikes, now - within, now).await
}

/// Something came back from these addresses, by channel: they can be reached.
pub(super) async fn clear(tx: &mut TenantTx, channels: &[String], addresses: &[String]) -> Result<()> {
    if channels.is_empty() { Ok(()) } else { sql::clear(tx, channels, addresses).await }
}

/// An address out of reach.
#[derive(Debug, Clone)]
pub struct Unreachable {
    pub channel: Channel,
    pub since: DateTime<Utc>,
    /// A sentence.
    pub reason: String,
}

/// Of a contact's addresses those that are out of reach.
pub async fn of_contact(
    tx: &mut TenantTx,
    phone: Option<&str>,
    email: Option<&str>,
) -> Result<Vec<Unreachable>> {
    sql::find(tx, phone, email)
        .await?
        .into_iter()
        .map(|row| {
            let channel = row.channel.parse().map_err(Error::internal)?;
            Ok(Unreachable { channel, since: row.since, reason: reason(row.code) })
        })
        .collect()
}

/// Why an address is out of reach, in plain words.
pub fn reason(code: i32) -> String {
    let entry = u32::try_from(code).ok().and_then(errors::explain);
    entry.map_or_else(|| format!("The carrier reported code {code}."), |entry| entry.words.to_owned())
}
