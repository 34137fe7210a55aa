//! What the pages of templates show.

use askama::Template;

use crate::web::{
    fields::Field,
    layout::Shell,
    parts::{Empty, Face, Moment, Pager, Tab},
};

/// A template in the list.
pub(super) struct TemplateRow {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) channel: &'static str,
    pub(super) icon: &'static str,
    pub(super) content: String,
    /// What it is used for by itself; empty for nothing.
    pub(super) used: &'static str,
    pub(super) changed: Moment,
}

#[derive(Template)]
#[template(path = "templates/list.html")]
pub(super) struct ListPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) search: String,
    pub(super) archived: bool,
    pub(super) rows: Vec<TemplateRow>,
    pub(super) pager: Pager,
    pub(super) empty: Option<Empty>,
}

/// A token that can be put into the text.
pub(super) struct TokenRow {
    pub(super) insert: String,
    pub(super) name: String,
    pub(super) about: String,
}

/// Somebody to look at the template for.
pub(super) struct PersonRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) reach: String,
    pub(super) face: Face,
    pub(super) chosen: bool,
}

/// The message as it would arrive.
#[derive(Template)]
#[template(path = "templates/preview.html")]
pub(super) struct PreviewPart {
    pub(super) text: String,
    pub(super) subject: String,
    /// "1 segment · 58 of 160 characters"; empty for other channels.
    pub(super) size: String,
    /// Why it takes more than it might: empty when it does not.
    pub(super) warning: String,
    pub(super) problems: Vec<String>,
    pub(super) example: bool,
}

#[derive(Template)]
#[template(path = "templates/people.html")]
pub(super) struct People {
    /// Nobody in particular is chosen.
    pub(super) nobody: bool,
    pub(super) people: Vec<PersonRow>,
}

#[derive(Template)]
#[template(path = "templates/edit.html")]
pub(super) struct EditPage {
    pub(super) shell: Shell,
    pub(super) heading: String,
    /// What is wrong as a whole; empty for nothing.
    pub(super) error: String,
    pub(super) action: String,
    pub(super) id: String,
    pub(super) is_new: bool,
    pub(super) archived: bool,
    /// What it is used for by itself; empty for nothing.
    pub(super) used: &'static str,
    pub(super) name: Field,
    pub(super) key: Field,
    pub(super) channel: Field,
    pub(super) subject: Field,
    pub(super) content: Field,
    pub(super) tokens: Vec<TokenRow>,
    /// Nobody in particular is chosen.
    pub(super) nobody: bool,
    pub(super) people: Vec<PersonRow>,
    pub(super) preview: PreviewPart,
}
