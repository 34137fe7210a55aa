//! What a condition can ask about: one table of fields, each with the kind of its values and the place it is kept.
//! Everything else (what may be asked, how it is compiled, which control the builder shows) follows from the kind.

use std::fmt;

use super::context::Context;
use crate::contacts::custom_fields::{CustomField, FieldType};

/// How a value is compared with what a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    Is,
    IsNot,
    In,
    Contains,
    StartsWith,
    Gt,
    Gte,
    Lt,
    Lte,
    Before,
    After,
    Exists,
}

impl Op {
    pub const ALL: [Self; 12] = [
        Self::Is,
        Self::IsNot,
        Self::In,
        Self::Contains,
        Self::StartsWith,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::Before,
        Self::After,
        Self::Exists,
    ];

    /// The word stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::IsNot => "is_not",
            Self::In => "in",
            Self::Contains => "contains",
            Self::StartsWith => "starts_with",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Before => "before",
            Self::After => "after",
            Self::Exists => "exists",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == word)
    }
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind<'a> {
    /// One of a closed list of words.
    Words(&'static [&'static str]),
    /// Something of the tenant's that has an id and a name.
    Named(Names),
    /// Free text; case and accents do not matter to `contains` and `starts_with`.
    Text,
    Email,
    Phone,
    Country,
    Instant,
    Number,
    Flag,
    Date,
    /// One of the options of a custom field, or its web address, number, …: what fits the definition.
    Custom(&'a CustomField),
    /// A custom field that nobody defined: its values are compared as what they look like.
    Undefined,
}

/// Lists of the tenant's that conditions name entries of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Stages,
    Labels,
    Members,
    Campaigns,
}

impl Names {
    /// One entry, as an error calls it.
    pub fn one(self) -> &'static str {
        match self {
            Self::Stages => "stage",
            Self::Labels => "label",
            Self::Members => "member",
            Self::Campaigns => "campaign",
        }
    }
}

/// Where a field is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A column of the contact, over the alias `c`.
    Column(&'static str),
    Labels,
    /// A column of the contact's quotes, over the alias `q`: a condition asks whether there is a quote that meets it.
    Quotes(&'static str),
    /// Clicks by people, not by programs that look at links.
    Clicks,
    /// The audience of a campaign, or those of it whom the message reached.
    Campaigns {
        reached: bool,
    },
    DoNotContact,
    /// A key of the contact's properties.
    Property,
}

/// A field that every tenant has.
#[derive(Debug, PartialEq)]
pub struct Standard {
    pub name: &'static str,
    /// As the builder shows it.
    pub label: &'static str,
    /// The heading the builder lists it under.
    pub group: &'static str,
    pub kind: Kind<'static>,
    pub place: Place,
}

const STATUSES: &[&str] = &["lead", "active", "inactive"];
const CONSENTS: &[&str] = &["subscribed", "unsubscribed", "unknown"];
const QUOTE_STATUSES: &[&str] = &["draft", "sent", "viewed", "accepted", "rejected", "expired"];

const fn field(
    group: &'static str,
    name: &'static str,
    label: &'static str,
    kind: Kind<'static>,
    place: Place,
) -> Standard {
    Standard { name, label, group, kind, place }
}

/// All of them, in the order they are offered.
pub static STANDARD: &[Standard] = &[
    field("Contact", "status", "Status", Kind::Words(STATUSES), Place::Column("c.status")),
    field("Contact", "stage", "Stage", Kind::Named(Names::Stages), Place::Column("c.stage_id")),
    field("Contact", "label", "Label", Kind::Named(Names::Labels), Place::Labels),
    field("Contact", "source", "Source", Kind::Text, Place::Column("c.source")),
    field("Contact", "owner", "Owner", Kind::Named(Names::Members), Place::Column("c.owner_id")),
    field("Contact", "first_name", "First name", Kind::Text, Place::Column("c.first_name")),
    field("Contact", "last_name", "Last name", Kind::Text, Place::Column("c.last_name")),
    field("Contact", "email", "E-mail", Kind::Email, Place::Column("c.email")),
    field("Contact", "phone", "Phone", Kind::Phone, Place::Column("c.phone_e164")),
    field("Contact", "country", "Country", Kind::Country, Place::Column("c.country")),
    field("Contact", "state", "State", Kind::Text, Place::Column("c.state")),
    field("Contact", "timezone", "Time zone", Kind::Text, Place::Column("c.timezone")),
    field("Consent", "consent.sms", "Text messages", Kind::Words(CONSENTS), Place::Column("c.consent_sms")),
    field(
        "Consent",
        "consent.whatsapp",
        "WhatsApp",
        Kind::Words(CONSENTS),
        Place::Column("c.consent_whatsapp"),
    ),
    field(
        "Consent",
        "consent.email",
        "E-mail consent",
        Kind::Words(CONSENTS),
        Place::Column("c.consent_email"),
    ),
    field(
        "Consent",
        "consent.sms.ends_at",
        "Consent to text messages ends",
        Kind::Instant,
        Place::Column(
            "(select k.expires_at from patchbay.consents k where k.tenant_id = c.tenant_id and k.channel = 'sms' and k.address = c.phone_e164 and k.state = 'subscribed')",
        ),
    ),
    field("Consent", "do_not_contact", "On the do-not-contact list", Kind::Flag, Place::DoNotContact),
    field("Activity", "created_at", "Added", Kind::Instant, Place::Column("c.created_at")),
    field("Activity", "updated_at", "Changed", Kind::Instant, Place::Column("c.updated_at")),
    field(
        "Activity",
        "last_contacted_at",
        "Last contacted",
        Kind::Instant,
        Place::Column("c.last_contacted_at"),
    ),
    field("Activity", "last_replied_at", "Last replied", Kind::Instant, Place::Column("c.last_replied_at")),
    field("Activity", "clicked", "Clicked a link", Kind::Flag, Place::Clicks),
    field("Activity", "last_clicked_at", "Last clicked", Kind::Instant, Place::Clicks),
    field("Quotes", "quote.status", "Quote", Kind::Words(QUOTE_STATUSES), Place::Quotes("q.status")),
    field("Quotes", "quote.total_cents", "Quote total", Kind::Number, Place::Quotes("q.total_cents")),
    field(
        "Campaigns",
        "campaign",
        "Was in campaign",
        Kind::Named(Names::Campaigns),
        Place::Campaigns { reached: false },
    ),
    field(
        "Campaigns",
        "campaign.received",
        "Got campaign",
        Kind::Named(Names::Campaigns),
        Place::Campaigns { reached: true },
    ),
];

/// What a condition asks about.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    Standard(&'static Standard),
    /// `properties.<key>`.
    Property(String),
}

impl Field {
    /// The field of that name.
    ///
    /// # Errors
    /// What may stand there instead.
    pub fn from_name(name: &str) -> Result<Self, String> {
        if let Some(key) = name.strip_prefix("properties.") {
            return match key.chars().count() {
                0 => Err("Give the key of the custom field after properties.".to_owned()),
                1..=100 if !key.contains(char::is_control) => Ok(Self::Property(key.to_owned())),
                _ => Err("The key of a custom field has at most 100 characters.".to_owned()),
            };
        }
        STANDARD.iter().find(|field| field.name == name).map(Self::Standard).ok_or_else(|| {
            let names: Vec<&str> = STANDARD.iter().map(|field| field.name).collect();
            format!("There is no such field. Use one of {}, properties.<key>.", names.join(", "))
        })
    }

    /// What its values are; without a tenant nothing is known of custom fields.
    pub fn kind<'a>(&self, context: Option<&'a Context>) -> Kind<'a> {
        match self {
            Self::Standard(field) => field.kind,
            Self::Property(key) => match context.and_then(|context| context.custom_field(key)) {
                Some(defined) => match defined.field_type {
                    FieldType::Text | FieldType::Select | FieldType::Url => Kind::Custom(defined),
                    FieldType::Number => Kind::Number,
                    FieldType::Date => Kind::Date,
                    FieldType::Boolean => Kind::Flag,
                },
                None => Kind::Undefined,
            },
        }
    }

    /// Whether its numbers are money, kept in cents.
    pub fn is_money(&self) -> bool {
        matches!(self, Self::Standard(field) if field.name.ends_with("_cents"))
    }

    /// Where it is kept.
    pub fn place(&self) -> Place {
        match self {
            Self::Standard(field) => field.place,
            Self::Property(_) => Place::Property,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(field) => f.write_str(field.name),
            Self::Property(key) => write!(f, "properties.{key}"),
        }
    }
}

impl Kind<'_> {
    /// What may be asked of such a field.
    pub fn ops(self) -> &'static [Op] {
        use Op::{After, Before, Contains, Exists, Gt, Gte, In, Is, IsNot, Lt, Lte, StartsWith};
        match self {
            Self::Words(_) | Self::Named(_) | Self::Country => &[Is, IsNot, In, Exists],
            Self::Text | Self::Email | Self::Phone | Self::Custom(_) => {
                &[Is, IsNot, In, Contains, StartsWith, Exists]
            }
            Self::Instant => &[After, Before, Gt, Gte, Lt, Lte, Exists],
            Self::Date => &[Is, IsNot, In, After, Before, Gt, Gte, Lt, Lte, Exists],
            Self::Number => &[Is, IsNot, In, Gt, Gte, Lt, Lte, Exists],
            Self::Flag => &[Is, IsNot, Exists],
            Self::Undefined => &Op::ALL,
        }
    }
}
