//! How a text travels as SMS: its alphabet, its segments, and how to keep both small.
//!
//! Promises: [`count`] packs as handsets do (3GPP TS 23.038 and 23.040): septets in the GSM 7-bit default
//! alphabet, UTF-16 units otherwise, never splitting an escape pair or a surrogate pair.
//! Does not: use national shift tables (Twilio does not), or apply to WhatsApp, which has no segments.

mod replace;

pub use replace::smart_replace;

use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

words! {
    /// The alphabet of a text message.
    pub enum Encoding {
        /// Seven bits per character, from a table of 137.
        Gsm7 = "gsm7",
        /// Sixteen bits per unit; one character outside the table is enough.
        Ucs2 = "ucs2",
    }
}

impl Encoding {
    /// Units that fit in a message of one segment.
    pub const fn single(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units that fit in each of several segments, the rest being taken by their header.
    pub const fn multipart(self) -> u32 {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

/// What a text takes as SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segments {
    /// The alphabet of the whole text.
    pub encoding: Encoding,
    /// Septets or UTF-16 units.
    pub units: u32,
    /// Segments that are sent and paid for; 1 for an empty text, should anybody send it.
    pub segments: u32,
    /// Units still free in the last segment.
    pub per_segment_left: u32,
}

/// The alphabet that a text needs.
pub fn encode(text: &str) -> Encoding {
    if text.chars().all(is_gsm7) { Encoding::Gsm7 } else { Encoding::Ucs2 }
}

/// Whether the GSM 7-bit default alphabet or its extension has the character.
pub const fn is_gsm7(character: char) -> bool {
    septets(character).is_some()
}

/// Counts the segments of a text as it stands; [`normalise`] it first, as the sender will.
///
/// ```
/// use patchbay_rules::segments::{Encoding, count};
/// let invoice = count("Your invoice is ready: €120");
/// assert_eq!((invoice.encoding, invoice.units, invoice.segments), (Encoding::Gsm7, 28, 1));
/// ```
pub fn count(text: &str) -> Segments {
    let encoding = encode(text);
    let sizes = || text.chars().map(|character| size(character, encoding));
    let units: u32 = sizes().fold(0, u32::saturating_add);
    if units <= encoding.single() {
        return Segments { encoding, units, segments: 1, per_segment_left: encoding.single() - units };
    }
    let (mut segments, mut used) = (1_u32, 0);
    for size in sizes() {
        if used + size > encoding.multipart() {
            segments = segments.saturating_add(1);
            used = 0;
        }
        used += size;
    }
    Segments { encoding, units, segments, per_segment_left: encoding.multipart() - used }
}

fn size(character: char, encoding: Encoding) -> u32 {
    match encoding {
        Encoding::Gsm7 => septets(character).unwrap_or(0),
        Encoding::Ucs2 => u32::from(character.len_utf16() == 2) + 1,
    }
}

/// Septets of a character: 1 from the default table, 2 from the extension, which follows an escape.
pub(crate) const fn septets(character: char) -> Option<u32> {
    match character {
        '\n' | '\r' | ' '..='#' | '%'..='?' | 'A'..='Z' | 'a'..='z' => Some(1),
        '@' | '£' | '$' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' => {
            Some(1)
        }
        'Δ' | '_' | 'Φ' | 'Γ' | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' | 'Æ' | 'æ' | 'ß' | 'É' => {
            Some(1)
        }
        '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü' | '§' | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        '\u{C}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        _ => None,
    }
}

/// The text as it should be sent: accents composed (a composed é is in the GSM alphabet, a combining one
/// is not), line ends as LF, and characters without width removed. Those that join emoji, or letters of
/// scripts that need joining, stay.
pub fn normalise(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                let _ = characters.next_if_eq(&'\n');
                clean.push('\n');
            }
            '\u{200B}' | '\u{2060}' | '\u{FEFF}' => {}
            '\u{200C}' | '\u{200D}' => {
                let needs = |neighbour: Option<char>| neighbour.is_some_and(needs_joiners);
                if needs(clean.chars().next_back()) && needs(characters.peek().copied()) {
                    clean.push(character);
                }
            }
            _ => clean.push(character),
        }
    }
    // Last, because a mark may have stood between a letter and its accent.
    match is_nfc_quick(clean.chars()) {
        IsNormalized::Yes => clean,
        IsNormalized::No | IsNormalized::Maybe => clean.nfc().collect(),
    }
}

/// Emoji, their modifiers, and the scripts from Arabic to Sinhala.
const fn needs_joiners(character: char) -> bool {
    matches!(character as u32, 0x1F000..|0x2190..=0x2BFF| 0xFE0F | 0x0600..=0x0DFF)
}

#[cfg(test)]
mod tests;
