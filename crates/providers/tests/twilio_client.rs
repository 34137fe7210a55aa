//! The Twilio adapter against servers that misbehave in ways the simulator cannot.

#[path = "support/request.rs"]
mod request;
mod support;

use std::time::Duration;

use patchbay_providers::{ErrorClass, Lookup, Outcome, Provider, ProviderError, Twilio, twilio::HttpOptions};
use request::{Received, request};
use support::{RECIPIENT, message, now, start, twilio};
use tokio::{io::AsyncWriteExt as _, net::TcpListener, sync::mpsc};

/// What a server does with each request on a connection, once it was read.
#[derive(Clone, Copy)]
enum Behaviour {
    /// Writes this and closes.
    Answer(&'static str),
    /// Never answers.
    Hang,
}

/// A server and the requests it was sent.
async fn server(behaviour: Behaviour) -> (Twilio, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let Some(received) = request(&mut stream).await else { return };
                _ = sender.send(received);
                match behaviour {
                    Behaviour::Answer(answer) => _ = stream.write_all(answer.as_bytes()).await,
                    Behaviour::Hang => std::future::pending().await,
                }
            });
        }
    });
    let options = HttpOptions { timeout: Duration::from_millis(300), ..HttpOptions::default() };
    (twilio(&base, &options), receiver)
}

/// Sends one message; also proves that it was written exactly once.
async fn send(behaviour: Behaviour) -> Outcome {
    let (twilio, mut requests) = server(behaviour).await;
    let outcome = twilio.send(&message(RECIPIENT, "hello")).await;
    let received = requests.recv().await.expect("a request");
    assert!(received.target.ends_with("/Messages.json") && received.body.contains("Body=hello"));
    assert_eq!(received.signature, "", "what we send is authenticated, not signed");
    assert!(requests.try_recv().is_err(), "the request was repeated");
    outcome
}

fn lookup() -> Lookup {
    Lookup { channel: patchbay_providers::Channel::Sms, to: RECIPIENT.to_owned(), since: now() }
}

#[tokio::test]
async fn silence_and_broken_answers_leave_the_message_unknown() {
    let answers = [
        "",
        "HTTP/1.1 5",
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 21\r\n\r\n<html>it broke</html>",
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 500\r\n\r\ncut short",
        "HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"sid\":\"SM",
        "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n",
        "nonsense\r\n\r\n",
    ];
    for answer in answers {
        let outcome = send(Behaviour::Answer(answer)).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{answer:?}: {outcome:?}");
    }
    let outcome = send(Behaviour::Hang).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_clear_no_is_not_unknown() {
    let refused =
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 32\r\n\r\n{\"code\":21610,\"message\":\"stop\"} ";
    let outcome = send(Behaviour::Answer(refused)).await;
    assert!(
        matches!(&outcome, Outcome::Refused(refusal) if refusal.class == ErrorClass::OptOut),
        "{outcome:?}"
    );
    let cut_short = "HTTP/1.1 400 Bad Request\r\ncontent-length: 500\r\n\r\n{\"code\":216";
    let outcome = send(Behaviour::Answer(cut_short)).await;
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    let throttled = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n";
    let outcome = send(Behaviour::Answer(throttled)).await;
    let expected = Some(Duration::from_secs(7));
    assert!(matches!(outcome, Outcome::Retry { after, code: Some(20429), .. } if after == expected));
    let moved =
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
    let outcome = send(Behaviour::Answer(moved)).await;
    assert!(matches!(&outcome, Outcome::Refused(refusal) if refusal.class == ErrorClass::Configuration));
}

#[tokio::test]
async fn a_refused_port_and_an_unknown_name_are_retries() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    for base in [base.as_str(), "http://patchbay.invalid"] {
        let outcome = twilio(base, &HttpOptions::default()).send(&message(RECIPIENT, "hello")).await;
        assert!(matches!(outcome, Outcome::Retry { code: None, .. }), "{base}: {outcome:?}");
        let found = twilio(base, &HttpOptions::default()).find(&lookup()).await;
        assert!(matches!(found, Err(ProviderError::Unreachable(_))), "{base}: {found:?}");
    }
}

/// A carrier that speaks no TLS never sees the request.
#[tokio::test]
async fn a_failed_handshake_is_a_retry() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            _ = stream.write_all(b"this is not TLS at all, by any stretch").await;
        }
    });
    let outcome = twilio(&base, &HttpOptions::default()).send(&message(RECIPIENT, "hello")).await;
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
}

#[tokio::test]
async fn half_a_list_is_no_list() {
    let answers = [
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"messages\":[",
        "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"messages\":[{}",
        // The next page on another host would be sent our credentials.
        "HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n{\"messages\":[],\"next_page_uri\":\"http://127.0.0.2/Messages.json\"} ",
    ];
    for answer in answers {
        let (twilio, _requests) = server(Behaviour::Answer(answer)).await;
        let found = twilio.find(&lookup()).await;
        assert!(found.is_err(), "{answer:?}: {found:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_a_matter_of_configuration() {
    let carrier = start(|options| options.auth_token = "another".to_owned()).await;
    let twilio = twilio(&carrier.base, &HttpOptions::default());
    let outcome = twilio.send(&message(RECIPIENT, "hello")).await;
    let Outcome::Refused(refusal) = outcome else { panic!("{outcome:?}") };
    assert_eq!((refusal.code, refusal.class), (Some(20003), ErrorClass::Configuration));
    assert!(matches!(twilio.find(&lookup()).await, Err(ProviderError::Refused(_))));
    assert!(twilio.fetch("SM00000000000000000000000000000001").await.is_err());
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_its_end() {
    let carrier = start(|_| ()).await;
    let twilio = twilio(&carrier.base, &HttpOptions::default());
    for nth in 0..450 {
        let outcome = twilio.send(&message(RECIPIENT, &format!("number {nth}"))).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }));
    }
    let found = twilio.find(&lookup()).await.expect("a list");
    assert_eq!(found.len(), 450);
    assert_eq!((found[0].body.as_str(), found[449].body.as_str()), ("number 449", "number 0"));
}
