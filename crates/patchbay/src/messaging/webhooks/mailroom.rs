//! Verified events on their way into the database: many in one transaction, opt-outs first.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use patchbay_rules::consent::Class;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::accounts::Accounts;
use crate::{
    consent::{self, Change, State},
    crash,
    db::Db,
    error::{Error, Result},
    messaging::{
        inbound::Inbound,
        reports::Report,
        sql::webhooks::{self as sql, Events, Jobs},
    },
    time::Clock,
};

/// A verified event on its way to the database.
pub(super) struct Letter {
    provider: &'static str,
    /// Unique per provider: the same again is a replay.
    id: String,
    tenant: Uuid,
    content: Content,
}

enum Content {
    Status(Report),
    /// With the raw parameters, kept as evidence.
    Inbound(Box<Inbound>, Value),
}

impl Letter {
    pub(super) fn status(provider: &'static str, tenant: Uuid, report: Report) -> Self {
        let code = report.code.unwrap_or_default();
        let id = format!("{}:{}:{code}", report.provider_message_id, report.status);
        Self { provider, id, tenant, content: Content::Status(report) }
    }

    pub(super) fn inbound(provider: &'static str, tenant: Uuid, inbound: Inbound, raw: Value) -> Self {
        let id = inbound.provider_message_id.clone();
        Self { provider, id, tenant, content: Content::Inbound(Box::new(inbound), raw) }
    }
}

type Receipt = oneshot::Sender<Result<(), String>>;

/// Commits letters in batches, from those whose accounts may sign.
pub struct Mailroom {
    letters: mpsc::Sender<(Letter, Receipt)>,
    pub(super) accounts: Accounts,
}

/// Most letters per transaction.
const BATCH: usize = 500;

impl Mailroom {
    /// A mailroom with its worker, which ends with it.
    pub fn start(db: Db, clock: Arc<dyn Clock>) -> Self {
        let (letters, mut receiver) = mpsc::channel::<(Letter, Receipt)>(4096);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            // What arrives while one batch is written makes up the next: no timer, no added delay.
            while receiver.recv_many(&mut batch, BATCH).await > 0 {
                let (letters, receipts): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
                let stored = store(&db, letters, clock.now()).await.map_err(|error| error.to_string());
                for receipt in receipts {
                    let _ = receipt.send(stored.clone());
                }
            }
        });
        Self { letters, accounts: Accounts::default() }
    }

    /// Answers when `letter` is safe.
    pub(super) async fn deliver(&self, letter: Letter) -> Result<()> {
        let (receipt, stored) = oneshot::channel();
        self.letters.send((letter, receipt)).await.map_err(|_| Error::internal("the mailroom is closed"))?;
        stored.await.map_err(|_| Error::internal("the mailroom is closed"))?.map_err(Error::internal)
    }
}

/// One transaction: raw events, and the work that follows from those that are new.
async fn store(db: &Db, letters: Vec<Letter>, now: DateTime<Utc>) -> Result<()> {
    stop_first(db, &letters, now).await?;
    crash::point("webhook.stopped").await;
    let mut events = Events::default();
    for letter in &letters {
        events.providers.push(letter.provider.to_owned());
        events.ids.push(letter.id.clone());
        events.tenants.push(letter.tenant);
        let (kind, payload) = match &letter.content {
            Content::Status(report) => ("status", json!(report)),
            Content::Inbound(_, raw) => ("inbound", raw.clone()),
        };
        events.kinds.push(kind.to_owned());
        events.payloads.push(payload);
    }
    let mut tx = db.system().await?;
    let mut fresh: HashSet<String> = sql::insert_events(tx.conn(), &events, now).await?.into_iter().collect();
    let mut reports: HashMap<Uuid, Vec<Report>> = HashMap::new();
    let mut jobs = Jobs::default();
    for letter in letters {
        // The same event twice in one batch is one event.
        if !fresh.remove(&letter.id) {
            continue;
        }
        match letter.content {
            Content::Status(report) => reports.entry(letter.tenant).or_default().push(report),
            Content::Inbound(inbound, _) => {
                jobs.tenants.push(letter.tenant);
                jobs.types.push("webhook.inbound".to_owned());
                jobs.payloads.push(json!(inbound));
            }
        }
    }
    for (tenant, reports) in reports {
        jobs.tenants.push(tenant);
        jobs.types.push("webhook.status".to_owned());
        jobs.payloads.push(json!({ "reports": reports }));
    }
    if !jobs.tenants.is_empty() {
        sql::enqueue(tx.conn(), &jobs, now).await?;
    }
    crash::point("webhook.written").await;
    tx.commit().await?;
    crash::point("webhook.committed").await;
    Ok(())
}

/// Opt-outs bind from now on, before anything else is done with the messages that brought them.
async fn stop_first(db: &Db, letters: &[Letter], now: DateTime<Utc>) -> Result<()> {
    let mut stops: BTreeMap<Uuid, Vec<(&Inbound, String)>> = BTreeMap::new();
    for letter in letters {
        let Content::Inbound(inbound, _) = &letter.content else { continue };
        let Class::HardOptOut { keyword } = inbound.classify(false) else { continue };
        stops.entry(letter.tenant).or_default().push((inbound, keyword.to_uppercase()));
    }
    for (tenant, mut stops) in stops {
        // In one order everywhere, so that two nodes do not wait for each other.
        stops.sort_by(|(one, _), (other, _)| one.from.cmp(&other.from));
        let mut tx = db.tenant(tenant).await?;
        for (inbound, word) in stops {
            let Ok(channel) = inbound.channel.parse() else { continue };
            let change = Change {
                detail: Some(&word),
                source: Some(&inbound.to),
                evidence: json!({ "provider_message_id": inbound.provider_message_id, "text": inbound.body, "to": inbound.to }),
                ..Change::new(channel, &inbound.from, State::Unsubscribed, "keyword", now)
            };
            consent::set(&mut tx, &change).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
