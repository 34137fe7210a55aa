//! When the demo's businesses and their campaigns write: its data keeps to the rules that the product would have held
//! it to.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    quiet_hours::{self, QuietDecision, Window},
    zones::{self, ZoneFacts},
};

/// When a message may reach nobody.
pub(super) const QUIET: (u32, u32) = (21, 9);
/// Between these hours nothing that is told minutes before or after falls into the night, summer time or not.
const WORKING: (u32, u32) = (11, 19);

/// A full hour.
pub(super) fn hour(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default()
}

/// The last moment of work that is not after `now`: what happens lately is told from here.
pub(super) fn working(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let at_work = |at: &DateTime<Utc>| {
        let time = at.with_timezone(&zone).time();
        hour(WORKING.0) <= time && time < hour(WORKING.1)
    };
    (0..).map(|steps| now - TimeDelta::minutes(10 * steps)).find(at_work).unwrap_or(now)
}

/// The last moment that is not after `at` from which a campaign may go for half an hour where `zone` is.
pub(super) fn launched(at: DateTime<Utc>, country: &str, zone: Tz) -> DateTime<Utc> {
    let is_open = |at: DateTime<Utc>| opens(at, country, &[zone]) == at;
    (0..14 * 24 * 6)
        .map(|steps| at - TimeDelta::minutes(10 * steps))
        .find(|at| is_open(*at) && is_open(*at + TimeDelta::minutes(30)))
        .unwrap_or(at)
}

/// The first moment from `at` on at which marketing may reach a number.
pub(super) fn reaches(at: DateTime<Utc>, phone: &str, zone: Option<Tz>) -> DateTime<Utc> {
    let country = zones::likely_country_of(phone).unwrap_or_default();
    let facts = ZoneFacts {
        explicit: zone,
        country: None,
        state: None,
        postal: None,
        phone_e164: Some(phone),
        tenant: chrono_tz::America::Chicago,
    };
    opens(at, country, &zones::resolve(&facts).zones)
}

fn opens(at: DateTime<Utc>, country: &str, zones: &[Tz]) -> DateTime<Utc> {
    let quiet = Window { start: hour(QUIET.0), end: hour(QUIET.1) };
    let week = quiet_hours::marketing_rules(country, None, true);
    match quiet_hours::check(at, zones, Some(quiet), week.as_ref()) {
        QuietDecision::Open => at,
        QuietDecision::Quiet { until, .. } => until,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, Timelike};
    use chrono_tz::{America, Australia};

    use super::*;

    #[test]
    fn whenever_the_demo_begins_its_business_is_awake() {
        for step in 0..24 * 30 {
            let now: DateTime<Utc> =
                "2026-10-20T00:17:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(step);
            let local = working(now, America::Chicago).with_timezone(&America::Chicago);
            assert!((11..19).contains(&local.hour()), "{local}");
            let gone = launched(now, "US", America::Chicago);
            assert!(gone <= now && (10..20).contains(&gone.with_timezone(&America::Chicago).hour()));
            let perth =
                reaches(gone, "+61491570110", Some(Australia::Perth)).with_timezone(&Australia::Perth);
            assert!(perth.weekday() != chrono::Weekday::Sun && (9..20).contains(&perth.hour()), "{perth}");
        }
    }
}
