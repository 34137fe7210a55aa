//! The pages of templates: the list, and the editor with its live preview.

use std::{fmt::Write as _, sync::Arc};

use axum::{extract::State, response::Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::{message::Channel, segments::Encoding};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Filter, NewTemplate, Preview, QUOTE_EMAIL, QUOTE_SMS, Template, TemplateChange, context,
    render::Look,
    sql,
    view::{EditPage, ListPage, People, PersonRow, PreviewPart, TemplateRow, TokenRow},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{self, Contact, filter::Filter as ContactFilter, search},
    error::{Error, FieldErrors, Result},
    web::{
        extract::{Form, Path, Query},
        fields::{Choice, Field, NOT_SAVED},
        layout::Place,
        moments::moment,
        notice,
        pages::{html, html_form},
        paging::PageQuery,
        parts::{Empty, Face, Pager, Tab},
        shell::shell,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    archived: bool,
    cursor: String,
}

/// The editor's form; also what the preview is made of.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct EditForm {
    name: String,
    key: String,
    channel: String,
    subject: String,
    content: String,
    /// For whom it is looked at.
    contact_id: String,
}

impl EditForm {
    fn channel(&self) -> Channel {
        self.channel.parse().unwrap_or(Channel::Sms)
    }

    fn contact(&self) -> Option<Uuid> {
        Uuid::parse_str(&self.contact_id).ok()
    }
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let search = Some(query.q.trim().to_owned()).filter(|q| !q.is_empty());
    let filter = Filter { channel: None, search, archived: query.archived };
    let asked = PageQuery { limit: Some(50), cursor: Some(query.cursor.clone()) };
    let found = super::list(&app, &caller, &filter, &asked).await?;
    let shell = shell(&app, &session, Place::Templates, "Templates").await?;
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let place = |archived: bool, cursor: &str| address(&query.q, archived, cursor);
    let page = ListPage {
        tabs: vec![
            Tab::new("In use", place(false, ""), !query.archived),
            Tab::new("Archived", place(true, ""), query.archived),
        ],
        rows: found.data.iter().map(|template| row(template, now, zone)).collect(),
        pager: Pager {
            previous: (!query.cursor.is_empty()).then(|| place(query.archived, "")),
            next: found.next_cursor.as_deref().map(|cursor| place(query.archived, cursor)),
            note: String::new(),
        },
        empty: found.data.is_empty().then(|| empty(&query, shell.can_manage)),
        search: query.q.clone(),
        archived: query.archived,
        shell,
    };
    html(&page)
}

fn address(q: &str, archived: bool, cursor: &str) -> String {
    let mut path = "/templates".to_owned();
    for (name, value) in [("q", q), ("archived", if archived { "true" } else { "" }), ("cursor", cursor)] {
        if !value.is_empty() {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let sign = if path.contains('?') { '&' } else { '?' };
            let _ = write!(path, "{sign}{name}={value}");
        }
    }
    path
}

fn row(template: &Template, now: DateTime<Utc>, zone: Tz) -> TemplateRow {
    TemplateRow {
        href: format!("/templates/{}", template.id),
        name: template.name.clone(),
        channel: channel_word(template.channel),
        icon: if template.channel == Channel::Email { "mail" } else { "message-square" },
        content: words::readable(&template.content),
        used: used_for(&template.key),
        changed: moment(template.updated_at, now, zone),
    }
}

fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "Text message",
        Channel::Whatsapp => "WhatsApp",
        Channel::Email => "E-mail",
    }
}

fn used_for(key: &str) -> &'static str {
    match key {
        QUOTE_SMS => "Texts every new quote",
        QUOTE_EMAIL => "Mails a new quote to who has no number",
        _ => "",
    }
}

fn empty(query: &ListQuery, can_manage: bool) -> Empty {
    let actions = |label: &str, path: &str| vec![(label.to_owned(), path.to_owned())];
    if !query.q.trim().is_empty() {
        return Empty {
            icon: "search",
            heading: "No template matches".to_owned(),
            text: "Names, keys and texts were searched.".to_owned(),
            actions: actions("Show all templates", "/templates"),
        };
    }
    if query.archived {
        return Empty {
            icon: "archive",
            heading: "Nothing is archived".to_owned(),
            text: "Templates that you archive stay here, and can be used again.".to_owned(),
            actions: Vec::new(),
        };
    }
    Empty {
        icon: "text-quote",
        heading: "No templates of your own".to_owned(),
        text: "Quotes go out in the words every business starts with. Write your own, with the names and amounts filled in.".to_owned(),
        actions: if can_manage { actions("Write a template", "/templates/new") } else { Vec::new() },
    }
}

pub(super) async fn new(State(app): State<Arc<App>>, session: Session, caller: Caller) -> Result<Response> {
    let form = EditForm { channel: "sms".to_owned(), ..EditForm::default() };
    show(&app, &session, &caller, None, form, FieldErrors::new()).await
}

pub(super) async fn edit(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let template = super::get(&app, &caller, id).await?;
    let form = EditForm {
        name: template.name.clone(),
        key: template.key.clone(),
        channel: template.channel.as_str().to_owned(),
        subject: template.subject.clone().unwrap_or_default(),
        content: template.content.clone(),
        contact_id: String::new(),
    };
    show(&app, &session, &caller, Some(&template), form, FieldErrors::new()).await
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(form): Form<EditForm>,
) -> Result<Response> {
    let input = NewTemplate {
        key: form.key.clone(),
        name: form.name.clone(),
        channel: form.channel(),
        subject: Some(form.subject.clone()),
        content: form.content.clone(),
        content_sid: None,
        content_variables: None,
    };
    match super::create(&app, &caller, input).await {
        Ok(template) => Ok(notice::redirect(&app, &format!("/templates/{}", template.id), "Template saved")),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, None, form, errors).await,
        Err(error) => Err(error),
    }
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(form): Form<EditForm>,
) -> Result<Response> {
    let template = super::get(&app, &caller, id).await?;
    let change = TemplateChange {
        key: Some(form.key.trim().to_owned()).filter(|key| !key.is_empty()),
        name: Some(form.name.clone()),
        channel: Some(form.channel()),
        subject: Some(Some(form.subject.clone())),
        content: Some(form.content.clone()),
        ..TemplateChange::default()
    };
    match super::update(&app, &caller, id, change).await {
        Ok(_) => Ok(notice::redirect(&app, &format!("/templates/{id}"), "Template saved")),
        Err(Error::Invalid(errors)) => show(&app, &session, &caller, Some(&template), form, errors).await,
        Err(error) => Err(error),
    }
}

pub(super) async fn archive(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let template = super::archive(&app, &caller, id).await?;
    let undo = format!("/templates/{id}/restore");
    Ok(notice::redirect_undoable(&app, "/templates", &format!("Archived “{}”", template.name), Some(&undo)))
}

pub(super) async fn restore(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let template = super::restore(&app, &caller, id).await?;
    Ok(notice::redirect(&app, &format!("/templates/{id}"), &format!("“{}” is in use again", template.name)))
}

/// The preview alone, as the form stands.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(form): Form<EditForm>,
) -> Result<Response> {
    html(&preview_of(&app, &caller, &form).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PeopleQuery {
    contact_q: String,
    contact_id: String,
}

/// Whom to look at it for, found by name.
pub(super) async fn people(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PeopleQuery>,
) -> Result<Response> {
    let chosen = Uuid::parse_str(&query.contact_id).ok();
    let people = people_for(&app, &caller, &query.contact_q, chosen).await?;
    html(&People { nobody: !people.iter().any(|person| person.chosen), people })
}

async fn people_for(app: &App, caller: &Caller, words: &str, chosen: Option<Uuid>) -> Result<Vec<PersonRow>> {
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
    let name = contact.display_name();
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

async fn preview_of(app: &App, caller: &Caller, form: &EditForm) -> Result<PreviewPart> {
    if form.content.trim().is_empty() {
        return Ok(part(None, form.channel()));
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let subject = Some(form.subject.as_str()).filter(|_| form.channel() == Channel::Email);
    let look = Look {
        channel: form.channel(),
        content: &form.content,
        subject,
        contact_id: form.contact(),
        quote_id: None,
    };
    match super::preview(&mut tx, app, &look, &caller.tenant.currency).await {
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

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    template: Option<&Template>,
    form: EditForm,
    errors: FieldErrors,
) -> Result<Response> {
    let error = |field: &str| errors.get(field).cloned().unwrap_or_default();
    let title = template.map_or_else(|| "New template".to_owned(), |template| template.name.clone());
    let shell = shell(app, session, Place::Templates, &title).await?;
    let frozen = !shell.can_manage || template.is_some_and(|template| template.archived_at.is_some());
    let channel = form.channel();
    let channels = [Channel::Sms, Channel::Whatsapp, Channel::Email];
    let choices = channels.map(|each| Choice::new(each.as_str(), channel_word(each), each == channel)).into();
    let used = template.map_or("", |template| used_for(&template.key));
    let people = people_for(app, caller, "", form.contact()).await?;
    let page = EditPage {
        error: if errors.is_empty() { String::new() } else { NOT_SAVED.to_owned() },
        action: template
            .map_or_else(|| "/templates".to_owned(), |template| format!("/templates/{}", template.id)),
        id: template.map(|template| template.id.to_string()).unwrap_or_default(),
        is_new: template.is_none(),
        archived: template.is_some_and(|template| template.archived_at.is_some()),
        used,
        name: Field::text("name", "Name").value(&form.name).error(error("name")).required().disabled(frozen),
        key: Field::text("key", "Key")
            .value(&form.key)
            .error(error("key"))
            .hint("What programs call it by. Made from the name when empty.")
            .disabled(frozen || !used.is_empty()),
        channel: Field::select("channel", "Sent as", choices)
            .error(error("channel"))
            .required()
            .disabled(frozen),
        subject: Field::text("subject", "Subject")
            .value(&form.subject)
            .error(error("subject"))
            .hint("Of an e-mail.")
            .disabled(frozen),
        content: Field::area("content", "Text")
            .value(&form.content)
            .error(error("content"))
            .required()
            .disabled(frozen),
        tokens: tokens(app, caller).await?,
        nobody: !people.iter().any(|person| person.chosen),
        people,
        preview: preview_of(app, caller, &form).await?,
        heading: title,
        shell,
    };
    html_form(&errors, &page)
}

/// The usual tokens, then the tenant's own fields.
async fn tokens(app: &App, caller: &Caller) -> Result<Vec<TokenRow>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let own = sql::known_keys(&mut tx).await?;
    let usual = context::TOKENS.iter().map(|(name, about)| ((*name).to_owned(), (*about).to_owned()));
    let own = own.into_iter().filter(|key| !context::TOKENS.iter().any(|(name, _)| name == key)).take(24);
    let own = own.map(|key| (key, "Your own field".to_owned()));
    Ok(usual
        .chain(own)
        .map(|(name, about)| TokenRow { insert: words::insert(&name), name: words::label(&name), about })
        .collect())
}
