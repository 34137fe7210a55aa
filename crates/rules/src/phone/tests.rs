use super::*;
use proptest::prelude::*;

fn read(input: &str, region: &str) -> Result<Phone, PhoneError> {
    parse(input, (!region.is_empty()).then_some(region))
}

#[test]
fn the_many_ways_to_write_one_australian_mobile() {
    let ways = [
        "0412 345 678",
        "04 1234 5678",
        "(04) 1234 5678",
        "0412.345.678",
        "412345678",
        "61412345678",
        "61 412 345 678",
        "+61 (0)412 345 678",
        "+610412345678",
        "+61 04 1234 5678",
        "0011 61 412 345 678",
        "tel:+61-412-345-678",
        "０４１２ ３４５ ６７８",
        "0412\u{a0}345\u{a0}678",
        "\u{202a}0412 345 678\u{202c}",
        "\u{200e}+61 412 345 678\u{200f}",
        "0412–345–678",
        "0061 412 345 678",
        "whatsapp:+61412345678",
        "WhatsApp: +61 412 345 678",
        "'0412345678",
        "=\"0412345678\"",
        "412345678.0",
        "61412345678.00",
        "6.1412345678E+10",
        "4.12345678E8",
        " 0412-345-678 ",
        "(+61) 412 345 678",
        "٠٤١٢٣٤٥٦٧٨",
    ];
    for way in ways {
        let phone = read(way, "AU").unwrap_or_else(|error| panic!("{way}: {error}"));
        assert_eq!(
            (phone.e164.as_str(), phone.kind, phone.valid),
            ("+61412345678", NumberKind::Mobile, true),
            "{way}"
        );
        assert_eq!((phone.region.as_deref(), phone.ext.as_deref()), (Some("AU"), None), "{way}");
        assert!(phone.textable() && !phone.is_fictional());
    }
}

#[test]
fn numbers_of_all_kinds() {
    use NumberKind::*;
    let cases = [
        ("(02) 9374 4000", "AU", "+61293744000", FixedLine, false),
        ("1300 975 707", "AU", "+611300975707", SharedCost, false),
        ("13 22 21", "AU", "+61132221", SharedCost, false),
        ("1800 123 456", "AU", "+611800123456", TollFree, false),
        ("(415) 555-2671", "US", "+14155552671", FixedOrMobile, true),
        ("1 415 555 2671", "US", "+14155552671", FixedOrMobile, true),
        ("0044 7911 123456", "US", "+447911123456", Mobile, true),
        ("011 61 412 345 678", "US", "+61412345678", Mobile, true),
        ("0061412345678", "", "+61412345678", Mobile, true),
        ("07911 123456", "GB", "+447911123456", Mobile, true),
        ("+15005550006", "", "+15005550006", Personal, true),
        ("+12125550100", "", "+12125550100", FixedOrMobile, true),
        ("+61491570006", "", "+61491570006", Mobile, true),
        ("+61491570156", "AU", "+61491570156", Mobile, true),
        ("+390612345678", "", "+390612345678", FixedLine, false),
        ("06 1234 5678", "IT", "+390612345678", FixedLine, false),
    ];
    for (input, region, e164, kind, textable) in cases {
        let phone = read(input, region).unwrap_or_else(|error| panic!("{input}: {error}"));
        assert_eq!((phone.e164.as_str(), phone.kind, phone.valid), (e164, kind, true), "{input}");
        assert_eq!(phone.textable(), textable, "{input}");
    }
    assert_eq!(read("07911 123456", "GB").unwrap().region.as_deref(), Some("GG"));
}

#[test]
fn numbers_that_a_person_should_look_at() {
    for (input, region, e164) in
        [("+15551234567", "", "+15551234567"), ("0512 345 678", "AU", "+61512345678")]
    {
        let phone = read(input, region).unwrap();
        assert_eq!((phone.e164.as_str(), phone.valid, phone.textable()), (e164, false, false));
    }
}

#[test]
fn extensions_are_kept_apart() {
    for input in [
        "415-555-2671 x123",
        "415-555-2671 ext. 123",
        "415-555-2671;ext=123",
        "415-555-2671#123",
        "4155552671 Extension 123",
        "(415) 555-2671, EXT 123",
        "tel:+1-415-555-2671;ext=123",
    ] {
        let phone = read(input, "US").unwrap_or_else(|error| panic!("{input}: {error}"));
        assert_eq!((phone.e164.as_str(), phone.ext.as_deref()), ("+14155552671", Some("123")), "{input}");
    }
}

#[test]
fn what_is_wrong_is_said_in_plain_words() {
    let cases = [
        ("", "AU", "Enter a phone number"),
        (" \u{200b} ", "AU", "Enter a phone number"),
        ("+", "AU", "This is not a phone number"),
        ("MyBrand", "AU", "A phone number has digits only, no letters"),
        ("1-800-FLOWERS", "US", "A phone number has digits only, no letters"),
        ("0412 345 678 Bob", "AU", "A phone number has digits only, no letters"),
        ("0412 345 67", "AU", "This number is too short for Australia"),
        ("0412 345 6789", "AU", "This number is too long for Australia"),
        ("61412345678", "", "Start this number with + and its country code"),
        ("9374 4000", "AU", "This number needs its area code in Australia"),
        ("555-2671", "US", "This number needs its area code in the United States"),
        (
            "000",
            "AU",
            "This is too short for a phone number; write it whole, with its area code (short codes and emergency numbers cannot be texted)",
        ),
        (
            "911",
            "US",
            "This is too short for a phone number; write it whole, with its area code (short codes and emergency numbers cannot be texted)",
        ),
        (
            "262966",
            "US",
            "This is too short for a phone number; write it whole, with its area code (short codes and emergency numbers cannot be texted)",
        ),
        ("+999 123 456 789", "", "No country has this country code"),
        ("+61 412 345 678 901", "", "This number is too long for Australia"),
        (
            "6.1412E+10",
            "AU",
            "A spreadsheet has rounded this number; format the column as text and export it again",
        ),
        ("a@b.example", "AU", "A phone number has digits only, no letters"),
        ("0412+345678", "AU", "This is not a phone number"),
        ("####", "AU", "This is not a phone number"),
    ];
    for (input, region, sentence) in cases {
        assert_eq!(
            read(input, region).map_err(|error| error.to_string()),
            Err(sentence.to_owned()),
            "{input}"
        );
    }
    for damaged in ["6.1412E+10", "6,1412E+10", "6E10", "6.14123456789E+10", "6.1412e+99999999999999999999"] {
        assert_eq!(read(damaged, "AU"), Err(PhoneError::ExcelDamaged), "{damaged}");
    }
    assert_eq!(parse(&"1".repeat(10_000), Some("US")), Err(PhoneError::NotANumber));
    assert_eq!(parse("0412345678", Some("nowhere")), Err(PhoneError::NoCountry));
}

#[test]
fn magic_and_fictional_numbers() {
    for last in 0..=9 {
        let phone = read(&format!("+1500555000{last}"), "").unwrap();
        assert!(phone.valid && phone.textable() && !phone.is_fictional() && is_magic(&phone.e164));
    }
    for number in ["+12125550100", "+14155550199", "+61491570006", "+61491570110", "+61491570159"] {
        let phone = read(number, "").unwrap();
        assert!(phone.valid && phone.is_fictional() && !is_magic(number), "{number}");
    }
    assert!(is_fictional("+447700900123"));
    for number in ["+12125550200", "+12125551100", "+61412345678", "+61491571006", "+1555"] {
        assert!(!is_fictional(number), "{number}");
    }
}

#[test]
fn numbers_are_shown_in_the_style_of_the_country() {
    let cases = [
        ("+61412345678", "AU", "0412 345 678"),
        ("+61412345678", "US", "+61 412 345 678"),
        ("+61293744000", "au", "(02) 9374 4000"),
        ("+14155552671", "US", "(415) 555-2671"),
        ("+14165552671", "US", "+1 416-555-2671"),
        ("+447911123456", "GB", "07911 123456"),
        ("+447911123456", "", "+44 7911 123456"),
        ("not a number", "AU", "not a number"),
        ("+999123456789", "AU", "+999123456789"),
    ];
    for (e164, home, shown) in cases {
        assert_eq!(format_national_or_international(e164, home), shown, "{e164} in {home}");
    }
}

#[test]
fn e164_and_masks() {
    for good in ["+61412345678", "+1234567", "+123456789012345", "+61132221"] {
        assert!(is_e164(good), "{good}");
    }
    for bad in [
        "",
        "+",
        "61412345678",
        "+0412345678",
        "+123456",
        "+1234567890123456",
        "+6141234567٨",
        "+61 412345678",
    ] {
        assert!(!is_e164(bad), "{bad}");
    }
    assert_eq!(mask("+61412345678"), "…678");
    assert_eq!(mask("whatsapp:+61412345678"), "…678");
    assert_eq!(mask("123"), "…");
}

proptest! {
    #[test]
    fn anything_may_be_typed(text in any::<String>(), region in prop::option::of(any::<String>())) {
        let _ = parse(&text, region.as_deref());
        let _ = (is_fictional(&text), is_magic(&text), mask(&text), format_national_or_international(&text, &text));
    }

    #[test]
    fn digits_and_punctuation_are_read_or_refused(text in "[0-9+() ./x#eE-]{0,30}", region in "AU|US|GB|NZ|IT|BR|") {
        if let Ok(phone) = read(&text, &region) {
            prop_assert!(is_e164(&phone.e164));
        }
    }

    #[test]
    fn what_was_read_is_read_again(text in "[0-9]{6,12}", region in "AU|US|GB|NZ|DE|BR") {
        if let Ok(phone) = read(&text, &region) && phone.valid {
            prop_assert_eq!(parse(&phone.e164, None), Ok(Phone { ext: None, ..phone.clone() }));
            let shown = format_national_or_international(&phone.e164, &region);
            prop_assert_eq!(read(&shown, &region), Ok(phone));
        }
    }
}

#[test]
fn digits_that_are_read_differently_the_second_time_are_no_number() {
    assert_eq!(parse("0009049", Some("DE")).unwrap_err(), PhoneError::NotANumber);
    // Italian numbers keep their nought.
    let rome = parse("06 6982", Some("IT")).unwrap().e164;
    assert_eq!(parse(&rome, None).unwrap().e164, rome);
}
