//! Receiving: what somebody sent us becomes a row, a conversation, and what the law makes of it.
//!
//! Everything happens in one transaction keyed by the provider's id, so that a webhook delivered twice, or a
//! crash half-way, changes nothing twice. Consent comes before everything else; the webhook's own transaction has
//! recorded a STOP already (see [`super::webhooks`]), this one repeats it idempotently and answers it.

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_rules::{
    consent::{self as rules, Class, Ctx},
    message::{Channel, Kind},
    phone,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Intent, conversations, enqueue, sql};
use crate::{
    app::App,
    consent::{self, Change, State},
    contacts::{self, NewContact},
    dashboard::days,
    db::TenantTx,
    error::{Error, Result},
};

/// A message as a provider delivered it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inbound {
    pub provider: String,
    pub provider_message_id: String,
    pub channel: String,
    pub from: String,
    pub to: String,
    pub body: String,
    #[serde(default)]
    pub media: Vec<String>,
    pub profile_name: Option<String>,
    pub button_payload: Option<String>,
    /// The carrier's own opt-out handling has answered already.
    #[serde(default)]
    pub handled_by_carrier: bool,
}

impl Inbound {
    /// What the consent rules read: a button says what its payload says.
    pub fn classify(&self, opted_out: bool) -> Class {
        let ctx = Ctx { opted_out, double_opt_in_pending: false };
        let class = rules::classify(&self.body, ctx);
        match (&class, &self.button_payload) {
            (Class::None, Some(payload)) => rules::classify(payload, ctx),
            _ => class,
        }
    }
}

/// Takes in `inbound`; again is the same as once.
pub async fn receive(app: &App, tenant: Uuid, inbound: Inbound) -> Result<()> {
    let now = app.now();
    let channel: Channel =
        inbound.channel.parse().map_err(|_| Error::BadRequest("The channel is not known.".into()))?;
    let mut tx = app.db.tenant(tenant).await?;
    let dedupe_key = format!("in:{}:{}", inbound.provider, inbound.provider_message_id);
    if sql::ledger::find_by_dedupe_key(&mut tx, &dedupe_key).await?.is_some() {
        return Ok(());
    }
    // Opt-outs are classified with what held before this message.
    let opted_out = consent::state(&mut tx, channel, &inbound.from).await? == State::Unsubscribed;
    let class = inbound.classify(opted_out);
    let contact = match find(&mut tx, channel, &inbound).await? {
        Some(contact) => Some(contact),
        // Whoever tries out a campaign on their own phone is no lead.
        None if answers_test(&mut tx, &inbound, now).await? => None,
        None => Some(create(&mut tx, app, channel, &inbound).await?),
    };
    let id = app.new_id();
    if !sql::conversations::insert_inbound(&mut tx, id, contact, &dedupe_key, &inbound, now).await? {
        return Ok(()); // another node was first
    }
    let review = obey(&mut tx, app, channel, &inbound, contact, id, &class, now).await?;
    let Some(contact) = contact else { return tx.commit().await };
    if !inbound.body.trim().is_empty() {
        sql::ledger::insert_text(&mut tx, id, contact, &inbound.body).await?;
    }
    conversations::note_inbound(&mut tx, contact, channel, &inbound, review.as_deref(), now).await?;
    let event = json!({ "message_id": id, "contact_id": contact });
    patchbay_outbox::enqueue(tx.conn(), tenant, "message.received", &event, now).await?;
    tx.commit().await
}

/// Days in which what comes from a number that was sent a test, and nothing else, answers the test.
const TEST_DAYS: i64 = 7;

async fn answers_test(tx: &mut TenantTx, inbound: &Inbound, now: DateTime<Utc>) -> Result<bool> {
    let first = days::id_at(now - TimeDelta::days(TEST_DAYS));
    sql::conversations::was_tested(tx, &inbound.from, first).await
}

/// Whoever is behind the number. A short code or a sender's name is no number and takes no answer; its contact is the
/// one it wrote to us as before.
async fn find(tx: &mut TenantTx, channel: Channel, inbound: &Inbound) -> Result<Option<Uuid>> {
    if phone::is_e164(&inbound.from) {
        Ok(contacts::find_by_phone(tx, &inbound.from).await?.map(|contact| contact.id))
    } else {
        sql::conversations::contact_of_sender(tx, channel, &inbound.from).await
    }
}

/// A contact for the number. What the sender calls themselves is a first guess at a name.
async fn create(tx: &mut TenantTx, app: &App, channel: Channel, inbound: &Inbound) -> Result<Uuid> {
    let numbered = phone::is_e164(&inbound.from);
    let name = inbound.profile_name.as_deref().or_else(|| (!numbered).then_some(inbound.from.as_str()));
    let name = name.and_then(contacts::clean::line).map(|name| name.chars().take(120).collect());
    let source = if channel == Channel::Whatsapp { "WhatsApp" } else { "Text message" };
    let new = NewContact {
        first_name: name,
        phone: Some(inbound.from.clone()).filter(|_| numbered),
        source: Some(source.to_owned()),
        ..NewContact::default()
    };
    Ok(contacts::upsert(tx, app, new).await?.0.id)
}

/// Does what the words ask for; answers why a person should look, if one should.
#[expect(clippy::too_many_arguments, reason = "one inbound message, unpacked")]
async fn obey(
    tx: &mut TenantTx,
    app: &App,
    channel: Channel,
    inbound: &Inbound,
    contact: Option<Uuid>,
    message: Uuid,
    class: &Class,
    now: DateTime<Utc>,
) -> Result<Option<String>> {
    let evidence = json!({ "message_id": message, "text": inbound.body, "to": inbound.to });
    match class {
        Class::HardOptOut { keyword } => {
            record(
                tx,
                channel,
                inbound,
                State::Unsubscribed,
                "keyword",
                Some(&keyword.to_uppercase()),
                evidence,
                now,
            )
            .await?;
            sql::conversations::block_queued(tx, &inbound.from, now).await?;
            // Once per opt-out, however often it is said.
            let since =
                sql::conversations::consent_changed_at(tx, channel, &inbound.from).await?.unwrap_or(now);
            let confirmed =
                sql::conversations::count_confirmations(tx, &inbound.from, "stop", since).await? > 0;
            if !confirmed && !inbound.handled_by_carrier {
                answer(tx, app, channel, inbound, contact, Kind::ConsentConfirmation, "stop", message)
                    .await?;
            }
            Ok(None)
        }
        Class::SoftOptOut { phrase } => {
            record(tx, channel, inbound, State::Unsubscribed, "phrase", Some(phrase), evidence, now).await?;
            sql::conversations::block_queued(tx, &inbound.from, now).await?;
            Ok(Some(format!(
                "Sounds like an opt-out: \u{201c}{phrase}\u{201d}. Nothing automatic is sent until you decide."
            )))
        }
        Class::OptIn { keyword } => {
            let fresh = record(
                tx,
                channel,
                inbound,
                State::Subscribed,
                "keyword",
                Some(&keyword.to_uppercase()),
                evidence,
                now,
            )
            .await?;
            if fresh && !inbound.handled_by_carrier {
                answer(tx, app, channel, inbound, contact, Kind::ConsentConfirmation, "start", message)
                    .await?;
            }
            Ok(None)
        }
        Class::Help { .. } => {
            // Two machines that answer each other's HELP must not do so for ever.
            let recent =
                sql::conversations::count_confirmations(tx, &inbound.from, "help", now - TimeDelta::hours(1))
                    .await?;
            if recent < 3 && !inbound.handled_by_carrier {
                answer(tx, app, channel, inbound, contact, Kind::Help, "help", message).await?;
            }
            Ok(None)
        }
        Class::Review { why } => Ok(Some(why.to_string())),
        Class::None => Ok(None),
    }
}

#[expect(clippy::too_many_arguments, reason = "the columns of one proof")]
async fn record(
    tx: &mut TenantTx,
    channel: Channel,
    inbound: &Inbound,
    state: State,
    how: &str,
    detail: Option<&str>,
    evidence: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<bool> {
    let change = Change {
        detail,
        source: Some(&inbound.to),
        evidence,
        ..Change::new(channel, &inbound.from, state, how, now)
    };
    consent::set(tx, &change).await
}

/// Queues the answer that the law or good manners ask for, from the number that was written to.
#[expect(clippy::too_many_arguments, reason = "one answer, unpacked")]
async fn answer(
    tx: &mut TenantTx,
    app: &App,
    channel: Channel,
    inbound: &Inbound,
    contact: Option<Uuid>,
    kind: Kind,
    what: &str,
    message: Uuid,
) -> Result<()> {
    if !phone::is_e164(&inbound.from) {
        return Ok(()); // nobody would get it
    }
    let texts = sql::conversations::consent_texts(tx).await?;
    let business = texts.business_name.as_deref().unwrap_or(&texts.name);
    let support = texts.support_contact.as_deref();
    let body = match what {
        "stop" => texts.stop_text.unwrap_or_else(|| rules::confirmation_text(business)),
        "start" => texts.start_text.unwrap_or_else(|| rules::opt_in_text(business)),
        _ => texts.help_text.unwrap_or_else(|| rules::help_text(business, support.unwrap_or_default())),
    };
    let mut intent = Intent::new(kind, channel, format!("{what}:{message}"), &inbound.from, body);
    intent.contact_id = contact;
    intent.from = Some(inbound.to.clone());
    enqueue(tx, app, intent).await?;
    Ok(())
}
