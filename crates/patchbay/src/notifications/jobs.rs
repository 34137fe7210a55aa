//! Tells the members who asked for it. Idempotent: the ledger's dedupe key is made of the rule and the event.

use chrono::TimeDelta;
use patchbay_outbox::Job;
use patchbay_rules::message::{Channel, Kind};
use uuid::Uuid;

use super::{Rule, sql, target, words};
use crate::{
    app::App,
    db::TenantTx,
    error::Result,
    messaging::{self, Intent},
};

/// One conversation speaks up once in this time.
const CONVERSATION_PAUSE: TimeDelta = TimeDelta::minutes(15);
/// Of other events a rule tells so many one by one within [`STORM_WINDOW`].
const MOST_IN_WINDOW: i32 = 20;
const STORM_WINDOW: TimeDelta = TimeDelta::minutes(60);

/// Handles every event about a contact that a rule can name.
pub async fn notify(app: &App, job: &Job) -> Result<()> {
    let id = |name: &str| job.payload[name].as_str().and_then(|id| Uuid::parse_str(id).ok());
    let Some(contact) = id("contact_id") else { return Ok(()) };
    let mut tx = app.db.tenant(job.tenant_id).await?;
    let rules = sql::list_active(&mut tx, &job.event_type).await?;
    if rules.is_empty() {
        return Ok(());
    }
    let Some(about) = sql::find_subject(&mut tx, contact, id("quote_id"), id("message_id")).await? else {
        return Ok(());
    };
    for rule in rules {
        // A member's own phone may have become a contact; telling it of its own message would go round for ever.
        let own = [about.phone_e164.as_deref(), about.email.as_deref()]
            .into_iter()
            .flatten()
            .any(|address| address == rule.target);
        if own {
            continue;
        }
        let Some((subject, text)) = spoken(&mut tx, app, job, &rule, &about).await? else { continue };
        send(&mut tx, app, job, &rule, &about.country, subject, text).await?;
    }
    tx.commit().await
}

/// The carrier refuses an account or a sender: tells the rules, or without any rule the owners and admins.
pub async fn sending_held(app: &App, job: &Job) -> Result<()> {
    let Some(id) = job.payload["hold_id"].as_str().and_then(|id| Uuid::parse_str(id).ok()) else {
        return Ok(());
    };
    let mut tx = app.db.tenant(job.tenant_id).await?;
    let Some(held) = sql::find_held(&mut tx, id).await? else { return Ok(()) };
    let (subject, text) = words::held(&held, &app.config.public_url);
    tell(&mut tx, app, job, &["owner", "admin"], &held.country, &subject, &text).await?;
    tx.commit().await
}

/// A campaign paused itself: tells the rules, or without any rule the owners.
pub async fn campaign_paused(app: &App, job: &Job) -> Result<()> {
    let Some(id) = job.payload["campaign_id"].as_str().and_then(|id| Uuid::parse_str(id).ok()) else {
        return Ok(());
    };
    let mut tx = app.db.tenant(job.tenant_id).await?;
    let Some(paused) = sql::find_paused(&mut tx, id).await? else { return Ok(()) };
    let (subject, text) = words::paused(&paused, &app.config.public_url);
    tell(&mut tx, app, job, &["owner"], &paused.country, &subject, &text).await?;
    tx.commit().await
}

/// Tells every rule for the event, or without any rule the members with these roles, by e-mail.
async fn tell(
    tx: &mut TenantTx,
    app: &App,
    job: &Job,
    roles: &[&str],
    country: &str,
    subject: &str,
    text: &str,
) -> Result<()> {
    for rule in sql::list_active(tx, &job.event_type).await? {
        send(tx, app, job, &rule, country, subject.to_owned(), text.to_owned()).await?;
    }
    if sql::has_rule(tx, &job.event_type).await? {
        return Ok(());
    }
    for (member, email) in sql::members(tx, roles).await? {
        let key = format!("notify:{member}:{}", job.id);
        let mut intent = Intent::new(Kind::Notification, Channel::Email, key, email, text);
        intent.subject = Some(subject.to_owned());
        messaging::enqueue(tx, app, intent).await?;
    }
    Ok(())
}

/// The words of `rule` for this event, unless it has said enough for now.
async fn spoken(
    tx: &mut TenantTx,
    app: &App,
    job: &Job,
    rule: &Rule,
    about: &sql::Subject,
) -> Result<Option<(String, String)>> {
    let now = app.now();
    let url = &app.config.public_url;
    if job.event_type == "message.received" {
        let subject = about.contact_id.to_string();
        let allowed = sql::may_speak(tx, rule.id, &subject, job.id, now - CONVERSATION_PAUSE, now).await?;
        return Ok(allowed.map(|held_back| words::words(&job.event_type, about, held_back, url)));
    }
    let count = sql::count_in_window(tx, rule.id, &job.event_type, job.id, now - STORM_WINDOW, now).await?;
    Ok(match count.cmp(&(MOST_IN_WINDOW + 1)) {
        std::cmp::Ordering::Less => Some(words::words(&job.event_type, about, 0, url)),
        std::cmp::Ordering::Equal => Some(words::too_many(&job.event_type, STORM_WINDOW.num_minutes(), url)),
        std::cmp::Ordering::Greater => None,
    })
}

async fn send(
    tx: &mut TenantTx,
    app: &App,
    job: &Job,
    rule: &Rule,
    country: &str,
    subject: String,
    text: String,
) -> Result<()> {
    // Rules that plain SQL wrote were not checked when they were saved.
    let (to, problem) = match target(rule.channel, &rule.target, country) {
        Ok(to) => (to, None),
        Err(_) => (
            rule.target.clone(),
            Some("The notification's target cannot be understood. Mend it in the settings.".to_owned()),
        ),
    };
    let mut intent =
        Intent::new(Kind::Notification, rule.channel, format!("notify:{}:{}", rule.id, job.id), to, text);
    intent.subject = (rule.channel == Channel::Email).then_some(subject);
    intent.problem = problem;
    if !rule.use_business_number {
        intent.from = app.config.twilio.as_ref().and_then(|shared| shared.from_e164.clone());
    }
    messaging::enqueue(tx, app, intent).await?;
    Ok(())
}
