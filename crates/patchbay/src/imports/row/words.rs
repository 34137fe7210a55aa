//! What lists write in a cell, and what it means: countries, yes and no, bases of an agreement, days.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use patchbay_rules::consent::Basis;

use crate::{consent::State, contacts::clean};

/// Two letters, or the name of a country that many lists hold.
pub(super) fn country(word: &str) -> Option<String> {
    if word.len() == 2 && word.bytes().all(|letter| letter.is_ascii_alphabetic()) {
        return Some(word.to_uppercase());
    }
    const NAMES: [(&str, &str); 12] = [
        ("australia", "AU"),
        ("new zealand", "NZ"),
        ("united states", "US"),
        ("united states of america", "US"),
        ("usa", "US"),
        ("canada", "CA"),
        ("united kingdom", "GB"),
        ("great britain", "GB"),
        ("ireland", "IE"),
        ("germany", "DE"),
        ("el salvador", "SV"),
        ("aus", "AU"),
    ];
    let word = word.to_lowercase();
    NAMES.iter().find(|(name, _)| *name == word).map(|(_, code)| (*code).to_owned())
}

/// Yes or no, as lists write it.
pub(super) fn agreement(cell: &str) -> Result<State, String> {
    let word = clean::line(cell).unwrap_or_default().to_lowercase();
    match word.as_str() {
        "yes" | "y" | "true" | "t" | "1" | "x" | "on" | "✓" | "✔" | "subscribed" | "opted in"
        | "opted-in" | "opt-in" | "opt in" | "optin" | "agreed" | "granted" | "ja" | "si" | "sí" | "oui" => {
            Ok(State::Subscribed)
        }
        "no" | "n" | "false" | "f" | "0" | "off" | "unsubscribed" | "opted out" | "opted-out" | "opt-out"
        | "opt out" | "optout" | "stop" | "declined" | "refused" | "revoked" | "nein" | "non" => {
            Ok(State::Unsubscribed)
        }
        "unknown" | "-" | "?" => Ok(State::Unknown),
        _ => Err("Write yes or no.".to_owned()),
    }
}

/// What an agreement rests on, as lists write it.
pub(super) fn basis(cell: &str) -> Result<Basis, String> {
    let word = clean::line(cell).unwrap_or_default().to_lowercase();
    match word.as_str() {
        "express" | "explicit" | "opt-in" | "optin" => Ok(Basis::Express),
        "enquiry" | "inquiry" | "enquired" | "lead" | "quote request" => Ok(Basis::Enquiry),
        "purchase" | "customer" | "bought" | "sale" | "order" => Ok(Basis::Purchase),
        _ => Err("Write express, enquiry or purchase.".to_owned()),
    }
}

/// A day or an instant; without a zone it is in UTC. Days as 14/03/2026 could be read in two ways and are not.
pub(super) fn instant(cell: &str) -> Option<DateTime<Utc>> {
    let text = cell.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    for shape in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, shape) {
            return Some(at.and_utc());
        }
    }
    ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y"]
        .iter()
        .find_map(|shape| NaiveDate::parse_from_str(text, shape).ok())
        .and_then(|day| Some(day.and_hms_opt(0, 0, 0)?.and_utc()))
}
