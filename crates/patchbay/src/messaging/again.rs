//! When another attempt is made of what the carrier refused for now, or failed later.
//!
//! Follows the policy of the carrier's code ([`Retry`]) and adds only a bound. Does not: say whether the message may have
//! arrived; who asks knows that it has not.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_providers::{Retry, errors};
use patchbay_rules::calendar;

use super::dispatcher::pause;

/// Attempts after which "later" becomes "failed", where the code sets no bound of its own.
const MOST_ATTEMPTS: i32 = 8;

/// Where US carriers count their days (Twilio Docs: error 30023).
const CARRIERS_DAY: chrono_tz::Tz = chrono_tz::America::Los_Angeles;

/// The next attempt after `tried` of them, or `None` if there is none. `told` is the wait that the carrier asked for.
pub(super) fn next(
    policy: Retry,
    tried: i32,
    told: Option<Duration>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    match policy {
        Retry::Never | Retry::AfterReconciliation => None,
        Retry::BackOff => (tried < MOST_ATTEMPTS).then(|| now + pause(tried, told)),
        Retry::After { seconds, attempts } => (tried <= i32::from(attempts)).then(|| {
            let told = told.and_then(|told| TimeDelta::from_std(told).ok()).unwrap_or_default();
            now + TimeDelta::seconds(i64::from(seconds)).max(told)
        }),
        Retry::NextPacificDay => (tried < MOST_ATTEMPTS).then(|| calendar::next_midnight(now, CARRIERS_DAY)),
    }
}

/// The policy for an answer that proves that nothing was accepted: that of its code, and to try again later without one.
pub(super) fn policy(code: Option<u32>) -> Retry {
    match code.and_then(errors::explain).map(|entry| entry.retry) {
        None | Some(Retry::Never | Retry::AfterReconciliation) => Retry::BackOff,
        Some(policy) => policy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_waits_and_its_end() {
        let now: DateTime<Utc> = "2026-03-02T10:00:00Z".parse().expect("a time");
        let minutes = |minutes| Some(now + TimeDelta::minutes(minutes));
        let of = |code| errors::explain(code).expect("a known code").retry;
        for (code, tried, expected) in [
            (30008, 1, minutes(15)),
            (30008, 2, None),
            (30003, 1, minutes(240)),
            (30003, 2, minutes(240)),
            (30003, 3, None),
            (30001, 3, minutes(60)),
            (30001, 4, None),
            // Midnight in Los Angeles, where it is two in the morning.
            (30023, 1, minutes(22 * 60)),
            (30027, 7, minutes(22 * 60)),
            (30027, 8, None),
            (30005, 1, None),
            (20500, 1, None),
        ] {
            assert_eq!(next(of(code), tried, None, now), expected, "{code} after {tried}");
        }
        let told = next(policy(Some(20429)), 1, Some(Duration::from_secs(120)), now);
        assert_eq!(told, minutes(2), "as long as the carrier asked for");
        assert_eq!(policy(None), Retry::BackOff);
    }
}
