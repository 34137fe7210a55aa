//! Money as whole minor units: reading it, writing it, and the sums of a quote.
//!
//! Promises: integers only, every sum checked for overflow, and halves rounded away from zero in one
//! place. An amount is counted in the currency's minor unit: cents for dollars, whole yen for yen.
//! Does not: convert between currencies, or follow a locale: thousands are grouped by commas and the
//! symbol comes first. Telling `US$` from `A$` is the caller's choice.

/// Symbol and number of decimals of a currency; unknown codes are written out, with two decimals.
fn style(currency: &str) -> (&str, u32) {
    match currency {
        "USD" | "AUD" | "NZD" | "CAD" | "SGD" | "HKD" | "MXN" | "ARS" | "COP" => ("$", 2),
        "CLP" => ("$", 0),
        "GBP" => ("£", 2),
        "EUR" => ("€", 2),
        "INR" => ("₹", 2),
        "BRL" => ("R$", 2),
        "ZAR" => ("R", 2),
        "PHP" => ("₱", 2),
        "JPY" => ("¥", 0),
        "CNY" => ("¥", 2),
        "KRW" => ("₩", 0),
        "VND" | "ISK" | "PYG" | "UGX" => (currency, 0),
        "KWD" | "BHD" | "OMR" | "JOD" | "TND" => (currency, 3),
        _ => (currency, 2),
    }
}

/// Writes an amount of minor units for people: `$1,284.00`, `-$5.00`, `¥1,284`, `CHF 12.50`.
pub fn format(cents: i64, currency: &str) -> String {
    let (symbol, decimals) = style(currency);
    let unit = 10_u64.pow(decimals);
    let amount = cents.unsigned_abs();
    let mut text = String::with_capacity(24);
    if cents < 0 {
        text.push('-');
    }
    text.push_str(symbol);
    if symbol == currency && !symbol.is_empty() {
        text.push(' ');
    }
    push_grouped(&mut text, amount / unit);
    if decimals > 0 {
        let width = decimals as usize;
        text.push_str(&format!(".{:0width$}", amount % unit));
    }
    text
}

/// Writes millionths of the currency's main unit, rounded half up to its minor unit.
pub fn format_micros(micros: i64, currency: &str) -> String {
    let (_, decimals) = style(currency);
    let per_minor_unit = 10_i128.pow(6 - decimals);
    let minor = divide_half_up(i128::from(micros), per_minor_unit);
    format(i64::try_from(minor).unwrap_or(i64::MAX), currency)
}

fn push_grouped(text: &mut String, number: u64) {
    let digits = number.to_string();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
}

/// Reads what people type for an amount with two decimals: `1,284.00`, `$12`, `12.5`, `-3`, `AUD 40`.
///
/// `None` where reading on would be guessing: a third decimal, commas that do not group thousands (a
/// decimal comma), more than one sign, anything else, or too much money for an `i64`.
pub fn parse_cents(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let text = strip_currency(text.trim());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "00"));
    if !matches!(fraction.len(), 1 | 2) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut cents: i64 = 0;
    for digit in grouped_digits(whole)?.chain(fraction.bytes()) {
        cents = cents.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
    }
    if fraction.len() == 1 {
        cents = cents.checked_mul(10)?;
    }
    Some(if negative { -cents } else { cents })
}

/// Takes off one symbol or ISO code in front or behind.
fn strip_currency(text: &str) -> &str {
    const SYMBOLS: [&str; 9] = ["R$", "$", "£", "€", "¥", "₹", "₱", "₩", "R"];
    let is_code = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if let Some(rest) = SYMBOLS.iter().find_map(|symbol| text.strip_prefix(symbol)) {
        return rest.trim_start();
    }
    if let Some(rest) = SYMBOLS.iter().find_map(|symbol| text.strip_suffix(symbol)) {
        return rest.trim_end();
    }
    if text.get(..3).is_some_and(is_code) {
        return text[3..].trim_start();
    }
    let tail = text.len().saturating_sub(3);
    if text.get(tail..).is_some_and(is_code) { text[..tail].trim_end() } else { text }
}

/// The digits of a whole number whose commas, if any, stand between groups of three.
fn grouped_digits(whole: &str) -> Option<impl Iterator<Item = u8>> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let has_commas = first.len() < whole.len();
    let first_fits = !first.is_empty() && (!has_commas || first.len() <= 3);
    let digits_only = whole.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    if !first_fits || !digits_only || groups.any(|group| group.len() != 3) {
        return None;
    }
    Some(whole.bytes().filter(u8::is_ascii_digit))
}

/// Divides with halves rounded away from zero, so that a credit mirrors its charge. `divisor` > 0.
fn divide_half_up(dividend: i128, divisor: i128) -> i128 {
    let doubled = 2 * dividend.abs() + divisor;
    dividend.signum() * (doubled / (2 * divisor))
}

/// The tax on a net amount; `rate` in basis points, 1,000 for 10 %. `None` on overflow.
pub fn tax(net_cents: i64, rate: u32) -> Option<i64> {
    i64::try_from(divide_half_up(i128::from(net_cents) * i128::from(rate), 10_000)).ok()
}

/// The tax contained in a gross amount; `rate` in basis points. `None` on overflow.
pub fn tax_included(gross_cents: i64, rate: u32) -> Option<i64> {
    let rate = i128::from(rate);
    i64::try_from(divide_half_up(i128::from(gross_cents) * rate, 10_000 + rate)).ok()
}

/// Price times quantity; the quantity in thousandths, 2,500 for two and a half hours. `None` on overflow.
pub fn line_total(unit_cents: i64, quantity_thousandths: i64) -> Option<i64> {
    i64::try_from(divide_half_up(i128::from(unit_cents) * i128::from(quantity_thousandths), 1_000)).ok()
}

/// One line of a quote or an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Net price of one unit.
    pub unit_cents: i64,
    /// Quantity in thousandths.
    pub quantity_thousandths: i64,
    /// Tax rate in basis points.
    pub tax_rate: u32,
}

/// What the lines of a quote add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Sum of the lines, net.
    pub subtotal_cents: i64,
    /// Sum of the lines' taxes, each rounded by itself.
    pub tax_cents: i64,
    /// Both together.
    pub total_cents: i64,
}

/// Adds lines up. `None` on overflow.
pub fn totals(lines: &[Line]) -> Option<Totals> {
    lines.iter().try_fold(Totals::default(), |sum, line| {
        let net = line_total(line.unit_cents, line.quantity_thousandths)?;
        let subtotal_cents = sum.subtotal_cents.checked_add(net)?;
        let tax_cents = sum.tax_cents.checked_add(tax(net, line.tax_rate)?)?;
        Some(Totals { subtotal_cents, tax_cents, total_cents: subtotal_cents.checked_add(tax_cents)? })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_written_for_people() {
        let cases = [
            (128_400, "AUD", "$1,284.00"),
            (5, "USD", "$0.05"),
            (0, "NZD", "$0.00"),
            (-500, "CAD", "-$5.00"),
            (100_000_000, "GBP", "£1,000,000.00"),
            (99_999, "EUR", "€999.99"),
            (1_284, "JPY", "¥1,284"),
            (1_284, "CNY", "¥12.84"),
            (1_250, "BRL", "R$12.50"),
            (1_250, "ZAR", "R12.50"),
            (1_250, "INR", "₹12.50"),
            (1_250, "MXN", "$12.50"),
            (1_250, "CHF", "CHF 12.50"),
            (1_250, "KWD", "KWD 1.250"),
            (i64::MIN, "USD", "-$92,233,720,368,547,758.08"),
        ];
        for (cents, currency, text) in cases {
            assert_eq!(format(cents, currency), text);
        }
        assert_eq!(format_micros(20_000_000, "AUD"), "$20.00");
        assert_eq!(format_micros(51_500, "AUD"), "$0.05");
        assert_eq!(format_micros(55_000, "AUD"), "$0.06");
        assert_eq!(format_micros(1_500_000, "JPY"), "¥2");
    }

    #[test]
    fn amounts_are_read_or_refused_but_never_guessed() {
        let good = [
            ("1,284.00", 128_400),
            ("$12", 1_200),
            ("12.5", 1_250),
            (" $ 1284 ", 128_400),
            ("-3", -300),
            ("-$3.05", -305),
            ("AUD 40", 4_000),
            ("40 NZD", 4_000),
            ("R$ 1,000,000", 100_000_000),
            ("12€", 1_200),
            ("92233720368547758.07", i64::MAX),
        ];
        for (text, cents) in good {
            assert_eq!(parse_cents(text), Some(cents), "{text}");
        }
        let bad = [
            "",
            "$",
            "-",
            ".5",
            "5.",
            "12.555",
            "1.284,00",
            "1,28",
            "12,34,567",
            ",123",
            "1,234,",
            "--3",
            "-$-3",
            "twelve",
            "1 284",
            "12.5.1",
            "٣",
            "92233720368547758.08",
            "1e5",
            "€€5",
        ];
        for text in bad {
            assert_eq!(parse_cents(text), None, "{text}");
        }
    }

    #[test]
    fn halves_round_away_from_zero() {
        assert_eq!(tax(1_005, 1_000), Some(101));
        assert_eq!(tax(-1_005, 1_000), Some(-101));
        assert_eq!(tax(1_004, 1_000), Some(100));
        assert_eq!(tax(10_000, 1_250), Some(1_250));
        assert_eq!(tax_included(11_000, 1_000), Some(1_000));
        assert_eq!(tax_included(128_400, 1_000), Some(11_673));
        assert_eq!(line_total(3_333, 2_500), Some(8_333));
        assert_eq!(line_total(i64::MAX, 1_001), None);
        assert_eq!(tax(i64::MAX, 20_000), None);
        let line = Line { unit_cents: 9_950, quantity_thousandths: 1_500, tax_rate: 1_000 };
        let sum = Totals { subtotal_cents: 29_850, tax_cents: 2_986, total_cents: 32_836 };
        assert_eq!(totals(&[line, line]), Some(sum));
        assert_eq!(totals(&[Line { unit_cents: i64::MAX, ..line }]), None);
        assert_eq!(totals(&[]), Some(Totals::default()));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(cents in -i64::MAX..=i64::MAX) {
            prop_assert_eq!(parse_cents(&format(cents, "AUD")), Some(cents));
            prop_assert_eq!(parse_cents(&format(cents, "CHF")), Some(cents));
        }

        #[test]
        fn anything_may_be_typed(text in any::<String>(), cents in any::<i64>(), rate in any::<u32>()) {
            let _ = parse_cents(&text);
            let _ = (format(cents, &text), format_micros(cents, &text), tax(cents, rate), tax_included(cents, rate));
        }

        #[test]
        fn net_and_tax_make_the_gross_again(net in 0..1_000_000_000_i64, rate in 0..5_000_u32) {
            let gross = net + tax(net, rate).unwrap();
            prop_assert!((tax_included(gross, rate).unwrap() - tax(net, rate).unwrap()).abs() <= 1);
        }
    }
}
