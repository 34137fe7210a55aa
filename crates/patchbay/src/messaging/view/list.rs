//! The list of conversations: views, search, rows.

use crate::web::parts::{Empty, Face, Moment, Tab, Tag};

use super::Channel;

/// The left column. In a search, `hits` follow the conversations whose person matches.
#[derive(Debug, Clone)]
pub struct ListView {
    /// `open`, `unread`, `mine`, `snoozed` or `done`.
    pub view: &'static str,
    /// Open, Unread, Mine, Snoozed, Done, with counts where they are known.
    pub tabs: Vec<Tab>,
    /// What is searched for; empty when nothing is.
    pub q: String,
    pub rows: Vec<ConversationRow>,
    /// Messages whose text matches `q`.
    pub hits: Vec<Hit>,
    /// Path of the next page of rows, `/inbox/list?…&cursor=…`.
    pub next: Option<String>,
    /// Said instead of rows when there are none.
    pub empty: Option<Empty>,
    /// Path and query that answer with this very list.
    pub live_src: String,
    pub can_send: bool,
}

#[derive(Debug, Clone)]
pub struct ConversationRow {
    pub id: String,
    /// `/conversations/{id}?view=…`.
    pub href: String,
    pub name: String,
    pub face: Face,
    pub channel: Channel,
    pub moment: Moment,
    /// The last message, or what happened last.
    pub snippet: String,
    /// Whether the last message was ours: "You: …".
    pub ours: bool,
    pub unread: bool,
    pub current: bool,
    /// What sets the conversation apart: unsubscribed, a failed message, snoozed until.
    pub tags: Vec<Tag>,
    /// Name and face of who has it, unless that is the viewer.
    pub assignee: Option<(String, Face)>,
}

/// A message found by its text.
#[derive(Debug, Clone)]
pub struct Hit {
    /// `/conversations/{id}?view=…#m-{message id}`.
    pub href: String,
    pub name: String,
    pub face: Face,
    pub moment: Moment,
    pub pieces: Vec<Piece>,
}

/// A stretch of text that matches, or one that surrounds a match.
#[derive(Debug, Clone)]
pub struct Piece {
    pub text: String,
    pub hit: bool,
}

impl ListView {
    /// Whether there is anything under "People" and "Messages" to head.
    pub fn searching(&self) -> bool {
        !self.q.is_empty()
    }
}
