//! What Twilio's error codes mean, and what may be done about them.
//!
//! One table (Twilio Docs: Error and Warning Dictionary): code → class, a sentence that a plumber understands,
//! a retry policy, and the part of the message to look at. It is data, so that a new code is one line.
//!
//! From the class and the part follows what else must wait ([`Hold`]), and from the code when an address counts as out
//! of reach ([`strikes`]).
//!
//! It does not decide. A code that is not here is never retried and is shown with the carrier's own words:
//! Twilio changes codes without notice, and doing nothing is the only safe guess.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Who has to do something, and whether anything can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// This message will never reach this recipient this way.
    Permanent,
    /// Nothing is wrong with the recipient: the account, a template or a permission must be put right. Pause.
    Configuration,
    /// The sending number or name cannot be used. Other senders may work.
    Sender,
    /// The recipient said stop. Record it as authoritative; never send again.
    OptOut,
    /// Time alone may help.
    RetryLater,
}

/// When another attempt of the same message is allowed.
///
/// For a code in a status callback the carrier had accepted the message and then failed it, so a retry is a new
/// message; the attempts are counted per message, whichever way the code arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    Never,
    /// Exponential back-off with full jitter, capped at a minute, while the caller's budget lasts.
    BackOff,
    /// Wait at least this many seconds before each of so many further attempts.
    After {
        seconds: u32,
        attempts: u8,
    },
    /// After the next midnight in US Pacific time, when carriers reset their daily caps.
    NextPacificDay,
    /// Not before the carrier's list of messages has shown that this one is not there.
    AfterReconciliation,
}

impl Retry {
    /// The wait that the policy itself fixes before the first further attempt.
    pub const fn first_delay(self) -> Option<Duration> {
        match self {
            Self::After { seconds, .. } => Some(Duration::from_secs(seconds as u64)),
            _ => None,
        }
    }
}

/// The part of a message or account that an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    To,
    From,
    Body,
    Media,
    Template,
    StatusCallback,
    Account,
}

/// What must wait until a person has put something right, beside the message that met the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Everything that leaves through the account.
    Account,
    /// Everything that leaves from the same number or name.
    Sender,
}

impl Hold {
    /// What an error of this class about this part holds. A permission, a template or a text concerns the messages that
    /// need it, and those fail one by one.
    pub const fn of(class: ErrorClass, field: Option<Field>) -> Option<Self> {
        match (class, field) {
            (Configuration, Some(Account)) => Some(Self::Account),
            (Sender, _) => Some(Self::Sender),
            _ => None,
        }
    }
}

/// The numbers that a held sender cannot reach, by what they begin with; `None` for all. A missing registration in the US
/// holds what goes to +1 (Twilio Docs: errors 30033 to 30035).
pub const fn held_towards(code: Option<u32>) -> Option<&'static str> {
    match code {
        Some(30033..=30035) => Some("+1"),
        _ => None,
    }
}

/// After how many messages that were given up with this code an address counts as out of reach; `None` for codes that
/// say nothing about the address. Several are counted within [`STRIKES_WITHIN`].
pub const fn strikes(code: u32) -> Option<u8> {
    match code {
        21211 | 21614 | 21635 | 30006 | 63024 => Some(1),
        30005 => Some(2),
        30003 => Some(3),
        _ => None,
    }
}

/// How far apart failures may lie that are counted together.
pub const STRIKES_WITHIN: Duration = Duration::from_secs(30 * DAY as u64);

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorEntry {
    pub code: u32,
    pub class: ErrorClass,
    pub retry: Retry,
    pub field: Option<Field>,
    /// One or two sentences in plain words.
    pub words: &'static str,
}

/// Looks a code up; `None` for one the table does not hold.
pub fn explain(code: u32) -> Option<&'static ErrorEntry> {
    TABLE.binary_search_by_key(&code, |entry| entry.code).ok().map(|at| &TABLE[at])
}

/// The whole table, in the order of the codes, for documentation pages and tests.
pub const fn table() -> &'static [ErrorEntry] {
    TABLE
}

/// The sentence for a code (or its absence) that nobody has explained yet.
pub(crate) fn unknown_words(code: Option<u32>, carrier_words: &str) -> String {
    let carrier_words = carrier_words.trim();
    match (code, carrier_words.is_empty()) {
        (Some(code), true) => format!("The carrier refused the message with code {code}."),
        (Some(code), false) => format!("The carrier refused the message with code {code}: {carrier_words}"),
        (None, true) => "The carrier refused the message without saying why.".to_owned(),
        (None, false) => format!("The carrier refused the message: {carrier_words}"),
    }
}

const fn entry(
    code: u32,
    class: ErrorClass,
    retry: Retry,
    field: Option<Field>,
    words: &'static str,
) -> ErrorEntry {
    ErrorEntry { code, class, retry, field, words }
}

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

use ErrorClass::{Configuration, OptOut, Permanent, RetryLater, Sender};
use Field::{Account, Body, From, Media, StatusCallback, Template, To};
use Retry::{AfterReconciliation, BackOff, Never, NextPacificDay};

const fn after(seconds: u32, attempts: u8) -> Retry {
    Retry::After { seconds, attempts }
}

#[rustfmt::skip]
static TABLE: &[ErrorEntry] = &[
    // Answers to the request itself.
    entry(20003, Configuration, Never, Some(Account), "Twilio does not accept the account's credentials. Check the account SID and the token or API key."),
    entry(20005, Configuration, Never, Some(Account), "The Twilio account is not active. Sign in to Twilio to see why."),
    entry(20404, Configuration, Never, Some(Account), "Twilio does not know this account or message. Check the account SID."),
    entry(20429, RetryLater, BackOff, Some(Account), "Twilio asks us to slow down. The message goes out a little later."),
    entry(20500, RetryLater, AfterReconciliation, None, "Twilio had an internal problem. We check whether the message went out before trying again."),
    entry(20503, RetryLater, AfterReconciliation, None, "Twilio was not available. We check whether the message went out before trying again."),
    entry(21211, Permanent, Never, Some(To), "This is not a valid phone number."),
    entry(21212, Sender, Never, Some(From), "The sending number is not valid."),
    entry(21266, Permanent, Never, Some(To), "The message is addressed to the number it is sent from."),
    entry(21408, Configuration, Never, Some(To), "The Twilio account may not send to this country. Allow it under Geo permissions in Twilio."),
    entry(21601, Permanent, Never, Some(To), "This number cannot receive text messages from the sending number."),
    entry(21602, Permanent, Never, Some(Body), "The message has no text."),
    entry(21603, Sender, Never, Some(From), "The message has no sender. Choose a number or a messaging service."),
    entry(21604, Permanent, Never, Some(To), "The message has no recipient."),
    entry(21606, Sender, Never, Some(From), "The sending number cannot send text messages, or does not belong to this Twilio account."),
    entry(21608, Configuration, Never, Some(To), "A Twilio trial account can only write to numbers verified in Twilio. Verify this number or upgrade the account."),
    entry(21609, Configuration, Never, Some(StatusCallback), "Twilio does not accept the address for delivery reports. Check the public address in the settings."),
    entry(21610, OptOut, Never, Some(To), "This person replied STOP. They must text START before they can be written to again."),
    entry(21611, RetryLater, after(10 * MINUTE, 6), Some(From), "The sending number already has ten hours of messages waiting. We try again later, more slowly."),
    entry(21612, Permanent, Never, Some(To), "This number cannot be reached from the sending number."),
    entry(21614, Permanent, Never, Some(To), "This is not a mobile number, so it cannot receive text messages."),
    entry(21617, Permanent, Never, Some(Body), "The text is longer than 1,600 characters."),
    entry(21619, Permanent, Never, Some(Body), "The message has neither text nor media nor a template."),
    entry(21620, Permanent, Never, Some(Media), "The address of the picture or file is not valid."),
    entry(21623, Permanent, Never, Some(Media), "The message has too many pictures or files; ten are allowed."),
    entry(21635, Permanent, Never, Some(To), "This is a landline, which cannot receive text messages."),
    entry(21654, Configuration, Never, Some(Template), "The message template does not exist at Twilio."),
    entry(21655, Configuration, Never, Some(Template), "The message template's id is not valid."),
    entry(21656, Configuration, Never, Some(Template), "The values for the message template are not valid."),
    entry(21659, Sender, Never, Some(From), "The sending number does not belong to this Twilio account."),
    entry(21660, Sender, Never, Some(From), "The sending number belongs to another Twilio account or another country."),
    entry(21703, Sender, Never, Some(From), "The messaging service has no numbers. Add one in Twilio."),
    entry(21704, Sender, Never, Some(From), "The messaging service has no number that can send this message."),
    entry(21705, Sender, Never, Some(From), "The messaging service does not exist in this Twilio account."),
    entry(21910, Configuration, Never, Some(From), "Sender and recipient do not fit together: one is WhatsApp, the other is not."),
    // Failures reported later, by status callback.
    entry(30001, RetryLater, after(HOUR, 3), Some(From), "Too many messages were waiting at the carrier. We try again later, more slowly."),
    entry(30002, Configuration, Never, Some(Account), "The Twilio account is suspended. Sign in to Twilio to see why."),
    entry(30003, RetryLater, after(4 * HOUR, 2), Some(To), "The phone could not be reached: switched off, out of coverage or abroad."),
    entry(30004, Permanent, Never, Some(To), "The message was blocked by the recipient or their carrier."),
    entry(30005, Permanent, Never, Some(To), "This number is unknown or no longer in use."),
    entry(30006, Permanent, Never, Some(To), "This is a landline or a number whose carrier cannot deliver text messages."),
    entry(30007, Configuration, Never, Some(Body), "The message was filtered as unwanted. Change the text before sending more like it."),
    entry(30008, RetryLater, after(15 * MINUTE, 1), None, "The message failed and the carrier did not say why."),
    entry(30009, RetryLater, after(15 * MINUTE, 1), Some(Body), "A part of the message was lost on the way."),
    entry(30010, Permanent, Never, Some(Account), "The message would cost more than the allowed price."),
    entry(30017, RetryLater, after(15 * MINUTE, 2), None, "The recipient's carrier is congested. We try again later."),
    entry(30018, Permanent, Never, Some(To), "The recipient's carrier does not accept messages for this destination."),
    entry(30022, RetryLater, after(5 * MINUTE, 3), Some(From), "The sending number went over its rate for US carriers. We try again, more slowly."),
    entry(30023, RetryLater, NextPacificDay, Some(From), "The sending number reached its daily limit for US carriers. The rest goes out tomorrow."),
    entry(30024, Sender, Never, Some(From), "The sending number is not set up with the carrier yet."),
    entry(30027, RetryLater, NextPacificDay, Some(From), "T-Mobile's daily limit for this business is used up. The rest goes out tomorrow."),
    entry(30032, Sender, Never, Some(From), "The toll-free number is not verified. Finish its verification in Twilio."),
    entry(30033, Sender, Never, Some(From), "The number's US registration is suspended. Sign in to Twilio to see why."),
    entry(30034, Sender, Never, Some(From), "The sending number is not registered for business messages in the US. Register it in Twilio."),
    entry(30035, Sender, Never, Some(From), "The number's US registration is not finished. Wait until Twilio shows it as ready."),
    entry(30036, Permanent, Never, None, "The message could not be delivered before its time ran out."),
    entry(30039, Permanent, Never, None, "Two machines were answering each other, so the carrier stopped it. Turn automatic replies off for this conversation."),
    entry(30409, Permanent, Never, None, "The message can no longer be canceled."),
    entry(30410, RetryLater, after(15 * MINUTE, 1), None, "The carrier took too long to answer."),
    entry(30500, RetryLater, after(15 * MINUTE, 1), None, "The carrier had an internal problem."),
    // WhatsApp and other channels.
    entry(63001, Sender, Never, Some(From), "WhatsApp does not accept the sender's credentials. Check the WhatsApp sender in Twilio."),
    entry(63002, Configuration, Never, Some(From), "WhatsApp does not accept the request. Check the WhatsApp sender in Twilio."),
    entry(63003, Configuration, Never, Some(From), "WhatsApp did not find what the request names. Check the WhatsApp sender in Twilio."),
    entry(63004, RetryLater, after(15 * MINUTE, 1), None, "WhatsApp could not handle the request right now."),
    entry(63005, RetryLater, after(15 * MINUTE, 1), None, "WhatsApp had an internal problem."),
    entry(63007, Sender, Never, Some(From), "The sending number is not set up for WhatsApp."),
    entry(63015, Configuration, Never, Some(To), "The recipient has not joined the WhatsApp sandbox."),
    entry(63016, Permanent, Never, Some(Template), "More than 24 hours have passed since this person last wrote, so WhatsApp only allows an approved template."),
    entry(63018, RetryLater, BackOff, Some(From), "WhatsApp asks us to slow down. The message goes out a little later."),
    entry(63019, Permanent, Never, Some(Media), "WhatsApp could not load the picture or file."),
    entry(63021, Permanent, Never, Some(Body), "WhatsApp does not accept the content: longer than 1,024 characters once filled in, or a part it does not support."),
    entry(63024, Permanent, Never, Some(To), "This number is not on WhatsApp."),
    entry(63027, Configuration, Never, Some(Template), "The WhatsApp template does not exist in this language."),
    entry(63028, Configuration, Never, Some(Template), "The WhatsApp template was given the wrong number of values."),
    entry(63029, Configuration, Never, Some(Template), "The WhatsApp template's format does not fit."),
    entry(63032, Permanent, Never, Some(To), "WhatsApp does not deliver to this person at the moment."),
    entry(63038, RetryLater, after(DAY, 1), Some(Account), "The Twilio account reached its daily message limit. The rest goes out tomorrow."),
    entry(63040, Configuration, Never, Some(Template), "WhatsApp rejected this template."),
    entry(63041, Configuration, Never, Some(Template), "WhatsApp paused this template because too many people complained about it."),
    entry(63042, Configuration, Never, Some(Template), "WhatsApp disabled this template."),
    entry(63049, Permanent, Never, Some(To), "WhatsApp chose not to deliver this marketing message to this person. Nobody did anything wrong; try again in some days."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Outcome, Refusal};

    #[test]
    fn the_table_is_sorted_without_doubles() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn every_documented_code_is_found_with_its_class() {
        let vectors: &[(ErrorClass, &[u32])] = &[
            (Permanent, &[21211, 21266, 21601, 21612, 21614, 21602, 21617, 21619, 21620, 21623, 21635]),
            (Permanent, &[30004, 30005, 30006, 30010, 30018, 30036, 30039]),
            (Permanent, &[63016, 63019, 63021, 63024, 63032, 63049]),
            (Configuration, &[20003, 20005, 20404, 21408, 21608, 21609, 21654, 21655, 21656]),
            (Configuration, &[21910, 30002, 30007, 63015]),
            (Configuration, &[63027, 63028, 63029, 63040, 63041, 63042]),
            (Sender, &[21212, 21606, 21659, 21660, 21703, 21704, 21705]),
            (Sender, &[30024, 30032, 30033, 30034, 30035, 63001, 63007]),
            (OptOut, &[21610]),
            (RetryLater, &[20429, 20500, 20503, 21611, 30001, 30003, 30008, 30009, 30017, 30022, 30023]),
            (RetryLater, &[30027, 30410, 30500, 63005, 63018, 63038]),
        ];
        for (class, codes) in vectors {
            for code in *codes {
                assert_eq!(explain(*code).map(|entry| entry.class), Some(*class), "{code}");
            }
        }
    }

    #[test]
    fn only_what_time_can_help_is_retried() {
        for entry in TABLE {
            assert_eq!(entry.retry == Never, entry.class != RetryLater, "{}", entry.code);
        }
    }

    #[test]
    fn only_what_concerns_others_holds_them() {
        let holds = |code| {
            let entry = explain(code).expect("a known code");
            Hold::of(entry.class, entry.field)
        };
        for (codes, expected) in [
            (&[20003, 20005, 20404, 30002][..], Some(Hold::Account)),
            (&[21212, 21606, 21659, 21660, 21703, 30024, 30032, 30034, 63007], Some(Hold::Sender)),
            (&[21408, 21608, 21609, 21654, 30007, 63015, 63041], None),
            (&[21211, 21610, 21614, 20429, 30003, 30008, 63016], None),
        ] {
            for code in codes {
                assert_eq!(holds(*code), expected, "{code}");
            }
        }
        assert_eq!((held_towards(Some(30034)), held_towards(Some(21606))), (Some("+1"), None));
    }

    #[test]
    fn the_words_are_sentences_without_jargon() {
        for entry in TABLE {
            assert!(entry.words.ends_with('.') && entry.words.len() < 160, "{}", entry.code);
            assert!(!entry.words.contains("MSISDN") && !entry.words.contains("HTTP"), "{}", entry.code);
        }
    }

    #[test]
    fn an_unknown_code_is_shown_and_never_retried() {
        assert_eq!(explain(12345), None);
        let refusal = Refusal::from_code(Some(12345), "Strange days");
        assert_eq!((refusal.class, refusal.retry), (Permanent, Never));
        assert_eq!(refusal.detail, "The carrier refused the message with code 12345: Strange days");
        assert!(matches!(Outcome::from_code(None, ""), Outcome::Refused(_)));
    }

    #[test]
    fn a_full_queue_is_a_retry_with_a_wait() {
        let expected = Some(Duration::from_secs(600));
        assert!(
            matches!(Outcome::from_code(Some(21611), ""), Outcome::Retry { after, code: Some(21611), .. } if after == expected)
        );
    }
}
