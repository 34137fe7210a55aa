//! What a message is expected to cost, before its provider says so.
//!
//! Promises: an estimate in millionths of a currency unit, to reserve against a budget. The figures are
//! round list prices per segment, defaults that a tenant overrides with its own contract.
//! Does not: know carrier surcharges, volume discounts or exchange rates; where the provider reports the real price in
//! the tenant's currency, it takes the estimate's place (`messaging`'s `settle_prices`).

use crate::message::Channel;

/// Price of one SMS segment to a country, in millionths of a currency unit.
const SMS: &[(&str, i64)] = &[
    ("AE", 80_000),
    ("AR", 70_000),
    ("AT", 100_000),
    ("AU", 50_000),
    ("BE", 110_000),
    ("BR", 60_000),
    ("CA", 10_000),
    ("CH", 80_000),
    ("CL", 60_000),
    ("CO", 60_000),
    ("DE", 110_000),
    ("DK", 60_000),
    ("ES", 80_000),
    ("FR", 80_000),
    ("GB", 50_000),
    ("HK", 80_000),
    ("IE", 80_000),
    ("IN", 80_000),
    ("IT", 90_000),
    ("JP", 90_000),
    ("MX", 60_000),
    ("NL", 110_000),
    ("NO", 80_000),
    ("NZ", 110_000),
    ("PE", 60_000),
    ("PH", 200_000),
    ("PL", 50_000),
    ("PR", 50_000),
    ("PT", 60_000),
    ("SE", 70_000),
    ("SG", 50_000),
    ("SV", 70_000),
    ("US", 10_000),
    ("ZA", 30_000),
];

/// For countries that the table does not name: high, so that a budget is not overspent by surprise.
const SMS_ELSEWHERE: i64 = 150_000;

/// One WhatsApp message of whatever length.
const WHATSAPP: i64 = 30_000;

/// The expected cost of a message, in millionths of a currency unit. `country` is the recipient's, ISO
/// 3166 alpha-2; `segments` counts for SMS only.
pub fn cost_micros(channel: Channel, country: &str, segments: u32) -> i64 {
    match channel {
        Channel::Sms => sms_segment(country).saturating_mul(i64::from(segments)),
        Channel::Whatsapp => WHATSAPP,
        Channel::Email => 0,
    }
}

fn sms_segment(country: &str) -> i64 {
    SMS.iter().find(|(code, _)| code.eq_ignore_ascii_case(country)).map_or(SMS_ELSEWHERE, |(_, price)| *price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_cost_by_channel_country_and_length() {
        let cases = [
            (Channel::Sms, "AU", 1, 50_000),
            (Channel::Sms, "au", 3, 150_000),
            (Channel::Sms, "US", 2, 20_000),
            (Channel::Sms, "ZW", 1, 150_000),
            (Channel::Sms, "", 1, 150_000),
            (Channel::Whatsapp, "AU", 7, 30_000),
            (Channel::Email, "AU", 7, 0),
        ];
        for (channel, country, segments, cost) in cases {
            assert_eq!(cost_micros(channel, country, segments), cost);
        }
        assert!(cost_micros(Channel::Sms, "PH", u32::MAX) > 0);
        assert!(SMS.is_sorted_by_key(|(code, _)| *code));
    }
}
