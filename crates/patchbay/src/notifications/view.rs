//! What the notifications page shows.

use askama::Template;

use crate::web::{
    fields::Field,
    layout::Shell,
    parts::{Pager, Tab},
};

/// One rule.
pub(super) struct RuleRow {
    pub(super) id: String,
    pub(super) event: String,
    pub(super) way: &'static str,
    pub(super) icon: &'static str,
    pub(super) target: String,
    pub(super) active: bool,
}

#[derive(Template)]
#[template(path = "notifications/page.html")]
pub(super) struct RulesPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) rules: Vec<RuleRow>,
    pub(super) pager: Pager,
    /// What is wrong with the form as a whole; empty for nothing.
    pub(super) error: String,
    pub(super) event_type: Field,
    pub(super) channel: Field,
    pub(super) target: Field,
}
