//! What visitors see.

use askama::Template;

use crate::web::layout::Bare;

/// A link that leads nowhere, for whatever reason.
#[derive(Template)]
#[template(path = "links/neutral.html")]
pub(super) struct NeutralPage {
    pub(super) bare: Bare,
}

/// The page behind an opt-out link.
#[derive(Template)]
#[template(path = "links/opt_out.html")]
pub(super) struct OptOutPage {
    pub(super) bare: Bare,
    /// Where the button leads.
    pub(super) action: String,
    pub(super) business: String,
    /// The address in question, masked; may be empty.
    pub(super) whom: String,
    /// How to reach the business; may be empty.
    pub(super) support: String,
    /// Nothing more will be sent.
    pub(super) done: bool,
}
