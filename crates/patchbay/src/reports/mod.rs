//! Reports: what came of a campaign, how the senders fare, what it all costs.
//!
//! Promises: pages, files and the API tell the same numbers; clicks are people's unless they say otherwise
//! (`patchbay_rules::clicks`); a difference between templates is named only when it is more than chance. A campaign is
//! counted in one pass and the result kept ([`kept`]), so that looking at a report of a million messages costs one row.
//! Does not: count what a campaign will do (preflight does), or explain single messages (the ledger does).

mod api;
mod campaign;
mod csv;
pub(crate) mod kept;
mod places;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use patchbay_rules::{proportions::Share, warm_up};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use api::Doc;
pub use campaign::{CampaignReport, report};
pub use places::SpendPlace;

use crate::{
    app::App,
    auth::{Caller, Role},
    dashboard::days,
    error::Result,
    web::routes::{Access, Routes},
};

/// Replies and opt-outs count for a message this long after it.
pub const ECHO: TimeDelta = TimeDelta::days(7);
/// Days that the senders' health is taken over.
pub const SENDER_DAYS: i64 = 30;
/// Days of spending shown.
pub const SPEND_DAYS: u64 = 31;

/// How a sender fared lately.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SenderHealth {
    pub sender_id: Uuid,
    pub address: String,
    pub label: Option<String>,
    /// `sms`, `whatsapp` or `email`.
    pub channel: String,
    /// Handed to the carrier in 30 days.
    pub sent: i64,
    pub delivered: i64,
    pub failed: i64,
    /// Refused by carriers as unwanted (Twilio error 30007); also among `failed`.
    pub filtered: i64,
    /// Recipients who opted out within seven days of a message.
    pub opted_out: i64,
    pub sent_today: i64,
    /// The day of its warm-up, from 1; null without one, or once it is over.
    pub warm_up_day: Option<u32>,
    /// Messages it may send today; null for no such limit.
    pub cap_today: Option<u32>,
}

/// What the ledger says of senders, as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct SenderCount {
    sender_id: Uuid,
    sent: i64,
    delivered: i64,
    failed: i64,
    filtered: i64,
    opted_out: i64,
}

/// Health of every active sender.
pub async fn senders(app: &App, caller: &Caller) -> Result<Vec<SenderHealth>> {
    let now = app.now();
    let first = days::id_at(now - TimeDelta::days(SENDER_DAYS));
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let today = now.with_timezone(&caller.tenant.timezone).date_naive();
    let senders = sql::senders(&mut tx, today).await?;
    let counts: Vec<SenderCount> = kept::or_counted(&mut tx, now, "senders", kept::SHARE, async |tx| {
        sql::count_senders(tx, first).await
    })
    .await?
    .0;
    tx.commit().await?;
    Ok(senders
        .into_iter()
        .map(|sender| {
            let count = counts.iter().find(|count| count.sender_id == sender.id).cloned().unwrap_or_default();
            let index = u32::try_from(sender.warm_up_days).unwrap_or(u32::MAX);
            let cap = sender.warmup_started_on.and_then(|_| warm_up::cap_for_day_index(index));
            SenderHealth {
                sender_id: sender.id,
                address: sender.address,
                label: sender.label,
                channel: sender.channel,
                sent: count.sent,
                delivered: count.delivered,
                failed: count.failed,
                filtered: count.filtered,
                opted_out: count.opted_out,
                sent_today: sender.sent_today,
                warm_up_day: cap.map(|_| index + 1),
                cap_today: cap,
            }
        })
        .collect())
}

/// What was spent, against what may be.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Spend {
    /// ISO 4217.
    pub currency: String,
    pub daily_cap_cents: Option<i64>,
    pub monthly_cap_cents: Option<i64>,
    /// Millionths of the currency.
    pub today_micros: i64,
    pub month_micros: i64,
    /// Oldest first, without gaps.
    pub days: Vec<SpendDay>,
    /// The same days by channel and the recipient's country, dearest first.
    pub places: Vec<SpendPlace>,
}

/// One local day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SpendDay {
    pub day: NaiveDate,
    pub messages: i64,
    pub cost_micros: i64,
}

/// Spending of the last month and of today.
pub async fn spend(app: &App, caller: &Caller) -> Result<Spend> {
    let today = app.now().with_timezone(&caller.tenant.timezone).date_naive();
    let first = today - Days::new(SPEND_DAYS - 1);
    let month = today.with_day(1).unwrap_or(today);
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::spend(&mut tx, first.min(month)).await?;
    let budget = sql::budget(&mut tx).await?;
    let since = days::id_at(app.now() - TimeDelta::days(SPEND_DAYS as i64));
    let places = kept::or_counted(&mut tx, app.now(), "spend by country", kept::SHARE, async |tx| {
        Ok(places::fold(sql::spend_by_number(tx, since).await?))
    })
    .await?
    .0;
    tx.commit().await?;
    let of = |day: NaiveDate| rows.iter().find(|row| row.day == day);
    let each = (0..SPEND_DAYS).map(|forward| {
        let day = first + Days::new(forward);
        of(day).cloned().unwrap_or(SpendDay { day, messages: 0, cost_micros: 0 })
    });
    Ok(Spend {
        currency: budget.currency,
        daily_cap_cents: budget.daily,
        monthly_cap_cents: budget.monthly,
        today_micros: of(today).map_or(0, |day| day.cost_micros),
        month_micros: rows.iter().filter(|row| row.day >= month).map(|row| row.cost_micros).sum(),
        days: each.collect(),
        places,
    })
}

/// A campaign in the list of reports, with what is known of it without counting.
#[derive(Debug, Clone)]
pub struct Line {
    pub id: Uuid,
    pub name: String,
    pub status: String,
    pub launched_at: Option<DateTime<Utc>>,
    pub recipients: i64,
    /// What the report said when it was last counted.
    pub counted: Option<campaign::Counted>,
}

/// `hits` of `of`, as numbers that cannot be negative.
fn share(hits: i64, of: i64) -> Share {
    Share { hits: hits.unsigned_abs(), of: of.unsigned_abs() }
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    let page = Access::Page(Role::Viewer);
    routes
        .with(ui::routes)
        .get("/reports/senders.csv", page, csv::senders)
        .get("/reports/spend.csv", page, csv::spend)
        .get("/campaigns/{id}/report/outcomes.csv", page, csv::outcomes)
        .get("/campaigns/{id}/report/hours.csv", page, csv::hours)
        .get("/campaigns/{id}/report/templates.csv", page, csv::templates)
        .get("/api/reports/campaigns/{id}", Access::Api(Role::Viewer), api::campaign)
        .get("/api/reports/senders", Access::Api(Role::Viewer), api::senders)
        .get("/api/reports/spend", Access::Api(Role::Viewer), api::spend)
}
