//! E-mail over SMTP (RFC 5321), for sign-in mails and the e-mail channel.
//!
//! One mail, one connection: the conversation is led step by step, so that it is known whether the mail was handed
//! over when something breaks. Up to the mail's own commands nothing can have been accepted; once they have begun
//! only the server's reply counts, and without one the outcome is unknown. What comes after the reply (`QUIT`) no
//! longer matters.
//!
//! SMTP cannot be asked afterwards: [`Provider::find`] and [`Provider::fetch`] say so. The mail's `Message-ID` is
//! made from our message id, so that a mail that was sent again after all can be recognised as the same.

use std::{fmt::Display, time::Duration};

use async_trait::async_trait;
use lettre::{
    Message,
    message::{
        Mailbox, SinglePart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        extension::ClientId,
    },
};
use reqwest::Url;
use tokio::time::timeout;

use crate::{
    Clock, Provider,
    errors::Field,
    message::{Channel, Found, Lookup, Outcome, Outgoing, ProviderError, Refusal},
    status::ProviderStatus,
};

/// Until the server lets us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// From `MAIL` to the reply to the text. RFC 5321, 4.5.3.2.6 grants a server ten minutes to take the text; half of
/// them is plenty for mails of a few kilobytes, and shortens the time in which nothing is known.
const SEND_TIMEOUT: Duration = Duration::from_secs(300);

/// A mail server and the mailbox to write from.
pub struct SmtpOptions {
    /// `smtps://user:password@host:465` (TLS from the start) or `smtp://user:password@host:587` (STARTTLS, which
    /// must succeed, except on this machine). `?tls=none` sends in the clear.
    pub url: String,
    /// The default sender: `Ace Plumbing <office@example.com>`.
    pub from: String,
    /// Dates the mails.
    pub clock: Clock,
}

/// Why the options cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpError {
    #[error("the mail server must be given as smtp://user:password@host:port or smtps://…")]
    Url,
    #[error("the sender is not a mailbox such as Ace Plumbing <office@example.com>")]
    From,
    #[error("no secure connections can be made: {0}")]
    Tls(String),
}

/// How the connection is protected.
enum Protection {
    Wrapped(TlsParameters),
    StartTls(TlsParameters),
    None,
}

/// See the module.
pub struct Smtp {
    host: String,
    port: u16,
    protection: Protection,
    credentials: Option<Credentials>,
    from: Mailbox,
    hello: ClientId,
    clock: Clock,
}

impl Smtp {
    /// Prepares; connects to nothing.
    ///
    /// # Errors
    /// When the URL or the sender cannot be read.
    pub fn new(options: SmtpOptions) -> Result<Self, SmtpError> {
        let url = Url::parse(&options.url).map_err(|_| SmtpError::Url)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(SmtpError::Url)?.to_owned();
        let in_the_clear = url.query_pairs().any(|(name, value)| name == "tls" && value == "none");
        let tls = || TlsParameters::new(host.clone()).map_err(|error| SmtpError::Tls(error.to_string()));
        let (protection, default_port) = match url.scheme() {
            "smtps" => (Protection::Wrapped(tls()?), 465),
            "smtp" if in_the_clear || is_this_machine(&host) => (Protection::None, 25),
            "smtp" => (Protection::StartTls(tls()?), 587),
            _ => return Err(SmtpError::Url),
        };
        let credentials = url
            .password()
            .map(|password| Credentials::new(percent_decode(url.username()), percent_decode(password)));
        Ok(Self {
            // The address of an IPv6 literal is connected to without its brackets.
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(default_port),
            protection,
            credentials,
            from: options.from.parse().map_err(|_| SmtpError::From)?,
            hello: ClientId::default(),
            clock: options.clock,
        })
    }

    /// Connects, secures and signs in. Whatever goes wrong here, no mail was handed over.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Outcome> {
        let wrapper = match &self.protection {
            Protection::Wrapped(tls) => Some(tls.clone()),
            Protection::StartTls(_) | Protection::None => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &self.hello, wrapper, None)
                .await
                .map_err(|error| not_connected(&error))?;
        if let Protection::StartTls(tls) = &self.protection {
            connection.starttls(tls.clone(), &self.hello).await.map_err(|error| not_connected(&error))?;
        }
        if let Some(credentials) = &self.credentials {
            const MECHANISMS: &[Mechanism] = &[Mechanism::Plain, Mechanism::Login];
            connection.auth(MECHANISMS, credentials).await.map_err(|error| not_signed_in(&error))?;
        }
        Ok(connection)
    }

    fn compose(&self, message: &Outgoing) -> Result<(Message, String), Outcome> {
        let from = match &message.from {
            Some(from) => {
                from.parse().map_err(|_| refused("The sender is not a valid e-mail address.", Field::From))?
            }
            None => self.from.clone(),
        };
        let to: Mailbox =
            message.to.parse().map_err(|_| refused("This is not a valid e-mail address.", Field::To))?;
        let id = format!("<{}@{}>", message.message_id, from.email.domain());
        let mut text = message.body.clone();
        for url in &message.media {
            text.push_str("\n\n");
            text.push_str(url);
        }
        let mut mail = Message::builder()
            .message_id(Some(id.clone()))
            .date((self.clock)().into())
            .from(from)
            .to(to)
            .subject(message.subject.as_deref().unwrap_or_default())
            .singlepart(SinglePart::plain(text))
            .map_err(|_| refused("The e-mail cannot be put together.", Field::Body))?;
        // Only what is plainly an address may stand in a header. RFC 8058 asks for HTTPS.
        let plain = |url: &&String| {
            url.starts_with("https://") && url.bytes().all(|b| b.is_ascii_graphic() && b != b'>')
        };
        if let Some(url) = message.unsubscribe_url.as_ref().filter(plain) {
            for (name, value) in [
                ("List-Unsubscribe", format!("<{url}>")),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
            ] {
                mail.headers_mut().insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
            }
        }
        Ok((mail, id))
    }
}

#[async_trait]
impl Provider for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        if message.channel != Channel::Email {
            let detail = "A mail server sends e-mail only.";
            return Outcome::Refused(Refusal::configuration(detail, Field::From));
        }
        let (mail, id) = match self.compose(message) {
            Ok(composed) => composed,
            Err(outcome) => return outcome,
        };
        let mut connection = match timeout(CONNECT_TIMEOUT, self.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(outcome)) => return outcome,
            Err(_) => return Outcome::retry("The mail server took too long to let us in."),
        };
        match timeout(SEND_TIMEOUT, connection.send(mail.envelope(), &mail.formatted())).await {
            Ok(Ok(_)) => {
                // The mail is theirs; a server that does not even say goodbye has it all the same.
                _ = timeout(Duration::from_secs(5), connection.quit()).await;
                Outcome::Accepted {
                    provider_message_id: id,
                    segments: None,
                    from: message.from.clone().or_else(|| Some(self.from.to_string())),
                    status: ProviderStatus::Sent,
                }
            }
            Ok(Err(error)) => not_taken(&error),
            Err(_) => {
                Outcome::unknown("The mail server took too long to answer; the mail may have gone out.")
            }
        }
    }

    async fn find(&self, _query: &Lookup) -> Result<Vec<Found>, ProviderError> {
        Err(ProviderError::Unsupported("A mail server"))
    }

    async fn fetch(&self, _provider_message_id: &str) -> Result<Option<Found>, ProviderError> {
        Err(ProviderError::Unsupported("A mail server"))
    }
}

fn not_connected(error: &Error) -> Outcome {
    Outcome::retry(format!("The mail server could not be reached: {}.", cause(error)))
}

fn not_signed_in(error: &Error) -> Outcome {
    if error.is_permanent() || error.is_client() {
        let detail = format!("The mail server does not accept the user name and password: {}.", cause(error));
        return Outcome::Refused(Refusal::configuration(detail, Field::Account));
    }
    not_connected(error)
}

fn not_taken(error: &Error) -> Outcome {
    if error.is_permanent() {
        return refused(&format!("The mail server refused the mail: {}.", cause(error)), Field::To);
    }
    if error.is_transient() {
        return Outcome::retry(format!("The mail server cannot take the mail now: {}.", cause(error)));
    }
    if error.is_client() {
        // Found by the client before it wrote anything, such as an address the server has no extension for.
        return refused(
            &format!("The e-mail cannot be sent through this server: {}.", cause(error)),
            Field::To,
        );
    }
    Outcome::unknown(format!(
        "The connection to the mail server broke ({}); the mail may have gone out.",
        cause(error)
    ))
}

fn refused(detail: &str, field: Field) -> Outcome {
    Outcome::Refused(Refusal::permanent(detail, Some(field)))
}

/// The server's or the system's own words, without a full stop of their own.
fn cause(error: &dyn std::error::Error) -> impl Display {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().trim_end_matches('.').to_owned()
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host == "[::1]" || host.starts_with("127.")
}

/// Undoes a URL's percent-encoding; unlike in a form, `+` stands for itself.
fn percent_decode(text: &str) -> String {
    let pair = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
