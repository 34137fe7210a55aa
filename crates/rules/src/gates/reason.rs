//! Why a gate holds a message: data to store, a code for programs, a sentence for people.

use super::OptOutSource;
use crate::calendar::{describe_day, describe_instant, describe_weekday, place, weekday};
use crate::consent::Basis;
use crate::money::format_micros;
use chrono::{DateTime, NaiveDate, NaiveTime, Offset, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Why a gate holds or refuses a message. In JSON an object whose `code` is that of [`Reason::code`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// The business has switched all sending off.
    SendingOff,
    /// The campaign or sequence is paused.
    CampaignPaused,
    /// The sender is switched off.
    SenderOff {
        /// What people call it.
        label: String,
    },
    /// The day's money is spent.
    DailyBudget {
        /// Millionths of the currency unit.
        limit_micros: i64,
        /// ISO 4217.
        currency: String,
    },
    /// The month's money is spent.
    MonthlyBudget {
        /// Millionths of the currency unit.
        limit_micros: i64,
        /// ISO 4217.
        currency: String,
    },
    /// The contact is on the do-not-contact list.
    DoNotContact {
        /// The note on the list; may be empty.
        note: String,
        /// Since when.
        at: DateTime<Utc>,
    },
    /// The contact has opted out.
    Unsubscribed {
        /// How.
        how: OptOutSource,
        /// When.
        at: DateTime<Utc>,
    },
    /// The contact has never opted in.
    NotSubscribed,
    /// What the law read as an agreement has ended.
    ConsentEnded {
        /// What it was read into.
        basis: Basis,
        /// When.
        at: DateTime<Utc>,
    },
    /// The contact was sent marketing too recently.
    #[serde(rename = "suppression_window")]
    Suppressed {
        /// When.
        last_marketed_at: DateTime<Utc>,
        /// How many days must pass.
        days: u16,
    },
    /// The contact was sent as many marketing texts as their number may get.
    TooMany {
        /// How many.
        most: usize,
        /// Within so many hours.
        hours: u16,
    },
    /// The sender is a name that nobody has registered, and the contact's network shows registered ones only.
    NameNotRegistered {
        /// What people call the sender.
        label: String,
    },
    /// It is too early or too late.
    QuietHours {
        /// Where.
        zone: Tz,
        /// The holiday that is kept there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holiday: Option<String>,
        /// The rule of the country that holds it longer than the tenant's own quiet hours would.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        law: Option<Law>,
    },
    /// Others are before it in the sender's line.
    RateLimit,
    /// The sender has sent enough for a day.
    WarmUp {
        /// Messages it may send today.
        cap: u32,
    },
    /// The sender's warm-up lies ahead.
    WarmUpNotStarted {
        /// Its first local day.
        starts_on: NaiveDate,
    },
}

/// When a country or state allows no marketing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Law {
    /// Whose rule it is, as it completes "in …".
    pub place: String,
    /// The weekday that is closed, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Weekday>,
}

impl Law {
    fn sentence(&self, holiday: Option<&str>) -> String {
        let when = match (holiday, self.day) {
            (Some(holiday), _) => format!("on {holiday}"),
            (None, Some(day)) => format!("on {}s", weekday(day)),
            (None, None) => "at this hour".to_owned(),
        };
        format!("No marketing {when} in {}", self.place)
    }
}

impl Reason {
    /// The word programs tell reasons apart by.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SendingOff => "sending_off",
            Self::CampaignPaused => "campaign_paused",
            Self::SenderOff { .. } => "sender_off",
            Self::DailyBudget { .. } => "daily_budget",
            Self::MonthlyBudget { .. } => "monthly_budget",
            Self::DoNotContact { .. } => "do_not_contact",
            Self::Unsubscribed { .. } => "unsubscribed",
            Self::NotSubscribed => "not_subscribed",
            Self::ConsentEnded { .. } => "consent_ended",
            Self::TooMany { .. } => "too_many",
            Self::NameNotRegistered { .. } => "name_not_registered",
            Self::Suppressed { .. } => "suppression_window",
            Self::QuietHours { .. } => "quiet_hours",
            Self::RateLimit => "rate_limit",
            Self::WarmUp { .. } => "warm_up",
            Self::WarmUpNotStarted { .. } => "warm_up_not_started",
        }
    }

    /// One plain sentence without a full stop, for somebody whose clock shows `viewer`. `until` is that
    /// of the verdict; `now` is when it is read, so that tomorrow is called tomorrow.
    pub fn sentence(&self, until: Option<DateTime<Utc>>, now: DateTime<Utc>, viewer: Tz) -> String {
        let day = |at: DateTime<Utc>| describe_day(at, now, viewer);
        let ending = |zone: Tz| {
            until.map_or_else(String::new, |until| format!(" until {}", describe_instant(until, now, zone)))
        };
        match self {
            Self::SendingOff => "Sending is switched off for this business".to_owned(),
            Self::CampaignPaused => "This campaign is paused".to_owned(),
            Self::SenderOff { label } => format!("Sending from {label} is switched off"),
            Self::DailyBudget { limit_micros, currency } => {
                format!(
                    "Daily budget of {} is used up{}",
                    format_micros(*limit_micros, currency),
                    ending(viewer)
                )
            }
            Self::MonthlyBudget { limit_micros, currency } => {
                format!(
                    "Monthly budget of {} is used up{}",
                    format_micros(*limit_micros, currency),
                    ending(viewer)
                )
            }
            Self::DoNotContact { note, at } if note.trim().is_empty() => {
                format!("On the do-not-contact list since {}", day(*at))
            }
            Self::DoNotContact { note, at } => {
                format!("On the do-not-contact list since {}: {}", day(*at), note.trim())
            }
            Self::Unsubscribed { how, at } => format!("{} on {}", opt_out(how), day(*at)),
            Self::NotSubscribed => "Has not agreed to receive marketing".to_owned(),
            Self::ConsentEnded { basis, at } => {
                format!("Consent from {} ended on {}", basis.origin(), day(*at))
            }
            Self::TooMany { most, hours } => {
                format!("Was sent {most} marketing texts within {hours} hours; waits{}", ending(viewer))
            }
            Self::NameNotRegistered { label } => {
                format!(
                    "{label} is not a registered sender name; register it, then say so under Settings, or send from a number"
                )
            }
            Self::Suppressed { last_marketed_at, days } => {
                let days_must = if *days == 1 { "day must" } else { "days must" };
                format!("Was sent a campaign on {}; {days} {days_must} pass", day(*last_marketed_at))
            }
            Self::QuietHours { zone, holiday, law } => {
                let same_clock = until.is_none_or(|until| offset(*zone, until) == offset(viewer, until));
                let aside = match until {
                    Some(until) if !same_clock => {
                        format!(" ({} your time)", describe_instant(until, now, viewer))
                    }
                    _ => String::new(),
                };
                match (law, until) {
                    (Some(law), Some(until)) => {
                        let opens = describe_weekday(until, now, *zone);
                        format!("{}; not before {opens}{aside}", law.sentence(holiday.as_deref()))
                    }
                    (Some(law), None) => law.sentence(holiday.as_deref()),
                    (None, _) => {
                        let what = holiday.as_deref().unwrap_or("Quiet hours");
                        format!("{what} in {}{}{aside}", place(*zone), ending(*zone))
                    }
                }
            }
            Self::RateLimit => format!("Waiting for its turn at this sending rate{}", ending(viewer)),
            Self::WarmUp { cap } => format!("Warm-up: this number may send {cap} today"),
            Self::WarmUpNotStarted { starts_on } => {
                // A calendar day, the same in every zone.
                let start = starts_on.and_time(NaiveTime::MIN).and_utc();
                format!("Warm-up of this number starts on {}", describe_day(start, now, Tz::UTC))
            }
        }
    }
}

fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

fn opt_out(how: &OptOutSource) -> String {
    match how {
        OptOutSource::Keyword { word } => format!("Unsubscribed by replying {word}"),
        OptOutSource::Phrase => "Asked in a reply to be left alone".to_owned(),
        OptOutSource::Link => "Unsubscribed by the link in a message".to_owned(),
        OptOutSource::Admin => "Unsubscribed by a member of your team".to_owned(),
        OptOutSource::Api => "Unsubscribed through the API".to_owned(),
        OptOutSource::Import => "Imported as unsubscribed".to_owned(),
        OptOutSource::Carrier => "Reported as opted out by the carrier".to_owned(),
        OptOutSource::Complaint => "Reported a message as unwanted".to_owned(),
    }
}
