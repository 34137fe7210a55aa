//! Hits on their way to the database: a bounded queue, and a task that writes what has gathered.
//!
//! What arrives while one batch is written makes up the next, so nothing waits for a timer. A visitor is led on at
//! once; only when the queue is full (the database is down, or far behind) does the answer wait a moment for room,
//! and then the hit is given up and counted: leading people on matters more.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, Method};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{jobs, sql};
use crate::{db::Db, error::Result, ids, time::Clock};

/// Hits that wait at most, a few hundred bytes each.
const QUEUE: usize = 20_000;
/// Hits per transaction.
const BATCH: usize = 500;
/// How long an answer waits for room.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a batch that the database refuses is tried, a second apart.
const TRIES: u32 = 60;
/// What tells people from programs.
const HEADERS: [&str; 10] = [
    "accept-language",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-dest",
    "purpose",
    "sec-purpose",
    "x-purpose",
    "x-moz",
    "cf-ipcountry",
    "accept",
];

/// One hit, as it was.
pub(super) struct Hit {
    pub tenant_id: Uuid,
    pub link_id: Uuid,
    pub at: DateTime<Utc>,
    pub method: Method,
    pub user_agent: String,
    pub headers: Value,
    /// See [`super::Signer::visitor`].
    pub visitor: Vec<u8>,
    /// The address without its last part.
    pub network: Option<String>,
}

enum Entry {
    Hit(Box<Hit>),
    /// Answered when all before it is written.
    Flush(oneshot::Sender<()>),
}

/// The queue.
pub struct Clicks {
    entries: mpsc::Sender<Entry>,
}

impl Clicks {
    /// A queue with its task, which ends with it.
    pub fn start(db: Db, clock: Arc<dyn Clock>) -> Self {
        let (entries, mut receiver) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut batch, BATCH).await > 0 {
                let (mut hits, mut waiting) = (Vec::new(), Vec::new());
                for entry in batch.drain(..) {
                    match entry {
                        Entry::Hit(hit) => hits.push(*hit),
                        Entry::Flush(done) => waiting.push(done),
                    }
                }
                write(&db, &*clock, hits).await;
                for done in waiting {
                    let _ = done.send(());
                }
            }
        });
        Self { entries }
    }

    /// Puts a hit in the queue.
    pub(super) async fn record(&self, hit: Hit) {
        metrics::counter!("patchbay_clicks_total").increment(1);
        match tokio::time::timeout(PATIENCE, self.entries.reserve()).await {
            Ok(Ok(room)) => room.send(Entry::Hit(Box::new(hit))),
            Ok(Err(_)) | Err(_) => lost(1),
        }
    }

    /// Waits until everything recorded so far is written.
    pub async fn flushed(&self) {
        let (done, written) = oneshot::channel();
        if self.entries.send(Entry::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }
}

fn lost(hits: u64) {
    metrics::counter!("patchbay_clicks_lost_total").increment(hits);
    tracing::error!(hits, "clicks could not be recorded");
}

/// Writes a batch, trying again while the database is away. The ids stay the same, so that nothing is written twice.
async fn write(db: &Db, clock: &dyn Clock, hits: Vec<Hit>) {
    if hits.is_empty() {
        return;
    }
    let count = hits.len() as u64;
    let mut clicks = sql::NewClicks::default();
    for hit in hits {
        clicks.tenants.push(hit.tenant_id);
        clicks.ids.push(ids::new_id(hit.at));
        clicks.links.push(hit.link_id);
        clicks.at.push(hit.at);
        clicks.methods.push(hit.method.as_str().to_owned());
        clicks.agents.push(hit.user_agent);
        clicks.headers.push(hit.headers);
        clicks.visitors.push(hit.visitor);
        clicks.networks.push(hit.network);
    }
    for _ in 0..TRIES {
        match store(db, clock, &clicks).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "clicks cannot be written; trying again"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    lost(count);
}

/// Hits, with what can be said of them at once.
async fn store(db: &Db, clock: &dyn Clock, clicks: &sql::NewClicks) -> Result<()> {
    let mut tx = db.system().await?;
    sql::insert_clicks(tx.conn(), clicks).await?;
    jobs::judge(tx.conn(), &clicks.tenants, &clicks.ids, clock.now()).await?;
    tx.commit().await
}

/// The headers that matter, each cut to what they usually hold.
pub(super) fn telling(headers: &HeaderMap) -> Value {
    let telling = HEADERS.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), Value::from(value.chars().take(120).collect::<String>())))
    });
    Value::Object(telling.collect::<Map<_, _>>())
}

/// The network of an address: `/24` of IPv4, `/48` of IPv6.
pub(super) fn network(ip: &str) -> Option<String> {
    match ip.parse().ok()? {
        std::net::IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        std::net::IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            Some(format!("{a:x}:{b:x}:{c:x}::/48"))
        }
    }
}
