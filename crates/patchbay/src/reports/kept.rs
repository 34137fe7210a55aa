//! Numbers that were counted and are kept while they are fresh enough for what counting them costs.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::sql;
use crate::{db::TenantTx, error::Result};

/// Counting takes at most one part in so many of the time, where nothing speaks for more or less.
pub(crate) const SHARE: i32 = 30;
/// What is counted within this many milliseconds is counted whenever somebody looks.
const QUICK: i32 = 100;

/// Numbers, and how they came about.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    pub(crate) numbers: T,
    pub(crate) counted_at: DateTime<Utc>,
    took_ms: i32,
}

impl<T> Kept<T> {
    /// Whether counting anew would take more than one part in `share` of the time.
    pub(crate) fn is_fresh(&self, now: DateTime<Utc>, share: i32) -> bool {
        self.took_ms >= QUICK && now - self.counted_at < self.rest(share)
    }

    /// How long to wait between two counts that take one part in `share` of the time.
    pub(crate) fn rest(&self, share: i32) -> TimeDelta {
        TimeDelta::milliseconds(i64::from(self.took_ms)) * share
    }
}

/// What is kept about `subject`. Another version of the program may have kept something else, which is nothing.
pub(crate) async fn find<T: DeserializeOwned>(tx: &mut TenantTx, subject: &str) -> Result<Option<Kept<T>>> {
    let kept = sql::find_kept(tx, subject).await?;
    Ok(kept.and_then(|kept| {
        let numbers = serde_json::from_value(kept.data).ok()?;
        Some(Kept { numbers, counted_at: kept.counted_at, took_ms: kept.took_ms })
    }))
}

/// Counts, and keeps the result.
pub(crate) async fn count<T, F>(tx: &mut TenantTx, now: DateTime<Utc>, subject: &str, count: F) -> Result<T>
where
    T: Serialize,
    F: AsyncFnOnce(&mut TenantTx) -> Result<T>,
{
    let begun = Instant::now();
    let numbers = count(tx).await?;
    let took = i32::try_from(begun.elapsed().as_millis()).unwrap_or(i32::MAX);
    sql::keep(tx, subject, &serde_json::to_value(&numbers)?, now, took).await?;
    Ok(numbers)
}

/// The numbers about `subject`, with when they were counted: those kept, or new ones, which are kept then. Counting takes
/// at most one part in `share` of the time.
pub(crate) async fn or_counted<T, F>(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    subject: &str,
    share: i32,
    count: F,
) -> Result<(T, DateTime<Utc>)>
where
    T: Serialize + DeserializeOwned,
    F: AsyncFnOnce(&mut TenantTx) -> Result<T>,
{
    match find(tx, subject).await? {
        Some(kept) if kept.is_fresh(now, share) => Ok((kept.numbers, kept.counted_at)),
        _ => Ok((self::count(tx, now, subject, count).await?, now)),
    }
}
