//! The instants at which openness can change.
//!
//! Promises: between two neighbouring edges nothing changes, so a search needs to look at edges only.
//! More edges than real ones are harmless; a missing one would not be.

use super::Rules;
use chrono::{DateTime, Days, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// No clock in use changes by more than this, so that the effects of a change stay within it.
const MARGIN: TimeDelta = TimeDelta::hours(3);

/// Every instant in `(from, to]`, a day or less apart, at which some zone may open or close, in order.
pub(super) fn between(rules: &Rules<'_>, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let mut edges = Vec::with_capacity(rules.zones.len() * 12);
    for &zone in rules.zones {
        let (before, after) = (offset(zone, from - MARGIN), offset(zone, to + MARGIN));
        push_times_of_day(&mut edges, rules, (from, to), before);
        if after != before {
            push_times_of_day(&mut edges, rules, (from, to), after);
            push_change(&mut edges, zone, (from - MARGIN, to + MARGIN));
        }
    }
    edges.retain(|&edge| from < edge && edge <= to);
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn offset(zone: Tz, instant: DateTime<Utc>) -> TimeDelta {
    let offset = zone.offset_from_utc_datetime(&instant.naive_utc()).fix();
    TimeDelta::seconds(i64::from(offset.local_minus_utc()))
}

/// The rules' times of day on every local date that touches the range, read with one offset.
fn push_times_of_day(
    edges: &mut Vec<DateTime<Utc>>,
    rules: &Rules<'_>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    offset: TimeDelta,
) {
    let minute = |minutes: u16| TimeDelta::minutes(i64::from(minutes));
    let (first, last) = ((from + offset).date_naive(), (to + offset).date_naive());
    let mut date = first;
    while date <= last {
        let midnight = date.and_time(NaiveTime::MIN).and_utc() - offset;
        if let Some(window) = rules.quiet {
            edges.extend([window.start, window.end].map(|time| midnight + (time - NaiveTime::MIN)));
        }
        if let Some(week) = rules.week {
            let hours = week.days[chrono::Datelike::weekday(&date).num_days_from_monday() as usize];
            edges.extend([midnight, midnight + minute(hours.from), midnight + minute(hours.to)]);
        }
        let Some(next) = date.checked_add_days(Days::new(1)) else { break };
        date = next;
    }
}

/// The instant at which the offset changes within the range, and the ends of the hours that it doubles.
fn push_change(edges: &mut Vec<DateTime<Utc>>, zone: Tz, (mut from, mut to): (DateTime<Utc>, DateTime<Utc>)) {
    let (before, after) = (offset(zone, from), offset(zone, to));
    while to - from > TimeDelta::seconds(1) {
        // Whole seconds: changes of clocks happen on them.
        let middle = from + TimeDelta::seconds((to - from).num_seconds() / 2);
        if offset(zone, middle) == before { from = middle } else { to = middle }
    }
    let change = DateTime::from_timestamp(to.timestamp(), 0).unwrap_or(to);
    let length = (after - before).abs();
    edges.extend([change - length, change, change + length]);
}
