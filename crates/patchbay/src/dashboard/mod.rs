//! The dashboard: what happened lately and what waits, each number with the list behind it.
//!
//! Promises: every sum is taken over a window of time with an index that carries what is summed, so that it stays
//! quick at millions of rows; what takes longer all the same is kept for seconds ([`kept`]); totals of messages balance.
//! Does not: reach further back than its windows.

mod csv;
pub(crate) mod days;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;

pub(crate) use ui::grouped;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Caller, Role},
    db::TenantTx,
    error::Result,
    reports::kept,
    web::routes::{Access, Routes},
};

/// Days of messages, today included.
pub const MESSAGE_DAYS: i64 = 7;
/// Counting them takes at most one part in so many of the time.
const WEEK_SHARE: i32 = 100;
/// Days of new leads.
pub const LEAD_DAYS: i64 = 30;
/// Days of quotes.
pub const QUOTE_DAYS: i64 = 90;

/// Everything the page tells.
#[derive(Debug)]
pub struct Numbers {
    /// Conversations with a message today; counted up to [`sql::MOST`].
    pub conversations_today: i64,
    /// Conversations in which a person waits for an answer; counted up to [`sql::MOST`].
    pub waiting: i64,
    /// Since when the one that waits longest does.
    pub waiting_since: Option<DateTime<Utc>>,
    /// Seconds from a message to a person's answer, over the latest talks of the week.
    pub median_reply_seconds: Option<f64>,
    /// Messages per local day, oldest first.
    pub days: Vec<Day>,
    /// Source and how many, most first; `None` for those without.
    pub sources: Vec<(Option<String>, i64)>,
    /// Status, currency, count, sum in cents.
    pub quotes: Vec<QuoteSum>,
}

/// One day's messages by status word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    pub date: NaiveDate,
    pub by_status: Vec<(String, i64)>,
}

impl Day {
    /// How many of that day have one of these statuses.
    pub fn count(&self, statuses: &[&str]) -> i64 {
        self.by_status
            .iter()
            .filter(|(status, _)| statuses.contains(&status.as_str()))
            .map(|(_, count)| count)
            .sum()
    }
}

/// Quotes in one state and currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteSum {
    pub status: String,
    pub currency: String,
    pub count: i64,
    pub total_cents: i64,
}

/// What a message's status means to whoever reads the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    Sent,
    Waiting,
    Blocked,
    Failed,
    Canceled,
}

impl Fate {
    /// All of them, in the order of the table. Together they hold every status of an outbound message once.
    pub const ALL: [Self; 6] =
        [Self::Delivered, Self::Sent, Self::Waiting, Self::Blocked, Self::Failed, Self::Canceled];

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Sent => "sent",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The statuses it stands for.
    pub fn statuses(self) -> &'static [&'static str] {
        match self {
            Self::Delivered => &["delivered", "read"],
            Self::Sent => &["sent"],
            Self::Waiting => &["queued", "sending", "unknown"],
            Self::Blocked => &["blocked"],
            Self::Failed => &["failed", "undelivered"],
            Self::Canceled => &["canceled"],
        }
    }
}

/// All numbers, in one transaction that sees one moment.
pub async fn numbers(app: &App, caller: &Caller) -> Result<Numbers> {
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let days = days::last(now, zone, MESSAGE_DAYS);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let talk = sql::talk(&mut tx, days::start_of_day(now.with_timezone(&zone).date_naive(), zone)).await?;
    let counts = week(&mut tx, now, &days).await?;
    let week = days.first().map_or_else(|| days::id_at(now), |(_, first, _)| *first);
    let by_day = days
        .iter()
        .enumerate()
        .map(|(place, (date, _, _))| Day {
            date: *date,
            by_status: counts
                .iter()
                .filter(|row| row.place == place)
                .map(|row| (row.status.clone(), row.count))
                .collect(),
        })
        .collect();
    let numbers = Numbers {
        conversations_today: talk.today,
        waiting: talk.waiting,
        waiting_since: talk.waiting_since,
        median_reply_seconds: sql::median_reply(&mut tx, week).await?,
        days: by_day,
        sources: sql::leads_by_source(&mut tx, days::id_at(now - TimeDelta::days(LEAD_DAYS))).await?,
        quotes: sql::quotes_by_status(&mut tx, days::id_at(now - TimeDelta::days(QUOTE_DAYS))).await?,
    };
    tx.commit().await?;
    Ok(numbers)
}

/// The messages of the week, as they are kept.
#[derive(Serialize, Deserialize)]
struct Week {
    until: Option<NaiveDate>,
    counts: Vec<sql::Count>,
}

/// The messages of these days; a million take long enough to count that the result is kept for a few seconds.
async fn week(
    tx: &mut TenantTx,
    now: DateTime<Utc>,
    days: &[(NaiveDate, Uuid, Uuid)],
) -> Result<Vec<sql::Count>> {
    let until = days.last().map(|(date, ..)| *date);
    let kept = kept::find::<Week>(tx, "week").await?;
    if let Some(kept) = kept.filter(|kept| kept.numbers.until == until && kept.is_fresh(now, WEEK_SHARE)) {
        return Ok(kept.numbers.counts);
    }
    let count = async |tx: &mut TenantTx| Ok(Week { until, counts: sql::messages_by_day(tx, days).await? });
    Ok(kept::count(tx, now, "week", count).await?.counts)
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    let page = Access::Page(Role::Viewer);
    routes
        .get("/dashboard", page, ui::page)
        .get("/dashboard/messages", page, ui::messages)
        .get("/dashboard/days.csv", page, csv::days)
        .get("/dashboard/quotes.csv", page, csv::quotes)
        .get("/dashboard/sources.csv", page, csv::sources)
}
