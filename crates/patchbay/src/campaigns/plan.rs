//! When a campaign would be finished: time is played forward over groups of recipients who are alike, every group
//! asked through the same gates.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    calendar::{local_day, next_midnight},
    frequency::Cap,
    gates::{self, ConsentState, RecipientFacts, SenderFacts, Usage, Verdict},
    message::Kind,
    warm_up,
};
use uuid::Uuid;

use crate::messaging::dispatcher::{self, Facts, SenderRow};

/// Without a rate of its own a sender is taken to manage so many a second.
const UNBOUND: f64 = 1_000.0;
/// Nobody plans further.
const HORIZON: TimeDelta = TimeDelta::days(366);
/// Far more than a year has openings, closings and midnights.
const MOST_STEPS: usize = 20_000;

/// Recipients who are alike: in the same places, served by the same sender, ready at the same time.
#[derive(PartialEq, Eq, Hash)]
struct Alike {
    zones: Vec<Tz>,
    country: Option<String>,
    state: Option<String>,
    texted_at: Vec<DateTime<Utc>>,
    cap: Option<Cap>,
    sender: Option<Uuid>,
    ready_at: DateTime<Utc>,
}

struct Group {
    recipient: RecipientFacts,
    sender: Option<Uuid>,
    ready_at: DateTime<Utc>,
    count: i64,
    cost_micros: i64,
}

impl Group {
    fn cost_of_one(&self) -> i64 {
        self.cost_micros / self.count.max(1)
    }
}

/// A sender as its days pass.
struct Sender {
    facts: SenderFacts,
    per_second: f64,
    today: i64,
}

/// Everybody who would be sent something.
pub(super) struct Plan<'a> {
    facts: &'a Facts,
    starts_at: DateTime<Utc>,
    groups: HashMap<Alike, Group>,
}

impl<'a> Plan<'a> {
    pub fn new(facts: &'a Facts, starts_at: DateTime<Utc>) -> Self {
        Self { facts, starts_at, groups: HashMap::new() }
    }

    /// Adds a recipient whom no gate refuses for good.
    pub fn add(
        &mut self,
        recipient: &RecipientFacts,
        sender: Option<&SenderRow>,
        ready_at: DateTime<Utc>,
        cost_micros: i64,
    ) {
        let sender = sender.map(|sender| sender.id);
        let alike = Alike {
            zones: recipient.zones.zones.clone(),
            country: recipient.country.clone(),
            state: recipient.state.clone(),
            texted_at: recipient.texted_at.clone(),
            cap: recipient.cap,
            sender,
            ready_at,
        };
        // That they may be written to was found; of the end of one's agreement the others know nothing.
        let recipient = || RecipientFacts { consent: ConsentState::Subscribed, ..recipient.clone() };
        let new = || Group { recipient: recipient(), sender, ready_at, count: 0, cost_micros: 0 };
        let group = self.groups.entry(alike).or_insert_with(new);
        group.count += 1;
        group.cost_micros = group.cost_micros.saturating_add(cost_micros.max(0));
    }

    /// When the last of them would leave.
    pub fn finishes_at(self) -> Option<DateTime<Utc>> {
        if self.facts.tenant.kill_switch {
            return None;
        }
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        groups.sort_by(|a, b| (a.ready_at, &a.recipient.country).cmp(&(b.ready_at, &b.recipient.country)));
        let senders = self.facts.senders.iter().map(|row| {
            let per_second = row.rate_per_second.unwrap_or(UNBOUND);
            let facts = dispatcher::sender_facts(Some(row));
            (Some(row.id), Sender { facts, per_second, today: row.sent_today })
        });
        let mut play = Play {
            facts: self.facts,
            senders: senders.collect(),
            groups,
            spent: self.facts.spent,
            now: self.starts_at,
            last: self.starts_at,
        };
        let horizon = self.starts_at + HORIZON;
        for _ in 0..MOST_STEPS {
            if play.groups.is_empty() {
                return Some(play.last);
            }
            if play.now > horizon {
                return None;
            }
            play.step();
        }
        None
    }
}

/// The state of the world while time is played forward.
struct Play<'a> {
    facts: &'a Facts,
    senders: HashMap<Option<Uuid>, Sender>,
    groups: Vec<Group>,
    spent: (i64, i64),
    now: DateTime<Utc>,
    last: DateTime<Utc>,
}

impl Play<'_> {
    /// Sends what may go until something changes, and moves there.
    fn step(&mut self) {
        let timezone = self.facts.tenant.timezone;
        let mut until = next_midnight(self.now, timezone);
        let mut open = Vec::new();
        for (at, group) in self.groups.iter().enumerate() {
            match self.ask(group) {
                Ok(()) => {
                    open.push(at);
                    let closes =
                        gates::open_until(Kind::Campaign, &self.facts.tenant, &group.recipient, self.now);
                    until = closes.map_or(until, |closes| until.min(closes));
                }
                Err(opens) => until = until.min(opens),
            }
        }
        let until = until.max(self.now + TimeDelta::milliseconds(1));
        if open.is_empty() {
            self.move_to(until);
            return;
        }
        let pace = self.pace(&open);
        let seconds = (until - self.now).num_milliseconds() as f64 / 1000.0;
        let room = ((pace * seconds) as i64).max(1);
        let sent = open.into_iter().fold(0, |sent, at| sent + self.send(at, room - sent));
        let took = TimeDelta::microseconds((sent as f64 / pace * 1e6) as i64);
        self.last = self.now + took;
        // Whoever could not go for want of room, money or warmth is asked again at the next change.
        let goes_on = sent > 0 && took < until - self.now;
        self.groups.retain(|group| group.count > 0);
        self.move_to(if goes_on { self.now + took.max(TimeDelta::milliseconds(1)) } else { until });
    }

    /// Whether one of the group may go, or when to ask again.
    fn ask(&self, group: &Group) -> Result<(), DateTime<Utc>> {
        if group.ready_at > self.now {
            return Err(group.ready_at);
        }
        let nobody = dispatcher::sender_facts(None);
        let sender = self.senders.get(&group.sender);
        let mut usage = Usage {
            spent_today_micros: self.spent.0,
            spent_month_micros: self.spent.1,
            sender_today: sender.map_or(0, |sender| sender.today),
            rate_tokens: 1,
            rate_interval: TimeDelta::zero(),
            rate_deferred: 0,
        };
        let facts = sender.map_or(&nobody, |sender| &sender.facts);
        let cost = group.cost_of_one();
        match gates::decide(
            Kind::Campaign,
            cost,
            &self.facts.tenant,
            facts,
            &group.recipient,
            &mut usage,
            self.now,
        ) {
            Verdict::Pass => Ok(()),
            Verdict::Wait { until, .. } => Err(until),
            Verdict::Block { .. } => Err(self.now + HORIZON),
        }
    }

    /// Messages a second that the open groups' senders and the tenant allow together.
    fn pace(&self, open: &[usize]) -> f64 {
        let mut senders: Vec<Option<Uuid>> = open.iter().map(|at| self.groups[*at].sender).collect();
        senders.sort_unstable();
        senders.dedup();
        let together: f64 = senders
            .iter()
            .map(|sender| self.senders.get(sender).map_or(UNBOUND, |sender| sender.per_second))
            .sum();
        self.facts.rate_per_second.map_or(together, |limit| together.min(limit))
    }

    /// Sends as many of a group as room, money and warmth allow.
    fn send(&mut self, at: usize, room: i64) -> i64 {
        let group = &mut self.groups[at];
        let cost = group.cost_of_one();
        let mut most = group.count.min(room);
        let tenant = &self.facts.tenant;
        let budgets =
            [(tenant.budget_daily_micros, self.spent.0), (tenant.budget_monthly_micros, self.spent.1)];
        for (limit, spent) in budgets {
            if let Some(limit) = limit.filter(|_| cost > 0) {
                most = most.min((limit - spent).max(0) / cost);
            }
        }
        if let Some(sender) = self.senders.get_mut(&group.sender) {
            let warming = sender.facts.warmup_started_on.is_some();
            let cap = warm_up::cap_for_day_index(sender.facts.warmup_day_index).filter(|_| warming);
            most = most.min(cap.map_or(i64::MAX, |cap| i64::from(cap) - sender.today)).max(0);
            sender.today += most;
        }
        group.count -= most;
        group.cost_micros -= most * cost;
        self.spent.0 += most * cost;
        self.spent.1 += most * cost;
        most
    }

    /// Moves on; a new day begins with empty counters.
    fn move_to(&mut self, then: DateTime<Utc>) {
        let timezone = self.facts.tenant.timezone;
        let (before, after) = (local_day(self.now, timezone), local_day(then, timezone));
        self.now = then;
        if before == after {
            return;
        }
        self.spent.0 = 0;
        if (before.year(), before.month()) != (after.year(), after.month()) {
            self.spent.1 = 0;
        }
        for sender in self.senders.values_mut() {
            sender.facts.warmup_day_index += u32::from(sender.today > 0);
            sender.today = 0;
        }
    }
}
