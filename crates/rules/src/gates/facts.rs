//! What the gates need to know: plain values, gathered by the caller.
//!
//! Does not: check that they belong together. A campaign's own pause, the sender's usage and the
//! recipient's consent must be those of the message that is decided.

use crate::consent::Basis;
use crate::frequency::Cap;
use crate::quiet_hours::Window;
use crate::zones::Zones;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The business that sends.
#[derive(Debug, Clone)]
pub struct TenantFacts {
    /// Nothing at all is sent.
    pub kill_switch: bool,
    /// Whose midnight ends a day and a month of budget and warm-up.
    pub timezone: Tz,
    /// ISO 3166 alpha-2: the rules for recipients whose country is unknown.
    pub country: String,
    /// ISO 4217 code of budgets and costs.
    pub currency: String,
    /// Most that a local day may cost, in millionths of the currency unit.
    pub budget_daily_micros: Option<i64>,
    /// Most that a local calendar month may cost, in millionths of the currency unit.
    pub budget_monthly_micros: Option<i64>,
    /// Days that must pass between two pieces of marketing to one contact; 0 for none.
    pub suppression_days: u16,
    /// The tenant's own quiet hours, on the recipient's clock.
    pub quiet: Option<Window>,
    /// Whether marketing also keeps to the hours of the recipient's country and state.
    pub apply_country_rules: bool,
    /// Whether marketing rests on the public holidays of the recipient's country.
    pub rest_on_holidays: bool,
    /// Whether quiet hours also hold what people type.
    pub quiet_hours_bind_people: bool,
}

/// The number or address that sends.
#[derive(Debug, Clone)]
pub struct SenderFacts {
    /// First local day of the warm-up; `None` for a sender that needs none.
    pub warmup_started_on: Option<NaiveDate>,
    /// Local days before today on which it sent something since the warm-up started.
    pub warmup_day_index: u32,
    /// Whether it may be used.
    pub active: bool,
    /// What people call it.
    pub label: String,
    /// Whether it is a name that nobody has registered.
    pub unregistered_name: bool,
}

/// The person written to.
#[derive(Debug, Clone)]
pub struct RecipientFacts {
    /// Where they may be.
    pub zones: Zones,
    /// ISO 3166 alpha-2, if known.
    pub country: Option<String>,
    /// State or province, if known.
    pub state: Option<String>,
    /// What they agreed to on this channel.
    pub consent: ConsentState,
    /// Their entry on the tenant's do-not-contact list.
    pub do_not_contact: Option<DoNotContact>,
    /// Whether the campaign or sequence of this message is paused.
    pub campaign_paused: bool,
    /// When *another* campaign or sequence last sent them something; the steps of one sequence do not
    /// suppress each other.
    pub last_marketed_at: Option<DateTime<Utc>>,
    /// When they were sent marketing texts of late.
    pub texted_at: Vec<DateTime<Utc>>,
    /// How many of those their number may get.
    pub cap: Option<Cap>,
    /// Whether their network shows registered names only.
    pub wants_registered_name: bool,
    /// When they last wrote on this channel.
    pub last_inbound_at: Option<DateTime<Utc>>,
}

/// An entry on the do-not-contact list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoNotContact {
    /// The note of whoever made it; may be empty.
    pub reason: String,
    /// When it was made.
    pub at: DateTime<Utc>,
}

/// What a person agreed to, on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentState {
    /// Agreed to marketing.
    Subscribed,
    /// The law reads an agreement into what they did, until then.
    Implied {
        /// What they did.
        basis: Basis,
        /// When it ends by itself.
        ends_at: DateTime<Utc>,
    },
    /// Wants nothing more.
    Unsubscribed {
        /// How they said so.
        how: OptOutSource,
        /// When.
        at: DateTime<Utc>,
    },
    /// Never asked.
    Unknown,
}

/// How an opt-out reached us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum OptOutSource {
    /// A reply that was nothing but a keyword.
    Keyword {
        /// The keyword, as typed.
        word: String,
    },
    /// A reply that asked in other words.
    Phrase,
    /// A link or a one-click header.
    Link,
    /// A member of the business noted it.
    Admin,
    /// A program noted it.
    Api,
    /// It came with an import.
    Import,
    /// The carrier refused a message because of one.
    Carrier,
    /// The recipient reported a message as unwanted.
    Complaint,
}

impl OptOutSource {
    /// Reads the source of a stored opt-out, `text` being what was replied.
    pub fn from_record(source: &str, text: Option<&str>) -> Option<Self> {
        Some(match source {
            "keyword" => Self::Keyword { word: text.unwrap_or("STOP").trim().to_owned() },
            "phrase" => Self::Phrase,
            "link" => Self::Link,
            "admin" => Self::Admin,
            "api" => Self::Api,
            "import" => Self::Import,
            "carrier" => Self::Carrier,
            "complaint" => Self::Complaint,
            _ => return None,
        })
    }

    /// The word that stands for the source in storage.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Keyword { .. } => "keyword",
            Self::Phrase => "phrase",
            Self::Link => "link",
            Self::Admin => "admin",
            Self::Api => "api",
            Self::Import => "import",
            Self::Carrier => "carrier",
            Self::Complaint => "complaint",
        }
    }
}

/// What a batch has used up so far, of the tenant's money and of one sender's day and rate. Shared by
/// all decisions of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Millionths of the currency unit spent or reserved this local day.
    pub spent_today_micros: i64,
    /// Millionths of the currency unit spent or reserved this local month.
    pub spent_month_micros: i64,
    /// Messages the sender has sent this local day.
    pub sender_today: i64,
    /// Messages the sender may still send at once.
    pub rate_tokens: i64,
    /// Time until one more token.
    pub rate_interval: TimeDelta,
    /// Messages of this batch that the rate has already put off.
    pub rate_deferred: u32,
}

impl Usage {
    /// Takes what one passing message uses.
    pub(super) const fn reserve(&mut self, cost_micros: i64) {
        self.spent_today_micros = self.spent_today_micros.saturating_add(cost_micros);
        self.spent_month_micros = self.spent_month_micros.saturating_add(cost_micros);
        self.sender_today = self.sender_today.saturating_add(1);
        self.rate_tokens = self.rate_tokens.saturating_sub(1);
    }
}
