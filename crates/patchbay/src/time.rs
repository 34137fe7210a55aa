//! The only clock. Everything that asks what time it is asks here, so that tests and simulations own time.
//! A lint bans the system clock elsewhere.

use chrono::{DateTime, Utc};

/// A source of the present instant (UTC).
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system clock")]
    fn now(&self) -> DateTime<Utc> {
        // PostgreSQL keeps microseconds; an instant must survive the round trip.
        chrono::SubsecRound::trunc_subsecs(Utc::now(), 6)
    }
}

/// A clock that stands still until it is moved. It starts at a real instant and only goes forward, because
/// defaults inside the database read the server's own clock.
#[cfg(test)]
pub struct TestClock(std::sync::Mutex<DateTime<Utc>>);

#[cfg(test)]
impl TestClock {
    /// A clock standing at the present.
    pub fn starting_now() -> Self {
        Self(std::sync::Mutex::new(SystemClock.now()))
    }

    /// Moves forward by `by`.
    pub fn advance(&self, by: chrono::Duration) {
        *self.0.lock().expect("clock lock") += by;
    }

    /// Jumps to `to`, which must not lie in the past of this clock.
    pub fn set(&self, to: DateTime<Utc>) {
        let mut now = self.0.lock().expect("clock lock");
        assert!(to >= *now, "a test clock only goes forward");
        *now = to;
    }
}

#[cfg(test)]
impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().expect("clock lock")
    }
}
