//! What the test knows of the world by its own doing, and what follows from it for a message that left. Of the program
//! it shares the rules of quiet hours, zones, warm-up and caps, and nothing else: no facts, no counters, no statements.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    calendar, frequency,
    quiet_hours::{self, QuietDecision, Window},
    warm_up,
    zones::{self, ZoneFacts},
};
use uuid::Uuid;

/// The tenant's own zone, by which days are counted.
pub const OFFICE: Tz = Tz::Australia__Perth;
/// No rate is ever set higher.
pub const FASTEST: f64 = 6.0;

/// Somebody, as the contact tells.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub phone: String,
    pub email: String,
    pub country: Option<&'static str>,
    pub state: Option<&'static str>,
    pub zone: Option<Tz>,
}

impl Person {
    pub fn address(&self, channel: &str) -> &str {
        if channel == "email" { &self.email } else { &self.phone }
    }

    /// Where they may be, for all that is known. An e-mail address tells nothing.
    fn zones(&self, channel: &str) -> Vec<Tz> {
        zones::resolve(&ZoneFacts {
            explicit: self.zone,
            country: self.country,
            state: self.state,
            postal: None,
            phone_e164: (channel != "email").then_some(self.phone.as_str()),
            tenant: OFFICE,
        })
        .zones
    }

    fn law(&self, channel: &str) -> &'static str {
        let by_number = || zones::likely_country_of(self.address(channel));
        self.country.or_else(by_number).unwrap_or("AU")
    }
}

/// A message that left.
#[derive(Debug, Clone)]
pub struct Sent {
    #[expect(dead_code, reason = "told when something is wrong with it")]
    pub id: Uuid,
    pub person: usize,
    pub campaign: Uuid,
    pub channel: String,
    pub sender: Uuid,
    pub at: DateTime<Utc>,
    pub cost_micros: i64,
}

/// Tokens, as many as there can be at most.
pub type Bucket = (f64, DateTime<Utc>);

#[derive(Debug, Default)]
pub struct World {
    pub people: Vec<Person>,
    pub campaigns: Vec<(Uuid, &'static str)>,
    pub paused: HashSet<Uuid>,
    pub canceled: HashSet<Uuid>,
    pub switched_off: bool,
    pub hours: Option<Window>,
    pub country_rules: bool,
    pub holiday_rules: bool,
    pub daily_cents: Option<i64>,
    pub monthly_cents: Option<i64>,
    pub suppression_days: i64,
    pub per_second: f64,
    /// Of numbers that have a rate of their own.
    pub rates: HashMap<Uuid, f64>,
    /// The first day of each number's warm-up.
    pub warming: HashMap<Uuid, NaiveDate>,
    /// What else was sent from a number on a day.
    pub used: HashMap<(Uuid, NaiveDate), i64>,
    /// Channels on which somebody wants nothing more.
    pub stopped: HashSet<(usize, &'static str)>,
    /// On the list because they wrote STOP, and because somebody put them there.
    pub asked: HashSet<usize>,
    pub listed: HashSet<usize>,
    pub sent: Vec<Sent>,
    pub buckets: HashMap<Option<Uuid>, Bucket>,
}

impl World {
    pub fn today(now: DateTime<Utc>) -> NaiveDate {
        calendar::local_day(now, OFFICE)
    }

    /// Sent from a number on a day, by whomever.
    pub fn used(&self, sender: Uuid, day: NaiveDate) -> i64 {
        let ours =
            self.sent.iter().filter(|sent| sent.sender == sender && Self::today(sent.at) == day).count();
        self.used.get(&(sender, day)).copied().unwrap_or_default() + i64::try_from(ours).unwrap()
    }

    /// What a number that warms up may send on a day.
    pub fn cap(&self, sender: Uuid, day: NaiveDate) -> Option<i64> {
        let since = *self.warming.get(&sender)?;
        let elsewhere =
            self.used.iter().filter(|((of, _), sent)| *of == sender && **sent > 0).map(|((_, day), _)| *day);
        let ours = self.sent.iter().filter(|sent| sent.sender == sender).map(|sent| Self::today(sent.at));
        let days: BTreeSet<NaiveDate> =
            elsewhere.chain(ours).filter(|one| (since..day).contains(one)).collect();
        warm_up::cap_for_day_index(u32::try_from(days.len()).unwrap()).map(i64::from)
    }

    /// Takes in what left at `now`; answers what was wrong with it.
    pub fn judge(&mut self, now: DateTime<Utc>, leaving: Vec<Sent>) -> Vec<String> {
        let mut wrong = Vec::new();
        for message in &leaving {
            wrong.extend(self.objection(message).map(|why| format!("{why}: {message:?}")));
        }
        let cost: i64 = leaving.iter().map(|message| message.cost_micros).sum();
        self.sent.extend(leaving.iter().cloned());
        for message in &leaving {
            wrong.extend(self.too_many(message).map(|why| format!("{why}: {message:?}")));
        }
        if cost > 0 {
            let day = Self::today(now);
            let spent = |from: NaiveDate| -> i64 {
                self.sent
                    .iter()
                    .filter(|m| (from..=day).contains(&Self::today(m.at)))
                    .map(|m| m.cost_micros)
                    .sum()
            };
            for (limit, spent) in
                [(self.daily_cents, spent(day)), (self.monthly_cents, spent(day.with_day(1).unwrap()))]
            {
                wrong.extend(
                    limit
                        .filter(|cents| spent > cents * 10_000)
                        .map(|cents| format!("{spent} of {cents} cents spent")),
                );
            }
        }
        wrong.extend(self.draw(now, &leaving));
        wrong
    }

    /// What forbids one message by itself.
    fn objection(&self, message: &Sent) -> Option<&'static str> {
        let (person, channel) = (&self.people[message.person], message.channel.as_str());
        let week = self
            .country_rules
            .then(|| quiet_hours::marketing_rules(person.law(channel), person.state, self.holiday_rules))
            .flatten();
        let open = quiet_hours::check(message.at, &person.zones(channel), self.hours, week.as_ref());
        let listed = self.listed.contains(&message.person) || self.asked.contains(&message.person);
        let stopped = self.stopped.iter().any(|(who, on)| *who == message.person && *on == channel);
        [
            (self.switched_off, "sending is off"),
            (self.paused.contains(&message.campaign), "the campaign is paused"),
            (self.canceled.contains(&message.campaign), "the campaign is canceled"),
            (stopped, "they opted out"),
            (listed && channel != "email", "they are on the list"),
            (open != QuietDecision::Open, "it is quiet there"),
        ]
        .into_iter()
        .find_map(|(wrong, why)| wrong.then_some(why))
    }

    /// What forbids it together with the others, itself among them.
    fn too_many(&self, message: &Sent) -> Option<&'static str> {
        let theirs =
            || self.sent.iter().filter(|other| other.person == message.person && other.at <= message.at);
        let days = TimeDelta::days(self.suppression_days);
        let lately = theirs().any(|other| other.campaign != message.campaign && message.at < other.at + days);
        let person = &self.people[message.person];
        let cap = frequency::cap(&person.phone).filter(|_| self.country_rules && message.channel == "sms");
        let texts = |since: TimeDelta| {
            theirs().filter(|other| other.channel == "sms" && message.at < other.at + since).count()
        };
        let day = Self::today(message.at);
        let warm = self.cap(message.sender, day).is_some_and(|cap| self.used(message.sender, day) > cap);
        let early = self.warming.get(&message.sender).is_some_and(|since| day < *since);
        [
            (lately, "another campaign reached them lately"),
            (
                cap.is_some_and(|cap| texts(cap.span()) > cap.most),
                "more texts in a day than their number may get",
            ),
            (warm, "more than a number that warms up may send"),
            (early, "the warm-up has not begun"),
        ]
        .into_iter()
        .find_map(|(wrong, why)| wrong.then_some(why))
    }

    /// Draws tokens from the business's bucket and the numbers'. Buckets hold a second's worth, and never fill faster
    /// than the fastest rate there ever is.
    fn draw(&mut self, now: DateTime<Utc>, leaving: &[Sent]) -> Vec<String> {
        let mut wrong = Vec::new();
        let own = self.rates.iter().map(|(sender, rate)| (Some(*sender), *rate));
        for (key, rate) in own.chain([(None, self.per_second)]).collect::<Vec<_>>() {
            let number =
                leaving.iter().filter(|message| key.is_none_or(|sender| message.sender == sender)).count();
            if number == 0 {
                continue;
            }
            let (tokens, at) = self.buckets.get(&key).copied().unwrap_or((FASTEST, now));
            let seconds = (now - at).num_microseconds().unwrap() as f64 / 1e6;
            let tokens = (tokens + seconds * FASTEST).min(rate.max(1.0)) - number as f64;
            if tokens < -1e-6 {
                wrong.push(format!("{number} at once with {rate} a second"));
            }
            self.buckets.insert(key, (tokens, now));
        }
        wrong
    }
}
