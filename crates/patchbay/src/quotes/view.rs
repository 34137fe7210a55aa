//! What the pages of quotes show.

use askama::Template;

use super::sheet::{Sheet, Standing};
use crate::{
    error::FieldErrors,
    web::{
        fields::Field,
        layout::{Bare, Shell},
        parts::{Empty, Face, Moment, Pager, Tab, Tag},
    },
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

/// A quote in the list.
pub(super) struct QuoteRow {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) face: Face,
    pub(super) contact: String,
    pub(super) title: String,
    pub(super) total: String,
    pub(super) tag: Tag,
    pub(super) changed: Moment,
}

#[derive(Template)]
#[template(path = "quotes/list.html")]
pub(super) struct ListPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) search: String,
    /// The state that is filtered by; empty for all.
    pub(super) status: &'static str,
    pub(super) live_src: String,
    pub(super) rows: Vec<QuoteRow>,
    pub(super) pager: Pager,
    pub(super) empty: Option<Empty>,
}

/// A message that told of a quote.
pub(super) struct MessageRow {
    pub(super) tag: Tag,
    /// Why it is where it is; empty when nothing holds it.
    pub(super) reason: String,
    pub(super) channel: &'static str,
    pub(super) to: String,
    /// Empty when it went by itself.
    pub(super) by: String,
    pub(super) at: Moment,
    pub(super) body: String,
}

/// Something that happened.
pub(super) struct EventRow {
    pub(super) icon: &'static str,
    pub(super) text: String,
    pub(super) at: Moment,
}

/// The part of a quote's page that is kept fresh.
#[derive(Template)]
#[template(path = "quotes/body.html")]
pub(super) struct QuoteBody {
    pub(super) shell: Shell,
    pub(super) id: String,
    pub(super) edit_href: String,
    pub(super) sheet: Sheet,
    pub(super) tag: Tag,
    pub(super) total: String,
    pub(super) contact: String,
    pub(super) contact_id: String,
    pub(super) contact_href: String,
    pub(super) conversation_href: String,
    pub(super) url: String,
    pub(super) created: String,
    pub(super) created_by: String,
    pub(super) good_until: String,
    pub(super) held: bool,
    pub(super) past: bool,
    pub(super) can_send: bool,
    pub(super) can_resend: bool,
    pub(super) can_edit: bool,
    pub(super) can_answer: bool,
    pub(super) can_reopen: bool,
    pub(super) messages: Vec<MessageRow>,
    pub(super) events: Vec<EventRow>,
}

#[derive(Template)]
#[template(path = "quotes/show.html")]
pub(super) struct ShowPage {
    pub(super) body: QuoteBody,
}

impl std::ops::Deref for ShowPage {
    type Target = QuoteBody;

    fn deref(&self) -> &QuoteBody {
        &self.body
    }
}

/// Somebody a quote can be for.
pub(super) struct PersonRow {
    pub(super) href: String,
    pub(super) face: Face,
    pub(super) name: String,
    pub(super) reach: String,
}

#[derive(Template)]
#[template(path = "quotes/pick.html")]
pub(super) struct PickPage {
    pub(super) shell: Shell,
    pub(super) search: String,
    pub(super) people: Vec<PersonRow>,
    pub(super) empty: Option<Empty>,
}

/// A line of the editor, as typed.
pub(super) struct LineRow {
    /// From 0.
    pub(super) row: usize,
    /// From 1, for people.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) quantity: String,
    pub(super) price: String,
    /// Empty while it cannot be read.
    pub(super) total: String,
    pub(super) name_error: String,
    pub(super) description_error: String,
    pub(super) quantity_error: String,
    pub(super) price_error: String,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    pub(super) focus: bool,
}

#[derive(Template)]
#[template(path = "quotes/edit.html")]
pub(super) struct EditPage {
    pub(super) shell: Shell,
    pub(super) heading: String,
    /// What is wrong as a whole; empty for nothing.
    pub(super) error: String,
    /// Who answered it while it was written; empty while it is open.
    pub(super) answered: String,
    pub(super) action: String,
    pub(super) back: String,
    /// Where lines are changed.
    pub(super) path: String,
    /// Whether saving can send it to the lead.
    pub(super) announces: bool,
    pub(super) is_new: bool,
    pub(super) hint: String,
    pub(super) contact_id: String,
    pub(super) person: PersonRow,
    pub(super) title: Field,
    pub(super) currency: Field,
    pub(super) discount: Field,
    pub(super) tax: Field,
    pub(super) expires_on: Field,
    pub(super) terms: Field,
    pub(super) lines: Vec<LineRow>,
    pub(super) sum: Vec<(String, String)>,
    pub(super) out_of_band: bool,
}

/// The lines alone, after one was added, moved or removed.
#[derive(Template)]
#[template(path = "quotes/lines.html")]
pub(super) struct Lines {
    pub(super) lines: Vec<LineRow>,
    pub(super) sum: Vec<(String, String)>,
    pub(super) out_of_band: bool,
    pub(super) path: String,
}

/// The sums alone, while somebody types.
#[derive(Template)]
#[template(path = "quotes/totals.html")]
pub(super) struct Totals {
    pub(super) lines: Vec<LineRow>,
    pub(super) sum: Vec<(String, String)>,
    pub(super) out_of_band: bool,
}
