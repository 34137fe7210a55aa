//! Consent: the present state per address, and the proof behind it.
//!
//! Promises: a change and its proof are written together; a second STOP changes nothing and says so, so that it
//! is confirmed once. An opt-out by text also puts the number on the do-not-contact list, which binds every
//! channel and every number of the tenant; START takes it off again, but never what a person put there. An agreement
//! that the law reads into an enquiry or a purchase is extended, never shortened, and never takes the place of one that
//! somebody gave; whoever decides about a message compares its end with the time.
//! Nothing here sends: confirmations are the caller's.

mod api;
mod listing;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;

use chrono::{DateTime, Utc};
use patchbay_rules::{
    consent::{Basis, Term},
    gates::{self, OptOutSource},
    message::Channel,
    phone, zones,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

pub use api::{Doc, Give, Listed, note, read_basis};

use crate::{
    app::App, auth::Actor, contacts::Contact, db::TenantTx, error::Result, messaging, web::routes::Routes,
};

/// Whether somebody wants to hear from the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Subscribed,
    Unsubscribed,
    Unknown,
}

impl State {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
            Self::Unknown => "unknown",
        }
    }
}

/// Somebody agreed or refused.
pub struct Change<'a> {
    pub channel: Channel,
    /// E.164 or e-mail.
    pub address: &'a str,
    pub state: State,
    /// `keyword`, `phrase`, `link`, `admin`, `api`, `import`, `carrier`, `complaint`, `form`, `quote`.
    pub how: &'a str,
    /// What an agreement rests on.
    pub basis: Basis,
    /// The keyword itself, or the words agreed to in short.
    pub detail: Option<&'a str>,
    /// The form, the file, the number it was sent to.
    pub source: Option<&'a str>,
    /// What the person saw when agreeing.
    pub wording: Option<&'a str>,
    /// Raw text, message id, IP, page.
    pub evidence: Value,
    pub actor_label: Option<&'a str>,
    pub at: DateTime<Utc>,
}

impl<'a> Change<'a> {
    /// A change with nothing but the necessary.
    pub fn new(channel: Channel, address: &'a str, state: State, how: &'a str, at: DateTime<Utc>) -> Self {
        Self {
            channel,
            address,
            state,
            how,
            basis: Basis::Express,
            detail: None,
            source: None,
            wording: None,
            evidence: json!({}),
            actor_label: None,
            at,
        }
    }
}

/// One entry of the proof.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Proof {
    pub id: Uuid,
    pub channel: String,
    pub state: String,
    pub how: String,
    /// Of an agreement: `express`, `enquiry` or `purchase`.
    pub basis: Option<String>,
    /// When it ends by itself.
    pub expires_at: Option<DateTime<Utc>>,
    pub source: Option<String>,
    pub wording: Option<String>,
    #[schema(value_type = Object)]
    pub evidence: Value,
    pub actor_label: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Records `change` with its proof; answers whether the state, or what an agreement rests on, is a different one now.
pub async fn set(tx: &mut TenantTx, change: &Change<'_>) -> Result<bool> {
    let term = term(tx, change).await?;
    let changed = sql::upsert_state(tx, change, term).await?;
    if changed {
        sql::insert_event(tx, change, term).await?;
    }
    // The list is of numbers: an e-mail address, a short code or a sender's name is not on it.
    if change.channel != Channel::Email && phone::is_e164(change.address) {
        match change.state {
            State::Unsubscribed if list_source(change.how).is_some() => {
                let reason = change
                    .detail
                    .map_or_else(|| "Asked not to be contacted".to_owned(), |word| format!("Replied {word}"));
                sql::list_number(
                    tx,
                    change.address,
                    &reason,
                    list_source(change.how).unwrap_or("person"),
                    change.actor_label,
                )
                .await?;
            }
            State::Subscribed => sql::unlist_number(tx, change.address).await?,
            State::Unsubscribed | State::Unknown => {}
        }
    }
    Ok(changed)
}

/// Takes back an opt-out that was only read into somebody's words: the address stands where it stood before, which
/// need not be subscribed. An opt-out by keyword, link or person is not touched. Answers whether anything was.
pub async fn retract(tx: &mut TenantTx, change: &Change<'_>) -> Result<bool> {
    if !sql::is_presumed(tx, change.channel, change.address).await? {
        return Ok(false);
    }
    let before = sql::state_before(tx, change.channel, change.address).await?;
    let agreed = before.filter(|before| before.state == "subscribed");
    let state = if agreed.is_some() { State::Subscribed } else { State::Unknown };
    let term = agreed.map_or(Term::EXPRESS, |before| read_term(before.basis.as_deref(), before.expires_at));
    let change = Change { state, source: change.source, evidence: change.evidence.clone(), ..*change };
    sql::upsert_state(tx, &change, term).await?;
    sql::insert_event(tx, &change, term).await?;
    if change.channel != Channel::Email {
        sql::unlist_presumed(tx, change.address).await?;
    }
    Ok(true)
}

/// The term of the agreement in `change`. Whoever has the address may be in more than one country: every one that the
/// contacts and their numbers tell counts, and the business's own where nothing tells.
async fn term(tx: &mut TenantTx, change: &Change<'_>) -> Result<Term> {
    if change.state != State::Subscribed || change.basis == Basis::Express {
        return Ok(Term::EXPRESS);
    }
    let known = sql::whereabouts(tx, &[change.address]).await?;
    Ok(Term::new(change.basis, change.at, &known.countries(&[change.address])))
}

/// Where the people behind some addresses may be.
struct Whereabouts {
    home: String,
    /// Countries and numbers of contacts.
    contacts: Vec<(Option<String>, Option<String>)>,
}

impl Whereabouts {
    fn countries<'a>(&'a self, addresses: &[&'a str]) -> Vec<&'a str> {
        let mut found: Vec<&str> =
            self.contacts.iter().filter_map(|(country, _)| country.as_deref()).collect();
        let numbers = self.contacts.iter().filter_map(|(_, number)| number.as_deref());
        for number in numbers.chain(addresses.iter().copied()) {
            found.extend(zones::countries_of(number));
        }
        if found.is_empty() { vec![&self.home] } else { found }
    }
}

/// The contact bought something at `at`: what was implied lasts as long as the law gives it after a purchase. Nobody is
/// subscribed by it.
pub async fn bought(tx: &mut TenantTx, contact: &Contact, at: DateTime<Utc>, evidence: &Value) -> Result<()> {
    let addresses: Vec<&str> =
        [&contact.phone_e164, &contact.email].into_iter().flatten().map(String::as_str).collect();
    let known = sql::whereabouts(tx, &addresses).await?;
    let term = Term::new(Basis::Purchase, at, &known.countries(&addresses));
    match term.ends_at {
        Some(ends_at) => sql::extend_by_purchase(tx, &addresses, at, ends_at, evidence).await,
        None => Ok(()),
    }
}

/// A term as it is stored; what was recorded before terms were is express.
pub fn read_term(basis: Option<&str>, ends_at: Option<DateTime<Utc>>) -> Term {
    Term { basis: basis.and_then(|word| word.parse().ok()).unwrap_or(Basis::Express), ends_at }
}

/// The rules' view of a stored agreement.
pub fn agreement(basis: Option<&str>, ends_at: Option<DateTime<Utc>>) -> gates::ConsentState {
    match read_term(basis, ends_at) {
        Term { basis, ends_at: Some(ends_at) } => gates::ConsentState::Implied { basis, ends_at },
        Term { ends_at: None, .. } => gates::ConsentState::Subscribed,
    }
}

/// Puts a number on the do-not-contact list, also for what is waiting already; `false` when it is there.
pub async fn list(tx: &mut TenantTx, app: &App, phone: &str, reason: &str, actor: &Actor) -> Result<bool> {
    let source = if actor.user_id().is_some() { "person" } else { "api" };
    let added = sql::list_number(tx, phone, reason, source, Some(&actor.label)).await?;
    if added {
        messaging::block_queued(tx, phone, app.now()).await?;
    }
    Ok(added)
}

/// What the recipient did themselves goes on the do-not-contact list; an unticked box does not.
fn list_source(how: &str) -> Option<&str> {
    matches!(how, "keyword" | "phrase" | "link" | "carrier" | "complaint").then_some(how)
}

/// All proof about `address`, newest first.
pub async fn proof(tx: &mut TenantTx, address: &str) -> Result<Vec<Proof>> {
    sql::list_events(tx, address).await
}

/// The entry of a number on the do-not-contact list.
pub async fn listed(tx: &mut TenantTx, number: &str) -> Result<Option<Listed>> {
    Ok(sql::list_numbers(tx, Some(number), "", None, 1).await?.pop())
}

/// The state of one address; unknown where nothing is recorded.
pub async fn state(tx: &mut TenantTx, channel: Channel, address: &str) -> Result<State> {
    Ok(match sql::find_state(tx, channel, address).await?.as_deref() {
        Some("subscribed") => State::Subscribed,
        Some("unsubscribed") => State::Unsubscribed,
        _ => State::Unknown,
    })
}

/// The rules' view of a stored opt-out.
pub fn opt_out_source(how: &str, detail: Option<&str>) -> OptOutSource {
    OptOutSource::from_record(how, detail).unwrap_or(OptOutSource::Admin)
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.with(api::routes).with(ui::routes)
}
