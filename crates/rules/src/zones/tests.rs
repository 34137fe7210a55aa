use super::*;
use chrono_tz::{America, Asia, Europe};

const NOTHING: ZoneFacts<'static> = ZoneFacts {
    explicit: None,
    country: None,
    state: None,
    postal: None,
    phone_e164: None,
    tenant: Australia::Sydney,
};

fn names(zones: &Zones) -> String {
    zones.zones.iter().map(|zone| zone.name().rsplit('/').next().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn phone_geography() {
    let all_australia = "Adelaide Brisbane Eucla Lord_Howe Perth Sydney Christmas Cocos";
    let continental = "St_Johns Halifax New_York Chicago Denver Phoenix Los_Angeles";
    let cases = [
        ("+61412345678", all_australia, false),
        ("+611300975707", all_australia, false),
        ("+61132221", all_australia, false),
        ("+61293744000", "Sydney", true),
        ("+61362311234", "Sydney", true),
        ("+61732221111", "Brisbane", true),
        ("+61892221111", "Perth", true),
        ("+61891641234", "Christmas", true),
        ("+61889811234", "Darwin", true),
        ("+61882221111", "Adelaide Darwin", false),
        ("+61872221111", "Adelaide Darwin Perth", false),
        ("+64211234567", "Auckland Chatham", false),
        ("+447911123456", "London", true),
        ("+390612345678", "Rome", true),
        ("+6591234567", "Singapore", true),
        ("+85291234567", "Hong_Kong", true),
        ("+14155552671", "Los_Angeles", false),
        ("+16895551234", "New_York", false),
        ("+13645551234", "Chicago New_York", false),
        ("+14485551234", "Chicago New_York", false),
        ("+19305551234", "Chicago New_York", false),
        ("+14585551234", "Denver Los_Angeles", false),
        ("+15415551234", "Denver Los_Angeles", false),
        ("+19865551234", "Boise Denver Los_Angeles", false),
        ("+19285551234", "Denver Phoenix", false),
        ("+16025551234", "Phoenix", false),
        ("+19075551234", "Adak Anchorage Juneau Honolulu", false),
        ("+18085551234", "Honolulu", false),
        ("+12365551234", "Edmonton Vancouver", false),
        ("+16045551234", "Vancouver", false),
        ("+13675551234", "Halifax Toronto", false),
        ("+18795551234", "Halifax St_Johns", false),
        ("+18675551234", "Edmonton Fort_Nelson Toronto Vancouver Winnipeg", false),
        ("+16845551234", "Pago_Pago", false),
        ("+17875551234", "Puerto_Rico", false),
        ("+18765551234", "Jamaica", false),
        ("+14365551234", "New_York", false),
        ("+19245551234", "Chicago", false),
        ("+18005551234", continental, false),
        ("+15005550006", continental, false),
        ("+12995551234", continental, false),
        ("+1", continental, false),
    ];
    for (number, expected, certain) in cases {
        let answer = resolve(&ZoneFacts { phone_e164: Some(number), ..NOTHING });
        assert_eq!((names(&answer).as_str(), answer.certain), (expected, certain), "{number}");
        assert_eq!(answer.source, ZoneSource::Phone);
    }
}

#[test]
fn every_area_code_of_a_state_is_within_the_zones_of_its_country() {
    let known = (0..1000).filter_map(area_code).count();
    assert_eq!(known, 448);
    let country_of = |code: u16| area_code(code).map(|entry| entry.country);
    assert_eq!(country_of(212), Some("US"));
    assert_eq!(country_of(416), Some("CA"));
    assert_eq!(country_of(809), Some("DO"));
    assert_eq!(country_of(800), None);
    assert_eq!(country_of(999), None);
}

#[test]
fn addresses() {
    let cases = [
        (Some("AU"), None, Some("6000"), "Perth", true),
        (Some("au"), Some("NSW"), Some(" 2880 "), "Broken_Hill", true),
        (Some("AU"), Some("NSW"), Some("2898"), "Lord_Howe", true),
        (Some("AU"), None, Some("0872"), "Darwin Adelaide Perth", false),
        (Some("AU"), None, Some("872"), "Darwin Adelaide Perth", false),
        (Some("AU"), None, Some("0800"), "Darwin", true),
        (Some("AU"), None, Some("0200"), "Sydney", true),
        (Some("AU"), None, Some("2600"), "Sydney", true),
        (Some("AU"), None, Some("3000"), "Melbourne", true),
        (Some("AU"), None, Some("4870"), "Brisbane", true),
        (Some("AU"), None, Some("5000"), "Adelaide", true),
        (Some("AU"), None, Some("7000"), "Hobart", true),
        (Some("AU"), Some("Western Australia"), None, "Perth", true),
        (Some("AU"), Some("tas"), Some("not a postcode"), "Hobart", true),
        (Some("US"), Some("FL"), None, "New_York Chicago", false),
        (Some("US"), Some("california"), None, "Los_Angeles", true),
        (Some("US"), Some("WA"), Some("6000"), "Los_Angeles", true),
        (Some("CA"), Some("ON"), None, "Toronto Winnipeg", false),
        (Some("CA"), Some("NT"), None, "Edmonton", true),
        (Some("GB"), Some("Kent"), Some("CT1 1AA"), "London", true),
    ];
    for (country, state, postal, expected, certain) in cases {
        let answer = resolve(&ZoneFacts { country, state, postal, ..NOTHING });
        let found = (names(&answer), answer.certain, answer.source);
        assert_eq!(
            found,
            (expected.to_owned(), certain, ZoneSource::Address),
            "{country:?} {state:?} {postal:?}"
        );
    }
}

#[test]
fn the_best_fact_wins() {
    let everything = ZoneFacts {
        explicit: Some(Asia::Tokyo),
        country: Some("AU"),
        state: Some("QLD"),
        postal: Some("6000"),
        phone_e164: Some("+447911123456"),
        tenant: Australia::Sydney,
    };
    let steps = [
        (everything, "Tokyo", ZoneSource::Explicit),
        (ZoneFacts { explicit: None, ..everything }, "Perth", ZoneSource::Address),
        (ZoneFacts { explicit: None, postal: None, ..everything }, "Brisbane", ZoneSource::Address),
        // A country with many clocks says less than the number.
        (ZoneFacts { explicit: None, postal: None, state: None, ..everything }, "London", ZoneSource::Phone),
        (
            ZoneFacts { phone_e164: Some("+61892221111"), country: Some("AU"), ..NOTHING },
            "Perth",
            ZoneSource::Phone,
        ),
        // A country with one clock says more.
        (
            ZoneFacts { phone_e164: Some("+61892221111"), country: Some("SG"), ..NOTHING },
            "Singapore",
            ZoneSource::Address,
        ),
        // Without a country, the number tells which states are meant.
        (
            ZoneFacts { phone_e164: Some("+61412345678"), state: Some("WA"), ..NOTHING },
            "Perth",
            ZoneSource::Address,
        ),
        (
            ZoneFacts { phone_e164: Some("+12125551234"), state: Some("WA"), ..NOTHING },
            "Los_Angeles",
            ZoneSource::Address,
        ),
        (
            ZoneFacts { phone_e164: Some("+12125551234"), state: Some("AB"), ..NOTHING },
            "Edmonton",
            ZoneSource::Address,
        ),
        (ZoneFacts { country: Some("ZW"), ..NOTHING }, "Sydney", ZoneSource::Tenant),
        (ZoneFacts { phone_e164: Some("+263771234567"), ..NOTHING }, "Sydney", ZoneSource::Tenant),
        (NOTHING, "Sydney", ZoneSource::Tenant),
    ];
    for (facts, expected, source) in steps {
        let answer = resolve(&facts);
        assert_eq!((names(&answer).as_str(), answer.source), (expected, source), "{facts:?}");
    }
    assert!(!resolve(&NOTHING).certain);
    assert_eq!(resolve(&ZoneFacts { country: Some("US"), ..NOTHING }).zones.len(), 8);
    assert_eq!(resolve(&ZoneFacts { explicit: Some(Europe::Paris), ..NOTHING }).zones, [Europe::Paris]);
    assert!(CONTINENTAL.contains(&America::Denver));
}

#[test]
fn numbers_tell_their_country_or_all_that_it_may_be() {
    let cases: [(&str, Option<&str>, &[&str]); 7] = [
        ("+14165550123", Some("CA"), &["CA"]),
        ("+12125550123", Some("US"), &["US"]),
        ("+61412345678", Some("AU"), &["AU"]),
        ("+17875550123", Some("PR"), &["PR"]),
        // No table knows this area code: an overlay somewhere.
        ("+12375550123", Some("US"), &["US", "CA"]),
        ("+", None, &[]),
        ("dana@example.com", None, &[]),
    ];
    for (number, likely, possible) in cases {
        assert_eq!((likely_country_of(number), countries_of(number)), (likely, possible), "{number}");
    }
    assert_eq!(country_of("+12375550123"), None);
}
