//! What the page of events shows.

use askama::Template;

use crate::web::{
    layout::Shell,
    parts::{Moment, Pager, Tab, Tag},
};

/// One event.
pub(super) struct EventRow {
    pub(super) id: String,
    pub(super) what: String,
    /// What was to follow from it.
    pub(super) meant: &'static str,
    pub(super) event_type: String,
    pub(super) tag: Tag,
    /// What went wrong in plain words; empty for nothing.
    pub(super) problem: &'static str,
    /// The exact words.
    pub(super) error: String,
    pub(super) tries: i32,
    pub(super) at: Moment,
    /// Where what it is about can be looked at; empty for nowhere.
    pub(super) href: String,
    pub(super) is_parked: bool,
}

#[derive(Template)]
#[template(path = "parked/page.html")]
pub(super) struct EventsPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) views: Vec<Tab>,
    pub(super) only_parked: bool,
    pub(super) live_src: String,
    pub(super) rows: Vec<EventRow>,
    pub(super) pager: Pager,
}
