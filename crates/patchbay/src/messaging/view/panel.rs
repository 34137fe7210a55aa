//! Who it is: the right-hand column.

use crate::web::parts::{Face, Moment, Tag};

use super::Channel;

#[derive(Debug, Clone)]
pub struct Panel {
    pub contact_id: String,
    pub href: String,
    pub name: String,
    pub face: Face,
    /// "Lead · 2 days".
    pub caption: String,
    /// Phone, e-mail, time there, source, owner.
    pub facts: Vec<Fact>,
    pub consents: Vec<Consent>,
    pub labels: Vec<String>,
    /// The tenant's own fields that are filled in.
    pub properties: Vec<Fact>,
    pub quotes: Vec<QuoteLine>,
    pub timeline: Vec<Trail>,
    pub can_write: bool,
    pub csrf: String,
}

#[derive(Debug, Clone)]
pub struct Fact {
    pub label: String,
    pub value: String,
    /// `tel:`, `mailto:` or a page.
    pub href: Option<String>,
}

/// Consent for one channel, with its proof.
#[derive(Debug, Clone)]
pub struct Consent {
    pub channel: Channel,
    /// Subscribed, unsubscribed or unknown; a word and a shape.
    pub state: Tag,
    /// "Ticked the box on the form, 20 Nov, 16:11." Empty when nothing is known.
    pub proof: String,
    pub proof_href: Option<String>,
}

#[derive(Debug, Clone)]
pub struct QuoteLine {
    pub number: String,
    pub href: String,
    pub total: String,
    pub state: Tag,
}

#[derive(Debug, Clone)]
pub struct Trail {
    pub text: String,
    pub moment: Moment,
    /// The newest thing that matters: marked with the cord's colour.
    pub now: bool,
}
