//! Who it is: the right-hand column.

use crate::web::parts::{Face, Moment, Tag};

use super::Channel;

#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) contact_id: String,
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) face: Face,
    /// "Lead · 2 days".
    pub(crate) caption: String,
    /// Phone, e-mail, time there, source, owner.
    pub(crate) facts: Vec<Fact>,
    pub(crate) consents: Vec<Consent>,
    pub(crate) labels: Vec<String>,
    /// The tenant's own fields that are filled in.
    pub(crate) properties: Vec<Fact>,
    pub(crate) quotes: Vec<QuoteLine>,
    pub(crate) timeline: Vec<Trail>,
    pub(crate) can_write: bool,
    pub(crate) csrf: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) label: String,
    pub(crate) value: String,
    /// `tel:`, `mailto:` or a page.
    pub(crate) href: Option<String>,
}

/// Consent for one channel, with its proof.
#[derive(Debug, Clone)]
pub(crate) struct Consent {
    pub(crate) channel: Channel,
    /// Subscribed, unsubscribed or unknown; a word and a shape.
    pub(crate) state: Tag,
    /// "Ticked the box on the form, 20 Nov, 16:11." Empty when nothing is known.
    pub(crate) proof: String,
    pub(crate) proof_href: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct QuoteLine {
    pub(crate) number: String,
    pub(crate) href: String,
    pub(crate) total: String,
    pub(crate) state: Tag,
}

#[derive(Debug, Clone)]
pub(crate) struct Trail {
    pub(crate) text: String,
    pub(crate) moment: Moment,
    /// The newest thing that matters: marked with the cord's colour.
    pub(crate) now: bool,
}
