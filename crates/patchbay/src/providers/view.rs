//! What Settings → Sending shows.

use askama::Template;

use crate::web::{
    fields::Field,
    layout::Shell,
    parts::{Moment, Tab, Tag},
};

#[derive(Template)]
#[template(path = "providers/sending.html")]
pub(super) struct SendingPage {
    pub(super) shell: Shell,
    pub(super) tabs: Vec<Tab>,
    pub(super) error: String,
    pub(super) is_stopped: bool,
    pub(super) senders: Vec<SenderRow>,
    pub(super) sender_fields: Vec<Field>,
    /// Whether the form for a new sender is open: it has errors, or there is none yet.
    pub(super) adds_sender: bool,
    pub(super) accounts: Vec<AccountRow>,
    pub(super) account_fields: Vec<Field>,
    pub(super) adds_account: bool,
    /// Where the carrier is told to send messages and receipts: label, address.
    pub(super) webhooks: Vec<(&'static str, String)>,
    pub(super) quiet: Vec<Field>,
    pub(super) quiet_rules: Vec<Field>,
    pub(super) budget: Vec<Field>,
    pub(super) prices: Field,
    pub(super) limits: Vec<Field>,
    pub(super) brake: Vec<Field>,
}

pub(super) struct SenderRow {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) label: String,
    pub(super) channel: &'static str,
    pub(super) carrier: &'static str,
    /// "57 of 100 today"
    pub(super) today: String,
    pub(super) warm_up: Option<Tag>,
    pub(super) is_warming: bool,
    pub(super) is_default: bool,
    /// Of a sender name: whether it is registered, where names must be.
    pub(super) registered: Option<bool>,
}

pub(super) struct AccountRow {
    pub(super) id: String,
    pub(super) sid: String,
    pub(super) detail: String,
    pub(super) state: Tag,
    pub(super) changed: Moment,
}
