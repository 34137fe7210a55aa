//! When a message may reach somebody: quiet hours, and the hours that law allows for marketing.
//!
//! Promises: a moment is open only if it is open in *every* candidate zone; [`check`] names the first
//! instant at which all of them are open together, to the second, across every change of clocks. It errs
//! towards silence: while a clock goes back, an hour counts as quiet if either reading of it is quiet,
//! and a contact without any candidate zone is never open.
//! Does not: know which messages quiet hours bind (see [`crate::gates`]).

mod edges;
mod marketing;

pub use marketing::{marketing_place, marketing_rules};

use chrono::{
    DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone,
    Timelike, Utc, Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::holidays::Calendar;

/// How far ahead a common open moment is looked for.
pub const HORIZON: TimeDelta = TimeDelta::days(14);

/// Daily quiet hours on the recipient's clock: from `start` until just before `end`, over midnight if
/// `end` is earlier. Equal times mean never quiet. Stored as `{"start": "21:00", "end": "09:00"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// First quiet moment.
    #[serde(with = "clock_face")]
    pub start: NaiveTime,
    /// First open moment.
    #[serde(with = "clock_face")]
    pub end: NaiveTime,
}

impl Window {
    fn is_quiet_at(&self, time: NaiveTime) -> bool {
        if self.start <= self.end {
            self.start <= time && time < self.end
        } else {
            self.start <= time || time < self.end
        }
    }
}

/// The open hours of one day, in minutes from midnight: from `from` until just before `to`. None if they
/// are equal or crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hours {
    /// First open minute.
    pub from: u16,
    /// First closed minute; 1,440 is midnight.
    pub to: u16,
}

impl Hours {
    /// Not open at all.
    pub const NONE: Self = Self { from: 0, to: 0 };

    /// Open between two full hours.
    pub const fn between(from: u16, to: u16) -> Self {
        Self { from: from * 60, to: to * 60 }
    }

    /// What both leave open.
    pub const fn intersect(self, other: Self) -> Self {
        let from = if self.from > other.from { self.from } else { other.from };
        let to = if self.to < other.to { self.to } else { other.to };
        if from < to { Self { from, to } } else { Self::NONE }
    }

    /// Whether no moment is open.
    pub const fn is_none(self) -> bool {
        self.from >= self.to
    }

    fn is_open_at(self, time: NaiveTime) -> bool {
        let seconds = time.num_seconds_from_midnight();
        u32::from(self.from) * 60 <= seconds && seconds < u32::from(self.to) * 60
    }
}

/// The open hours of a week, Monday first, and the holidays that are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WeekRules {
    /// Monday to Sunday.
    pub days: [Hours; 7],
    /// Closed from midnight to midnight.
    pub holidays: Option<Calendar>,
}

impl WeekRules {
    /// The same hours from Monday to Friday, and others at the weekend.
    pub const fn new(weekdays: Hours, saturday: Hours, sunday: Hours) -> Self {
        Self { days: [weekdays, weekdays, weekdays, weekdays, weekdays, saturday, sunday], holidays: None }
    }

    /// The hours that both leave open, on the holidays of `self`.
    pub fn intersect(&self, other: &Self) -> Self {
        let days = std::array::from_fn(|day| self.days[day].intersect(other.days[day]));
        Self { days, ..*self }
    }

    /// The holiday that closes a day.
    pub fn holiday_on(&self, day: NaiveDate) -> Option<&'static str> {
        self.holidays.and_then(|calendar| calendar.holiday_on(day))
    }

    /// Whether no moment of that weekday is open.
    pub fn rests_on(&self, day: Weekday) -> bool {
        self.days[day.num_days_from_monday() as usize].is_none()
    }

    fn is_open_at(&self, local: NaiveDateTime) -> bool {
        self.days[local.weekday().num_days_from_monday() as usize].is_open_at(local.time())
            && self.holiday_on(local.date()).is_none()
    }
}

/// Whether a message may reach somebody now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum QuietDecision {
    /// It may.
    Open,
    /// Not yet.
    Quiet {
        /// The first instant at which every candidate zone is open; [`HORIZON`] ahead if there is none
        /// before.
        until: DateTime<Utc>,
        /// A zone that is quiet until then, or still is at the end of the [`HORIZON`].
        zone: Tz,
    },
}

/// What is asked of every moment: the candidate zones and the rules that bind in each of them.
#[derive(Clone, Copy)]
struct Rules<'a> {
    zones: &'a [Tz],
    quiet: Option<Window>,
    week: Option<&'a WeekRules>,
}

impl Rules<'_> {
    fn allow(&self, local: NaiveDateTime) -> bool {
        !self.quiet.is_some_and(|window| window.is_quiet_at(local.time()))
            && self.week.is_none_or(|week| week.is_open_at(local))
    }

    /// The first zone in which `instant` is quiet.
    fn quiet_zone(&self, instant: DateTime<Utc>) -> Option<Tz> {
        let unbound = self.quiet.is_none() && self.week.is_none();
        if unbound {
            return None;
        }
        self.zones.iter().copied().find(|&zone| !self.open_in(instant, zone))
    }

    fn open_in(&self, instant: DateTime<Utc>, zone: Tz) -> bool {
        let utc = instant.naive_utc();
        let local = utc + zone.offset_from_utc_datetime(&utc).fix();
        if !self.allow(local) {
            return false;
        }
        match zone.offset_from_local_datetime(&local) {
            // This hour comes twice: clocks that have not changed yet, or already, must agree.
            MappedLocalTime::Ambiguous(before, after) => {
                self.allow(utc + before.fix()) && self.allow(utc + after.fix())
            }
            MappedLocalTime::Single(_) | MappedLocalTime::None => true,
        }
    }

    /// The first edge after `now`, within the horizon, at which `wanted` holds.
    fn first_edge(
        &self,
        now: DateTime<Utc>,
        mut wanted: impl FnMut(DateTime<Utc>) -> bool,
    ) -> Option<DateTime<Utc>> {
        let horizon = now + HORIZON;
        let mut from = now;
        while from < horizon {
            let to = (from + TimeDelta::days(1)).min(horizon);
            if let Some(edge) = edges::between(self, from, to).into_iter().find(|&edge| wanted(edge)) {
                return Some(edge);
            }
            from = to;
        }
        None
    }
}

/// Decides whether `now` is open in all `zones`, and if not, from when on it is.
///
/// `quiet` are the tenant's quiet hours, `week` the hours that law allows for this kind of message; both
/// bind. No zones at all means that nothing is known, and that is not open.
pub fn check(
    now: DateTime<Utc>,
    zones: &[Tz],
    quiet: Option<Window>,
    week: Option<&WeekRules>,
) -> QuietDecision {
    if zones.is_empty() {
        return QuietDecision::Quiet { until: now + HORIZON, zone: Tz::UTC };
    }
    let rules = Rules { zones, quiet, week };
    let Some(mut zone) = rules.quiet_zone(now) else {
        return QuietDecision::Open;
    };
    let opens = rules.first_edge(now, |edge| match rules.quiet_zone(edge) {
        Some(still) => {
            zone = still;
            false
        }
        None => true,
    });
    QuietDecision::Quiet { until: opens.unwrap_or(now + HORIZON), zone }
}

/// The first moment from `now` on that is not open: `now` itself if it is quiet, `None` if the next
/// [`HORIZON`] stays open. A message that is handed over must not leave its queue after this.
pub fn closes_at(
    now: DateTime<Utc>,
    zones: &[Tz],
    quiet: Option<Window>,
    week: Option<&WeekRules>,
) -> Option<DateTime<Utc>> {
    let rules = Rules { zones, quiet, week };
    if zones.is_empty() || rules.quiet_zone(now).is_some() {
        return Some(now);
    }
    rules.first_edge(now, |edge| rules.quiet_zone(edge).is_some())
}

/// Times of day as people write them in settings: `21:00`, seconds only if there are any.
mod clock_face {
    use chrono::{NaiveTime, Timelike};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        let format = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
        serializer.collect_str(&time.format(format))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M")
            .or_else(|_| NaiveTime::parse_from_str(&text, "%H:%M:%S"))
            .map_err(|_| D::Error::custom("a time of day is written like 21:00"))
    }
}

#[cfg(test)]
mod tests;
