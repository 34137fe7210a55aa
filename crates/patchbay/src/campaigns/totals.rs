//! The numbers of a campaign. They always balance: `recipients` is the sum of all the others.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Campaign, sql};
use crate::{
    app::App,
    auth::Caller,
    db::TenantTx,
    error::{Error, Result},
};

/// What became of everybody in the audience.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CampaignTotals)]
pub struct Totals {
    pub recipients: i64,
    /// Their turn has not come, and nothing holds them.
    pub queued: i64,
    /// A gate says not yet.
    pub waiting: BTreeMap<String, i64>,
    /// A gate says never; `template` is a hole in the text, `address` a missing number or e-mail address.
    pub blocked: BTreeMap<String, i64>,
    pub sending: i64,
    /// With the carrier, no receipt yet.
    pub sent: i64,
    /// Read ones too.
    pub delivered: i64,
    pub undelivered: i64,
    pub failed: i64,
    /// The answer was lost. It is being found out, for three days; what nobody knows by then stays here, and keeps the
    /// campaign from finishing no longer.
    pub unknown: i64,
    pub canceled: i64,
}

impl Totals {
    /// Not settled yet.
    pub fn open(&self) -> i64 {
        self.queued + self.waiting.values().sum::<i64>() + self.sending + self.unknown
    }

    /// Settled, one way or another.
    pub fn done(&self) -> i64 {
        self.blocked.values().sum::<i64>()
            + self.sent
            + self.delivered
            + self.undelivered
            + self.failed
            + self.canceled
    }

    fn add(&mut self, status: &str, gate: Option<String>, number: i64) {
        let place = match (status, gate) {
            ("queued", Some(gate)) => self.waiting.entry(gate).or_default(),
            ("blocked", Some(gate)) => self.blocked.entry(gate).or_default(),
            ("queued", None) => &mut self.queued,
            ("sending", _) => &mut self.sending,
            ("sent", _) => &mut self.sent,
            ("delivered" | "read", _) => &mut self.delivered,
            ("undelivered", _) => &mut self.undelivered,
            ("failed", _) => &mut self.failed,
            ("canceled", _) => &mut self.canceled,
            _ => &mut self.unknown,
        };
        *place += number;
    }
}

/// Audiences up to this size are counted whenever somebody asks.
const SMALL: i64 = 10_000;

/// Something may come back for so long after a campaign is over: the days for which answers count in its report, and one.
pub(super) const LATE: TimeDelta = TimeDelta::days(8);
/// The numbers of one that is over may be this part of the time since then old: a day later an hour or so.
pub(super) const RARER: i32 = 20;

/// How old the numbers of a campaign may get: counting must stay a small part of the work.
fn may_age(recipients: i64) -> TimeDelta {
    if recipients <= SMALL {
        TimeDelta::zero()
    } else {
        TimeDelta::seconds((recipients / 100_000).clamp(1, 10))
    }
}

/// The present numbers.
pub async fn totals(app: &App, caller: &Caller, id: Uuid) -> Result<Totals> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::find(&mut tx, id).await?;
    match fresh(&campaign, app.now()) {
        Some(totals) => Ok(totals.clone()),
        None => count(&mut tx, id).await,
    }
}

/// What was counted last, while it counts as the present.
fn fresh(campaign: &Campaign, now: DateTime<Utc>) -> Option<&Totals> {
    let age = now - campaign.totals_at?;
    campaign.totals.as_ref().filter(|_| age < may_age(campaign.recipients))
}

async fn count(tx: &mut TenantTx, id: Uuid) -> Result<Totals> {
    let counted = sql::count(tx, id).await?.ok_or(Error::NotFound("campaign"))?;
    let mut totals = Totals { recipients: counted.recipients, ..Totals::default() };
    let unexpanded = counted.recipients - counted.expanded;
    totals.add(if counted.status == "canceled" { "canceled" } else { "queued" }, None, unexpanded);
    let counts: Vec<(String, Option<String>, i64)> = serde_json::from_value(counted.counts)?;
    for (status, gate, number) in counts {
        totals.add(&status, gate, number);
    }
    Ok(totals)
}

/// Counts anew if it is time, and tells those who watch if anything moved; answers whether it was time. A second between
/// two tellings.
pub(super) async fn refresh(app: &App, tenant: Uuid, id: Uuid) -> Result<bool> {
    let now = app.now();
    let mut tx = app.db.tenant(tenant).await?;
    let campaign = super::find(&mut tx, id).await?;
    let since_over = campaign.finished_at.map_or(TimeDelta::zero(), |at| now - at);
    let due = may_age(campaign.recipients).max(TimeDelta::seconds(1)).max(since_over / RARER);
    if campaign.totals_at.is_some_and(|at| now - at < due) {
        return Ok(false);
    }
    let totals = count(&mut tx, id).await?;
    sql::keep_totals(&mut tx, id, &serde_json::to_value(&totals)?, now).await?;
    if campaign.totals.as_ref() != Some(&totals) {
        sql::tell(&mut tx, id).await?;
    }
    tx.commit().await?;
    Ok(true)
}
