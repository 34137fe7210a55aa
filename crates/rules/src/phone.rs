//! Phone numbers as people write them, and as E.164.
//!
//! Promises: [`parse`] reads what forms, spreadsheets and other programs hold (any punctuation and digit
//! script, invisible marks, prefixes, the damage done by Excel) into E.164, or says in plain words what
//! is wrong. A number whose length cannot be right is an error; one that has a right length but lies in
//! no range in use is `valid: false`, for a person to look at. Letters are refused, never dialled.
//! Does not: know whether somebody answers, accept short codes or alphanumeric senders, or guess digits.

mod clean;
mod error;
mod library;
mod special;

pub use error::PhoneError;
pub use special::{is_fictional, is_magic};

use serde::{Deserialize, Serialize};

words! {
    /// What a number range is used for.
    pub enum NumberKind {
        /// Mobile.
        Mobile = "mobile",
        /// Landline.
        FixedLine = "fixed_line",
        /// Either, as in North America, where the number does not tell.
        FixedOrMobile = "fixed_or_mobile",
        /// Free for the caller: 1800.
        TollFree = "toll_free",
        /// Partly paid by the callee: 13, 1300.
        SharedCost = "shared_cost",
        /// Dear.
        Premium = "premium",
        /// Internet telephony.
        Voip = "voip",
        /// Follows a person around.
        Personal = "personal",
        /// Pagers, voicemail, company-wide numbers, and ranges not in use.
        Other = "other",
    }
}

/// A phone number that was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// Plus, calling code and national number, in digits.
    pub e164: String,
    /// An extension that was written with it; never part of `e164`.
    pub ext: Option<String>,
    /// What the range is used for.
    pub kind: NumberKind,
    /// ISO 3166 alpha-2 of the country or territory it belongs to.
    pub region: Option<String>,
    /// Whether it lies in a range that is in use.
    pub valid: bool,
}

impl Phone {
    /// Whether a text can be meant to reach it: a valid mobile, or a number that may be one. Twilio's
    /// magic numbers count, so that every outcome can be tried.
    pub fn textable(&self) -> bool {
        let mobile = matches!(self.kind, NumberKind::Mobile | NumberKind::FixedOrMobile);
        self.valid && (mobile || is_magic(&self.e164))
    }

    /// Whether the number is set aside for films and tests: see [`is_fictional`].
    pub fn is_fictional(&self) -> bool {
        is_fictional(&self.e164)
    }
}

/// Reads a number. `region`, ISO 3166 alpha-2, is the country it is local to when it names none itself.
///
/// ```
/// use patchbay_rules::phone::parse;
/// let phone = parse("(04) 1234-5678", Some("AU")).unwrap();
/// assert_eq!(phone.e164, "+61412345678");
/// let error = parse("0412 345 67", Some("AU")).unwrap_err();
/// assert_eq!(error.to_string(), "This number is too short for Australia");
/// ```
pub fn parse(input: &str, region: Option<&str>) -> Result<Phone, PhoneError> {
    let written = clean::clean(input)?;
    let mut phone = library::read(&written.number, region)?;
    // A zero too many after the country's code is read as part of the number at first, and as a trunk prefix the next
    // time: such digits are nobody's.
    if phone.e164.bytes().skip(2).take(3).any(|digit| digit == b'0')
        && library::read(&phone.e164, None)?.e164 != phone.e164
    {
        return Err(PhoneError::NotANumber);
    }
    phone.ext = written.ext;
    Ok(phone)
}

/// Whether the text is a number in E.164: a plus and 7 to 15 digits, the first of them not 0.
pub fn is_e164(text: &str) -> bool {
    match text.as_bytes() {
        [b'+', b'1'..=b'9', rest @ ..] => {
            (6..=14).contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// Writes an E.164 number for people: in the national style within `tenant_region` (ISO 3166 alpha-2),
/// in the international style elsewhere. What is not a number comes back as it is.
pub fn format_national_or_international(e164: &str, tenant_region: &str) -> String {
    library::format(e164, tenant_region).unwrap_or_else(|| e164.to_owned())
}

/// A number as logs may hold it: its last three digits.
pub fn mask(e164: &str) -> String {
    let digits: Vec<char> = e164.chars().filter(char::is_ascii_digit).collect();
    let shown = if digits.len() > 3 { &digits[digits.len() - 3..] } else { &[] };
    format!("…{}", shown.iter().collect::<String>())
}

#[cfg(test)]
mod tests;
