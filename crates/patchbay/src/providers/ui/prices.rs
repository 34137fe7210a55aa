//! The tenant's own prices as text: a line for each channel and country.

use std::collections::BTreeMap;

/// Millionths of the currency, by channel and country.
pub(super) type Prices = BTreeMap<String, BTreeMap<String, i64>>;

const CHANNELS: [(&str, &str); 3] = [("sms", "SMS"), ("whatsapp", "WhatsApp"), ("email", "E-mail")];

/// `SMS AU 0.0515`, a line each.
pub(super) fn written(prices: &Prices) -> String {
    let line = |channel: &str, country: &str, micros: i64| {
        let name = CHANNELS.iter().find(|(word, _)| *word == channel).map_or(channel, |(_, name)| name);
        let fraction = format!("{:06}", micros % 1_000_000);
        let fraction = fraction.trim_end_matches('0');
        format!("{name} {country} {}.{fraction:0<2}", micros / 1_000_000)
    };
    prices
        .iter()
        .flat_map(|(channel, countries)| {
            countries.iter().map(move |(country, micros)| line(channel, country, *micros))
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Reads such lines; commas, colons and equals signs between the parts do not matter.
///
/// # Errors
/// The first line that cannot be read.
pub(super) fn read(text: &str) -> Result<Prices, String> {
    let mut prices = Prices::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let parts: Vec<&str> =
            line.split([' ', '\t', ':', '=', ';']).filter(|part| !part.is_empty()).collect();
        let [channel, country, amount] = parts[..] else { return Err(wrong(line)) };
        let channel = CHANNELS
            .iter()
            .find(|(word, name)| channel.eq_ignore_ascii_case(word) || channel.eq_ignore_ascii_case(name));
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
        match (channel, is_country, micros(amount)) {
            (Some((channel, _)), true, Some(micros)) => {
                prices.entry((*channel).to_owned()).or_default().insert(country.to_uppercase(), micros);
            }
            _ => return Err(wrong(line)),
        }
    }
    Ok(prices)
}

fn wrong(line: &str) -> String {
    let line: String = line.chars().take(40).collect();
    format!("“{line}” cannot be read. Write channel, country and price, such as SMS AU 0.0515.")
}

/// A price to the millionth, up to a hundred.
fn micros(amount: &str) -> Option<i64> {
    let amount = amount.replace(',', ".");
    let (whole, fraction) = amount.split_once('.').unwrap_or((&amount, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || fraction.len() > 6 || !is_number(whole) || !is_number(fraction)
    {
        return None;
    }
    let micros = whole.parse::<i64>().ok()? * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().ok()?;
    (micros <= 100_000_000).then_some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "SMS AU 0.0515\nSMS US 0.01\nWhatsApp AU 1.00";
        let prices = read(text).unwrap();
        assert_eq!(prices["sms"]["AU"], 51_500);
        assert_eq!(written(&prices), text);
        assert_eq!(read("  sms: au = 0,0515 \r\n\n").unwrap()["sms"]["AU"], 51_500);
        assert!(read("").unwrap().is_empty());
        for line in
            ["SMS AU", "Fax AU 1", "SMS AUS 1", "SMS AU x", "SMS AU -1", "SMS AU 0.0000001", "SMS AU 101"]
        {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
