//! kill -9 under load: the real program, the carrier's simulator with all its faults, two workers side by side and the
//! server that takes webhooks. They are killed at random times, and between any two steps of claim, call and settle, of
//! taking and handling a webhook. In the end the carrier's ledger and ours agree: nothing twice, nothing lost, totals
//! balance.
//!
//! `PATCHBAY_CRASHES`, `PATCHBAY_CRASH_MESSAGES` and `PATCHBAY_CRASH_SEED` ask for more, or for other, luck; with
//! `PATCHBAY_CRASH_CAMPAIGN=1` the messages are one campaign's.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// How long the survivors may take to bring everything to an end.
const PATIENCE: Duration = Duration::from_secs(240);

/// A process that does not outlive the test.
struct Process(Child);

impl Process {
    /// kill -9.
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Waits for the process to end by itself, and ends it if it does not.
    async fn ends(&mut self, within: Duration) {
        let began = Instant::now();
        while began.elapsed() < within && matches!(self.0.try_wait(), Ok(None)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder, addresses and variables that all processes share.
struct World {
    folder: PathBuf,
    web: String,
    carrier: String,
    database: Option<String>,
}

impl World {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("patchbay-crash-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        Self { folder, web: free_address(), carrier: free_address(), database: None }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
        command.args(arguments).current_dir(&self.folder);
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("PATCHBAY_") || name.starts_with("TWILIO_"))
        {
            if name != "PATCHBAY_PG_BIN" {
                command.env_remove(name);
            }
        }
        command
            .env_remove("DATABASE_URL")
            .env("PATCHBAY_DATA_DIR", self.folder.join("data"))
            .env("PATCHBAY_PUBLIC_URL", format!("http://{}", self.web))
            .env("PATCHBAY_LEASE_SECONDS", "4")
            .env("PATCHBAY_RECONCILE_AFTER_SECONDS", "2")
            .env("PATCHBAY_SEND_CONCURRENCY", "8")
            .env("PATCHBAY_DB_CONNECTIONS", "10")
            .env("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001")
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .env("TWILIO_FROM_E164", "+15005550006")
            .env("TWILIO_API_BASE", format!("http://{}", self.carrier))
            .env("RUST_LOG", "warn");
        if let Some(url) = &self.database {
            command.env("DATABASE_URL", url);
        }
        command
    }

    fn start(&self, log: &str, arguments: &[&str]) -> Process {
        self.start_doomed(log, arguments, None)
    }

    /// Starts a process that kills itself at the point `doom` names, if any.
    fn start_doomed(&self, log: &str, arguments: &[&str], doom: Option<&str>) -> Process {
        let log = File::options().create(true).append(true).open(self.folder.join(log)).expect("log");
        let mut command = self.command(arguments);
        command.envs(doom.map(|doom| ("PATCHBAY_CRASH_AT", doom)));
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("log")).stderr(log);
        Process(command.spawn().expect("start"))
    }

    fn output(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).arg("--json").output().expect("run");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn worker(&self, doom: Option<&str>) -> Process {
        self.start_doomed("worker.log", &["serve", "--role", "worker"], doom)
    }

    /// The server that takes webhooks.
    fn web(&self, doom: Option<&str>) -> Process {
        self.start_doomed("web.log", &["serve", "--role", "web", "--listen", &self.web], doom)
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("address").to_string()
}

fn await_port(address: &str, folder: &Path) {
    let began = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "nothing answers at {address}; see {}",
            folder.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// SplitMix64: the same seed gives the same kills.
struct Luck(u64);

impl Luck {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ (value >> 31)) % limit
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

async fn count(sql: &mut PgConnection, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select ({query})::bigint")))
        .fetch_one(sql)
        .await
        .expect("count")
}

/// Queues messages `from..to`; one in twenty is the twin of another, same text to the same person.
async fn queue(sql: &mut PgConnection, from: u64, to: u64) {
    let statement = format!(
        "insert into patchbay.messages (tenant_id, direction, channel, kind, status, dedupe_key, to_address, body, cost_micros)
         select t.id, 'outbound', 'sms', 'api', 'queued', 'crash:' || n, '+1415' || 2000000 + n - (n % 20 = 19)::int,
           'Message ' || n - (n % 20 = 19)::int, 10000
         from patchbay.tenants t, generate_series({from}, {to} - 1) n"
    );
    sql.execute(AssertSqlSafe(statement)).await.expect("queue");
}

/// A campaign, by way of the API.
struct Campaign {
    client: reqwest::Client,
    url: String,
    key: String,
}

impl Campaign {
    /// Launches one to `recipients` people who agreed to it.
    async fn launch(
        sql: &mut PgConnection,
        world: &World,
        tenant: &Value,
        web: &str,
        recipients: u64,
    ) -> Self {
        let people = format!(
            "insert into patchbay.contacts (tenant_id, first_name, phone_e164, import_id, consent_sms)
             select id, 'P' || n, '+1415' || 2000000 + n, gen_random_uuid(), 'subscribed' from patchbay.tenants, generate_series(1, {recipients}) n;
             analyze patchbay.contacts;
             insert into patchbay.consents (tenant_id, channel, address, state, how)
             select tenant_id, 'sms', phone_e164, 'subscribed', 'form' from patchbay.contacts"
        );
        sql.execute(AssertSqlSafe(people)).await.expect("people");
        let slug = tenant["slug"].as_str().expect("slug");
        let key = world.output(&["api-key", "create", "--tenant", slug, "--name", "crash"]);
        let key = key["key"].as_str().expect("key").to_owned();
        let mut this = Self { client: client(), url: format!("http://{web}/api"), key };
        let words = serde_json::json!({ "name": "Autumn", "content": "Hi {{first_name}}, our autumn days are here. Reply STOP to opt out." });
        let template = this.post("/templates", words).await;
        let draft =
            serde_json::json!({ "name": "Autumn", "channel": "sms", "template_ids": [template["id"]] });
        let id = this.post("/campaigns", draft).await["id"].as_str().expect("id").to_owned();
        this.url = format!("{}/campaigns/{id}", this.url);
        this.post("/launch", serde_json::json!({})).await;
        this
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.key).json(&body);
        let answer = request.send().await.expect("answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap_or_default());
        answer.json().await.expect("JSON")
    }

    /// Every recipient is in one place of its totals.
    async fn assert_balanced(&self, recipients: u64) {
        let answer = self.client.get(&self.url).bearer_auth(&self.key).send().await.expect("answer");
        let campaign: Value = answer.json().await.expect("JSON");
        let totals = &campaign["totals"];
        let ended = ["sent", "delivered", "undelivered", "failed"]
            .map(|name| totals[name].as_u64().unwrap_or_default());
        assert_eq!(totals["recipients"], recipients, "{campaign}");
        assert_eq!(ended.iter().sum::<u64>(), recipients, "{campaign}");
    }
}

/// Where a process kills itself, and after how many passages.
const DOOMS: &[&str] = &[
    "claim.locked:2",
    "hand_over.called:9",
    "claim.marked:1",
    "settle.written:1",
    "webhook.written:3",
    "claim.committed:2",
    "settle.begun:2",
    "reconcile.found:1",
    "hand_over.checked:5",
    "settle.committed:1",
    "webhook.committed:5",
    "reconcile.marked:0",
    "event.handled:4",
    "report.written:2",
    "reconcile.written:0",
];

#[tokio::test]
async fn killed_anywhere_nothing_goes_twice_or_missing() {
    let crashes = number("PATCHBAY_CRASHES", 20);
    let messages = number("PATCHBAY_CRASH_MESSAGES", 3_000);
    let mut luck = Luck(number("PATCHBAY_CRASH_SEED", 1));
    let mut world = World::new();
    let carrier_address = world.carrier.clone();
    let faults = "--latency-ms 20 --reject-rate 0.03 --lost-reply-rate 0.05 --throttle-rate 0.05 --duplicate-callbacks --reorder-callbacks --seed 1";
    let arguments: Vec<&str> = ["carrier", "--listen", &carrier_address, "--auth-token", TOKEN]
        .into_iter()
        .chain(faults.split(' '))
        .collect();
    let _carrier = world.start("carrier.log", &arguments);
    // One server does nothing but hold on to the private cluster; it is the only one that lives through.
    let holder_address = free_address();
    let _holder = world.start("holder.log", &["serve", "--role", "web", "--listen", &holder_address]);
    await_port(&carrier_address, &world.folder);
    await_port(&holder_address, &world.folder);
    let url = world.output(&["database-url"])["url"].as_str().expect("url").to_owned();
    let tenant = world.output(&["tenant", "create", "--name", "Brightside"]);
    world.database = Some(url.clone());
    let mut sql = PgConnection::connect(&url).await.expect("database");
    sql.execute("update patchbay.tenants set quiet_start = null, quiet_end = null, country_rules = false")
        .await
        .expect("tenant");
    let campaign = match number("PATCHBAY_CRASH_CAMPAIGN", 0) {
        0 => None,
        _ => Some(Campaign::launch(&mut sql, &world, &tenant, &holder_address, messages).await),
    };
    let mut web = world.web(None);
    let mut workers = [world.worker(None), world.worker(None)];
    for crash in 0..crashes {
        if campaign.is_none() {
            queue(&mut sql, crash * messages / crashes, (crash + 1) * messages / crashes).await;
        }
        let doom = DOOMS[usize::try_from(crash / 2).unwrap_or_default() % DOOMS.len()];
        let victim = &mut workers[usize::try_from(luck.below(2)).unwrap_or_default()];
        if crash % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(50 + luck.below(700))).await;
            victim.kill();
            *victim = world.worker(None);
        } else if doom.starts_with("webhook") {
            web.kill();
            web = world.web(Some(doom));
            web.ends(Duration::from_secs(2)).await;
            web = world.web(None);
        } else {
            victim.kill();
            *victim = world.worker(Some(doom));
            victim.ends(Duration::from_secs(2)).await;
            *victim = world.worker(None);
        }
    }
    let began = Instant::now();
    let open = "select count(*) from patchbay.messages where status in ('queued', 'sending', 'unknown')";
    let events = "select count(*) from patchbay.outbox where processed_at is null and parked_at is null";
    let running = "select count(*) from patchbay.campaigns where finished_at is null";
    let patience = PATIENCE + Duration::from_millis(messages * 10);
    while count(&mut sql, open).await + count(&mut sql, events).await + count(&mut sql, running).await > 0 {
        assert!(began.elapsed() < patience, "work stays without an end; see {}", world.folder.display());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    compare(&mut sql, &world, messages).await;
    if let Some(campaign) = &campaign {
        campaign.assert_balanced(messages).await;
    }
    drop(workers);
    drop(web);
    drop(sql);
    let _ = fs::remove_dir_all(&world.folder);
}

fn client() -> reqwest::Client {
    patchbay_providers::http::client().build().expect("a client")
}

/// The carrier's ledger against ours.
async fn compare(sql: &mut PgConnection, world: &World, messages: u64) {
    let ledger = client()
        .get(format!("http://{}/ledger", world.carrier))
        .send()
        .await
        .expect("ledger")
        .text()
        .await
        .expect("ledger");
    let ledger: Vec<Value> = serde_json::from_str(&ledger).expect("ledger");
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let theirs: BTreeSet<_> =
        ledger.iter().map(|entry| (text(entry, "sid"), text(entry, "to"), text(entry, "body"))).collect();
    assert_eq!(theirs.len(), ledger.len());
    let rows =
        sqlx::query("select status, provider_message_id, to_address, body, attempt from patchbay.messages")
            .fetch_all(&mut *sql)
            .await
            .expect("messages");
    assert_eq!(rows.len() as u64, messages);
    let mut ours = BTreeSet::new();
    let mut totals: BTreeMap<String, u32> = BTreeMap::new();
    let mut attempts: BTreeMap<i32, u32> = BTreeMap::new();
    for row in &rows {
        let status: String = row.get("status");
        *attempts.entry(row.get("attempt")).or_default() += 1;
        match row.get::<Option<String>, _>("provider_message_id") {
            Some(sid) => {
                let is_new = ours.insert((sid, row.get("to_address"), row.get("body")));
                assert!(is_new, "one message of the carrier's stands for two of ours");
            }
            None => assert_eq!(status, "failed", "the carrier knows nothing of it"),
        }
        *totals.entry(status).or_default() += 1;
    }
    let unknown_to_us: Vec<_> = theirs.difference(&ours).collect();
    let unknown_to_them: Vec<_> = ours.difference(&theirs).collect();
    assert!(unknown_to_us.is_empty(), "sent, but not in our ledger (twice, or forgotten): {unknown_to_us:?}");
    assert!(unknown_to_them.is_empty(), "in our ledger, but never sent: {unknown_to_them:?}");
    let booked = count(sql, "select sum(messages) from patchbay.spend_counters").await;
    assert_eq!(
        booked,
        i64::try_from(ledger.len()).unwrap_or_default(),
        "what was booked is what the carrier accepted"
    );
    let parked = count(sql, "select count(*) from patchbay.outbox where parked_at is not null").await;
    assert_eq!(parked, 0, "events were given up");
    eprintln!(
        "{messages} messages, {} accepted by the carrier; by status {totals:?}, by attempts {attempts:?}",
        ledger.len()
    );
}
