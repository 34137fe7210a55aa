//! The paths, who may use them, and which of Twilio's operations they are.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
};

use super::{
    Simulator,
    answer::{self, Body, Reply},
    create, inbound, json, list,
};

/// More than Twilio's largest valid request: 1,600 characters of text, each of up to 12 bytes when encoded, ten
/// media addresses and a callback.
const MAXIMUM_REQUEST_BYTES: usize = 128 * 1024;

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    Account(&'a str),
    Messages(&'a str),
    Message(&'a str, &'a str),
}

pub(super) async fn handle(simulator: Arc<Simulator>, request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    match head.uri.path() {
        "/health" => return Ok(answer::json(StatusCode::OK, "{\"status\":\"ok\"}")),
        "/ledger" => return Ok(list::ledger(&simulator.ledger)),
        "/inbound" if head.method == Method::POST => {
            return Ok(match read(body).await {
                Ok(body) => inbound::handle(&simulator, &body).await,
                Err(response) => response,
            });
        }
        _ => {}
    }
    let Some(target) = target(head.uri.path()) else { return Ok(answer::not_found()) };
    let (Target::Account(account) | Target::Messages(account) | Target::Message(account, _)) = target;
    if !is_authorised(&head.headers, account, &simulator.options.auth_token) {
        return Ok(unauthorised());
    }
    match (target, head.method) {
        (Target::Account(account), Method::GET) => Ok(answer::json(StatusCode::OK, json::account(account))),
        (Target::Messages(account), Method::POST) => match read(body).await {
            Ok(body) => create::handle(&simulator, account, &body).await,
            Err(response) => Ok(response),
        },
        (Target::Messages(account), Method::GET) => {
            Ok(list::messages(&simulator.ledger, account, head.uri.query().unwrap_or_default()))
        }
        (Target::Message(account, sid), Method::GET) => Ok(fetch(&simulator, account, sid)),
        (Target::Message(account, sid), Method::POST) => Ok(match read(body).await {
            Ok(body) => update(&simulator, account, sid, &body),
            Err(response) => response,
        }),
        (Target::Message(account, sid), Method::DELETE) => Ok(if simulator.ledger.delete(account, sid) {
            let mut response = answer::json(StatusCode::NO_CONTENT, "");
            response.headers_mut().clear();
            response
        } else {
            answer::not_found()
        }),
        _ => Ok(answer::error(StatusCode::METHOD_NOT_ALLOWED, 20004, "Method not allowed")),
    }
}

fn target(path: &str) -> Option<Target<'_>> {
    let rest = path.strip_prefix("/2010-04-01/Accounts/")?.strip_suffix(".json")?;
    let is_account = |sid: &str| sid.starts_with("AC");
    let mut parts = rest.split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(account), None, ..) if is_account(account) => Some(Target::Account(account)),
        (Some(account), Some("Messages"), None, _) if is_account(account) => Some(Target::Messages(account)),
        (Some(account), Some("Messages"), Some(sid), None) if is_account(account) => {
            Some(Target::Message(account, sid))
        }
        _ => None,
    }
}

/// Basic authentication with the account's SID or any API key (`SK…`); the secret is always the token.
fn is_authorised(headers: &HeaderMap, account: &str, token: &str) -> bool {
    let Some(encoded) = headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Basic "))
    else {
        return false;
    };
    let mut buffer = [0; 512];
    let Ok(length) = STANDARD.decode_slice(encoded, &mut buffer) else { return false };
    let Some(colon) = buffer[..length].iter().position(|byte| *byte == b':') else { return false };
    let (user, secret) = (&buffer[..colon], &buffer[colon + 1..length]);
    (user == account.as_bytes() || user.starts_with(b"SK")) && secret == token.as_bytes()
}

fn unauthorised() -> Response<Body> {
    let mut response = answer::error(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Twilio API\""));
    response
}

async fn read(body: Incoming) -> Result<Bytes, Response<Body>> {
    match Limited::new(body, MAXIMUM_REQUEST_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(_) => Err(answer::error(StatusCode::BAD_REQUEST, 20001, "The request body cannot be read")),
    }
}

fn fetch(simulator: &Simulator, account: &str, sid: &str) -> Response<Body> {
    match simulator.ledger.with(account, sid, |message| json::message(&message)) {
        Some(body) => answer::json(StatusCode::OK, body),
        None => answer::not_found(),
    }
}

/// Cancels a scheduled message, or redacts a text with an empty `Body`; the ledger keeps what was accepted.
fn update(simulator: &Simulator, account: &str, sid: &str, body: &[u8]) -> Response<Body> {
    let (mut cancel, mut redact) = (false, false);
    for (name, value) in form_urlencoded::parse(body) {
        match (name.as_ref(), value.as_ref()) {
            ("Status", "canceled") => cancel = true,
            ("Body", "") => redact = true,
            _ => {
                return answer::error(
                    StatusCode::BAD_REQUEST,
                    20001,
                    "Only Status=canceled or an empty Body",
                );
            }
        }
    }
    if cancel && simulator.ledger.cancel(account, sid) == Some(false) {
        return answer::error(StatusCode::CONFLICT, 30409, "This message cannot be canceled.");
    }
    if redact {
        simulator.ledger.redact(account, sid);
    }
    fetch(simulator, account, sid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(target("/2010-04-01/Accounts/AC1.json"), Some(Target::Account("AC1")));
        assert_eq!(target("/2010-04-01/Accounts/AC1/Messages.json"), Some(Target::Messages("AC1")));
        assert_eq!(target("/2010-04-01/Accounts/AC1/Messages/SM1.json"), Some(Target::Message("AC1", "SM1")));
        for path in ["/", "/2010-04-01/Accounts/XX1/Messages.json", "/2010-04-01/Accounts/AC1/Calls.json"] {
            assert_eq!(target(path), None, "{path}");
        }
    }

    #[test]
    fn accounts_and_keys_sign_in_with_the_token() {
        let authorised = |text: &str| {
            let mut headers = HeaderMap::new();
            let value = format!("Basic {}", STANDARD.encode(text));
            headers.insert(AUTHORIZATION, value.parse().expect("a header value"));
            is_authorised(&headers, "AC1", "T")
        };
        assert!(authorised("AC1:T"));
        assert!(authorised("SK9:T"));
        assert!(!authorised("AC2:T"));
        assert!(!authorised("AC1:t"));
        assert!(!authorised("AC1"));
        assert!(!authorised(&"x".repeat(4000)));
        assert!(!is_authorised(&HeaderMap::new(), "AC1", "T"));
    }
}
