//! Notification rules: who in the business is told of what, which way.
//!
//! Promises: a notification is a message of the ledger like any other, sent once per rule and event; a storm of events
//! becomes few messages; a campaign that stopped itself, or a carrier that refuses the account, is told to somebody, rule or no rule. Does not: write to contacts, or answer to quiet hours (a member chose to be told).

mod api;
pub mod jobs;
mod sql;
#[cfg(test)]
mod tests;
mod ui;
mod view;
mod words;

use chrono::{DateTime, Utc};
use patchbay_rules::{message::Channel, phone};
use serde_json::json;
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Caller, Role},
    db::TenantTx,
    error::{Error, Result},
    providers::holds::HELD,
    web::{
        paging::{Page, PageQuery},
        routes::{Access, Routes},
    },
};

pub use api::Doc;

/// What somebody can be told of: the event's name, and the words for it.
pub const EVENTS: [(&str, &str); 8] = [
    ("lead.created", "A new lead"),
    ("message.received", "A message from a contact"),
    ("quote.viewed", "A quote is opened"),
    ("quote.accepted", "A quote is accepted"),
    ("quote.rejected", "A quote is declined"),
    ("quote.expired", "A quote expires"),
    (CAMPAIGN_PAUSED, "A campaign pauses itself"),
    (HELD, "The carrier refuses an account or a number"),
];

/// Where no rule was ever made for this one, the owners are told by e-mail: it must not go unnoticed. The same holds for
/// [`HELD`], for owners and admins.
const CAMPAIGN_PAUSED: &str = "campaign.paused";

/// One rule: when `event_type` happens, `target` is told.
#[derive(Debug, Clone)]
pub struct Rule {
    pub id: Uuid,
    pub event_type: String,
    pub channel: Channel,
    /// E.164 or an e-mail address; rules written by plain SQL may hold anything.
    pub target: String,
    /// From the business's own number rather than the shared account's.
    pub use_business_number: bool,
    pub active: bool,
    pub created_at: DateTime<Utc>,
}

/// What a rule is made of.
#[derive(Debug, Clone)]
pub struct NewRule {
    pub event_type: String,
    pub channel: Channel,
    pub target: String,
    pub use_business_number: bool,
    pub active: bool,
}

/// What changes; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct RuleChange {
    pub event_type: Option<String>,
    pub channel: Option<Channel>,
    pub target: Option<String>,
    pub use_business_number: Option<bool>,
    pub active: Option<bool>,
}

/// A page of rules, newest first.
pub async fn list(app: &App, caller: &Caller, page: &PageQuery) -> Result<Page<Rule>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rows = sql::list(&mut tx, page.after()?, page.limit() + 1).await?;
    Ok(Page::cut(rows, page.limit(), |rule| rule.id))
}

/// One rule.
pub async fn get(app: &App, caller: &Caller, id: Uuid) -> Result<Rule> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    sql::find(&mut tx, id).await?.ok_or(Error::NotFound("rule"))
}

/// Saves a rule. The same event, way and target twice is a conflict that names the first.
pub async fn create(app: &App, caller: &Caller, input: NewRule) -> Result<Rule> {
    let input = checked(input, &caller.tenant.country)?;
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let id = app.new_id();
    if !sql::insert(&mut tx, id, &input, app.now()).await? {
        return Err(taken(&mut tx, &input).await?);
    }
    record(&mut tx, caller, "notification_rule.created", id, &input).await?;
    let rule = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("rule"))?;
    tx.commit().await?;
    Ok(rule)
}

/// Changes a rule.
pub async fn update(app: &App, caller: &Caller, id: Uuid, change: RuleChange) -> Result<Rule> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let before = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("rule"))?;
    let same_target = change.target.is_none() && change.channel.is_none();
    let input = NewRule {
        event_type: change.event_type.unwrap_or(before.event_type),
        channel: change.channel.unwrap_or(before.channel),
        target: change.target.unwrap_or(before.target),
        use_business_number: change.use_business_number.unwrap_or(before.use_business_number),
        active: change.active.unwrap_or(before.active),
    };
    // A foreign target that cannot be understood can still be switched off.
    let input = if same_target && !input.active { input } else { checked(input, &caller.tenant.country)? };
    if sql::find_same(&mut tx, &input).await?.is_some_and(|other| other != id) {
        return Err(taken(&mut tx, &input).await?);
    }
    sql::update(&mut tx, id, &input).await?;
    record(&mut tx, caller, "notification_rule.updated", id, &input).await?;
    let rule = sql::find(&mut tx, id).await?.ok_or(Error::NotFound("rule"))?;
    tx.commit().await?;
    Ok(rule)
}

/// Removes a rule.
pub async fn delete(app: &App, caller: &Caller, id: Uuid) -> Result<Rule> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let rule = sql::lock(&mut tx, id).await?.ok_or(Error::NotFound("rule"))?;
    sql::delete(&mut tx, id).await?;
    let gone = NewRule {
        event_type: rule.event_type.clone(),
        channel: rule.channel,
        target: rule.target.clone(),
        use_business_number: rule.use_business_number,
        active: false,
    };
    record(&mut tx, caller, "notification_rule.deleted", id, &gone).await?;
    tx.commit().await?;
    Ok(rule)
}

fn checked(mut input: NewRule, country: &str) -> Result<NewRule> {
    if !EVENTS.iter().any(|(event, _)| *event == input.event_type) {
        let known: Vec<&str> = EVENTS.iter().map(|(event, _)| *event).collect();
        return Err(Error::field("event_type", format!("Choose one of {}.", known.join(", "))));
    }
    input.target = target(input.channel, &input.target, country)?;
    Ok(input)
}

/// A target in the form that is written to: E.164, or a small-letter e-mail address.
fn target(channel: Channel, written: &str, country: &str) -> Result<String> {
    let written = written.trim();
    if channel == Channel::Email {
        let address = written.to_lowercase();
        let plausible = address.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty()
                && host.contains('.')
                && !host.starts_with('.')
                && !host.ends_with('.')
                && !host.contains('@')
        });
        let clean = !address.contains(|character: char| {
            character.is_whitespace() || character.is_control() || ",;<>\"".contains(character)
        });
        if plausible && clean && address.len() <= 254 {
            return Ok(address);
        }
        return Err(Error::field("target", "Write an e-mail address, such as rosa@example.com."));
    }
    match phone::parse(written, Some(country)) {
        Ok(found) => Ok(found.e164),
        Err(error) => Err(Error::field("target", format!("{}.", error.to_string().trim_end_matches('.')))),
    }
}

async fn taken(tx: &mut TenantTx, input: &NewRule) -> Result<Error> {
    let existing_id = sql::find_same(tx, input).await?;
    Ok(Error::Conflict { detail: "There is a rule for this already.".into(), existing_id })
}

async fn record(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    id: Uuid,
    rule: &NewRule,
) -> Result<()> {
    let target = if rule.channel == Channel::Email { rule.target.clone() } else { phone::mask(&rule.target) };
    let changes = json!({ "event_type": rule.event_type, "channel": rule.channel, "target": target, "active": rule.active });
    let entry = audit::Entry {
        action,
        kind: audit::Kind::NotificationRule,
        entity_id: Some(id.to_string()),
        changes: &changes,
    };
    audit::record(tx, &caller.actor, entry).await
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/api/notification-rules", Access::Api(Role::Viewer), api::list)
        .post("/api/notification-rules", Access::Api(Role::Admin), api::create)
        .get("/api/notification-rules/{id}", Access::Api(Role::Viewer), api::get)
        .patch("/api/notification-rules/{id}", Access::Api(Role::Admin), api::update)
        .delete("/api/notification-rules/{id}", Access::Api(Role::Admin), api::delete)
        .get("/settings/notifications", Access::Page(Role::Admin), ui::page)
        .post("/settings/notifications", Access::Page(Role::Admin), ui::create)
        .post("/settings/notifications/{id}/active", Access::Page(Role::Admin), ui::set_active)
        .post("/settings/notifications/{id}/delete", Access::Page(Role::Admin), ui::delete)
}
