//! Which recipients and senders stand for which fate, in the fake and in the simulator alike.
//!
//! Twilio's magic test numbers (Twilio Docs: Test credentials) decide the answer to the request. What happens to
//! an accepted message is decided by the recipient's last digits, never by chance, so that totals can be predicted:
//!
//! | recipient | fate |
//! |---|---|
//! | `…55` + `30003`, `30004`, `30005`, `30006`, `30007`, `30008`, `30036` | `sent`, then `undelivered` with that code |
//! | `…55` + `30001`, `30034`, `63016`, `63024`, `63049` | `failed` with that code, never `sent` |
//! | `…5500000` | `sent` for ever: a network without receipts |
//! | `bounced@…` (e-mail) | `sent`, then `undelivered` |
//! | any other | `sent`, then `delivered` |
//!
//! For example `+61415530003` is a phone that is switched off.

use crate::{message::Channel, status::ProviderStatus};

/// A number that Twilio's test credentials always accept; here also the one a messaging service sends from.
pub(crate) const VALID_SENDER: &str = "+15005550006";

/// Twilio's limit for `Body`, in characters.
pub(crate) const MAXIMUM_BODY_CHARACTERS: usize = 1600;

/// Twilio's limit of attachments.
pub(crate) const MAXIMUM_MEDIA: usize = 10;

/// What a request to create a message holds, as far as its acceptance depends on it. Addresses are plain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) channel: Channel,
    pub(crate) to: &'a str,
    pub(crate) from: Option<&'a str>,
    /// The channel of the sender's address, which Twilio wants to be the recipient's.
    pub(crate) from_channel: Channel,
    pub(crate) has_messaging_service: bool,
    pub(crate) body: &'a str,
    pub(crate) media: usize,
    pub(crate) has_template: bool,
}

/// Twilio's verdict on a request: `Err` with the error code when it is refused.
pub(crate) fn judge(request: &Request<'_>) -> Result<(), u32> {
    if request.to.is_empty() {
        return Err(21604);
    }
    judge_content(request)?;
    if request.from.is_none() && !request.has_messaging_service {
        return Err(21603);
    }
    if request.channel == Channel::Email {
        return if request.to.contains('@') { Ok(()) } else { Err(21211) };
    }
    judge_recipient(request.to)?;
    match request.from {
        Some(from) => judge_sender(from, request),
        None => Ok(()),
    }
}

fn judge_content(request: &Request<'_>) -> Result<(), u32> {
    if request.body.is_empty() && request.media == 0 && !request.has_template {
        return Err(21602);
    }
    // Bytes bound characters from above, so that most texts need no counting.
    if request.body.len() > MAXIMUM_BODY_CHARACTERS && request.body.chars().count() > MAXIMUM_BODY_CHARACTERS
    {
        return Err(21617);
    }
    if request.media > MAXIMUM_MEDIA { Err(21623) } else { Ok(()) }
}

fn judge_recipient(to: &str) -> Result<(), u32> {
    match to {
        "+15005550001" => Err(21211),
        "+15005550002" => Err(21612),
        "+15005550003" => Err(21408),
        "+15005550004" => Err(21610),
        "+15005550009" => Err(21614),
        _ if is_e164(to) => Ok(()),
        _ => Err(21211),
    }
}

fn judge_sender(from: &str, request: &Request<'_>) -> Result<(), u32> {
    match from {
        "+15005550001" => return Err(21212),
        "+15005550007" => return Err(21606),
        "+15005550008" => return Err(21611),
        _ => {}
    }
    if request.from_channel != request.channel {
        return Err(21910);
    }
    if !(is_e164(from) || request.channel == Channel::Sms && (is_short_code(from) || is_sender_name(from))) {
        return Err(21212);
    }
    if from == request.to { Err(21266) } else { Ok(()) }
}

/// `+`, a first digit other than 0, 7 to 15 digits in all (ITU-T E.164).
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_short_code(sender: &str) -> bool {
    (3..=8).contains(&sender.len()) && sender.bytes().all(|byte| byte.is_ascii_digit())
}

/// An alphanumeric sender: up to 11 letters, digits, spaces and a few signs, at least one of them a letter.
fn is_sender_name(sender: &str) -> bool {
    sender.len() <= 11
        && sender.bytes().any(|byte| byte.is_ascii_alphabetic())
        && sender.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" +-_&".contains(&byte))
}

/// How an accepted message ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Whether the message gets as far as `sent`.
    pub(crate) sent: bool,
    /// The last status after that; `None` when `sent` is the last.
    pub(crate) last: Option<ProviderStatus>,
    pub(crate) error_code: Option<u32>,
}

/// The ending that a recipient's address stands for.
pub(crate) fn ending(to: &str) -> Ending {
    let (sent, last, error_code) = match suffix_code(to) {
        Some(code @ (30003..=30008 | 30036)) => (true, Some(ProviderStatus::Undelivered), Some(code)),
        Some(code @ (30001 | 30034 | 63016 | 63024 | 63049)) => {
            (false, Some(ProviderStatus::Failed), Some(code))
        }
        Some(0) => (true, None, None),
        _ if to.starts_with("bounced@") => (true, Some(ProviderStatus::Undelivered), None),
        _ => (true, Some(ProviderStatus::Delivered), None),
    };
    Ending { sent, last, error_code }
}

/// The five digits after `55` at the end of a number.
fn suffix_code(to: &str) -> Option<u32> {
    let suffix = to.get(to.len().checked_sub(7)?..)?;
    suffix.strip_prefix("55").filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(from: &'a str, to: &'a str) -> Request<'a> {
        Request {
            channel: Channel::Sms,
            to,
            from: Some(from),
            from_channel: Channel::Sms,
            has_messaging_service: false,
            body: "hello",
            media: 0,
            has_template: false,
        }
    }

    #[test]
    fn addresses_are_judged_as_twilio_judges_them() {
        let cases = [
            (VALID_SENDER, "+15005550001", Err(21211)),
            (VALID_SENDER, "+15005550002", Err(21612)),
            (VALID_SENDER, "+15005550003", Err(21408)),
            (VALID_SENDER, "+15005550004", Err(21610)),
            (VALID_SENDER, "+15005550009", Err(21614)),
            (VALID_SENDER, "0412345678", Err(21211)),
            (VALID_SENDER, "", Err(21604)),
            (VALID_SENDER, VALID_SENDER, Err(21266)),
            ("+15005550001", "+61412345678", Err(21212)),
            ("+15005550007", "+61412345678", Err(21606)),
            ("+15005550008", "+61412345678", Err(21611)),
            ("not a number at all", "+61412345678", Err(21212)),
            (VALID_SENDER, "+61412345678", Ok(())),
            ("Ace Plumbing", "+61412345678", Err(21212)),
            ("AcePlumbing", "+61412345678", Ok(())),
            ("12345", "+61412345678", Ok(())),
        ];
        for (from, to, verdict) in cases {
            assert_eq!(judge(&request(from, to)), verdict, "{from} -> {to}");
        }
    }

    #[test]
    fn content_is_judged_before_the_sender() {
        let base = request(VALID_SENDER, "+61412345678");
        assert_eq!(judge(&Request { body: "", ..base }), Err(21602));
        assert_eq!(judge(&Request { body: "", media: 1, ..base }), Ok(()));
        assert_eq!(judge(&Request { body: "", has_template: true, ..base }), Ok(()));
        assert_eq!(judge(&Request { body: &"é".repeat(1600), ..base }), Ok(()));
        assert_eq!(judge(&Request { body: &"é".repeat(1601), ..base }), Err(21617));
        assert_eq!(judge(&Request { from: None, ..base }), Err(21603));
        assert_eq!(judge(&Request { from: None, has_messaging_service: true, ..base }), Ok(()));
        assert_eq!(judge(&Request { channel: Channel::Whatsapp, ..base }), Err(21910));
    }

    #[test]
    fn endings_follow_the_last_digits() {
        let code = |to: &str| (ending(to).sent, ending(to).last, ending(to).error_code);
        assert_eq!(code("+61415530003"), (true, Some(ProviderStatus::Undelivered), Some(30003)));
        assert_eq!(code("+61415530034"), (false, Some(ProviderStatus::Failed), Some(30034)));
        assert_eq!(code("+61415500000"), (true, None, None));
        assert_eq!(code("+61415530002"), (true, Some(ProviderStatus::Delivered), None));
        assert_eq!(code("+61412345678"), (true, Some(ProviderStatus::Delivered), None));
        assert_eq!(code("bounced@example.com"), (true, Some(ProviderStatus::Undelivered), None));
        assert_eq!(code("é"), (true, Some(ProviderStatus::Delivered), None));
    }
}
