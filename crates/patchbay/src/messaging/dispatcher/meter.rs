//! The counters of one claim: read from the facts, told to the gates as they fill, saved with the decisions.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_rules::gates::Usage;
use uuid::Uuid;

use super::Facts;
use crate::{
    db::TenantTx,
    error::Result,
    messaging::sql::dispatch::{self as sql, SenderRow},
};

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

/// Messages beyond the rate that are told their place in line per claim. Few, because each telling is a write.
const LINE: i64 = 100;

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

    pub(super) async fn save(&self, tx: &mut TenantTx, now: DateTime<Utc>) -> Result<()> {
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
    pub(super) fn limit(&self, quantum: usize) -> i64 {
        let open = self.usage(None).rate_tokens.max(0);
        i64::try_from(quantum).unwrap_or(i64::MAX).min(open.saturating_add(LINE))
    }
}
