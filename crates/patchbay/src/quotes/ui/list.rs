//! The list: filtered by state, searched, paged; the state of all of it is in the address.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;

use super::path_with;
use crate::{
    app::App,
    auth::{Caller, Session},
    error::Result,
    quotes::{
        self, Filter, Quote, Status,
        order::{self, Column, Order},
        view::{ListPage, QuoteRow},
        words,
    },
    web::{
        extract::Query,
        layout::Place,
        moments::moment,
        pages::html,
        paging::PageQuery,
        parts::{Empty, Face, Head, Pager, Tab},
        shell::shell,
    },
};

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(in crate::quotes) struct ListQuery {
    q: String,
    status: String,
    /// A column, with a minus for falling.
    sort: String,
    cursor: String,
}

impl ListQuery {
    fn filter(&self) -> Filter {
        // A status that is none, from an old bookmark, shows everything.
        Filter { status: self.status.parse().ok(), contact_id: None, search: Some(self.q.clone()) }
    }
}

/// The list as a file.
pub(in crate::quotes) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    quotes::export::export(app, &caller, query.filter()).await
}

pub(in crate::quotes) async fn page(
    State(app): State<Arc<App>>,
    session: Session,
    caller: Caller,
    Query(query): Query<ListQuery>,
    _headers: HeaderMap,
) -> Result<Response> {
    let filter = query.filter();
    let status = filter.status;
    let order = Order::parse(&query.sort);
    let asked = PageQuery { limit: Some(50), cursor: Some(query.cursor.clone()) };
    let searches = !query.q.trim().is_empty();
    let found = if searches {
        quotes::list(&app, &caller, &filter, &asked).await?
    } else {
        order::list(&app, &caller, status, order, &asked).await?
    };
    let now = app.now();
    let shell = shell(&app, &session, Place::Quotes, "Quotes").await?;
    let filtered = status.is_some() || searches;
    let sort = order.word();
    let here = [("q", query.q.as_str()), ("status", &query.status), ("sort", &sort)];
    let at = |cursor: &str| path_with("/quotes", &[here[0], here[1], here[2], ("cursor", cursor)]);
    let page = ListPage {
        tabs: tabs(&query, status),
        live_src: at(&query.cursor),
        export: path_with("/quotes/export", &[("q", &query.q), ("status", &query.status)]),
        number: head("Number", Column::Number, order, &query),
        total: head("Total", Column::Total, order, &query),
        changed: head("Last change", Column::Changed, order, &query),
        rows: found.data.iter().map(|quote| row(quote, &caller, now)).collect(),
        pager: Pager {
            previous: (!query.cursor.is_empty()).then(|| path_with("/quotes", &here)),
            next: found.next_cursor.as_deref().map(at),
            note: if searches { "Newest first".to_owned() } else { String::new() },
        },
        empty: found.data.is_empty().then(|| empty(filtered, shell.can_write)),
        status: status.map(Status::as_str).unwrap_or_default(),
        sort: order.word(),
        search: query.q,
        shell,
    };
    html(&page)
}

fn tabs(query: &ListQuery, status: Option<Status>) -> Vec<Tab> {
    let tab = |label: &str, value: &str, current: bool| {
        let sort = Order::parse(&query.sort).word();
        Tab::new(label, path_with("/quotes", &[("q", &query.q), ("status", value), ("sort", &sort)]), current)
    };
    let all = std::iter::once(tab("All", "", status.is_none()));
    all.chain(Status::ALL.into_iter().map(|each| tab(each.word(), each.as_str(), status == Some(each))))
        .collect()
}

/// The head of a column: a link to its order, except over what a search found.
fn head(label: &'static str, column: Column, order: Order, query: &ListQuery) -> Head {
    if !query.q.trim().is_empty() {
        return Head::plain(label);
    }
    let sort = order.choosing(column).word();
    let href = path_with("/quotes", &[("status", &query.status), ("sort", &sort)]);
    Head::sorting(label, href, (order.column == column).then_some(order.rising))
}

fn row(quote: &Quote, caller: &Caller, now: chrono::DateTime<chrono::Utc>) -> QuoteRow {
    let zone = caller.tenant.timezone;
    let contact = quote.contact_called(&caller.tenant.country);
    QuoteRow {
        href: format!("/quotes/{}", quote.id),
        number: quote.number.to_string(),
        face: Face::of(quote.contact_id, &quote.contact_name),
        contact,
        title: quote
            .title
            .clone()
            .or_else(|| quote.items.first().map(|item| item.name.clone()))
            .unwrap_or_default(),
        total: words::total(quote),
        tag: words::tag(quote, now, zone),
        changed: moment(quote.changed_at(), now, zone),
    }
}

fn empty(filtered: bool, can_write: bool) -> Empty {
    if filtered {
        return Empty {
            icon: "search",
            heading: "No quote matches".to_owned(),
            text: "Try fewer letters, the quote's number, or another state.".to_owned(),
            actions: vec![("Show all quotes".to_owned(), "/quotes".to_owned())],
        };
    }
    let actions =
        if can_write { vec![("Write a quote".to_owned(), "/quotes/new".to_owned())] } else { Vec::new() };
    Empty {
        icon: "file-text",
        heading: "No quotes yet".to_owned(),
        text: "A quote texts itself: write one here, or let your website insert it, and the lead gets a link to say yes."
            .to_owned(),
        actions,
    }
}
