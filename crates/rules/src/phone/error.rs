//! What is wrong with a number, in words for the form it was typed into.

use crate::zones;
use std::fmt;

/// Why a text is not a phone number. `country` is the ISO 3166 alpha-2 code of the plan it breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhoneError {
    /// Nothing was typed.
    Empty,
    /// Letters, as in 1-800-FLOWERS or the name of a sender.
    Letters,
    /// Neither digits nor the usual punctuation, or punctuation in strange places.
    NotANumber,
    /// A spreadsheet has rounded digits away: `6.1412E+10`.
    ExcelDamaged,
    /// A local number, and no country to be local to.
    NoCountry,
    /// A calling code that nobody has.
    UnknownCallingCode,
    /// A short code or an emergency number.
    ShortCode,
    /// A local number without its area code.
    MissingAreaCode {
        /// Whose plan.
        country: Option<String>,
    },
    /// Digits are missing.
    TooShort {
        /// Whose plan.
        country: Option<String>,
    },
    /// There are digits too many.
    TooLong {
        /// Whose plan.
        country: Option<String>,
    },
    /// Between lengths that exist.
    WrongLength {
        /// Whose plan.
        country: Option<String>,
    },
}

impl std::error::Error for PhoneError {}

impl fmt::Display for PhoneError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = match self {
            Self::Empty => "Enter a phone number",
            Self::Letters => "A phone number has digits only, no letters",
            Self::NotANumber => "This is not a phone number",
            Self::ExcelDamaged => {
                "A spreadsheet has rounded this number; format the column as text and export it again"
            }
            Self::NoCountry => "Start this number with + and its country code",
            Self::UnknownCallingCode => "No country has this country code",
            Self::ShortCode => {
                "This is too short for a phone number; write it whole, with its area code (short codes and emergency numbers cannot be texted)"
            }
            Self::MissingAreaCode { country } => {
                return write!(formatter, "This number needs its area code{}", in_country("in", country));
            }
            Self::TooShort { country } => {
                return write!(formatter, "This number is too short{}", in_country("for", country));
            }
            Self::TooLong { country } => {
                return write!(formatter, "This number is too long{}", in_country("for", country));
            }
            Self::WrongLength { country } => {
                return write!(formatter, "This number has a wrong length{}", in_country("for", country));
            }
        };
        formatter.write_str(sentence)
    }
}

fn in_country(preposition: &str, code: &Option<String>) -> String {
    match code.as_deref().map(|code| (code, zones::country(code))) {
        None => String::new(),
        Some((_, Some(country))) => format!(" {preposition} {}", country.name_in_prose()),
        Some((code, None)) => format!(" {preposition} {code}"),
    }
}
