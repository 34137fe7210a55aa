//! The ledger and everything that moves a message through it.
//!
//! Promises: every intended, sent and received message is a row of `messages`; an intent is written once per
//! dedupe key, whoever asks and however often; the [`dispatcher`] alone hands messages to providers; a status
//! only ever climbs ([`patchbay_rules::message::Status::advance`]).
//! What is deliberately not here: deciding (the gates are in `patchbay_rules`), talking to carriers
//! (`patchbay_providers`), and what a message says (`templates`).

mod api;
mod api_conversations;
mod bulk;
pub mod compose;
pub mod conversations;
pub mod dispatcher;
pub(crate) mod inbound;
pub mod inbox;
pub mod jobs;
mod outcome;
mod reports;
mod sql;
#[cfg(test)]
mod tests;
pub mod thread;
mod ui;
pub mod view;
pub mod webhooks;

use chrono::{DateTime, Utc};
use patchbay_rules::{
    gates::Verdict,
    message::{Channel, Kind, Status},
    price,
    segments::{self, Encoding},
    zones,
};
use uuid::Uuid;

pub(crate) use api::gate_of;
pub use api::{Doc, Gate, GateAnswer, Message, list_of_contact};
pub use api_conversations::Doc as ConversationsDoc;
pub use bulk::enqueue_batch;
pub(crate) use conversations::preview;
pub use sql::ledger::{EventRow, MessageRow};

use crate::{
    app::App,
    audit,
    auth::{Actor, Caller},
    db::TenantTx,
    error::{Error, Result},
    web::{rate::Bucket, routes::Routes},
};

/// A message somebody or something wants sent.
#[derive(Debug, Clone)]
pub struct Intent {
    /// `None` for messages to members of the business.
    pub contact_id: Option<Uuid>,
    pub channel: Channel,
    pub kind: Kind,
    /// Unique per tenant: `quote:<id>`, `api:<Idempotency-Key>`, … The same key again is the same message.
    pub dedupe_key: String,
    /// E.164 or e-mail.
    pub to: String,
    /// A sender of the tenant; `None` lets the conversation or the default decide.
    pub from: Option<String>,
    pub body: String,
    pub subject: Option<String>,
    pub template_id: Option<Uuid>,
    pub quote_id: Option<Uuid>,
    pub campaign_id: Option<Uuid>,
    pub content_sid: Option<String>,
    pub content_variables: Option<serde_json::Value>,
    /// Not before; `None` is now.
    pub send_after: Option<DateTime<Utc>>,
    pub sent_by: Option<Actor>,
    /// A person was shown the hour at the recipient's and sends all the same.
    pub quiet_hours_waived: bool,
    /// Why it cannot be sent as it is (a hole in its template, or no address to send it to): the row is born blocked.
    pub problem: Option<String>,
}

impl Intent {
    /// The gate of a row that is born blocked.
    fn gate_of_problem(&self) -> &'static str {
        if self.to.is_empty() { "address" } else { "template" }
    }

    /// An intent with nothing but the necessary.
    pub fn new(
        kind: Kind,
        channel: Channel,
        dedupe_key: impl Into<String>,
        to: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        Self {
            contact_id: None,
            channel,
            kind,
            dedupe_key: dedupe_key.into(),
            to: to.into(),
            from: None,
            body: body.into(),
            subject: None,
            template_id: None,
            quote_id: None,
            campaign_id: None,
            content_sid: None,
            content_variables: None,
            send_after: None,
            sent_by: None,
            quiet_hours_waived: false,
            problem: None,
        }
    }
}

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    pub id: Uuid,
    /// `false`: the dedupe key was known, this is the message of the first time.
    pub created: bool,
}

/// Live talk first, then what was asked for, then bulk.
fn priority(kind: Kind) -> i16 {
    match kind {
        Kind::Manual | Kind::AutoReply | Kind::ConsentConfirmation | Kind::Help | Kind::Test => 0,
        Kind::Api | Kind::Quote | Kind::Reminder | Kind::Invoice | Kind::Notification => 1,
        Kind::Campaign | Kind::Sequence => 2,
    }
}

/// What a text weighs on a channel: encoding word, segments, cost in millionths of the tenant's currency.
pub struct Weight {
    pub encoding: &'static str,
    pub units: usize,
    pub segments: i16,
    pub cost_micros: i64,
}

/// Weighs `body`; `prices` are the tenant's own (see `tenants.prices`), by channel and country.
pub fn weigh(channel: Channel, to: &str, body: &str, prices: &serde_json::Value) -> Weight {
    let country = zones::likely_country_of(to).unwrap_or_default();
    let (encoding, units, segments) = if channel == Channel::Sms {
        let counted = segments::count(body);
        (
            if counted.encoding == Encoding::Gsm7 { "gsm7" } else { "ucs2" },
            counted.units as usize,
            counted.segments,
        )
    } else {
        ("none", body.chars().count(), 1)
    };
    let own = prices
        .get(channel.as_str())
        .and_then(|by_country| by_country.get(country).or_else(|| by_country.get("*")));
    let cost_micros = match own.and_then(serde_json::Value::as_i64) {
        Some(each) => each.saturating_mul(i64::from(segments)),
        None => price::cost_micros(channel, country, segments),
    };
    Weight { encoding, units, segments: i16::try_from(segments).unwrap_or(i16::MAX), cost_micros }
}

/// Writes an intent in the caller's transaction. The dispatcher takes it from there.
pub async fn enqueue(tx: &mut TenantTx, app: &App, intent: Intent) -> Result<Queued> {
    let body = segments::normalise(&intent.body);
    let body = body.trim_end();
    if intent.problem.is_none() && body.is_empty() && intent.content_sid.is_none() {
        return Err(Error::field("body", "Write a message."));
    }
    if body.chars().count() > bulk::MOST_CHARACTERS && intent.channel != Channel::Email {
        return Err(Error::field("body", "A message can be 1,600 characters at most."));
    }
    let now = app.now();
    let prices = sql::ledger::prices(tx).await?;
    let weight = weigh(intent.channel, &intent.to, body, &prices);
    let id = app.new_id();
    let new = sql::ledger::NewMessage {
        id,
        intent: &intent,
        body,
        weight: &weight,
        priority: priority(intent.kind),
        now,
    };
    if !sql::ledger::insert(tx, &new).await? {
        let id = sql::ledger::find_by_dedupe_key(tx, &intent.dedupe_key)
            .await?
            .ok_or(Error::NotFound("message"))?;
        return Ok(Queued { id, created: false });
    }
    if let Some(problem) = &intent.problem {
        sql::ledger::insert_event(tx, id, "blocked", None, Some(problem), now).await?;
    }
    if let Some(contact_id) = intent.contact_id {
        // Bulk does not stir the inbox; its answers do.
        if priority(intent.kind) < 2 {
            conversations::note_outbound(tx, contact_id, intent.channel, intent.kind, body, now).await?;
        }
        if intent.kind == Kind::Manual {
            sql::ledger::insert_text(tx, id, contact_id, body).await?;
        }
    }
    Ok(Queued { id, created: true })
}

/// Takes back a message that has not left.
pub async fn cancel(app: &App, caller: &Caller, id: Uuid) -> Result<MessageRow> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let message = sql::ledger::lock(&mut tx, id).await?.ok_or(Error::NotFound("message"))?;
    if message.status != Status::Queued.as_str() {
        return Err(Error::conflict("Only a message that is still waiting can be canceled."));
    }
    sql::ledger::mark_canceled(&mut tx, &[id], None, app.now()).await?;
    finish(tx, app, caller, id, "canceled", "message.canceled").await
}

/// Takes back those of `ids` that have not left, in the transaction of whoever decided it; answers how many. `why` goes
/// into the history of each; without it nothing does, where what they belong to tells it for all. Where a million may
/// wait, callers come with so many at a time.
pub async fn cancel_all(
    tx: &mut TenantTx,
    ids: &[Uuid],
    why: Option<&str>,
    now: DateTime<Utc>,
) -> Result<u64> {
    sql::ledger::mark_canceled(tx, ids, why, now).await
}

/// Sends again what failed or was blocked, through the same gates.
pub async fn retry(app: &App, caller: &Caller, id: Uuid) -> Result<MessageRow> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let message = sql::ledger::lock(&mut tx, id).await?.ok_or(Error::NotFound("message"))?;
    if !matches!(message.status.as_str(), "failed" | "undelivered" | "blocked" | "canceled") {
        return Err(Error::conflict(
            "Only a message that failed, was blocked or canceled can be sent again.",
        ));
    }
    match message.gate.as_deref() {
        Some("template") => {
            return Err(Error::conflict(
                "This message has a hole in its text. Fill in what is missing and send a new one.",
            ));
        }
        Some("address") => return Err(Error::conflict("This contact could not be written to.")),
        _ => {}
    }
    sql::ledger::mark_requeued(&mut tx, id, app.now(), message.quiet_hours_waived).await?;
    finish(tx, app, caller, id, "retried", "message.retried").await
}

/// Lets a waiting message go now: gives up the chosen time and, for what a person wrote, the quiet hours.
/// Every other gate is asked as ever.
pub async fn send_now(app: &App, caller: &Caller, id: Uuid) -> Result<MessageRow> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let message = sql::ledger::lock(&mut tx, id).await?.ok_or(Error::NotFound("message"))?;
    if message.status != Status::Queued.as_str() {
        return Err(Error::conflict("This message is not waiting any more."));
    }
    let waived = message.quiet_hours_waived || !matches!(message.kind.as_str(), "campaign" | "sequence");
    sql::ledger::mark_requeued(&mut tx, id, app.now(), waived).await?;
    finish(tx, app, caller, id, "released", "message.released").await
}

async fn finish(
    mut tx: TenantTx,
    app: &App,
    caller: &Caller,
    id: Uuid,
    event: &str,
    action: &'static str,
) -> Result<MessageRow> {
    sql::ledger::insert_event(&mut tx, id, event, None, Some(&caller.actor.label), app.now()).await?;
    let changes = serde_json::json!({});
    audit::record(
        &mut tx,
        &caller.actor,
        audit::Entry { action, entity_type: "message", entity_id: Some(id.to_string()), changes: &changes },
    )
    .await?;
    let message = sql::ledger::find(&mut tx, id).await?.ok_or(Error::NotFound("message"))?;
    tx.commit().await?;
    Ok(message)
}

/// Blocks what waits for an address that must not be written to any more, at once rather than when it comes due.
pub async fn block_queued(tx: &mut TenantTx, address: &str, now: DateTime<Utc>) -> Result<()> {
    sql::conversations::block_queued(tx, address, now).await
}

/// The same for many addresses, in a worker's transaction.
pub async fn block_queued_all(
    conn: &mut sqlx::PgConnection,
    tenant: Uuid,
    addresses: &[String],
    now: DateTime<Utc>,
) -> Result<()> {
    sql::conversations::block_queued_all(conn, tenant, addresses, now).await
}

/// Waits for the claim under way, and lets none begin before the transaction ends. A claim that knows the gate only as it
/// was would hold messages after they were woken, until tomorrow perhaps.
pub async fn hold_claims(tx: &mut TenantTx) -> Result<()> {
    sql::dispatch::lock_tenant(tx).await
}

/// Lets messages that wait at these gates be asked again now, at most `limit` of them; answers how many. Whoever
/// opens a gate calls this, so that nobody waits for the time at which it would have been asked again anyway.
pub async fn wake_held(
    tx: &mut TenantTx,
    gates: &[&str],
    campaign: Option<Uuid>,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<u64> {
    sql::dispatch::wake_held(tx, gates, campaign, now, limit).await
}

/// Takes one request's token out of the tenant's bucket, shared by all nodes.
pub async fn take_api_token(app: &App, caller: &Caller) -> Result<Bucket> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let bucket = sql::ledger::take_api_token(&mut tx, app.now()).await?;
    tx.commit().await?;
    Ok(bucket)
}

/// What each gate would say if the message left now; the same code that decides, changing nothing.
pub async fn explain(app: &App, caller: &Caller, id: Uuid) -> Result<Vec<GateAnswer>> {
    let now = app.now();
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    let row = sql::dispatch::facts_of(&mut tx, id, now).await?.ok_or(Error::NotFound("message"))?;
    let facts = dispatcher::facts_for(&mut tx, now).await?;
    let answers = facts.explain(&row, now);
    let viewer = caller.tenant.timezone;
    Ok(answers
        .into_iter()
        .map(|(gate, verdict)| match verdict {
            Verdict::Pass => GateAnswer { name: gate.as_str(), verdict: "pass", reason: None, until: None },
            Verdict::Wait { reason, until, .. } => {
                let reason = Some(reason.sentence(Some(until), now, viewer));
                GateAnswer { name: gate.as_str(), verdict: "waiting", reason, until: Some(until) }
            }
            Verdict::Block { reason, .. } => GateAnswer {
                name: gate.as_str(),
                verdict: "blocked",
                reason: Some(reason.sentence(None, now, viewer)),
                until: None,
            },
        })
        .collect())
}

/// The routes of this feature.
pub fn routes(routes: Routes) -> Routes {
    routes.with(webhooks::routes).with(api::routes).with(api_conversations::routes).with(ui::routes)
}
