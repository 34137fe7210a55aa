//! Instants as conditions write them: an instant, a day, or a distance from now that moves along with it.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::fields::Op;

/// A point in time, as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    At(DateTime<Utc>),
    /// A day of the tenant's calendar, from its midnight to the next.
    Day(NaiveDate),
    /// `-30d`, `+2w`, `-12h`, `-6m` (months), `-1y`; `now` is `-0h`.
    From {
        amount: i32,
        unit: Unit,
    },
    /// The present day.
    Today,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unit {
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

/// Nobody looks further than that.
const MOST_UNITS: i32 = 100_000;

impl When {
    /// # Errors
    /// What may be written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text {
            "now" => return Ok(Self::From { amount: 0, unit: Unit::Hours }),
            "today" => return Ok(Self::Today),
            _ => {}
        }
        if let Some(relative) = relative(text) {
            return Ok(relative);
        }
        if let Ok(day) = text.parse::<NaiveDate>()
            && (1..=9999).contains(&chrono::Datelike::year(&day))
        {
            return Ok(Self::Day(day));
        }
        DateTime::parse_from_rfc3339(text).map(|at| Self::At(at.to_utc())).map_err(|_| {
            "Write a day such as 2026-03-14, an instant such as 2026-03-14T09:00:00Z, or a distance such as -30d (h, d, w, m, y)."
                .to_owned()
        })
    }

    /// The day it lies on in `zone`.
    pub fn day(self, now: DateTime<Utc>, zone: Tz) -> NaiveDate {
        match self {
            Self::Day(day) => day,
            Self::Today => now.with_timezone(&zone).date_naive(),
            other => other.instant(now, zone).with_timezone(&zone).date_naive(),
        }
    }

    fn instant(self, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Day(_) | Self::Today => start(self.day(now, zone), zone),
            Self::From { amount, unit } => moved(now, amount, unit),
        }
    }

    /// `op` as a comparison with one instant. A day counts as a whole: before it is before its midnight, after it
    /// is from the next midnight on.
    pub fn comparison(self, op: Op, now: DateTime<Utc>, zone: Tz) -> (&'static str, DateTime<Utc>) {
        let whole_day = matches!(self, Self::Day(_) | Self::Today);
        let end = || {
            let day = self.day(now, zone);
            start(day.checked_add_days(Days::new(1)).unwrap_or(day), zone)
        };
        match op {
            Op::Before | Op::Lt => ("<", self.instant(now, zone)),
            Op::Gte => (">=", self.instant(now, zone)),
            Op::Lte if whole_day => ("<", end()),
            Op::Lte => ("<=", self.instant(now, zone)),
            _ if whole_day => (">=", end()),
            _ => (">", self.instant(now, zone)),
        }
    }
}

fn relative(text: &str) -> Option<When> {
    let unit = match text.chars().next_back()? {
        'h' => Unit::Hours,
        'd' => Unit::Days,
        'w' => Unit::Weeks,
        'm' => Unit::Months,
        'y' => Unit::Years,
        _ => return None,
    };
    let amount = &text[..text.len() - 1];
    let digits = amount.strip_prefix(['-', '+'])?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: i32 = amount.parse().ok().filter(|amount: &i32| amount.abs() <= MOST_UNITS)?;
    Some(When::From { amount, unit })
}

/// Distances that leave the calendar end at its edge, far from any contact.
fn moved(now: DateTime<Utc>, amount: i32, unit: Unit) -> DateTime<Utc> {
    let steps = i64::from(amount);
    let by_months = |months: u32| {
        let months = Months::new(months);
        if amount < 0 { now.checked_sub_months(months) } else { now.checked_add_months(months) }
    };
    let there = match unit {
        Unit::Hours => now.checked_add_signed(TimeDelta::hours(steps)),
        Unit::Days => now.checked_add_signed(TimeDelta::days(steps)),
        Unit::Weeks => now.checked_add_signed(TimeDelta::days(steps * 7)),
        Unit::Months => by_months(amount.unsigned_abs()),
        Unit::Years => by_months(amount.unsigned_abs().saturating_mul(12)),
    };
    // PostgreSQL knows instants from 4713 BC to the year 294276.
    let (first, last) = (year_start(1), year_start(9999));
    there.unwrap_or(if amount < 0 { first } else { last }).clamp(first, last)
}

fn year_start(year: i32) -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(year, 1, 1).expect("a year of the calendar").and_time(NaiveTime::MIN).and_utc()
}

/// The first instant of a day in `zone`; where clocks skip midnight, the first that there is.
fn start(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..4)
        .find_map(|hours| (midnight + TimeDelta::hours(hours)).and_local_timezone(zone).earliest())
        .map_or_else(|| midnight.and_utc(), |at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_understood() {
        let now: DateTime<Utc> = "2026-03-31T12:00:00Z".parse().unwrap();
        let perth = chrono_tz::Australia::Perth;
        for (text, op, comparison) in [
            ("-30d", Op::After, (">", "2026-03-01T12:00:00Z")),
            ("-1m", Op::Before, ("<", "2026-02-28T12:00:00Z")),
            ("+1y", Op::Lte, ("<=", "2027-03-31T12:00:00Z")),
            ("-12h", Op::Gte, (">=", "2026-03-31T00:00:00Z")),
            ("now", Op::Lt, ("<", "2026-03-31T12:00:00Z")),
            ("2026-03-14", Op::Before, ("<", "2026-03-13T16:00:00Z")),
            ("2026-03-14", Op::After, (">=", "2026-03-14T16:00:00Z")),
            ("2026-03-14", Op::Gte, (">=", "2026-03-13T16:00:00Z")),
            ("2026-03-14", Op::Lte, ("<", "2026-03-14T16:00:00Z")),
            ("today", Op::Gte, (">=", "2026-03-30T16:00:00Z")),
            ("2026-03-14T09:00:00+08:00", Op::Gt, (">", "2026-03-14T01:00:00Z")),
            ("-100000y", Op::After, (">", "0001-01-01T00:00:00Z")),
        ] {
            let at: DateTime<Utc> = comparison.1.parse().unwrap();
            assert_eq!(When::parse(text).unwrap().comparison(op, now, perth), (comparison.0, at), "{text}");
        }
        for text in
            ["", "30d", "-d", "-30", "--3d", "-30q", "-99999999999d", "yesterday", "2026-13-01", "-1é", "é"]
        {
            assert!(When::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_without_midnight_begins_later() {
        // Clocks in São Paulo went from 23:59 to 01:00 (Decreto 9.242/2017, the last summer time).
        let day = NaiveDate::from_ymd_opt(2018, 11, 4).unwrap();
        assert_eq!(
            start(day, chrono_tz::America::Sao_Paulo),
            "2018-11-04T03:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
    }
}
