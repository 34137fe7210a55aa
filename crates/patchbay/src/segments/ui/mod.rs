//! The pages of segments: the list, and the builder with its live count.
//!
//! The builder is one form whose controls carry all of its state: each button posts it and gets it back changed, as a
//! page or, with a script, as a fragment.

mod draft;
mod lines;
mod operators;

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Change, Context, Filter, Segment, count, newest, sql,
    view::{Builder, CountPart, EditPage, ListPage, PersonRow, SegmentRow, UseRow},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{self, filter::FilterQuery},
    error::{Error, FieldErrors, Result},
    web::{
        extract::{Form, Path, Query},
        fields::{Field, NOT_SAVED},
        layout::Place,
        moments::moment,
        notice,
        pages::{html, html_with},
        paging::PageQuery,
        parts::{Empty, Face, Pager, Tag, Tone},
        shell::shell,
    },
};
use draft::Draft;
pub(super) use operators::money_of;

type Pairs = Vec<(String, String)>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    q: String,
    cursor: String,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let search = Some(query.q.trim()).filter(|q| !q.is_empty());
    let asked = PageQuery { limit: Some(20), cursor: Some(query.cursor.clone()) };
    let found = super::list(&app, &caller, search, &asked).await?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let context = Context::load(&mut tx, &app).await?;
    let ids: Vec<Uuid> = found.data.iter().map(|segment| segment.id).collect();
    let uses = sql::list_uses(&mut tx, &ids).await?;
    drop(tx);
    let shell = shell(&app, &session, Place::Segments, "Segments").await?;
    let rows = found.data.iter().map(|segment| {
        let used: Vec<&str> =
            uses.iter().filter(|(id, _)| *id == segment.id).map(|(_, used)| used.name.as_str()).collect();
        SegmentRow {
            id: segment.id.to_string(),
            name: segment.name.clone(),
            summary: words::summary(&segment.filter, &context),
            used: used.join(", "),
            changed: moment(segment.updated_at, context.now, context.timezone),
        }
    });
    html(&ListPage {
        rows: rows.collect(),
        pager: Pager {
            previous: (!query.cursor.is_empty()).then(|| address(&query.q, "")),
            next: found.next_cursor.as_deref().map(|cursor| address(&query.q, cursor)),
            note: String::new(),
        },
        empty: found.data.is_empty().then(|| empty(search.is_some(), shell.can_write)),
        search: query.q,
        shell,
    })
}

fn address(q: &str, cursor: &str) -> String {
    let pairs = [("q", q), ("cursor", cursor)].into_iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() { "/segments".to_owned() } else { format!("/segments?{query}") }
}

fn empty(searched: bool, can_write: bool) -> Empty {
    if searched {
        return Empty {
            icon: "search",
            heading: "No segment matches".to_owned(),
            text: "Try fewer letters.".to_owned(),
            actions: vec![("Show all segments".to_owned(), "/segments".to_owned())],
        };
    }
    Empty {
        icon: "filter",
        heading: "No segments yet".to_owned(),
        text: "A segment is a group of contacts described by what you know of them: leads from the web form who have not replied in a month, say. Campaigns go to segments.".to_owned(),
        actions: if can_write { vec![("Describe a segment".to_owned(), "/segments/new".to_owned())] } else { Vec::new() },
    }
}

/// A new segment; the query of a list of contacts may say whom it begins with.
pub(super) async fn new(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<FilterQuery>,
) -> Result<Response> {
    let context = context(&app, &caller).await?;
    let draft = match from_list(&query, caller.actor.user_id()) {
        Some(filter) => {
            Draft::of("", &Filter::parse(&filter).unwrap_or_else(|_| Filter::everybody()), &context)
        }
        None => Draft::new(),
    };
    show(&app, &session, &caller, &context, None, draft, Wrong::default()).await
}

/// What the list of contacts was filtered by, as far as a segment can say it.
fn from_list(query: &FilterQuery, me: Option<Uuid>) -> Option<Value> {
    let lists = [
        ("status", &query.status),
        ("stage", &query.stage),
        ("label", &query.label),
        ("source", &query.source),
    ];
    let mut parts: Vec<Value> = Vec::new();
    let owners =
        query.owner.iter().filter(|owner| !owner.trim().is_empty()).map(|owner| match (owner.as_str(), me) {
            ("none", _) => json!({ "field": "owner", "op": "exists", "value": false }),
            ("me", Some(me)) => json!({ "field": "owner", "op": "is", "value": me }),
            _ => json!({ "field": "owner", "op": "is", "value": owner }),
        });
    match owners.collect::<Vec<_>>().as_slice() {
        [] => {}
        [one] => parts.push(one.clone()),
        many => parts.push(json!({ "any": many })),
    }
    for (field, values) in lists {
        let given: Vec<&String> = values.iter().filter(|value| !value.trim().is_empty()).collect();
        match given.as_slice() {
            [] => {}
            [one] => parts.push(json!({ "field": field, "op": "is", "value": one })),
            many => parts.push(json!({ "field": field, "op": "in", "value": many })),
        }
    }
    for word in query.consent.iter().filter(|word| !word.trim().is_empty()) {
        let (channel, state) = word.split_once(':').unwrap_or(("sms", word));
        parts.push(json!({ "field": format!("consent.{channel}"), "op": "is", "value": state }));
    }
    (!parts.is_empty()).then(|| json!({ "all": parts }))
}

pub(super) async fn edit(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let segment = super::get(&mut tx, id).await?;
    let context = Context::load(&mut tx, &app).await?;
    drop(tx);
    let draft = Draft::of(&segment.name, &segment.filter, &context);
    // A name that has gone since is told at once.
    let wrong = match segment.filter.check(&context) {
        Err(Error::Invalid(errors)) => Wrong { errors, ..Wrong::default() },
        _ => Wrong::default(),
    };
    show(&app, &session, &caller, &context, Some(&segment), draft, wrong).await
}

pub(super) async fn create(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(pairs): Form<Pairs>,
) -> Result<Response> {
    let context = context(&app, &caller).await?;
    let draft = Draft::read(&pairs);
    match super::create(&app, &caller, &draft.name, &draft.filter(&context).0).await {
        Ok(segment) => Ok(notice::redirect(&app, &format!("/segments/{}", segment.id), "Segment saved")),
        Err(error) => {
            let wrong = Wrong::of(error)?;
            show(&app, &session, &caller, &context, None, draft, wrong).await
        }
    }
}

pub(super) async fn save(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Path(id): Path<Uuid>,
    Form(pairs): Form<Pairs>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let segment = super::get(&mut tx, id).await?;
    let context = Context::load(&mut tx, &app).await?;
    drop(tx);
    let draft = Draft::read(&pairs);
    let change = Change { name: Some(draft.name.clone()), filter: Some(draft.filter(&context).0) };
    match super::update(&app, &caller, id, change).await {
        Ok(_) => Ok(notice::redirect(&app, &format!("/segments/{id}"), "Segment saved")),
        Err(error) => {
            let wrong = Wrong::of(error)?;
            show(&app, &session, &caller, &context, Some(&segment), draft, wrong).await
        }
    }
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    match super::delete(&app, &caller, id).await {
        Ok(()) => Ok(notice::redirect(&app, "/segments", "Segment deleted")),
        Err(Error::Conflict { detail, .. }) => {
            Ok(notice::redirect(&app, &format!("/segments/{id}"), &detail))
        }
        Err(error) => Err(error),
    }
}

/// The builder after a change of its shape: a fragment, or the whole page without a script.
pub(super) async fn builder(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: axum::http::HeaderMap,
    Form(pairs): Form<Pairs>,
) -> Result<Response> {
    let context = context(&app, &caller).await?;
    let mut draft = Draft::read(&pairs);
    if let Some((_, wish)) = pairs.iter().find(|(name, _)| name == "do") {
        draft.change(wish);
    }
    if headers.contains_key("hx-request") {
        return html(&fragment(&app, &caller, &context, &draft, &FieldErrors::new()).await?);
    }
    let id = pairs.iter().find(|(name, _)| name == "id").and_then(|(_, id)| Uuid::parse_str(id).ok());
    let segment = match id {
        Some(id) => Some(super::get(&mut app.db.tenant(caller.tenant.id).await?, id).await?),
        None => None,
    };
    show(&app, &session, &caller, &context, segment.as_ref(), draft, Wrong::default()).await
}

/// How many the form means as it stands.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Form(pairs): Form<Pairs>,
) -> Result<Response> {
    let context = context(&app, &caller).await?;
    html(&counted(&app, &caller, &context, &Draft::read(&pairs)).await?)
}

/// How many a segment means, for its row in the list.
pub(super) async fn size(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let segment = super::get(&mut tx, id).await?;
    let context = Context::load(&mut tx, &app).await?;
    drop(tx);
    let text = match segment.filter.check(&context) {
        Ok(()) => {
            let count = count(&app, &segment.filter, &context).await?;
            format!("{}{}", if count.exact { "" } else { "about " }, grouped(count.count))
        }
        Err(_) => "needs a look".to_owned(),
    };
    Ok(axum::response::IntoResponse::into_response(axum::response::Html(text)))
}

/// Why a form comes back.
#[derive(Default)]
struct Wrong {
    errors: FieldErrors,
    refused: bool,
}

impl Wrong {
    fn of(error: Error) -> Result<Self> {
        Ok(Self { errors: error.at_field("name")?, refused: true })
    }
}

async fn show(
    app: &App,
    session: &Session,
    caller: &Caller,
    context: &Context,
    segment: Option<&Segment>,
    draft: Draft,
    wrong: Wrong,
) -> Result<Response> {
    let heading = segment.map_or_else(|| "New segment".to_owned(), |segment| segment.name.clone());
    let shell = shell(app, session, Place::Segments, &heading).await?;
    let mut name =
        Field::text("name", "Name").value(&draft.name).required().placeholder("Leads without a quote");
    if let Some(error) = wrong.errors.get("name") {
        name = name.error(error);
    }
    let page = EditPage {
        action: segment.map_or_else(|| "/segments".to_owned(), |segment| format!("/segments/{}", segment.id)),
        id: segment.map(|segment| segment.id.to_string()).unwrap_or_default(),
        is_new: segment.is_none(),
        error: if wrong.refused { NOT_SAVED.to_owned() } else { String::new() },
        builder: fragment(app, caller, context, &draft, &wrong.errors).await?,
        count: counted(app, caller, context, &draft).await?,
        uses: uses(app, caller, segment).await?,
        heading,
        name,
        shell,
    };
    html_with(if wrong.refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &page)
}

async fn uses(app: &App, caller: &Caller, segment: Option<&Segment>) -> Result<Vec<UseRow>> {
    let Some(segment) = segment else { return Ok(Vec::new()) };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let uses = sql::list_uses(&mut tx, &[segment.id]).await?;
    let row = |used: sql::Use| {
        let tone = match used.status.as_str() {
            "running" => Tone::Good,
            "scheduled" | "paused" => Tone::Wait,
            _ => Tone::Plain,
        };
        UseRow {
            href: format!("/campaigns/{}", used.campaign_id),
            name: used.name,
            tag: Tag::new(tone, "", lines::capital(&used.status)),
        }
    };
    Ok(uses.into_iter().map(|(_, used)| row(used)).collect())
}

async fn fragment(
    app: &App,
    caller: &Caller,
    context: &Context,
    draft: &Draft,
    errors: &FieldErrors,
) -> Result<Builder> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Ok(Builder {
        lines: lines::lines(draft, context, errors),
        sources: sql::list_sources(&mut tx).await?,
        can_write: caller.role.can_write(),
    })
}

async fn counted(app: &App, caller: &Caller, context: &Context, draft: &Draft) -> Result<CountPart> {
    let (filter, _) = draft.filter(context);
    let parsed = Filter::parse(&filter).and_then(|filter| filter.check(context).map(|()| filter));
    let Ok(filter) = parsed else {
        let note = "Complete the conditions, and the number appears here.".to_owned();
        return Ok(CountPart { amount: String::new(), exact: true, people: Vec::new(), note });
    };
    let found = match count(app, &filter, context).await {
        Err(Error::Conflict { detail, .. }) => {
            let note = detail.into_owned();
            return Ok(CountPart { amount: String::new(), exact: false, people: Vec::new(), note });
        }
        counted => counted?,
    };
    let ids = if found.count > 0 { newest(app, &filter, context, 5).await? } else { Vec::new() };
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let people = contacts::find_all(&mut tx, &ids).await?;
    let row = |contact: contacts::Contact| {
        let name = contact.display_name();
        let country = &context.country;
        let number = contact
            .phone_e164
            .as_deref()
            .map(|e164| patchbay_rules::phone::format_national_or_international(e164, country));
        PersonRow {
            href: format!("/contacts/{}", contact.id),
            reach: number.or(contact.email).filter(|reach| *reach != name).unwrap_or_default(),
            face: Face::of(contact.id, &name),
            name,
        }
    };
    Ok(CountPart {
        amount: grouped(found.count),
        exact: found.exact,
        people: people.into_iter().map(row).collect(),
        note: if found.count == 1 { "person" } else { "people" }.to_owned(),
    })
}

async fn context(app: &App, caller: &Caller) -> Result<Context> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    Context::load(&mut tx, app).await
}

/// With commas between thousands.
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}
