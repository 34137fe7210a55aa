//! The seven gates that every outbound message passes, in one order, for every kind of message.
//!
//! Promises: [`decide`] and [`explain_all`] are the same rules, once with and once without reserving, so
//! that the answer before a campaign and the answer after it cannot differ. A gate answers *pass*, *not
//! yet, until …* (always later than now) or *never*; only gates that the [`policy`] binds to the kind
//! answer anything but *pass*. Within a batch no sequence of decisions spends more than a budget, sends
//! more than a warm-up cap, or takes more tokens than there are.
//! Does not: gather the facts. They must be read in the transaction that marks the message as sending.

mod facts;
mod policy;
mod reason;

pub use facts::{ConsentState, DoNotContact, OptOutSource, RecipientFacts, SenderFacts, TenantFacts, Usage};
pub use policy::{Consent, Policy, binds, policy};
pub use reason::{Law, Reason};

use crate::calendar::{day_start, local_day, next_midnight, next_month};
use crate::message::Kind;
use crate::quiet_hours::{self, QuietDecision, WeekRules};
use crate::warm_up;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

words! {
    /// What may hold a message, in the order in which it is asked.
    pub enum Gate {
        /// Somebody switched sending off: for the business, the campaign or the sender; or the sender may not be
        /// used for this.
        KillSwitch = "kill_switch",
        /// The money of the day or month is spent.
        Budget = "budget",
        /// The contact must not be written to, or has not agreed to be.
        DoNotContact = "do_not_contact",
        /// The contact was sent marketing too recently, or too often.
        SuppressionWindow = "suppression_window",
        /// It is too early or too late where the contact may be.
        QuietHours = "quiet_hours",
        /// Others are before it in the sender's line.
        RateLimit = "rate_limit",
        /// The sender is new and has sent enough for a day.
        WarmUp = "warm_up",
    }
}

/// What the gates say about a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Send it now.
    Pass,
    /// Not yet.
    Wait {
        /// The gate that holds it.
        gate: Gate,
        /// Why.
        reason: Reason,
        /// When to ask again; always later than the moment of the decision.
        until: DateTime<Utc>,
    },
    /// Never.
    Block {
        /// The gate that refused it.
        gate: Gate,
        /// Why.
        reason: Reason,
    },
}

impl Verdict {
    /// Whether the message may be sent now.
    pub const fn is_pass(&self) -> bool {
        matches!(self, Self::Pass)
    }

    /// The gate that holds or refuses the message.
    pub const fn gate(&self) -> Option<Gate> {
        match self {
            Self::Pass => None,
            Self::Wait { gate, .. } | Self::Block { gate, .. } => Some(*gate),
        }
    }
}

/// How soon a message behind a switch asks again, should nobody wake it when the switch is turned.
pub const SWITCH_RECHECK: TimeDelta = TimeDelta::minutes(5);

/// An automatic answer this soon after the contact wrote is part of a conversation the contact is awake
/// for, and not held by quiet hours.
pub const REPLY_WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Decides one message and, if it passes, reserves what it takes: its cost, one message of the sender's
/// day, one token. A message that only the rate holds takes the next place in line instead
/// ([`Usage::rate_deferred`]). Costs are in millionths of the tenant's currency unit; a negative cost
/// counts as nothing.
pub fn decide(
    kind: Kind,
    cost_micros: i64,
    tenant: &TenantFacts,
    sender: &SenderFacts,
    recipient: &RecipientFacts,
    usage: &mut Usage,
    now: DateTime<Utc>,
) -> Verdict {
    let case = Case { kind, cost_micros: cost_micros.max(0), tenant, sender, recipient, usage, now };
    let verdict = Gate::ALL.iter().map(|&gate| case.ask(gate)).find(|verdict| !verdict.is_pass());
    let cost_micros = case.cost_micros;
    match verdict {
        None => {
            usage.reserve(cost_micros);
            Verdict::Pass
        }
        Some(verdict) => {
            if verdict.gate() == Some(Gate::RateLimit) {
                usage.rate_deferred = usage.rate_deferred.saturating_add(1);
            }
            verdict
        }
    }
}

/// What every gate says about a message, in order, reserving nothing. A gate that does not bind the kind
/// passes.
pub fn explain_all(
    kind: Kind,
    cost_micros: i64,
    tenant: &TenantFacts,
    sender: &SenderFacts,
    recipient: &RecipientFacts,
    usage: &Usage,
    now: DateTime<Utc>,
) -> Vec<(Gate, Verdict)> {
    let case = Case { kind, cost_micros: cost_micros.max(0), tenant, sender, recipient, usage, now };
    Gate::ALL.iter().map(|&gate| (gate, case.ask(gate))).collect()
}

/// Until when a message that may leave now may still leave: the first quiet moment at the recipient's. `None` if
/// nothing closes within [`quiet_hours::HORIZON`], or quiet hours do not bind the kind.
pub fn open_until(
    kind: Kind,
    tenant: &TenantFacts,
    recipient: &RecipientFacts,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if !binds(kind, Gate::QuietHours, tenant) || kind == Kind::AutoReply {
        return None;
    }
    let week = week_of(kind, tenant, recipient);
    quiet_hours::closes_at(now, &recipient.zones.zones, tenant.quiet, week.as_ref())
}

/// The hours of the recipient's country and state, where they bind.
fn week_of(kind: Kind, tenant: &TenantFacts, recipient: &RecipientFacts) -> Option<WeekRules> {
    let country = recipient.country.as_deref().unwrap_or(&tenant.country);
    (tenant.apply_country_rules && policy(kind).counts_as_marketing)
        .then(|| quiet_hours::marketing_rules(country, recipient.state.as_deref(), tenant.rest_on_holidays))
        .flatten()
}

/// One message and everything that is known about it.
#[derive(Clone, Copy)]
struct Case<'a> {
    kind: Kind,
    cost_micros: i64,
    tenant: &'a TenantFacts,
    sender: &'a SenderFacts,
    recipient: &'a RecipientFacts,
    usage: &'a Usage,
    now: DateTime<Utc>,
}

impl Case<'_> {
    fn ask(&self, gate: Gate) -> Verdict {
        if !binds(self.kind, gate, self.tenant) {
            return Verdict::Pass;
        }
        let objection = match gate {
            Gate::KillSwitch => self.kill_switch(),
            Gate::Budget => self.budget(),
            Gate::DoNotContact => self.do_not_contact(),
            Gate::SuppressionWindow => self.suppression_window(),
            Gate::QuietHours => self.quiet_hours(),
            Gate::RateLimit => self.rate_limit(),
            Gate::WarmUp => self.warm_up(),
        };
        match objection {
            None => Verdict::Pass,
            Some((reason, None)) => Verdict::Block { gate, reason },
            Some((reason, Some(until))) => {
                Verdict::Wait { gate, reason, until: until.max(self.now + TimeDelta::milliseconds(1)) }
            }
        }
    }

    fn kill_switch(&self) -> Option<Objection> {
        let label = || self.sender.label.clone();
        let names_count = policy(self.kind).counts_as_marketing && self.recipient.wants_registered_name;
        if names_count && self.sender.unregistered_name {
            return Some((Reason::NameNotRegistered { label: label() }, None));
        }
        let reason = if self.tenant.kill_switch {
            Reason::SendingOff
        } else if self.recipient.campaign_paused {
            Reason::CampaignPaused
        } else if !self.sender.active {
            Reason::SenderOff { label: label() }
        } else {
            return None;
        };
        Some((reason, Some(self.now + SWITCH_RECHECK)))
    }

    /// A message that costs nothing cannot overspend. The month is asked first: its budget holds longer.
    fn budget(&self) -> Option<Objection> {
        let overspends =
            |spent: i64, limit: i64| self.cost_micros > 0 && spent.saturating_add(self.cost_micros) > limit;
        let (zone, currency) = (self.tenant.timezone, &self.tenant.currency);
        if let Some(limit) = self.tenant.budget_monthly_micros
            && overspends(self.usage.spent_month_micros, limit)
        {
            let reason = Reason::MonthlyBudget { limit_micros: limit, currency: currency.clone() };
            return Some((reason, Some(next_month(self.now, zone))));
        }
        let limit = self.tenant.budget_daily_micros?;
        let reason = || Reason::DailyBudget { limit_micros: limit, currency: currency.clone() };
        overspends(self.usage.spent_today_micros, limit)
            .then(|| (reason(), Some(next_midnight(self.now, zone))))
    }

    fn do_not_contact(&self) -> Option<Objection> {
        let needed = policy(self.kind).needs_consent;
        if needed == Consent::None {
            return None;
        }
        if let Some(entry) = &self.recipient.do_not_contact {
            return Some((Reason::DoNotContact { note: entry.reason.clone(), at: entry.at }, None));
        }
        match &self.recipient.consent {
            ConsentState::Unsubscribed { how, at } => {
                Some((Reason::Unsubscribed { how: how.clone(), at: *at }, None))
            }
            ConsentState::Unknown if needed == Consent::OptedIn => Some((Reason::NotSubscribed, None)),
            ConsentState::Implied { basis, ends_at }
                if needed == Consent::OptedIn && *ends_at <= self.now =>
            {
                Some((Reason::ConsentEnded { basis: *basis, at: *ends_at }, None))
            }
            ConsentState::Unknown | ConsentState::Subscribed | ConsentState::Implied { .. } => None,
        }
    }

    fn suppression_window(&self) -> Option<Objection> {
        self.suppressed().or_else(|| self.too_many())
    }

    /// Never, rather than not yet: an offer that waits for months is not the offer that was approved.
    fn suppressed(&self) -> Option<Objection> {
        let last = self.recipient.last_marketed_at?;
        let days = self.tenant.suppression_days;
        let free_again = last + TimeDelta::days(i64::from(days));
        (self.now < free_again).then_some((Reason::Suppressed { last_marketed_at: last, days }, None))
    }

    /// Until the oldest of as many texts as are allowed is old enough.
    fn too_many(&self) -> Option<Objection> {
        let cap = self.recipient.cap?;
        let mut texted_at = self.recipient.texted_at.clone();
        texted_at.sort_unstable_by(|one, other| other.cmp(one));
        let free_again = *texted_at.get(cap.most.checked_sub(1)?)? + cap.span();
        let reason = Reason::TooMany { most: cap.most, hours: cap.hours };
        (self.now < free_again).then_some((reason, Some(free_again)))
    }

    fn quiet_hours(&self) -> Option<Objection> {
        if self.kind == Kind::AutoReply && self.answers_within_minutes() {
            return None;
        }
        let week = week_of(self.kind, self.tenant, self.recipient);
        match quiet_hours::check(self.now, &self.recipient.zones.zones, self.tenant.quiet, week.as_ref()) {
            QuietDecision::Open => None,
            QuietDecision::Quiet { until, zone } => {
                let (holiday, law) = week.map_or((None, None), |week| self.law(&week, until, zone));
                Some((Reason::QuietHours { zone, holiday, law }, Some(until)))
            }
        }
    }

    /// The holiday and the rule of the country that hold the message until then, where the tenant's own quiet hours
    /// alone would let it go sooner.
    fn law(&self, week: &WeekRules, until: DateTime<Utc>, zone: Tz) -> (Option<String>, Option<Law>) {
        let own = quiet_hours::check(self.now, &self.recipient.zones.zones, self.tenant.quiet, None);
        if matches!(own, QuietDecision::Quiet { until: opens, .. } if opens >= until) {
            return (None, None);
        }
        let opens_on = local_day(until, zone);
        let days = || local_day(self.now, zone).iter_days().take_while(move |day| *day < opens_on);
        let country = self.recipient.country.as_deref().unwrap_or(&self.tenant.country);
        let place = quiet_hours::marketing_place(country, self.recipient.state.as_deref());
        let holiday = days().find_map(|day| week.holiday_on(day)).map(str::to_owned);
        let day = days().map(|day| day.weekday()).find(|day| week.rests_on(*day));
        (holiday, Some(Law { place: place.to_owned(), day }))
    }

    fn answers_within_minutes(&self) -> bool {
        self.recipient.last_inbound_at.is_some_and(|wrote| self.now - wrote <= REPLY_WINDOW)
    }

    /// Each message that finds no token is promised the one after those before it in line.
    fn rate_limit(&self) -> Option<Objection> {
        if self.usage.rate_tokens >= 1 {
            return None;
        }
        let position = i32::try_from(self.usage.rate_deferred).unwrap_or(i32::MAX).saturating_add(1);
        let delay = self.usage.rate_interval.checked_mul(position).unwrap_or(TimeDelta::MAX);
        // Nobody waits in line for longer than a day without being asked again.
        Some((Reason::RateLimit, Some(self.now + delay.min(TimeDelta::days(1)))))
    }

    fn warm_up(&self) -> Option<Objection> {
        let starts_on = self.sender.warmup_started_on?;
        let zone = self.tenant.timezone;
        if local_day(self.now, zone) < starts_on {
            let reason = Reason::WarmUpNotStarted { starts_on };
            return Some((reason, Some(day_start(starts_on, zone, self.now))));
        }
        let cap = warm_up::cap_for_day_index(self.sender.warmup_day_index)?;
        (self.usage.sender_today >= i64::from(cap))
            .then(|| (Reason::WarmUp { cap }, Some(next_midnight(self.now, zone))))
    }
}

/// Why a gate holds a message, and until when; for good without an instant.
type Objection = (Reason, Option<DateTime<Utc>>);

#[cfg(test)]
mod tests;
