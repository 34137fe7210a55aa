//! Countries a business may be in, with the currency and the zone it most likely wants. Only a starting point: both
//! are settings of their own. Codes are ISO 3166 alpha-2 and ISO 4217.

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::web::fields::Choice;

/// A country.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub code: &'static str,
    pub name: &'static str,
    pub currency: &'static str,
    /// The zone of its largest city.
    pub zone: Tz,
}

const fn place(code: &'static str, name: &'static str, currency: &'static str, zone: Tz) -> Place {
    Place { code, name, currency, zone }
}

/// By name.
pub const PLACES: &[Place] = &[
    place("AR", "Argentina", "ARS", Tz::America__Argentina__Buenos_Aires),
    place("AU", "Australia", "AUD", Tz::Australia__Sydney),
    place("AT", "Austria", "EUR", Tz::Europe__Vienna),
    place("BD", "Bangladesh", "BDT", Tz::Asia__Dhaka),
    place("BE", "Belgium", "EUR", Tz::Europe__Brussels),
    place("BO", "Bolivia", "BOB", Tz::America__La_Paz),
    place("BR", "Brazil", "BRL", Tz::America__Sao_Paulo),
    place("BG", "Bulgaria", "EUR", Tz::Europe__Sofia),
    place("CA", "Canada", "CAD", Tz::America__Toronto),
    place("CL", "Chile", "CLP", Tz::America__Santiago),
    place("CO", "Colombia", "COP", Tz::America__Bogota),
    place("CR", "Costa Rica", "CRC", Tz::America__Costa_Rica),
    place("HR", "Croatia", "EUR", Tz::Europe__Zagreb),
    place("CY", "Cyprus", "EUR", Tz::Asia__Nicosia),
    place("CZ", "Czechia", "CZK", Tz::Europe__Prague),
    place("DK", "Denmark", "DKK", Tz::Europe__Copenhagen),
    place("DO", "Dominican Republic", "DOP", Tz::America__Santo_Domingo),
    place("EC", "Ecuador", "USD", Tz::America__Guayaquil),
    place("EG", "Egypt", "EGP", Tz::Africa__Cairo),
    place("SV", "El Salvador", "USD", Tz::America__El_Salvador),
    place("EE", "Estonia", "EUR", Tz::Europe__Tallinn),
    place("FJ", "Fiji", "FJD", Tz::Pacific__Fiji),
    place("FI", "Finland", "EUR", Tz::Europe__Helsinki),
    place("FR", "France", "EUR", Tz::Europe__Paris),
    place("DE", "Germany", "EUR", Tz::Europe__Berlin),
    place("GH", "Ghana", "GHS", Tz::Africa__Accra),
    place("GR", "Greece", "EUR", Tz::Europe__Athens),
    place("GT", "Guatemala", "GTQ", Tz::America__Guatemala),
    place("HN", "Honduras", "HNL", Tz::America__Tegucigalpa),
    place("HK", "Hong Kong", "HKD", Tz::Asia__Hong_Kong),
    place("HU", "Hungary", "HUF", Tz::Europe__Budapest),
    place("IS", "Iceland", "ISK", Tz::Atlantic__Reykjavik),
    place("IN", "India", "INR", Tz::Asia__Kolkata),
    place("ID", "Indonesia", "IDR", Tz::Asia__Jakarta),
    place("IE", "Ireland", "EUR", Tz::Europe__Dublin),
    place("IL", "Israel", "ILS", Tz::Asia__Jerusalem),
    place("IT", "Italy", "EUR", Tz::Europe__Rome),
    place("JM", "Jamaica", "JMD", Tz::America__Jamaica),
    place("JP", "Japan", "JPY", Tz::Asia__Tokyo),
    place("KE", "Kenya", "KES", Tz::Africa__Nairobi),
    place("LV", "Latvia", "EUR", Tz::Europe__Riga),
    place("LT", "Lithuania", "EUR", Tz::Europe__Vilnius),
    place("LU", "Luxembourg", "EUR", Tz::Europe__Luxembourg),
    place("MY", "Malaysia", "MYR", Tz::Asia__Kuala_Lumpur),
    place("MT", "Malta", "EUR", Tz::Europe__Malta),
    place("MX", "Mexico", "MXN", Tz::America__Mexico_City),
    place("NL", "Netherlands", "EUR", Tz::Europe__Amsterdam),
    place("NZ", "New Zealand", "NZD", Tz::Pacific__Auckland),
    place("NI", "Nicaragua", "NIO", Tz::America__Managua),
    place("NG", "Nigeria", "NGN", Tz::Africa__Lagos),
    place("NO", "Norway", "NOK", Tz::Europe__Oslo),
    place("PK", "Pakistan", "PKR", Tz::Asia__Karachi),
    place("PA", "Panama", "USD", Tz::America__Panama),
    place("PG", "Papua New Guinea", "PGK", Tz::Pacific__Port_Moresby),
    place("PY", "Paraguay", "PYG", Tz::America__Asuncion),
    place("PE", "Peru", "PEN", Tz::America__Lima),
    place("PH", "Philippines", "PHP", Tz::Asia__Manila),
    place("PL", "Poland", "PLN", Tz::Europe__Warsaw),
    place("PT", "Portugal", "EUR", Tz::Europe__Lisbon),
    place("PR", "Puerto Rico", "USD", Tz::America__Puerto_Rico),
    place("RO", "Romania", "RON", Tz::Europe__Bucharest),
    place("SA", "Saudi Arabia", "SAR", Tz::Asia__Riyadh),
    place("SG", "Singapore", "SGD", Tz::Asia__Singapore),
    place("SK", "Slovakia", "EUR", Tz::Europe__Bratislava),
    place("SI", "Slovenia", "EUR", Tz::Europe__Ljubljana),
    place("ZA", "South Africa", "ZAR", Tz::Africa__Johannesburg),
    place("KR", "South Korea", "KRW", Tz::Asia__Seoul),
    place("ES", "Spain", "EUR", Tz::Europe__Madrid),
    place("LK", "Sri Lanka", "LKR", Tz::Asia__Colombo),
    place("SE", "Sweden", "SEK", Tz::Europe__Stockholm),
    place("CH", "Switzerland", "CHF", Tz::Europe__Zurich),
    place("TW", "Taiwan", "TWD", Tz::Asia__Taipei),
    place("TH", "Thailand", "THB", Tz::Asia__Bangkok),
    place("TT", "Trinidad and Tobago", "TTD", Tz::America__Port_of_Spain),
    place("TR", "Türkiye", "TRY", Tz::Europe__Istanbul),
    place("AE", "United Arab Emirates", "AED", Tz::Asia__Dubai),
    place("GB", "United Kingdom", "GBP", Tz::Europe__London),
    place("US", "United States", "USD", Tz::America__New_York),
    place("UY", "Uruguay", "UYU", Tz::America__Montevideo),
    place("VE", "Venezuela", "VES", Tz::America__Caracas),
    place("VN", "Vietnam", "VND", Tz::Asia__Ho_Chi_Minh),
];

/// The country with this code, in capitals.
pub fn find(code: &str) -> Option<&'static Place> {
    PLACES.iter().find(|place| place.code == code)
}

/// All currencies of [`PLACES`], sorted.
pub fn currencies() -> Vec<&'static str> {
    let mut currencies: Vec<&str> = PLACES.iter().map(|place| place.currency).collect();
    currencies.sort_unstable();
    currencies.dedup();
    currencies
}

/// Zones named by place; the legacy names stay out unless one is in use.
pub fn zones(chosen: &str) -> Vec<Choice> {
    const AREAS: [&str; 10] = [
        "Africa/",
        "America/",
        "Antarctica/",
        "Arctic/",
        "Asia/",
        "Atlantic/",
        "Australia/",
        "Europe/",
        "Indian/",
        "Pacific/",
    ];
    let is_listed = |zone: &Tz| {
        let name = zone.name();
        name == "UTC" || name == chosen || AREAS.iter().any(|area| name.starts_with(area))
    };
    TZ_VARIANTS
        .iter()
        .filter(|zone| is_listed(zone))
        .map(|zone| Choice::new(zone.name(), zone.name().replace('_', " "), zone.name() == chosen))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_has_no_twins() {
        let mut names: Vec<&str> = PLACES.iter().map(|place| place.name).collect();
        names.sort_by_key(|name| name.replace('ü', "u"));
        assert!(PLACES.iter().map(|place| place.name).eq(names));
        for place in PLACES {
            assert_eq!(PLACES.iter().filter(|other| other.code == place.code).count(), 1, "{}", place.code);
        }
    }
}
