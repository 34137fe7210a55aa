//! Numbering plans, by libphonenumber's metadata.
//!
//! Does not: see anything but cleaned text. The library forgives too much by itself: it turns letters
//! into digits and skips what it does not understand.

use super::{NumberKind, Phone, PhoneError, is_e164};
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region,
    ValidationError,
};

/// Prefixes for calling abroad that people write in front of a calling code out of habit, whether or not
/// their own country uses them.
const DIALLED_ABROAD: [&str; 3] = ["0011", "011", "00"];

/// Fewer digits than this, without a calling code, are not a subscriber's number unless a plan says so.
const SHORT_CODE_DIGITS: usize = 6;

pub(super) fn read(number: &str, region: Option<&str>) -> Result<Phone, PhoneError> {
    let region = region.and_then(|code| Region::from_code(code.trim()).ok());
    let as_written = read_as(number, region);
    if as_written.as_ref().is_ok_and(|phone| phone.valid) {
        return as_written;
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    if !number.contains('+') {
        let international = DIALLED_ABROAD.iter().filter_map(|prefix| digits.strip_prefix(prefix));
        let mut readings = international.map(|rest| read_as(&format!("+{rest}"), None));
        if let Some(phone) = readings.find_map(|reading| reading.ok().filter(|phone| phone.valid)) {
            return Ok(phone);
        }
        if digits.len() <= SHORT_CODE_DIGITS {
            return Err(PhoneError::ShortCode);
        }
    }
    as_written
}

fn read_as(number: &str, region: Option<Region>) -> Result<Phone, PhoneError> {
    let country = || region.map(|region| region.to_string());
    let parsed = PHONE_NUMBER_UTIL.parse(number, region).map_err(|error| match error {
        ParseError::InvalidCountryCode if number.contains('+') => PhoneError::UnknownCallingCode,
        ParseError::InvalidCountryCode => PhoneError::NoCountry,
        ParseError::NotANumber(_) => PhoneError::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneError::TooShort { country: country() },
        ParseError::TooLongNsn => PhoneError::TooLong { country: country() },
    })?;
    let found = parsed.get_type();
    if found == PhoneNumberType::Unknown {
        check_length(&parsed, number)?;
    }
    let e164 = parsed.format_as(PhoneNumberFormat::E164).into_owned();
    if !is_e164(&e164) {
        return Err(PhoneError::NotANumber);
    }
    Ok(Phone {
        e164,
        ext: None,
        kind: kind(found),
        region: parsed
            .get_region_code()
            .filter(|&region| region != Region::World)
            .map(|region| region.to_string()),
        valid: found != PhoneNumberType::Unknown,
    })
}

/// Whether a number that is in no range in use has at least a length that landlines or mobiles have.
fn check_length(parsed: &PhoneNumber, written: &str) -> Result<(), PhoneError> {
    let country = PHONE_NUMBER_UTIL
        .get_region_for_country_code(parsed.country_code)
        .filter(|&region| region != Region::World)
        .map(|region| region.to_string());
    let lengths = [PhoneNumberType::Mobile, PhoneNumberType::FixedLine]
        .map(|kind| PHONE_NUMBER_UTIL.is_possible_number_for_type_with_reason(parsed, kind));
    if lengths.contains(&Ok(NumberLengthType::IsPossible)) {
        return Ok(());
    }
    let local_only = lengths.contains(&Ok(NumberLengthType::IsPossibleLocalOnly));
    let is_all = |reason| lengths.iter().all(|length| *length == Err(reason));
    // A trunk prefix or a calling code stands before an area code, so that one is there.
    let has_area_code = written.trim_start_matches([' ', '(']).starts_with(['0', '+']);
    Err(if local_only && !has_area_code {
        PhoneError::MissingAreaCode { country }
    } else if local_only || is_all(ValidationError::TooShort) {
        PhoneError::TooShort { country }
    } else if is_all(ValidationError::TooLong) {
        PhoneError::TooLong { country }
    } else if is_all(ValidationError::InvalidCountryCode) {
        PhoneError::UnknownCallingCode
    } else {
        PhoneError::WrongLength { country }
    })
}

const fn kind(found: PhoneNumberType) -> NumberKind {
    match found {
        PhoneNumberType::Mobile => NumberKind::Mobile,
        PhoneNumberType::FixedLine => NumberKind::FixedLine,
        PhoneNumberType::FixedLineOrMobile => NumberKind::FixedOrMobile,
        PhoneNumberType::TollFree => NumberKind::TollFree,
        PhoneNumberType::SharedCost => NumberKind::SharedCost,
        PhoneNumberType::PremiumRate => NumberKind::Premium,
        PhoneNumberType::VoIP => NumberKind::Voip,
        PhoneNumberType::PersonalNumber => NumberKind::Personal,
        PhoneNumberType::Pager
        | PhoneNumberType::UAN
        | PhoneNumberType::VoiceMail
        | PhoneNumberType::Unknown => NumberKind::Other,
    }
}

/// Within North America only the same country counts as home: the plan is shared, the rates are not.
pub(super) fn format(e164: &str, home: &str) -> Option<String> {
    if !is_e164(e164) {
        return None;
    }
    let number = PHONE_NUMBER_UTIL.parse(e164, None).ok()?;
    let home = Region::from_code(home.trim()).ok();
    let same_country = home.is_some() && number.get_region_code() == home;
    let same_plan = number.country_code != 1
        && home.and_then(|home| PHONE_NUMBER_UTIL.get_country_code_for_region(home))
            == Some(number.country_code);
    let style = if same_country || same_plan {
        PhoneNumberFormat::National
    } else {
        PhoneNumberFormat::International
    };
    Some(number.format_as(style).into_owned())
}
