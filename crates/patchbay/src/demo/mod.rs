//! A business to look at: `patchbay demo`.
//!
//! Promises: everything is written in one transaction, once, however often and from however many nodes it is asked
//! for; all times are relative to now; every number is fiction (555-0100 to 555-0199, and the numbers that the
//! Australian authority keeps for drama), so that nobody can be texted by accident. Nothing is announced and no
//! message leaves because of it, but for the one that waits for its hour.
//! Does not: touch a tenant that exists.

mod business;
mod cast;
mod history;
mod hours;
mod outreach;
mod scenes;
mod script;
mod sql;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use uuid::{NoContext, Timestamp, Uuid};

use crate::{app::App, error::Result};

/// Whom the printed link signs in.
pub const OWNER: &str = "rosa@brightside.example";

/// Writes the demo's businesses unless they are there, and answers the owner's e-mail.
pub async fn seed(app: &App) -> Result<String> {
    let now = app.now();
    let mut tx = app.db.system().await?;
    if business::brightside(&mut tx, now).await? {
        business::harbour(&mut tx, now).await?;
        tx.commit().await?;
    }
    Ok(OWNER.to_owned())
}

/// An id as it would have been made at that instant: ids are ordered by time, and so are the lists that use them.
fn id_at(at: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, at.timestamp_subsec_nanos()))
}
