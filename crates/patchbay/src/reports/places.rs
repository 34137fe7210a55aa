//! What is spent where: the countries that numbers tell by how they begin.

use std::collections::BTreeMap;

use patchbay_rules::{money, zones};
use serde::{Deserialize, Serialize};

use super::{sql::SpendNumbers, view::PlaceLine};
use crate::dashboard::grouped;

/// A channel to a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SpendPlace {
    /// `sms`, `whatsapp` or `email`.
    pub channel: String,
    /// ISO 3166 alpha-2, as the number tells; null for e-mail and numbers that do not tell.
    pub country: Option<String>,
    pub messages: i64,
    pub segments: i64,
    pub cost_micros: i64,
}

/// Folds beginnings of numbers into countries, dearest first.
pub(super) fn fold(rows: Vec<SpendNumbers>) -> Vec<SpendPlace> {
    let mut sums: BTreeMap<(String, Option<&str>), (i64, i64, i64)> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry((row.channel, zones::likely_country_of(&row.beginning))).or_default();
        *sum = (sum.0 + row.messages, sum.1 + row.segments, sum.2 + row.cost_micros);
    }
    let mut places: Vec<SpendPlace> = sums
        .into_iter()
        .map(|((channel, country), (messages, segments, cost_micros))| SpendPlace {
            channel,
            country: country.map(str::to_owned),
            messages,
            segments,
            cost_micros,
        })
        .collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.cost_micros));
    places
}

impl SpendPlace {
    /// As the page shows it.
    pub(super) fn line(&self, currency: &str) -> PlaceLine {
        let channel = match self.channel.as_str() {
            "sms" => "SMS",
            "whatsapp" => "WhatsApp",
            _ => "E-mail",
        };
        let country = self.country.as_deref().map(|code| {
            zones::country(code).map_or_else(|| code.to_owned(), |country| country.name_in_prose())
        });
        PlaceLine {
            place: country.map_or_else(|| channel.to_owned(), |country| format!("{channel} to {country}")),
            messages: grouped(self.messages),
            segments: grouped(self.segments),
            cost: money::format(self.cost_micros / 10_000, currency),
            each: money::format_micros(self.cost_micros / self.segments.max(1), currency),
        }
    }
}
