//! The program as processes that can be killed, on one folder and one set of addresses, beside the carrier's simulator
//! with all its faults.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub const NUMBER: &str = "+15005550006";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const FAULTS: &str = "--latency-ms 20 --reject-rate 0.03 --lost-reply-rate 0.05 --throttle-rate 0.05 --duplicate-callbacks --reorder-callbacks --seed 1";

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
    "webhook.stopped:0",
    "hand_over.checked:5",
    "settle.committed:1",
    "webhook.committed:5",
    "reconcile.marked:0",
    "event.handled:4",
    "report.written:2",
    "reconcile.written:0",
];

/// A process that does not outlive the test.
pub struct Process(Child);

impl Process {
    /// kill -9.
    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Waits for the process to end by itself, and ends it if it does not.
    async fn ends(&mut self, within: Duration) {
        let began = Instant::now();
        while began.elapsed() < within && matches!(self.0.try_wait(), Ok(None)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill();
    }
}

impl Process {
    /// Asks it to stop, which takes the private cluster down with it.
    fn stop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(15) && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder, addresses and variables that all processes share; the carrier; and one server that does nothing but hold
/// on to the private cluster and answer the API: it is the only one that lives through.
pub struct World {
    pub folder: PathBuf,
    web: String,
    pub carrier: String,
    pub holder: String,
    pub slug: String,
    database: Option<String>,
    survivors: Vec<Process>,
}

impl World {
    /// A world with one business in it, and a connection to its database.
    pub async fn begin(name: &str) -> (Self, PgConnection) {
        let folder = std::env::temp_dir().join(format!("patchbay-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("folder");
        let [web, carrier, holder] = [(); 3].map(|()| free_address());
        let slug = String::new();
        let mut this = Self { folder, web, carrier, holder, slug, database: None, survivors: Vec::new() };
        let (carrier, holder) = (this.carrier.clone(), this.holder.clone());
        let inbound = format!("http://{}/webhooks/twilio", this.web);
        let arguments =
            ["carrier", "--listen", &carrier, "--auth-token", TOKEN, "--inbound-url", &inbound].into_iter();
        let arguments: Vec<&str> = arguments.chain(FAULTS.split(' ')).collect();
        this.survivors = vec![
            this.start("carrier.log", &arguments, None),
            this.start("holder.log", &["serve", "--role", "web", "--listen", &holder], None),
        ];
        this.await_port(&carrier);
        this.await_port(&holder);
        let url = this.output(&["database-url"])["url"].as_str().expect("url").to_owned();
        let tenant = this.output(&["tenant", "create", "--name", "Brightside"]);
        tenant["slug"].as_str().expect("slug").clone_into(&mut this.slug);
        let sql = PgConnection::connect(&url).await.expect("database");
        this.database = Some(url);
        (this, sql)
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
            .env("TWILIO_ACCOUNT_SID", ACCOUNT)
            .env("TWILIO_AUTH_TOKEN", TOKEN)
            .env("TWILIO_FROM_E164", NUMBER)
            .env("TWILIO_API_BASE", format!("http://{}", self.carrier))
            .env("RUST_LOG", "warn");
        if let Some(url) = &self.database {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Starts a process that kills itself at the point `doom` names, if any.
    fn start(&self, log: &str, arguments: &[&str], doom: Option<&str>) -> Process {
        let log = File::options().create(true).append(true).open(self.folder.join(log)).expect("log");
        let mut command = self.command(arguments);
        command.envs(doom.map(|doom| ("PATCHBAY_CRASH_AT", doom)));
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("log")).stderr(log);
        Process(command.spawn().expect("start"))
    }

    /// What a command answers to machines.
    pub fn output(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).arg("--json").output().expect("run");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn worker(&self, doom: Option<&str>) -> Process {
        self.start("worker.log", &["serve", "--role", "worker"], doom)
    }

    /// The server that takes webhooks.
    fn web(&self, doom: Option<&str>) -> Process {
        self.start("web.log", &["serve", "--role", "web", "--listen", &self.web], doom)
    }

    fn await_port(&self, address: &str) {
        let began = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            let late = began.elapsed() > Duration::from_secs(60);
            assert!(!late, "nothing answers at {address}; see {}", self.folder.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends everything and leaves nothing behind; after a failure the folder stays.
    pub fn end(mut self) {
        let folder = std::mem::take(&mut self.folder);
        drop(self);
        let _ = fs::remove_dir_all(folder);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.survivors.iter_mut().for_each(Process::stop);
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").expect("port").local_addr().expect("address").to_string()
}

/// The processes that are killed: two workers side by side, and the server that takes webhooks.
pub struct Mortals {
    web: Process,
    workers: [Process; 2],
}

impl Mortals {
    pub fn start(world: &World) -> Self {
        Self { web: world.web(None), workers: [world.worker(None), world.worker(None)] }
    }

    /// The `nth` death: at a random moment, or between two steps.
    pub async fn die(&mut self, world: &World, luck: &mut Luck, nth: u64) {
        let doom = DOOMS[usize::try_from(nth / 2).unwrap_or_default() % DOOMS.len()];
        let victim = &mut self.workers[usize::try_from(luck.below(2)).unwrap_or_default()];
        if nth.is_multiple_of(2) {
            tokio::time::sleep(Duration::from_millis(50 + luck.below(700))).await;
            victim.kill();
            *victim = world.worker(None);
        } else if doom.starts_with("webhook") {
            self.web.kill();
            self.web = world.web(Some(doom));
            self.web.ends(Duration::from_secs(2)).await;
            self.web = world.web(None);
        } else {
            victim.kill();
            *victim = world.worker(Some(doom));
            victim.ends(Duration::from_secs(2)).await;
            *victim = world.worker(None);
        }
    }
}

/// SplitMix64: the same seed gives the same kills.
pub struct Luck(pub u64);

impl Luck {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ (value >> 31)) % limit
    }
}

/// Asks the servers and the carrier.
pub fn client() -> reqwest::Client {
    patchbay_providers::http::client().build().expect("a client")
}

/// A number of the environment's.
pub fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// A number that plain SQL answers.
pub async fn count(sql: &mut PgConnection, query: &str) -> i64 {
    let query = AssertSqlSafe(format!("select ({query})::bigint"));
    sqlx::query_scalar(query).fetch_one(sql).await.expect("count")
}

/// Waits until `query` counts nothing any more.
pub async fn until_none(sql: &mut PgConnection, world: &World, query: &str, patience: Duration) {
    let began = Instant::now();
    while count(sql, query).await > 0 {
        assert!(began.elapsed() < patience, "work stays without an end; see {}", world.folder.display());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
