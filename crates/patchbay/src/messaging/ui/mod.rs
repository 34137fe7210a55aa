//! The inbox on the screen: handlers that call an operation and render what is there afterwards.
//!
//! A page and its fragments come from the same view structs. Every action works as a plain form (then it redirects)
//! and through htmx (then it answers with the conversation as it is now, or, where the conversation leaves the list,
//! with nothing and a toast that offers to take it back).

mod actions;
mod begin;
mod composer;
mod list;
mod page;
mod palette;
mod panel;
mod thread;
mod why;
mod words;

use axum::http::{HeaderMap, header};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::inbox::View;
use crate::{
    app::App,
    auth::{Caller, Role, Session},
    web::routes::{Access, Routes},
};

pub(super) fn routes(routes: Routes) -> Routes {
    let (viewer, member) = (Access::Page(Role::Viewer), Access::Page(Role::Member));
    routes
        .get("/inbox", viewer, list::inbox)
        .get("/inbox/list", viewer, list::fragment)
        .get("/counts", viewer, list::counts)
        .get("/palette", viewer, palette::find)
        .get("/conversations/new", member, begin::page)
        .post("/conversations/new", member, begin::begin)
        .get("/conversations/{id}", viewer, page::conversation)
        .post("/conversations/{id}/messages", member, actions::send)
        .post("/conversations/{id}/notes", member, actions::add_note)
        .post("/conversations/{id}/notes/{note}", member, actions::edit_note)
        .post("/conversations/{id}/notes/{note}/delete", member, actions::delete_note)
        .post("/conversations/{id}/assign", member, actions::assign)
        .post("/conversations/{id}/snooze", member, actions::snooze)
        .post("/conversations/{id}/done", member, actions::done)
        .post("/conversations/{id}/reopen", member, actions::reopen)
        .post("/conversations/{id}/read", viewer, actions::read)
        .post("/conversations/{id}/unread", member, actions::unread)
        .post("/conversations/{id}/review", member, actions::review)
        .post("/messages/{id}/cancel", member, actions::cancel)
        .post("/messages/{id}/retry", member, actions::retry)
        .post("/messages/{id}/send-now", member, actions::send_now)
        .get("/messages/{id}/why", viewer, why::page)
        .post("/compose/estimate", member, composer::estimate)
}

/// Who looks, from where and when: what all views are formatted for.
struct Look<'a> {
    app: &'a App,
    caller: &'a Caller,
    csrf: &'a str,
    /// The view of the list that the conversation was opened from.
    view: View,
    now: DateTime<Utc>,
}

impl<'a> Look<'a> {
    fn new(app: &'a App, caller: &'a Caller, session: &'a Session, view: View) -> Self {
        Self { app, caller, csrf: &session.csrf, view, now: app.now() }
    }

    fn zone(&self) -> Tz {
        self.caller.tenant.timezone
    }

    fn can_write(&self) -> bool {
        self.caller.role.can_write()
    }
}

/// Where a conversation is.
fn path(contact: Uuid, view: View) -> String {
    format!("/conversations/{contact}?view={}", view.as_str())
}

/// The view of the page from which a form was posted, so that the way back stays the same.
fn view_of(headers: &HeaderMap) -> View {
    let from = headers
        .get("hx-current-url")
        .or_else(|| headers.get(header::REFERER))
        .and_then(|value| value.to_str().ok());
    let query = from
        .and_then(|url| url.split_once('?'))
        .map_or("", |(_, query)| query.split('#').next().unwrap_or_default());
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "view").and_then(|(_, word)| word.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_where_one_came_from() {
        let from = |url: &str| view_of(&HeaderMap::from_iter([(header::REFERER, url.parse().unwrap())]));
        assert_eq!(from("https://crm.example.com/conversations/1?view=mine&x=y#m-1"), View::Mine);
        assert_eq!(from("https://crm.example.com/conversations/1?view=nonsense"), View::Open);
        assert_eq!(view_of(&HeaderMap::new()), View::Open);
    }
}
