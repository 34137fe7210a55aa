//! Slows down who tries tokens: after a handful of misses from one address, answers come at a trickle. In memory and
//! per node: tokens have 60 bits and more, this is about noise, not about secrecy.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    error::{Error, Result},
    web::client::Client,
};

/// Misses that are nobody's business: a cut-off link, a typing error, a preview.
const FREE: u32 = 20;
/// After that, one more per this time.
const PAUSE: TimeDelta = TimeDelta::seconds(6);
/// Addresses remembered; beyond, those that have been quiet longest are forgotten.
const MOST: usize = 20_000;

/// The misses of each address, as the instant at which all would be forgiven.
#[derive(Default)]
pub(crate) struct Guesses(Mutex<HashMap<String, DateTime<Utc>>>);

impl Guesses {
    /// Refuses an address that has missed too often.
    pub(crate) fn check(&self, client: &Client, now: DateTime<Utc>) -> Result<()> {
        let Some(address) = address(client) else { return Ok(()) };
        let misses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(forgiven_at) = misses.get(&address) else { return Ok(()) };
        let patience = PAUSE * i32::try_from(FREE).unwrap_or(i32::MAX);
        let wait = *forgiven_at - now - patience;
        if wait < TimeDelta::zero() {
            return Ok(());
        }
        Err(Error::RateLimited { limit: FREE, retry_after: wait.to_std().unwrap_or(Duration::from_secs(1)) })
    }

    /// Remembers a miss.
    pub(crate) fn note_miss(&self, client: &Client, now: DateTime<Utc>) {
        let Some(address) = address(client) else { return };
        let mut misses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if misses.len() >= MOST {
            misses.retain(|_, forgiven_at| *forgiven_at > now);
        }
        if misses.len() >= MOST {
            misses.clear();
        }
        let forgiven_at = misses.entry(address).or_insert(now);
        *forgiven_at = (*forgiven_at).max(now) + PAUSE;
    }
}

/// An IPv6 network counts as one: its owner has all of it.
fn address(client: &Client) -> Option<String> {
    let text = client.ip.as_deref()?;
    Some(match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => text.to_owned(),
    })
}
