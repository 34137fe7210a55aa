//! `/conversations/new`: pick somebody, or write down a number, and start talking.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use patchbay_rules::phone;
use serde::Deserialize;

use super::{Look, list, path};
use crate::{
    app::App,
    auth::{Caller, Session, users},
    contacts::{self, NewContact},
    error::{Error, FieldErrors, Result},
    messaging::{
        inbox::{self, View, Wanted},
        view::begin::{BeginPage, Person},
    },
    web::{
        extract::{Form, Query},
        fields::Field,
        layout::Place,
        notice, pages,
        parts::Face,
        shell,
    },
};

/// Whom one is looking for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    q: Option<String>,
}

/// Somebody new.
#[derive(Debug, Default, Deserialize)]
pub(super) struct New {
    #[serde(default)]
    to: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
}

/// `GET /conversations/new?q=`.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(ask): Query<Ask>,
) -> Result<Response> {
    let q: String = ask.q.unwrap_or_default().trim().chars().take(100).collect();
    // What was looked for and not found is probably the number or name of somebody new.
    let mut new = New::default();
    if q.chars().filter(char::is_ascii_digit).count() >= 5 || q.contains('@') {
        new.to.clone_from(&q);
    } else if let Some((first, last)) = q.split_once(' ') {
        (new.first_name, new.last_name) = (first.to_owned(), last.trim().to_owned());
    } else {
        new.first_name.clone_from(&q);
    }
    show(&app, &session, &caller, q, new, FieldErrors::new()).await
}

/// `POST /conversations/new`.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(new): Form<New>,
) -> Result<Response> {
    match make(&app, &caller, &new).await {
        Ok(contact) => Ok(notice::see_other(&path(contact, View::default()))),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, String::new(), new, errors).await,
        Err(other) => Err(other),
    }
}

/// The contact behind the address, made if there is none.
async fn make(app: &App, caller: &Caller, new: &New) -> Result<uuid::Uuid> {
    let mut contact = NewContact {
        source: Some("Added by hand".to_owned()),
        owner_id: caller.actor.user_id(),
        ..NewContact::default()
    };
    let mut errors = FieldErrors::new();
    let to = new.to.trim();
    if to.is_empty() {
        errors.insert("to".into(), "Write a number or an e-mail address.".to_owned());
    } else if to.contains('@') {
        match users::clean_email(to) {
            Ok(email) => contact.email = Some(email),
            Err(_) => drop(errors.insert("to".into(), "This is not an e-mail address.".to_owned())),
        }
    } else {
        match phone::parse(to, Some(&caller.tenant.country)) {
            Ok(parsed) => contact.phone = Some(parsed.e164),
            Err(error) => drop(errors.insert("to".into(), error.to_string())),
        }
    }
    for (field, text, into) in [
        ("first_name", &new.first_name, &mut contact.first_name),
        ("last_name", &new.last_name, &mut contact.last_name),
    ] {
        let text: String = text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned();
        if text.chars().count() > 120 {
            errors.insert(field.into(), "A name has 120 characters at most.".to_owned());
        }
        *into = Some(text).filter(|text| !text.is_empty());
    }
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let (contact, _) = contacts::upsert(&mut tx, app, contact).await?;
    tx.commit().await?;
    Ok(contact.id)
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    q: String,
    new: New,
    mut errors: FieldErrors,
) -> Result<Response> {
    let look = Look::new(app, caller, session, View::default());
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let found = match Wanted::parse(&q) {
        Some(wanted) => inbox::search(app, caller, &wanted, 20, 0).await?.people,
        None => {
            let mut tx = app.db.tenant(caller.tenant.id).await?;
            let recent = inbox::list(&mut tx, caller, View::Open, None, 8).await?;
            let ids: Vec<uuid::Uuid> = recent.iter().map(|row| row.contact_id).collect();
            contacts::find_all(&mut tx, &ids).await?
        }
    };
    let people = found
        .iter()
        .map(|contact| {
            let name = list::contact_name(&look, contact);
            let address = contact
                .phone_e164
                .as_deref()
                .map(|phone| list::number(&look, phone))
                .or_else(|| contact.email.clone());
            Person {
                href: path(contact.id, View::default()),
                face: Face::of(contact.id, &name),
                name,
                address: address.unwrap_or_else(|| "No number yet".to_owned()),
            }
        })
        .collect();
    let mut error = |field: &str| errors.remove(field).unwrap_or_default();
    let page = BeginPage {
        shell: shell::shell(app, session, Place::Inbox, "New conversation").await?,
        people,
        to: Field::text("to", "Number or e-mail")
            .value(new.to)
            .placeholder("(512) 555-0142")
            .hint("A number here, or with its country code.")
            .required()
            .error(error("to")),
        first_name: Field::text("first_name", "First name").value(new.first_name).error(error("first_name")),
        last_name: Field::text("last_name", "Last name").value(new.last_name).error(error("last_name")),
        q,
    };
    pages::html_with(status, &page)
}
