//! What the inbox shows: the list, a conversation, its composer, the person beside it.
//!
//! Plain data with text already formatted for the reader's language and zone. Pages and fragments
//! render the same templates, so what arrives later looks as if it had been there from the start.

pub mod begin;
pub mod composer;
pub mod list;
pub mod panel;
pub mod thread;

use askama::Template;

use crate::tenants::setup::Step;
use crate::web::layout::Shell;
use crate::web::parts::Empty;

use list::ListView;
use thread::{ConversationView, WhyView};

/// `GET /inbox` and `GET /conversations/{id}`: the whole page.
#[derive(Debug, Template)]
#[template(path = "messaging/inbox.html")]
pub struct InboxPage {
    pub shell: Shell,
    pub list: ListView,
    /// The open conversation, if one is.
    pub conversation: Option<ConversationView>,
    /// Shown in the middle while no conversation is open.
    pub nothing: Empty,
    /// The first steps of a new business, shown there instead while there has been no conversation.
    pub setup: Vec<Step>,
}

/// `GET /inbox/list`: the list alone.
#[derive(Debug, Template)]
#[template(path = "messaging/list.html")]
pub struct ListFragment {
    pub list: ListView,
}

/// `GET /conversations/{id}` for a script, and the answer to every action on a conversation.
#[derive(Debug, Template)]
#[template(path = "messaging/conversation.html")]
pub struct ConversationFragment {
    pub conversation: ConversationView,
}

/// `GET /conversations/{id}?before=…`: earlier entries, to be put above the ones there.
#[derive(Debug, Template)]
#[template(path = "messaging/earlier.html")]
pub struct EarlierFragment {
    pub conversation: ConversationView,
}

/// `GET /messages/{id}/why` for a script: the seven gates, in order.
#[derive(Debug, Template)]
#[template(path = "messaging/why.html")]
pub struct WhyFragment {
    pub why: WhyView,
}

/// `GET /messages/{id}/why` for a reader.
#[derive(Debug, Template)]
#[template(path = "messaging/why_page.html")]
pub struct WhyPage {
    pub shell: Shell,
    pub why: WhyView,
}

/// The three ways a message can travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Sms,
    Whatsapp,
    Email,
}

impl Channel {
    /// The name in the API and in forms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
            Self::Email => "email",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Whatsapp => "WhatsApp",
            Self::Email => "E-mail",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Sms => "message-square",
            Self::Whatsapp => "message-circle",
            Self::Email => "mail",
        }
    }
}
