//! Conversations: the inbox's view of a contact's messages.

use chrono::{DateTime, Utc};
use patchbay_rules::message::{Channel, Kind};
use uuid::Uuid;

use super::{inbound::Inbound, sql::conversations as sql};
use crate::{db::TenantTx, error::Result};

/// What the list shows of a message: one line.
pub(super) fn preview(body: &str) -> String {
    let line: String = body.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 140 { line } else { line.chars().take(139).chain(['…']).collect() }
}

/// A message of ours goes into the conversation. Only a person's answer ends the wait of the contact.
pub(super) async fn note_outbound(tx: &mut TenantTx, contact: Uuid, channel: Channel, kind: Kind, body: &str, now: DateTime<Utc>) -> Result<()> {
    sql::note_outbound(tx, contact, channel, kind == Kind::Manual, &preview(body), now).await
}

/// A message to us: opens the conversation again, whatever it was.
pub(super) async fn note_inbound(tx: &mut TenantTx, contact: Uuid, channel: Channel, inbound: &Inbound, review: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let line = if inbound.body.trim().is_empty() { "Sent a picture or file".to_owned() } else { preview(&inbound.body) };
    sql::note_inbound(tx, contact, channel, &inbound.to, &line, review, now).await
}
