//! A carrier inside the process: for demos, for tests, and for a tenant without an account.
//!
//! It promises what Twilio does: the same magic numbers, the same words, callbacks after the answer and in order,
//! and (on request) the same misfortunes: refusals, throttling, accepted messages whose answer is lost. It
//! can play the people who are written to ([`FakeOptions::replies`]); they never say STOP by themselves.
//!
//! It does not persist anything, and its ledger holds only the last [`LEDGER_CAPACITY`] messages.

mod ledger;
mod replies;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::mpsc, time::sleep};
use uuid::Uuid;

use self::{
    ledger::{Ledger, Position},
    replies::Replies,
};
use crate::{
    Clock, Provider,
    faults::{Dice, Fate, Rates, mix},
    magic::{self, Ending, Request, VALID_SENDER},
    message::{Channel, Found, Lookup, Outcome, Outgoing, ProviderError},
    segments,
    status::ProviderStatus,
};

/// How many messages [`Provider::find`] and [`Provider::fetch`] can look back on.
pub const LEDGER_CAPACITY: usize = 20_000;

/// Events that may wait for the application before deliveries stop and wait too.
const EVENT_CAPACITY: usize = 1024;

/// What the carrier would have called our webhooks with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Status {
        message_id: Uuid,
        provider_message_id: String,
        status: ProviderStatus,
        error_code: Option<u32>,
        /// The address that a real carrier would report to.
        callback: Option<String>,
    },
    Inbound {
        /// That of the message which is answered.
        callback: Option<String>,
        /// The carrier's id of the inbound message, unique as Twilio's `MessageSid` is.
        provider_message_id: String,
        channel: Channel,
        from: String,
        to: String,
        body: String,
    },
}

/// How the fake behaves.
#[derive(Clone)]
pub struct FakeOptions {
    /// Whether recipients answer.
    pub replies: bool,
    pub seed: u64,
    /// Between the answer, `sent` and `delivered`; a reply takes four times as long.
    pub delay: Duration,
    /// Shares of requests, 0 to 1, that meet each misfortune.
    pub reject_rate: f64,
    pub lost_reply_rate: f64,
    pub throttle_rate: f64,
    /// Dates the ledger.
    pub clock: Clock,
}

impl FakeOptions {
    /// No replies, no misfortune, and half a second between events.
    pub fn new(clock: Clock) -> Self {
        Self {
            replies: false,
            seed: 0,
            delay: Duration::from_millis(500),
            reject_rate: 0.0,
            lost_reply_rate: 0.0,
            throttle_rate: 0.0,
            clock,
        }
    }
}

/// See the module.
pub struct Fake {
    shared: Arc<Shared>,
    dice: Dice,
    clock: Clock,
    sequence: AtomicU64,
}

/// What deliveries under way need.
struct Shared {
    ledger: Ledger,
    events: mpsc::Sender<Event>,
    replies: Option<Replies>,
    delay: Duration,
}

impl Fake {
    /// A fake and the events it causes. The application drains them for as long as it uses the fake; if it drops
    /// the receiver, messages are still accepted and recorded.
    pub fn new(options: FakeOptions) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(EVENT_CAPACITY);
        let rates = Rates {
            throttle: options.throttle_rate,
            reject: options.reject_rate,
            lose_reply: options.lost_reply_rate,
        };
        let fake = Self {
            shared: Arc::new(Shared {
                ledger: Ledger::new(LEDGER_CAPACITY),
                events,
                replies: options.replies.then(|| Replies::new(options.seed)),
                delay: options.delay,
            }),
            dice: Dice::new(options.seed, rates),
            clock: options.clock,
            sequence: AtomicU64::new(0),
        };
        (fake, receiver)
    }

    /// Everything it has accepted, oldest first, as far back as its memory goes: what really happened, whatever the
    /// sender was told.
    pub fn accepted(&self) -> Vec<Found> {
        self.shared.ledger.all()
    }

    /// Records the message and sets its deliveries going.
    fn accept(&self, message: &Outgoing, status: ProviderStatus) -> String {
        let nth = self.sequence.fetch_add(1, Ordering::Relaxed);
        let provider_message_id = sid(message.message_id, nth);
        let position = self.shared.ledger.push(Found {
            provider_message_id: provider_message_id.clone(),
            channel: message.channel,
            to: message.to.clone(),
            from: message.from.clone(),
            body: message.body.clone(),
            status,
            error_code: None,
            price: None,
            created_at: (self.clock)(),
        });
        let delivery = Delivery {
            position,
            // The mirror image of our number, so that no reply is taken for a message or for another reply.
            reply_id: sid(message.message_id, !nth),
            message_id: message.message_id,
            callback: message.status_callback.clone(),
            provider_message_id: provider_message_id.clone(),
            channel: message.channel,
            from: message.from.clone().unwrap_or_else(|| VALID_SENDER.to_owned()),
            to: message.to.clone(),
            ending: magic::ending(&message.to),
            reply: self
                .shared
                .replies
                .as_ref()
                .and_then(|replies| replies.answer(&message.to, &message.body)),
        };
        tokio::spawn(deliver(Arc::clone(&self.shared), delivery));
        provider_message_id
    }
}

#[async_trait]
impl Provider for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn send(&self, message: &Outgoing) -> Outcome {
        let fate = self.dice.throw();
        match fate {
            Fate::Throttled { tell_when } => {
                return Outcome::Retry {
                    after: tell_when.then_some(Duration::from_secs(1)),
                    code: Some(20429),
                    detail: "The carrier asks us to slow down.".to_owned(),
                };
            }
            Fate::Rejected(code) => return Outcome::from_code(Some(code), ""),
            Fate::Normal | Fate::ReplyLost(_) => {}
        }
        if let Err(code) = magic::judge(&request(message)) {
            return Outcome::from_code(Some(code), "");
        }
        let pooled = message.messaging_service_sid.is_some();
        let status = if pooled { ProviderStatus::Accepted } else { ProviderStatus::Queued };
        let provider_message_id = self.accept(message, status);
        if matches!(fate, Fate::ReplyLost(_)) {
            return Outcome::unknown("The carrier's answer was lost.");
        }
        let counted = message.channel == Channel::Sms && !pooled;
        Outcome::Accepted {
            provider_message_id,
            segments: counted.then(|| segments::count(&message.body)),
            from: if pooled { None } else { message.from.clone() },
            status,
        }
    }

    async fn find(&self, query: &Lookup) -> Result<Vec<Found>, ProviderError> {
        Ok(self.shared.ledger.find(query))
    }

    async fn fetch(&self, provider_message_id: &str) -> Result<Option<Found>, ProviderError> {
        Ok(self.shared.ledger.fetch(provider_message_id))
    }
}

fn request(message: &Outgoing) -> Request<'_> {
    Request {
        channel: message.channel,
        to: &message.to,
        from: message.from.as_deref(),
        from_channel: message.channel,
        // A mailbox may be configured rather than named, so that e-mail needs no sender.
        has_messaging_service: message.messaging_service_sid.is_some() || message.channel == Channel::Email,
        body: &message.body,
        media: message.media.len(),
        has_template: message.content_sid.is_some(),
    }
}

/// A message on its way.
struct Delivery {
    position: Position,
    reply_id: String,
    message_id: Uuid,
    callback: Option<String>,
    provider_message_id: String,
    channel: Channel,
    from: String,
    to: String,
    ending: Ending,
    reply: Option<&'static str>,
}

/// Plays the carrier after the answer: `sent`, the ending, and perhaps a reply.
async fn deliver(shared: Arc<Shared>, delivery: Delivery) {
    if delivery.ending.sent {
        sleep(shared.delay).await;
        report(&shared, &delivery, ProviderStatus::Sent, None).await;
    }
    let Some(last) = delivery.ending.last else { return };
    sleep(shared.delay).await;
    report(&shared, &delivery, last, delivery.ending.error_code).await;
    let Some(body) = delivery.reply.filter(|_| last == ProviderStatus::Delivered) else { return };
    sleep(shared.delay * 4).await;
    let event = Event::Inbound {
        callback: delivery.callback,
        provider_message_id: delivery.reply_id,
        channel: delivery.channel,
        from: delivery.to,
        to: delivery.from,
        body: body.to_owned(),
    };
    // A dropped receiver means that nobody listens any more; there is nothing left to do.
    _ = shared.events.send(event).await;
}

async fn report(shared: &Shared, delivery: &Delivery, status: ProviderStatus, error_code: Option<u32>) {
    shared.ledger.update(delivery.position, status, error_code);
    let event = Event::Status {
        message_id: delivery.message_id,
        provider_message_id: delivery.provider_message_id.clone(),
        status,
        error_code,
        callback: delivery.callback.clone(),
    };
    _ = shared.events.send(event).await;
}

/// An id in Twilio's shape. It is made from our own id, which is unique over restarts, and from the number of the
/// request, so that a message sent twice shows up as two.
fn sid(message_id: Uuid, nth: u64) -> String {
    let (high, low) = message_id.as_u64_pair();
    let salt = mix(nth);
    format!("SM{:016x}{:016x}", mix(high ^ salt), mix(low.wrapping_add(salt)))
}

#[cfg(test)]
mod tests;
