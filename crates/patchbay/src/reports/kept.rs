//! Numbers that were counted and are kept while they are fresh enough for what counting them costs.

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::sql;
use crate::{db::TenantTx, error::Result};

/// Counting takes at most one part in so many of the time.
const SHARE: i32 = 30;
/// What is counted within this many milliseconds is counted whenever somebody looks.
const QUICK: i32 = 100;

/// The numbers about `subject`, with when they were counted: those kept, or new ones, which are kept then.
pub(super) async fn or_counted<T, F>(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    subject: &str,
    count: F,
) -> Result<(T, DateTime<Utc>)>
where
    T: Serialize + DeserializeOwned,
    F: AsyncFnOnce(&mut TenantTx) -> Result<T>,
{
    if let Some(kept) = sql::find_kept(tx, subject).await?
        && kept.took_ms >= QUICK
        && now - kept.counted_at < TimeDelta::milliseconds(i64::from(kept.took_ms)) * SHARE
        // Another version of the program may have kept something else.
        && let Ok(numbers) = serde_json::from_value(kept.data)
    {
        return Ok((numbers, kept.counted_at));
    }
    let begun = Instant::now();
    let numbers = count(tx).await?;
    let took = i32::try_from(begun.elapsed().as_millis()).unwrap_or(i32::MAX);
    sql::keep(tx, subject, &serde_json::to_value(&numbers)?, now, took).await?;
    Ok((numbers, now))
}
