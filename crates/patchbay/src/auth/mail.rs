//! Mail to the people who use Patchbay: sign-in links, invitations, warnings. Not to contacts: those are messages
//! and go through the ledger.
//!
//! With a mail server configured, mail goes through it; without one it is printed on the server's standard error, so
//! that a fresh installation can be signed in to. Sending happens beside the request, so that the time an answer takes
//! tells nobody whether an address is known.

use std::sync::Arc;

use patchbay_providers::{Channel, Clock, Outcome, Outgoing, Provider, Smtp, SmtpOptions};
use uuid::Uuid;

use crate::{app::App, config::Config};

/// One mail.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    /// What somebody at the terminal needs of it when there is no mail server; nothing for mere courtesy.
    pub printed: Option<String>,
}

/// The way mail leaves.
pub enum Mailer {
    Smtp(Arc<Smtp>),
    /// To the terminal.
    Printed,
    /// To the test.
    #[cfg(test)]
    Kept(Arc<std::sync::Mutex<Vec<Mail>>>),
}

/// Why mail cannot be set up, in words for the terminal.
#[derive(Debug, thiserror::Error)]
#[error("PATCHBAY_SMTP_URL or PATCHBAY_MAIL_FROM cannot be used: {0}")]
pub struct MailerError(#[from] patchbay_providers::SmtpError);

impl Mailer {
    /// The mailer that the configuration asks for. Connects to nothing yet.
    pub fn new(config: &Config, clock: Clock) -> Result<Self, MailerError> {
        match &config.smtp_url {
            Some(url) => {
                let options = SmtpOptions { url: url.clone(), from: config.mail_from.clone(), clock };
                Ok(Self::Smtp(Arc::new(Smtp::new(options)?)))
            }
            None => Ok(Self::Printed),
        }
    }

    /// A mailer that keeps what it is given.
    #[cfg(test)]
    pub fn kept() -> Self {
        Self::Kept(Arc::default())
    }

    /// What was given so far, oldest first.
    #[cfg(test)]
    pub fn sent(&self) -> Vec<Mail> {
        if let Self::Kept(mails) = self { mails.lock().expect("mail lock").clone() } else { Vec::new() }
    }
}

/// Sends `mail` in the background.
pub fn send(app: &App, mail: Mail) {
    match &app.mailer {
        Mailer::Smtp(smtp) => {
            let (smtp, id) = (smtp.clone(), app.new_id());
            tokio::spawn(async move { deliver(&smtp, id, mail).await });
        }
        Mailer::Printed => {
            if let Some(line) = mail.printed {
                print(&line);
            }
        }
        #[cfg(test)]
        Mailer::Kept(mails) => mails.lock().expect("mail lock").push(mail),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "without a mail server the terminal is where mail arrives; the log never holds links"
)]
fn print(line: &str) {
    eprintln!("{line}");
}

/// Tries again only when the mail was certainly not taken. A sign-in link is worth a minute of trying, not more.
async fn deliver(smtp: &Smtp, id: Uuid, mail: Mail) {
    let message = Outgoing {
        subject: Some(mail.subject),
        from: None,
        ..Outgoing::text(id, Channel::Email, "", mail.to, mail.text)
    };
    for pause in [2, 10, 30, 0] {
        match smtp.send(&message).await {
            Outcome::Accepted { .. } => return,
            Outcome::Retry { detail, .. } => {
                tracing::warn!(mail = %id, detail, "a mail could not be handed over yet")
            }
            Outcome::Refused(refusal) => {
                tracing::error!(mail = %id, detail = refusal.detail, "a mail was refused");
                return;
            }
            Outcome::Unknown { detail } => {
                tracing::warn!(mail = %id, detail, "a mail may not have arrived");
                return;
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(pause)).await;
    }
    tracing::error!(mail = %id, "a mail was given up");
}
