//! What people type into a field for a phone number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_rules::phone;

const REGIONS: [Option<&str>; 8] =
    [None, Some("AU"), Some("US"), Some("GB"), Some("DE"), Some("IN"), Some("BR"), Some("??")];

fuzz_target!(|text: &str| {
    for region in REGIONS {
        let Ok(read) = phone::parse(text, region) else { continue };
        assert!(phone::is_e164(&read.e164), "{:?}", read.e164);
        // What was understood once is understood the same way ever after.
        let again = phone::parse(&read.e164, None).expect("E.164 is a number");
        assert_eq!(again.e164, read.e164);
        assert!(!phone::format_national_or_international(&read.e164, "AU").is_empty());
        assert!(phone::mask(&read.e164).chars().count() <= 4);
    }
    let _ = phone::format_national_or_international(text, "US");
    let _ = phone::mask(text);
});
