//! Instants as people read them, in the tenant's zone and with the hours as they are written there: "5 min", "2 h",
//! "Thu", "20 Nov", "20 Nov 2024".

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::calendar::clock;

use super::parts::Moment;

/// `at` seen from `now`: short text, complete title. `scripts/time.js` keeps the short text fresh.
pub(crate) fn moment(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Moment {
    Moment { iso: at.to_rfc3339(), text: short(at, now, zone), title: full(at, zone) }
}

/// "Thu 20 Nov 2025, 4:11 PM" in New York, "Thu 20 Nov 2025, 16:11" in Berlin.
pub(crate) fn full(at: DateTime<Utc>, zone: Tz) -> String {
    format!("{}, {}", at.with_timezone(&zone).format("%a %-d %b %Y"), clock(at, zone))
}

fn short(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone));
    let age = now - at;
    if (TimeDelta::zero()..TimeDelta::minutes(1)).contains(&age) {
        "now".to_owned()
    } else if (TimeDelta::zero()..TimeDelta::hours(1)).contains(&age) {
        format!("{} min", age.num_minutes())
    } else if (TimeDelta::zero()..TimeDelta::days(1)).contains(&age) {
        format!("{} h", age.num_hours())
    } else if (TimeDelta::zero()..TimeDelta::days(6)).contains(&age) {
        local.format("%a").to_string()
    } else if age < TimeDelta::zero() && -age < TimeDelta::days(6) {
        format!("{} {}", local.format("%a"), clock(at, zone))
    } else if local.year() == today.year() {
        local.format("%-d %b").to_string()
    } else {
        local.format("%-d %b %Y").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farther_the_coarser() {
        let now: DateTime<Utc> = "2025-11-20T12:00:00Z".parse().unwrap();
        let zone = chrono_tz::Australia::Perth;
        for (at, text) in [
            ("2025-11-20T11:59:30Z", "now"),
            ("2025-11-20T11:55:00Z", "5 min"),
            ("2025-11-20T02:00:00Z", "10 h"),
            ("2025-11-18T20:00:00Z", "Wed"),
            ("2025-02-03T20:00:00Z", "4 Feb"),
            ("2024-02-03T20:00:00Z", "4 Feb 2024"),
            ("2025-11-21T01:00:00Z", "Fri 9:00 AM"),
        ] {
            assert_eq!(moment(at.parse().unwrap(), now, zone).text, text, "{at}");
        }
        assert_eq!(full(now, zone), "Thu 20 Nov 2025, 8:00 PM");
    }
}
