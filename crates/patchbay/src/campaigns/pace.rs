//! How fast a campaign goes, and when it will have gone.
//!
//! Promises numbers of the last hour and an honest guess: nothing where nobody can know. Does not plan (that is the
//! preflight's): what a budget, a warm-up or somebody's pause will hold is not foreseen here.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{Status, Totals, sql};
use crate::{app::App, auth::Caller, error::Result};

/// What is looked back on.
const MINUTES: usize = 60;
/// These tell the present speed.
const LATELY: TimeDelta = TimeDelta::minutes(5);
/// With less to look at, nothing can be said of a speed.
const LEAST: TimeDelta = TimeDelta::seconds(10);
/// Of those who wait so many are looked at.
const LOOKED_AT: i64 = 20_000;

/// The speed of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = CampaignPace)]
pub struct Pace {
    /// Messages handed over in each of the last 60 minutes, the present one last.
    pub per_minute: Vec<i64>,
    /// Messages a minute at present.
    pub speed: i64,
    /// Those who wait for an hour of their own, or for a gate to open.
    pub later: i64,
    /// When the first and the last of them may go, as things are.
    pub first_at: Option<DateTime<Utc>>,
    pub last_at: Option<DateTime<Utc>>,
    /// When everybody will have been written to, at the present speed; null when nobody knows.
    pub ends_at: Option<DateTime<Utc>>,
}

/// How it goes at this moment.
pub async fn pace(app: &App, caller: &Caller, id: Uuid) -> Result<Pace> {
    let totals = super::totals(app, caller, id).await?;
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let campaign = super::find(&mut tx, id).await?;
    let mut per_minute = vec![0; MINUTES];
    let since = now - TimeDelta::minutes(i64::try_from(MINUTES).unwrap_or_default());
    for (minutes_ago, count) in sql::handed_over(&mut tx, id, since, now).await? {
        let place = usize::try_from(minutes_ago).ok().and_then(|ago| (MINUTES - 1).checked_sub(ago));
        if let Some(place) = place {
            per_minute[place] += count;
        }
    }
    let (count, first_at) = sql::lately(&mut tx, id, now - LATELY).await?;
    let speed = speed(count, first_at.map_or(LATELY, |first| now - first));
    let waiting = sql::waiting(&mut tx, id, now, LOOKED_AT).await?;
    let is_known = campaign.status == Status::Running && waiting.count < LOOKED_AT;
    let ends_at = ends_at(&totals, speed, waiting.last_at, now).filter(|_| is_known);
    let Waiting { count: later, first_at, last_at } = waiting;
    let last_at = last_at.filter(|_| later < LOOKED_AT);
    Ok(Pace { per_minute, speed, later, first_at, last_at, ends_at })
}

/// Those who wait: how many (of [`LOOKED_AT`]), and from when to when.
pub struct Waiting {
    pub count: i64,
    pub first_at: Option<DateTime<Utc>>,
    pub last_at: Option<DateTime<Utc>>,
}

/// Messages a minute, of so many in so long.
fn speed(count: i64, took: TimeDelta) -> i64 {
    count * 60_000 / took.max(LEAST).num_milliseconds()
}

/// Whoever may go now goes at the present speed; of those who wait the last ones are through last.
fn ends_at(
    totals: &Totals,
    speed: i64,
    last_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let unsent = totals.queued + totals.sending + totals.waiting.values().sum::<i64>();
    if unsent == 0 || speed == 0 {
        return None;
    }
    let all_at_once = now + TimeDelta::seconds(unsent * 60 / speed);
    Some(last_at.map_or(all_at_once, |last| last.max(all_at_once)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_the_last_may_go_or_the_line_is_through() {
        let now: DateTime<Utc> = "2026-03-02T10:00:00Z".parse().unwrap();
        let totals = |queued| Totals { recipients: 1_000, queued, ..Totals::default() };
        let minutes = |minutes| Some(now + TimeDelta::minutes(minutes));
        assert_eq!(ends_at(&totals(300), 30, None, now), minutes(10));
        assert_eq!(ends_at(&totals(300), 30, minutes(90), now), minutes(90));
        assert_eq!(ends_at(&totals(0), 30, None, now), None, "nobody is left");
        assert_eq!(ends_at(&totals(300), 0, None, now), None, "nothing moves");
        assert_eq!(speed(14, TimeDelta::seconds(14)), 60);
        assert_eq!(speed(600, LATELY), 120);
        assert_eq!(speed(2, TimeDelta::zero()), 12, "as if it had taken ten seconds");
    }
}
