//! One database per test, cloned from a template that is migrated once per process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

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

use super::{leftovers::Leftovers, server::Server};
use crate::{
    app::App,
    auth::mail::Mailer,
    campaigns,
    config::Config,
    db::Db,
    ids,
    links::{Clicks, Signer},
    messaging::{self, webhooks::Mailroom},
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
    leaves_work: AtomicBool,
}

/// The number of every tenant of a test; the fake carrier accepts it.
const NUMBER: &str = "+15005550006";
const AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A business under test.
pub struct Tenancy {
    pub id: Uuid,
    /// An API key of scope `full`.
    pub key: String,
    pub account_sid: String,
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

async fn template() -> &'static str {
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("pb_template_{}", std::process::id());
            let mut admin =
                PgConnection::connect(&Server::get().admin_url("postgres")).await.expect("test server");
            // Roles belong to the server and may be there already.
            let _ = admin.execute("create role patchbay login createrole").await;
            admin
                .execute(AssertSqlSafe(format!("drop database if exists {name} with (force)")))
                .await
                .expect("drop");
            admin
                .execute(AssertSqlSafe(format!("create database {name} owner patchbay")))
                .await
                .expect("create");
            let db = Db::connect(&Server::get().owner_url(&name), 2).await.expect("connect");
            db.migrate().await.expect("migrate");
            db.close().await;
            name
        })
        .await
}

/// One node's program, in the runtime that calls.
pub(super) async fn assemble(url: &str, config: Config, fake: Arc<Fake>, clock: Arc<TestClock>) -> Arc<App> {
    let db = Db::connect(url, 8).await.expect("connect");
    Arc::new(App {
        webhooks: Mailroom::start(db.clone(), clock.clone()),
        links: Signer::new(&config),
        clicks: Clicks::start(db.clone(), clock.clone()),
        db,
        secrets: Secrets::new(&config.master_keys).expect("keys"),
        providers: Providers::new(&config, fake, clock.clone()).expect("providers"),
        mailer: Mailer::kept(),
        config,
        clock,
        realtime: Realtime::default(),
    })
}

impl TestApp {
    /// A fresh database, a clock that stands still, the fake carrier.
    pub async fn new() -> Self {
        Self::with_env(&[]).await
    }

    /// The same with variables of the environment set.
    pub async fn with_env(env: &[(&str, &str)]) -> Self {
        Self::with(env, |_| {}).await
    }

    /// The same with a fake carrier that has its moods.
    pub async fn with(env: &[(&str, &str)], change: impl FnOnce(&mut FakeOptions)) -> Self {
        let template = template().await;
        let database = format!("pb_test_{}", Uuid::new_v4().simple());
        let mut admin =
            PgConnection::connect(&Server::get().admin_url("postgres")).await.expect("test server");
        let create = format!("create database {database} template {template} owner patchbay");
        admin.execute(AssertSqlSafe(create)).await.expect("clone");
        let url = Server::get().owner_url(&database);
        let key = Secrets::new_key();
        let config = Config::read(|name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()).or_else(|| {
                match name {
                    "PATCHBAY_MASTER_KEY" => Some(key.clone()),
                    "PATCHBAY_PUBLIC_URL" => Some("https://crm.example.com".to_owned()),
                    _ => None,
                }
            })
        })
        .expect("config");
        let clock = Arc::new(TestClock::starting_now());
        let now = clock.clone();
        let mut options = FakeOptions::new(Arc::new(move || now.now()));
        options.delay = std::time::Duration::ZERO;
        change(&mut options);
        let (fake, fake_events) = Fake::new(options);
        let app = assemble(&url, config, Arc::new(fake), clock.clone()).await;
        let (router, routes) = router::build(app.clone());
        Self {
            app,
            clock,
            router,
            routes,
            url,
            fake_events: Mutex::new(fake_events),
            database,
            leaves_work: AtomicBool::new(false),
        }
    }

    /// Says that work is left over on purpose: events that fail or were given up, messages of a node that died.
    pub fn leaves_work(&self) {
        self.leaves_work.store(true, Ordering::Relaxed);
    }

    /// Sends a request through the real router.
    pub async fn request(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.expect("body");
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// A JSON request with an API key.
    pub async fn api(&self, key: &str, method: &str, path: &str, body: Value) -> Reply {
        let method: Method = method.parse().expect("method");
        let mut request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(body.to_string())
        };
        self.request(request.body(body).expect("request")).await
    }

    /// A JSON request with an API key and more headers.
    pub async fn api_with(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.request(request.body(Body::from(body.to_string())).expect("request")).await
    }

    /// A URL-encoded form.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        self.request(form_request(path, fields, headers)).await
    }

    /// A webhook the way Twilio signs it for this tenant's account.
    pub async fn signed(&self, who: &Tenancy, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.request(self.signed_request(who, path, fields)).await
    }

    /// The request of such a webhook.
    pub fn signed_request(&self, who: &Tenancy, path: &str, fields: &[(&str, &str)]) -> Request<Body> {
        let mut fields = fields.to_vec();
        fields.push(("AccountSid", &who.account_sid));
        let pairs: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let url = format!("{}{path}", self.app.config.public_url);
        let signature = patchbay_providers::twilio::signature::sign(AUTH_TOKEN, &url, &pairs);
        form_request(path, &fields, &[("x-twilio-signature", &signature)])
    }

    /// Somebody texts the tenant's number.
    pub async fn receive(&self, who: &Tenancy, from: &str, body: &str, sid: &str) {
        let sid = format!("SM{:0>32}", sid.trim_start_matches("SM"));
        let fields = [
            ("MessageSid", sid.as_str()),
            ("From", from),
            ("To", NUMBER),
            ("Body", body),
            ("NumMedia", "0"),
            ("SmsStatus", "received"),
        ];
        self.signed(who, "/webhooks/twilio", &fields).await.expect(200);
    }

    /// A business with an API key of scope `full`, a number that the fake carrier serves, and a Twilio account
    /// whose webhooks can be signed.
    pub async fn tenancy(&self, name: &str) -> Tenancy {
        let id = self.id();
        let slug = format!("{}-{}", name.to_lowercase(), &id.simple().to_string()[20..]);
        let key = ids::new_secret("pb_");
        let account_sid = format!("AC{}", id.simple());
        let credentials = format!(r#"{{"auth_token":"{AUTH_TOKEN}"}}"#);
        let sealed = self.app.secrets.seal(id, credentials.as_bytes()).expect("seal");
        let mut sql = self.sql().await;
        for (statement, binds) in [
            (
                "insert into patchbay.tenants (id, name, slug) values ($1::uuid, $2, $3)",
                vec![id.to_string(), name.to_owned(), slug],
            ),
            (
                "insert into patchbay.senders (tenant_id, channel, address, provider, is_default) values ($1::uuid, 'sms', $2, 'fake', true)",
                vec![id.to_string(), NUMBER.to_owned()],
            ),
            (
                "insert into patchbay.stages (tenant_id, name, position) values ($1::uuid, $2, 1)",
                vec![id.to_string(), "New".to_owned()],
            ),
        ] {
            let mut query = sqlx::query(statement);
            for bind in binds {
                query = query.bind(bind);
            }
            query.execute(&mut sql).await.expect("tenancy");
        }
        sqlx::query("insert into patchbay.provider_accounts (tenant_id, provider, account_sid, credentials_sealed) values ($1, 'twilio', $2, $3)")
            .bind(id)
            .bind(&account_sid)
            .bind(sealed)
            .execute(&mut sql)
            .await
            .expect("account");
        sqlx::query("insert into patchbay.api_keys (id, tenant_id, name, scope, prefix, key_hash, created_at) values ($1, $2, 'test', 'full', 'pb_test', $3, now())")
            .bind(self.id())
            .bind(id)
            .bind(ids::hash_secret(&key))
            .execute(&mut sql)
            .await
            .expect("key");
        Tenancy { id, key, account_sid }
    }

    /// Plain SQL as the owner.
    pub async fn execute(&self, statement: &str) {
        self.sql().await.execute(AssertSqlSafe(statement.to_owned())).await.expect("statement");
    }

    /// A number that plain SQL answers.
    pub async fn scalar(&self, query: &str) -> i64 {
        let query = format!("select ({query})::bigint");
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut self.sql().await).await.expect("number")
    }

    /// A text that plain SQL answers.
    pub async fn text(&self, query: &str) -> String {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut self.sql().await)
            .await
            .expect("text")
    }

    /// The present of this test.
    pub fn clock_now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
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
        loop {
            let mut done = engine.run_once(&stop).await.expect("outbox");
            done +=
                usize::try_from(campaigns::jobs::once(&self.app).await.expect("campaigns")).expect("a count");
            done += messaging::dispatcher::run_once(&self.app).await.expect("dispatcher");
            done += self.receipts().await;
            if done == 0 {
                return;
            }
        }
    }

    /// Takes what the fake carrier reports, the way webhooks are taken.
    pub async fn receipts(&self) -> usize {
        let mut events = self.fake_events.lock().await;
        let mut taken = 0;
        // Its deliveries are tasks without delay: a few turns of the runtime finish them.
        for _ in 0..50 {
            tokio::task::yield_now().await;
            while let Ok(event) = events.try_recv() {
                messaging::webhooks::take_fake(&self.app, event).await.expect("receipt");
                taken += 1;
            }
        }
        taken
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

fn form_request(path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Request<Body> {
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = Request::builder()
        .method("POST")
        .uri(path)
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body)).expect("request")
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let (database, server) = (self.database.clone(), Server::get().admin_url("postgres"));
        let left =
            (!self.leaves_work.load(Ordering::Relaxed) && !std::thread::panicking()).then(|| Leftovers {
                url: self.url.clone(),
                config: self.app.config.clone(),
                fake: self.app.providers.fake.clone(),
                clock: self.clock.clone(),
            });
        // In a runtime of its own: that of the test waits here.
        let end = async move {
            let found = match left {
                Some(left) => left.find().await,
                None => String::new(),
            };
            // Databases of failed tests go too: a test says what it saw, not where.
            if let Ok(mut admin) = PgConnection::connect(&server).await {
                let drop = format!("drop database if exists {database} with (force)");
                let _ = admin.execute(AssertSqlSafe(drop)).await;
            }
            found
        };
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let found = std::thread::spawn(move || runtime().block_on(end)).join().expect("clean-up");
        assert!(found.is_empty(), "work is left over (see TestApp::leaves_work): {found}");
    }
}
