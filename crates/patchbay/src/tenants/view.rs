//! What the settings pages show.

use askama::Template;

use crate::web::{
    fields::{Choice, Field},
    layout::Shell,
    parts::{Face, Moment, Tab},
};

#[derive(Template)]
#[template(path = "tenants/business.html")]
pub(super) struct BusinessPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) error: String,
    pub(super) identity: Vec<Field>,
    pub(super) place: Vec<Field>,
    pub(super) texts: Vec<Field>,
    pub(super) retention: Vec<Field>,
    pub(super) slug: String,
}

#[derive(Template)]
#[template(path = "tenants/members.html")]
pub(super) struct MembersPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) members: Vec<MemberRow>,
    pub(super) invitations: Vec<InvitationRow>,
    pub(super) email: Field,
    pub(super) role: Field,
}

pub(super) struct MemberRow {
    pub(super) id: String,
    pub(super) face: Face,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) is_self: bool,
    pub(super) role: &'static str,
    /// The roles that this viewer may give; empty when nothing may be changed.
    pub(super) choices: Vec<Choice>,
}

pub(super) struct InvitationRow {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) role: &'static str,
    pub(super) invited: Moment,
    pub(super) is_expired: bool,
}
