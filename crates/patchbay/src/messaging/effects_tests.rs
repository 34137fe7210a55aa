//! What follows from a carrier's error for everybody else: holds, further attempts, addresses out of reach.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Json, Router,
    http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{
    dispatcher, inbound,
    reports::{self, Report},
};
use crate::{
    crash::Action,
    tests::{Browser, Office, TestApp},
};

const SID: &str = "AC0123456789abcdef0123456789abcdef";

async fn open() -> (TestApp, Office) {
    let t = TestApp::new().await;
    let office = Office::open(&t, "ace").await;
    t.execute("update patchbay.tenants set country_rules = false, country = 'US', currency = 'USD'").await;
    (t, office)
}

async fn send(t: &TestApp, who: &Office, to: &str, more: Value) -> Uuid {
    let mut body = json!({ "to": to, "body": "Hello" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let queued = t.api(&who.key, "POST", "/api/messages/send", body).await.expect(202).json();
    queued["id"].as_str().unwrap().parse().unwrap()
}

async fn message(t: &TestApp, who: &Office, id: Uuid) -> Value {
    t.get(&who.key, &format!("/api/messages/{id}")).await.expect(200).json()
}

async fn holds(t: &TestApp, who: &Office) -> Vec<Value> {
    t.get(&who.key, "/api/sending-holds").await.expect(200).json()["data"].as_array().unwrap().clone()
}

async fn after(t: &TestApp, pause: TimeDelta) {
    t.clock.advance(pause);
    t.settle().await;
}

/// How often the carrier took a message to this number.
fn taken(t: &TestApp, to: &str) -> usize {
    t.app.providers.fake.accepted().iter().filter(|found| found.to == to).count()
}

/// Twilio, as far as it asks who is there.
struct Carrier {
    url: String,
    /// Recipients of what was accepted.
    accepted: Arc<Mutex<Vec<String>>>,
    refused: Arc<AtomicBool>,
}

impl Carrier {
    /// Knows one auth token.
    async fn open() -> Self {
        let accepted: Arc<Mutex<Vec<String>>> = Arc::default();
        let refused: Arc<AtomicBool> = Arc::default();
        let (kept, said_no) = (accepted.clone(), refused.clone());
        let known = format!("Basic {}", BASE64_STANDARD.encode(format!("{SID}:right")));
        let answer = async move |method: Method, headers: HeaderMap, body: String| {
            if headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(known.as_str()) {
                said_no.store(true, Ordering::SeqCst);
                let error = json!({ "code": 20003, "message": "Authenticate", "status": 401 });
                return (StatusCode::UNAUTHORIZED, Json(error));
            }
            if method == Method::GET {
                return (StatusCode::OK, Json(json!({ "messages": [], "next_page_uri": null })));
            }
            let mut kept = kept.lock().unwrap();
            let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            kept.extend(form.into_iter().filter(|(name, _)| name == "To").map(|(_, to)| to));
            let sid = format!("SM{:032x}", kept.len());
            (StatusCode::CREATED, Json(json!({ "sid": sid, "status": "queued", "num_segments": "1" })))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
        Self { url, accepted, refused }
    }

    /// A business whose account has this token, and people to write mails to.
    async fn office(&self, token: &str) -> (TestApp, Office) {
        let t = TestApp::with_env(&[("TWILIO_API_BASE", self.url.as_str())]).await;
        let office = Office::open(&t, "ace").await;
        t.execute("update patchbay.tenants set country_rules = false").await;
        connect(&t, &office, token).await;
        t.api(&office.key, "POST", "/api/senders", json!({ "channel": "sms", "address": "+15005550006" }))
            .await
            .expect(201);
        t.execute("insert into patchbay.senders (tenant_id, channel, address, provider, is_default) select id, 'email', 'office@example.com', 'fake', true from patchbay.tenants").await;
        (t, office)
    }

    fn taken(&self) -> Vec<String> {
        let mut taken = self.accepted.lock().unwrap().clone();
        taken.sort();
        taken
    }
}

async fn connect(t: &TestApp, office: &Office, token: &str) {
    let account = json!({ "provider": "twilio", "account_sid": SID, "auth_token": token });
    let status = t.api(&office.key, "POST", "/api/provider-accounts", account).await.status.as_u16();
    assert!(matches!(status, 200 | 201), "{status}");
}

const PEOPLE: [&str; 3] = ["+12125550121", "+12125550122", "+12125550123"];

#[tokio::test]
async fn an_account_that_is_refused_holds_everything_until_it_is_mended() {
    let carrier = Carrier::open().await;
    let (t, office) = carrier.office("wrong").await;
    let mut ids = Vec::new();
    for to in PEOPLE {
        ids.push(send(&t, &office, to, json!({})).await);
    }
    t.settle().await;
    for id in &ids {
        let seen = message(&t, &office, *id).await;
        assert_eq!(
            (&seen["status"], &seen["gate"]["name"]),
            (&json!("queued"), &json!("carrier")),
            "{seen:#}"
        );
        assert_eq!(
            seen["gate"]["reason"],
            "Twilio does not accept the account's credentials. Check the account SID and the token or API key. An admin can mend it in Settings, Sending."
        );
    }
    let held = holds(&t, &office).await;
    assert_eq!((held.len(), &held[0]["code"], &held[0]["sender_id"]), (1, &json!(20003), &Value::Null));
    assert_eq!(
        t.scalar("select coalesce(sum(messages), 0) from patchbay.spend_counters where cost_micros > 0")
            .await,
        0
    );
    // Told once, though it is handled twice; nothing is asked of the carrier meanwhile.
    t.execute("update patchbay.outbox set processed_at = null, next_attempt_at = now() where event_type = 'sending.held'").await;
    carrier.refused.store(false, Ordering::SeqCst);
    after(&t, TimeDelta::minutes(6)).await;
    assert!(!carrier.refused.load(Ordering::SeqCst), "what is held does not try");
    assert_eq!(t.scalar("select count(*) from patchbay.messages where kind = 'notification' and to_address = 'ace@example.com'").await, 1);
    // It stands on the page, with a button for those who may press it.
    let page = Browser::with_session(&t, &office.session).get("/settings/sending").await.expect(200).text;
    assert!(page.contains("does not accept the account") && page.contains("Try again"), "{page}");
    let path = format!("/api/sending-holds/{}", held[0]["id"].as_str().unwrap());
    t.api(&office.reader, "DELETE", &path, Value::Null).await.expect(403);
    let stranger = Office::open(&t, "bee").await;
    t.api(&stranger.key, "DELETE", &path, Value::Null).await.expect(404);
    // Trying again without having mended anything: held again.
    t.api(&office.key, "DELETE", &path, Value::Null).await.expect(204);
    t.settle().await;
    assert_eq!(holds(&t, &office).await.len(), 1);
    assert_eq!(t.scalar("select count(*) from patchbay.messages where status = 'failed'").await, 0);
    connect(&t, &office, "right").await;
    t.settle().await;
    assert!(holds(&t, &office).await.is_empty());
    assert_eq!(carrier.taken(), PEOPLE, "each once");
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where channel = 'sms' and status = 'sent'").await,
        3
    );
}

#[tokio::test]
async fn a_refusal_of_credentials_that_were_replaced_meanwhile_says_nothing() {
    let carrier = Carrier::open().await;
    let (t, office) = carrier.office("wrong").await;
    let id = send(&t, &office, PEOPLE[0], json!({})).await;
    t.settle().await;
    connect(&t, &office, "wronger").await;
    // Claimed with the credentials of before; the answer comes when there are others.
    let node = t.doomed_node("settle.begun", 0, Action::Wait).await;
    let app = node.app.clone();
    let work = node.start(async move { dispatcher::run_once(&app).await });
    node.reached().await;
    t.clock.advance(TimeDelta::seconds(1));
    connect(&t, &office, "right").await;
    node.plan.as_ref().unwrap().release();
    work.await.unwrap().unwrap();
    assert!(holds(&t, &office).await.is_empty());
    t.settle().await;
    assert_eq!(message(&t, &office, id).await["status"], "sent");
    assert_eq!(carrier.taken(), [PEOPLE[0]]);
}

#[tokio::test]
async fn a_node_that_dies_over_a_refusal_loses_nothing() {
    for point in ["hand_over.called", "settle.written", "settle.committed"] {
        let carrier = Carrier::open().await;
        let (t, office) = carrier.office("wrong").await;
        let id = send(&t, &office, PEOPLE[0], json!({})).await;
        let node = t.doomed_node(point, 0, Action::Die).await;
        let app = node.app.clone();
        let work = node.start(async move { dispatcher::run_once(&app).await });
        node.reached().await;
        node.kill();
        work.abort();
        for _ in 0..4 {
            after(&t, TimeDelta::seconds(130)).await;
        }
        connect(&t, &office, "right").await;
        for _ in 0..4 {
            after(&t, TimeDelta::seconds(190)).await;
        }
        assert_eq!(message(&t, &office, id).await["status"], "sent", "{point}");
        assert_eq!(carrier.taken(), [PEOPLE[0]], "{point}");
    }
}

#[tokio::test]
async fn a_sender_that_is_refused_waits_alone() {
    let (t, office) = open().await;
    let add = json!({ "channel": "sms", "address": "+15005550007", "provider": "fake" });
    let sender = t.api(&office.key, "POST", "/api/senders", add).await.expect(201).json();
    let bad = send(&t, &office, PEOPLE[0], json!({ "from": "+15005550007" })).await;
    let good = send(&t, &office, PEOPLE[1], json!({ "from": "+15005550006" })).await;
    t.settle().await;
    let waits = message(&t, &office, bad).await;
    assert_eq!(
        (&waits["status"], &waits["gate"]["name"]),
        (&json!("queued"), &json!("carrier")),
        "{waits:#}"
    );
    assert_eq!(message(&t, &office, good).await["status"], "delivered");
    let held = holds(&t, &office).await;
    assert_eq!((held.len(), &held[0]["sender_id"], &held[0]["code"]), (1, &sender["id"], &json!(21606)));
    // A number that is not used any more holds nothing: what waited leaves from another.
    t.api(&office.key, "DELETE", &format!("/api/senders/{}", sender["id"].as_str().unwrap()), Value::Null)
        .await
        .expect(204);
    assert!(holds(&t, &office).await.is_empty());
    after(&t, TimeDelta::minutes(6)).await;
    assert_eq!(message(&t, &office, bad).await["status"], "delivered");
    assert_eq!(taken(&t, PEOPLE[0]), 1);
}

#[tokio::test]
async fn a_missing_registration_holds_what_goes_to_the_us_alone() {
    let (t, office) = open().await;
    let met = send(&t, &office, "+12125530034", json!({})).await;
    t.settle().await;
    assert_eq!(message(&t, &office, met).await["status"], "failed", "the carrier had taken it");
    assert_eq!(holds(&t, &office).await[0]["to_prefix"], "+1");
    let (here, there) =
        (send(&t, &office, PEOPLE[0], json!({})).await, send(&t, &office, "+61412345678", json!({})).await);
    t.settle().await;
    assert_eq!(message(&t, &office, here).await["gate"]["name"], "carrier");
    assert_eq!(message(&t, &office, there).await["status"], "delivered");
}

#[tokio::test]
async fn what_was_claimed_before_the_refusal_goes_back() {
    let (t, office) = open().await;
    let id = send(&t, &office, PEOPLE[0], json!({})).await;
    let node = t.doomed_node("claim.committed", 0, Action::Wait).await;
    let app = node.app.clone();
    let work = node.start(async move { dispatcher::run_once(&app).await });
    node.reached().await;
    t.execute("insert into patchbay.sending_holds (tenant_id, provider, reason, held_at) select id, 'fake', 'No.', now() from patchbay.tenants").await;
    node.plan.as_ref().unwrap().release();
    work.await.unwrap().unwrap();
    let seen = message(&t, &office, id).await;
    assert_eq!((&seen["status"], &seen["attempt"]), (&json!("queued"), &json!(0)), "{seen:#}");
    assert_eq!(taken(&t, PEOPLE[0]), 0);
}

#[tokio::test]
async fn a_failure_that_time_may_mend_is_tried_again_as_often_as_its_code_says() {
    let (t, office) = open().await;
    let (unexplained, off) = ("+12125530008", "+12125530003");
    let (one, three) =
        (send(&t, &office, unexplained, json!({})).await, send(&t, &office, off, json!({})).await);
    t.settle().await;
    let seen = message(&t, &office, one).await;
    assert_eq!(
        (&seen["status"], &seen["attempt"], &seen["error"]["code"]),
        (&json!("queued"), &json!(1), &json!(30008))
    );
    after(&t, TimeDelta::minutes(14)).await;
    assert_eq!(taken(&t, unexplained), 1, "not before its time");
    after(&t, TimeDelta::minutes(2)).await;
    let seen = message(&t, &office, one).await;
    assert_eq!((&seen["status"], &seen["attempt"]), (&json!("undelivered"), &json!(2)), "{seen:#}");
    for _ in 0..12 {
        after(&t, TimeDelta::hours(2)).await;
    }
    assert_eq!(message(&t, &office, three).await["status"], "undelivered");
    assert_eq!((taken(&t, unexplained), taken(&t, off)), (2, 3));
    // Every attempt cost, and nothing else.
    assert_eq!(t.scalar("select sum(messages) from patchbay.spend_counters").await, 5);
}

/// The report of one attempt's end.
fn report(id: Uuid, attempt: i32, sid: &str, status: &str, code: Option<u32>) -> Report {
    Report {
        message_id: Some(id),
        attempt: Some(attempt),
        provider_message_id: sid.to_owned(),
        status: status.parse().unwrap(),
        code,
        detail: None,
        price: None,
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_not_tried_again() {
    let (t, office) = open().await;
    let number = "+12125530008";
    let id = send(&t, &office, number, json!({})).await;
    t.settle().await;
    let sid = t.app.providers.fake.accepted()[0].provider_message_id.clone();
    let tell = async |told: Vec<Report>| reports::apply(&t.app, office.id, told).await.unwrap();
    // The same failure once more, and "sent" after it: nothing new.
    tell(vec![report(id, 1, &sid, "undelivered", Some(30008)), report(id, 1, &sid, "sent", None)]).await;
    assert_eq!(message(&t, &office, id).await["status"], "queued");
    assert_eq!(t.scalar("select count(*) from patchbay.message_events where event = 'retry'").await, 1);
    // The receipt comes after all, while it waits.
    tell(vec![report(id, 1, &sid, "delivered", None)]).await;
    assert_eq!(message(&t, &office, id).await["status"], "delivered");
    after(&t, TimeDelta::hours(5)).await;
    assert_eq!(taken(&t, number), 1);
    // A part of it arrived before the failure was told.
    let id = send(&t, &office, "+12125550150", json!({})).await;
    t.execute("update patchbay.messages set status = 'sent', attempt = 1, provider = 'fake' where to_address = '+12125550150'").await;
    tell(vec![report(id, 1, "SMx", "partially_delivered", None)]).await;
    tell(vec![report(id, 1, "SMx", "undelivered", Some(30008))]).await;
    assert_eq!(message(&t, &office, id).await["status"], "undelivered");
}

#[tokio::test]
async fn an_answer_slower_than_the_failure_it_was_about_changes_nothing() {
    let (t, office) = open().await;
    let number = "+12125530008";
    let id = send(&t, &office, number, json!({})).await;
    let node = t.doomed_node("hand_over.called", 0, Action::Wait).await;
    let app = node.app.clone();
    let work = node.start(async move { dispatcher::run_once(&app).await });
    node.reached().await;
    let sid = t.app.providers.fake.accepted()[0].provider_message_id.clone();
    reports::apply(&t.app, office.id, vec![report(id, 1, &sid, "undelivered", Some(30008))]).await.unwrap();
    assert_eq!(message(&t, &office, id).await["status"], "queued");
    node.plan.as_ref().unwrap().release();
    work.await.unwrap().unwrap();
    assert_eq!(message(&t, &office, id).await["status"], "queued", "the answer is about what failed already");
    after(&t, TimeDelta::minutes(16)).await;
    assert_eq!(taken(&t, number), 2);
    assert_eq!(message(&t, &office, id).await["status"], "undelivered");
}

async fn out_of_reach(t: &TestApp) -> i64 {
    t.scalar("select count(*) from patchbay.unreachable where since is not null").await
}

#[tokio::test]
async fn numbers_out_of_reach_are_told_and_forgotten() {
    let (t, office) = open().await;
    // There is no such number: at once.
    let number = "+15005550001";
    send(&t, &office, number, json!({})).await;
    t.settle().await;
    assert_eq!(out_of_reach(&t).await, 1);
    let contact = t.text("select id::text from patchbay.contacts").await;
    let mut browser = Browser::with_session(&t, &office.session);
    let words = "This is not a valid phone number.";
    for path in [format!("/contacts/{contact}"), format!("/conversations/{contact}")] {
        let page = browser.get(&path).await.expect(200).text;
        assert!(page.contains("Out of reach") && page.contains(words), "{path}: {page}");
    }
    // A person may try all the same.
    let again = send(&t, &office, number, json!({})).await;
    t.settle().await;
    assert_eq!(message(&t, &office, again).await["status"], "failed");
    // Somebody writes from there.
    t.execute("update patchbay.unreachable set address = '+12125550177'").await;
    let inbound = json!({ "provider": "fake", "provider_message_id": "SMin", "channel": "sms", "from": "+12125550177", "to": "+15005550006", "body": "Hi" });
    inbound::receive(&t.app, office.id, serde_json::from_value(inbound).unwrap()).await.unwrap();
    assert_eq!(out_of_reach(&t).await, 0, "they can be reached");
    // Another number is believed in, and so is the former one when it comes back.
    t.execute("insert into patchbay.unreachable (tenant_id, channel, address, code, failures, failed_at, since) select id, 'sms', '+15005550001', 21211, 1, now(), now() from patchbay.tenants").await;
    let path = format!("/api/contacts/{contact}");
    t.api(&office.key, "PATCH", &path, json!({ "phone": "+12125550178" })).await.expect(200);
    assert_eq!(out_of_reach(&t).await, 0);
}

#[tokio::test]
async fn a_phone_that_is_off_for_long_counts_as_out_of_reach_and_a_receipt_brings_it_back() {
    let (t, office) = open().await;
    let number = "+12125530003";
    for time in 1..=3 {
        assert_eq!(out_of_reach(&t).await, 0, "before time {time}");
        send(&t, &office, number, json!({})).await;
        t.settle().await;
        for _ in 0..3 {
            after(&t, TimeDelta::minutes(241)).await;
        }
    }
    assert_eq!(taken(&t, number), 9);
    assert_eq!(out_of_reach(&t).await, 1);
    let last: Uuid =
        t.text("select id::text from patchbay.messages order by id desc limit 1").await.parse().unwrap();
    let sid = t.app.providers.fake.accepted().last().unwrap().provider_message_id.clone();
    reports::apply(&t.app, office.id, vec![report(last, 3, &sid, "delivered", None)]).await.unwrap();
    assert_eq!(out_of_reach(&t).await, 0);
    // Far apart they are not counted together.
    for _ in 0..3 {
        send(&t, &office, number, json!({})).await;
        for _ in 0..4 {
            after(&t, TimeDelta::minutes(241)).await;
        }
        t.clock.advance(TimeDelta::days(31));
    }
    assert_eq!(out_of_reach(&t).await, 0);
}
