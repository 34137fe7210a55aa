//! Webhooks: verified, stored, answered within milliseconds; everything else happens later, through the outbox.
//!
//! The signature is checked over exactly what was received, against the address that is configured, never one
//! that the client names. Raw events are committed before they are answered, many at a time ([`Mailroom`]), and
//! once per provider id, so that a replay is harmless. A STOP takes effect before its webhook is answered.
//! Every answer is TwiML, empty: anything else would be texted to somebody.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{
    body::Bytes,
    extract::{OriginalUri, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use patchbay_providers::{
    Event,
    twilio::{
        signature::{self, Body},
        webhook::{self, InboundMessage, StatusCallback, Webhook},
    },
};
use patchbay_rules::consent::Class;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::{
    inbound::Inbound,
    reports::Report,
    sql::webhooks::{self as sql, Events, Jobs},
};
use crate::{
    app::App,
    consent::{self, Change, State as ConsentState},
    crash,
    error::{Error, Result},
    providers,
    time::Clock,
    web::routes::{Access, Routes},
};

/// The routes of webhooks; the last four are the names that existing set-ups know.
pub(super) fn routes(mut routes: Routes) -> Routes {
    for path in [
        "/webhooks/twilio",
        "/webhooks/provider",
        "/api/twilio/webhook",
        "/functions/v1/twilio-inbound",
        "/functions/v1/twilio-status",
    ] {
        routes = routes.post(path, Access::Signed, twilio).get(path, Access::Signed, twilio);
    }
    routes
}

async fn twilio(
    State(app): State<Arc<App>>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let status = match take(&app, uri.path(), query, &method, &headers, &body).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            if let Error::Internal(cause) = &error {
                tracing::error!(error = %cause, "a webhook could not be stored");
            }
            metrics::counter!("patchbay_webhooks_refused_total").increment(1);
            StatusCode::from_u16(error.problem().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
        }
    };
    (
        status,
        [(header::CONTENT_TYPE, "text/xml; charset=utf-8")],
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response/>",
    )
        .into_response()
}

async fn take(
    app: &App,
    path: &str,
    query: &str,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<()> {
    let pairs = webhook::parse_form(if method == Method::GET { query.as_bytes() } else { body });
    let named = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let accounts = app.webhooks.accounts(app, named("AccountSid").unwrap_or_default()).await?;
    let question = if query.is_empty() { "" } else { "?" };
    let url = format!("{}{path}{question}{query}", app.config.public_url);
    let given = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    let signed = |account: &&Account| {
        let tokens: Vec<&str> = account.tokens.iter().map(String::as_str).collect();
        let body = match (method == Method::GET, form) {
            (true, _) => Body::Form(&[]),
            (false, true) => Body::Form(&pairs),
            (false, false) => Body::Raw(body),
        };
        signature::validate(&tokens, given, &url, body)
    };
    let matching: Vec<&Account> = accounts.iter().filter(signed).collect();
    if matching.is_empty() {
        return Err(Error::Forbidden("The signature does not match an account that is known here.".into()));
    }
    match webhook::parse(&pairs).map_err(|error| Error::BadRequest(error.to_string().into()))? {
        Webhook::Status(status) => take_status(app, &matching, query, status).await,
        Webhook::Inbound(message) => take_inbound(app, &matching, *message, json!(pairs)).await,
    }
}

async fn take_status(app: &App, accounts: &[&Account], query: &str, status: StatusCallback) -> Result<()> {
    let mark = Mark::read(query);
    // A tenant with an account of its own could sign anything, but only about itself.
    let tenant = match mark.tenant {
        Some(tenant) if accounts.iter().any(|account| account.tenant.is_none_or(|owner| owner == tenant)) => {
            Some(tenant)
        }
        Some(_) => return Err(Error::Forbidden("This account does not speak for that business.".into())),
        None => accounts.iter().find_map(|account| account.tenant),
    };
    let Some(tenant) = tenant else { return Ok(()) };
    let report = Report {
        message_id: mark.message,
        attempt: mark.attempt,
        provider_message_id: status.message_sid.clone(),
        status: status.status,
        code: status.error_code,
        detail: status.error_message,
        price: status.price,
    };
    // The same news with a price is news.
    let price = report.price.as_ref().map(|price| format!(":{}", price.micros)).unwrap_or_default();
    let id = format!("{}:{}:{}{price}", status.message_sid, report.status, report.code.unwrap_or_default());
    app.webhooks.deliver(Letter { provider: "twilio", id, tenant, content: Content::Status(report) }).await
}

async fn take_inbound(app: &App, accounts: &[&Account], message: InboundMessage, raw: Value) -> Result<()> {
    let owner = match accounts {
        [Account { tenant: Some(tenant), .. }] => Some(*tenant),
        // One account for several tenants: the number tells whose it is.
        _ => {
            let mut conn = app.db.system_conn().await?;
            let owners = sql::tenants_of_number(&mut conn, message.channel.as_str(), &message.to).await?;
            owners.into_iter().find(|owner| {
                accounts.iter().any(|account| account.tenant.is_none_or(|tenant| tenant == *owner))
            })
        }
    };
    let Some(tenant) = owner else {
        tracing::warn!(
            to = patchbay_rules::phone::mask(&message.to),
            "a message came for a number that no business here has"
        );
        return Ok(());
    };
    let inbound = Inbound {
        provider: "twilio".to_owned(),
        provider_message_id: message.message_sid.clone(),
        channel: message.channel.as_str().to_owned(),
        from: message.from,
        to: message.to,
        body: message.body,
        media: message.media.into_iter().map(|media| media.url).collect(),
        profile_name: message.profile_name,
        button_payload: message.button_payload,
        handled_by_carrier: message.opt_out_type.is_some(),
    };
    app.webhooks
        .deliver(Letter {
            provider: "twilio",
            id: message.message_sid,
            tenant,
            content: Content::Inbound(Box::new(inbound), raw),
        })
        .await
}

/// What our own callback URLs carry: `?t=<tenant>&m=<message>&a=<attempt>`.
#[derive(Default)]
struct Mark {
    tenant: Option<Uuid>,
    message: Option<Uuid>,
    attempt: Option<i32>,
}

impl Mark {
    fn read(query: &str) -> Self {
        let mut mark = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "t" => mark.tenant = value.parse().ok(),
                "m" => mark.message = value.parse().ok(),
                "a" => mark.attempt = value.parse().ok(),
                _ => {}
            }
        }
        mark
    }
}

/// Takes the fake carrier's receipts and replies the way the real one's arrive. Ends with the channel.
pub async fn pump_fake(app: Arc<App>, mut events: mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        if let Err(error) = take_fake(&app, event).await {
            tracing::warn!(%error, "an event of the practice carrier was lost");
        }
    }
}

/// One event of the fake carrier.
pub async fn take_fake(app: &App, event: Event) -> Result<()> {
    let callback = match &event {
        Event::Status { callback, .. } | Event::Inbound { callback, .. } => {
            callback.as_deref().unwrap_or_default()
        }
    };
    let mark = Mark::read(callback.split_once('?').map_or("", |(_, query)| query));
    let Some(tenant) = mark.tenant else { return Ok(()) };
    let letter = match event {
        Event::Status { message_id, provider_message_id, status, error_code, .. } => {
            let id = format!("{provider_message_id}:{status}:{}", error_code.unwrap_or_default());
            let report = Report {
                message_id: Some(message_id),
                attempt: mark.attempt,
                provider_message_id,
                status,
                code: error_code,
                detail: None,
                price: None,
            };
            Letter { provider: "fake", id, tenant, content: Content::Status(report) }
        }
        Event::Inbound { provider_message_id, channel, from, to, body, .. } => {
            let inbound = Inbound {
                provider: "fake".to_owned(),
                provider_message_id: provider_message_id.clone(),
                channel: channel.as_str().to_owned(),
                from,
                to,
                body,
                media: Vec::new(),
                profile_name: None,
                button_payload: None,
                handled_by_carrier: false,
            };
            Letter {
                provider: "fake",
                id: provider_message_id,
                tenant,
                content: Content::Inbound(Box::new(inbound), Value::Null),
            }
        }
    };
    app.webhooks.deliver(letter).await
}

/// An account that may sign webhooks.
#[derive(Clone)]
pub struct Account {
    /// `None` is the account of the environment, shared by tenants.
    tenant: Option<Uuid>,
    tokens: Vec<String>,
}

/// A verified event on its way to the database.
pub struct Letter {
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

/// The accounts of one name, and when they were read.
type Known = (DateTime<Utc>, Arc<Vec<Account>>);

type Receipt = oneshot::Sender<Result<(), String>>;

/// Commits letters in batches, and remembers for a moment which accounts may sign.
pub struct Mailroom {
    letters: mpsc::Sender<(Letter, Receipt)>,
    accounts: Mutex<HashMap<String, Known>>,
}

/// Most letters per transaction.
const BATCH: usize = 500;

impl Mailroom {
    /// A mailroom with its worker, which ends with it.
    pub fn start(db: crate::db::Db, clock: Arc<dyn Clock>) -> Self {
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
        Self { letters, accounts: Mutex::default() }
    }

    /// Answers when `letter` is safe.
    async fn deliver(&self, letter: Letter) -> Result<()> {
        let (receipt, stored) = oneshot::channel();
        self.letters.send((letter, receipt)).await.map_err(|_| Error::internal("the mailroom is closed"))?;
        stored.await.map_err(|_| Error::internal("the mailroom is closed"))?.map_err(Error::internal)
    }

    async fn accounts(&self, app: &App, account_sid: &str) -> Result<Arc<Vec<Account>>> {
        let now = app.now();
        if let Some((at, accounts)) = self.accounts.lock().expect("accounts lock").get(account_sid)
            && now - *at < TimeDelta::seconds(15)
        {
            return Ok(accounts.clone());
        }
        let mut accounts = Vec::new();
        if let Some(shared) = app.config.twilio.as_ref().filter(|shared| shared.account_sid == account_sid) {
            accounts.push(Account { tenant: None, tokens: shared.auth_tokens.clone() });
        }
        let rows = {
            let mut conn = app.db.system_conn().await?;
            sql::accounts(&mut conn, account_sid).await?
        };
        for row in rows {
            match providers::open_credentials(app, row.tenant_id, row.credentials_sealed.as_deref()) {
                Ok(credentials) => {
                    accounts.push(Account { tenant: Some(row.tenant_id), tokens: credentials.auth_tokens() })
                }
                Err(error) => {
                    tracing::error!(%error, tenant = %row.tenant_id, "credentials cannot be opened")
                }
            }
        }
        let accounts = Arc::new(accounts);
        // Only names that exist are remembered: strangers cannot fill the memory.
        if !accounts.is_empty() {
            self.accounts
                .lock()
                .expect("accounts lock")
                .insert(account_sid.to_owned(), (now, accounts.clone()));
        }
        Ok(accounts)
    }
}

/// One transaction: raw events, and the work that follows from those that are new.
async fn store(db: &crate::db::Db, letters: Vec<Letter>, now: DateTime<Utc>) -> Result<()> {
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
    let mut fresh: std::collections::HashSet<String> =
        sql::insert_events(tx.conn(), &events, now).await?.into_iter().collect();
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
async fn stop_first(db: &crate::db::Db, letters: &[Letter], now: DateTime<Utc>) -> Result<()> {
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
                ..Change::new(channel, &inbound.from, ConsentState::Unsubscribed, "keyword", now)
            };
            consent::set(&mut tx, &change).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
