//! Everything said, noted and done with one contact, in order.
//!
//! Promises: pages go backwards by id without gaps or doubles, whatever arrives meanwhile, because ids are ordered
//! by time; what was written for later stands where it left, not where it was written, within its page. Does not:
//! put anything into words (see [`super::ui`]).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::sql::thread::{self as sql, ActivityRow, ConsentEventRow, QuoteRow, ThreadMessage};
use crate::{
    contacts::{
        Contact,
        notes::{self, Note},
    },
    db::TenantTx,
    error::Result,
};

/// How many entries a page holds.
pub const PAGE: i64 = 50;

/// One thing in the course of a conversation.
#[derive(Debug, Clone)]
pub enum Entry {
    Message(Box<ThreadMessage>),
    Note(Note),
    Activity(ActivityRow),
    Consent(ConsentEventRow),
}

impl Entry {
    fn id(&self) -> Uuid {
        match self {
            Self::Message(message) => message.id,
            Self::Note(note) => note.id,
            Self::Activity(activity) => activity.id,
            Self::Consent(event) => event.id,
        }
    }

    /// The moment at which it belongs into the course of things: a message that was held back when it left.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Self::Message(message) => match message.status.as_str() {
                "queued" => message.send_after.max(message.created_at),
                _ => message.sent_at.unwrap_or(message.created_at).max(message.created_at),
            },
            Self::Note(note) => note.created_at,
            Self::Activity(activity) => activity.created_at,
            Self::Consent(event) => event.created_at,
        }
    }
}

/// A page of a conversation.
#[derive(Debug, Clone, Default)]
pub struct Thread {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// The quotes that the entries speak of, and the contact's newest.
    pub quotes: Vec<QuoteRow>,
    /// Where the page before begins; `None` at the beginning.
    pub earlier: Option<Uuid>,
}

/// The last `limit` entries before the one with id `before`, or the last ones there are.
pub async fn read(tx: &mut TenantTx, contact: &Contact, before: Option<Uuid>, limit: i64) -> Result<Thread> {
    let (before, most) = (before.unwrap_or(Uuid::max()), limit + 1);
    let addresses: Vec<String> = contact.phone_e164.iter().chain(&contact.email).cloned().collect();
    let messages = sql::messages(tx, contact.id, before, most).await?;
    let notes = notes::list(tx, contact.id, Some(before), most).await?;
    let activities = sql::activities(tx, contact.id, before, most).await?;
    let consents = sql::consent_events(tx, &addresses, before, most).await?;
    let quote_ids: Vec<Uuid> = messages.iter().filter_map(|message| message.quote_id).collect();
    let quotes = sql::quotes(tx, contact.id, &quote_ids, 5).await?;
    let mut entries: Vec<Entry> =
        messages.into_iter().map(|message| Entry::Message(Box::new(message))).collect();
    entries.extend(notes.into_iter().map(Entry::Note));
    entries.extend(activities.into_iter().map(Entry::Activity));
    entries.extend(consents.into_iter().map(Entry::Consent));
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.id()));
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > page;
    entries.truncate(page);
    let earlier = more.then(|| entries.last().map(Entry::id)).flatten();
    entries.sort_by_key(|entry| (entry.at(), entry.id()));
    Ok(Thread { entries, quotes, earlier })
}
