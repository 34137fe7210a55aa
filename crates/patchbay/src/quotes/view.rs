//! What the pages of quotes show.

use askama::Template;

use super::sheet::{Sheet, Standing};
use crate::{
    error::FieldErrors,
    web::{fields::Field, layout::Bare},
};

/// What a form on the public page said, when it has to be shown again.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) accepted: Option<bool>,
    pub(super) name: Option<String>,
    pub(super) note: Option<String>,
    pub(super) errors: FieldErrors,
    /// The business changed the quote meanwhile.
    pub(super) changed: bool,
}

#[derive(Template)]
#[template(path = "quotes/public.html")]
pub(super) struct PublicPage {
    pub(super) bare: Bare,
    pub(super) sheet: Sheet,
    pub(super) standing: Standing,
    pub(super) token: String,
    pub(super) edition: String,
    /// Which form stands open: accepting or declining.
    pub(super) open: Option<bool>,
    pub(super) changed: bool,
    pub(super) name: Field,
    pub(super) accept_note: Field,
    pub(super) reject_note: Field,
}

impl PublicPage {
    fn accepting(&self) -> bool {
        self.open == Some(true)
    }

    fn declining(&self) -> bool {
        self.open == Some(false)
    }
}

#[derive(Template)]
#[template(path = "quotes/gone.html")]
pub(super) struct GonePage {
    pub(super) bare: Bare,
    /// Too many tries, rather than a wrong one.
    pub(super) busy: bool,
}
