//! What would happen: the same gates, asked about everybody in the audience beforehand.
//!
//! The audience is walked in batches, so that memory does not grow with it; each contact's verdict is kept, so that
//! the list behind each number opens. Nothing else is changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use patchbay_rules::{
    frequency,
    gates::{self, Gate},
    message::{Channel, Kind},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Campaign, Status,
    audience::Audience,
    expand, look,
    plan::Plan,
    sql,
    words::{self, Writer},
};
use crate::{
    app::App,
    auth::Caller,
    contacts,
    db::TenantTx,
    error::{Error, Result},
    messaging::{
        self,
        dispatcher::{self, DueRow, Facts, Meter},
    },
    providers, templates, tenants,
    web::paging::{Page, PageQuery},
};

/// Contacts of one batch.
const BATCH: i64 = 2_000;

/// What a preflight answers. `recipients` is the sum of `now`, `later` and `never`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Preflight {
    pub recipients: i64,
    /// Would go at the moment of the start.
    pub now: i64,
    /// Would go later, by the gate that holds them then.
    pub later: BTreeMap<String, i64>,
    /// Would never go; `template` is a hole in the text, `address` a missing number or e-mail address, or
    /// one that carriers cannot reach.
    pub never: BTreeMap<String, i64>,
    /// Of all that would go.
    pub segments: i64,
    /// Of the longest.
    pub segments_most: i64,
    /// Of all that would go, rounded up.
    pub cost_cents: i64,
    /// The chosen time, or the present.
    pub starts_at: Option<DateTime<Utc>>,
    /// Given rates, warm-up, budgets and quiet hours; absent if that is beyond a year, or sending is switched off.
    pub finishes_at: Option<DateTime<Utc>>,
}

/// What was found about one contact.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = PreflightVerdict)]
pub struct Verdict {
    pub contact_id: Uuid,
    pub name: String,
    pub address: Option<String>,
    pub gate: Option<String>,
    /// A plain sentence.
    pub reason: Option<String>,
    pub until: Option<DateTime<Utc>>,
}

/// Runs a preflight over the audience as it is now.
///
/// # Errors
/// Invalid: what stands in the way of a launch. Conflict: another preflight of the same campaign was begun meanwhile.
pub async fn preflight(app: &App, caller: &Caller, id: Uuid) -> Result<Preflight> {
    let tenant = caller.tenant.id;
    let run = app.new_id();
    let mut tx = app.db.tenant(tenant).await?;
    let campaign = super::lock(&mut tx, id).await?;
    if !matches!(campaign.status, Status::Draft | Status::Scheduled) {
        return Err(Error::conflict("This campaign was launched; its numbers tell what happens."));
    }
    let audience = Audience::load(&mut tx, app, &campaign).await?;
    audience.filter()?;
    let starts_at = campaign.scheduled_at.filter(|at| *at > app.now()).unwrap_or_else(|| app.now());
    let facts = dispatcher::facts_for(&mut tx, starts_at).await?;
    let settings = tenants::settings(&mut tx).await?;
    let writer = Writer::load(&mut tx, &campaign, &settings).await?;
    providers::Routes::load(app, &mut tx, &facts.senders)
        .await?
        .choose(campaign.channel, None, writer.from.as_deref())
        .map_err(|problem| Error::field("sender_id", problem))?;
    let prices = serde_json::to_value(&settings.prices)?;
    sql::begin_preflight(&mut tx, id, run).await?;
    tx.commit().await?;

    let mut asking = Asking {
        app,
        campaign: &campaign,
        writer,
        prices,
        starts_at,
        meter: Meter::new(&facts, starts_at),
        plan: Plan::new(&facts, starts_at),
        facts: &facts,
        answer: Preflight { starts_at: Some(starts_at), ..Preflight::default() },
        cost_micros: 0,
        found: sql::Verdicts::default(),
    };
    let mut after = None;
    loop {
        let ids = {
            let mut conn = app.db.system_conn().await?;
            sql::walk(&mut conn, tenant, &audience, after, BATCH).await?
        };
        let Some(last) = ids.last() else { break };
        after = Some(*last);
        let mut tx = app.db.tenant(tenant).await?;
        asking.batch(&mut tx, &ids).await?;
        if !sql::keep_verdicts(&mut tx, id, run, &std::mem::take(&mut asking.found)).await? {
            return Err(Error::conflict("Another preflight of this campaign was begun."));
        }
        tx.commit().await?;
    }
    let answer = asking.finish();
    let mut tx = app.db.tenant(tenant).await?;
    if !sql::keep_preflight(&mut tx, id, run, &serde_json::to_value(&answer)?, app.now()).await? {
        return Err(Error::conflict("Another preflight of this campaign was begun."));
    }
    sql::tell(&mut tx, id).await?;
    tx.commit().await?;
    Ok(answer)
}

/// A preflight under way.
struct Asking<'a> {
    app: &'a App,
    campaign: &'a Campaign,
    writer: Writer,
    prices: Value,
    starts_at: DateTime<Utc>,
    facts: &'a Facts,
    meter: Meter<'a>,
    plan: Plan<'a>,
    answer: Preflight,
    cost_micros: i64,
    found: sql::Verdicts,
}

impl Asking<'_> {
    async fn batch(&mut self, tx: &mut TenantTx, ids: &[Uuid]) -> Result<()> {
        let channel = self.campaign.channel;
        let prospects =
            sql::prospects(tx, channel.as_str(), ids, self.starts_at - frequency::LONGEST).await?;
        let readers = templates::readers(tx, self.app, ids).await?;
        for prospect in prospects {
            if let Some(reader) = readers.get(&prospect.id) {
                self.ask(prospect, reader);
            }
        }
        Ok(())
    }

    fn ask(&mut self, prospect: sql::ProspectRow, reader: &templates::Reader) {
        let position = self.answer.recipients;
        self.answer.recipients += 1;
        let (id, channel) = (prospect.id, self.campaign.channel);
        let address = if channel == Channel::Email { &prospect.email } else { &prospect.phone_e164 };
        let Some(to) = address.clone() else {
            return self.never(
                id,
                "address",
                json!({ "code": "address", "detail": words::no_address(channel) }),
            );
        };
        if let Some(code) = prospect.unreachable {
            let detail = format!("Out of reach: {}", messaging::unreachable::reason(code));
            return self.never(id, "address", json!({ "code": "address", "detail": detail }));
        }
        let written = self.writer.write(position, reader).and_then(|mut page| {
            let link = look::sample_link(self.app, page.lacks);
            self.writer.add_way_out(&mut page, prospect.country.as_deref(), link.as_deref())?;
            Ok(look::sample(self.app, &page.body))
        });
        let body = match written {
            Ok(body) => body,
            Err(problem) => {
                return self.never(id, "template", json!({ "code": "template", "detail": problem }));
            }
        };
        let weight = messaging::weigh(channel, &to, &body, &self.prices);
        self.decide(prospect, to, i64::from(weight.segments), weight.cost_micros);
    }

    fn decide(&mut self, prospect: sql::ProspectRow, to: String, segments: i64, cost_micros: i64) {
        let id = prospect.id;
        let facts = self.facts;
        let wanted = self.writer.from.clone().or_else(|| prospect.reply_from.clone());
        let of_channel = || facts.senders.iter().filter(|s| s.channel == self.campaign.channel.as_str());
        let sender =
            of_channel().find(|s| wanted.as_deref() == Some(&*s.address)).or_else(|| of_channel().next());
        let row = due_row(prospect, self.campaign.channel, to, cost_micros);
        let recipient = dispatcher::recipient_facts(&row, &facts.tenant);
        // In the recipients' own zones everybody has a moment of their own.
        let at = self
            .campaign
            .scheduled_at
            .filter(|_| self.campaign.in_recipient_zone)
            .and_then(|at| expand::own_time(at, facts.tenant.timezone, &recipient.zones.zones))
            .unwrap_or(self.starts_at)
            .max(self.starts_at.min(self.app.now()));
        let mut usage = self.meter.usage(sender);
        let verdict = gates::decide(
            Kind::Campaign,
            cost_micros,
            &facts.tenant,
            &dispatcher::sender_facts(sender),
            &recipient,
            &mut usage,
            at,
        );
        self.meter.deferred = usage.rate_deferred;
        match verdict {
            gates::Verdict::Block { gate, reason } => {
                return self.never(id, gate.as_str(), serde_json::to_value(reason).unwrap_or_default());
            }
            gates::Verdict::Pass => {
                self.meter.book(sender, cost_micros);
                self.answer.now += 1;
                self.keep(id, "now", "", None, None);
            }
            gates::Verdict::Wait { gate, reason, until } => {
                *self.answer.later.entry(gate.as_str().to_owned()).or_default() += 1;
                // Everybody in line would be a list of everybody.
                let until = (gate != Gate::RateLimit).then_some(until);
                self.keep(id, "later", gate.as_str(), serde_json::to_value(reason).ok(), until);
            }
        }
        self.answer.segments += segments;
        self.answer.segments_most = self.answer.segments_most.max(segments);
        self.cost_micros = self.cost_micros.saturating_add(cost_micros);
        self.plan.add(&recipient, sender, at, cost_micros);
    }

    fn never(&mut self, id: Uuid, gate: &str, reason: Value) {
        *self.answer.never.entry(gate.to_owned()).or_default() += 1;
        self.keep(id, "never", gate, Some(reason), None);
    }

    fn keep(
        &mut self,
        id: Uuid,
        verdict: &str,
        gate: &str,
        reason: Option<Value>,
        until: Option<DateTime<Utc>>,
    ) {
        self.found.contacts.push(id);
        self.found.verdicts.push(verdict.to_owned());
        self.found.gates.push(gate.to_owned());
        self.found.reasons.push(reason);
        self.found.untils.push(until);
    }

    fn finish(self) -> Preflight {
        // micros are hundredths of hundredths of a cent
        let cost_cents = self.cost_micros.saturating_add(9_999) / 10_000;
        Preflight { cost_cents, finishes_at: self.plan.finishes_at(), ..self.answer }
    }
}

/// The message that would be claimed for a contact.
fn due_row(prospect: sql::ProspectRow, channel: Channel, to: String, cost_micros: i64) -> DueRow {
    DueRow {
        id: prospect.id,
        contact_id: Some(prospect.id),
        channel: channel.as_str().to_owned(),
        kind: Kind::Campaign.as_str().to_owned(),
        from_address: None,
        to_address: to,
        subject: None,
        body: String::new(),
        media: Value::Null,
        content_sid: None,
        content_variables: None,
        sender_id: None,
        campaign_status: None,
        campaign_id: None,
        cost_micros,
        attempt: 0,
        quiet_hours_waived: false,
        gate: None,
        contact_timezone: prospect.timezone,
        contact_country: prospect.country,
        contact_state: prospect.state,
        contact_postal: prospect.postal,
        last_marketed_at: prospect.last_marketed_at,
        texted_at: prospect.texted_at,
        last_inbound_at: prospect.last_inbound_at,
        whatsapp_inbound_at: None,
        reply_from: prospect.reply_from,
        consent_state: prospect.consent_state,
        consent_how: prospect.consent_how,
        consent_detail: prospect.consent_detail,
        consent_changed_at: prospect.consent_changed_at,
        consent_basis: prospect.consent_basis,
        consent_expires_at: prospect.consent_expires_at,
        listed_reason: prospect.listed_reason,
        listed_at: prospect.listed_at,
        unreachable: prospect.unreachable,
    }
}

/// A page of the contacts behind a number of the latest preflight.
pub async fn verdicts(
    app: &App,
    caller: &Caller,
    id: Uuid,
    verdict: &str,
    gate: Option<&str>,
    page: &PageQuery,
) -> Result<Page<Verdict>> {
    let mut tx = app.db.tenant(caller.tenant.id).await?;
    super::find(&mut tx, id).await?;
    let rows = sql::list_verdicts(&mut tx, id, verdict, gate, page.after()?, page.limit() + 1).await?;
    let (now, viewer) = (app.now(), caller.tenant.timezone);
    let status = if verdict == "never" { "blocked" } else { "queued" };
    let page = Page::cut(rows, page.limit(), |row| (row.gate.clone(), row.contact_id));
    Ok(page.map(|row| {
        let gate = Some(&*row.gate).filter(|gate| !gate.is_empty());
        let told = messaging::gate_of(gate, status, row.reason.as_ref(), row.until, now, viewer);
        let (gate, reason) = told.map(|told| (told.name, told.reason)).unzip();
        Verdict {
            contact_id: row.contact_id,
            name: contacts::full_name(row.first_name.as_deref(), row.last_name.as_deref()),
            address: row.address,
            gate,
            reason,
            until: row.until,
        }
    }))
}
