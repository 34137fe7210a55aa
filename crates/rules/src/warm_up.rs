//! How many messages a new sender may send on a day.
//!
//! Promises: 50, 100, 200 and 300 messages on the first four days, then no cap. A sender that rests
//! resumes where it stopped when the caller counts the days on which it *sent*
//! ([`cap_for_day_index`]); [`cap`] counts calendar days and suits a sender that sends daily.
//! Does not: know which days a sender was active; the caller counts them.

use chrono::NaiveDate;

/// Messages allowed on the first days of a sender.
const RAMP: [u32; 4] = [50, 100, 200, 300];

/// The cap of the day after `index` earlier active days; `None` once the ramp is climbed.
pub const fn cap_for_day_index(index: u32) -> Option<u32> {
    if (index as usize) < RAMP.len() { Some(RAMP[index as usize]) } else { None }
}

/// The cap of `local_day` for a sender whose warm-up started on `started_on`, counting calendar days.
/// A day before the start allows nothing: `Some(0)`.
pub fn cap(started_on: NaiveDate, local_day: NaiveDate) -> Option<u32> {
    match u32::try_from(local_day.signed_duration_since(started_on).num_days()) {
        Ok(index) => cap_for_day_index(index),
        Err(_) => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn climbs_over_four_days() {
        let start = NaiveDate::from_ymd_opt(2026, 2, 27).unwrap();
        let caps: Vec<_> = (-2..6).map(|days| cap(start, start + chrono::TimeDelta::days(days))).collect();
        let expected = [Some(0), Some(0), Some(50), Some(100), Some(200), Some(300), None, None];
        assert_eq!(caps, expected);
        assert_eq!(cap_for_day_index(u32::MAX), None);
    }
}
