use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use super::*;

/// Where the scripted server misbehaves.
#[derive(Clone, Copy, PartialEq)]
enum Script {
    Well,
    /// Replies so to `RCPT`.
    Recipient(&'static str),
    /// Replies so to `AUTH`.
    SignIn(&'static str),
    /// Replies so to `QUIT`.
    Goodbye(&'static str),
    /// Closes the connection instead of greeting.
    NoGreeting,
    /// Closes the connection after the mail's text.
    LostReply,
}

async fn converse(stream: TcpStream, script: Script) -> Option<String> {
    if script == Script::NoGreeting {
        return None;
    }
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.example.com\r\n").await.ok()?;
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return Some(text);
        }
        let reply = match line.split([' ', '\r']).next()? {
            "EHLO" => "250-mail.example.com\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n",
            "AUTH" => match script {
                Script::SignIn(reply) => reply,
                _ => "235 welcome\r\n",
            },
            "RCPT" => match script {
                Script::Recipient(reply) => reply,
                _ => "250 ok\r\n",
            },
            "DATA" => {
                stream.write_all(b"354 go\r\n").await.ok()?;
                while !text.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut text).await.ok()?;
                }
                if script == Script::LostReply {
                    return Some(text);
                }
                "250 taken\r\n"
            }
            "QUIT" => match script {
                Script::Goodbye(reply) => reply,
                _ => "221 bye\r\n",
            },
            _ => "250 ok\r\n",
        };
        stream.write_all(reply.as_bytes()).await.ok()?;
    }
}

fn clock() -> Clock {
    let now = DateTime::<Utc>::from_timestamp(1_785_000_000, 0).expect("a valid instant");
    Arc::new(move || now)
}

fn smtp(port: u16) -> Smtp {
    let url = format!("smtp://office%40example.com:p+a%2Fss@127.0.0.1:{port}");
    let from = "Ace Plumbing <office@example.com>".to_owned();
    Smtp::new(SmtpOptions { url, from, clock: clock() }).expect("valid options")
}

fn mail() -> Outgoing {
    Outgoing {
        from: None,
        subject: Some("Zoë’s quote".to_owned()),
        ..Outgoing::text(
            Uuid::from_u128(1),
            Channel::Email,
            "",
            "sam@example.org",
            "Sign in: https://example.com/l",
        )
    }
}

async fn send(script: Script, mail: &Outgoing) -> (Outcome, Option<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.ok()?;
        converse(stream, script).await
    });
    let outcome = smtp(port).send(mail).await;
    (outcome, server.await.expect("the server does not panic"))
}

#[tokio::test]
async fn a_mail_is_accepted_whatever_the_goodbye() {
    for script in [Script::Well, Script::Goodbye("421 busy\r\n"), Script::Goodbye("500 what\r\n")] {
        let (outcome, text) = send(script, &mail()).await;
        let Outcome::Accepted { provider_message_id, status: ProviderStatus::Sent, .. } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(provider_message_id, "<00000000-0000-0000-0000-000000000001@example.com>");
        let text = text.expect("a conversation");
        assert!(text.contains(&format!("Message-ID: {provider_message_id}")), "{text}");
        assert!(text.contains("Date: Sat, 25 Jul 2026 17:20:00 +0000"), "{text}");
        assert!(text.contains("https://example.com/l"), "{text}");
    }
}

#[tokio::test]
async fn a_mail_program_can_unsubscribe_by_itself() {
    let with = |url: &str| Outgoing { unsubscribe_url: Some(url.to_owned()), ..mail() };
    let (_, text) = send(Script::Well, &with("https://pb.example/u/Ab3dEf6hIj9kL")).await;
    let text = text.expect("a conversation");
    assert!(text.contains("List-Unsubscribe: <https://pb.example/u/Ab3dEf6hIj9kL>\r\n"), "{text}");
    assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{text}");
    for url in
        ["http://pb.example/u/x", "https://pb.example/u/x\r\nBcc: sam@example.org", "https://pb.example/>"]
    {
        let (_, text) = send(Script::Well, &with(url)).await;
        assert!(!text.expect("a conversation").contains("List-Unsubscribe"), "{url}");
    }
}

#[tokio::test]
async fn the_servers_reply_decides() {
    let (outcome, _) = send(Script::Recipient("550 5.1.1 no such user\r\n"), &mail()).await;
    assert!(matches!(&outcome, Outcome::Refused(refusal) if refusal.field == Some(Field::To)), "{outcome:?}");
    let (outcome, _) = send(Script::Recipient("451 4.7.1 greylisted\r\n"), &mail()).await;
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    let (outcome, _) = send(Script::SignIn("535 5.7.8 bad password\r\n"), &mail()).await;
    assert!(
        matches!(&outcome, Outcome::Refused(refusal) if refusal.field == Some(Field::Account)),
        "{outcome:?}"
    );
    let (outcome, _) = send(Script::SignIn("454 4.7.0 try later\r\n"), &mail()).await;
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_broken_connection_is_a_retry_before_the_mail_and_unknown_after_it() {
    let (outcome, _) = send(Script::NoGreeting, &mail()).await;
    assert!(matches!(outcome, Outcome::Retry { .. }), "{outcome:?}");
    let (outcome, _) = send(Script::LostReply, &mail()).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    assert!(matches!(smtp(port).send(&mail()).await, Outcome::Retry { .. }));
}

#[tokio::test]
async fn addresses_that_are_none_are_refused_without_a_connection() {
    for to in ["", "sam", "sam@example.org\r\nBcc: all@example.org"] {
        let outcome = smtp(1).send(&Outgoing { to: to.to_owned(), ..mail() }).await;
        assert!(matches!(outcome, Outcome::Refused(_)), "{to}: {outcome:?}");
    }
    let outcome = smtp(1).send(&Outgoing { channel: Channel::Sms, ..mail() }).await;
    assert!(matches!(outcome, Outcome::Refused(_)));
}

#[test]
fn urls() {
    let new = |url: &str| {
        let options = SmtpOptions { url: url.to_owned(), from: "a@b.example".to_owned(), clock: clock() };
        Smtp::new(options).map(|smtp| smtp.port)
    };
    assert_eq!(new("smtps://u:p@mail.example.com"), Ok(465));
    assert_eq!(new("smtp://u:p@mail.example.com"), Ok(587));
    assert_eq!(new("smtp://mailpit:1025?tls=none"), Ok(1025));
    assert_eq!(new("https://mail.example.com"), Err(SmtpError::Url));
    assert_eq!(new("mail.example.com"), Err(SmtpError::Url));
    assert_eq!(percent_decode("p+a%2Fs%26s&x=1"), "p+a/s&s&x=1");
}
