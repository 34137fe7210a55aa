//! The hours in which law, or prudence where law is silent, allows marketing messages.
//!
//! Data, not advice. Several of the American statutes speak of voice calls only; applying them to texts
//! is the safe reading. Where tables of them disagree, the narrowest stands here.

use super::{Hours, WeekRules};
use crate::holidays::Calendar;
use crate::zones::state;

const NONE: Hours = Hours::NONE;

const fn hours(from: u16, to: u16) -> Hours {
    Hours::between(from, to)
}

/// The default for North American marketing texts: narrower than 47 CFR 64.1200(c)(1) (8 to 21) and
/// within the hours of nearly every state.
const NORTH_AMERICA: WeekRules = WeekRules::new(hours(10, 20), hours(10, 20), hours(12, 17));

/// The hours of the Telemarketing and Research Calls Industry Standard, which binds voice calls; the
/// Spam Act 2003 sets none for messages.
const AUSTRALIA: WeekRules = WeekRules::new(hours(9, 20), hours(9, 17), NONE);

/// No marketing texts on Sundays or at night.
const FRANCE: WeekRules = WeekRules::new(hours(8, 20), hours(8, 20), NONE);

/// State law: Monday to Friday, Saturday, Sunday.
const STATES: &[(&str, WeekRules)] = &[
    ("AL", WeekRules::new(hours(8, 20), hours(8, 20), NONE)),
    ("CT", WeekRules::new(hours(9, 20), hours(9, 20), hours(9, 20))),
    ("FL", WeekRules::new(hours(8, 20), hours(8, 20), hours(8, 20))),
    ("IL", WeekRules::new(hours(8, 21), hours(8, 21), hours(8, 21))),
    ("KY", WeekRules::new(hours(10, 21), hours(10, 21), hours(10, 21))),
    ("LA", WeekRules::new(hours(8, 20), hours(8, 20), NONE)),
    ("MA", WeekRules::new(hours(8, 20), hours(8, 20), hours(8, 20))),
    ("MD", WeekRules::new(hours(8, 20), hours(8, 20), hours(8, 20))),
    ("MI", WeekRules::new(hours(9, 21), hours(9, 21), hours(9, 21))),
    ("MN", WeekRules::new(hours(9, 21), hours(9, 21), hours(9, 21))),
    ("MS", WeekRules::new(hours(8, 20), hours(8, 20), NONE)),
    ("NJ", WeekRules::new(hours(8, 20), hours(8, 20), hours(8, 20))),
    ("NM", WeekRules::new(hours(9, 21), hours(9, 21), hours(9, 21))),
    ("NV", WeekRules::new(hours(9, 20), hours(9, 20), hours(9, 20))),
    ("OK", WeekRules::new(hours(8, 20), hours(8, 20), hours(8, 20))),
    ("PA", WeekRules::new(hours(8, 21), hours(8, 12), NONE)),
    ("RI", WeekRules::new(hours(9, 18), hours(10, 17), NONE)),
    ("SD", WeekRules::new(hours(9, 21), hours(9, 21), NONE)),
    ("TX", WeekRules::new(hours(9, 21), hours(9, 21), hours(12, 21))),
    ("UT", WeekRules::new(hours(9, 21), hours(9, 21), NONE)),
    ("VA", WeekRules::new(hours(8, 21), hours(8, 21), hours(8, 21))),
    ("WA", WeekRules::new(hours(8, 20), hours(8, 20), hours(8, 20))),
    ("WY", WeekRules::new(hours(9, 21), hours(9, 21), NONE)),
];

/// States whose law forbids marketing on holidays, whatever the business chose.
const RESTING: [&str; 4] = ["AL", "LA", "PA", "RI"];

/// The hours, on the recipient's clock, in which somebody in this country and state may be sent
/// marketing. `None`: no rule is known, and the tenant's own quiet hours stand alone.
///
/// `country` is ISO 3166 alpha-2, `state` an abbreviation or English name. In the United States and
/// their territories a state's law narrows the North American default; an unknown state leaves it.
/// Public holidays are closed if `resting`, or if the state's law says so.
pub fn marketing_rules(country: &str, state: Option<&str>, resting: bool) -> Option<WeekRules> {
    let mut code = [0; 2];
    code.copy_from_slice(country.trim().as_bytes().get(..2)?);
    code.make_ascii_uppercase();
    let state = american_state(state).filter(|_| &code == b"US");
    let (week, holidays) = match &code {
        b"US" => (american_hours(state), Some(Calendar::UnitedStates)),
        b"PR" | b"VI" | b"GU" | b"AS" | b"MP" => (NORTH_AMERICA, Some(Calendar::UnitedStates)),
        b"CA" => (NORTH_AMERICA, None),
        b"AU" => (AUSTRALIA, Some(Calendar::Australia)),
        b"FR" => (FRANCE, Some(Calendar::France)),
        _ => return None,
    };
    let rests = resting || state.is_some_and(|code| RESTING.contains(&code));
    Some(WeekRules { holidays: holidays.filter(|_| rests), ..week })
}

/// Whose rules [`marketing_rules`] are, as it completes "in …": `Australia`, `Texas`. Empty where none are known.
pub fn marketing_place(country: &str, state: Option<&str>) -> &'static str {
    match country.trim().to_ascii_uppercase().as_str() {
        "US" => crate::zones::state("US", state.unwrap_or_default())
            .filter(|state| STATES.iter().any(|(code, _)| *code == state.code))
            .map_or("the United States", |state| state.name),
        "PR" => "Puerto Rico",
        "VI" => "the US Virgin Islands",
        "GU" => "Guam",
        "AS" => "American Samoa",
        "MP" => "the Northern Mariana Islands",
        "CA" => "Canada",
        "AU" => "Australia",
        "FR" => "France",
        _ => "",
    }
}

fn american_state(text: Option<&str>) -> Option<&'static str> {
    state("US", text?).map(|state| state.code)
}

fn american_hours(state: Option<&str>) -> WeekRules {
    let law = STATES.iter().find(|(code, _)| Some(*code) == state);
    law.map_or(NORTH_AMERICA, |(_, law)| law.intersect(&NORTH_AMERICA))
}
