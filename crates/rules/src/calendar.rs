//! Local days and months as instants, and instants as words for people.
//!
//! Promises: a local day begins at its first instant that exists, also where clocks change at midnight.
//! Does not: know working days or holidays.

use chrono::{
    DateTime, Datelike, MappedLocalTime, Months, NaiveDate, NaiveTime, TimeZone, Timelike, Utc, Weekday,
};
use chrono_tz::{GapInfo, Tz};

/// The day on the wall calendar in `zone`.
pub fn local_day(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// The first instant after `now` at which the calendar in `zone` shows a later day.
pub fn next_midnight(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let tomorrow = local_day(now, zone).succ_opt().unwrap_or(NaiveDate::MAX);
    day_start(tomorrow, zone, now)
}

/// The first instant after `now` of the next calendar month in `zone`.
pub fn next_month(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let first = local_day(now, zone).with_day(1).and_then(|day| day.checked_add_months(Months::new(1)));
    day_start(first.unwrap_or(NaiveDate::MAX), zone, now)
}

/// The first instant after `now` at which `day` has begun in `zone`. Where clocks skip midnight, that is
/// the instant of the change; where midnight comes twice, the first one that is still ahead.
pub fn day_start(day: NaiveDate, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let start = match zone.from_local_datetime(&midnight) {
        MappedLocalTime::Single(start) => start.to_utc(),
        MappedLocalTime::Ambiguous(first, second) => {
            if first > now {
                first.to_utc()
            } else {
                second.to_utc()
            }
        }
        MappedLocalTime::None => GapInfo::new(&midnight, &zone)
            .and_then(|gap| gap.end)
            .map_or_else(|| midnight.and_utc(), |end| end.to_utc()),
    };
    start.max(now + chrono::TimeDelta::seconds(1))
}

/// `3 March`, or `3 March 2025` where the year is not that of `now`.
pub fn describe_day(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (at, now) = (at.with_timezone(&zone), now.with_timezone(&zone));
    if at.year() == now.year() { at.format("%-d %B") } else { at.format("%-d %B %Y") }.to_string()
}

/// A coming instant as it completes "until …": `09:00`, `midnight`, `09:00 tomorrow`, `3 March`,
/// `09:00 on 3 March`.
pub fn describe_instant(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let days = local.date_naive().signed_duration_since(local_day(now, zone)).num_days();
    let starts_a_day = local.hour() == 0 && local.minute() == 0;
    match (days, starts_a_day) {
        (1, true) => "midnight".to_owned(),
        (0, _) => local.format("%H:%M").to_string(),
        (1, false) => local.format("%H:%M tomorrow").to_string(),
        (_, true) => describe_day(at, now, zone),
        (_, false) => format!("{} on {}", local.format("%H:%M"), describe_day(at, now, zone)),
    }
}

/// A coming instant by its weekday where that is plain: `09:00`, `Monday 09:00`; else as [`describe_instant`].
pub fn describe_weekday(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    match local.date_naive().signed_duration_since(local_day(now, zone)).num_days() {
        1..=6 => local.format("%A %H:%M").to_string(),
        _ => describe_instant(at, now, zone),
    }
}

/// The English name of a weekday.
pub const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

/// The town a zone is named after: `Perth`, `New York`, `Buenos Aires, Argentina`.
pub fn place(zone: Tz) -> String {
    let mut parts = zone.name().split('/').skip(1);
    let words = match (parts.next(), parts.next()) {
        (Some(region), Some(town)) => format!("{town}, {region}"),
        (Some(town), None) => town.to_owned(),
        _ => zone.name().to_owned(),
    };
    words.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{America, Australia, Pacific};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn days_begin_at_their_first_instant() {
        let sydney = Australia::Sydney;
        assert_eq!(next_midnight(at("2026-03-02T12:59:59Z"), sydney), at("2026-03-02T13:00:00Z"));
        assert_eq!(next_midnight(at("2026-03-02T13:00:00Z"), sydney), at("2026-03-03T13:00:00Z"));
        assert_eq!(next_month(at("2026-12-31T12:00:00Z"), sydney), at("2026-12-31T13:00:00Z"));
        assert_eq!(next_month(at("2026-01-31T12:00:00Z"), Tz::UTC), at("2026-02-01T00:00:00Z"));
        // Clocks in Cuba skip from midnight to one o'clock.
        assert_eq!(next_midnight(at("2026-03-08T01:00:00Z"), America::Havana), at("2026-03-08T05:00:00Z"));
        // Samoa had no 30 December 2011.
        assert_eq!(next_midnight(at("2011-12-30T00:00:00Z"), Pacific::Apia), at("2011-12-30T10:00:00Z"));
        // Clocks in São Paulo went back at midnight: the day still begins once.
        assert_eq!(next_midnight(at("2019-02-17T02:30:00Z"), America::Sao_Paulo), at("2019-02-17T03:00:00Z"));
    }

    #[test]
    fn instants_read_like_speech() {
        let now = at("2026-03-02T02:00:00Z");
        let zone = Australia::Perth;
        let cases = [
            ("2026-03-02T13:30:00Z", "21:30"),
            ("2026-03-02T16:00:00Z", "midnight"),
            ("2026-03-03T01:00:00Z", "09:00 tomorrow"),
            ("2026-03-31T16:00:00Z", "1 April"),
            ("2026-03-05T01:00:00Z", "09:00 on 5 March"),
            ("2027-01-05T01:00:00Z", "09:00 on 5 January 2027"),
        ];
        for (instant, words) in cases {
            assert_eq!(describe_instant(at(instant), now, zone), words);
        }
        assert_eq!(place(America::New_York), "New York");
        assert_eq!(place(America::North_Dakota::Center), "Center, North Dakota");
        assert_eq!(place(Tz::UTC), "UTC");
    }
}
