//! Kicking the workers, and events that nobody handles.

use serde_json::{Value, json};

use crate::tests::{Office, TestApp};

const WORK: &str = "/functions/v1/outbox-worker";
const ASK: &str = "/functions/v1/reconcile-status";

async fn kick(test: &TestApp, key: &str, path: &str) -> Value {
    // A scheduler sends an empty object or nothing at all.
    test.api(key, "POST", path, json!({})).await.expect(200);
    test.api(key, "POST", path, Value::Null).await.expect(200).json()
}

#[tokio::test]
async fn a_kick_works_off_what_is_due_of_one_tenant() {
    let test = TestApp::new().await;
    test.leaves_work();
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    office.contact(&test, "Dana", Some("+61491570006")).await;
    other.contact(&test, "Eve", Some("+61491570156")).await;
    test.execute("insert into api.outbox (tenant_id, event_type, payload) select id, 'bill.sent', '{}' from patchbay.tenants").await;
    test.clock.advance(chrono::TimeDelta::seconds(60));
    let first = test.api(&office.key, "POST", WORK, Value::Null).await.expect(200).json();
    assert_eq!(first, json!({"processed": 1, "postponed": 0, "parked": 1, "more": false}));
    assert_eq!(kick(&test, &office.key, WORK).await["processed"], 0);
    let theirs = format!(
        "select count(*) from patchbay.outbox where tenant_id = '{}' and processed_at is null and parked_at is null",
        other.id
    );
    assert_eq!(test.scalar(&theirs).await, 2);
    let why = test.text("select last_error from patchbay.outbox where parked_at is not null").await;
    assert!(why.contains("Nothing here handles events of the type bill.sent"), "{why}");
    for path in [WORK, ASK] {
        test.api(&office.reader, "POST", path, json!({})).await.expect(403);
        test.api("pb_wrong", "POST", path, json!({})).await.expect(401);
        test.get(&office.key, path).await.expect(405);
    }
    test.settle().await;
}

#[tokio::test]
async fn a_quote_is_sent_for_the_asking_and_once() {
    let test = TestApp::new().await;
    test.leaves_work();
    let office = Office::open(&test, "a").await;
    let dana = office.contact(&test, "Dana", Some("+61491570006")).await;
    let draft = json!({"contact_id": dana, "total_cents": 100, "draft": true});
    let draft = test.api(&office.key, "POST", "/api/quotes", draft).await.expect(201).json();
    test.settle().await;
    let texts = "select count(*) from patchbay.messages where kind = 'quote'";
    assert_eq!(test.scalar(texts).await, 0);
    let ask = format!(
        "insert into api.outbox (tenant_id, event_type, payload) values ('{}', 'quote.send', '{{\"quote_id\": {}}}')",
        office.id, draft["id"]
    );
    for _ in 0..2 {
        test.execute(&ask).await;
        // Letting it go is announced by an event of its own, which the server's clock stamps.
        test.settle().await;
        test.settle().await;
        assert_eq!(test.scalar(texts).await, 1);
    }
    for payload in ["{}", "{\"quote_id\": \"00000000-0000-7000-8000-000000000001\"}"] {
        test.execute(&format!("insert into api.outbox (tenant_id, event_type, payload) values ('{}', 'quote.send', '{payload}')", office.id)).await;
    }
    test.settle().await;
    assert_eq!(test.scalar("select count(*) from patchbay.outbox where parked_at is not null").await, 2);
}

#[tokio::test]
async fn lost_receipts_are_asked_for_once() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let dana = office.contact(&test, "Dana", Some("+61491570006")).await;
    test.settle().await;
    let sent = json!({"contact_id": dana, "body": "Hi"});
    let sent = test.api(&office.key, "POST", "/api/messages/send", sent).await.expect(202).json();
    test.settle().await;
    test.execute(
        "update patchbay.messages set status = 'sent', delivered_at = null where status = 'delivered'",
    )
    .await;
    assert_eq!(kick(&test, &office.key, ASK).await["receipts"]["asked"], 0, "too early to ask");
    test.clock.advance(chrono::TimeDelta::hours(2));
    assert_eq!(kick(&test, &other.key, ASK).await["receipts"]["asked"], 0);
    let found = test.api(&office.key, "POST", ASK, Value::Null).await.expect(200).json();
    assert_eq!(found["receipts"], json!({"asked": 1, "arrived": 1, "priced": 0}), "{found}");
    assert_eq!(found["unknown"], json!({"lost": 0, "asked": 0, "settled": 0, "given_up": 0}));
    let path = format!("/api/messages/{}", sent["id"].as_str().unwrap());
    assert_eq!(test.get(&office.key, &path).await.json()["status"], "delivered");
    assert_eq!(kick(&test, &office.key, ASK).await["receipts"]["asked"], 0);
}
