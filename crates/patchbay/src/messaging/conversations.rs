//! Conversations: the inbox's view of a contact's messages, and what members do with it.
//!
//! Promises: a conversation that somebody writes to opens again, whatever it was; every action by a person is on
//! the audit log, and those that others should see in passing are on the contact's timeline too. The conversation's id is its contact's id. Does not: send (see [`super::compose`]).

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_rules::message::{Channel, Kind};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    inbound::Inbound,
    sql::{
        conversations as messages,
        inbox::{self as sql, StateRow},
    },
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    consent::{self, Change, State},
    contacts::{self, Contact},
    db::TenantTx,
    error::{Error, Result},
};

/// What the list shows of a message: one line.
pub(crate) fn preview(body: &str) -> String {
    let line: String = body.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 140 { line } else { line.chars().take(139).chain(['…']).collect() }
}

/// A message of ours goes into the conversation. Only a person's answer ends the wait of the contact.
pub(super) async fn note_outbound(
    tx: &mut TenantTx,
    contact: Uuid,
    channel: Channel,
    kind: Kind,
    body: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    messages::note_outbound(tx, contact, channel, kind == Kind::Manual, &preview(body), now).await
}

/// A message to us: opens the conversation again, whatever it was.
pub(super) async fn note_inbound(
    tx: &mut TenantTx,
    contact: Uuid,
    channel: Channel,
    inbound: &Inbound,
    review: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let line = if inbound.body.trim().is_empty() {
        "Sent a picture or file".to_owned()
    } else {
        preview(&inbound.body)
    };
    messages::note_inbound(tx, contact, channel, &inbound.to, &line, review, now).await
}

/// A conversation under a member's hands: the contact exists, the row is locked.
struct Held {
    tx: TenantTx,
    contact: Contact,
    state: StateRow,
    now: DateTime<Utc>,
}

async fn hold(app: &App, caller: &Caller, contact: Uuid) -> Result<Held> {
    caller.need(Role::Member)?;
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let contact = contacts::find(&mut tx, contact).await?.ok_or(Error::NotFound("conversation"))?;
    let state = sql::lock(&mut tx, contact.id, now).await?;
    Ok(Held { tx, contact, state, now })
}

impl Held {
    /// Writes the audit log, and with `kind` the timeline; then makes it lasting.
    async fn finish(
        mut self,
        caller: &Caller,
        action: &'static str,
        changes: &Value,
        activity: Option<&str>,
    ) -> Result<Contact> {
        let entry = audit::Entry {
            action,
            kind: audit::Kind::Conversation,
            entity_id: Some(self.contact.id.to_string()),
            changes,
        };
        audit::record(&mut self.tx, &caller.actor, entry).await?;
        if let Some(kind) = activity {
            contacts::activity(&mut self.tx, self.contact.id, kind, changes, Some(&caller.actor.label))
                .await?;
        }
        self.tx.commit().await?;
        Ok(self.contact)
    }
}

/// Gives the conversation to a member, or to nobody.
pub async fn assign(app: &App, caller: &Caller, contact: Uuid, assignee: Option<Uuid>) -> Result<Contact> {
    let mut held = hold(app, caller, contact).await?;
    let members = sql::members(&mut held.tx).await?;
    let label = match assignee {
        None => None,
        Some(id) => {
            let member = members.iter().find(|member| member.user_id == id);
            let member = member.ok_or_else(|| {
                Error::field("assignee_id", "This person is not a member of this business.")
            })?;
            if member.role == Role::Viewer.as_str() {
                return Err(Error::field("assignee_id", format!("{} may only read along.", member.label())));
            }
            Some(member.label().to_owned())
        }
    };
    if held.state.assignee_id == assignee {
        return Ok(held.contact);
    }
    sql::set_assignee(&mut held.tx, contact, assignee, held.now).await?;
    let changes = json!({ "assignee_id": [held.state.assignee_id, assignee], "assignee": label });
    held.finish(caller, "conversation.assigned", &changes, Some("conversation.assigned")).await
}

/// Takes the conversation out of the inbox until `until`, or until somebody writes.
pub async fn snooze(app: &App, caller: &Caller, contact: Uuid, until: DateTime<Utc>) -> Result<Contact> {
    let now = app.now();
    if until <= now {
        return Err(Error::field("snoozed_until", "This moment has passed. Choose a later one."));
    }
    if until > now + TimeDelta::days(366) {
        return Err(Error::field("snoozed_until", "Choose a moment within a year."));
    }
    let mut held = hold(app, caller, contact).await?;
    sql::set_status(&mut held.tx, contact, "snoozed", Some(until), held.now).await?;
    sql::mark_read(&mut held.tx, contact, held.now).await?;
    let changes = json!({ "status": [held.state.status, "snoozed"], "snoozed_until": [held.state.snoozed_until, until] });
    held.finish(caller, "conversation.snoozed", &changes, None).await
}

/// Nothing is left to do here until somebody writes.
pub async fn done(app: &App, caller: &Caller, contact: Uuid) -> Result<Contact> {
    set_status(app, caller, contact, "done", "conversation.done").await
}

/// Back into the inbox.
pub async fn reopen(app: &App, caller: &Caller, contact: Uuid) -> Result<Contact> {
    set_status(app, caller, contact, "open", "conversation.reopened").await
}

async fn set_status(
    app: &App,
    caller: &Caller,
    contact: Uuid,
    status: &str,
    action: &'static str,
) -> Result<Contact> {
    let mut held = hold(app, caller, contact).await?;
    if held.state.status == status {
        return Ok(held.contact);
    }
    sql::set_status(&mut held.tx, contact, status, None, held.now).await?;
    let changes = json!({ "status": [held.state.status, status] });
    held.finish(caller, action, &changes, Some(action)).await
}

/// Somebody has seen everything. A viewer's looking changes nothing for the others.
pub async fn mark_read(app: &App, caller: &Caller, contact: Uuid) -> Result<()> {
    if !caller.role.can_write() {
        return Ok(());
    }
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    contacts::find(&mut tx, contact).await?.ok_or(Error::NotFound("conversation"))?;
    sql::mark_read(&mut tx, contact, app.now()).await?;
    tx.commit().await
}

/// Wants to be looked at again.
pub async fn mark_unread(app: &App, caller: &Caller, contact: Uuid) -> Result<Contact> {
    let mut held = hold(app, caller, contact).await?;
    sql::mark_unread(&mut held.tx, contact, held.now).await?;
    held.tx.commit().await?;
    Ok(held.contact)
}

/// Decides what a machine was not sure of: whether the contact's words were an opt-out.
pub async fn review(app: &App, caller: &Caller, contact: Uuid, opted_out: bool) -> Result<Contact> {
    let mut held = hold(app, caller, contact).await?;
    let Some(why) = held.state.needs_review.clone() else { return Ok(held.contact) };
    let channel: Channel =
        held.state.reply_channel.as_deref().and_then(|word| word.parse().ok()).unwrap_or(Channel::Sms);
    let address =
        if channel == Channel::Email { held.contact.email.clone() } else { held.contact.phone_e164.clone() };
    if let Some(address) = &address {
        let evidence = json!({ "review": why });
        let actor_label = Some(caller.actor.label.as_str());
        if opted_out {
            let change = Change {
                actor_label,
                evidence,
                ..Change::new(channel, address, State::Unsubscribed, "phrase", held.now)
            };
            consent::set(&mut held.tx, &change).await?;
            messages::block_queued(&mut held.tx, address, held.now).await?;
        } else {
            let change = Change {
                actor_label,
                evidence,
                ..Change::new(channel, address, State::Unknown, "admin", held.now)
            };
            consent::retract(&mut held.tx, &change).await?;
        }
    }
    sql::clear_review(&mut held.tx, contact, held.now).await?;
    let changes = json!({ "needs_review": [why, null], "opted_out": opted_out });
    held.finish(caller, "conversation.reviewed", &changes, None).await
}
