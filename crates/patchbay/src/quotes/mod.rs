//! Quotes: what a business asks for a piece of work, and what the lead says to it.
//!
//! Promises: a quote's total is the sum of its lines, or said by its writer and never contradicted on its page; every
//! quote that is not held back is announced to its lead once, whoever wrote it; an answer is given once, to what the
//! lead has seen. Does not: send the announcement (the ledger does), or take money.

mod announce;
mod answer;
mod api;
mod draft;
mod editor;
pub mod jobs;
mod lines;
mod locale;
mod public;
mod sheet;
mod sql;
mod status;
#[cfg(test)]
mod tests;
mod typed;
mod ui;
mod view;
mod words;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    db::TenantTx,
    error::{Error, Result},
    web::{
        paging::{Page, PageQuery},
        patch::Patch,
        routes::{Access, Routes},
    },
};

pub use announce::resend;
pub use answer::answer;
pub use api::Doc;
use draft::Checked;
pub use lines::{Item, Quantity, Sum, add_up};
pub use status::Status;
pub(crate) use words::status_tag;

/// A quote, with what a list says about whom it is for.
#[derive(Debug, Clone)]
pub struct Quote {
    pub id: Uuid,
    /// Counts up per tenant.
    pub number: i32,
    pub contact_id: Uuid,
    /// Empty when the contact has no name.
    pub contact_name: String,
    pub contact_phone: Option<String>,
    /// What was written where the number could not be understood.
    pub contact_phone_raw: Option<String>,
    pub contact_email: Option<String>,
    pub title: Option<String>,
    /// Whatever else the writer knows; templates read it.
    pub data: Value,
    pub items: Vec<Item>,
    pub discount_cents: i64,
    pub tax_basis_points: u32,
    pub tax_cents: i64,
    pub total_cents: i64,
    /// ISO 4217.
    pub currency: String,
    pub terms: Option<String>,
    pub status: Status,
    /// A draft that somebody is still writing: announced when released.
    pub held: bool,
    /// The unguessable end of its public address.
    pub token: String,
    /// A member's user id.
    pub owner_id: Option<Uuid>,
    /// The last day on which it can be accepted, in the tenant's zone.
    pub expires_on: Option<NaiveDate>,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub viewed_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
    pub answer_note: Option<String>,
    /// The name the lead signed with, or the member who noted the answer.
    pub answered_by: Option<String>,
    /// Status of the message that announces it, while it has not left.
    pub message_status: Option<String>,
}

impl Quote {
    /// Where the lead sees it.
    pub fn url(&self, app: &App) -> String {
        format!("{}/q/{}", app.config.public_url, self.token)
    }

    /// Whom it is for: a name, or else the best address there is.
    pub fn contact_label(&self) -> String {
        if !self.contact_name.is_empty() {
            return self.contact_name.clone();
        }
        [&self.contact_phone, &self.contact_phone_raw, &self.contact_email]
            .into_iter()
            .find_map(Clone::clone)
            .unwrap_or_else(|| "No name".to_owned())
    }

    /// Whether its last day is over at `now` in the tenant's zone, told of or not.
    pub fn is_past(&self, now: DateTime<Utc>, zone: chrono_tz::Tz) -> bool {
        self.expires_on.is_some_and(|day| day < now.with_timezone(&zone).date_naive())
    }

    /// What changes whenever the lead would see something else: an answer names what it answers to.
    pub fn edition(&self) -> String {
        let seen = json!([
            self.title,
            self.items,
            self.discount_cents,
            self.tax_basis_points,
            self.tax_cents,
            self.total_cents,
            self.currency,
            self.terms,
            self.expires_on,
        ]);
        let hash = Sha256::digest(seen.to_string().as_bytes());
        URL_SAFE_NO_PAD.encode(&hash[..12])
    }
}

/// What a quote is made of.
#[derive(Debug, Clone, Default)]
pub struct NewQuote {
    pub contact_id: Uuid,
    pub title: Option<String>,
    pub items: Vec<Item>,
    /// `items` and `terms` in here are taken for the quote's own when it has none.
    pub data: Map<String, Value>,
    /// Needed without items; with items it must be their sum.
    pub total_cents: Option<i64>,
    /// The tenant's when absent.
    pub currency: Option<String>,
    pub tax_basis_points: u32,
    pub discount_cents: i64,
    pub terms: Option<String>,
    pub expires_on: Option<NaiveDate>,
    /// The caller when absent, if that is a person.
    pub owner_id: Option<Uuid>,
    /// Held back until released.
    pub draft: bool,
}

/// What changes about a quote.
#[derive(Debug, Clone, Default)]
pub struct QuoteChange {
    pub contact_id: Option<Uuid>,
    pub title: Patch<String>,
    pub items: Option<Vec<Item>>,
    pub data: Option<Map<String, Value>>,
    pub total_cents: Option<i64>,
    pub currency: Option<String>,
    pub tax_basis_points: Option<u32>,
    pub discount_cents: Option<i64>,
    pub terms: Patch<String>,
    pub expires_on: Patch<NaiveDate>,
    pub owner_id: Patch<Uuid>,
    /// `false` lets a held draft go.
    pub draft: Option<bool>,
    /// `sent` also opens what was closed; `accepted` and `rejected` note an answer given elsewhere.
    pub status: Option<Status>,
    pub answer_note: Option<String>,
}

/// Which quotes a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub contact_id: Option<Uuid>,
    /// Part of the contact's name, number or e-mail, of the title, or the quote's number.
    pub search: Option<String>,
}

/// A page of quotes, newest first.
pub async fn list(app: &App, caller: &Caller, filter: &Filter, page: &PageQuery) -> Result<Page<Quote>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (before, limit) = (page.after::<Uuid>()?, page.limit() + 1);
    let words: Vec<String> =
        filter.search.as_deref().unwrap_or_default().split_whitespace().take(8).map(str::to_owned).collect();
    let rows = match (filter.contact_id, filter.status) {
        _ if !words.is_empty() => {
            let limit = i32::try_from(limit).unwrap_or(i32::MAX);
            let found = sql::list_found(&mut tx, &words, filter.status, before, limit).await?;
            found
                .into_iter()
                .filter(|quote| filter.contact_id.is_none_or(|contact| contact == quote.contact_id))
                .collect()
        }
        (Some(contact), status) => sql::list_of_contact(&mut tx, contact, status, before, limit).await?,
        (None, Some(status)) => sql::list_by_status(&mut tx, status, before, limit).await?,
        (None, None) => sql::list_recent(&mut tx, before, limit).await?,
    };
    Ok(Page::cut(rows, page.limit(), |quote| quote.id))
}

/// The quote with this id.
pub async fn find(tx: &mut TenantTx, id: Uuid) -> Result<Option<Quote>> {
    sql::find(tx, id).await
}

/// The quote with this id, or a not-found error.
pub async fn get(app: &App, caller: &Caller, id: Uuid) -> Result<Quote> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    find(&mut tx, id).await?.ok_or(Error::NotFound("quote"))
}

/// Saves a quote. Unless it is a draft, the lead is told of it by the worker, from the row alone: every writer counts.
pub async fn create(app: &App, caller: &Caller, input: NewQuote) -> Result<Quote> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (held, mut checked) = (input.draft, draft::checked(input, &caller.tenant, app.now())?);
    checked.owner_id = checked.owner_id.or_else(|| caller.actor.user_id());
    check_references(&mut tx, &checked, None).await?;
    let id = app.new_id();
    sql::insert(&mut tx, id, &checked, held, &caller.actor.label, app.now()).await?;
    let quote = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    let changes = json!({ "number": [null, quote.number], "total_cents": [null, quote.total_cents], "currency": [null, quote.currency] });
    audit::changed(&mut tx, caller, "quote.created", id, &changes).await?;
    tx.commit().await?;
    Ok(quote)
}

/// Changes a quote, lets a held one go, or moves its status by hand.
pub async fn update(app: &App, caller: &Caller, id: Uuid, change: QuoteChange) -> Result<Quote> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    let now = app.now();
    let (draft, status, note) = (change.draft, change.status, change.answer_note.clone());
    let mut changes = Map::new();
    if draft::touches(&change) {
        // Giving an expired quote a new last day opens it again, below.
        let extends = before.status == Status::Expired && !change.expires_on.is_keep();
        let opens = before.status.is_answered() && status == Some(Status::Sent);
        if !before.status.is_open() && !extends && !opens {
            return Err(Error::conflict(format!(
                "This quote is {}. Open it again to change it.",
                before.status.word().to_lowercase()
            )));
        }
        let checked = draft::changed(&before, change, &caller.tenant, now)?;
        check_references(&mut tx, &checked, Some(&before)).await?;
        sql::update(&mut tx, id, &checked, now).await?;
        changes = draft::difference(&before, &checked);
        if extends
            && status.is_none()
            && checked
                .expires_on
                .is_none_or(|day| day >= now.with_timezone(&caller.tenant.timezone).date_naive())
        {
            reopen(&mut tx, &before, now).await?;
            changes.insert("status".to_owned(), json!([before.status, open_status(&before)]));
        }
    }
    match draft {
        Some(false) if before.held => {
            sql::release(&mut tx, id, now).await?;
            changes.insert("draft".to_owned(), json!([true, false]));
        }
        Some(true) if !before.held => {
            return Err(Error::conflict(
                "This quote is on its way to the lead; it cannot become a draft again.",
            ));
        }
        _ => {}
    }
    if let Some(status) = status.filter(|status| *status != before.status) {
        move_by_hand(&mut tx, caller, &before, status, note.as_deref(), now).await?;
        changes.insert("status".to_owned(), json!([before.status, status]));
    }
    if !changes.is_empty() {
        audit::changed(&mut tx, caller, "quote.updated", id, &Value::Object(changes)).await?;
    }
    let quote = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    tx.commit().await?;
    Ok(quote)
}

/// Throws away a draft that nobody was told of.
pub async fn discard(app: &App, caller: &Caller, id: Uuid) -> Result<Quote> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let quote = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("quote"))?;
    if !quote.held {
        return Err(Error::conflict("Only a draft that was not sent can be thrown away."));
    }
    sql::delete(&mut tx, id).await?;
    audit::changed(&mut tx, caller, "quote.discarded", id, &json!({ "number": [quote.number, null] }))
        .await?;
    tx.commit().await?;
    Ok(quote)
}

/// For the ledger: the message that announces this quote was handed to a carrier at `at`.
pub async fn mark_sent(tx: &mut TenantTx, quote_id: Uuid, at: DateTime<Utc>) -> Result<()> {
    sql::mark_sent(tx, quote_id, at).await
}

async fn move_by_hand(
    tx: &mut TenantTx,
    caller: &Caller,
    quote: &Quote,
    to: Status,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    if !quote.status.may_become(to) {
        let (from, to) = (quote.status.word().to_lowercase(), to.word().to_lowercase());
        return Err(Error::conflict(format!("A quote that is {from} cannot become {to}.")));
    }
    if to == Status::Sent && quote.status != Status::Draft {
        if quote.is_past(now, caller.tenant.timezone) {
            return Err(Error::field("expires_on", "Give the quote a new last day to open it again."));
        }
        return reopen(tx, quote, now).await;
    }
    let answered = to.is_answered();
    let note = note.map(str::trim).filter(|note| !note.is_empty());
    let turn = sql::Turn {
        status: to,
        sent_at: quote.sent_at.or_else(|| (to == Status::Sent).then_some(now)),
        viewed_at: quote.viewed_at,
        answered_at: answered.then_some(now),
        answered_by: answered.then_some(caller.actor.label.as_str()),
        answer_note: note.filter(|_| answered),
    };
    sql::turn(tx, quote.id, &turn, now).await
}

/// Back to where it stood before it was answered or expired.
async fn reopen(tx: &mut TenantTx, quote: &Quote, now: DateTime<Utc>) -> Result<()> {
    let turn = sql::Turn {
        status: open_status(quote),
        sent_at: quote.sent_at,
        viewed_at: quote.viewed_at,
        answered_at: None,
        answered_by: None,
        answer_note: None,
    };
    sql::turn(tx, quote.id, &turn, now).await
}

fn open_status(quote: &Quote) -> Status {
    if quote.viewed_at.is_some() { Status::Viewed } else { Status::Sent }
}

/// Whom and whose: ids that came from outside must be of this tenant.
async fn check_references(tx: &mut TenantTx, checked: &Checked, before: Option<&Quote>) -> Result<()> {
    if before.is_none_or(|before| before.contact_id != checked.contact_id)
        && !sql::contact_exists(tx, checked.contact_id).await?
    {
        return Err(Error::field("contact_id", "There is no such contact."));
    }
    if let Some(before) = before
        && before.contact_id != checked.contact_id
        && !before.held
    {
        return Err(Error::field(
            "contact_id",
            "The lead knows of this quote already; make a new one for somebody else.",
        ));
    }
    if let Some(owner) = checked.owner_id
        && before.is_none_or(|before| before.owner_id != Some(owner))
        && !sql::is_member(tx, owner).await?
    {
        return Err(Error::field("owner_id", "The owner must be a member of this business."));
    }
    Ok(())
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    public::routes(routes)
        .get("/api/quotes", Access::Api(Role::Viewer), api::list)
        .post("/api/quotes", Access::Api(Role::Member), api::create)
        .get("/api/quotes/{id}", Access::Api(Role::Viewer), api::get)
        .patch("/api/quotes/{id}", Access::Api(Role::Member), api::update)
        .post("/api/quotes/{id}/resend", Access::Api(Role::Member), api::resend)
        .get("/quotes", Access::Page(Role::Viewer), ui::list::page)
        .post("/quotes", Access::Page(Role::Member), ui::edit::create)
        .get("/quotes/new", Access::Page(Role::Member), ui::edit::new)
        .post("/quotes/lines", Access::Page(Role::Member), ui::edit::new_lines)
        .get("/quotes/{id}", Access::Page(Role::Viewer), ui::show::page)
        .post("/quotes/{id}", Access::Page(Role::Member), ui::edit::save)
        .get("/quotes/{id}/edit", Access::Page(Role::Member), ui::edit::edit)
        .post("/quotes/{id}/lines", Access::Page(Role::Member), ui::edit::lines)
        .post("/quotes/{id}/send", Access::Page(Role::Member), ui::show::send)
        .post("/quotes/{id}/resend", Access::Page(Role::Member), ui::show::resend)
        .post("/quotes/{id}/answer", Access::Page(Role::Member), ui::show::note_answer)
        .post("/quotes/{id}/discard", Access::Page(Role::Member), ui::show::discard)
}
