//! What the inbox shows: the list, a conversation, its composer, the person beside it.
//!
//! Plain data with text already formatted for the reader's language and zone. Pages and fragments
//! render the same templates, so what arrives later looks as if it had been there from the start.

pub(crate) mod composer;
pub(crate) mod list;
pub(crate) mod panel;
pub(crate) mod thread;

use askama::Template;

use crate::web::layout::Shell;
use crate::web::parts::Empty;

use list::ListView;
use thread::{ConversationView, WhyView};

/// `GET /inbox` and `GET /conversations/{id}`: the whole page.
#[derive(Debug, Template)]
#[template(path = "messaging/inbox.html")]
pub(crate) struct InboxPage {
    pub(crate) shell: Shell,
    pub(crate) list: ListView,
    /// The open conversation, if one is.
    pub(crate) conversation: Option<ConversationView>,
    /// Shown in the middle while no conversation is open.
    pub(crate) nothing: Empty,
}

/// `GET /inbox/list`: the list alone.
#[derive(Debug, Template)]
#[template(path = "messaging/list.html")]
pub(crate) struct ListFragment {
    pub(crate) list: ListView,
}

/// `GET /conversations/{id}` for a script, and the answer to every action on a conversation.
#[derive(Debug, Template)]
#[template(path = "messaging/conversation.html")]
pub(crate) struct ConversationFragment {
    pub(crate) conversation: ConversationView,
}

/// `GET /conversations/{id}?before=…`: earlier entries, to be put above the ones there.
#[derive(Debug, Template)]
#[template(path = "messaging/earlier.html")]
pub(crate) struct EarlierFragment {
    pub(crate) conversation: ConversationView,
}

/// `GET /messages/{id}/why` for a script: the seven gates, in order.
#[derive(Debug, Template)]
#[template(path = "messaging/why.html")]
pub(crate) struct WhyFragment {
    pub(crate) why: WhyView,
}

/// `GET /messages/{id}/why` for a reader.
#[derive(Debug, Template)]
#[template(path = "messaging/why_page.html")]
pub(crate) struct WhyPage {
    pub(crate) shell: Shell,
    pub(crate) why: WhyView,
}

/// The three ways a message can travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Sms,
    Whatsapp,
    Email,
}

impl Channel {
    /// The name in the API and in forms.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
            Self::Email => "email",
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Whatsapp => "WhatsApp",
            Self::Email => "E-mail",
        }
    }

    pub(crate) fn icon(self) -> &'static str {
        match self {
            Self::Sms => "message-square",
            Self::Whatsapp => "message-circle",
            Self::Email => "mail",
        }
    }
}
