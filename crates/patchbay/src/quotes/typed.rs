//! What people type into the editor: amounts in the currency's own decimals, rates, discounts in money or percent.

use patchbay_rules::money;

/// Decimals of a currency's main unit: 2 for dollars, 0 for yen, 3 for Kuwaiti dinars.
fn decimals(currency: &str) -> usize {
    money::format(0, currency).split_once('.').map_or(0, |(_, part)| part.len())
}

/// Reads an amount such as `1,284.00`, `$80`, `-12.5` into minor units; `None` where it would be guessing.
pub(super) fn read_amount(text: &str, currency: &str) -> Option<i64> {
    match decimals(currency) {
        2 => money::parse_cents(text),
        0 => money::parse_cents(text).filter(|cents| cents % 100 == 0).map(|cents| cents / 100),
        _ => {
            let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if part.len() > 3 || !digits(part) {
                return None;
            }
            let whole = money::parse_cents(whole)? / 100;
            let part: i64 = format!("{part:0<3}").parse().ok()?;
            let thousands = whole.checked_mul(1_000)?;
            thousands.checked_add(if text.trim().starts_with('-') { -part } else { part })
        }
    }
}

/// Minor units as somebody would type them: `1284.00`.
pub(super) fn write_amount(cents: i64, currency: &str) -> String {
    let text = money::format(cents, currency);
    text.chars().filter(|character| character.is_ascii_digit() || matches!(character, '.' | '-')).collect()
}

/// Reads `10`, `6.12` or `10 %` into basis points; nothing is no tax.
pub(super) fn read_rate(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('%').trim_end();
    if text.is_empty() {
        return Some(0);
    }
    u32::try_from(money::parse_cents(text)?).ok().filter(|rate| *rate <= 10_000)
}

/// Basis points as somebody would type them: `6.12`, `10`; empty for none.
pub(super) fn write_rate(basis_points: u32) -> String {
    if basis_points == 0 {
        String::new()
    } else {
        super::locale::percent(basis_points).trim_end_matches('%').to_owned()
    }
}

/// Reads a discount: an amount, or a percentage of `subtotal_cents`; nothing is none.
pub(super) fn read_discount(text: &str, currency: &str, subtotal_cents: i64) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0);
    }
    if let Some(rate) = text.strip_suffix('%') {
        return money::tax(subtotal_cents, read_rate(rate)?);
    }
    read_amount(text, currency).filter(|cents| *cents >= 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_those_of_their_currency() {
        for (text, currency, cents) in [
            ("1,284.00", "AUD", Some(128_400)),
            ("$80", "USD", Some(8_000)),
            ("-12.5", "EUR", Some(-1_250)),
            ("1,284", "JPY", Some(1_284)),
            ("12.5", "JPY", None),
            ("1.250", "KWD", Some(1_250)),
            ("-1.2", "KWD", Some(-1_200)),
            ("1.2345", "KWD", None),
            ("1.284,00", "EUR", None),
            ("", "EUR", None),
            ("eighty", "USD", None),
        ] {
            assert_eq!(read_amount(text, currency), cents, "{text} {currency}");
        }
        assert_eq!(
            [read_rate(""), read_rate("10 %"), read_rate("6.12"), read_rate("101"), read_rate("x")],
            [Some(0), Some(1_000), Some(612), None, None]
        );
        assert_eq!(
            [
                read_discount("", "USD", 100),
                read_discount("10%", "USD", 1_005),
                read_discount("-1", "USD", 100)
            ],
            [Some(0), Some(101), None]
        );
        assert_eq!(
            (write_rate(612), write_rate(0), write_rate(1_000)),
            ("6.12".into(), String::new(), "10".into())
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(cents in -10_000_000_000_i64..10_000_000_000, currency in prop::sample::select(vec!["USD", "JPY", "KWD", "CHF"])) {
            prop_assert_eq!(read_amount(&write_amount(cents, currency), currency), Some(cents));
        }

        #[test]
        fn anything_may_be_typed(text in any::<String>(), cents in any::<i64>()) {
            let _ = (read_amount(&text, "USD"), read_amount(&text, "KWD"), read_rate(&text), read_discount(&text, "JPY", cents));
        }
    }
}
