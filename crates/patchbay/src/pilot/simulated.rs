//! The pilot against the simulator: a data folder, a server and a carrier of its own, all gone afterwards.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use patchbay_providers::{CarrierOptions, carrier};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Check, Client, MESSAGES, PilotError, Result, STOP_SECONDS, TARGET, failed};
use crate::{
    auth::{self, Actor, Scope},
    config::Config,
    serve::{Node, Role, Signals},
    tenants::{self, NewTenant},
    time::{Clock, SystemClock},
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const SENDER: &str = "+61480000001";
/// How long after its arrival a person taps a link, at the earliest.
const READING: Duration = Duration::from_secs(12);

/// Where the pilot is flown.
struct Field {
    client: Client,
    carrier: String,
    folder: PathBuf,
    signals: Signals,
    parts: Vec<JoinHandle<()>>,
}

pub(super) async fn fly(say: &(dyn Fn(&str) + Sync)) -> Result<Vec<Check>> {
    say("Setting up a business, a database and a carrier for the pilot");
    let field = Field::open().await?;
    let checks = field.fly(say).await;
    field.close().await;
    checks
}

impl Field {
    async fn open() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("patchbay-pilot-{}", std::process::id()));
        let signals = Signals::default();
        let listen = free_address().await?;
        let port = listen.rsplit(':').next().unwrap_or_default().to_owned();
        let listener = bind("127.0.0.1:0").await?;
        let carrier =
            format!("http://{}", listener.local_addr().map_err(|cause| failed("No address")(&cause))?);
        let mut options = CarrierOptions::new(TOKEN.to_owned(), Arc::new(|| SystemClock.now()));
        options.inbound_url = Some(format!("http://{listen}/webhooks/twilio"));
        let halt = signals.stop.clone();
        let playing = tokio::spawn(async move {
            let _ = carrier::serve(listener, options, halt.cancelled_owned()).await;
        });
        let variables = HashMap::from([
            ("PATCHBAY_DATA_DIR", folder.display().to_string()),
            ("PATCHBAY_LISTEN", listen.clone()),
            ("PATCHBAY_PUBLIC_URL", format!("http://{listen}")),
            ("PATCHBAY_SHORT_DOMAIN", format!("http://localhost:{port}")),
            ("PATCHBAY_BACKUP_DIR", "off".to_owned()),
            ("TWILIO_API_BASE", carrier.clone()),
        ]);
        let config = Config::read(|name| variables.get(name).cloned())
            .map_err(|cause| failed("The pilot's configuration")(&cause))?;
        let node = Node::open(config, Role::All, &signals)
            .await
            .map_err(|cause| failed("The pilot's server cannot start")(&cause))?;
        let key = set_up(&node).await;
        let client = Client::new(&format!("http://{listen}"), key.as_deref().unwrap_or_default())?;
        let running = signals.clone();
        let serving = tokio::spawn(async move {
            let _ = node.run(&running).await;
        });
        let field = Self { client, carrier, folder, signals, parts: vec![playing, serving] };
        match key {
            Ok(_) => Ok(field),
            Err(error) => {
                field.close().await;
                Err(error)
            }
        }
    }

    async fn close(self) {
        self.signals.stop.cancel();
        for part in self.parts {
            let _ = part.await;
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    async fn fly(&self, say: &(dyn Fn(&str) + Sync)) -> Result<Vec<Check>> {
        let client = &self.client;
        let account = json!({ "provider": "twilio", "account_sid": ACCOUNT, "auth_token": TOKEN });
        client.post("/api/provider-accounts", &account).await?;
        client
            .post("/api/senders", &json!({ "channel": "sms", "address": SENDER, "provider": "twilio" }))
            .await?;
        let always = json!({ "quiet_hours": null, "country_rules": false });
        client.patch("/api/settings", &always).await?;
        let numbers: Vec<String> = (0..MESSAGES).map(|nth| format!("+614120001{nth:02}")).collect();
        say("Importing twenty people with their consent");
        super::import(client, &numbers).await?;
        say("Launching a campaign to them");
        let (campaign, cost_cents) = super::launch(client).await?;
        let mut checks = vec![super::delivered(client, &campaign, 60).await?];
        checks.push(self.no_duplicates().await?);
        checks.push(self.budget_tracked(cost_cents).await?);
        say("Tapping the link, as a person does after a while");
        tokio::time::sleep(READING).await;
        self.tap().await?;
        checks.push(super::clicked(client, &campaign, 60).await?);
        say("Answering STOP");
        checks.push(self.stop(&numbers[1]).await?);
        say("Trying quiet hours and an empty budget");
        checks.push(self.quiet_hours(&numbers[2]).await?);
        checks.push(self.budget(&numbers[3]).await?);
        Ok(checks)
    }

    /// What the carrier really took.
    async fn ledger(&self) -> Result<Vec<Value>> {
        let answer = self.client.http().get(format!("{}/ledger", self.carrier)).send().await;
        let answer = answer.map_err(|cause| failed("The carrier does not answer")(&cause))?;
        answer.json().await.map_err(|cause| failed("The carrier's ledger cannot be read")(&cause))
    }

    async fn no_duplicates(&self) -> Result<Check> {
        let ledger = self.ledger().await?;
        let mut times: HashMap<&str, usize> = HashMap::new();
        for message in &ledger {
            *times.entry(message["to"].as_str().unwrap_or_default()).or_default() += 1;
        }
        let once = times.len() == MESSAGES && times.values().all(|&times| times == 1);
        let found = format!("The carrier took {} messages for {} people.", ledger.len(), times.len());
        Ok(Check::new("no duplicates", once, found))
    }

    async fn budget_tracked(&self, expected_cents: i64) -> Result<Check> {
        let spend = self.client.get("/api/reports/spend").await?;
        let spent = spend["today_micros"].as_i64().unwrap_or_default();
        // What was said before is rounded to cents.
        let right = (spent - expected_cents * 10_000).abs() < 10_000 && spent > 0;
        let found = format!(
            "{:.2} was booked; preflight said {:.2}.",
            spent as f64 / 1e6,
            expected_cents as f64 / 100.0
        );
        Ok(Check::new("budget tracking", right, found))
    }

    /// Opens the link of the first message, as a phone does.
    async fn tap(&self) -> Result<()> {
        let ledger = self.ledger().await?;
        let body = ledger.first().and_then(|message| message["body"].as_str()).unwrap_or_default();
        let link = body.split_whitespace().find(|word| word.starts_with("http://localhost:"));
        let link = link.ok_or_else(|| PilotError("The message holds no short link.".to_owned()))?;
        let answer = self
            .client
            .http()
            .get(link)
            .header("user-agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1")
            .header("accept", "text/html")
            .header("accept-language", "en-AU")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .send()
            .await
            .map_err(|cause| failed("The short link does not answer")(&cause))?;
        let target = answer.headers().get("location").and_then(|target| target.to_str().ok());
        if answer.status().as_u16() == 302 && target == Some(TARGET) {
            Ok(())
        } else {
            Err(PilotError(format!("The short link answered {} instead of leading on.", answer.status())))
        }
    }

    async fn stop(&self, number: &str) -> Result<Check> {
        let said: DateTime<Utc> = SystemClock.now();
        let inbound = json!({ "from": number, "to": SENDER, "body": "STOP" });
        let posted = self.client.http().post(format!("{}/inbound", self.carrier)).json(&inbound).send().await;
        posted.map_err(|cause| failed("The carrier does not answer")(&cause))?;
        let listed = super::listed(&self.client, number, STOP_SECONDS.unsigned_abs()).await?;
        let Some(at) = listed else {
            return Ok(Check::new("STOP", false, "It is not on the list after a minute."));
        };
        let message = json!({ "to": number, "body": "Are you there?" });
        let message = self.send(&message).await?;
        let held = message["status"] == "blocked" && message["gate"]["name"] == "do_not_contact";
        let took = (at - said).num_milliseconds().max(0) as f64 / 1000.0;
        let found = format!(
            "On the do-not-contact list after {took:.1} s; the next message was {}.",
            message["status"]
        );
        Ok(Check::new("STOP", held && took <= STOP_SECONDS as f64, found))
    }

    async fn quiet_hours(&self, number: &str) -> Result<Check> {
        let night = json!({ "quiet_hours": { "start": "00:00", "end": "23:59" } });
        self.client.patch("/api/settings", &night).await?;
        let message = self.send(&json!({ "to": number, "body": "Good night" })).await?;
        self.client.patch("/api/settings", &json!({ "quiet_hours": null })).await?;
        Ok(waits("quiet hours", &message, "quiet_hours"))
    }

    async fn budget(&self, number: &str) -> Result<Check> {
        self.client.patch("/api/settings", &json!({ "budget": { "daily_cents": 0 } })).await?;
        let message = self.send(&json!({ "to": number, "body": "One more" })).await?;
        Ok(waits("budget", &message, "budget"))
    }

    /// Sends an automatic message; answers what became of it.
    async fn send(&self, message: &Value) -> Result<Value> {
        let id = self.client.create("/api/messages/send", message).await?;
        self.client
            .until(&format!("/api/messages/{id}"), 20, |message| {
                !message["gate"].is_null()
                    || !matches!(message["status"].as_str(), Some("queued" | "sending"))
            })
            .await
    }
}

fn waits(name: &'static str, message: &Value, gate: &str) -> Check {
    let held = message["status"] == "queued" && message["gate"]["name"] == gate;
    Check::new(name, held, message["gate"]["reason"].as_str().unwrap_or("The message was not held."))
}

/// The business of the pilot; answers an API key.
async fn set_up(node: &Node) -> Result<String> {
    let app = node.app();
    let tenant = NewTenant {
        name: "Pilot".to_owned(),
        slug: None,
        timezone: Some("Australia/Sydney".to_owned()),
        country: Some("AU".to_owned()),
    };
    let made = async {
        let tenant = tenants::create(app, tenant).await?;
        auth::create_key(app, tenant.id, &Actor::system(), "pilot", Scope::Full).await
    };
    Ok(made.await.map_err(|cause| failed("The pilot's business cannot be made")(&cause))?.key)
}

async fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|cause| failed("No free port")(&cause))
}

async fn free_address() -> Result<String> {
    let listener = bind("127.0.0.1:0").await?;
    Ok(listener.local_addr().map_err(|cause| failed("No free port")(&cause))?.to_string())
}
