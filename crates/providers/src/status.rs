//! Message states as Twilio names them, and which may follow which.
//!
//! Callbacks are separate requests: they come twice, late and out of order. A state therefore has a rank and a
//! message never goes down. The fold over any order of the same callbacks ends in the same rank.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A message's state at its carrier (Twilio Docs: Message resource, status values).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderStatus {
    Accepted,
    Scheduled,
    Queued,
    Sending,
    Sent,
    Delivered,
    Undelivered,
    Failed,
    Canceled,
    PartiallyDelivered,
    Read,
    /// Inbound only.
    Receiving,
    /// Inbound only.
    Received,
}

impl ProviderStatus {
    pub const ALL: [Self; 13] = [
        Self::Accepted,
        Self::Scheduled,
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Undelivered,
        Self::Failed,
        Self::Canceled,
        Self::PartiallyDelivered,
        Self::Read,
        Self::Receiving,
        Self::Received,
    ];

    /// Twilio's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::PartiallyDelivered => "partially_delivered",
            Self::Read => "read",
            Self::Receiving => "receiving",
            Self::Received => "received",
        }
    }

    /// How far along the state is, 0 to 5.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Accepted | Self::Scheduled | Self::Receiving => 0,
            Self::Queued => 1,
            Self::Sending => 2,
            Self::Sent => 3,
            Self::Delivered
            | Self::Undelivered
            | Self::Failed
            | Self::Canceled
            | Self::PartiallyDelivered
            | Self::Received => 4,
            Self::Read => 5,
        }
    }

    /// Whether news of `self` changes a message that is in `current`.
    ///
    /// Among equals the first wins, but for a late `delivered` after `undelivered`: a positive receipt is the
    /// better evidence.
    pub const fn supersedes(self, current: Self) -> bool {
        self.rank() > current.rank() || matches!((current, self), (Self::Undelivered, Self::Delivered))
    }

    /// Whether nothing but a late receipt can follow. `sent` is not final, though many networks stop there.
    pub const fn is_final(self) -> bool {
        self.rank() >= 4
    }
}

impl fmt::Display for ProviderStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for ProviderStatus {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(UnknownStatus)
    }
}

/// A status word that Twilio had not documented when the table was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a status that Twilio documents")]
pub struct UnknownStatus;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold(events: &[ProviderStatus]) -> ProviderStatus {
        events.iter().fold(
            ProviderStatus::Queued,
            |state, event| {
                if event.supersedes(state) { *event } else { state }
            },
        )
    }

    #[test]
    fn words_round_trip() {
        for status in ProviderStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("Delivered".parse::<ProviderStatus>(), Err(UnknownStatus));
    }

    #[test]
    fn a_late_receipt_beats_undelivered_and_nothing_else_among_equals() {
        use ProviderStatus::{Delivered, Failed, PartiallyDelivered, Read, Sent, Undelivered};
        assert!(Delivered.supersedes(Undelivered));
        assert!(!Undelivered.supersedes(Delivered));
        assert!(!Delivered.supersedes(Failed));
        assert!(!PartiallyDelivered.supersedes(Delivered));
        assert!(!Sent.supersedes(Delivered));
        assert!(Read.supersedes(Delivered));
    }

    proptest! {
        #[test]
        fn the_rank_never_falls_and_does_not_depend_on_the_order(
            events in proptest::collection::vec(proptest::sample::select(&ProviderStatus::ALL[..]), 0..8),
        ) {
            let mut reversed = events.clone();
            reversed.reverse();
            prop_assert_eq!(fold(&events).rank(), fold(&reversed).rank());
            let mut state = ProviderStatus::Queued;
            for event in events {
                let next = if event.supersedes(state) { event } else { state };
                prop_assert!(next.rank() >= state.rank());
                state = next;
            }
        }
    }
}
