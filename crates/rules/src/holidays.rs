//! Public holidays on which marketing rests, by rule.
//!
//! Promises: any year is answered by the rules as they are today, days in lieu included; where a holiday is moved, both
//! the day itself and the day in lieu rest.
//! Does not: know holidays of states and provinces, or days that are proclaimed once.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// Whose holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// The federal holidays of the United States, 5 U.S.C. 6103; in lieu by Executive Order 11582.
    UnitedStates,
    /// Those that are kept all over Australia, as the Telecommunications (Telemarketing and Research Calls) Industry
    /// Standard 2017 names them; in lieu where every state gives another day.
    Australia,
    /// Code du travail, art. L3133-1.
    France,
}

/// On which day of the year.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Month, day.
    On(u32, u32),
    /// Month, weekday, which of them.
    Nth(u32, Weekday, u32),
    /// Month, weekday: the last of them.
    Last(u32, Weekday),
    /// Days after Easter Sunday.
    Easter(i64),
}

/// Which day is given for one at a weekend.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lieu {
    None,
    /// Friday for Saturday, Monday for Sunday.
    Nearest,
    /// The first working day after it.
    After,
}

struct Holiday {
    name: &'static str,
    rule: Rule,
    lieu: Lieu,
}

const fn holiday(name: &'static str, rule: Rule, lieu: Lieu) -> Holiday {
    Holiday { name, rule, lieu }
}

const UNITED_STATES: &[Holiday] = &[
    holiday("New Year's Day", Rule::On(1, 1), Lieu::Nearest),
    holiday("Martin Luther King Day", Rule::Nth(1, Weekday::Mon, 3), Lieu::None),
    holiday("Washington's Birthday", Rule::Nth(2, Weekday::Mon, 3), Lieu::None),
    holiday("Memorial Day", Rule::Last(5, Weekday::Mon), Lieu::None),
    holiday("Juneteenth", Rule::On(6, 19), Lieu::Nearest),
    holiday("Independence Day", Rule::On(7, 4), Lieu::Nearest),
    holiday("Labor Day", Rule::Nth(9, Weekday::Mon, 1), Lieu::None),
    holiday("Columbus Day", Rule::Nth(10, Weekday::Mon, 2), Lieu::None),
    holiday("Veterans Day", Rule::On(11, 11), Lieu::Nearest),
    holiday("Thanksgiving", Rule::Nth(11, Weekday::Thu, 4), Lieu::None),
    holiday("Christmas Day", Rule::On(12, 25), Lieu::Nearest),
];

const AUSTRALIA: &[Holiday] = &[
    holiday("New Year's Day", Rule::On(1, 1), Lieu::After),
    holiday("Australia Day", Rule::On(1, 26), Lieu::After),
    holiday("Good Friday", Rule::Easter(-2), Lieu::None),
    holiday("Easter Monday", Rule::Easter(1), Lieu::None),
    holiday("Anzac Day", Rule::On(4, 25), Lieu::None),
    holiday("Christmas Day", Rule::On(12, 25), Lieu::After),
    holiday("Boxing Day", Rule::On(12, 26), Lieu::After),
];

const FRANCE: &[Holiday] = &[
    holiday("New Year's Day", Rule::On(1, 1), Lieu::None),
    holiday("Easter Monday", Rule::Easter(1), Lieu::None),
    holiday("Labour Day", Rule::On(5, 1), Lieu::None),
    holiday("Victory Day", Rule::On(5, 8), Lieu::None),
    holiday("Ascension Day", Rule::Easter(39), Lieu::None),
    holiday("Whit Monday", Rule::Easter(50), Lieu::None),
    holiday("Bastille Day", Rule::On(7, 14), Lieu::None),
    holiday("Assumption Day", Rule::On(8, 15), Lieu::None),
    holiday("All Saints' Day", Rule::On(11, 1), Lieu::None),
    holiday("Armistice Day", Rule::On(11, 11), Lieu::None),
    holiday("Christmas Day", Rule::On(12, 25), Lieu::None),
];

impl Calendar {
    /// The holiday on that day, or that it is given in lieu of.
    pub fn holiday_on(self, day: NaiveDate) -> Option<&'static str> {
        let found = self.itself(day).or_else(|| self.nearest(day)).or_else(|| self.after(day));
        found.map(|holiday| holiday.name)
    }

    const fn holidays(self) -> &'static [Holiday] {
        match self {
            Self::UnitedStates => UNITED_STATES,
            Self::Australia => AUSTRALIA,
            Self::France => FRANCE,
        }
    }

    fn itself(self, day: NaiveDate) -> Option<&'static Holiday> {
        self.holidays().iter().find(|holiday| holiday.rule.meets(day))
    }

    fn moved(self, day: Option<NaiveDate>, lieu: Lieu) -> Option<&'static Holiday> {
        let day = day?;
        self.holidays().iter().find(|holiday| holiday.lieu == lieu && holiday.rule.meets(day))
    }

    fn nearest(self, day: NaiveDate) -> Option<&'static Holiday> {
        match day.weekday() {
            Weekday::Fri => self.moved(day.succ_opt(), Lieu::Nearest),
            Weekday::Mon => self.moved(day.pred_opt(), Lieu::Nearest),
            _ => None,
        }
    }

    /// The working days after a weekend are given, one by one, for the holidays on it.
    fn after(self, day: NaiveDate) -> Option<&'static Holiday> {
        let since_monday = day.weekday().num_days_from_monday();
        // Two holidays on the weekend and one on the Monday are the most there are.
        if since_monday > 2 || self.itself(day).is_some() {
            return None;
        }
        let monday = day.checked_sub_days(Days::new(since_monday.into()))?;
        let weekend = [2, 1].map(|days| monday.checked_sub_days(Days::new(days)));
        let owed = weekend.into_iter().filter_map(|day| self.moved(day, Lieu::After));
        let given = monday.iter_days().take_while(|earlier| *earlier < day);
        owed.into_iter().nth(given.filter(|earlier| self.itself(*earlier).is_none()).count())
    }
}

impl Rule {
    fn meets(self, day: NaiveDate) -> bool {
        match self {
            Self::On(month, of_month) => (day.month(), day.day()) == (month, of_month),
            Self::Nth(month, weekday, nth) => {
                (day.month(), day.weekday()) == (month, weekday) && day.day().div_ceil(7) == nth
            }
            Self::Last(month, weekday) => {
                let next = day.checked_add_days(Days::new(7));
                (day.month(), day.weekday()) == (month, weekday)
                    && next.is_none_or(|next| next.month() != month)
            }
            // Easter lies between 22 March and 25 April; whatever hangs on it is over by mid-June.
            Self::Easter(days) => {
                (3..=6).contains(&day.month())
                    && easter(day.year()).is_some_and(|sunday| (day - sunday).num_days() == days)
            }
        }
    }
}

/// Easter Sunday of the Gregorian calendar, by the anonymous algorithm (Nature, 20 April 1876; Meeus, Astronomical
/// Algorithms, chapter 8).
fn easter(year: i32) -> Option<NaiveDate> {
    let golden = year % 19;
    let (century, of_century) = (year / 100, year % 100);
    let (leaps, of_leap) = (century / 4, century % 4);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - leaps - correction + 15) % 30;
    let to_sunday = (32 + 2 * of_leap + 2 * (of_century / 4) - epact - of_century % 4) % 7;
    let late = (golden + 11 * epact + 22 * to_sunday) / 451;
    let days = epact + to_sunday - 7 * late + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(days / 31).ok()?, u32::try_from(days % 31 + 1).ok()?)
}

#[cfg(test)]
mod tests;
