//! States, provinces, territories and countries, and the zones within them.
//!
//! The zones of a state are those of all its parts: Florida is Eastern and, west of the Apalachicola,
//! Central. A country that is missing here is one about which nothing is claimed.

use chrono_tz::{Africa, America, Asia, Atlantic, Australia, Europe, Indian, Pacific, Tz};

/// A first-level division of the United States, Canada or Australia.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The postal abbreviation.
    pub code: &'static str,
    /// The English name.
    pub name: &'static str,
    /// Every zone within it.
    pub zones: &'static [Tz],
}

/// Finds a state by abbreviation or name, whatever its case. `country` is ISO 3166 alpha-2.
pub fn state(country: &str, text: &str) -> Option<&'static State> {
    let states = match country {
        _ if country.eq_ignore_ascii_case("US") => US,
        _ if country.eq_ignore_ascii_case("CA") => CA,
        _ if country.eq_ignore_ascii_case("AU") => AU,
        _ => return None,
    };
    let text = text.trim();
    states.iter().find(|state| state.code.eq_ignore_ascii_case(text) || state.name.eq_ignore_ascii_case(text))
}

/// A country with the calling code that is its alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166 alpha-2.
    pub code: &'static str,
    /// The English name.
    pub name: &'static str,
    /// The digits after the plus; empty where a plan is shared (+1, +44 7 of the islands …) and the
    /// number is looked up elsewhere.
    pub calling_code: &'static str,
    /// Every inhabited zone with a clock of its own.
    pub zones: &'static [Tz],
}

impl Country {
    /// The name as it reads within a sentence: `the United States`, `Australia`.
    pub fn name_in_prose(&self) -> String {
        const WITH_ARTICLE: [&str; 4] = ["BS", "DO", "NL", "PH"];
        let article = self.name.starts_with("U") && self.code != "UA" && self.code != "UY";
        let islands = self.name.ends_with("Islands");
        if article || islands || WITH_ARTICLE.contains(&self.code) {
            format!("the {}", self.name)
        } else {
            self.name.to_owned()
        }
    }
}

/// Finds a country by its ISO 3166 alpha-2 code, whatever its case.
pub fn country(code: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.code.eq_ignore_ascii_case(code.trim()))
}

/// Finds the country of an E.164 number outside +1 by its calling code.
pub fn country_of_number(e164: &str) -> Option<&'static Country> {
    let digits = e164.strip_prefix('+')?;
    let calls =
        |country: &&Country| !country.calling_code.is_empty() && digits.starts_with(country.calling_code);
    COUNTRIES.iter().filter(calls).max_by_key(|country| country.calling_code.len())
}

const fn in_state(code: &'static str, name: &'static str, zones: &'static [Tz]) -> State {
    State { code, name, zones }
}

const fn in_country(
    code: &'static str,
    name: &'static str,
    calling_code: &'static str,
    zones: &'static [Tz],
) -> Country {
    Country { code, name, calling_code, zones }
}

const ATLANTIC: &[Tz] = &[America::Halifax];
const EASTERN: &[Tz] = &[America::New_York];
const CENTRAL: &[Tz] = &[America::Chicago];
const MOUNTAIN: &[Tz] = &[America::Denver];
const WESTERN: &[Tz] = &[America::Los_Angeles];
const EASTERN_CENTRAL: &[Tz] = &[America::New_York, America::Chicago];
const CENTRAL_MOUNTAIN: &[Tz] = &[America::Chicago, America::Denver];
const MOUNTAIN_WESTERN: &[Tz] = &[America::Denver, America::Los_Angeles];

const US: &[State] = &[
    in_state("AL", "Alabama", CENTRAL),
    in_state("AK", "Alaska", &[America::Anchorage, America::Adak]),
    in_state("AZ", "Arizona", &[America::Phoenix, America::Denver]),
    in_state("AR", "Arkansas", CENTRAL),
    in_state("CA", "California", WESTERN),
    in_state("CO", "Colorado", MOUNTAIN),
    in_state("CT", "Connecticut", EASTERN),
    in_state("DE", "Delaware", EASTERN),
    in_state("DC", "District of Columbia", EASTERN),
    in_state("FL", "Florida", EASTERN_CENTRAL),
    in_state("GA", "Georgia", EASTERN),
    in_state("HI", "Hawaii", &[Pacific::Honolulu]),
    in_state("ID", "Idaho", MOUNTAIN_WESTERN),
    in_state("IL", "Illinois", CENTRAL),
    in_state("IN", "Indiana", EASTERN_CENTRAL),
    in_state("IA", "Iowa", CENTRAL),
    in_state("KS", "Kansas", CENTRAL_MOUNTAIN),
    in_state("KY", "Kentucky", EASTERN_CENTRAL),
    in_state("LA", "Louisiana", CENTRAL),
    in_state("ME", "Maine", EASTERN),
    in_state("MD", "Maryland", EASTERN),
    in_state("MA", "Massachusetts", EASTERN),
    in_state("MI", "Michigan", EASTERN_CENTRAL),
    in_state("MN", "Minnesota", CENTRAL),
    in_state("MS", "Mississippi", CENTRAL),
    in_state("MO", "Missouri", CENTRAL),
    in_state("MT", "Montana", MOUNTAIN),
    in_state("NE", "Nebraska", CENTRAL_MOUNTAIN),
    in_state("NV", "Nevada", MOUNTAIN_WESTERN),
    in_state("NH", "New Hampshire", EASTERN),
    in_state("NJ", "New Jersey", EASTERN),
    in_state("NM", "New Mexico", MOUNTAIN),
    in_state("NY", "New York", EASTERN),
    in_state("NC", "North Carolina", EASTERN),
    in_state("ND", "North Dakota", CENTRAL_MOUNTAIN),
    in_state("OH", "Ohio", EASTERN),
    in_state("OK", "Oklahoma", CENTRAL),
    in_state("OR", "Oregon", MOUNTAIN_WESTERN),
    in_state("PA", "Pennsylvania", EASTERN),
    in_state("RI", "Rhode Island", EASTERN),
    in_state("SC", "South Carolina", EASTERN),
    in_state("SD", "South Dakota", CENTRAL_MOUNTAIN),
    in_state("TN", "Tennessee", EASTERN_CENTRAL),
    in_state("TX", "Texas", CENTRAL_MOUNTAIN),
    in_state("UT", "Utah", MOUNTAIN),
    in_state("VT", "Vermont", EASTERN),
    in_state("VA", "Virginia", EASTERN),
    in_state("WA", "Washington", WESTERN),
    in_state("WV", "West Virginia", EASTERN),
    in_state("WI", "Wisconsin", CENTRAL),
    in_state("WY", "Wyoming", MOUNTAIN),
    in_state("AS", "American Samoa", &[Pacific::Pago_Pago]),
    in_state("GU", "Guam", &[Pacific::Guam]),
    in_state("MP", "Northern Mariana Islands", &[Pacific::Saipan]),
    in_state("PR", "Puerto Rico", &[America::Puerto_Rico]),
    in_state("VI", "U.S. Virgin Islands", &[America::St_Thomas]),
];

const CA: &[State] = &[
    in_state("AB", "Alberta", &[America::Edmonton]),
    in_state("BC", "British Columbia", &[America::Vancouver, America::Edmonton, America::Fort_Nelson]),
    in_state("MB", "Manitoba", &[America::Winnipeg]),
    in_state("NB", "New Brunswick", ATLANTIC),
    in_state("NL", "Newfoundland and Labrador", &[America::St_Johns, America::Halifax]),
    in_state("NS", "Nova Scotia", ATLANTIC),
    in_state("NT", "Northwest Territories", &[America::Edmonton]),
    in_state("NU", "Nunavut", &[America::Toronto, America::Winnipeg, America::Edmonton]),
    in_state("ON", "Ontario", &[America::Toronto, America::Winnipeg]),
    in_state("PE", "Prince Edward Island", ATLANTIC),
    in_state("QC", "Quebec", &[America::Toronto, America::Halifax]),
    in_state("SK", "Saskatchewan", &[America::Regina, America::Edmonton]),
    in_state("YT", "Yukon", &[America::Whitehorse]),
];

/// A state's main clock. Broken Hill, Lord Howe and the islands differ and have postcodes of their own.
const AU: &[State] = &[
    in_state("ACT", "Australian Capital Territory", &[Australia::Sydney]),
    in_state("NSW", "New South Wales", &[Australia::Sydney]),
    in_state("NT", "Northern Territory", &[Australia::Darwin]),
    in_state("QLD", "Queensland", &[Australia::Brisbane]),
    in_state("SA", "South Australia", &[Australia::Adelaide]),
    in_state("TAS", "Tasmania", &[Australia::Hobart]),
    in_state("VIC", "Victoria", &[Australia::Melbourne]),
    in_state("WA", "Western Australia", &[Australia::Perth]),
];

/// All Australian clocks, as for a mobile number, which carries no location. Melbourne and Hobart keep
/// Sydney's clock; Darwin's and Broken Hill's lie between Eucla's and Adelaide's or are Adelaide's.
pub const AUSTRALIA: &[Tz] = &[
    Australia::Adelaide,
    Australia::Brisbane,
    Australia::Eucla,
    Australia::Lord_Howe,
    Australia::Perth,
    Australia::Sydney,
    Indian::Christmas,
    Indian::Cocos,
];

const COUNTRIES: &[Country] = &[
    in_country(
        "US",
        "United States",
        "",
        &[
            America::New_York,
            America::Chicago,
            America::Denver,
            America::Phoenix,
            America::Los_Angeles,
            America::Anchorage,
            America::Adak,
            Pacific::Honolulu,
        ],
    ),
    in_country(
        "CA",
        "Canada",
        "",
        &[
            America::St_Johns,
            America::Halifax,
            America::Toronto,
            America::Winnipeg,
            America::Regina,
            America::Edmonton,
            America::Whitehorse,
            America::Vancouver,
        ],
    ),
    in_country("AS", "American Samoa", "", &[Pacific::Pago_Pago]),
    in_country("BB", "Barbados", "", &[America::Barbados]),
    in_country("BS", "Bahamas", "", &[America::Nassau]),
    in_country("DO", "Dominican Republic", "", &[America::Santo_Domingo]),
    in_country("GU", "Guam", "", &[Pacific::Guam]),
    in_country("JM", "Jamaica", "", &[America::Jamaica]),
    in_country("MP", "Northern Mariana Islands", "", &[Pacific::Saipan]),
    in_country("PR", "Puerto Rico", "", &[America::Puerto_Rico]),
    in_country("TT", "Trinidad and Tobago", "", &[America::Port_of_Spain]),
    in_country("VI", "U.S. Virgin Islands", "", &[America::St_Thomas]),
    in_country("AE", "United Arab Emirates", "971", &[Asia::Dubai]),
    in_country("AR", "Argentina", "54", &[America::Argentina::Buenos_Aires]),
    in_country("AT", "Austria", "43", &[Europe::Vienna]),
    in_country("AU", "Australia", "61", AUSTRALIA),
    in_country("BD", "Bangladesh", "880", &[Asia::Dhaka]),
    in_country("BE", "Belgium", "32", &[Europe::Brussels]),
    in_country("BG", "Bulgaria", "359", &[Europe::Sofia]),
    in_country("BO", "Bolivia", "591", &[America::La_Paz]),
    in_country(
        "BR",
        "Brazil",
        "55",
        &[America::Noronha, America::Sao_Paulo, America::Manaus, America::Rio_Branco],
    ),
    in_country("CH", "Switzerland", "41", &[Europe::Zurich]),
    in_country("CL", "Chile", "56", &[America::Santiago, America::Punta_Arenas, Pacific::Easter]),
    in_country("CN", "China", "86", &[Asia::Shanghai]),
    in_country("CO", "Colombia", "57", &[America::Bogota]),
    in_country("CR", "Costa Rica", "506", &[America::Costa_Rica]),
    in_country("CY", "Cyprus", "357", &[Asia::Nicosia]),
    in_country("CZ", "Czechia", "420", &[Europe::Prague]),
    in_country("DE", "Germany", "49", &[Europe::Berlin]),
    in_country("DK", "Denmark", "45", &[Europe::Copenhagen]),
    in_country("EC", "Ecuador", "593", &[America::Guayaquil, Pacific::Galapagos]),
    in_country("EE", "Estonia", "372", &[Europe::Tallinn]),
    in_country("EG", "Egypt", "20", &[Africa::Cairo]),
    in_country("ES", "Spain", "34", &[Europe::Madrid, Atlantic::Canary]),
    in_country("FI", "Finland", "358", &[Europe::Helsinki]),
    in_country("FJ", "Fiji", "679", &[Pacific::Fiji]),
    in_country("FR", "France", "33", &[Europe::Paris]),
    in_country("GB", "United Kingdom", "44", &[Europe::London]),
    in_country("GH", "Ghana", "233", &[Africa::Accra]),
    in_country("GR", "Greece", "30", &[Europe::Athens]),
    in_country("GT", "Guatemala", "502", &[America::Guatemala]),
    in_country("HK", "Hong Kong", "852", &[Asia::Hong_Kong]),
    in_country("HN", "Honduras", "504", &[America::Tegucigalpa]),
    in_country("HR", "Croatia", "385", &[Europe::Zagreb]),
    in_country("HU", "Hungary", "36", &[Europe::Budapest]),
    in_country("ID", "Indonesia", "62", &[Asia::Jakarta, Asia::Makassar, Asia::Jayapura]),
    in_country("IE", "Ireland", "353", &[Europe::Dublin]),
    in_country("IL", "Israel", "972", &[Asia::Jerusalem]),
    in_country("IN", "India", "91", &[Asia::Kolkata]),
    in_country("IS", "Iceland", "354", &[Atlantic::Reykjavik]),
    in_country("IT", "Italy", "39", &[Europe::Rome]),
    in_country("JP", "Japan", "81", &[Asia::Tokyo]),
    in_country("KE", "Kenya", "254", &[Africa::Nairobi]),
    in_country("KR", "South Korea", "82", &[Asia::Seoul]),
    in_country("LK", "Sri Lanka", "94", &[Asia::Colombo]),
    in_country("LT", "Lithuania", "370", &[Europe::Vilnius]),
    in_country("LU", "Luxembourg", "352", &[Europe::Luxembourg]),
    in_country("LV", "Latvia", "371", &[Europe::Riga]),
    in_country("MT", "Malta", "356", &[Europe::Malta]),
    in_country(
        "MX",
        "Mexico",
        "52",
        &[
            America::Cancun,
            America::Mexico_City,
            America::Ciudad_Juarez,
            America::Mazatlan,
            America::Hermosillo,
            America::Tijuana,
        ],
    ),
    in_country("MY", "Malaysia", "60", &[Asia::Kuala_Lumpur]),
    in_country("NG", "Nigeria", "234", &[Africa::Lagos]),
    in_country("NI", "Nicaragua", "505", &[America::Managua]),
    in_country("NL", "Netherlands", "31", &[Europe::Amsterdam]),
    in_country("NO", "Norway", "47", &[Europe::Oslo]),
    in_country("NZ", "New Zealand", "64", &[Pacific::Auckland, Pacific::Chatham]),
    in_country("PA", "Panama", "507", &[America::Panama]),
    in_country("PE", "Peru", "51", &[America::Lima]),
    in_country("PG", "Papua New Guinea", "675", &[Pacific::Port_Moresby, Pacific::Bougainville]),
    in_country("PH", "Philippines", "63", &[Asia::Manila]),
    in_country("PK", "Pakistan", "92", &[Asia::Karachi]),
    in_country("PL", "Poland", "48", &[Europe::Warsaw]),
    in_country("PT", "Portugal", "351", &[Europe::Lisbon, Atlantic::Azores]),
    in_country("PY", "Paraguay", "595", &[America::Asuncion]),
    in_country("RO", "Romania", "40", &[Europe::Bucharest]),
    in_country("SA", "Saudi Arabia", "966", &[Asia::Riyadh]),
    in_country("SE", "Sweden", "46", &[Europe::Stockholm]),
    in_country("SG", "Singapore", "65", &[Asia::Singapore]),
    in_country("SI", "Slovenia", "386", &[Europe::Ljubljana]),
    in_country("SK", "Slovakia", "421", &[Europe::Bratislava]),
    in_country("SV", "El Salvador", "503", &[America::El_Salvador]),
    in_country("TH", "Thailand", "66", &[Asia::Bangkok]),
    in_country("TR", "Türkiye", "90", &[Europe::Istanbul]),
    in_country("TW", "Taiwan", "886", &[Asia::Taipei]),
    in_country("UA", "Ukraine", "380", &[Europe::Kyiv]),
    in_country("UY", "Uruguay", "598", &[America::Montevideo]),
    in_country("VE", "Venezuela", "58", &[America::Caracas]),
    in_country("VN", "Vietnam", "84", &[Asia::Ho_Chi_Minh]),
    in_country("ZA", "South Africa", "27", &[Africa::Johannesburg]),
];
