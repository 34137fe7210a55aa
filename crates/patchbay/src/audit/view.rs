//! What the audit log's page shows.

use askama::Template;

use crate::web::{
    fields::Field,
    layout::Shell,
    parts::{Empty, Moment, Pager, Tab},
};

#[derive(Template)]
#[template(path = "audit/log.html")]
pub(super) struct LogPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) entity: Field,
    pub(super) actor: Field,
    pub(super) rows: Vec<LogRow>,
    pub(super) empty: Empty,
    pub(super) pager: Pager,
}

pub(super) struct LogRow {
    pub(super) at: Moment,
    pub(super) actor: String,
    /// "API key", "Patchbay" …; empty for a person.
    pub(super) actor_kind: &'static str,
    /// "changed settings"
    pub(super) action: String,
    /// Field, before, after; at most a handful.
    pub(super) changes: Vec<(String, String, String)>,
    pub(super) more: usize,
    /// Where the thing is, if it has a page.
    pub(super) href: Option<String>,
}
