//! The list of conversations: views, search, rows.

use crate::web::parts::{Empty, Face, Moment, Tab, Tag};

use super::Channel;

/// The left column. In a search, `hits` follow the conversations whose person matches.
#[derive(Debug, Clone)]
pub(crate) struct ListView {
    /// `open`, `unread`, `mine`, `snoozed` or `done`.
    pub(crate) view: &'static str,
    /// Open, Unread, Mine, Snoozed, Done, with counts where they are known.
    pub(crate) tabs: Vec<Tab>,
    /// What is searched for; empty when nothing is.
    pub(crate) q: String,
    pub(crate) rows: Vec<ConversationRow>,
    /// Messages whose text matches `q`.
    pub(crate) hits: Vec<Hit>,
    /// Path of the next page of rows, `/inbox/list?…&cursor=…`.
    pub(crate) next: Option<String>,
    /// Said instead of rows when there are none.
    pub(crate) empty: Option<Empty>,
    /// Path and query that answer with this very list.
    pub(crate) live_src: String,
    pub(crate) csrf: String,
    pub(crate) can_send: bool,
    pub(crate) can_write: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct ConversationRow {
    pub(crate) id: String,
    /// `/conversations/{id}?view=…`.
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) face: Face,
    pub(crate) channel: Channel,
    pub(crate) moment: Moment,
    /// The last message, or what happened last.
    pub(crate) snippet: String,
    /// Whether the last message was ours: "You: …".
    pub(crate) ours: bool,
    pub(crate) unread: bool,
    pub(crate) current: bool,
    /// What sets the conversation apart: unsubscribed, a failed message, snoozed until.
    pub(crate) tags: Vec<Tag>,
    /// Name and face of who has it, unless that is the viewer.
    pub(crate) assignee: Option<(String, Face)>,
}

/// A message found by its text.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// `/conversations/{id}?view=…#m-{message id}`.
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) face: Face,
    pub(crate) moment: Moment,
    pub(crate) pieces: Vec<Piece>,
}

/// A stretch of text that matches, or one that surrounds a match.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) hit: bool,
}

impl ListView {
    /// Whether there is anything under "People" and "Messages" to head.
    pub(crate) fn searching(&self) -> bool {
        !self.q.is_empty()
    }
}
