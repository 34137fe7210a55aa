//! What an answer, or the lack of one, proves about a message.
//!
//! The line that matters runs between "certainly not accepted" and "who knows". An HTTP status from 400 to 499 is
//! Twilio's own no. A failure to connect means that no byte of the request was written. Everything else (a
//! timeout, a connection lost on the way, a 5xx, an answer that cannot be read) leaves the message unknown.

use std::time::Duration;

use chrono::DateTime;
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, RETRY_AFTER},
};

use super::resource::{Created, ErrorBody, is_message_sid};
use crate::{
    errors::{ErrorClass, Field, Retry},
    message::{Channel, Outcome, ProviderError, Refusal},
    status::ProviderStatus,
};

/// No carrier means to make us wait longer than this; a larger `Retry-After` is cut.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The outcome of a create request that was answered in full.
pub(super) fn created(status: StatusCode, wait: Option<Duration>, body: &[u8]) -> Outcome {
    match status.as_u16() {
        200..=299 => accepted(status, body),
        429 => throttled(wait, body),
        408 | 500..=599 => Outcome::unknown(format!(
            "The carrier answered with an error of its own ({status}); the message may have gone out."
        )),
        _ => refused(status, body),
    }
}

/// The outcome of a create request whose answer broke off after its head.
pub(super) fn truncated(status: StatusCode, wait: Option<Duration>) -> Outcome {
    match status.as_u16() {
        // The reason is lost, and the reason decides; that nothing was accepted is certain. So ask again.
        400..=407 | 409..=428 | 430..=499 => {
            Outcome::retry("The carrier refused the message, but the connection broke before it said why.")
        }
        _ => created(status, wait, b""),
    }
}

/// The outcome of a create request that got no answer.
pub(super) fn unanswered(error: &reqwest::Error) -> Outcome {
    if error.is_builder() {
        // Never left the house: the address or the credentials cannot be put into a request.
        return Outcome::Refused(Refusal::configuration(
            "The Twilio account's settings cannot be used in a request. Check its credentials and address.",
            Field::Account,
        ));
    }
    if error.is_connect() {
        return Outcome::retry(format!("The carrier could not be reached: {}.", root_cause(error)));
    }
    if error.is_timeout() {
        return Outcome::unknown("The carrier took too long to answer; the message may have gone out.");
    }
    Outcome::unknown(format!(
        "The connection to the carrier broke ({}); the message may have gone out.",
        root_cause(error)
    ))
}

fn accepted(status: StatusCode, body: &[u8]) -> Outcome {
    let created = match serde_json::from_slice::<Created<'_>>(body) {
        Ok(created) if is_message_sid(&created.sid) => created,
        _ => {
            return Outcome::unknown(format!(
                "The carrier said yes ({status}) without a message id that can be read."
            ));
        }
    };
    Outcome::Accepted {
        provider_message_id: created.sid.into_owned(),
        // "0" means that no sender was chosen yet, so that nobody can count.
        segments: created.num_segments.and_then(|count| count.parse().ok()).filter(|count| *count > 0),
        from: created.from.map(|from| Channel::split(&from).1.to_owned()),
        status: created.status.and_then(|word| word.parse().ok()).unwrap_or(ProviderStatus::Accepted),
    }
}

fn throttled(wait: Option<Duration>, body: &[u8]) -> Outcome {
    let code = ErrorBody::read(body).code.unwrap_or(20429);
    let detail = Refusal::from_code(Some(20429), "").detail;
    Outcome::Retry { after: wait, code: Some(code), detail }
}

fn refused(status: StatusCode, body: &[u8]) -> Outcome {
    let error = ErrorBody::read(body);
    let words = error.message.unwrap_or_default();
    match status.as_u16() {
        // Whatever the code, these are about the account and not about the message.
        401 => Outcome::Refused(account_refusal(error.code.or(Some(20003)), &words)),
        403 => Outcome::Refused(account_refusal(error.code, &words)),
        404 => Outcome::from_code(error.code.or(Some(20404)), &words),
        300..=399 => Outcome::Refused(account_refusal(None, "its address answers with a redirect")),
        _ if words.is_empty() && error.code.is_none() => {
            Outcome::from_code(None, &format!("it answered {status}"))
        }
        _ => Outcome::from_code(error.code, &words),
    }
}

fn account_refusal(code: Option<u32>, words: &str) -> Refusal {
    let refusal = Refusal::from_code(code, words);
    match refusal.class {
        ErrorClass::Configuration => refusal,
        _ => Refusal {
            class: ErrorClass::Configuration,
            retry: Retry::Never,
            field: Some(Field::Account),
            ..refusal
        },
    }
}

/// Why a question (not a message) got no usable answer.
pub(super) fn not_told(status: StatusCode, wait: Option<Duration>, body: &[u8]) -> ProviderError {
    match status.as_u16() {
        429 => ProviderError::Throttled { after: wait },
        400..=407 | 409..=499 => match refused(status, body) {
            Outcome::Refused(refusal) => ProviderError::Refused(refusal),
            _ => ProviderError::Unreachable(format!("it answered {status}")),
        },
        _ => ProviderError::Unreachable(format!("it answered {status}")),
    }
}

/// Reads `Retry-After`: seconds, or an HTTP date, which counts from the answer's own `Date`.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(value).ok()?;
            let now = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
            (until - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The innermost reason: "Connection refused" says more than "error sending request", and holds no URL.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if std::ptr::addr_eq(cause, error) { "no reason given".to_owned() } else { cause.to_string() }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn outcome(status: u16, body: &str) -> Outcome {
        created(StatusCode::from_u16(status).expect("a status"), None, body.as_bytes())
    }

    fn refusal(status: u16, body: &str) -> (ErrorClass, Option<u32>) {
        match outcome(status, body) {
            Outcome::Refused(refusal) => (refusal.class, refusal.code),
            other => panic!("{status} {body}: {other:?}"),
        }
    }

    const SID: &str = "SM0123456789abcdef0123456789abcdef";

    #[test]
    fn a_yes_needs_a_message_id() {
        let body = format!(
            r#"{{"sid":"{SID}","status":"queued","num_segments":"2","from":"whatsapp:+1500","x":1}}"#
        );
        let expected = Outcome::Accepted {
            provider_message_id: SID.to_owned(),
            segments: Some(2),
            from: Some("+1500".to_owned()),
            status: ProviderStatus::Queued,
        };
        assert_eq!(outcome(201, &body), expected);
        let pooled = format!(r#"{{"sid":"{SID}","status":"accepted","num_segments":"0","from":null}}"#);
        let Outcome::Accepted { segments: None, from: None, .. } = outcome(201, &pooled) else {
            panic!("a messaging service has not chosen yet")
        };
        for body in ["", "{}", "<html>", r#"{"sid":"nonsense"}"#, &format!(r#"{{"sid":"{SID}"#)] {
            assert!(matches!(outcome(201, body), Outcome::Unknown { .. }), "{body}");
        }
    }

    #[test]
    fn errors_of_the_carrier_leave_the_message_unknown() {
        for status in [408, 500, 502, 503, 504, 599] {
            for body in ["", "<html>Bad gateway</html>", r#"{"code":20500,"message":"x","status":500}"#] {
                assert!(matches!(outcome(status, body), Outcome::Unknown { .. }), "{status} {body}");
            }
        }
    }

    #[test]
    fn refusals_follow_code_and_status() {
        use ErrorClass::{Configuration, OptOut, Permanent};
        assert_eq!(refusal(400, r#"{"code":21211,"message":"x"}"#), (Permanent, Some(21211)));
        assert_eq!(refusal(400, r#"{"code":21610,"message":"x"}"#), (OptOut, Some(21610)));
        assert_eq!(refusal(400, r#"{"code":99999,"message":"x"}"#), (Permanent, Some(99999)));
        assert_eq!(
            refusal(400, r#"{"code":21408,"httpStatusCode":400,"userError":true}"#),
            (Configuration, Some(21408))
        );
        assert_eq!(refusal(400, "<html>"), (Permanent, None));
        assert_eq!(refusal(401, r#"{"code":20003}"#), (Configuration, Some(20003)));
        assert_eq!(refusal(401, ""), (Configuration, Some(20003)));
        assert_eq!(refusal(403, r#"{"code":70051}"#), (Configuration, Some(70051)));
        assert_eq!(refusal(403, ""), (Configuration, None));
        assert_eq!(refusal(404, r#"{"code":20404}"#), (Configuration, Some(20404)));
        assert_eq!(refusal(301, ""), (Configuration, None));
    }

    #[test]
    fn proof_of_non_acceptance_allows_a_retry() {
        assert!(matches!(outcome(429, ""), Outcome::Retry { code: Some(20429), after: None, .. }));
        assert!(matches!(outcome(400, r#"{"code":21611}"#), Outcome::Retry { code: Some(21611), .. }));
        assert!(matches!(truncated(StatusCode::BAD_REQUEST, None), Outcome::Retry { .. }));
        assert!(matches!(truncated(StatusCode::CREATED, None), Outcome::Unknown { .. }));
        assert!(matches!(truncated(StatusCode::BAD_GATEWAY, None), Outcome::Unknown { .. }));
        assert!(matches!(truncated(StatusCode::TOO_MANY_REQUESTS, None), Outcome::Retry { .. }));
    }

    #[test]
    fn retry_after_in_both_spellings() {
        let wait_for = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static("Wed, 21 Oct 2015 07:28:00 GMT"));
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            wait(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(wait_for("2"), Some(2));
        assert_eq!(wait_for("Wed, 21 Oct 2015 07:28:30 GMT"), Some(30));
        assert_eq!(wait_for("Wed, 21 Oct 2015 07:27:30 GMT"), Some(0));
        assert_eq!(wait_for("99999999"), Some(3600));
        assert_eq!(wait_for("soon"), None);
        assert_eq!(wait(&HeaderMap::new()), None);
    }
}
