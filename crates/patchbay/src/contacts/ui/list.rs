//! The list: searched, filtered, paged both ways; the state of all of it is in the address.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use uuid::Uuid;

use super::{
    facets::{self, Around},
    view::{ListPage, Results, ResultsFragment, Row},
    words,
};
use crate::{
    app::App,
    auth::{Caller, Session},
    contacts::{
        Contact,
        filter::{self, Filter, FilterQuery, href},
        input::Member,
        search::{self, Found, Slice},
        sql,
    },
    error::Result,
    web::{
        extract::Query,
        fields::Choice,
        layout::Place,
        moments::moment,
        pages::{html, wants_fragment},
        paging::{self, PageQuery},
        parts::{Empty, Face, Pager},
        shell::shell,
    },
};

const PER_PAGE: i64 = 50;
/// Sources offered as a filter.
const SOURCES: i64 = 40;
/// Labels shown in a row.
const LABELS: usize = 2;

/// `GET /contacts`.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    headers: HeaderMap,
    Query(query): Query<FilterQuery>,
) -> Result<Response> {
    let results = results(&app, &session, &caller, &query).await?;
    if wants_fragment(&headers) {
        return html(&ResultsFragment { results });
    }
    html(&ListPage { shell: shell(&app, &session, Place::Contacts, "Contacts").await?, results })
}

async fn results(app: &App, session: &Session, caller: &Caller, query: &FilterQuery) -> Result<Results> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let around = Around {
        words: filter::vocabulary(&mut tx).await?,
        members: sql::list_members(&mut tx).await?,
        sources: sql::list_sources(&mut tx, SOURCES).await?,
        imports: sql::name_imports(&mut tx, &query.imports()).await?,
        me: caller.actor.user_id(),
    };
    drop(tx);
    let filter = query.resolve(&around.words, around.me)?;
    let place = |cursor: &Option<String>| -> Result<Option<Uuid>> {
        PageQuery { limit: None, cursor: cursor.clone() }.after()
    };
    let (before, after) = (place(&query.before)?, place(&query.cursor)?);
    let slice = Slice { place: before.or(after), back: before.is_some(), limit: PER_PAGE };
    let (contacts, found) = search::list(app, caller.tenant.id, &filter, slice).await?;
    let pairs = query.pairs();
    let here = [("before", &query.before), ("cursor", &query.cursor)];
    let here = here.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
    let can_write = caller.role.can_write();
    Ok(Results {
        search: query.q.clone().unwrap_or_default(),
        chips: facets::chips(query, &around),
        facets: facets::facets(query, &around),
        rows: contacts.iter().map(|contact| row(app, caller, contact, &around.members)).collect(),
        pager: pager(&pairs, slice, &found),
        empty: contacts.is_empty().then(|| empty(&filter, can_write)),
        count: count(app, caller, &filter, slice, &found).await?,
        live_src: href("/contacts", &pairs.iter().cloned().chain(here).collect::<Vec<_>>()),
        export: href("/contacts/export", &pairs),
        segment: if can_write
            && !filter.archived
            && filter.imports.is_empty()
            && pairs.iter().any(|(name, _)| *name != "q")
        {
            href("/segments/new", &pairs)
        } else {
            String::new()
        },
        clear: "/contacts".to_owned(),
        can_write,
        archived: filter.archived,
        csrf: session.csrf.clone(),
        labels: around
            .words
            .labels
            .iter()
            .filter(|label| label.active)
            .map(|label| label.name.clone())
            .collect(),
        stages: around
            .words
            .stages
            .iter()
            .map(|stage| Choice::new(stage.id.to_string(), &stage.name, false))
            .collect(),
        members: around
            .members
            .iter()
            .map(|member| {
                (Face::of(member.id, &member.name), Choice::new(member.id.to_string(), &member.name, false))
            })
            .collect(),
    })
}

fn row(app: &App, caller: &Caller, contact: &Contact, members: &[Member]) -> Row {
    let name = words::name(caller, contact);
    let owner = contact.owner_id.and_then(|id| members.iter().find(|member| member.id == id));
    let last = contact.last_contacted_at.max(contact.last_replied_at);
    Row {
        id: contact.id.to_string(),
        href: format!("/contacts/{}", contact.id),
        face: Face::of(contact.id, &name),
        name,
        reach: words::reach(caller, contact),
        stage: contact.stage.clone().unwrap_or_default(),
        labels: contact.labels.iter().take(LABELS).cloned().collect(),
        more_labels: contact.labels.len().saturating_sub(LABELS),
        source: contact.source.clone().unwrap_or_default(),
        owner: owner.map(|member| (Face::of(member.id, &member.name), member.name.clone())),
        consent: words::consent(contact.consent_sms, contact.has_lapsed("sms", app.now())),
        last: last.map(|at| moment(at, app.now(), caller.tenant.timezone)),
    }
}

fn pager(pairs: &[(&'static str, String)], slice: Slice, found: &Found) -> Pager {
    let to = |name: &'static str, id: Option<&Uuid>| {
        let place = (name, paging::encode(id?));
        Some(href("/contacts", &pairs.iter().cloned().chain([place]).collect::<Vec<_>>()))
    };
    let has_newer = if slice.back { found.more } else { slice.place.is_some() };
    let has_older = slice.back || found.more;
    Pager {
        previous: to("before", found.ids.first().filter(|_| has_newer)),
        next: to("cursor", found.ids.last().filter(|_| has_older)),
        note: String::new(),
    }
}

/// How many there are, as far as that comes cheap.
async fn count(app: &App, caller: &Caller, filter: &Filter, slice: Slice, found: &Found) -> Result<String> {
    let total = match found.total {
        None if slice.place.is_none() && !found.more => i64::try_from(found.ids.len()).ok(),
        None => search::count(app, caller.tenant.id, filter).await?,
        total => total,
    };
    Ok(match total.and_then(|total| usize::try_from(total).ok()) {
        Some(total) => words::contacts(total),
        None if filter.is_empty() => "1,000+ contacts".to_owned(),
        None => String::new(),
    })
}

fn empty(filter: &Filter, can_write: bool) -> Empty {
    let actions = |label: &str, path: &str| vec![(label.to_owned(), path.to_owned())];
    if *filter == (Filter { archived: true, all_stages: filter.all_stages.clone(), ..Filter::default() }) {
        return Empty {
            icon: "archive",
            heading: "Nobody is archived".to_owned(),
            text: "Contacts that you archive leave all lists and rest here until they are restored."
                .to_owned(),
            actions: actions("Show all contacts", "/contacts"),
        };
    }
    if !filter.is_empty() {
        return Empty {
            icon: "search",
            heading: "Nobody matches".to_owned(),
            text: "Names, numbers, e-mail addresses and custom fields were searched. Try fewer letters or take a filter off."
                .to_owned(),
            actions: actions("Show all contacts", "/contacts"),
        };
    }
    Empty {
        icon: "users",
        heading: "No contacts yet".to_owned(),
        text: "Bring a spreadsheet, or add the first one here. Leads from your website, and whoever writes to your number, arrive by themselves."
            .to_owned(),
        actions: if can_write {
            [actions("Import a list", "/contacts/import"), actions("Add a contact", "/contacts/new")].concat()
        } else {
            Vec::new()
        },
    }
}
