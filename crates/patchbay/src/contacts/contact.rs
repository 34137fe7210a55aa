//! What a contact is, and what is handed in to make or change one.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::{calendar, consent::Basis};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

/// How far the business has come with a contact.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Status {
    /// Asked, has not bought.
    #[default]
    Lead,
    /// A customer.
    Active,
    /// Not pursued.
    Inactive,
}

impl Status {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Lead, Self::Active, Self::Inactive];

    /// The word stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The word shown.
    pub fn label(self) -> &'static str {
        match self {
            Self::Lead => "Lead",
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }

    /// The status of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Whether an address may be written to, as far as the contact's own word goes. The ledger of consent decides;
/// this is the copy that lists filter by.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ConsentState {
    Subscribed,
    Unsubscribed,
    #[default]
    Unknown,
}

impl ConsentState {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Subscribed, Self::Unsubscribed, Self::Unknown];

    /// The word stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
            Self::Unknown => "unknown",
        }
    }

    /// The state of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// An agreement that ends by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Implied {
    /// What it was read into: `enquiry` or `purchase`.
    #[schema(value_type = String)]
    pub basis: Basis,
    /// From then on it does not hold for marketing.
    pub expires_at: DateTime<Utc>,
}

/// By channel.
pub type Terms = Json<BTreeMap<String, Implied>>;

impl Implied {
    /// As it reads beside the agreement, without an end of its own.
    pub fn words(&self, now: DateTime<Utc>, viewer: Tz) -> String {
        let ends = if self.expires_at <= now { "ended" } else { "ends" };
        let day = calendar::describe_day(self.expires_at, now, viewer);
        format!("Implied by {}; {ends} on {day}", self.basis.origin())
    }
}

/// A tenant's own copy of a person: what row-level security lets the tenant read, and nothing of the identity
/// that contacts of several tenants may share.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: Uuid,
    pub status: Status,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_e164: Option<String>,
    pub phone_ext: Option<String>,
    /// What was written where the number could not be understood.
    pub phone_raw: Option<String>,
    pub email: Option<String>,
    pub stage_id: Option<Uuid>,
    /// Name of the stage.
    pub stage: Option<String>,
    pub stage_position: f64,
    pub source: Option<String>,
    /// A member's user id.
    pub owner_id: Option<Uuid>,
    /// IANA name, when the contact's own zone is known.
    pub timezone: Option<String>,
    pub state: Option<String>,
    pub postal: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// Custom fields by key; an object.
    pub properties: Value,
    /// Names, sorted.
    pub labels: Vec<String>,
    pub consent_sms: ConsentState,
    pub consent_whatsapp: ConsentState,
    pub consent_email: ConsentState,
    /// The agreements among these that end by themselves, by channel.
    pub implied: Terms,
    pub last_contacted_at: Option<DateTime<Utc>>,
    pub last_replied_at: Option<DateTime<Utc>>,
    /// The contact that this duplicate became part of.
    pub merged_into: Option<Uuid>,
    pub archived_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Contact {
    /// Whether the agreement to be written to on a channel has ended by itself.
    pub fn has_lapsed(&self, channel: &str, now: DateTime<Utc>) -> bool {
        self.implied.get(channel).is_some_and(|implied| implied.expires_at <= now)
    }

    /// What a list calls this contact: the name, or else the best address there is.
    pub fn display_name(&self) -> String {
        let name = full_name(self.first_name.as_deref(), self.last_name.as_deref());
        if !name.is_empty() {
            return name;
        }
        let address = [&self.phone_e164, &self.phone_raw, &self.email].into_iter().find_map(Clone::clone);
        address.unwrap_or_else(|| "No name".to_owned())
    }

    /// The same as a business in `country` reads it: a number is written as people write it there.
    pub fn called(&self, country: &str) -> String {
        let name = full_name(self.first_name.as_deref(), self.last_name.as_deref());
        match &self.phone_e164 {
            Some(phone) if name.is_empty() => {
                patchbay_rules::phone::format_national_or_international(phone, country)
            }
            _ => self.display_name(),
        }
    }
}

/// Both names with a space between, of which either may be missing.
pub fn full_name(first: Option<&str>, last: Option<&str>) -> String {
    [first, last].into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What is known about somebody who turns up: from a form, a program, an inbound message. Already parsed and
/// trimmed; empty text is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewContact {
    pub status: Status,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub phone_ext: Option<String>,
    /// Lower case.
    pub email: Option<String>,
    pub source: Option<String>,
    /// `None`: the first stage.
    pub stage_id: Option<Uuid>,
    pub owner_id: Option<Uuid>,
    pub timezone: Option<String>,
    pub state: Option<String>,
    pub postal: Option<String>,
    pub country: Option<String>,
    pub properties: serde_json::Map<String, Value>,
}

/// One field that changed: before and after, as the audit log and the timeline keep it.
pub type Changes = BTreeMap<&'static str, (Value, Value)>;
