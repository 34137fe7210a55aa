//! Writing a quote: first for whom, then the lines. Every step works without scripts; htmx saves the reload.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{self, ConsentState, Contact, filter::Filter as ContactFilter, search},
    error::{Error, FieldErrors, Result},
    quotes::{
        self, Quote, Status, draft,
        editor::Typed,
        locale,
        view::{EditPage, LineRow, Lines, PersonRow, PickPage, Totals},
    },
    web::{
        extract::{Path, Query, RawForm},
        fields::{Field, NOT_SAVED},
        layout::Place,
        moments::full,
        notice,
        pages::{html, html_with, wants_fragment},
        parts::{Empty, Face},
        shell::shell,
    },
};

/// The button that opens an answered quote again and saves what is typed.
const REOPEN: &str = "reopen";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::quotes) struct NewQuery {
    contact_id: Option<Uuid>,
    q: String,
}

/// `/quotes/new`: whom it is for, and with `contact_id` the empty form.
pub(in crate::quotes) async fn new(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<NewQuery>,
) -> Result<Response> {
    match query.contact_id {
        Some(contact) => {
            let mut typed = Typed::blank(Some(contact), &caller.tenant.currency);
            typed.terms = latest_terms(&app, &caller).await?;
            form(&app, &session, &caller, None, typed, FieldErrors::new()).await
        }
        None => pick(&app, &session, &caller, &query.q).await,
    }
}

/// What a business wrote last time is what it will write again.
async fn latest_terms(app: &App, caller: &Caller) -> Result<String> {
    let page = crate::web::paging::PageQuery { limit: Some(1), cursor: None };
    let latest = quotes::list(app, caller, &quotes::Filter::default(), &page).await?;
    Ok(latest.data.into_iter().next().and_then(|quote| quote.terms).unwrap_or_default())
}

async fn pick(app: &App, session: &Session, caller: &Caller, words: &str) -> Result<Response> {
    let filter = ContactFilter { text: words.trim().to_owned(), ..ContactFilter::default() };
    let (found, _) = search::list(app, caller.tenant.id, &filter, search::Slice::after(None, 12)).await?;
    let empty = found.is_empty().then(|| {
        let nobody = words.trim().is_empty();
        Empty {
            icon: "user-round-plus",
            heading: if nobody { "No contacts yet" } else { "Nobody by that name" }.to_owned(),
            text: "A quote is for a contact: add the person first.".to_owned(),
            actions: vec![("Add a contact".to_owned(), "/contacts/new".to_owned())],
        }
    });
    let page = PickPage {
        people: found.iter().map(|contact| person(contact, &caller.tenant.country)).collect(),
        search: words.to_owned(),
        empty,
        shell: shell(app, session, Place::Quotes, "New quote").await?,
    };
    html(&page)
}

fn person(contact: &Contact, country: &str) -> PersonRow {
    let name = contact.called(country);
    let number = contact
        .phone_e164
        .as_deref()
        .map(|e164| patchbay_rules::phone::format_national_or_international(e164, country));
    let reach = number.or_else(|| contact.email.clone()).unwrap_or_default();
    PersonRow {
        href: format!("/quotes/new?contact_id={}", contact.id),
        face: Face::of(contact.id, &name),
        reach: if reach == name { String::new() } else { reach },
        name,
    }
}

/// `POST /quotes`: saves a new quote, as a draft or on its way.
pub(in crate::quotes) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    RawForm(body): RawForm,
) -> Result<Response> {
    let typed = read(&body);
    let saved = match typed.meaning() {
        Ok(input) => quotes::create(&app, &caller, input).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(quote) => Ok(saved_notice(&app, &caller, &quote, typed.act == "send")),
        Err(Error::Invalid(errors)) => {
            let errors = all_errors(&app, &caller, None, &typed, errors);
            form(&app, &session, &caller, None, typed, errors).await
        }
        Err(error) => Err(error),
    }
}

/// Also what saving would find wrong with the fields that can be read, so that everything is said at once.
fn all_errors(
    app: &App,
    caller: &Caller,
    before: Option<&Quote>,
    typed: &Typed,
    mut errors: FieldErrors,
) -> FieldErrors {
    let (mut input, _) = typed.read_all();
    // A day that stays may be over.
    input.expires_on =
        input.expires_on.filter(|day| before.is_none_or(|quote| quote.expires_on != Some(*day)));
    if let Err(Error::Invalid(more)) = draft::checked(input, &caller.tenant, app.now()) {
        let simple = |field: &str| matches!(field, "title" | "terms" | "expires_on" | "currency");
        for (field, message) in more.into_iter().filter(|(field, _)| simple(field)) {
            errors.entry(field).or_insert(message);
        }
    }
    errors
}

/// `/quotes/{id}/edit`.
pub(in crate::quotes) async fn edit(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let quote = quotes::get(&app, &caller, id).await?;
    if quote.status.is_answered() {
        let text = format!("{} Open it again to change it.", answered(&caller, &quote));
        return Ok(notice::redirect(&app, &format!("/quotes/{id}"), &text));
    }
    let typed = Typed::of(&quote);
    form(&app, &session, &caller, Some(&quote), typed, FieldErrors::new()).await
}

/// `POST /quotes/{id}`: saves the changes.
pub(in crate::quotes) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    RawForm(body): RawForm,
) -> Result<Response> {
    let mut quote = quotes::get(&app, &caller, id).await?;
    let mut typed = read(&body);
    typed.contact_id = Some(quote.contact_id);
    let saved = match typed.change(&quote) {
        Ok(mut change) => {
            change.status = (typed.act == REOPEN && quote.status.is_answered()).then_some(Status::Sent);
            quotes::update(&app, &caller, id, change).await
        }
        Err(error) => Err(error),
    };
    match saved {
        Ok(after) => Ok(saved_notice(&app, &caller, &after, quote.held && !after.held)),
        Err(Error::Invalid(errors)) => {
            let errors = all_errors(&app, &caller, Some(&quote), &typed, errors);
            form(&app, &session, &caller, Some(&quote), typed, errors).await
        }
        // Answered or expired while it was written: the page says so and keeps what was typed.
        Err(Error::Conflict { .. }) => {
            quote = quotes::get(&app, &caller, id).await?;
            form(&app, &session, &caller, Some(&quote), typed, FieldErrors::new()).await
        }
        Err(error) => Err(error),
    }
}

/// "Dana Whitfield accepted this quote on Thu 20 Nov, 16:11."
fn answered(caller: &Caller, quote: &Quote) -> String {
    let who = quote.answered_by.clone().unwrap_or_else(|| quote.contact_label());
    let did = if quote.status == Status::Accepted { "accepted" } else { "declined" };
    let when = quote.answered_at.map(|at| full(at, caller.tenant.timezone));
    format!("{who} {did} this quote{}.", when.map(|when| format!(" on {when}")).unwrap_or_default())
}

/// `POST /quotes/lines`: adds, removes and moves lines, and adds up what is typed. Saves nothing.
pub(in crate::quotes) async fn new_lines(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Result<Response> {
    match rearranged(&headers, &body, None) {
        Rearranged::Form(typed) => form(&app, &session, &caller, None, *typed, FieldErrors::new()).await,
        Rearranged::Fragment(fragment) => fragment,
    }
}

/// `POST /quotes/{id}/lines`: the same for a quote that exists.
pub(in crate::quotes) async fn lines(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> Result<Response> {
    let quote = quotes::get(&app, &caller, id).await?;
    match rearranged(&headers, &body, Some(&quote)) {
        Rearranged::Form(typed) => {
            form(&app, &session, &caller, Some(&quote), *typed, FieldErrors::new()).await
        }
        Rearranged::Fragment(fragment) => fragment,
    }
}

/// What a button among the lines leads to.
enum Rearranged {
    /// The whole page, for a browser without scripts.
    Form(Box<Typed>),
    /// The part that htmx asked for.
    Fragment(Result<Response>),
}

/// The form after its button was pressed; for htmx, the fragment that answers it.
fn rearranged(headers: &HeaderMap, body: &[u8], quote: Option<&Quote>) -> Rearranged {
    let mut typed = read(body);
    typed.contact_id = quote.map_or(typed.contact_id, |quote| Some(quote.contact_id));
    let none = FieldErrors::new();
    let fragment = wants_fragment(headers);
    if fragment && typed.act.is_empty() {
        return Rearranged::Fragment(html(&Totals {
            sum: sum(&typed),
            lines: lines_of(&typed, &none, None),
            out_of_band: true,
        }));
    }
    let focus = typed.rearrange();
    if fragment {
        let path = lines_path(quote.map(|quote| quote.id));
        return Rearranged::Fragment(html(&Lines {
            lines: lines_of(&typed, &none, focus),
            sum: sum(&typed),
            out_of_band: true,
            path,
        }));
    }
    Rearranged::Form(Box::new(typed))
}

fn read(body: &[u8]) -> Typed {
    Typed::read(
        form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
    )
}

fn saved_notice(app: &App, caller: &Caller, quote: &Quote, sent: bool) -> Response {
    let text = if sent {
        format!("Quote {} is on its way to {}", quote.number, quote.contact_called(&caller.tenant.country))
    } else if quote.held {
        format!("Draft {} is saved; nobody was told", quote.number)
    } else {
        format!("Quote {} is changed", quote.number)
    };
    notice::redirect(app, &format!("/quotes/{}", quote.id), &text)
}

fn lines_path(id: Option<Uuid>) -> String {
    id.map_or_else(|| "/quotes/lines".to_owned(), |id| format!("/quotes/{id}/lines"))
}

async fn form(
    app: &App,
    session: &Session,
    caller: &Caller,
    quote: Option<&Quote>,
    typed: Typed,
    errors: FieldErrors,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = match typed.contact_id {
        Some(id) => contacts::find(&mut tx, id).await?,
        None => None,
    };
    drop(tx);
    let Some(contact) = contact else { return pick(app, session, caller, "").await };
    let error = |field: &str| errors.get(field).cloned().unwrap_or_default();
    let title = quote.map_or_else(|| "New quote".to_owned(), |quote| format!("Quote {}", quote.number));
    let known =
        ["title", "discount", "discount_cents", "tax", "tax_basis_points", "currency", "expires_on", "terms"];
    let stray: Vec<String> = errors
        .iter()
        .filter(|(field, _)| !known.contains(&&***field) && !field.starts_with("items["))
        .map(|(_, message)| message.clone())
        .collect();
    let is_answered = quote.is_some_and(|quote| quote.status.is_answered());
    let page = EditPage {
        answered: quote.filter(|_| is_answered).map(|quote| answered(caller, quote)).unwrap_or_default(),
        error: match (errors.is_empty(), stray.is_empty()) {
            (true, _) => String::new(),
            (false, true) => NOT_SAVED.to_owned(),
            (false, false) => stray.join(" "),
        },
        heading: title.clone(),
        action: quote.map_or_else(|| "/quotes".to_owned(), |quote| format!("/quotes/{}", quote.id)),
        back: quote.map_or_else(|| "/quotes".to_owned(), |quote| format!("/quotes/{}", quote.id)),
        path: lines_path(quote.map(|quote| quote.id)),
        announces: quote.is_none_or(|quote| quote.held),
        is_new: quote.is_none(),
        hint: hint(&contact, &caller.tenant.country, quote),
        contact_id: contact.id.to_string(),
        person: person(&contact, &caller.tenant.country),
        title: Field::text("title", "Title")
            .value(&typed.title)
            .error(error("title"))
            .placeholder("Hot water system, supplied and fitted"),
        currency: Field::text("currency", "Currency")
            .value(&typed.currency)
            .error(error("currency"))
            .required(),
        discount: Field::text("discount", "Discount")
            .value(&typed.discount)
            .error(error("discount") + &error("discount_cents"))
            .placeholder("50.00 or 10%"),
        tax: Field::text("tax", "Tax")
            .value(&typed.tax)
            .error(error("tax") + &error("tax_basis_points"))
            .suffix("%"),
        expires_on: Field::input("expires_on", "date", "Good until")
            .value(&typed.expires_on)
            .error(error("expires_on")),
        terms: Field::area("terms", "Terms").value(&typed.terms).error(error("terms")),
        lines: lines_of(&typed, &errors, None),
        sum: sum(&typed),
        out_of_band: false,
        shell: shell(app, session, Place::Quotes, &title).await?,
    };
    let status = match (is_answered, errors.is_empty()) {
        (true, _) => StatusCode::CONFLICT,
        (false, true) => StatusCode::OK,
        (false, false) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    html_with(status, &page)
}

/// What sending will do, before it is done.
fn hint(contact: &Contact, country: &str, quote: Option<&Quote>) -> String {
    let name = contact.called(country);
    if quote.is_some_and(|quote| !quote.held) {
        return format!("{name} has the link already and will see the changes there.");
    }
    match (&contact.phone_e164, &contact.email) {
        (Some(_), _) if contact.consent_sms == ConsentState::Unsubscribed => {
            format!(
                "{name} has unsubscribed from text messages: the quote will be saved, but the message will be blocked. Send the link another way."
            )
        }
        (Some(_), _) => format!("{name} gets a text message with a link to the quote."),
        (None, Some(_)) => format!("{name} has no number and gets an e-mail with a link to the quote."),
        (None, None) => format!(
            "{name} has neither a number nor an e-mail address: copy the link once the quote is saved."
        ),
    }
}

fn lines_of(typed: &Typed, errors: &FieldErrors, focus: Option<usize>) -> Vec<LineRow> {
    let (each, _) = typed.sum();
    let last = typed.lines.len().saturating_sub(1);
    let total =
        |row: usize| each.get(row).copied().flatten().map(|cents| typed.money(cents)).unwrap_or_default();
    typed
        .lines
        .iter()
        .enumerate()
        .map(|(row, line)| {
            let error = |field: &str| {
                errors.get(format!("items[{row}].{field}").as_str()).cloned().unwrap_or_default()
            };
            LineRow {
                row,
                number: row + 1,
                name: line.name.clone(),
                description: line.description.clone(),
                quantity: line.quantity.clone(),
                price: line.price.clone(),
                total: total(row),
                name_error: error("name"),
                description_error: error("description"),
                quantity_error: error("quantity"),
                price_error: error("unit_cents"),
                is_first: row == 0,
                is_last: row == last,
                focus: focus == Some(row),
            }
        })
        .collect()
}

fn sum(typed: &Typed) -> Vec<(String, String)> {
    let (_, Some(sum)) = typed.sum() else {
        return vec![("Total".to_owned(), "does not add up yet".to_owned())];
    };
    let mut rows = Vec::new();
    if sum.discount_cents > 0 || sum.tax_cents > 0 {
        rows.push(("Lines".to_owned(), typed.money(sum.subtotal_cents)));
    }
    if sum.discount_cents > 0 {
        rows.push(("Discount".to_owned(), typed.money(-sum.discount_cents)));
    }
    if sum.tax_cents > 0 {
        let rate = quotes::typed::read_rate(&typed.tax).unwrap_or(0);
        rows.push((format!("Tax, {}", locale::percent(rate)), typed.money(sum.tax_cents)));
    }
    rows.push(("Total".to_owned(), typed.money(sum.total_cents)));
    rows
}
