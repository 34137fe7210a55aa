//! The hours in which law, or prudence where law is silent, allows marketing messages.
//!
//! Data, not advice. Several of the American statutes speak of voice calls only; applying them to texts
//! is the safe reading. Where tables of them disagree, the narrowest stands here. Holidays are not known.

use super::{Hours, WeekRules};
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

/// The hours, on the recipient's clock, in which somebody in this country and state may be sent
/// marketing. `None`: no rule is known, and the tenant's own quiet hours stand alone.
///
/// `country` is ISO 3166 alpha-2, `state` an abbreviation or English name. In the United States and
/// their territories a state's law narrows the North American default; an unknown state leaves it.
pub fn marketing_rules(country: &str, state: Option<&str>) -> Option<WeekRules> {
    let mut code = [0; 2];
    code.copy_from_slice(country.trim().as_bytes().get(..2)?);
    code.make_ascii_uppercase();
    match &code {
        b"US" => Some(american_state(state).map_or(NORTH_AMERICA, |law| law.intersect(&NORTH_AMERICA))),
        b"CA" | b"PR" | b"VI" | b"GU" | b"AS" | b"MP" => Some(NORTH_AMERICA),
        b"AU" => Some(AUSTRALIA),
        b"FR" => Some(FRANCE),
        _ => None,
    }
}

fn american_state(text: Option<&str>) -> Option<&'static WeekRules> {
    let code = state("US", text?)?.code;
    STATES.iter().find(|(law, _)| *law == code).map(|(_, rules)| rules)
}
