//! From what was typed to digits and plain punctuation.
//!
//! Promises: the number that comes out holds ASCII digits, spaces, `-`, `.`, `(`, `)`, `/` and at most one
//! plus, in front. Undoes what spreadsheets, copying and messaging programs add; undoes nothing that
//! would mean guessing a digit.

use super::PhoneError;

/// A number and its extension, cleaned.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) number: String,
    pub(super) ext: Option<String>,
}

/// Longer texts are not numbers, and not worth reading.
const MAX_BYTES: usize = 250;

pub(super) fn clean(input: &str) -> Result<Written, PhoneError> {
    if input.len() > MAX_BYTES {
        return Err(PhoneError::NotANumber);
    }
    let plain: String = input.chars().filter_map(plain).collect();
    // An apostrophe in front, or ="…", is how spreadsheets are told that a number is text.
    let text =
        plain.trim_matches(|mark: char| mark.is_whitespace() || matches!(mark, '\'' | '"' | '`' | '='));
    let text = strip_scheme(text);
    if text.is_empty() {
        return Err(PhoneError::Empty);
    }
    if let Some(digits) = scientific(text)? {
        return Ok(Written { number: digits, ext: None });
    }
    let (number, ext) = split_extension(strip_decimal_zero(text));
    if number.chars().any(char::is_alphabetic) {
        return Err(PhoneError::Letters);
    }
    let mut signs = number.trim_start_matches([' ', '(']).chars();
    let first_may_be_plus = signs.next().is_some_and(|sign| sign == '+' || is_plain(sign));
    if !first_may_be_plus || !signs.all(is_plain) || !number.contains(|sign: char| sign.is_ascii_digit()) {
        return Err(PhoneError::NotANumber);
    }
    Ok(Written { number: number.trim().to_owned(), ext: ext.map(str::to_owned) })
}

fn is_plain(sign: char) -> bool {
    sign.is_ascii_digit() || matches!(sign, ' ' | '-' | '.' | '(' | ')' | '/')
}

/// One character in its plain form; `None` for marks that cannot be seen.
fn plain(sign: char) -> Option<char> {
    /// The zeros of digit scripts that people type on their own keyboards.
    const ZEROS: [u32; 6] = [0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0xFF10];
    if (' '..='~').contains(&sign) {
        return Some(sign);
    }
    let code = u32::from(sign);
    if let Some(zero) = ZEROS.into_iter().find(|&zero| (zero..zero + 10).contains(&code)) {
        return char::from_digit(code - zero, 10);
    }
    Some(match sign {
        // Soft hyphen, zero-width marks, marks of direction, variation selectors, byte order mark.
        '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' => return None,
        '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FE0E}' | '\u{FE0F}' | '\u{FEFF}' => {
            return None;
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30FC}' | '\u{FF0D}' => '-',
        '\u{FF0B}' => '+',
        '\u{FF08}' => '(',
        '\u{FF09}' => ')',
        '\u{FF0E}' | '\u{B7}' => '.',
        '\u{FF0F}' => '/',
        '\u{2018}' | '\u{2019}' | '\u{B4}' => '\'',
        '\u{201C}' | '\u{201D}' => '"',
        _ if sign.is_whitespace() => ' ',
        _ if sign.is_control() => return None,
        _ => sign,
    })
}

/// Takes off `tel:`, `sms:`, `callto:` and `whatsapp:`, also doubled and with slashes.
fn strip_scheme(mut text: &str) -> &str {
    const SCHEMES: [&str; 4] = ["tel:", "sms:", "callto:", "whatsapp:"];
    let starts_with = |text: &str, scheme: &str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    while let Some(scheme) = SCHEMES.into_iter().find(|scheme| starts_with(text, scheme)) {
        text = text[scheme.len()..].trim_start_matches(['/', ' ']);
    }
    text
}

/// Reads a number in scientific notation, `6.1412345678E+10`, whose digits are all there.
fn scientific(text: &str) -> Result<Option<String>, PhoneError> {
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Ok(None);
    };
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let looks_scientific = whole.len() == 1 && all_digits(whole) && all_digits(exponent);
    if !looks_scientific || !(fraction.is_empty() || all_digits(fraction)) {
        return Ok(None);
    }
    match exponent.parse::<usize>() {
        Ok(places) if fraction.len() == places => Ok(Some(format!("{whole}{fraction}"))),
        // Fewer digits than places: the rest reads as zeros, and nobody knows what they were.
        _ => Err(PhoneError::ExcelDamaged),
    }
}

/// Takes the `.0` off a whole number that passed through a decimal column.
fn strip_decimal_zero(text: &str) -> &str {
    let Some((whole, fraction)) = text.split_once('.') else {
        return text;
    };
    let digits = whole.strip_prefix('+').unwrap_or(whole);
    let is_number = digits.len() >= 7 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_zero = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    if is_number && is_zero { whole } else { text }
}

/// Splits `;ext=12`, `extension 12`, `ext. 12`, `x12` or `#12` off the end.
fn split_extension(text: &str) -> (&str, Option<&str>) {
    const MARKS: [&str; 7] = [";ext=", "extension", "extn", "ext", "x", "#", "~"];
    let digits_from = text.trim_end_matches(|sign: char| sign.is_ascii_digit()).len();
    let (before, digits) = text.split_at(digits_from);
    if !(1..=7).contains(&digits.len()) {
        return (text, None);
    }
    let before = before.trim_end_matches(['.', ':', ' ']);
    let ends_with = |mark: &&str| {
        let start = before.len().checked_sub(mark.len());
        start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(mark))
    };
    match MARKS.iter().find(|mark| ends_with(mark)) {
        Some(mark) => (before[..before.len() - mark.len()].trim_end_matches([' ', ',', ';']), Some(digits)),
        None => (text, None),
    }
}
