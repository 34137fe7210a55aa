//! The do-not-contact page.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use patchbay_rules::phone;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    api::Listed,
    listing,
    view::{ListPage, ListedRow},
};
use crate::{
    app::App,
    auth::{Caller, Role, Session},
    error::{Error, FieldErrors, Result},
    imports,
    web::{
        extract::{Form, Path, Query},
        fields::Field,
        layout::Place,
        moments::moment,
        notice,
        pages::html_form,
        paging::PageQuery,
        parts::{Empty, Pager},
        routes::{Access, Routes},
        shell::shell,
    },
};

const HERE: &str = "/do-not-contact";

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get("/do-not-contact", Access::Page(Role::Viewer), page)
        .post("/do-not-contact", Access::Page(Role::Member), add)
        .get("/do-not-contact/export", Access::Page(Role::Member), export)
        .post("/do-not-contact/{id}/remove", Access::Page(Role::Admin), remove)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ListQuery {
    q: String,
    cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AddForm {
    phone: String,
    reason: String,
}

async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    show(&app, &session, &caller, query, AddForm::default(), FieldErrors::new()).await
}

async fn show(
    app: &Arc<App>,
    session: &Session,
    caller: &Caller,
    query: ListQuery,
    typed: AddForm,
    errors: FieldErrors,
) -> Result<Response> {
    let asked = PageQuery { limit: Some(50), cursor: query.cursor.clone() };
    let found = listing::list(app, caller, None, query.q.trim(), &asked).await?;
    let (now, zone) = (app.now(), caller.tenant.timezone);
    let row = |listed: &Listed| ListedRow {
        id: listed.id.to_string(),
        phone: phone::format_national_or_international(&listed.phone, &caller.tenant.country),
        reason: listed.reason.clone(),
        how: how(listed),
        at: moment(listed.created_at, now, zone),
    };
    let error = |name: &'static str| errors.get(name).cloned().unwrap_or_default();
    let encoded: String = form_urlencoded::byte_serialize(query.q.as_bytes()).collect();
    let first = if query.q.is_empty() { HERE.to_owned() } else { format!("{HERE}?q={encoded}") };
    let sign = if query.q.is_empty() { '?' } else { '&' };
    let page = ListPage {
        shell: shell(app, session, Place::Contacts, "Do not contact").await?,
        rows: found.data.iter().map(row).collect(),
        empty: found.data.is_empty().then(|| empty(!query.q.trim().is_empty())),
        pager: Pager {
            previous: query.cursor.is_some().then(|| first.clone()),
            next: found.next_cursor.map(|cursor| format!("{first}{sign}cursor={cursor}")),
            note: String::new(),
        },
        fields: vec![
            Field::tel("phone", "Phone number").value(typed.phone).error(error("phone")).required(),
            Field::text("reason", "Reason")
                .value(typed.reason)
                .error(error("reason"))
                .hint("What they said, and where."),
        ],
        adds: !errors.is_empty(),
        search: query.q,
    };
    html_form(&errors, &page)
}

/// Who or what put a number there.
fn how(listed: &Listed) -> String {
    let by = |verb: &str| match &listed.added_by {
        Some(name) => format!("{verb} by {name}"),
        None => verb.to_owned(),
    };
    match listed.source.as_str() {
        "keyword" => "Their own reply".to_owned(),
        "phrase" => "Read into their reply".to_owned(),
        "link" => "Their own click".to_owned(),
        "carrier" => "Told by the carrier".to_owned(),
        "complaint" => "A complaint".to_owned(),
        "import" => by("Imported"),
        _ => by("Added"),
    }
}

fn empty(searched: bool) -> Empty {
    if searched {
        return Empty {
            icon: "search",
            heading: "No such number".to_owned(),
            text: "Try fewer digits, or a word of the reason.".to_owned(),
            actions: vec![("Show all".to_owned(), HERE.to_owned())],
        };
    }
    Empty {
        icon: "shield-check",
        heading: "Nobody is on the list".to_owned(),
        text: "Whoever replies STOP comes here by themselves. Add a number when somebody asks by phone, or import a list."
            .to_owned(),
        actions: Vec::new(),
    }
}

async fn add(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Form(typed): Form<AddForm>,
) -> Result<Response> {
    let errors = match listing::add(&app, &caller, &typed.phone, Some(&typed.reason)).await {
        Ok(_) => return Ok(notice::redirect(&app, HERE, "Listed. Nothing goes to this number any more.")),
        Err(error) => error.at_field("phone")?,
    };
    show(&app, &session, &caller, ListQuery::default(), typed, errors).await
}

async fn remove(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    listing::remove(&app, &caller, Some(id), None).await?;
    let said = "Off the list. Whoever opted out themselves stays opted out until they reply START.";
    Ok(notice::redirect(&app, HERE, said))
}

/// The whole list as CSV, streamed.
async fn export(State(app): State<Arc<App>>, caller: Caller) -> Result<Response> {
    let head = ["phone", "reason", "source", "added_by", "created_at"].map(str::to_owned);
    let first = stream::iter([Ok::<_, Error>(Bytes::from(imports::line(&head)))]);
    let rest = stream::unfold(Some(None::<String>), move |cursor| {
        let (app, caller) = (app.clone(), caller.clone());
        async move {
            let asked = PageQuery { limit: Some(200), cursor: cursor? };
            match listing::list(&app, &caller, None, "", &asked).await {
                Ok(page) => {
                    let next = page.next_cursor.map(Some);
                    let lines: String = page.data.into_iter().map(exported).collect();
                    Some((Ok(Bytes::from(lines)), next))
                }
                Err(error) => Some((Err(error), None)),
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"do-not-contact.csv\""),
        ),
    ];
    Ok((headers, Body::from_stream(first.chain(rest).fuse())).into_response())
}

fn exported(listed: Listed) -> String {
    imports::line(&[
        listed.phone,
        listed.reason,
        listed.source,
        listed.added_by.unwrap_or_default(),
        listed.created_at.to_rfc3339(),
    ])
}
