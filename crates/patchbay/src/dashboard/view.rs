//! What the dashboard shows.

use askama::Template;

use crate::tenants::setup::Step;
use crate::web::{
    charts::{Breakdown, Columns},
    layout::Shell,
    parts::{Empty, Face, Moment, Pager, Tab, Tag},
};

/// A number with its list behind it.
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) amount: String,
    pub(super) note: String,
    pub(super) href: &'static str,
}

/// One bar of a ranking.
pub(super) struct BarRow {
    pub(super) label: String,
    pub(super) amount: String,
    /// In percent of the longest, for an SVG attribute.
    pub(super) width: String,
    pub(super) href: String,
}

/// Quotes in one state.
pub(super) struct QuoteLine {
    pub(super) tag: Tag,
    pub(super) href: String,
    pub(super) count: String,
    /// One per currency.
    pub(super) sums: Vec<String>,
}

#[derive(Template)]
#[template(path = "dashboard/page.html")]
pub(super) struct DashboardPage {
    pub(super) shell: Shell,
    /// The first steps of a new business, while nothing was sent.
    pub(super) setup: Vec<Step>,
    pub(super) figures: Vec<Figure>,
    pub(super) days: Columns,
    pub(super) sent_total: String,
    pub(super) messages: Option<Breakdown>,
    pub(super) sources: Vec<BarRow>,
    pub(super) quotes: Vec<QuoteLine>,
}

/// A message behind a number.
pub(super) struct MessageLine {
    pub(super) href: String,
    pub(super) face: Face,
    pub(super) who: String,
    pub(super) body: String,
    pub(super) tag: Tag,
    pub(super) why: String,
    pub(super) kind: String,
    pub(super) at: Moment,
}

#[derive(Template)]
#[template(path = "dashboard/messages.html")]
pub(super) struct MessagesPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) rows: Vec<MessageLine>,
    pub(super) pager: Pager,
    pub(super) empty: Option<Empty>,
}
