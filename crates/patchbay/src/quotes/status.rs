//! Where a quote stands, and who may move it where.

use crate::error::Error;

/// draft → sent → viewed → accepted | rejected, and expired when its last day is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = QuoteStatus)]
pub enum Status {
    /// Its message has not left yet; or, held, somebody is still writing it.
    Draft,
    /// Its message was handed to a carrier.
    Sent,
    /// Somebody has looked at its page.
    Viewed,
    Accepted,
    Rejected,
    Expired,
}

impl Status {
    /// All of them, in the order of a quote's life.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Sent, Self::Viewed, Self::Accepted, Self::Rejected, Self::Expired];

    /// The word stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::Viewed => "viewed",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    /// The word on a screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Sent => "Sent",
            Self::Viewed => "Viewed",
            Self::Accepted => "Accepted",
            Self::Rejected => "Declined",
            Self::Expired => "Expired",
        }
    }

    /// Whether an answer is still to come.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Sent | Self::Viewed)
    }

    /// Whether the lead has answered.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Accepted | Self::Rejected)
    }

    /// Whether a member of the business may move a quote from here to `to` by hand: an answer given on the phone is
    /// noted, a draft that went out another way is marked sent, and what is closed can be opened again.
    pub fn may_become(self, to: Self) -> bool {
        match to {
            Self::Accepted | Self::Rejected => self.is_open() || self == Self::Expired,
            Self::Sent => matches!(self, Self::Draft | Self::Accepted | Self::Rejected | Self::Expired),
            Self::Draft | Self::Viewed | Self::Expired => false,
        }
    }
}

impl std::str::FromStr for Status {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(|| {
            Error::field("status", "Choose draft, sent, viewed, accepted, rejected or expired.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_parse_back_and_moves_are_few() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse::<Status>().unwrap(), status);
            assert!(!status.may_become(status), "{status:?}");
            assert!(
                !status.may_become(Status::Viewed)
                    && !status.may_become(Status::Draft)
                    && !status.may_become(Status::Expired)
            );
        }
        assert!(Status::Viewed.may_become(Status::Accepted));
        assert!(Status::Rejected.may_become(Status::Sent));
        assert!(!Status::Accepted.may_become(Status::Rejected));
        assert!("Sent".parse::<Status>().is_err());
    }
}
