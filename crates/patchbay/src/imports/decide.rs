//! What becomes of a row: the one piece of judgement that the dry run and the import share.
//!
//! Promises: every row is exactly one of new, updated, duplicate, invalid or opted out, and the same file over the same
//! base is judged alike whether or not anything is written in between. Rows of one file that mean the same person
//! are told by what the file says, never by what was just written, so that looking up may run ahead of writing.

use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use patchbay_rules::{consent::Term, message::Channel};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    mapping::{OnMatch, Plan},
    row::Row,
};
use crate::consent::State;

/// What a row turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    New,
    Updated,
    Duplicate,
    Invalid,
    /// Somebody who must not be written to: kept as a contact, never subscribed.
    OptedOut,
}

impl Kind {
    /// The word stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::Duplicate => "duplicate",
            Self::Invalid => "invalid",
            Self::OptedOut => "opted_out",
        }
    }
}

/// What is to be written for a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Nothing,
    Insert,
    /// Fields that get another value; labels and consent stand in the verdict.
    Update {
        contact_id: Uuid,
        patch: Map<String, Value>,
    },
    /// Onto the do-not-contact list.
    List,
}

/// The judgement over a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub kind: Kind,
    /// In one sentence, for duplicates, what is invalid, and who opted out.
    pub note: Option<&'static str>,
    pub action: Action,
    /// Agreement and refusal that change something.
    pub consents: Vec<(Channel, State)>,
    /// Places of labels that the contact does not carry yet.
    pub labels: Vec<usize>,
}

impl Verdict {
    /// Of a row that cannot be taken; why is told by whoever read it.
    pub fn invalid() -> Self {
        Self {
            kind: Kind::Invalid,
            note: None,
            action: Action::Nothing,
            consents: Vec::new(),
            labels: Vec::new(),
        }
    }
}

/// A contact that is there already.
#[derive(Debug, Clone, Default)]
pub struct Existing {
    pub id: Uuid,
    pub phone: Option<String>,
    pub phone_ext: Option<String>,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub status: String,
    pub stage_id: Option<Uuid>,
    pub source: Option<String>,
    pub timezone: Option<String>,
    pub state: Option<String>,
    pub postal: Option<String>,
    pub country: Option<String>,
    pub properties: Value,
    /// In lower case.
    pub labels: Vec<String>,
    pub archived: bool,
}

/// What the base knows about the rows of a batch.
#[derive(Debug, Default)]
pub struct Known {
    /// Place of the row → the contact it means.
    pub matches: HashMap<usize, Uuid>,
    pub contacts: HashMap<Uuid, Existing>,
    pub consents: HashMap<(Channel, String), (State, Term)>,
    pub listed: HashSet<String>,
}

/// What the rows so far have in common with those to come.
#[derive(Default)]
pub struct Seen {
    phones: Numbers,
    emails: HashSet<u64>,
    /// E-mails of rows without a number: whoever follows with the same e-mail is the same person.
    emails_alone: HashSet<u64>,
    /// E-mails by which a contact without a number was recognised; it has one now.
    emails_claimed: HashSet<u64>,
}

const SAME_NUMBER: &str = "An earlier row has the same phone number.";
const SAME_EMAIL: &str = "An earlier row has the same e-mail address.";
const SAME_CONTACT: &str = "An earlier row means the same contact.";
const UNCHANGED: &str = "This contact is here already, and the row says nothing new.";
const KEPT: &str = "This contact is here already and stays as it is.";
const OPTED_OUT: &str = "Opted out. They stay opted out whatever the file says.";
const LISTED: &str = "This number is on the do-not-contact list already.";

impl Seen {
    /// Notes a row; answers why it is a duplicate of an earlier one, if it is.
    pub fn note(&mut self, row: &Row) -> Option<&'static str> {
        let email = row.email.as_deref().map(hash);
        match (&row.phone, email) {
            (Some(phone), email) => {
                if self.phones.contains(phone) {
                    return Some(SAME_NUMBER);
                }
                if email.is_some_and(|email| self.emails_alone.contains(&email)) {
                    return Some(SAME_EMAIL);
                }
                self.phones.insert(phone);
                self.emails.extend(email);
            }
            (None, Some(email)) => {
                if !self.emails.insert(email) {
                    return Some(SAME_EMAIL);
                }
                self.emails_alone.insert(email);
            }
            (None, None) => {}
        }
        None
    }

    /// Whether `existing`, found for `row`, is still to be had; `Err` when an earlier row meant it.
    fn claim<'a>(&mut self, row: &Row, existing: &'a Existing) -> Result<Option<&'a Existing>, &'static str> {
        if existing.phone.is_none() && row.phone.is_some() {
            // Households share an e-mail: the first number of the file goes to the contact that has none.
            let first = row.email.as_deref().is_none_or(|email| self.emails_claimed.insert(hash(email)));
            return Ok(first.then_some(existing));
        }
        if let Some(phone) = existing.phone.as_deref().filter(|phone| Some(*phone) != row.phone.as_deref())
            && !self.phones.insert(phone)
        {
            return Err(SAME_CONTACT);
        }
        self.emails.extend(existing.email.as_deref().map(hash));
        Ok(Some(existing))
    }
}

/// Judges the row at `place` of a batch. `labels`: the names behind the row's places.
pub fn decide(
    row: &Row,
    place: usize,
    plan: &Plan,
    known: &Known,
    seen: &mut Seen,
    labels: &[String],
) -> Verdict {
    let verdict =
        |kind, note, action| Verdict { kind, note, action, consents: Vec::new(), labels: Vec::new() };
    if let Some(why) = seen.note(row) {
        return verdict(Kind::Duplicate, Some(why), Action::Nothing);
    }
    let listed = row.phone.as_deref().is_some_and(|phone| known.listed.contains(phone));
    if plan.is_list {
        return if listed {
            verdict(Kind::OptedOut, Some(LISTED), Action::Nothing)
        } else {
            verdict(Kind::New, None, Action::List)
        };
    }
    let found = known.matches.get(&place).and_then(|id| known.contacts.get(id));
    let existing = match found.map(|existing| seen.claim(row, existing)).transpose() {
        Ok(existing) => existing.flatten(),
        Err(why) => return verdict(Kind::Duplicate, Some(why), Action::Nothing),
    };
    judge(row, existing, plan, known, labels)
}

/// Judges a row that is the first of its file to mean `existing`, or nobody.
pub fn judge(
    row: &Row,
    existing: Option<&Existing>,
    plan: &Plan,
    known: &Known,
    labels: &[String],
) -> Verdict {
    let listed = row.phone.as_deref().is_some_and(|phone| known.listed.contains(phone));
    let opted_out = listed || refused(row, known);
    let note = opted_out.then_some(OPTED_OUT);
    let judged = |kind| if opted_out { Kind::OptedOut } else { kind };
    let consents = consents(row, known, listed);
    match existing {
        None => Verdict {
            kind: judged(Kind::New),
            note,
            action: Action::Insert,
            consents,
            labels: row.labels.clone(),
        },
        Some(_) if plan.on_match == OnMatch::Skip => Verdict {
            kind: judged(Kind::Duplicate),
            note: note.or(Some(KEPT)),
            action: Action::Nothing,
            consents: Vec::new(),
            labels: Vec::new(),
        },
        Some(existing) => {
            let patch = patch(row, existing);
            let labels: Vec<usize> = row
                .labels
                .iter()
                .filter(|place| {
                    labels.get(**place).is_none_or(|name| !existing.labels.contains(&name.to_lowercase()))
                })
                .copied()
                .collect();
            let changed = !patch.is_empty() || !labels.is_empty() || !consents.is_empty();
            let kind = if changed { Kind::Updated } else { Kind::Duplicate };
            Verdict {
                kind: judged(kind),
                note: note.or((!changed).then_some(UNCHANGED)),
                action: Action::Update { contact_id: existing.id, patch },
                consents,
                labels,
            }
        }
    }
}

/// The address of the row on a channel.
pub fn address(row: &Row, channel: Channel) -> Option<&str> {
    if channel == Channel::Email { row.email.as_deref() } else { row.phone.as_deref() }
}

fn stands(row: &Row, channel: Channel, known: &Known) -> Option<(State, Term)> {
    let address = address(row, channel)?;
    known.consents.get(&(channel, address.to_owned())).copied()
}

fn state(row: &Row, channel: Channel, known: &Known) -> Option<State> {
    stands(row, channel, known).map(|(state, _)| state)
}

fn refused(row: &Row, known: &Known) -> bool {
    let all = [Channel::Sms, Channel::Whatsapp, Channel::Email];
    !known.consents.is_empty()
        && all.into_iter().any(|channel| state(row, channel, known) == Some(State::Unsubscribed))
}

/// What the row says about consent and is not known yet. Nobody who opted out is subscribed by a file.
fn consents(row: &Row, known: &Known, listed: bool) -> Vec<(Channel, State)> {
    let news = |&(channel, said): &(Channel, State)| {
        let is_listed = listed && channel != Channel::Email;
        address(row, channel).is_some()
            && match (said, stands(row, channel, known)) {
                (State::Unknown, _) | (State::Subscribed, Some((State::Unsubscribed, _))) => false,
                // An agreement that lasts longer than the one that stands.
                (State::Subscribed, Some((State::Subscribed, term))) => {
                    !is_listed && row.consent_term.is_some_and(|said| said.replaces(term))
                }
                (State::Subscribed, _) => !is_listed,
                (State::Unsubscribed, current) => {
                    current.is_none_or(|(state, _)| state != State::Unsubscribed)
                }
            }
    };
    row.consents.iter().filter(|consent| news(consent)).copied().collect()
}

/// The fields of the row that differ from the contact's.
pub(super) fn patch(row: &Row, existing: &Existing) -> Map<String, Value> {
    let mut patch = Map::new();
    let mut text = |name: &str, said: &Option<String>, is: &Option<String>| {
        if said.is_some() && said != is {
            patch.insert(name.to_owned(), json!(said));
        }
    };
    // A merged contact's number leads to the contact that was kept, whose own number stays.
    if existing.phone.is_none() || existing.phone == row.phone {
        text("phone_e164", &row.phone, &existing.phone);
        text("phone_ext", &row.phone_ext, &existing.phone_ext);
    }
    text("email", &row.email, &existing.email);
    text("first_name", &row.first_name, &existing.first_name);
    text("last_name", &row.last_name, &existing.last_name);
    text("source", &row.source, &existing.source);
    text("timezone", &row.timezone, &existing.timezone);
    text("state", &row.state, &existing.state);
    text("postal", &row.postal, &existing.postal);
    text("country", &row.country, &existing.country);
    let status = row.status.map(|status| status.as_str().to_owned());
    text("status", &status, &Some(existing.status.clone()));
    if row.stage_id.is_some() && row.stage_id != existing.stage_id {
        patch.insert("stage_id".to_owned(), json!(row.stage_id));
    }
    let properties: Map<String, Value> = row
        .properties
        .iter()
        .filter(|(key, value)| existing.properties.get(key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !properties.is_empty() {
        patch.insert("properties".to_owned(), Value::Object(properties));
    }
    if existing.archived {
        patch.insert("archived_at".to_owned(), Value::Null);
    }
    patch
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Phone numbers in two or three bytes each: numbers of one country lie close together.
#[derive(Default)]
struct Numbers(HashMap<u64, Vec<u16>>);

impl Numbers {
    fn split(e164: &str) -> (u64, u16) {
        let number: u64 = e164.trim_start_matches('+').parse().unwrap_or_default();
        (number >> 16, u16::try_from(number & 0xFFFF).unwrap_or_default())
    }

    fn contains(&self, e164: &str) -> bool {
        let (group, rest) = Self::split(e164);
        self.0.get(&group).is_some_and(|found| found.binary_search(&rest).is_ok())
    }

    /// Answers whether it was not there.
    fn insert(&mut self, e164: &str) -> bool {
        let (group, rest) = Self::split(e164);
        let found = self.0.entry(group).or_default();
        match found.binary_search(&rest) {
            Ok(_) => false,
            Err(place) => {
                found.insert(place, rest);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(phone: Option<&str>, email: Option<&str>) -> Row {
        Row { phone: phone.map(str::to_owned), email: email.map(str::to_owned), ..Row::default() }
    }

    #[test]
    fn rows_of_one_file_that_mean_one_person_are_one() {
        let mut seen = Seen::default();
        for (phone, email, duplicate) in [
            (Some("+61412345678"), Some("a@x.com"), false),
            (Some("+61412345678"), None, true),
            (Some("+61412345679"), Some("a@x.com"), false), // a household
            (None, Some("a@x.com"), true),
            (None, Some("b@x.com"), false),
            (Some("+61412345680"), Some("b@x.com"), true),
            (Some("+61412345680"), None, false),
        ] {
            assert_eq!(seen.note(&row(phone, email)).is_some(), duplicate, "{phone:?} {email:?}");
        }
    }

    #[test]
    fn nobody_who_opted_out_is_subscribed_by_a_file() {
        let mut one = row(Some("+61412345678"), None);
        one.consents = vec![(Channel::Sms, State::Subscribed)];
        let mut known = Known::default();
        assert_eq!(consents(&one, &known, false).len(), 1);
        assert_eq!(consents(&one, &known, true).len(), 0);
        known
            .consents
            .insert((Channel::Sms, "+61412345678".to_owned()), (State::Unsubscribed, Term::EXPRESS));
        assert!(consents(&one, &known, false).is_empty() && refused(&one, &known));
        one.consents = vec![(Channel::Sms, State::Unsubscribed)];
        known.consents.insert((Channel::Sms, "+61412345678".to_owned()), (State::Subscribed, Term::EXPRESS));
        assert_eq!(consents(&one, &known, false), [(Channel::Sms, State::Unsubscribed)]);
    }

    proptest! {
        #[test]
        fn numbers_are_remembered_exactly(numbers in prop::collection::vec(1_000_000_u64..999_999_999_999_999, 0..200)) {
            let (mut compact, mut plain) = (Numbers::default(), HashSet::new());
            for number in numbers {
                let e164 = format!("+{number}");
                prop_assert_eq!(compact.contains(&e164), plain.contains(&number));
                prop_assert_eq!(compact.insert(&e164), plain.insert(number));
            }
        }
    }
}
