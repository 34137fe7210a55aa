use chrono::TimeDelta;

/// The pause after the `attempt`-th failure: exponential from two seconds up to an hour, with full jitter above
/// its lower half so that jobs that failed together do not come back together. `jitter` is in 0..1.
pub fn back_off(attempt: i32, jitter: f64) -> TimeDelta {
    let exponent = u32::try_from(attempt.clamp(1, 12)).unwrap_or(1);
    let ceiling = f64::from(2u32.pow(exponent)).min(3600.0);
    let seconds = ceiling * (0.5 + 0.5 * jitter.clamp(0.0, 1.0));
    TimeDelta::milliseconds((seconds * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_stays_within_an_hour() {
        assert_eq!(back_off(1, 0.0), TimeDelta::seconds(1));
        assert_eq!(back_off(1, 1.0), TimeDelta::seconds(2));
        assert!(back_off(5, 0.0) > back_off(4, 0.99));
        for attempt in [-1, 0, 12, 13, i32::MAX] {
            assert!(back_off(attempt, 1.0) <= TimeDelta::hours(1));
        }
    }
}
