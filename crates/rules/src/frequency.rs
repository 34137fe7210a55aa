//! How many marketing texts somebody may be sent within a day.
//!
//! Florida (Telephone Solicitation Act, Fla. Stat. 501.616(6)), Maryland (Stop the Spam Calls Act of 2023) and Oklahoma
//! (Telephone Solicitation Act of 2022) allow three in 24 hours. People keep their numbers when they move, so that the
//! limit stands for every number of +1.

use chrono::TimeDelta;

/// At most so many within a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cap {
    /// Marketing texts.
    pub most: usize,
    /// In hours.
    pub hours: u16,
}

impl Cap {
    /// The span within which they are counted.
    pub fn span(self) -> TimeDelta {
        TimeDelta::hours(self.hours.into())
    }
}

/// By the beginning of the number; numbers that are not here have no limit.
const CAPS: &[(&str, Cap)] = &[("+1", Cap { most: 3, hours: 24 })];

/// The longest span of any cap: what was sent before it counts nowhere.
pub const LONGEST: TimeDelta = TimeDelta::hours(24);

/// The limit that binds a number in E.164.
pub fn cap(e164: &str) -> Option<Cap> {
    CAPS.iter().find(|(start, _)| e164.starts_with(start)).map(|(_, cap)| *cap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn american_numbers_are_capped() {
        assert_eq!(cap("+13055550123"), Some(Cap { most: 3, hours: 24 }));
        assert_eq!(cap("+61412345678"), None);
        assert_eq!(cap("dana@example.com"), None);
        assert!(CAPS.iter().all(|(_, cap)| cap.span() <= LONGEST && cap.most > 0));
    }
}
