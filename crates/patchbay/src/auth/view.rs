//! What the pages for signing in, the account and API keys show.

use askama::Template;

use crate::web::{
    fields::Field,
    layout::{Bare, Shell},
    parts::{Empty, Moment, Tab, Tag},
};

#[derive(Template)]
#[template(path = "auth/sign_in.html")]
pub(super) struct SignInPage {
    pub(super) bare: Bare,
    /// What is wrong as a whole; empty for nothing.
    pub(super) error: String,
    pub(super) email: Field,
    /// Where to go afterwards; empty for the inbox.
    pub(super) next: String,
}

#[derive(Template)]
#[template(path = "auth/sent.html")]
pub(super) struct SentPage {
    pub(super) bare: Bare,
    pub(super) email: String,
    pub(super) code: Field,
}

#[derive(Template)]
#[template(path = "auth/link.html")]
pub(super) struct LinkPage {
    pub(super) bare: Bare,
    pub(super) state: LinkState,
}

pub(super) enum LinkState {
    Ready {
        email: String,
        at_once: bool,
    },
    /// The digits, in two groups.
    Elsewhere {
        code: String,
    },
    Gone,
}

/// For a person who belongs to no tenant.
#[derive(Template)]
#[template(path = "auth/alone.html")]
pub(super) struct AlonePage {
    pub(super) bare: Bare,
    pub(super) email: String,
    pub(super) invitations: Vec<Invited>,
}

/// A business that waits for the person to join.
pub(super) struct Invited {
    pub(super) tenant: String,
    pub(super) role: String,
}

#[derive(Template)]
#[template(path = "auth/account.html")]
pub(super) struct AccountPage {
    pub(super) shell: Shell,
    pub(super) invitations: Vec<Invited>,
    pub(super) name: Field,
    pub(super) sessions: Vec<SessionRow>,
    pub(super) this_tag: Tag,
}

pub(super) struct SessionRow {
    pub(super) id: String,
    pub(super) browser: String,
    pub(super) ip: String,
    pub(super) since: Moment,
    pub(super) seen: Moment,
    pub(super) is_this: bool,
}

#[derive(Template)]
#[template(path = "auth/keys.html")]
pub(super) struct KeysPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    /// The key just made: the only time it is shown.
    pub(super) made: Option<MadeKey>,
    pub(super) name: Field,
    pub(super) scope: Field,
    pub(super) keys: Vec<KeyRow>,
    pub(super) empty: Empty,
}

pub(super) struct MadeKey {
    pub(super) name: String,
    pub(super) key: String,
}

pub(super) struct KeyRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) scope: &'static str,
    pub(super) made: Moment,
    pub(super) used: Option<Moment>,
}
