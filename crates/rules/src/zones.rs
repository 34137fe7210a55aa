//! The zones a contact may be living in.
//!
//! Promises: [`resolve`] never answers with an empty list, and answers with every zone that the facts
//! leave possible, because a message may go out only when all of them are within the allowed hours.
//! The best fact wins: an explicit zone, then the address, then the geography of the phone number, then
//! the tenant's own zone.
//! Does not: look anything up. Number portability and moving house are beyond it, so it says whether the
//! answer is certain.

mod nanp;
mod regions;

pub use nanp::{AreaCode, CONTINENTAL, area_code};
pub use regions::{AUSTRALIA, Country, State, country, country_of_number, state};

use chrono_tz::{Australia, Indian, Pacific, Tz};

words! {
    /// The fact that decided the candidate zones.
    pub enum ZoneSource {
        /// Somebody set the contact's zone.
        Explicit = "explicit",
        /// Postcode, state or country of the address.
        Address = "address",
        /// The geography of the phone number.
        Phone = "phone",
        /// Nothing is known of the contact: the business's own zone.
        Tenant = "tenant",
    }
}

/// What is known about where a contact lives.
#[derive(Debug, Clone, Copy)]
pub struct ZoneFacts<'a> {
    /// A zone set for this contact.
    pub explicit: Option<Tz>,
    /// ISO 3166 alpha-2 of the address.
    pub country: Option<&'a str>,
    /// State or province: abbreviation or English name.
    pub state: Option<&'a str>,
    /// Postcode.
    pub postal: Option<&'a str>,
    /// The phone number in E.164.
    pub phone_e164: Option<&'a str>,
    /// The business's own zone.
    pub tenant: Tz,
}

/// The candidate zones of a contact.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Zones {
    /// Never empty.
    pub zones: Vec<Tz>,
    /// Which fact they come from.
    pub source: ZoneSource,
    /// Whether the contact's zone is known rather than guessed.
    pub certain: bool,
}

impl Zones {
    fn new(zones: &[Tz], source: ZoneSource, certain: bool) -> Self {
        Self { zones: zones.to_vec(), source, certain: certain && zones.len() == 1 }
    }
}

/// Narrows down where a contact may be.
///
/// ```
/// use patchbay_rules::zones::{ZoneFacts, ZoneSource, resolve};
/// let sydney = chrono_tz::Australia::Sydney;
/// let facts = ZoneFacts {
///     explicit: None, country: Some("AU"), state: Some("WA"), postal: None,
///     phone_e164: Some("+61412345678"), tenant: sydney,
/// };
/// let answer = resolve(&facts);
/// assert_eq!((answer.zones, answer.source), (vec![chrono_tz::Australia::Perth], ZoneSource::Address));
/// ```
pub fn resolve(facts: &ZoneFacts<'_>) -> Zones {
    if let Some(zone) = facts.explicit {
        return Zones::new(&[zone], ZoneSource::Explicit, true);
    }
    if let Some(zones) = by_address(facts) {
        return Zones::new(zones, ZoneSource::Address, true);
    }
    let country = facts.country.and_then(country);
    if let Some(country) = country.filter(|country| country.zones.len() == 1) {
        return Zones::new(country.zones, ZoneSource::Address, true);
    }
    if let Some((zones, certain)) = facts.phone_e164.and_then(by_phone) {
        return Zones::new(zones, ZoneSource::Phone, certain);
    }
    if let Some(country) = country {
        return Zones::new(country.zones, ZoneSource::Address, false);
    }
    Zones::new(&[facts.tenant], ZoneSource::Tenant, false)
}

/// Postcode or state, read in the address's country or else in that of the phone number.
fn by_address(facts: &ZoneFacts<'_>) -> Option<&'static [Tz]> {
    let phone = facts.phone_e164.unwrap_or_default();
    let countries: &[&str] = match facts.country.map(str::trim) {
        Some(country) if !country.is_empty() => &[country],
        _ if phone.starts_with("+61") => &["AU"],
        // No abbreviation of a state is also one of a province.
        _ if phone.starts_with("+1") => &["US", "CA"],
        _ => return None,
    };
    let by_postcode = || {
        let australian = countries.iter().any(|country| country.eq_ignore_ascii_case("AU"));
        facts.postal.filter(|_| australian).and_then(by_australian_postcode)
    };
    let by_state = || {
        let text = facts.state?;
        countries.iter().find_map(|country| state(country, text)).map(|state| state.zones)
    };
    by_postcode().or_else(by_state)
}

/// Zones of an Australian postcode: the state's, apart from the corners that keep another clock.
pub fn by_australian_postcode(postcode: &str) -> Option<&'static [Tz]> {
    let postcode = postcode.trim();
    if !(3..=4).contains(&postcode.len()) || !postcode.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(match postcode.parse::<u16>().ok()? {
        2880 => &[Australia::Broken_Hill],
        2898 => &[Australia::Lord_Howe],
        2899 => &[Pacific::Norfolk],
        6443 => &[Australia::Perth, Australia::Eucla],
        6798 => &[Indian::Christmas],
        6799 => &[Indian::Cocos],
        // Remote communities on both sides of three borders.
        872 => &[Australia::Darwin, Australia::Adelaide, Australia::Perth],
        200..=299 | 1000..=2999 => &[Australia::Sydney],
        800..=999 => &[Australia::Darwin],
        3000..=3999 | 8000..=8999 => &[Australia::Melbourne],
        4000..=4999 | 9000..=9999 => &[Australia::Brisbane],
        5000..=5999 => &[Australia::Adelaide],
        6000..=6999 => &[Australia::Perth],
        7000..=7999 => &[Australia::Hobart],
        _ => return None,
    })
}

/// The country that a number belongs to: ISO 3166 alpha-2. Those of +1 share a calling code, so the area code tells;
/// `None` for one that no table knows yet, and for what is no number.
pub fn country_of(e164: &str) -> Option<&'static str> {
    match e164.strip_prefix("+1") {
        Some(national) => area_of(national).map(|area| area.country),
        None => country_of_number(e164).map(|country| country.code),
    }
}

/// The same, taking an area code that no table knows yet for an overlay somewhere in the United States.
pub fn likely_country_of(e164: &str) -> Option<&'static str> {
    country_of(e164).or_else(|| e164.starts_with("+1").then_some("US"))
}

/// Every country that a number may belong to, for rules that must not be missed: one of the two largest of +1 where
/// the area code does not tell.
pub fn countries_of(e164: &str) -> &'static [&'static str] {
    match country_of(e164) {
        Some("CA") => &["CA"],
        None if e164.starts_with("+1") => &["US", "CA"],
        found => found.and_then(country).map_or(&[], |country| std::slice::from_ref(&country.code)),
    }
}

fn area_of(national: &str) -> Option<AreaCode> {
    national.get(..3).and_then(|code| code.parse().ok()).and_then(area_code)
}

/// Zones by number geography, and whether the number can be trusted to tell.
fn by_phone(e164: &str) -> Option<(&'static [Tz], bool)> {
    if let Some(national) = e164.strip_prefix("+1") {
        let known = area_of(national);
        // North American numbers move with their owners, so the code is a hint at best.
        return Some((known.map_or(CONTINENTAL, |code| code.zones), false));
    }
    if let Some(national) = e164.strip_prefix("+61") {
        return Some((by_australian_number(national), true));
    }
    country_of_number(e164).map(|country| (country.zones, true))
}

/// Geographic numbers by the ranges of the Australian numbering plan; mobiles, 13, 1300 and 1800 numbers
/// have no geography.
fn by_australian_number(national: &str) -> &'static [Tz] {
    match national.as_bytes() {
        [b'2' | b'3', ..] => &[Australia::Sydney],
        [b'7', ..] => &[Australia::Brisbane],
        [b'8', b'9', b'1', b'6', b'2', ..] => &[Indian::Cocos],
        [b'8', b'9', b'1', b'6', b'4', ..] => &[Indian::Christmas],
        [b'8', b'6' | b'9', ..] => &[Australia::Perth],
        [b'8', b'8', b'9', ..] => &[Australia::Darwin],
        [b'8', b'8', ..] => &[Australia::Adelaide, Australia::Darwin],
        [b'8', ..] => &[Australia::Adelaide, Australia::Darwin, Australia::Perth],
        _ => AUSTRALIA,
    }
}

#[cfg(test)]
mod tests;
