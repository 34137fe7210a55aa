//! What a message is: its channel, direction, kind and status, and how a status may change.
//!
//! Promises: [`Status::advance`] is the only rule by which a report about a message changes it, and
//! folding reports with it never goes down, however late, doubled or shuffled they come.
//! Does not: translate a provider's words (the adapters do), or decide whether a message may be sent
//! (see [`crate::gates`]).

words! {
    /// The road a message takes.
    pub enum Channel {
        /// Text message.
        Sms = "sms",
        /// WhatsApp.
        Whatsapp = "whatsapp",
        /// E-mail.
        Email = "email",
    }
}

words! {
    /// Whether the business wrote or was written to.
    pub enum Direction {
        /// From a contact to the business.
        Inbound = "inbound",
        /// From the business.
        Outbound = "outbound",
    }
}

words! {
    /// Why an outbound message exists. The kind decides which gates bind it: see
    /// [`crate::gates::policy`].
    pub enum Kind {
        /// A person typing to one contact.
        Manual = "manual",
        /// Asked for by a program through the API.
        Api = "api",
        /// Tells a contact about a quote.
        Quote = "quote",
        /// One of many: the same offer to a segment.
        Campaign = "campaign",
        /// A step of an automated sequence.
        Sequence = "sequence",
        /// Reminds of an appointment, a job or a quote.
        Reminder = "reminder",
        /// Answers somebody who just wrote, without a person.
        AutoReply = "auto_reply",
        /// Tells an owner or a member of the business something.
        Notification = "notification",
        /// Confirms an opt-out or an opt-in.
        ConsentConfirmation = "consent_confirmation",
        /// Answers HELP.
        Help = "help",
        /// Tells a contact about money owed.
        Invoice = "invoice",
        /// Somebody trying out a template on a number of their choice.
        Test = "test",
    }
}

words! {
    /// Where a message stands.
    pub enum Status {
        /// Waiting to be sent, perhaps until a gate opens.
        Queued = "queued",
        /// Handed to the provider; no answer yet.
        Sending = "sending",
        /// The provider has it. Final where networks give no receipt.
        Sent = "sent",
        /// The handset has it.
        Delivered = "delivered",
        /// Somebody has opened it; implies delivered.
        Read = "read",
        /// The network gave up.
        Undelivered = "undelivered",
        /// The provider refused it for good.
        Failed = "failed",
        /// Handed over, the answer was lost: it may or may not be on its way.
        Unknown = "unknown",
        /// A gate said never. It was not sent.
        Blocked = "blocked",
        /// Taken back before it was sent.
        Canceled = "canceled",
        /// Inbound.
        Received = "received",
    }
}

impl Status {
    /// The step of the ladder a status stands on. Reports only ever lead up.
    const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sending => 1,
            Self::Unknown => 2,
            Self::Sent => 3,
            Self::Delivered | Self::Undelivered | Self::Failed | Self::Canceled | Self::Blocked => 4,
            Self::Read => 5,
            Self::Received => 6,
        }
    }

    /// What a message in this status becomes when it is reported to be `new`; `None` leaves it as it is.
    ///
    /// Status callbacks are separate requests that come late, twice and out of order (Twilio Docs:
    /// Outbound message status in status callbacks), so a report counts only if it stands higher:
    /// queued < sending < unknown < sent < delivered, undelivered, failed, canceled < read. Between
    /// equals the first one wins, except that a late delivery receipt corrects `undelivered`.
    ///
    /// `blocked` is the gates' word about a queued message and `received` that about an inbound one: no
    /// report leads to or from them. Leading a message *down* to `queued` again, once it is proven that
    /// the provider never accepted it, is a decision and not a report, and therefore not made here.
    pub const fn advance(self, new: Self) -> Option<Self> {
        let moves = match (self, new) {
            (Self::Queued, Self::Blocked) | (Self::Undelivered, Self::Delivered) => true,
            (Self::Blocked | Self::Received, _) | (_, Self::Blocked | Self::Received) => false,
            _ => new.rank() > self.rank(),
        };
        if moves { Some(new) } else { None }
    }

    /// Whether the handset is known to have the message.
    pub const fn is_delivered(self) -> bool {
        matches!(self, Self::Delivered | Self::Read)
    }

    /// Whether nothing more is expected to happen. `sent` is not final: a receipt may still come, or
    /// never.
    pub const fn is_final(self) -> bool {
        self.rank() >= Self::Delivered.rank()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_agree_with_serde_and_parse_back() {
        for &status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for &kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(serde_json::from_value::<Kind>(kind.as_str().into()).unwrap(), kind);
        }
        assert_eq!("SMS".parse::<Channel>().unwrap_err().to_string(), "\"SMS\" is not a Channel");
        assert_eq!(format!("[{:>9}]", Direction::Inbound), "[  inbound]");
    }

    #[test]
    fn reports_lead_up_and_never_down() {
        use Status::*;
        let moves = [
            (Queued, Sending, true),
            (Queued, Blocked, true),
            (Queued, Canceled, true),
            (Sending, Unknown, true),
            (Sending, Sent, true),
            (Unknown, Sending, false),
            (Unknown, Sent, true),
            (Unknown, Failed, true),
            (Unknown, Delivered, true),
            (Sent, Unknown, false),
            (Sent, Sending, false),
            (Sent, Delivered, true),
            (Delivered, Sent, false),
            (Delivered, Undelivered, false),
            (Undelivered, Delivered, true),
            (Failed, Delivered, false),
            (Failed, Read, true),
            (Delivered, Read, true),
            (Read, Delivered, false),
            (Sending, Blocked, false),
            (Blocked, Read, false),
            (Received, Read, false),
            (Queued, Received, false),
        ];
        for (from, to, allowed) in moves {
            assert_eq!(from.advance(to), allowed.then_some(to), "{from} -> {to}");
        }
        for &status in Status::ALL {
            assert_eq!(status.advance(status), None, "{status} twice");
        }
    }

    fn fold(start: Status, reports: &[Status]) -> Status {
        reports.iter().fold(start, |status, &report| status.advance(report).unwrap_or(status))
    }

    /// Reports about one message, with at most one kind of refusal among them: two different final
    /// refusals contradict each other, and then the first one wins by rule.
    fn consistent_reports() -> impl Strategy<Value = (Vec<Status>, Vec<Status>)> {
        use Status::*;
        let worlds = prop_oneof![
            Just(vec![Sending, Sent, Undelivered, Delivered, Read]),
            Just(vec![Sending, Unknown, Sent, Failed]),
            Just(vec![Sending, Sent, Failed, Read]),
            Just(vec![Sending, Sent, Canceled]),
        ];
        worlds.prop_flat_map(|world| {
            let reports = prop::collection::vec(prop::sample::select(world), 0..12);
            reports.prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle()))
        })
    }

    proptest! {
        #[test]
        fn the_order_of_reports_does_not_matter((reports, shuffled) in consistent_reports()) {
            prop_assert_eq!(fold(Status::Sending, &reports), fold(Status::Sending, &shuffled));
        }

        #[test]
        fn duplicates_change_nothing((reports, _) in consistent_reports()) {
            let doubled: Vec<_> = reports.iter().flat_map(|&report| [report, report]).collect();
            prop_assert_eq!(fold(Status::Queued, &reports), fold(Status::Queued, &doubled));
        }

        #[test]
        fn rank_never_falls(reports in prop::collection::vec(prop::sample::select(Status::ALL), 0..20)) {
            let mut status = Status::Queued;
            for report in reports {
                let next = status.advance(report).unwrap_or(status);
                prop_assert!(next.rank() >= status.rank());
                status = next;
            }
        }
    }
}
