//! A simulator of Twilio's Messages API, to run the whole program against and to hold its ledger against the
//! carrier's.
//!
//! It speaks HTTP as Twilio does: create, fetch, list, update and delete messages; signed status callbacks and
//! inbound messages; magic numbers; and misfortunes on demand, drawn from a seed. Beside Twilio's paths it has
//!
//! - `GET /ledger`: what was really accepted, whatever its sender was told,
//! - `POST /inbound` `{from, to, body}`: somebody writes in,
//! - `GET /health`.
//!
//! A message's ending depends on the recipient's digits and never on chance, so that totals can be predicted:
//! `…5530003` (and other codes after `55`) is undelivered or fails with that code, `…5500000` never gets a receipt.
//!
//! It keeps everything in memory, owns no numbers, knows no accounts (any `AC…` will do), bills nothing, and never
//! blocks an opted-out number by itself. A scheduled message stays scheduled until it is canceled.

mod answer;
mod api;
mod arena;
mod callbacks;
mod create;
mod inbound;
mod json;
mod ledger;
mod list;
mod post;
mod record;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU32},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::Instant,
};

use self::{callbacks::Callbacks, ledger::Ledger, post::Poster};
use crate::{
    Clock,
    faults::{Dice, Rates},
};

/// How the simulator behaves. Rates are shares of the create requests, 0 to 1.
#[derive(Clone)]
pub struct CarrierOptions {
    /// The secret of every account and API key, and what webhooks are signed with.
    pub auth_token: String,
    /// Where `POST /inbound` sends its message.
    pub inbound_url: Option<String>,
    /// Milliseconds between the decision about a create request and its answer.
    pub latency_ms: u64,
    /// 400 with a permanent code; not accepted.
    pub reject_rate: f64,
    /// Accepted, but the answer is lost: a closed connection, a 5xx, or silence.
    pub lost_reply_rate: f64,
    /// 429, now and then with `Retry-After`; not accepted.
    pub throttle_rate: f64,
    /// Whether status callbacks are posted at all.
    pub callbacks: bool,
    /// Every callback is posted twice.
    pub duplicate_callbacks: bool,
    /// Callbacks of one message overtake each other.
    pub reorder_callbacks: bool,
    pub seed: u64,
    /// How long a lost reply stays silent before its connection closes, when silence is its kind.
    pub silence: Duration,
    /// Dates the messages.
    pub clock: Clock,
}

impl CarrierOptions {
    /// A carrier without faults.
    pub fn new(auth_token: impl Into<String>, clock: Clock) -> Self {
        Self {
            auth_token: auth_token.into(),
            inbound_url: None,
            latency_ms: 0,
            callbacks: true,
            reject_rate: 0.0,
            lost_reply_rate: 0.0,
            throttle_rate: 0.0,
            duplicate_callbacks: false,
            reorder_callbacks: false,
            seed: 0,
            silence: Duration::from_secs(3),
            clock,
        }
    }

    fn check(&self) -> io::Result<()> {
        let rates = [self.reject_rate, self.lost_reply_rate, self.throttle_rate];
        let valid = rates.iter().all(|rate| (0.0..=1.0).contains(rate)) && rates.iter().sum::<f64>() <= 1.0;
        if valid {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "rates must lie between 0 and 1, and so must their sum",
            ))
        }
    }
}

/// What every connection shares.
struct Simulator {
    options: CarrierOptions,
    ledger: Arc<Ledger>,
    dice: Dice,
    callbacks: Callbacks,
    poster: Arc<Poster>,
    /// Inbound messages so far.
    inbound: AtomicU32,
}

/// Plays the carrier on `listener` until `shutdown` completes, then drops all connections and waiting callbacks.
///
/// # Errors
/// When the rates are out of range, no secure connections can be made for callbacks, or the listener breaks for good.
pub async fn serve(
    listener: TcpListener,
    options: CarrierOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    options.check()?;
    let rates = Rates {
        throttle: options.throttle_rate,
        reject: options.reject_rate,
        lose_reply: options.lost_reply_rate,
    };
    let started = Instant::now();
    let ledger = Arc::new(Ledger::new(options.seed, (options.clock)(), started));
    let poster = Arc::new(Poster::new(options.auth_token.clone())?);
    let mut tasks = JoinSet::new();
    let callbacks = Callbacks::start(&mut tasks, &options, Arc::clone(&ledger), Arc::clone(&poster), started);
    let dice = Dice::new(options.seed, rates);
    let simulator =
        Arc::new(Simulator { options, ledger, dice, callbacks, poster, inbound: AtomicU32::new(0) });
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    tasks.spawn(connection(Arc::clone(&simulator), stream, peer));
                }
                // Out of file descriptors, or a peer that was gone already: both pass.
                Err(error) => {
                    tracing::warn!(%error, "carrier: a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
        }
        while tasks.try_join_next().is_some() {}
    }
}

async fn connection(simulator: Arc<Simulator>, stream: TcpStream, peer: SocketAddr) {
    // Without it a small answer waits for the peer's acknowledgement. A socket that refuses is as good as closed.
    _ = stream.set_nodelay(true);
    let service = service_fn(|request| api::handle(Arc::clone(&simulator), request));
    let served =
        http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        // Ordinary: lost replies end here, and so do clients that were killed.
        tracing::debug!(%peer, %error, "carrier: a connection ended early");
    }
}
