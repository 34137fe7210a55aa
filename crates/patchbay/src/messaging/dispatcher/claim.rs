//! Claiming: due messages locked, gates asked, decisions written, in one short transaction per tenant.

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_providers::Outgoing;
use patchbay_rules::{
    gates::{self, RecipientFacts, TenantFacts, Verdict},
    message::{Channel, Kind},
};
use serde_json::Value;
use uuid::Uuid;

use super::{Batch, Claimed, Facts, Meter, facts_for, marketed::Marketed, recipient_facts, sender_facts};
use crate::{
    app::App,
    crash,
    db::TenantTx,
    error::{Error, Result},
    links,
    messaging::{
        self,
        sql::dispatch::{self as sql, DueRow, Held, Passed, SenderRow},
    },
    providers::{self, Route, Routes},
};

/// With less time than this before the hours close at the recipient's nothing is begun: the call takes some of it, and a
/// carrier is told whole seconds (Twilio Docs: Message resource, `ValidityPeriod`).
const LEAST: TimeDelta = TimeDelta::seconds(10);

/// Claims up to `quantum` due messages of `tenant`. Answers how many were decided, and the batch to hand over.
pub(super) async fn claim(app: &App, tenant: Uuid, quantum: usize) -> Result<(usize, Option<Batch>)> {
    let mut tx = app.db.tenant(tenant).await?;
    if !sql::try_lock_tenant(&mut tx).await? {
        return Ok((0, None));
    }
    // Not before it is our turn: tokens that an earlier claim was refilled with must not come twice.
    let now = app.now();
    let lease_until = now + TimeDelta::from_std(app.config.lease).map_err(Error::internal)?;
    crash::point("claim.locked").await;
    let facts = facts_for(&mut tx, now).await?;
    let meter = Meter::new(&facts, now);
    let marketed = Marketed::load(&mut tx).await?;
    let due = sql::lock_due(&mut tx, now, meter.limit(quantum)).await?;
    let decided = due.len();
    let routes = Routes::load(app, &mut tx, &facts.senders).await?;
    let mut claim = Claim {
        app,
        tenant,
        now,
        facts: &facts,
        routes,
        meter,
        marketed,
        closing: Closing::new(),
        decisions: Decisions::default(),
        claimed: Vec::new(),
    };
    for row in due {
        claim.take(row);
    }
    claim.decisions.write(&mut tx, now, lease_until).await?;
    claim.meter.save(&mut tx, now).await?;
    crash::point("claim.marked").await;
    tx.commit().await?;
    crash::point("claim.committed").await;
    let claimed = claim.claimed;
    metrics::counter!("patchbay_messages_claimed_total").increment(claimed.len() as u64);
    let batch = (!claimed.is_empty()).then_some(Batch { tenant, claimed, lease_until });
    Ok((decided, batch))
}

/// WhatsApp takes free text for 24 hours after the contact wrote, afterwards only approved templates (error 63016).
/// A few minutes are kept back for the way there.
fn whatsapp_allows(row: &DueRow, now: DateTime<Utc>) -> bool {
    row.content_sid.is_some()
        || row.whatsapp_inbound_at.is_some_and(|at| now - at < TimeDelta::hours(24) - TimeDelta::minutes(5))
}

const WINDOW_CLOSED: &str = "WhatsApp takes free text only within 24 hours after they wrote to you. Send an approved template instead.";

/// One claim while its messages are decided.
struct Claim<'a> {
    app: &'a App,
    tenant: Uuid,
    now: DateTime<Utc>,
    facts: &'a Facts,
    routes: Routes,
    meter: Meter<'a>,
    marketed: Marketed,
    closing: Closing,
    decisions: Decisions,
    claimed: Vec<Claimed>,
}

/// When it becomes too late, by all that this depends on: a batch has few places.
type Closing = HashMap<(Kind, Vec<Tz>, Option<String>, Option<String>), Option<DateTime<Utc>>>;

impl Claim<'_> {
    fn take(&mut self, row: DueRow) {
        // The schema allows no other words.
        let (Ok(kind), Ok(channel)) = (row.kind.parse::<Kind>(), row.channel.parse::<Channel>()) else {
            return;
        };
        if row.campaign_status.as_deref() == Some("canceled") {
            self.decisions.canceled.push(row.id);
            return;
        }
        let route = match self.route(channel, &row) {
            Ok(route) => route,
            Err(problem) => return self.decisions.lose(row.id, problem),
        };
        let facts = self.facts;
        let sender = route.sender_id.and_then(|id| facts.senders.iter().find(|s| s.id == id));
        let (verdict, open_until) = self.ask(kind, &row, sender);
        match verdict {
            Verdict::Pass => {
                self.meter.book(sender, row.cost_micros);
                self.marketed.note(kind, &row, self.now);
                self.pass(kind, channel, route, row, open_until);
            }
            Verdict::Wait { gate, reason, until } => {
                self.decisions.hold(&row, "queued", gate.as_str(), serde_json::to_value(reason), Some(until))
            }
            Verdict::Block { gate, reason } => {
                self.decisions.hold(&row, "blocked", gate.as_str(), serde_json::to_value(reason), None)
            }
        }
    }

    /// The way out, or in words why there is none.
    fn route(&self, channel: Channel, row: &DueRow) -> Result<Arc<Route>, String> {
        let wanted = row.from_address.as_deref().or(row.reply_from.as_deref());
        let route = self.routes.choose(channel, row.sender_id, wanted)?;
        if channel == Channel::Whatsapp && !whatsapp_allows(row, self.now) {
            return Err(WINDOW_CLOSED.to_owned());
        }
        Ok(route)
    }

    /// What the gates say, and of what passes, when the hours close at the recipient's.
    fn ask(
        &mut self,
        kind: Kind,
        row: &DueRow,
        sender: Option<&SenderRow>,
    ) -> (Verdict, Option<DateTime<Utc>>) {
        let mut recipient = recipient_facts(row, &self.facts.tenant);
        self.marketed.complete(&mut recipient, row);
        let mut usage = self.meter.usage(sender);
        let tenant = self.facts.tenant_for(row);
        let sender = sender_facts(sender);
        let mut ask = |at| gates::decide(kind, row.cost_micros, &tenant, &sender, &recipient, &mut usage, at);
        let mut verdict = ask(self.now);
        let open_until = match verdict {
            Verdict::Pass => self.open_until(kind, &tenant, &recipient),
            _ => None,
        };
        // As good as closed: a carrier would have no time left.
        if let Some(closes) = open_until.filter(|closes| *closes - self.now < LEAST) {
            verdict = ask(closes);
        }
        self.meter.deferred = usage.rate_deferred;
        (verdict, open_until)
    }

    fn open_until(
        &mut self,
        kind: Kind,
        tenant: &TenantFacts,
        recipient: &RecipientFacts,
    ) -> Option<DateTime<Utc>> {
        if tenant.quiet.is_none() && !tenant.apply_country_rules {
            return None; // nothing closes, or this one was waived
        }
        let place = (kind, recipient.zones.zones.clone(), recipient.country.clone(), recipient.state.clone());
        let now = self.now;
        *self.closing.entry(place).or_insert_with(|| gates::open_until(kind, tenant, recipient, now))
    }

    fn pass(
        &mut self,
        kind: Kind,
        channel: Channel,
        route: Arc<Route>,
        row: DueRow,
        open_until: Option<DateTime<Utc>>,
    ) {
        let passed = &mut self.decisions.passed;
        passed.ids.push(row.id);
        passed.senders.push(route.sender_id);
        passed.froms.push(route.from.clone());
        passed.providers.push(route.provider.name().to_owned());
        self.claimed.push(Claimed {
            id: row.id,
            attempt: row.attempt + 1,
            kind,
            sender_id: route.sender_id,
            cost_micros: row.cost_micros,
            day: self.facts.today,
            open_until,
            outgoing: self.outgoing(channel, &route, row),
            route,
        });
    }

    /// What the provider is given.
    fn outgoing(&self, channel: Channel, route: &Route, row: DueRow) -> Outgoing {
        let media = row.media.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let is_mail = channel == Channel::Email;
        Outgoing {
            message_id: row.id,
            channel: providers::channel(channel),
            from: route.from.clone(),
            to: row.to_address,
            media: media.collect(),
            content_sid: row.content_sid,
            content_variables: row.content_variables,
            status_callback: Some(format!(
                "{}/webhooks/twilio?t={}&m={}&a={}",
                self.app.config.public_url,
                self.tenant.simple(),
                row.id.simple(),
                row.attempt + 1,
            )),
            validity_seconds: None,
            messaging_service_sid: route.messaging_service_sid.clone(),
            subject: row.subject,
            unsubscribe_url: is_mail.then(|| links::opt_out_of(self.app, &row.body)).flatten(),
            body: row.body,
        }
    }
}

/// What was decided, on its way into the database.
#[derive(Default)]
struct Decisions {
    passed: Passed,
    held: Held,
    lost: (Vec<Uuid>, Vec<String>),
    canceled: Vec<Uuid>,
}

impl Decisions {
    fn lose(&mut self, id: Uuid, problem: String) {
        self.lost.0.push(id);
        self.lost.1.push(problem);
    }

    fn hold(
        &mut self,
        row: &DueRow,
        status: &str,
        gate: &str,
        reason: serde_json::Result<Value>,
        until: Option<DateTime<Utc>>,
    ) {
        self.held.ids.push(row.id);
        self.held.statuses.push(status.to_owned());
        self.held.news.push(status == "blocked" || row.gate.as_deref() != Some(gate));
        self.held.gates.push(gate.to_owned());
        self.held.reasons.push(reason.unwrap_or_default());
        self.held.untils.push(until);
    }

    async fn write(&self, tx: &mut TenantTx, now: DateTime<Utc>, lease_until: DateTime<Utc>) -> Result<()> {
        if !self.passed.ids.is_empty() {
            sql::mark_sending(tx, &self.passed, now, lease_until).await?;
        }
        if !self.held.ids.is_empty() {
            sql::mark_held(tx, &self.held, now).await?;
        }
        if !self.lost.0.is_empty() {
            sql::mark_unroutable(tx, &self.lost.0, &self.lost.1, now).await?;
        }
        if !self.canceled.is_empty() {
            messaging::cancel_all(tx, &self.canceled, None, now).await?;
        }
        Ok(())
    }
}
