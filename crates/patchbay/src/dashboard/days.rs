//! Local days as ranges of ids: ids are UUIDv7, so that the order of the primary key is the order of time.

use chrono::{DateTime, Days, LocalResult, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// The lowest id that can have been made at `at`.
pub(crate) fn id_at(at: DateTime<Utc>) -> Uuid {
    let milliseconds = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    Uuid::from_u128((u128::from(milliseconds) << 80) | (0x7 << 76) | (0b10 << 62))
}

/// The instant at which `day` begins in `zone`; where clocks skip midnight, the first instant after.
pub(super) fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(chrono::NaiveTime::MIN);
    let skipped = (0..=8).map(|quarter| midnight + TimeDelta::minutes(15 * quarter));
    skipped
        .filter_map(|local| match zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.to_utc()),
            LocalResult::None => None,
        })
        .next()
        .unwrap_or_else(|| midnight.and_utc())
}

/// The last `count` local days, oldest first, each with its first id and the first id after it.
pub(super) fn last(now: DateTime<Utc>, zone: Tz, count: i64) -> Vec<(NaiveDate, Uuid, Uuid)> {
    let today = now.with_timezone(&zone).date_naive();
    let days = (0..u64::try_from(count).unwrap_or(1)).rev();
    days.map(|back| {
        let day = today - Days::new(back);
        (day, id_at(start_of_day(day, zone)), id_at(start_of_day(day + Days::new(1), zone)))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_join_without_gap_or_overlap() {
        // Clocks went back on 1 November 2026 in New York; Beirut skips midnight in spring.
        for (now, zone) in [
            ("2026-11-03T12:00:00Z", Tz::America__New_York),
            ("2026-03-31T12:00:00Z", Tz::Asia__Beirut),
            ("2026-06-01T00:00:00Z", Tz::UTC),
        ] {
            let days = last(now.parse().unwrap(), zone, 7);
            assert_eq!(days.len(), 7);
            for pair in days.windows(2) {
                assert_eq!(pair[0].2, pair[1].1, "{zone}");
                assert!(pair[0].1 < pair[0].2);
            }
        }
        let at: DateTime<Utc> = "2026-11-03T12:00:00.123Z".parse().unwrap();
        assert!(id_at(at) <= crate::ids::new_id(at));
        assert!(crate::ids::new_id(at) < id_at(at + TimeDelta::milliseconds(1)));
    }
}
