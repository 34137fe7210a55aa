//! Every decision made again, in order, from what is stored: with the same rules as the dispatcher, and none of its
//! statements, counters or caches.
//!
//! A message that was handed over must have been allowed by all gates when it was decided, money, rates and warm-up
//! counted over everything that was decided before it; and by those that are asked once more (switches, opt-outs, hours)
//! when the carrier had it. A message that was refused or waits must have a gate that says so still. The counters must
//! be what the ledger adds up to.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use patchbay_rules::{
    calendar, frequency,
    gates::{self, Gate, RecipientFacts, SenderFacts, TenantFacts, Usage, Verdict},
    senders,
    zones::{self, ZoneFacts},
};
use uuid::Uuid;

use crate::history::{History, MOMENT, Message, Sender, Version};

/// Tokens at an instant.
#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: DateTime<Utc>,
}

impl Bucket {
    /// Tokens at `now`, of which there never are more than a second's worth.
    fn refilled(self, per_second: f64, now: DateTime<Utc>) -> f64 {
        let seconds = (now - self.at).num_microseconds().unwrap_or_default().max(0) as f64 / 1e6;
        (self.tokens + seconds * per_second).min(per_second.max(1.0))
    }
}

/// By which campaign, and when.
type Marketed = (Option<Uuid>, DateTime<Utc>);

/// What was decided so far.
#[derive(Default)]
pub struct Replay {
    /// Messages and cost by day.
    spent: BTreeMap<NaiveDate, (i64, i64)>,
    sent: HashMap<(Uuid, NaiveDate), i64>,
    /// Of the business (no sender) and of every sender.
    buckets: HashMap<Option<Uuid>, Bucket>,
    marketed: HashMap<Uuid, Vec<Marketed>>,
    /// Whom both campaigns mean.
    meant_twice: HashSet<Uuid>,
    decided: usize,
    held: usize,
}

/// At most so many were called back from the way out for good, by a STOP or the list; what they had taken was given back.
const RECALLED: i64 = 10;

/// A moment, and what is known then.
#[derive(Clone, Copy)]
struct Asked {
    at: DateTime<Utc>,
    /// Opt-outs up to then are known for certain.
    known: DateTime<Utc>,
    paused: bool,
    /// Messages that had been counted when it was decided, and are no more.
    given_back: i64,
}

pub fn replay(history: &History) -> Replay {
    let mut replay = Replay::default();
    let mut meant = HashSet::new();
    for contact in history.messages.iter().filter(|m| m.campaign.is_some()).filter_map(|m| m.contact) {
        if !meant.insert(contact) {
            replay.meant_twice.insert(contact);
        }
    }
    for (contact, at) in &history.before {
        replay.marketed.entry(*contact).or_default().push((None, *at));
    }
    for message in &history.messages {
        let handed_over = !matches!(message.status.as_str(), "queued" | "blocked");
        if let Some(at) = message.claimed_at.filter(|_| handed_over) {
            replay.decide(history, message, at);
            replay.book(history, message, at);
        }
    }
    let refused = history.messages.iter().filter(|m| m.status == "failed" && m.arrived_at.is_none()).count();
    let given_back = i64::try_from(refused).expect("a few") + RECALLED;
    for message in history.messages.iter().filter(|m| matches!(m.status.as_str(), "queued" | "blocked")) {
        replay.hold(history, message, given_back);
    }
    replay.assert_counters(history);
    replay
}

impl Replay {
    /// What the gates say of `message` under one version of the settings.
    fn ask(
        &self,
        history: &History,
        message: &Message,
        version: &Version,
        asked: Asked,
    ) -> Vec<(Gate, Verdict)> {
        let (tenant, at) = (&version.tenant, asked.at);
        let recipient = RecipientFacts {
            campaign_paused: asked.paused,
            consent: history.consent(&message.to, asked.known),
            do_not_contact: history.listed(&message.to, asked.known),
            ..self.recipient(message, tenant)
        };
        let sender = sender(history, message, tenant, at);
        let mut usage = self.usage(history, message, version, at);
        usage.spent_today_micros += asked.given_back * message.cost_micros;
        usage.sender_today += asked.given_back;
        gates::explain_all(message.kind, message.cost_micros, tenant, &sender, &recipient, &usage, at)
    }

    fn decide(&mut self, history: &History, message: &Message, at: DateTime<Utc>) {
        self.decided += 1;
        let arrived = message.arrived_at.unwrap_or(at);
        // The carrier counts in milliseconds.
        assert!(
            at <= arrived + TimeDelta::milliseconds(1),
            "the carrier had {} before it was decided",
            message.id
        );
        let objections = |verdicts: Vec<(Gate, Verdict)>| -> Vec<_> {
            verdicts.into_iter().filter(|(_, verdict)| !verdict.is_pass()).collect()
        };
        // Under one of the settings that it may have seen nothing objects.
        let mut said = Vec::new();
        for version in history.versions(at, at + MOMENT) {
            let paused = history.paused(message.campaign, at, at + MOMENT);
            let asked = Asked { at, known: at - MOMENT, paused, given_back: 0 };
            said.push(objections(self.ask(history, message, version, asked)));
        }
        assert!(
            said.iter().any(Vec::is_empty),
            "{} ({:?}) was decided at {at}: {said:?}",
            message.id,
            message.kind
        );
        // Asked once more: switches and opt-outs as they were when it left, hours by the settings it was decided with.
        let left = arrived - MOMENT;
        let paused = history.paused(message.campaign, left, arrived);
        for gate in [Gate::KillSwitch, Gate::DoNotContact, Gate::QuietHours] {
            let since = if gate == Gate::QuietHours { at } else { left.max(at) };
            let allowed = history.versions(since, arrived).any(|version| {
                [left.max(at), arrived].into_iter().any(|at| {
                    let asked = Asked { at, known: left, paused, given_back: 0 };
                    let said = self.ask(history, message, version, asked);
                    said.iter().any(|(of, verdict)| *of == gate && verdict.is_pass())
                })
            });
            assert!(allowed, "{} arrived at {arrived} against {gate:?}", message.id);
        }
    }

    /// What it used up. What the carrier refused was given back, but for its token.
    fn book(&mut self, history: &History, message: &Message, at: DateTime<Utc>) {
        let fastest = history.versions(at - MOMENT, at + MOMENT).map(|version| version.per_second);
        let business = fastest.fold(0.0, f64::max);
        for (key, rate) in self.rates(history, message, business) {
            let tokens = self.tokens(key, rate, at) - 1.0;
            self.buckets.insert(key, Bucket { tokens, at });
        }
        if message.arrived_at.is_none() {
            return;
        }
        let day = day_of(history, at);
        let spent = self.spent.entry(day).or_default();
        *spent = (spent.0 + 1, spent.1 + message.cost_micros);
        if let Some(sender) = message.sender {
            *self.sent.entry((sender, day)).or_default() += 1;
        }
        if let Some(contact) = message.contact.filter(|_| gates::policy(message.kind).counts_as_marketing) {
            self.marketed.entry(contact).or_default().push((message.campaign, at));
        }
    }

    /// The buckets it draws from, with their rates.
    fn rates(&self, history: &History, message: &Message, business: f64) -> Vec<(Option<Uuid>, f64)> {
        let own = message.sender.and_then(|id| Some((Some(id), history.senders[&id].per_second?)));
        [Some((None, business)), own].into_iter().flatten().collect()
    }

    fn tokens(&self, key: Option<Uuid>, per_second: f64, at: DateTime<Utc>) -> f64 {
        self.buckets.get(&key).map_or(per_second.max(1.0), |bucket| bucket.refilled(per_second, at))
    }

    fn usage(&self, history: &History, message: &Message, version: &Version, at: DateTime<Utc>) -> Usage {
        let day = calendar::local_day(at, version.tenant.timezone);
        let month = day.with_day(1).expect("every month has a first");
        let rates = self.rates(history, message, version.per_second);
        let tokens =
            rates.into_iter().map(|(key, rate)| self.tokens(key, rate, at)).fold(f64::INFINITY, f64::min);
        Usage {
            spent_today_micros: self.spent.get(&day).map_or(0, |spent| spent.1),
            spent_month_micros: self.spent.range(month..=day).map(|(_, spent)| spent.1).sum(),
            sender_today: message
                .sender
                .and_then(|id| self.sent.get(&(id, day)))
                .copied()
                .unwrap_or_default(),
            // A rounding is no message.
            rate_tokens: (tokens + 1e-6).floor() as i64,
            rate_interval: TimeDelta::seconds(1),
            rate_deferred: 0,
        }
    }

    fn recipient(&self, message: &Message, tenant: &TenantFacts) -> RecipientFacts {
        let zones = zones::resolve(&ZoneFacts {
            explicit: message.zone.as_deref().and_then(|zone| zone.parse().ok()),
            country: message.country.as_deref(),
            state: message.state.as_deref(),
            postal: None,
            phone_e164: Some(&message.to),
            tenant: tenant.timezone,
        });
        let marketed = message.contact.and_then(|contact| self.marketed.get(&contact)).map(Vec::as_slice);
        let marketed = marketed.unwrap_or_default();
        let others = marketed.iter().filter(|(campaign, _)| *campaign != message.campaign);
        RecipientFacts {
            zones,
            country: message
                .country
                .clone()
                .or_else(|| zones::likely_country_of(&message.to).map(str::to_owned)),
            state: message.state.clone(),
            consent: gates::ConsentState::Unknown,
            do_not_contact: None,
            campaign_paused: false,
            last_marketed_at: others.map(|(_, at)| *at).max(),
            texted_at: marketed.iter().map(|(_, at)| *at).collect(),
            cap: frequency::cap(&message.to).filter(|_| tenant.apply_country_rules),
            wants_registered_name: senders::wants_registered_name(&message.to),
            last_inbound_at: None,
        }
    }

    /// It did not leave: the gate that is named has a reason to this day. What was given back after the gate had closed
    /// is nobody's until the day is over, and an offer that the other campaign was about to make counted as made.
    fn hold(&mut self, history: &History, message: &Message, given_back: i64) {
        self.held += 1;
        if message.gate.as_deref() == Some("address") {
            // No gate of the seven: the carrier had failed to reach that number before.
            let failed =
                |other: &&Message| other.to == message.to && other.id != message.id && other.has_failed();
            assert!(
                history.messages.iter().any(|other| failed(&other)),
                "{} was never out of reach",
                message.id
            );
            return;
        }
        let now = history.now;
        let version = history.versions(now, now).last().expect("present settings");
        let asked = Asked { at: now, known: now, paused: false, given_back };
        let said = self.ask(history, message, version, asked);
        let objects = said.iter().any(|(gate, verdict)| {
            let blocks = matches!(verdict, Verdict::Block { .. }) == (message.status == "blocked");
            Some(gate.as_str()) == message.gate.as_deref() && !verdict.is_pass() && blocks
        });
        let suppressed = message.gate.as_deref() == Some(Gate::SuppressionWindow.as_str());
        let twice = suppressed && message.contact.is_some_and(|contact| self.meant_twice.contains(&contact));
        assert!(objects || twice, "{} is {} by {:?}: {said:?}", message.id, message.status, message.gate);
    }

    /// What was counted is what the ledger adds up to.
    fn assert_counters(&self, history: &History) {
        assert_eq!(self.spent, history.spent, "messages and money by day");
        for (id, sender) in &history.senders {
            let mut counted = sender.counted.clone();
            // Days before this one were made up.
            counted.retain(|day, _| Some(*day) != sender.warming_since);
            let sent = self.sent.iter().filter(|((of, _), _)| of == id);
            let sent: BTreeMap<NaiveDate, i64> = sent.map(|((_, day), number)| (*day, *number)).collect();
            assert_eq!(sent, counted, "messages of {} by day", sender.address);
        }
    }

    /// No gate stood open all the time.
    pub fn assert_every_gate_bound(&self, history: &History) {
        for gate in Gate::ALL {
            let times = history.held.get(gate.as_str()).copied().unwrap_or_default();
            assert!(times > 0, "nothing met {gate:?}: {:?}", history.held);
        }
        eprintln!(
            "{} decisions to send made again, {} to hold; gates met: {:?}",
            self.decided, self.held, history.held
        );
    }
}

fn day_of(history: &History, at: DateTime<Utc>) -> NaiveDate {
    let version = history.versions(at, at + MOMENT).next().expect("settings");
    calendar::local_day(at, version.tenant.timezone)
}

fn sender(history: &History, message: &Message, tenant: &TenantFacts, at: DateTime<Utc>) -> SenderFacts {
    let sender = message.sender.map(|id| &history.senders[&id]);
    let today = calendar::local_day(at, tenant.timezone);
    let active = |since: NaiveDate, sender: &Sender| {
        sender.counted.iter().filter(|(day, sent)| (since..today).contains(*day) && **sent > 0).count()
    };
    SenderFacts {
        warmup_started_on: sender.and_then(|sender| sender.warming_since),
        warmup_day_index: sender
            .and_then(|sender| u32::try_from(active(sender.warming_since?, sender)).ok())
            .unwrap_or_default(),
        active: true,
        label: sender.map(|sender| sender.address.clone()).unwrap_or_default(),
        unregistered_name: false,
    }
}
