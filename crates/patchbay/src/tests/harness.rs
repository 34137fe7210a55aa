//! One database per test, cloned from a template that is migrated once per process.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode},
};
use patchbay_outbox::Options;
use patchbay_providers::{Event, Fake, FakeOptions};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::{Mutex, OnceCell, mpsc};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

use crate::{
    app::App,
    auth::mail::Mailer,
    config::Config,
    db::Db,
    ids,
    providers::Providers,
    realtime::Realtime,
    secrets::Secrets,
    time::{Clock, SystemClock, TestClock},
    web::{router, routes::Route},
    workers,
};

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// The program under test.
pub struct TestApp {
    pub app: Arc<App>,
    pub clock: Arc<TestClock>,
    pub router: Router,
    pub routes: Vec<Route>,
    pub url: String,
    /// What the fake carrier reports back: receipts and replies.
    pub fake_events: Mutex<mpsc::Receiver<Event>>,
    database: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }

    /// The same answer, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

fn server() -> String {
    std::env::var("PATCHBAY_TEST_SERVER").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5499".to_owned())
}

async fn template() -> &'static str {
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("pb_template_{}", std::process::id());
            let mut admin = PgConnection::connect(&format!("{}/postgres", server())).await.expect("test server");
            // Roles belong to the server and may be there already.
            let _ = admin.execute("create role patchbay login createrole").await;
            admin.execute(AssertSqlSafe(format!("drop database if exists {name} with (force)"))).await.expect("drop");
            admin.execute(AssertSqlSafe(format!("create database {name} owner patchbay"))).await.expect("create");
            let db = Db::connect(&owner_url(&name), 2).await.expect("connect");
            db.migrate().await.expect("migrate");
            db.close().await;
            name
        })
        .await
}

/// The URL of `database` for the role that owns it.
fn owner_url(database: &str) -> String {
    format!("{}/{database}", server().replacen("postgres@", "patchbay@", 1))
}

impl TestApp {
    /// A fresh database, a clock that stands still, the fake carrier.
    pub async fn new() -> Self {
        Self::with_env(&[]).await
    }

    /// The same with variables of the environment set.
    pub async fn with_env(env: &[(&str, &str)]) -> Self {
        let template = template().await;
        let database = format!("pb_test_{}", Uuid::new_v4().simple());
        let mut admin = PgConnection::connect(&format!("{}/postgres", server())).await.expect("test server");
        let create = format!("create database {database} template {template} owner patchbay");
        admin.execute(AssertSqlSafe(create)).await.expect("clone");
        let url = owner_url(&database);
        let key = Secrets::new_key();
        let config = Config::read(|name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()).or_else(|| match name {
                "PATCHBAY_MASTER_KEY" => Some(key.clone()),
                "PATCHBAY_PUBLIC_URL" => Some("https://crm.example.com".to_owned()),
                _ => None,
            })
        })
        .expect("config");
        let clock = Arc::new(TestClock::starting_now());
        let now = clock.clone();
        let mut options = FakeOptions::new(Arc::new(move || now.now()));
        options.delay = std::time::Duration::ZERO;
        let (fake, fake_events) = Fake::new(options);
        let app = Arc::new(App {
            db: Db::connect(&url, 8).await.expect("connect"),
            secrets: Secrets::new(&config.master_keys).expect("keys"),
            providers: Providers { fake: Arc::new(fake) },
            mailer: Mailer::kept(),
            config,
            clock: clock.clone(),
            realtime: Realtime::default(),
        });
        let (router, routes) = router::build(app.clone());
        Self { app, clock, router, routes, url, fake_events: Mutex::new(fake_events), database }
    }

    /// Sends a request through the real router.
    pub async fn request(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.expect("body");
        Reply { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// A JSON request with an API key.
    pub async fn api(&self, key: &str, method: &str, path: &str, body: Value) -> Reply {
        let method: Method = method.parse().expect("method");
        let mut request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        self.request(request.body(body).expect("request")).await
    }

    /// `GET` with an API key.
    pub async fn get(&self, key: &str, path: &str) -> Reply {
        self.api(key, "GET", path, Value::Null).await
    }

    /// Works through events until none is due.
    pub async fn settle(&self) {
        // Triggers stamp events with the server's clock, which runs while the test's stands still.
        let real = SystemClock.now();
        if real > self.clock.now() {
            self.clock.set(real);
        }
        let engine = workers::engine(&self.app, Options::default());
        let stop = CancellationToken::new();
        while engine.run_once(&stop).await.expect("outbox") > 0 {}
    }

    /// A random id.
    pub fn id(&self) -> Uuid {
        ids::new_id(self.clock.now())
    }

    /// A connection as the role that owns the database, for plain SQL.
    pub async fn sql(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("connect")
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let (database, server) = (self.database.clone(), server());
        // Databases of failed tests go too: a test says what it saw, not where.
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime").block_on(async {
                if let Ok(mut admin) = PgConnection::connect(&format!("{server}/postgres")).await {
                    let _ = admin.execute(AssertSqlSafe(format!("drop database if exists {database} with (force)"))).await;
                }
            });
        })
        .join()
        .expect("clean-up");
    }
}
