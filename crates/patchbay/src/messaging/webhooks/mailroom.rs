//! Verified events on their way into the database: many in one transaction, opt-outs with them.

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
    db::{Db, TenantTx},
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
        // The same news with a price is news.
        let price = report
            .price
            .as_ref()
            .map(|price| format!(":{}{}", price.micros, price.currency))
            .unwrap_or_default();
        let id = format!("{}:{}:{code}{price}", report.provider_message_id, report.status);
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
                let outcomes = store_all(&db, &letters, clock.now()).await;
                for (receipt, stored) in receipts.into_iter().zip(outcomes) {
                    let _ = receipt.send(stored);
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

/// Stores `letters` and answers for each. One that the database refuses spoils only itself: what could not be stored
/// together is halved until it stands alone.
async fn store_all(db: &Db, letters: &[Letter], now: DateTime<Utc>) -> Vec<Result<(), String>> {
    let mut outcomes = Vec::with_capacity(letters.len());
    let mut parts = vec![letters];
    while let Some(part) = parts.pop() {
        match store(db, part, now).await {
            Err(error) if part.len() > 1 && is_refusal(&error) => {
                let (first, rest) = part.split_at(part.len() / 2);
                parts.extend([rest, first]);
            }
            outcome => {
                let outcome = outcome.map_err(|error| error.to_string());
                outcomes.extend(std::iter::repeat_n(outcome, part.len()));
            }
        }
    }
    outcomes
}

/// Whether the database understood and said no; a database that does not answer would not answer for one either.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::Internal(cause) => {
            matches!(cause.downcast_ref::<sqlx::Error>(), Some(sqlx::Error::Database(_)))
        }
        _ => true,
    }
}

/// One transaction: raw events, the work that follows from those that are new, and the opt-outs among them, so that
/// none binds without the words that gave it, and none is kept without binding.
async fn store(db: &Db, letters: &[Letter], now: DateTime<Utc>) -> Result<()> {
    let mut events = Events::default();
    for letter in letters {
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
    let mut reports: HashMap<Uuid, Vec<&Report>> = HashMap::new();
    let mut stops: BTreeMap<Uuid, Vec<(&Inbound, String)>> = BTreeMap::new();
    let mut jobs = Jobs::default();
    for letter in letters {
        // The same event twice in one batch is one event.
        if !fresh.remove(&letter.id) {
            continue;
        }
        match &letter.content {
            Content::Status(report) => reports.entry(letter.tenant).or_default().push(report),
            Content::Inbound(inbound, _) => {
                if let Class::HardOptOut { keyword } = inbound.classify(false) {
                    stops.entry(letter.tenant).or_default().push((inbound, keyword.to_uppercase()));
                }
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
    for (tenant, stops) in stops {
        let mut bound = tx.bind(tenant).await?;
        opt_out(&mut bound, stops, now).await?;
        tx = bound.release().await?;
    }
    crash::point("webhook.stopped").await;
    tx.commit().await?;
    crash::point("webhook.committed").await;
    Ok(())
}

/// Opt-outs bind from now on, before anything else is done with the messages that brought them.
async fn opt_out(tx: &mut TenantTx, mut stops: Vec<(&Inbound, String)>, now: DateTime<Utc>) -> Result<()> {
    // In one order everywhere, so that two nodes do not wait for each other.
    stops.sort_by(|(one, _), (other, _)| one.from.cmp(&other.from));
    for (inbound, word) in stops {
        let Ok(channel) = inbound.channel.parse() else { continue };
        let change = Change {
            detail: Some(&word),
            source: Some(&inbound.to),
            evidence: json!({ "provider_message_id": inbound.provider_message_id, "text": inbound.body, "to": inbound.to }),
            ..Change::new(channel, &inbound.from, State::Unsubscribed, "keyword", now)
        };
        consent::set(tx, &change).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::TestApp;

    fn letter(tenant: Uuid, sid: &str, from: &str, body: &str) -> Letter {
        let inbound = Inbound {
            provider: "fake".to_owned(),
            provider_message_id: sid.to_owned(),
            channel: "sms".to_owned(),
            from: from.to_owned(),
            to: "+15005550006".to_owned(),
            body: body.to_owned(),
            media: Vec::new(),
            profile_name: None,
            button_payload: None,
            handled_by_carrier: false,
        };
        let raw = json!({ "Body": body });
        Letter::inbound("fake", tenant, inbound, raw)
    }

    #[tokio::test]
    async fn a_letter_that_is_refused_spoils_only_itself() {
        let t = TestApp::new().await;
        let (who, other) = (t.tenancy("Brightside").await, t.tenancy("Cedar").await);
        t.settle().await;
        let letters = [
            letter(who.id, "SM1", "+12125550101", "Hello"),
            // Cannot be stored, though it asks for an end.
            letter(who.id, "SM2\0", "+12125550102", "STOP"),
            letter(other.id, "SM3", "+12125550103", "stop"),
            letter(other.id, "SM3", "+12125550103", "stop"),
            letter(who.id, "SM4", "+12125550104", "Yes\0"),
            letter(who.id, "SM5", "12345", "STOP"),
        ];
        let outcomes = store_all(&t.app.db, &letters, t.clock_now()).await;
        let stored: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
        assert_eq!(stored, [true, false, true, true, false, true]);
        assert_eq!(t.scalar("select count(*) from patchbay.webhook_events").await, 3);
        assert_eq!(
            t.text("select string_agg(address, ' ' order by address) from patchbay.consents where state = 'unsubscribed'").await,
            "+12125550103 12345",
            "nobody is opted out by words that were not kept"
        );
        t.settle().await;
        assert_eq!(t.scalar("select count(*) from patchbay.messages where direction = 'inbound'").await, 3);
    }
}
