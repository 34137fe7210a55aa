//! What each setting may be. A value that is good is taken over, one that is not is an error at its field.

use std::{borrow::Cow, collections::BTreeMap};

use chrono::NaiveTime;
use chrono_tz::Tz;

use super::{Brake, BrakePatch, QuietHours, QuietHoursInput, RateLimitPatch};
use crate::{
    error::{Error, FieldErrors, Result},
    tenants::places,
    web::patch::Patch,
};

/// Collects what is wrong, so that a form can show all of it at once.
#[derive(Default)]
pub(super) struct Check(FieldErrors);

impl Check {
    pub(super) fn wrong(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.insert(field.into(), message.into());
    }

    pub(super) fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    pub(super) fn text(&mut self, field: &'static str, patch: Patch<String>, to: &mut String, most: usize) {
        let mut optional = Some(to.clone());
        self.optional(field, patch, &mut optional, most);
        match optional {
            Some(text) => *to = text,
            None => self.wrong(field, "This cannot be empty."),
        }
    }

    pub(super) fn optional(
        &mut self,
        field: &'static str,
        patch: Patch<String>,
        to: &mut Option<String>,
        most: usize,
    ) {
        let Patch::Set(text) = patch else {
            if patch == Patch::Clear {
                *to = None;
            }
            return;
        };
        let text = text.trim();
        if text.chars().count() > most {
            self.wrong(field, format!("This is longer than {most} characters."));
        } else if text.chars().any(|letter| letter.is_control() && letter != '\n') {
            self.wrong(field, "This holds characters that cannot be sent.");
        } else {
            *to = Some(text.to_owned()).filter(|text| !text.is_empty());
        }
    }

    pub(super) fn yes_or_no(&mut self, field: &'static str, patch: Patch<bool>, current: bool) -> bool {
        if patch == Patch::Clear {
            self.wrong(field, "Choose true or false.");
        }
        patch.or(current, current)
    }

    pub(super) fn timezone(&mut self, patch: Patch<String>, to: &mut Tz) {
        match patch {
            Patch::Keep => {}
            Patch::Set(name) if name.parse::<Tz>().is_ok() => *to = name.parse().unwrap_or(*to),
            _ => self.wrong("timezone", "Choose a time zone such as Australia/Perth."),
        }
    }

    pub(super) fn country(&mut self, patch: Patch<String>, to: &mut String) {
        match patch {
            Patch::Keep => {}
            Patch::Set(code) if places::find(&code.trim().to_uppercase()).is_some() => {
                *to = code.trim().to_uppercase()
            }
            _ => self.wrong("country", "Choose a country by its two letters, such as AU."),
        }
    }

    pub(super) fn currency(&mut self, patch: Patch<String>, to: &mut String) {
        match patch {
            Patch::Keep => {}
            Patch::Set(code) if places::currencies().contains(&code.trim().to_uppercase().as_str()) => {
                *to = code.trim().to_uppercase();
            }
            _ => self.wrong("currency", "Choose a currency by its three letters, such as AUD."),
        }
    }

    pub(super) fn quiet_hours(&mut self, patch: Patch<QuietHoursInput>, to: &mut Option<QuietHours>) {
        let input = match patch {
            Patch::Keep => return,
            Patch::Clear => return *to = None,
            Patch::Set(input) => input,
        };
        let read = |text: &str| {
            ["%H:%M", "%H:%M:%S"]
                .iter()
                .find_map(|format| NaiveTime::parse_from_str(text.trim(), format).ok())
        };
        let (start, end) = (read(&input.start), read(&input.end));
        for (field, time) in [("quiet_hours.start", start), ("quiet_hours.end", end)] {
            if time.is_none() {
                self.wrong(field, "Write a time of day such as 21:00.");
            }
        }
        match start.zip(end) {
            Some((start, end)) if start == end => {
                self.wrong("quiet_hours.end", "Then there would be no time left to send.")
            }
            Some((start, end)) => *to = Some(QuietHours { start, end }),
            None => {}
        }
    }

    pub(super) fn amount(&mut self, field: &'static str, patch: Patch<i64>, to: &mut Option<i64>) {
        // A trillion cents is beyond any budget and far from where arithmetic overflows.
        match patch {
            Patch::Set(cents) if !(0..=1_000_000_000_000).contains(&cents) => {
                self.wrong(field, "Choose an amount of zero or more.")
            }
            patch => *to = patch.over(*to),
        }
    }

    pub(super) fn rate(
        &mut self,
        field: &'static str,
        patch: Patch<RateLimitPatch>,
        to: &mut Option<i32>,
        may_be_empty: bool,
    ) {
        let per_second = match patch {
            Patch::Keep => return,
            Patch::Clear => Patch::Clear,
            Patch::Set(rate) => rate.per_second,
        };
        match per_second {
            Patch::Keep => {}
            Patch::Clear if may_be_empty => *to = None,
            Patch::Set(rate) if (1..=10_000).contains(&rate) => *to = i32::try_from(rate).ok(),
            _ => self.wrong(field, "Choose 1 to 10,000 a second."),
        }
    }

    pub(super) fn brake(&mut self, patch: Patch<BrakePatch>, to: &mut Brake) {
        let patch = match patch {
            Patch::Keep => return,
            Patch::Clear => BrakePatch {
                opt_out_percent: Patch::Clear,
                failure_percent: Patch::Clear,
                filtered_percent: Patch::Clear,
                minimum: Patch::Keep,
            },
            Patch::Set(patch) => patch,
        };
        let mut percent = |field: &'static str, patch: Patch<f64>, to: &mut Option<f64>| match patch {
            Patch::Set(percent) if !(0.1..=100.0).contains(&percent) => {
                self.wrong(field, "Choose 0.1 to 100 percent.")
            }
            Patch::Set(percent) => *to = Some((percent * 10.0).round() / 10.0),
            patch => *to = patch.over(*to),
        };
        percent("brake.opt_out_percent", patch.opt_out_percent, &mut to.opt_out_percent);
        percent("brake.failure_percent", patch.failure_percent, &mut to.failure_percent);
        percent("brake.filtered_percent", patch.filtered_percent, &mut to.filtered_percent);
        match patch.minimum {
            Patch::Keep => {}
            Patch::Set(minimum) if (1..=500).contains(&minimum) => {
                to.minimum = i32::try_from(minimum).unwrap_or(100)
            }
            _ => self.wrong("brake.minimum", "Choose 1 to 500 messages."),
        }
    }

    pub(super) fn prices(
        &mut self,
        patch: Patch<BTreeMap<String, BTreeMap<String, i64>>>,
        to: &mut BTreeMap<String, BTreeMap<String, i64>>,
    ) {
        let prices = match patch {
            Patch::Keep => return,
            Patch::Clear => return to.clear(),
            Patch::Set(prices) => prices,
        };
        let is_good = prices.iter().all(|(channel, countries)| {
            matches!(channel.as_str(), "sms" | "whatsapp" | "email")
                && countries.len() <= 300
                && countries.iter().all(|(country, micros)| {
                    country.len() == 2
                        && country.bytes().all(|b| b.is_ascii_uppercase())
                        && (0..=100_000_000).contains(micros)
                })
        });
        if is_good {
            *to = prices;
        } else {
            self.wrong(
                "prices",
                r#"Write millionths of the currency by channel and country, such as {"sms": {"AU": 51500}}."#,
            );
        }
    }
}
