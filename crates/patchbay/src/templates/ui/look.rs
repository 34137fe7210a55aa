//! What stands beside the editor and follows it: the message as it would arrive, for whom, and what its placeholders
//! stand for.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use patchbay_rules::{message::Channel, segments::Encoding};
use serde::Deserialize;
use uuid::Uuid;

use super::form::EditForm;
use crate::{
    app::App,
    auth::Caller,
    contacts::{self, Contact, filter::Filter as ContactFilter, search},
    error::{Error, FieldErrors, Result},
    templates::{
        self, Preview,
        render::Look,
        view::{People, PersonRow, PreviewPart, VariableRow, VariablesPart},
    },
    web::{
        extract::{Form, Query},
        fields::Field,
        pages::html,
        parts::Face,
    },
};

/// The preview alone, as the form stands.
pub(in crate::templates) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(form): Form<EditForm>,
) -> Result<Response> {
    html(&preview_of(&app, &caller, &form).await?)
}

/// What the placeholders of the text stand for, as the form stands.
pub(in crate::templates) async fn variables(caller: Caller, Form(form): Form<EditForm>) -> Result<Response> {
    html(&variables_part(&form, &FieldErrors::new(), !caller.role.can_manage()))
}

pub(super) fn variables_part(form: &EditForm, errors: &FieldErrors, frozen: bool) -> VariablesPart {
    let row = |(name, text): (String, String)| {
        let id = format!("variable-{name}");
        let error = errors.get(format!("content_variables.{name}").as_str()).cloned().unwrap_or_default();
        VariableRow {
            field: Field::text(id, format!("{{{{{name}}}}} stands for"))
                .value(text)
                .error(error)
                .placeholder("{{ first_name | default(\"there\") }}")
                .required()
                .disabled(frozen),
            name,
        }
    };
    VariablesPart { rows: form.rows().into_iter().map(row).collect() }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::templates) struct PeopleQuery {
    contact_q: String,
    contact_id: String,
}

/// Whom to look at it for, found by name.
pub(in crate::templates) async fn people(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PeopleQuery>,
) -> Result<Response> {
    let chosen = Uuid::parse_str(&query.contact_id).ok();
    let people = people_for(&app, &caller, &query.contact_q, chosen).await?;
    html(&People { nobody: !people.iter().any(|person| person.chosen), people })
}

pub(super) async fn people_for(
    app: &App,
    caller: &Caller,
    words: &str,
    chosen: Option<Uuid>,
) -> Result<Vec<PersonRow>> {
    let filter = ContactFilter { text: words.trim().to_owned(), ..ContactFilter::default() };
    let (found, _) = search::list(app, caller.tenant.id, &filter, search::Slice::after(None, 5)).await?;
    let mut rows: Vec<PersonRow> =
        found.iter().map(|contact| person(contact, &caller.tenant.country, chosen)).collect();
    // Who was chosen stays on the list, whatever is searched for next.
    if let Some(id) = chosen.filter(|_| !rows.iter().any(|row| row.chosen)) {
        let mut tx = app.db.tenant(caller.tenant.id).await?;
        if let Some(contact) = contacts::find(&mut tx, id).await? {
            rows.insert(0, person(&contact, &caller.tenant.country, chosen));
        }
    }
    Ok(rows)
}

fn person(contact: &Contact, country: &str, chosen: Option<Uuid>) -> PersonRow {
    let name = contact.called(country);
    let number = contact
        .phone_e164
        .as_deref()
        .map(|e164| patchbay_rules::phone::format_national_or_international(e164, country));
    let reach = number.or_else(|| contact.email.clone()).filter(|reach| *reach != name).unwrap_or_default();
    PersonRow {
        id: contact.id.to_string(),
        face: Face::of(contact.id, &name),
        name,
        reach,
        chosen: chosen == Some(contact.id),
    }
}

pub(super) async fn preview_of(app: &App, caller: &Caller, form: &EditForm) -> Result<PreviewPart> {
    if form.content.trim().is_empty() {
        return Ok(part(None, form.channel()));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let subject = Some(form.subject.as_str()).filter(|_| form.channel() == Channel::Email);
    let look = Look {
        channel: form.channel(),
        content: &form.text(),
        subject,
        contact_id: form.contact(),
        quote_id: None,
    };
    match templates::preview(&mut tx, app, &look, &caller.tenant.currency).await {
        Ok(seen) => Ok(part(Some(seen), form.channel())),
        // Too long to be looked at: the start of it, and why.
        Err(Error::Invalid(errors)) => Ok(PreviewPart {
            text: form.content.chars().take(200).chain(['…']).collect(),
            problems: errors.into_values().collect(),
            ..part(None, form.channel())
        }),
        Err(other) => Err(other),
    }
}

fn part(seen: Option<Preview>, channel: Channel) -> PreviewPart {
    let Some(seen) = seen else {
        let nothing = String::new;
        return PreviewPart {
            text: nothing(),
            subject: nothing(),
            size: nothing(),
            warning: nothing(),
            problems: Vec::new(),
            example: false,
        };
    };
    let encoding = if seen.encoding == Encoding::Gsm7.as_str() { Encoding::Gsm7 } else { Encoding::Ucs2 };
    let fits = if seen.segments == 1 { encoding.single() } else { encoding.multipart() * seen.segments };
    let plural = if seen.segments == 1 { "" } else { "s" };
    let is_sms = channel == Channel::Sms;
    PreviewPart {
        size: if is_sms {
            format!("{} segment{plural} · {} of {fits} characters", seen.segments, seen.units)
        } else {
            String::new()
        },
        warning: if is_sms && encoding == Encoding::Ucs2 {
            let odd: Vec<String> = odd_characters(&seen.text).into_iter().take(6).map(String::from).collect();
            format!("A message with {} holds 70 characters per segment instead of 160.", odd.join(" "))
        } else {
            String::new()
        },
        problems: seen
            .problems
            .iter()
            .map(|problem| match (problem.line, problem.column) {
                (Some(line), Some(column)) => format!("Line {line}, column {column}: {}", problem.message),
                _ => problem.message.clone(),
            })
            .collect(),
        text: seen.text,
        subject: seen.subject.unwrap_or_default(),
        example: seen.example_quote,
    }
}

/// The characters that make a text expensive, each once.
fn odd_characters(text: &str) -> Vec<char> {
    let mut odd = Vec::new();
    for character in text.chars().filter(|character| !patchbay_rules::segments::is_gsm7(*character)) {
        if !odd.contains(&character) {
            odd.push(character);
        }
    }
    odd
}
