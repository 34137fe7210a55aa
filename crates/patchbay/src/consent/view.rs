//! What the do-not-contact page shows. Text arrives formatted.

use askama::Template;

use crate::web::{
    fields::Field,
    layout::Shell,
    parts::{Empty, Moment, Pager},
};

/// A listed number.
pub struct ListedRow {
    pub id: String,
    pub phone: String,
    pub reason: String,
    /// "Replied STOP", "Added by Rosa", "Imported by Rosa".
    pub how: String,
    pub at: Moment,
}

/// The list.
#[derive(Template)]
#[template(path = "consent/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub search: String,
    pub rows: Vec<ListedRow>,
    pub empty: Option<Empty>,
    pub pager: Pager,
    pub fields: Vec<Field>,
    pub adds: bool,
}
