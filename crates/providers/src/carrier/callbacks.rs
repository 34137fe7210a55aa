//! Status callbacks: `sent`, then the ending, signed as Twilio signs them.
//!
//! In the normal mode a message's callbacks keep their order, because each waits for the one before. With
//! `reorder_callbacks` they are posted independently at random times, with `duplicate_callbacks` each one twice. A
//! receiver that is down or answers 5xx is tried again a few times, then given up, as Twilio would: that is what
//! reconciliation is for.
//!
//! Waiting callbacks cost 24 bytes each; posts under way are limited.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use form_urlencoded::Serializer;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    CarrierOptions,
    ledger::Ledger,
    post::Poster,
    record::{ENDED_AFTER, Index, Message, SENT_AFTER},
};
use crate::{
    faults::mix,
    magic::{self, Ending},
    message::Channel,
    status::ProviderStatus,
};

/// Posts under way at the same time.
const CONCURRENCY: usize = 128;

/// Waits between the attempts to post one callback: six attempts in about eight seconds.
const RETRY_DELAYS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
    Duration::from_millis(4000),
];

/// In the mode that reorders, a callback comes anywhere within this time.
const REORDER_WINDOW_MS: u64 = 200;

/// Which callback of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Sent,
    Ending,
}

/// A callback that waits. Ordered by time, then by message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    /// Milliseconds since the start.
    at: u32,
    index: Index,
    step: Step,
    attempt: u8,
    /// Post once more after success: the twin of `duplicate_callbacks`.
    twin: bool,
}

/// The way into the schedule.
#[derive(Clone)]
pub(super) struct Callbacks {
    queue: mpsc::UnboundedSender<Due>,
    started: Instant,
    seed: u64,
    duplicate: bool,
    reorder: bool,
}

/// What a post needs.
struct Context {
    callbacks: Callbacks,
    ledger: Arc<Ledger>,
    poster: Arc<Poster>,
}

impl Callbacks {
    /// Starts the schedule as one of `tasks`; it ends with them.
    pub(super) fn start(
        tasks: &mut JoinSet<()>,
        options: &CarrierOptions,
        ledger: Arc<Ledger>,
        poster: Arc<Poster>,
        started: Instant,
    ) -> Self {
        let (queue, receiver) = mpsc::unbounded_channel();
        let callbacks = Self {
            queue,
            started,
            seed: options.seed,
            duplicate: options.duplicate_callbacks,
            reorder: options.reorder_callbacks,
        };
        let context = Arc::new(Context { callbacks: callbacks.clone(), ledger, poster });
        tasks.spawn(run(context, receiver));
        callbacks
    }

    /// Schedules the callbacks of an accepted message.
    pub(super) fn follow(&self, index: Index, to: &str) {
        let ending = magic::ending(Channel::split(to).1);
        if !self.reorder {
            let first = if ending.sent { Step::Sent } else { Step::Ending };
            self.schedule(index, first, self.due_after(first), self.duplicate);
            return;
        }
        let steps = [ending.sent.then_some(Step::Sent), ending.last.map(|_| Step::Ending)];
        for (nth, step) in steps.into_iter().flatten().enumerate() {
            for twin in 0..1 + u64::from(self.duplicate) {
                let random = mix(self.seed ^ mix(u64::from(index) << 2 | twin << 1 | nth as u64));
                let delay = SENT_AFTER + Duration::from_millis(random % REORDER_WINDOW_MS);
                self.schedule(index, step, delay, false);
            }
        }
    }

    fn due_after(&self, step: Step) -> Duration {
        match step {
            Step::Sent => SENT_AFTER,
            Step::Ending => ENDED_AFTER,
        }
    }

    fn schedule(&self, index: Index, step: Step, delay: Duration, twin: bool) {
        let at = self.now().saturating_add(delay.as_millis() as u32);
        self.queue_up(Due { at, index, step, attempt: 0, twin });
    }

    fn queue_up(&self, due: Due) {
        // The receiver only goes away when the simulator stops.
        _ = self.queue.send(due);
    }

    fn now(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX)
    }
}

/// Waits for callbacks to become due and posts them.
async fn run(context: Arc<Context>, mut queue: mpsc::UnboundedReceiver<Due>) {
    let slots = Arc::new(Semaphore::new(CONCURRENCY));
    let mut posts = JoinSet::new();
    let mut waiting = BinaryHeap::new();
    let mut arrived = Vec::with_capacity(256);
    loop {
        let next = waiting.peek().map(|Reverse(due): &Reverse<Due>| due.at);
        let wake = next.map(|at| context.callbacks.started + Duration::from_millis(u64::from(at)));
        tokio::select! {
            count = queue.recv_many(&mut arrived, 256) => {
                if count == 0 {
                    return;
                }
                waiting.extend(arrived.drain(..).map(Reverse));
            }
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
        }
        let now = context.callbacks.now();
        while let Some(Reverse(due)) = waiting.peek().copied().filter(|Reverse(due)| due.at <= now) {
            waiting.pop();
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let context = Arc::clone(&context);
            posts.spawn(async move {
                deliver(&context, due).await;
                drop(slot);
            });
            while posts.try_join_next().is_some() {}
        }
    }
}

/// Posts one callback and schedules what follows from it.
async fn deliver(context: &Context, due: Due) {
    let callbacks = &context.callbacks;
    let Some(post) = context.ledger.at(due.index, |message| compose(&message, due.step)) else { return };
    if !context.poster.post(&post.url, &post.pairs).await {
        if let Some(delay) = RETRY_DELAYS.get(usize::from(due.attempt)) {
            let at = callbacks.now().saturating_add(delay.as_millis() as u32);
            callbacks.queue_up(Due { at, attempt: due.attempt + 1, ..due });
            return;
        }
        tracing::debug!(url_bytes = post.url.len(), "carrier: a callback was given up");
    } else if due.twin {
        callbacks.queue_up(Due { attempt: 0, twin: false, ..due });
        return;
    }
    if due.step == Step::Sent && post.ending.last.is_some() && !callbacks.reorder {
        callbacks.schedule(due.index, Step::Ending, ENDED_AFTER - SENT_AFTER, callbacks.duplicate);
    }
}

/// A callback, ready to be signed.
struct Post {
    url: String,
    pairs: Vec<(String, String)>,
    ending: Ending,
}

/// What the callback says; `None` when the message has no such step or nobody to tell.
fn compose(message: &Message<'_>, step: Step) -> Option<Post> {
    let url = message.callback?.to_owned();
    let (channel, plain) = Channel::split(message.to);
    let ending = magic::ending(plain);
    let (status, error_code) = match step {
        Step::Sent => (ProviderStatus::Sent, None),
        Step::Ending => (ending.last?, ending.error_code),
    };
    let mut pairs = Vec::with_capacity(14);
    let mut push = |name: &str, value: String| pairs.push((name.to_owned(), value));
    let sid = message.sid.to_string();
    push("AccountSid", message.account.to_owned());
    push("ApiVersion", "2010-04-01".to_owned());
    if channel == Channel::Whatsapp {
        push("ChannelPrefix", "whatsapp".to_owned());
    }
    if let Some(code) = error_code {
        push("ErrorCode", code.to_string());
    }
    push("From", message.from.unwrap_or(magic::VALID_SENDER).to_owned());
    push("MessageSid", sid.clone());
    push("MessageStatus", status.to_string());
    if let Some(service) = message.service {
        push("MessagingServiceSid", service.to_owned());
    }
    if matches!(status, ProviderStatus::Delivered | ProviderStatus::Undelivered) {
        push("RawDlrDoneDate", message.created_at.format("%y%m%d%H%M").to_string());
    }
    push("SmsSid", sid);
    push("SmsStatus", status.to_string());
    push("To", message.to.to_owned());
    Some(Post { url, pairs, ending })
}

/// Encodes pairs as a form.
pub(super) fn form(pairs: &[(String, String)]) -> String {
    Serializer::new(String::with_capacity(512)).extend_pairs(pairs).finish()
}
