//! One table of cases that every adapter must pass: the fake in the process, and Twilio over HTTP against the
//! simulator. Mails have a table of their own, since a mail server refuses by its replies, not by magic numbers, and cannot
//! be asked afterwards: the fake passes it, and SMTP against a server that says the like.

#[path = "support/mail_server.rs"]
mod mail_server;
mod support;

use chrono::Duration;
use mail_server::Quirk;
use patchbay_providers::{
    Channel, ErrorClass, Fake, FakeOptions, Lookup, Outcome, Outgoing, Provider, ProviderError,
    ProviderStatus, Smtp, SmtpOptions, twilio::HttpOptions,
};
use support::{RECIPIENT, SENDER, clock, message, now, start, twilio};
use uuid::Uuid;

/// What the carrier does to every request.
#[derive(Debug, Clone, Copy, Default)]
struct Faults {
    reject: f64,
    lose_reply: f64,
    throttle: f64,
    seed: u64,
}

enum Expected {
    /// Accepted with these segments, in this status, and found again with the same text.
    Accepted(Option<u32>, ProviderStatus),
    Refused(u32, ErrorClass),
    /// Refused with one of the permanent codes.
    RefusedSomehow,
    Retry(u32),
    /// Unknown to the sender, and yet accepted.
    UnknownButFound,
}

struct Case {
    name: &'static str,
    faults: Faults,
    message: Outgoing,
    expected: Expected,
}

fn case(name: &'static str, message: Outgoing, expected: Expected) -> Case {
    Case { name, faults: Faults::default(), message, expected }
}

fn from(sender: &str) -> Outgoing {
    Outgoing { from: Some(sender.to_owned()), ..message(RECIPIENT, "hello") }
}

fn cases() -> Vec<Case> {
    use ErrorClass::{Configuration, OptOut, Permanent, Sender};
    use Expected::{Accepted, Refused, RefusedSomehow, Retry, UnknownButFound};
    use ProviderStatus::{Accepted as Taken, Queued};
    let hello = || message(RECIPIENT, "hello");
    let service = || Some("MG00000000000000000000000000000001".to_owned());
    let pooled = || Outgoing { from: None, messaging_service_sid: service(), ..hello() };
    let whatsapp = || Outgoing { channel: Channel::Whatsapp, ..hello() };
    let template = || Outgoing {
        body: String::new(),
        content_sid: Some("HX00000000000000000000000000000001".to_owned()),
        content_variables: Some(serde_json::json!({"1": "Sam"})),
        ..whatsapp()
    };
    let picture =
        || Outgoing { body: String::new(), media: vec!["https://example.com/a.jpg".into()], ..hello() };
    let callback = |url: &str| Outgoing { status_callback: Some(url.to_owned()), ..hello() };
    let mut cases = vec![
        case("a text", hello(), Accepted(Some(1), Queued)),
        case("an emoji text", message(RECIPIENT, &"😀".repeat(36)), Accepted(Some(2), Queued)),
        case("odd characters", message(RECIPIENT, "a+b&c=d%20é\n\"\\ \u{1}"), Accepted(Some(1), Queued)),
        case("a messaging service", pooled(), Accepted(None, Taken)),
        case("a picture", picture(), Accepted(Some(1), Queued)),
        case("a template", template(), Accepted(None, Queued)),
        case("a callback", callback("http://127.0.0.1:1/s?mid=1"), Accepted(Some(1), Queued)),
        case("an invalid recipient", message("+15005550001", "hello"), Refused(21211, Permanent)),
        case("no recipient", message("", "hello"), Refused(21604, Permanent)),
        case("an unroutable recipient", message("+15005550002", "hello"), Refused(21612, Permanent)),
        case("a country not allowed", message("+15005550003", "hello"), Refused(21408, Configuration)),
        case("an opted-out recipient", message("+15005550004", "hello"), Refused(21610, OptOut)),
        case("no mobile", message("+15005550009", "hello"), Refused(21614, Permanent)),
        case("oneself", message(SENDER, "hello"), Refused(21266, Permanent)),
        case("no text", message(RECIPIENT, ""), Refused(21602, Permanent)),
        case("too much text", message(RECIPIENT, &"a".repeat(1601)), Refused(21617, Permanent)),
        case("no sender", Outgoing { from: None, ..hello() }, Refused(21603, Sender)),
        case("an invalid sender", from("+15005550001"), Refused(21212, Sender)),
        case("another's sender", from("+15005550007"), Refused(21606, Sender)),
        case("a full queue", from("+15005550008"), Retry(21611)),
    ];
    for seed in 0..8 {
        let faults = |faults: Faults, name, expected| Case {
            name,
            message: hello(),
            faults: Faults { seed, ..faults },
            expected,
        };
        cases.push(faults(Faults { throttle: 1.0, ..Faults::default() }, "throttled", Retry(20429)));
        cases.push(faults(Faults { reject: 1.0, ..Faults::default() }, "rejected", RefusedSomehow));
        cases.push(faults(Faults { lose_reply: 1.0, ..Faults::default() }, "a lost reply", UnknownButFound));
    }
    cases
}

async fn check(provider: &dyn Provider, case: &Case) {
    let name = format!("{}: {} (seed {})", provider.name(), case.name, case.faults.seed);
    let outcome = provider.send(&case.message).await;
    let lookup = Lookup {
        channel: case.message.channel,
        to: case.message.to.clone(),
        since: now() - Duration::seconds(5),
    };
    let found = provider.find(&lookup).await.expect("a list");
    match (&case.expected, &outcome) {
        (
            Expected::Accepted(segments, status),
            Outcome::Accepted { provider_message_id, segments: counted, status: told, from },
        ) => {
            assert_eq!(told, status, "{name}");
            // What a carrier counts for other channels is nobody's business.
            if case.message.channel == Channel::Sms {
                assert_eq!(counted, segments, "{name}");
            }
            assert_eq!(*from, case.message.from, "{name}");
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(found[0].provider_message_id, *provider_message_id, "{name}");
            assert_eq!((&found[0].to, &found[0].body), (&case.message.to, &case.message.body), "{name}");
            let fetched = provider.fetch(provider_message_id).await.expect("an answer").expect("a message");
            assert_eq!(
                (fetched.channel, fetched.body),
                (case.message.channel, case.message.body.clone()),
                "{name}"
            );
            let later = Lookup { since: now() + Duration::seconds(5), ..lookup };
            assert_eq!(provider.find(&later).await.expect("a list"), [], "{name}");
        }
        (Expected::Refused(code, class), Outcome::Refused(refusal)) => {
            assert_eq!((refusal.code, refusal.class), (Some(*code), *class), "{name}");
            assert!(!refusal.detail.is_empty(), "{name}");
            assert_eq!(found, [], "{name}");
        }
        (Expected::RefusedSomehow, Outcome::Refused(refusal)) => {
            assert_eq!(refusal.class, ErrorClass::Permanent, "{name}");
            assert_eq!(found, [], "{name}");
        }
        (Expected::Retry(code), Outcome::Retry { code: told, .. }) => {
            assert_eq!(*told, Some(*code), "{name}");
            assert_eq!(found, [], "{name}");
        }
        (Expected::UnknownButFound, Outcome::Unknown { .. }) => {
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(found[0].body, case.message.body, "{name}");
        }
        _ => panic!("{name}: {outcome:?}"),
    }
}

#[tokio::test]
async fn the_fake_conforms() {
    for case in cases() {
        let options = FakeOptions {
            reject_rate: case.faults.reject,
            lost_reply_rate: case.faults.lose_reply,
            throttle_rate: case.faults.throttle,
            seed: case.faults.seed,
            ..FakeOptions::new(clock())
        };
        let (fake, _events) = Fake::new(options);
        check(&fake, &case).await;
        assert_eq!(fake.fetch("SM00000000000000000000000000000000").await, Ok(None));
    }
}

#[tokio::test]
async fn twilio_conforms_against_the_simulator() {
    for case in cases() {
        let carrier = start(|options| {
            options.reject_rate = case.faults.reject;
            options.lost_reply_rate = case.faults.lose_reply;
            options.throttle_rate = case.faults.throttle;
            options.seed = case.faults.seed;
        })
        .await;
        let twilio = twilio(&carrier.base, &HttpOptions::default());
        check(&twilio, &case).await;
        assert_eq!(twilio.fetch("SM00000000000000000000000000000000").await, Ok(None));
    }
}

/// What a mail meets: what the fake is told to do to it, and where a mail server says no.
struct MailCase {
    name: &'static str,
    faults: Faults,
    quirk: Option<Quirk>,
    to: &'static str,
    fits: fn(&Outcome) -> bool,
}

fn mail_cases() -> Vec<MailCase> {
    const TO: &str = "sam@example.org";
    let accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted { provider_message_id, .. } if !provider_message_id.is_empty());
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(refusal) if refusal.class == ErrorClass::Permanent && !refusal.detail.is_empty());
    let later = |outcome: &Outcome| matches!(outcome, Outcome::Retry { .. });
    let unknown = |outcome: &Outcome| matches!(outcome, Outcome::Unknown { .. });
    let (well, reject, throttle, lose) = (
        Faults::default(),
        Faults { reject: 1.0, ..Faults::default() },
        Faults { throttle: 1.0, ..Faults::default() },
        Faults { lose_reply: 1.0, ..Faults::default() },
    );
    let case = |name, faults, quirk, to, fits| MailCase { name, faults, quirk, to, fits };
    let says = |step, reply| Some(Quirk(step, Some(reply)));
    vec![
        case("a mail", well, None, TO, accepted),
        case("no address", well, None, "sam", refused),
        case("refused for its recipient", reject, says("RCPT", "550 5.1.1 no such user\r\n"), TO, refused),
        case("refused for its text", reject, says("text", "554 5.7.1 spam\r\n"), TO, refused),
        case("put off at the door", throttle, says("greeting", "421 busy\r\n"), TO, later),
        case("put off for its recipient", throttle, says("RCPT", "451 4.7.1 greylisted\r\n"), TO, later),
        case("put off with its text", throttle, says("text", "452 4.3.1 full\r\n"), TO, later),
        case("a lost reply", lose, Some(Quirk("text", None)), TO, unknown),
    ]
}

fn mail(to: &str) -> Outgoing {
    Outgoing {
        from: Some("office@example.com".to_owned()),
        subject: Some("Your quote".to_owned()),
        ..Outgoing::text(Uuid::from_u128(1), Channel::Email, "", to, "Here it is.")
    }
}

#[tokio::test]
async fn mails_meet_the_same_fates_everywhere() {
    for case in mail_cases() {
        let options = FakeOptions {
            reject_rate: case.faults.reject,
            lost_reply_rate: case.faults.lose_reply,
            throttle_rate: case.faults.throttle,
            ..FakeOptions::new(clock())
        };
        let (fake, _events) = Fake::new(options);
        let port = mail_server::start(case.quirk).await;
        let url = format!("smtp://127.0.0.1:{port}");
        let options = SmtpOptions { url, from: "office@example.com".to_owned(), clock: clock() };
        let smtp = Smtp::new(options).expect("valid options");
        for provider in [&fake as &dyn Provider, &smtp] {
            let outcome = provider.send(&mail(case.to)).await;
            assert!((case.fits)(&outcome), "{}: {}: {outcome:?}", provider.name(), case.name);
        }
        // What a mail server has taken, it tells nobody: so nothing is ever concluded from its silence.
        let lookup = Lookup { channel: Channel::Email, to: case.to.to_owned(), since: now() };
        assert!(matches!(smtp.find(&lookup).await, Err(ProviderError::Unsupported(_))), "{}", case.name);
        assert!(
            matches!(smtp.fetch("<1@example.com>").await, Err(ProviderError::Unsupported(_))),
            "{}",
            case.name
        );
    }
}

#[tokio::test]
async fn a_mail_server_sends_nothing_but_mail() {
    let options = SmtpOptions {
        url: "smtp://127.0.0.1:1".to_owned(),
        from: "office@example.com".to_owned(),
        clock: clock(),
    };
    let outcome = Smtp::new(options).expect("valid options").send(&message(RECIPIENT, "hello")).await;
    assert!(
        matches!(&outcome, Outcome::Refused(refusal) if refusal.class == ErrorClass::Configuration),
        "{outcome:?}"
    );
}
