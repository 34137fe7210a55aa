//! Adapters to the carriers that move messages, behind one [`Provider`] trait, and a simulator of the
//! Twilio Messages API to test them against.
//!
//! The crate promises one thing above all: an [`Outcome`] never claims more than was proven. `Retry` means
//! that the carrier certainly did not accept the message, `Unknown` that it may have, and everything in doubt
//! is `Unknown`. It decides nothing: whether to retry, when, and what to tell the customer is the caller's.
//!
//! It touches no database and reads no clock of its own: where an instant is needed, a [`Clock`] is passed in.
//! Nothing it logs holds a body, a credential or a whole phone number.

pub mod carrier;
pub mod errors;
pub mod fake;
mod faults;
pub mod http;
mod magic;
mod message;
mod segments;
pub mod smtp;
mod status;
pub mod twilio;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use carrier::CarrierOptions;
pub use errors::{ErrorClass, Field, Retry};
pub use fake::{Event, Fake, FakeOptions};
pub use message::{Channel, Found, Lookup, Outcome, Outgoing, Price, ProviderError, Refusal, UnknownChannel};
pub use smtp::{Smtp, SmtpError, SmtpOptions};
pub use status::ProviderStatus;
pub use twilio::{Twilio, TwilioOptions};

/// Where "now" comes from. The application passes its own clock, a test one that it moves.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// One carrier, or one account with a carrier.
///
/// Implementations are shared between tasks and called concurrently.
#[async_trait]
pub trait Provider: Send + Sync {
    /// `"fake"`, `"twilio"` or `"smtp"`: the value stored beside a message.
    fn name(&self) -> &'static str;

    /// Hands one message over, once. Never retries by itself: a retry is a decision that belongs to whoever
    /// owns the ledger.
    async fn send(&self, message: &Outgoing) -> Outcome;

    /// Lists what the carrier knows to have been sent to an address since an instant, over all of its pages,
    /// newest first. This is how an [`Outcome::Unknown`] is settled: a message that is found was accepted.
    ///
    /// # Errors
    /// When the list could not be read to its end. Half a list would be taken for proof that a message is
    /// missing, so there is none.
    async fn find(&self, query: &Lookup) -> Result<Vec<Found>, ProviderError>;

    /// Reads one message by the carrier's own id; `None` when the carrier does not know it.
    ///
    /// # Errors
    /// When the carrier could not be asked, which is not the same as `None`.
    async fn fetch(&self, provider_message_id: &str) -> Result<Option<Found>, ProviderError>;
}
