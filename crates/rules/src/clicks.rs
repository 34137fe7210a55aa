//! Whether a hit on a short link was a person's.
//!
//! Promises: the same facts give the same verdict, with the reasons named, so that it can be shown, doubted and derived
//! again. Some facts are certain (a crawler's name, a prefetch); the others add up, and from [`THRESHOLD`] on a hit is
//! a program's. [`VERSION`] rises whenever a weight or a list changes: what was judged before is then judged anew.
//! Does not: prove anything. A scanner that behaves like a person counts as one, and somebody who taps within two
//! seconds of delivery does not.

mod agents;
mod networks;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

pub use agents::is_program;
pub use networks::{Network, network_of};

use crate::message::Channel;

/// Which rules gave a verdict.
pub const VERSION: i16 = 1;
/// The score from which a hit counts as a program's.
pub const THRESHOLD: i16 = 50;
/// The score of what is certain.
const CERTAIN: i16 = 100;

/// Hits of one message this close together are one burst.
pub const BURST: TimeDelta = TimeDelta::seconds(5);
/// Hits from one address this close together are one visitor's.
pub const CROWD: TimeDelta = TimeDelta::seconds(60);
/// The same recipient, link, address and browser within this time counts once.
pub const REPEAT: TimeDelta = TimeDelta::seconds(10);

words! {
    /// What speaks for or against a person.
    pub enum Reason {
        /// The browser names itself as a program, or does not name itself at all.
        Agent = "agent",
        /// `HEAD` or `OPTIONS`: nobody asked to see the page.
        Method = "method",
        /// Fetched ahead of time.
        Prefetch = "prefetch",
        /// The same visitor followed a link that people cannot see.
        Trap = "trap",
        /// Before the message arrived, or too soon after it.
        TooSoon = "too_soon",
        /// Within seconds of sending.
        JustSent = "just_sent",
        /// From a data centre.
        Hosting = "hosting",
        /// Through a relay or private network that people use as well.
        Relay = "relay",
        /// Several links, or one of them several times, at once.
        Burst = "burst",
        /// One address opens the links of many recipients.
        Crowd = "crowd",
        /// Browsers of people name their languages.
        NoLanguage = "no_language",
        /// A browser of that age would tell how it came.
        NoFetchMetadata = "no_fetch_metadata",
        /// Browsers of people renew themselves.
        Outdated = "outdated",
        /// From another country than the number.
        Abroad = "abroad",
        /// The visitor went on to do what programs do not.
        Confirmed = "confirmed",
    }
}

impl Reason {
    /// What it adds to the score; `None` settles the matter alone.
    pub const fn weight(self) -> Option<i16> {
        match self {
            Self::Agent | Self::Method | Self::Prefetch | Self::Trap => None,
            Self::TooSoon | Self::Crowd => Some(60),
            Self::Hosting | Self::Burst => Some(50),
            Self::Outdated => Some(30),
            Self::JustSent | Self::NoLanguage => Some(25),
            Self::NoFetchMetadata => Some(15),
            Self::Relay | Self::Abroad => Some(10),
            Self::Confirmed => Some(-80),
        }
    }
}

/// What is known of one hit.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub at: DateTime<Utc>,
    pub channel: Channel,
    pub method: &'a str,
    pub user_agent: &'a str,
    /// See [`is_prefetch`].
    pub prefetch: bool,
    /// Whether `Accept-Language` was there.
    pub names_language: bool,
    /// Whether `Sec-Fetch-Mode` or another of its family was there.
    pub names_fetch: bool,
    /// The visitor's address, or its network's first.
    pub address: Option<IpAddr>,
    pub sent_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    /// Different links of the same message within [`BURST`], this one included.
    pub links_nearby: u32,
    /// Hits on the same link within [`BURST`], this one included.
    pub hits_nearby: u32,
    /// Recipients whose links the same address opened within [`CROWD`], this one included.
    pub recipients_nearby: u32,
    /// A link that is hidden from people was followed from the same address within ten minutes.
    pub trapped: bool,
    /// The visitor's country is known and not that of the number.
    pub abroad: bool,
    /// A page's script reported back, or something was bought, signed or answered.
    pub confirmed: bool,
}

/// What is made of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub score: i16,
    pub reasons: Vec<Reason>,
}

impl Verdict {
    /// Whether a program made the hit.
    pub const fn is_bot(&self) -> bool {
        self.score >= THRESHOLD
    }
}

/// Judges one hit.
pub fn judge(facts: &Facts<'_>) -> Verdict {
    let reasons: Vec<Reason> = Reason::ALL.iter().copied().filter(|reason| applies(*reason, facts)).collect();
    let sum = reasons.iter().map(|reason| reason.weight()).sum::<Option<i16>>();
    Verdict { score: sum.unwrap_or(CERTAIN), reasons }
}

fn applies(reason: Reason, facts: &Facts<'_>) -> bool {
    let chrome = agents::chrome_version(facts.user_agent);
    let network = facts.address.and_then(network_of);
    match reason {
        Reason::Agent => is_program(facts.user_agent),
        Reason::Method => !matches!(facts.method, "GET" | "POST"),
        Reason::Prefetch => facts.prefetch,
        Reason::Trap => facts.trapped,
        Reason::TooSoon => too_soon(facts),
        Reason::JustSent => facts.sent_at.is_some_and(|sent| facts.at - sent <= TimeDelta::seconds(10)),
        Reason::Hosting => network == Some(Network::Hosting),
        Reason::Relay => network == Some(Network::Relay),
        Reason::Burst => facts.links_nearby >= 3 || facts.hits_nearby >= 3,
        Reason::Crowd => facts.recipients_nearby >= 5,
        Reason::NoLanguage => !facts.names_language,
        Reason::NoFetchMetadata => !facts.names_fetch && chrome.is_some_and(|version| version >= 80),
        Reason::Outdated => chrome.is_some_and(|version| version < 80),
        Reason::Abroad => facts.abroad,
        Reason::Confirmed => facts.confirmed,
    }
}

/// An e-mail is scanned at the door; a text takes a person two seconds to see.
fn too_soon(facts: &Facts<'_>) -> bool {
    let least = TimeDelta::seconds(if facts.channel == Channel::Email { 5 } else { 2 });
    facts.delivered_at.is_some_and(|delivered| facts.at - delivered < least)
}

/// Whether a request header says that nobody is looking yet. Names in lower case.
pub fn is_prefetch(name: &str, value: &str) -> bool {
    let says = |word: &str| value.to_ascii_lowercase().contains(word);
    match name {
        "purpose" | "x-purpose" => says("prefetch") || says("preview"),
        "sec-purpose" | "x-moz" => says("prefetch"),
        _ => false,
    }
}
