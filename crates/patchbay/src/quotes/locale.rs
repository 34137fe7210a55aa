//! Amounts and days the way the business's country writes them, for the page that its customers see.
//!
//! Promises: the same digits as everywhere else; only their dress differs. Does not: translate words.

use chrono::{Datelike, NaiveDate};
use patchbay_rules::money;

/// How a country writes an amount.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// $1,284.00
    PointAndComma,
    /// 1.284,00 €
    CommaAndPoint,
    /// 1 284,00 €
    CommaAndSpace,
    /// CHF 1’284.00
    PointAndApostrophe,
}

fn style(country: &str) -> Style {
    match country {
        "DE" | "AT" | "ES" | "IT" | "NL" | "BE" | "PT" | "GR" | "DK" | "SI" | "HR" | "RO" | "TR" | "BR"
        | "AR" | "CL" | "CO" | "UY" | "PY" | "EC" | "VE" | "BO" | "ID" | "VN" | "IS" => Style::CommaAndPoint,
        "FR" | "LU" | "MC" | "FI" | "SE" | "NO" | "PL" | "CZ" | "SK" | "HU" | "BG" | "UA" | "EE" | "LV"
        | "LT" => Style::CommaAndSpace,
        "CH" | "LI" => Style::PointAndApostrophe,
        _ => Style::PointAndComma,
    }
}

/// Where a dollar is simply "$".
fn dollar_at_home(currency: &str, country: &str) -> bool {
    matches!(
        (currency, country),
        ("USD", "US" | "PR" | "EC" | "SV" | "GU" | "VI" | "PA")
            | ("AUD", "AU" | "NR" | "KI" | "TV")
            | ("NZD", "NZ")
            | ("CAD", "CA")
            | ("SGD", "SG")
            | ("HKD", "HK")
            | ("MXN", "MX")
            | ("ARS", "AR")
            | ("COP", "CO")
            | ("CLP", "CL")
    )
}

/// An amount as the people of `country` (ISO 3166 alpha-2) write it.
pub fn money(cents: i64, currency: &str, country: &str) -> String {
    let plain = money::format(cents, currency);
    let first = plain.find(|character: char| character.is_ascii_digit()).unwrap_or(0);
    let (sign, digits) = (plain[..first].trim(), &plain[first..]);
    let (minus, sign) = sign.strip_prefix('-').map_or(("", sign), |sign| ("-", sign.trim()));
    let sign = match (sign, currency) {
        ("$", currency) if !dollar_at_home(currency, country) => {
            let short = [
                ("USD", "US$"),
                ("AUD", "A$"),
                ("NZD", "NZ$"),
                ("CAD", "CA$"),
                ("SGD", "S$"),
                ("HKD", "HK$"),
                ("MXN", "MX$"),
            ];
            short
                .iter()
                .find(|(code, _)| *code == currency)
                .map_or_else(|| format!("{currency} "), |(_, sign)| (*sign).to_owned())
        }
        (sign, _) if sign.len() == 3 && sign.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            format!("{sign} ")
        }
        (sign, _) => sign.to_owned(),
    };
    let style = style(country);
    let digits = dressed(digits, style);
    match style {
        // The Americas write the sign first whatever the comma.
        Style::CommaAndPoint
            if matches!(country, "BR" | "AR" | "CL" | "CO" | "UY" | "PY" | "EC" | "VE" | "BO") =>
        {
            format!("{minus}{}\u{a0}{digits}", sign.trim_end())
        }
        Style::CommaAndPoint | Style::CommaAndSpace => format!("{minus}{digits}\u{a0}{}", sign.trim_end()),
        Style::PointAndComma | Style::PointAndApostrophe => format!("{minus}{sign}{digits}"),
    }
}

fn dressed(digits: &str, style: Style) -> String {
    let (thousands, decimal) = match style {
        Style::PointAndComma => return digits.to_owned(),
        Style::CommaAndPoint => (".", ","),
        Style::CommaAndSpace => ("\u{202f}", ","),
        Style::PointAndApostrophe => ("’", "."),
    };
    digits
        .chars()
        .map(|character| match character {
            ',' => thousands.to_owned(),
            '.' => decimal.to_owned(),
            other => other.to_string(),
        })
        .collect()
}

/// "Friday 5 December", with the year when it is not this one; the month first where people say it so.
pub fn day(day: NaiveDate, today: NaiveDate, country: &str) -> String {
    let pattern = match (matches!(country, "US" | "CA" | "PH" | "PR"), day.year() == today.year()) {
        (true, true) => "%A, %B %-d",
        (true, false) => "%A, %B %-d, %Y",
        (false, true) => "%A %-d %B",
        (false, false) => "%A %-d %B %Y",
    };
    day.format(pattern).to_string()
}

/// "6.12%" of 612 basis points.
pub fn percent(basis_points: u32) -> String {
    let (whole, part) = (basis_points / 100, basis_points % 100);
    match part {
        0 => format!("{whole}%"),
        part if part % 10 == 0 => format!("{whole}.{}%", part / 10),
        part => format!("{whole}.{part:02}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_wear_what_their_country_wears() {
        for (cents, currency, country, text) in [
            (128_400, "USD", "US", "$1,284.00"),
            (128_400, "AUD", "AU", "$1,284.00"),
            (128_400, "USD", "AU", "US$1,284.00"),
            (128_400, "AUD", "US", "A$1,284.00"),
            (128_400, "GBP", "GB", "£1,284.00"),
            (128_400, "EUR", "IE", "€1,284.00"),
            (128_400, "EUR", "DE", "1.284,00\u{a0}€"),
            (128_400, "EUR", "FR", "1\u{202f}284,00\u{a0}€"),
            (128_400, "CHF", "CH", "CHF 1’284.00"),
            (128_400, "BRL", "BR", "R$\u{a0}1.284,00"),
            (128_400, "CLP", "CL", "$\u{a0}128.400"),
            (1_284, "JPY", "JP", "¥1,284"),
            (-500, "USD", "US", "-$5.00"),
            (-500, "EUR", "DE", "-5,00\u{a0}€"),
            (128_400, "SEK", "SE", "1\u{202f}284,00\u{a0}SEK"),
        ] {
            assert_eq!(money(cents, currency, country), text, "{currency} in {country}");
        }
    }

    #[test]
    fn days_and_rates_read_well() {
        let day_of = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        let today = day_of(2026, 11, 21);
        assert_eq!(day(day_of(2026, 12, 5), today, "AU"), "Saturday 5 December");
        assert_eq!(day(day_of(2027, 1, 5), today, "AU"), "Tuesday 5 January 2027");
        assert_eq!(day(day_of(2026, 12, 5), today, "US"), "Saturday, December 5");
        for (rate, text) in [(0, "0%"), (612, "6.12%"), (1_000, "10%"), (1_050, "10.5%"), (5, "0.05%")] {
            assert_eq!(percent(rate), text);
        }
    }
}
