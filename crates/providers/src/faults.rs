//! Seeded misfortune, shared by the fake and the simulator.
//!
//! The n-th request of a run meets the same fate in every run with the same seed. A fate is drawn from a counter
//! and not from the message, so that a retry of the same message gets a new one.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is to happen to one request to create a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Normal,
    /// Refused for good with this code; not accepted.
    Rejected(u32),
    /// 429, with `Retry-After` or without; not accepted.
    Throttled {
        tell_when: bool,
    },
    /// Accepted, but the answer never arrives as it should.
    ReplyLost(Loss),
}

/// How an answer gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The connection closes without a byte.
    Closed,
    /// 500 with Twilio's JSON (20500).
    InternalError,
    /// 502 with a gateway's HTML page.
    Gateway,
    /// Nothing for a while, then the connection closes.
    Silence,
}

/// Codes that a rejected request carries: permanent ones for the recipient, so that no account is paused.
const REJECTION_CODES: [u32; 4] = [21211, 21612, 21614, 21635];

/// Probabilities between 0 and 1. They are drawn in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rates {
    pub(crate) throttle: f64,
    pub(crate) reject: f64,
    pub(crate) lose_reply: f64,
}

/// A die that many tasks throw at once without a lock.
#[derive(Debug)]
pub(crate) struct Dice {
    seed: u64,
    thrown: AtomicU64,
    rates: Rates,
}

impl Dice {
    pub(crate) fn new(seed: u64, rates: Rates) -> Self {
        Self { seed, thrown: AtomicU64::new(0), rates }
    }

    /// The fate of the next request.
    pub(crate) fn throw(&self) -> Fate {
        let Rates { throttle, reject, lose_reply } = self.rates;
        if throttle <= 0.0 && reject <= 0.0 && lose_reply <= 0.0 {
            return Fate::Normal;
        }
        let nth = self.thrown.fetch_add(1, Ordering::Relaxed);
        let random = mix(self.seed ^ mix(nth));
        let point = unit(random);
        let detail = mix(random);
        if point < throttle {
            Fate::Throttled { tell_when: detail & 1 == 0 }
        } else if point < throttle + reject {
            Fate::Rejected(REJECTION_CODES[(detail % REJECTION_CODES.len() as u64) as usize])
        } else if point < throttle + reject + lose_reply {
            Fate::ReplyLost(match detail % 32 {
                0 => Loss::Silence,
                1..=8 => Loss::InternalError,
                9..=14 => Loss::Gateway,
                _ => Loss::Closed,
            })
        } else {
            Fate::Normal
        }
    }
}

/// SplitMix64's finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): a
/// bijection of the 64-bit numbers that looks random.
pub(crate) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// A random number as a fraction in [0, 1).
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(seed: u64, rates: Rates, count: usize) -> Vec<Fate> {
        let dice = Dice::new(seed, rates);
        (0..count).map(|_| dice.throw()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_run() {
        let rates = Rates { throttle: 0.1, reject: 0.1, lose_reply: 0.1 };
        assert_eq!(fates(7, rates, 500), fates(7, rates, 500));
        assert_ne!(fates(7, rates, 500), fates(8, rates, 500));
    }

    #[test]
    fn rates_are_met_roughly_and_the_extremes_exactly() {
        let half = fates(1, Rates { reject: 0.5, ..Rates::default() }, 10_000);
        let rejected = half.iter().filter(|fate| matches!(fate, Fate::Rejected(_))).count();
        assert!((4_700..5_300).contains(&rejected), "{rejected}");
        let always = fates(1, Rates { throttle: 1.0, ..Rates::default() }, 1_000);
        assert!(always.iter().all(|fate| matches!(fate, Fate::Throttled { .. })));
        assert!(fates(1, Rates::default(), 1_000).iter().all(|fate| *fate == Fate::Normal));
    }
}
