//! Claiming: facts in, gates asked, decisions written, in one short transaction per tenant.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_providers::Outgoing;
use patchbay_rules::{
    calendar, frequency,
    gates::{
        self, ConsentState, DoNotContact, Gate, RecipientFacts, SenderFacts, TenantFacts, Usage, Verdict,
    },
    message::{Channel, Kind},
    quiet_hours::Window,
    senders,
    zones::{self, ZoneFacts},
};
use serde_json::Value;
use uuid::Uuid;

use super::{Batch, Claimed, marketed::Marketed};
use crate::{
    app::App,
    consent, crash,
    db::TenantTx,
    error::{Error, Result},
    links,
    messaging::{
        self,
        sql::dispatch::{self as sql, DueRow, Held, Passed, SenderRow, TenantRow},
    },
    providers::{self, Route},
};

/// Everything about a tenant that its messages' gates ask for.
pub struct Facts {
    pub tenant: TenantFacts,
    pub today: NaiveDate,
    pub spent: (i64, i64),
    pub senders: Vec<SenderRow>,
    pub rate_per_second: Option<f64>,
    buckets: HashMap<String, (f64, DateTime<Utc>)>,
}

/// Reads the facts of the tenant `tx` is bound to.
pub async fn facts_for(tx: &mut TenantTx, now: DateTime<Utc>) -> Result<Facts> {
    let row = sql::tenant(tx).await?;
    let timezone: Tz = row.timezone.parse().unwrap_or(Tz::UTC);
    let today = calendar::local_day(now, timezone);
    let month_start = today.with_day(1).unwrap_or(today);
    let spent = sql::spent(tx, today, month_start).await?;
    let senders = sql::senders(tx, today).await?;
    let buckets = sql::buckets(tx).await?.into_iter().map(|b| (b.key, (b.tokens, b.refilled_at))).collect();
    let rate_per_second = row.rate_per_second.map(f64::from);
    Ok(Facts { tenant: tenant_facts(row, timezone), today, spent, senders, rate_per_second, buckets })
}

fn tenant_facts(row: TenantRow, timezone: Tz) -> TenantFacts {
    // cents are hundredths, micros millionths
    let micros = |cents: i64| cents.saturating_mul(10_000);
    TenantFacts {
        kill_switch: row.kill_switch,
        timezone,
        country: row.country,
        currency: row.currency,
        budget_daily_micros: row.budget_daily_cents.map(micros),
        budget_monthly_micros: row.budget_monthly_cents.map(micros),
        suppression_days: u16::try_from(row.suppression_days).unwrap_or(u16::MAX),
        quiet: row.quiet_start.zip(row.quiet_end).map(|(start, end)| Window { start, end }),
        apply_country_rules: row.country_rules,
        rest_on_holidays: row.holiday_rules,
        quiet_hours_bind_people: row.quiet_binds_people,
    }
}

impl Facts {
    /// What every gate would say about `row` now, reserving nothing.
    pub fn explain(&self, row: &DueRow, now: DateTime<Utc>) -> Vec<(Gate, Verdict)> {
        let Ok(kind) = row.kind.parse::<Kind>() else { return Vec::new() };
        let wanted = row.from_address.as_deref().or(row.reply_from.as_deref());
        let of_channel = || self.senders.iter().filter(|s| s.channel == row.channel);
        let sender = of_channel().find(|s| wanted == Some(&*s.address)).or_else(|| of_channel().next());
        let usage = Meter::new(self, now).usage(sender);
        let recipient = recipient_facts(row, &self.tenant);
        gates::explain_all(
            kind,
            row.cost_micros,
            &self.tenant_for(row),
            &sender_facts(sender),
            &recipient,
            &usage,
            now,
        )
    }

    /// The tenant's facts as they bind this message: a person may have waived the quiet hours.
    fn tenant_for(&self, row: &DueRow) -> Cow<'_, TenantFacts> {
        if row.quiet_hours_waived {
            Cow::Owned(TenantFacts { quiet: None, apply_country_rules: false, ..self.tenant.clone() })
        } else {
            Cow::Borrowed(&self.tenant)
        }
    }
}

/// What the gates are told of a sender.
pub fn sender_facts(sender: Option<&SenderRow>) -> SenderFacts {
    SenderFacts {
        warmup_started_on: sender.and_then(|s| s.warmup_started_on),
        warmup_day_index: sender.map_or(0, |s| u32::try_from(s.warmup_days).unwrap_or(u32::MAX)),
        active: true,
        label: sender.map_or_else(String::new, |s| s.label.clone().unwrap_or_else(|| s.address.clone())),
        unregistered_name: sender
            .is_some_and(|s| s.channel == "sms" && senders::is_name(&s.address) && !s.name_registered),
    }
}

/// A token bucket that holds one second's worth.
struct Bucket {
    rate: f64,
    tokens: f64,
}

impl Bucket {
    fn new(rate: Option<f64>, saved: Option<&(f64, DateTime<Utc>)>, now: DateTime<Utc>) -> Option<Self> {
        let rate = rate?;
        let capacity = rate.max(1.0);
        let tokens = saved.map_or(capacity, |(tokens, at)| {
            let elapsed = (now - *at).num_milliseconds().max(0) as f64 / 1000.0;
            (tokens + elapsed * rate).min(capacity)
        });
        Some(Self { rate, tokens })
    }
}

/// The counters of a batch while it is decided.
pub struct Meter<'a> {
    facts: &'a Facts,
    tenant_bucket: Option<Bucket>,
    sender_buckets: HashMap<Uuid, Option<Bucket>>,
    sent: HashMap<Uuid, i64>,
    /// Messages that only the rate held so far.
    pub deferred: u32,
    messages: i64,
    cost: i64,
}

/// Without a limit of our own there is always a token.
const PLENTY: i64 = i64::MAX / 2;

impl<'a> Meter<'a> {
    /// Counters as they stand.
    pub fn new(facts: &'a Facts, now: DateTime<Utc>) -> Self {
        Self {
            tenant_bucket: Bucket::new(facts.rate_per_second, facts.buckets.get("tenant"), now),
            sender_buckets: facts
                .senders
                .iter()
                .map(|s| (s.id, Bucket::new(s.rate_per_second, facts.buckets.get(&s.id.to_string()), now)))
                .collect(),
            facts,
            sent: HashMap::new(),
            deferred: 0,
            messages: 0,
            cost: 0,
        }
    }

    /// What the gates are told: the tighter of the tenant's and the sender's rate.
    pub fn usage(&self, sender: Option<&SenderRow>) -> Usage {
        let buckets =
            [self.tenant_bucket.as_ref(), sender.and_then(|s| self.sender_buckets.get(&s.id)?.as_ref())];
        let tightest = buckets.into_iter().flatten().min_by(|a, b| a.tokens.total_cmp(&b.tokens));
        let slowest = buckets.into_iter().flatten().map(|bucket| bucket.rate).fold(f64::INFINITY, f64::min);
        Usage {
            spent_today_micros: self.facts.spent.0 + self.cost,
            spent_month_micros: self.facts.spent.1 + self.cost,
            sender_today: sender
                .map_or(0, |s| s.sent_today + self.sent.get(&s.id).copied().unwrap_or_default()),
            rate_tokens: tightest.map_or(PLENTY, |bucket| bucket.tokens.floor() as i64),
            rate_interval: if slowest.is_finite() {
                TimeDelta::microseconds((1e6 / slowest) as i64)
            } else {
                TimeDelta::zero()
            },
            rate_deferred: self.deferred,
        }
    }

    /// Books what `decide` reserved.
    pub fn book(&mut self, sender: Option<&SenderRow>, cost_micros: i64) {
        self.messages += 1;
        self.cost += cost_micros.max(0);
        if let Some(bucket) = &mut self.tenant_bucket {
            bucket.tokens -= 1.0;
        }
        if let Some(sender) = sender {
            *self.sent.entry(sender.id).or_default() += 1;
            if let Some(Some(bucket)) = self.sender_buckets.get_mut(&sender.id) {
                bucket.tokens -= 1.0;
            }
        }
    }

    async fn save(&self, tx: &mut TenantTx, now: DateTime<Utc>) -> Result<()> {
        if self.messages > 0 {
            let (senders, sent): (Vec<_>, Vec<_>) = self.sent.iter().map(|(id, n)| (*id, *n)).unzip();
            sql::count(tx, self.facts.today, self.messages, self.cost, &senders, &sent).await?;
        }
        let mut keys = Vec::new();
        let mut tokens = Vec::new();
        if let Some(bucket) = &self.tenant_bucket {
            keys.push("tenant".to_owned());
            tokens.push(bucket.tokens);
        }
        for (id, bucket) in &self.sender_buckets {
            if let Some(bucket) = bucket {
                keys.push(id.to_string());
                tokens.push(bucket.tokens);
            }
        }
        if keys.is_empty() { Ok(()) } else { sql::save_buckets(tx, &keys, &tokens, now).await }
    }

    /// How many messages are worth locking: those with a token, and some whose place in line can be told.
    fn limit(&self, quantum: usize) -> i64 {
        let open = self.usage(None).rate_tokens.max(0);
        i64::try_from(quantum).unwrap_or(i64::MAX).min(open.saturating_add(LINE))
    }
}

/// With less time than this before the hours close at the recipient's nothing is begun: the call takes some of it, and a
/// carrier is told whole seconds (Twilio Docs: Message resource, `ValidityPeriod`).
const LEAST: TimeDelta = TimeDelta::seconds(10);

/// Messages beyond the rate that are told their place in line per claim. Few, because each telling is a write.
const LINE: i64 = 100;

/// The recipient's facts of one due message.
pub fn recipient_facts(row: &DueRow, tenant: &TenantFacts) -> RecipientFacts {
    let zones = zones::resolve(&ZoneFacts {
        explicit: row.contact_timezone.as_deref().and_then(|zone| zone.parse().ok()),
        country: row.contact_country.as_deref(),
        state: row.contact_state.as_deref(),
        postal: row.contact_postal.as_deref(),
        phone_e164: row.to_address.starts_with('+').then_some(row.to_address.as_str()),
        tenant: tenant.timezone,
    });
    let country =
        row.contact_country.clone().or_else(|| zones::likely_country_of(&row.to_address).map(str::to_owned));
    let consent = match (row.consent_state.as_deref(), row.consent_changed_at) {
        (Some("subscribed"), _) => consent::agreement(row.consent_basis.as_deref(), row.consent_expires_at),
        (Some("unsubscribed"), Some(at)) => ConsentState::Unsubscribed {
            how: consent::opt_out_source(
                row.consent_how.as_deref().unwrap_or_default(),
                row.consent_detail.as_deref(),
            ),
            at,
        },
        _ => ConsentState::Unknown,
    };
    let do_not_contact =
        row.listed_reason.clone().zip(row.listed_at).map(|(reason, at)| DoNotContact { reason, at });
    RecipientFacts {
        zones,
        country,
        state: row.contact_state.clone(),
        consent,
        do_not_contact,
        campaign_paused: row.campaign_status.as_deref() == Some("paused"),
        last_marketed_at: row.last_marketed_at,
        texted_at: row.texted_at.clone(),
        cap: frequency::cap(&row.to_address).filter(|_| tenant.apply_country_rules && row.channel == "sms"),
        wants_registered_name: row.channel == "sms" && senders::wants_registered_name(&row.to_address),
        last_inbound_at: row.last_inbound_at,
    }
}

/// Claims up to `quantum` due messages of `tenant`. Answers how many were decided, and the batch to hand over.
pub(super) async fn claim(app: &App, tenant: Uuid, quantum: usize) -> Result<(usize, Option<Batch>)> {
    let now = app.now();
    let lease_until = now + TimeDelta::from_std(app.config.lease).map_err(Error::internal)?;
    let mut tx = app.db.tenant(tenant).await?;
    if !sql::try_lock_tenant(&mut tx).await? {
        return Ok((0, None));
    }
    crash::point("claim.locked").await;
    let facts = facts_for(&mut tx, now).await?;
    let mut meter = Meter::new(&facts, now);
    let marketed = Marketed::load(&mut tx).await?;
    let due = sql::lock_due(&mut tx, now, meter.limit(quantum)).await?;
    let decided = due.len();
    let routes = providers::Routes::load(app, &mut tx, &facts.senders).await?;
    let mut decisions = Decisions { marketed, ..Decisions::default() };
    for row in due {
        decisions.take(app, tenant, &facts, &mut meter, &routes, row, now);
    }
    decisions.write(&mut tx, now, lease_until).await?;
    meter.save(&mut tx, now).await?;
    crash::point("claim.marked").await;
    tx.commit().await?;
    crash::point("claim.committed").await;
    metrics::counter!("patchbay_messages_claimed_total").increment(decisions.claimed.len() as u64);
    let batch =
        (!decisions.claimed.is_empty()).then_some(Batch { tenant, claimed: decisions.claimed, lease_until });
    Ok((decided, batch))
}

/// WhatsApp takes free text for 24 hours after the contact wrote, afterwards only approved templates (error 63016).
/// A few minutes are kept back for the way there.
fn whatsapp_allows(row: &DueRow, now: DateTime<Utc>) -> bool {
    row.content_sid.is_some()
        || row.whatsapp_inbound_at.is_some_and(|at| now - at < TimeDelta::hours(24) - TimeDelta::minutes(5))
}

const WINDOW_CLOSED: &str = "WhatsApp takes free text only within 24 hours after they wrote to you. Send an approved template instead.";

/// What was decided about a batch, on its way into the database.
#[derive(Default)]
struct Decisions {
    passed: Passed,
    held: Held,
    lost: (Vec<Uuid>, Vec<String>),
    canceled: Vec<Uuid>,
    claimed: Vec<Claimed>,
    marketed: Marketed,
    closing: Closing,
}

/// When it becomes too late, by all that this depends on: a batch has few places.
type Closing = HashMap<(Kind, Vec<Tz>, Option<String>, Option<String>), Option<DateTime<Utc>>>;

impl Decisions {
    #[expect(clippy::too_many_arguments, reason = "the facts of one decision, each used once")]
    fn take(
        &mut self,
        app: &App,
        tenant: Uuid,
        facts: &Facts,
        meter: &mut Meter<'_>,
        routes: &providers::Routes,
        row: DueRow,
        now: DateTime<Utc>,
    ) {
        // The schema allows no other words.
        let (Ok(kind), Ok(channel)) = (row.kind.parse::<Kind>(), row.channel.parse::<Channel>()) else {
            return;
        };
        if row.campaign_status.as_deref() == Some("canceled") {
            self.canceled.push(row.id);
            return;
        }
        let route = match routes.choose(
            channel,
            row.sender_id,
            row.from_address.as_deref().or(row.reply_from.as_deref()),
        ) {
            Ok(route) => route,
            Err(problem) => {
                self.lost.0.push(row.id);
                self.lost.1.push(problem);
                return;
            }
        };
        if channel == Channel::Whatsapp && !whatsapp_allows(&row, now) {
            self.lost.0.push(row.id);
            self.lost.1.push(WINDOW_CLOSED.to_owned());
            return;
        }
        let sender = route.sender_id.and_then(|id| facts.senders.iter().find(|s| s.id == id));
        let mut recipient = recipient_facts(&row, &facts.tenant);
        self.marketed.complete(&mut recipient, &row);
        let mut usage = meter.usage(sender);
        let tenant_facts = facts.tenant_for(&row);
        let mut ask = |at| {
            let sender = sender_facts(sender);
            gates::decide(kind, row.cost_micros, &tenant_facts, &sender, &recipient, &mut usage, at)
        };
        let mut verdict = ask(now);
        let open_until = match verdict {
            Verdict::Pass => self.open_until(kind, &tenant_facts, &recipient, now),
            _ => None,
        };
        // As good as closed: a carrier would have no time left.
        if let Some(closes) = open_until.filter(|closes| *closes - now < LEAST) {
            verdict = ask(closes);
        }
        meter.deferred = usage.rate_deferred;
        match verdict {
            Verdict::Pass => {
                meter.book(sender, row.cost_micros);
                self.marketed.note(kind, &row, now);
                self.pass(app, tenant, kind, channel, route, row, facts.today, open_until);
            }
            Verdict::Wait { gate, reason, until } => {
                self.hold(&row, "queued", gate.as_str(), serde_json::to_value(reason), Some(until))
            }
            Verdict::Block { gate, reason } => {
                self.hold(&row, "blocked", gate.as_str(), serde_json::to_value(reason), None)
            }
        }
    }

    fn open_until(
        &mut self,
        kind: Kind,
        tenant: &TenantFacts,
        recipient: &RecipientFacts,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let asked = || gates::open_until(kind, tenant, recipient, now);
        if tenant.quiet.is_none() && !tenant.apply_country_rules {
            return None; // nothing closes, or this one was waived
        }
        let place = (kind, recipient.zones.zones.clone(), recipient.country.clone(), recipient.state.clone());
        *self.closing.entry(place).or_insert_with(asked)
    }

    #[expect(clippy::too_many_arguments, reason = "what one claimed message is made of")]
    fn pass(
        &mut self,
        app: &App,
        tenant: Uuid,
        kind: Kind,
        channel: Channel,
        route: Arc<Route>,
        row: DueRow,
        day: NaiveDate,
        open_until: Option<DateTime<Utc>>,
    ) {
        self.passed.ids.push(row.id);
        self.passed.senders.push(route.sender_id);
        self.passed.froms.push(route.from.clone());
        self.passed.providers.push(route.provider.name().to_owned());
        let attempt = row.attempt + 1;
        let media = row
            .media
            .as_array()
            .map(|urls| urls.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default();
        let is_mail = channel == Channel::Email;
        let unsubscribe_url = is_mail.then(|| links::opt_out_of(app, &row.body)).flatten();
        let outgoing = Outgoing {
            message_id: row.id,
            channel: providers::channel(channel),
            from: route.from.clone(),
            to: row.to_address,
            body: row.body,
            media,
            content_sid: row.content_sid,
            content_variables: row.content_variables,
            status_callback: Some(format!(
                "{}/webhooks/twilio?t={}&m={}&a={attempt}",
                app.config.public_url,
                tenant.simple(),
                row.id.simple()
            )),
            validity_seconds: None,
            messaging_service_sid: route.messaging_service_sid.clone(),
            subject: row.subject,
            unsubscribe_url,
        };
        self.claimed.push(Claimed {
            id: row.id,
            attempt,
            kind,
            sender_id: route.sender_id,
            cost_micros: row.cost_micros,
            day,
            open_until,
            route,
            outgoing,
        });
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
