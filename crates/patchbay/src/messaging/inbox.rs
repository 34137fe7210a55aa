//! The inbox: which conversations there are, in which view, and finding one again.
//!
//! Promises: lists are paged by the time of the last message, so that paging is stable while messages arrive;
//! counts stop at 1,000; a search finds people and words of this tenant alone, and reads what it found under
//! row-level security. Does not: change anything (see [`super::conversations`]).

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::sql::{
    inbox::{self as sql, ConversationRow},
    ledger::{self, MessageRow},
    search,
};
use crate::{
    app::App,
    auth::Caller,
    contacts::{self, Contact},
    db::TenantTx,
    error::{Error, Result},
};

/// Where a page of conversations ends: the time of the last message, and whose it is.
pub type Key = (DateTime<Utc>, Uuid);

/// How the inbox is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    #[default]
    Open,
    /// Open, with something unread.
    Unread,
    /// Open, and taken by whoever looks.
    Mine,
    Snoozed,
    Done,
}

impl View {
    /// All of them, in the order of the tabs.
    pub const ALL: [Self; 5] = [Self::Open, Self::Unread, Self::Mine, Self::Snoozed, Self::Done];

    /// The word in addresses and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unread => "unread",
            Self::Mine => "mine",
            Self::Snoozed => "snoozed",
            Self::Done => "done",
        }
    }

    /// The word on the tab.
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Unread => "Unread",
            Self::Mine => "Mine",
            Self::Snoozed => "Snoozed",
            Self::Done => "Done",
        }
    }
}

impl std::str::FromStr for View {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|view| view.as_str() == word);
        found.ok_or_else(|| Error::field("view", "Choose open, unread, mine, snoozed or done."))
    }
}

/// How much waits in each view; 1,000 means that or more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub open: i64,
    pub unread: i64,
    pub mine: i64,
}

impl Counts {
    /// Of one view; what rests is not counted.
    pub fn of(&self, view: View) -> i64 {
        match view {
            View::Open => self.open,
            View::Unread => self.unread,
            View::Mine => self.mine,
            View::Snoozed | View::Done => 0,
        }
    }
}

/// Conversations of a view after `after`, the latest first, at most `limit`.
pub async fn list(
    tx: &mut TenantTx,
    caller: &Caller,
    view: View,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<ConversationRow>> {
    match view {
        View::Open | View::Snoozed | View::Done => sql::list_by_status(tx, view.as_str(), after, limit).await,
        View::Unread => sql::list_unread(tx, after, limit).await,
        View::Mine => match caller.actor.user_id() {
            Some(user) => sql::list_assigned(tx, user, after, limit).await,
            None => Ok(Vec::new()),
        },
    }
}

/// What waits in each view for this caller.
pub async fn counts(tx: &mut TenantTx, caller: &Caller) -> Result<Counts> {
    sql::counts(tx, caller.actor.user_id()).await
}

/// A message that was found, with whose conversation it is in.
pub struct Hit {
    pub message: MessageRow,
    pub contact: Contact,
}

/// What a search found.
#[derive(Default)]
pub struct Found {
    /// In the order of their last words; contacts without a conversation last.
    pub people: Vec<Contact>,
    /// Newest first.
    pub hits: Vec<Hit>,
}

/// What is looked for: up to eight words, all of which must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    words: Vec<String>,
}

impl Wanted {
    /// Reads what was typed; `None` when there is nothing to look for.
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<String> = text
            .split_whitespace()
            .take(8)
            .map(|word| word.chars().filter(|character| !character.is_control()).take(80).collect())
            .filter(|word: &String| !word.is_empty())
            .collect();
        (!words.is_empty()).then_some(Self { words })
    }

    /// The words themselves.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The words as patterns, the one that narrows most first.
    fn patterns(&self) -> Vec<String> {
        let mut words: Vec<String> = self.words.iter().map(|word| pattern(word)).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
        words
    }

    /// Whether a trigram index can help at all.
    fn is_long_enough(&self) -> bool {
        self.words.iter().any(|word| searchable(word).chars().filter(|c| c.is_alphanumeric()).count() >= 3)
    }
}

/// Numbers are stored without the spaces and brackets that people write.
fn searchable(word: &str) -> String {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_number = digits >= 3 && word.chars().all(|c| c.is_ascii_digit() || "+-().".contains(c));
    if is_number { word.chars().filter(char::is_ascii_digit).collect() } else { word.to_owned() }
}

fn pattern(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for character in searchable(word).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// People and messages that hold every word of `wanted`.
pub async fn search(
    app: &App,
    caller: &Caller,
    wanted: &Wanted,
    people: i64,
    messages: i64,
) -> Result<Found> {
    let tenant = caller.tenant.id;
    let patterns = wanted.patterns();
    let mut conn = app.db.system_conn().await?;
    let (people, matches) = if wanted.is_long_enough() {
        let people = search::people(&mut conn, tenant, &patterns, people).await?;
        let matches = if messages > 0 {
            search::messages(&mut conn, tenant, &patterns, messages).await?
        } else {
            Vec::new()
        };
        (people, matches)
    } else {
        (search::recent_people(&mut conn, tenant, &patterns, people).await?, Vec::new())
    };
    drop(conn);
    let mut tx = app.db.tenant(tenant).await?;
    let message_ids: Vec<Uuid> = matches.iter().map(|found| found.message_id).collect();
    let contact_ids: Vec<Uuid> =
        people.iter().copied().chain(matches.iter().map(|found| found.contact_id)).collect();
    let contacts = contacts::find_all(&mut tx, &contact_ids).await?;
    let contact = |id: Uuid| contacts.iter().find(|contact| contact.id == id).cloned();
    let messages = ledger::find_all(&mut tx, &message_ids).await?;
    let hits = messages
        .into_iter()
        .filter_map(|message| Some(Hit { contact: contact(message.contact_id?)?, message }))
        .collect();
    Ok(Found { people: people.into_iter().filter_map(contact).collect(), hits })
}

/// The conversations of these contacts.
pub async fn list_of(tx: &mut TenantTx, contacts: &[Uuid]) -> Result<Vec<ConversationRow>> {
    sql::list_of(tx, contacts).await
}

/// The conversation with a contact; none while nothing was ever said.
pub async fn find(tx: &mut TenantTx, contact: Uuid) -> Result<Option<ConversationRow>> {
    sql::find(tx, contact).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_never_a_pattern() {
        assert_eq!(Wanted::parse(" \u{0}\n"), None);
        let wanted = Wanted::parse("50% _a_ \\ heater").unwrap();
        assert_eq!(wanted.patterns(), ["%heater%", "%\\_a\\_%", "%50\\%%", "%\\\\%"]);
        assert!(wanted.is_long_enough());
        assert!(!Wanted::parse("da w").unwrap().is_long_enough());
        assert_eq!(Wanted::parse("(212)555-01").unwrap().patterns(), ["%21255501%"]);
        assert_eq!(Wanted::parse(&"x ".repeat(100)).unwrap().words().len(), 8);
    }
}
