use serde_json::json;

use super::{Waiting, Why, check, hold, release_by_operator};
use crate::{
    auth::Role,
    tests::{Browser, Office, TestApp},
};

/// A business with one message that waits for its time.
async fn waiting(test: &TestApp, office: &Office, key: &str) -> String {
    let phone = if key == "a" { "+61491570006" } else { "+61491570156" };
    let contact = office.contact(test, "Dana", Some(phone)).await;
    test.settle().await;
    let body = json!({ "contact_id": contact, "channel": "sms", "body": "Hi", "send_at": test.app.now() + chrono::TimeDelta::hours(1) });
    let headers = [("idempotency-key", key)];
    let sent = test.api_with(&office.key, "POST", "/api/messages/send", body, &headers).await.expect(202);
    sent.json()["id"].as_str().expect("id").to_owned()
}

async fn status(test: &TestApp, office: &Office, id: &str) -> String {
    test.get(&office.key, &format!("/api/messages/{id}")).await.json()["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_same_database_is_never_held_and_another_one_is() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let app = &test.app;
    for _ in 0..3 {
        assert_eq!(check(&app.db, None, app.now()).await.unwrap(), 0);
    }
    let (folder, other) = (std::env::temp_dir(), std::env::current_dir().unwrap());
    for folder in [Some(&*folder), None, Some(&*folder)] {
        let held = check(&app.db, folder, app.now()).await.unwrap();
        assert_eq!(held, 0, "by its folder or by its URL, it is the same database");
    }
    assert_eq!(check(&app.db, Some(&other), app.now()).await.unwrap(), 1, "the same tables elsewhere");
    assert_eq!(check(&app.db, Some(&other), app.now()).await.unwrap(), 0, "held once");
    let contact = office.contact(&test, "Dana", Some("+61491570006")).await;
    let id = test
        .api(&office.key, "POST", "/api/messages/send", json!({ "contact_id": contact, "body": "Hi" }))
        .await
        .expect(202)
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    test.settle().await;
    let held = test.get(&office.key, &format!("/api/messages/{id}")).await.json();
    assert_eq!(
        (held["status"].as_str(), held["gate"]["name"].as_str()),
        (Some("queued"), Some("kill_switch"))
    );
    // What was written after the hold is not from the original, and goes in any case.
    assert_eq!(release_by_operator(app, Some("a"), Waiting::Cancel).await.unwrap(), 1);
    assert_eq!(release_by_operator(app, Some("a"), Waiting::Cancel).await.unwrap(), 0);
    test.settle().await;
    assert_eq!(status(&test, &office, &id).await, "delivered");
}

#[tokio::test]
async fn an_owner_decides_for_their_own_business() {
    let test = TestApp::new().await;
    let (ours, theirs) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let (kept, canceled) = (waiting(&test, &theirs, "b").await, waiting(&test, &ours, "a").await);
    test.clock.advance(chrono::TimeDelta::minutes(1));
    assert_eq!(hold(&test.app, None, Why::Restored).await.unwrap(), 2);
    test.clock.advance(chrono::TimeDelta::hours(2));
    test.settle().await;
    assert_eq!(status(&test, &ours, &canceled).await, "queued");

    let mut admin = Browser::member(&test, "a", "admin@example.com", Role::Admin).await;
    let page = admin.get("/settings/held").await.expect(200).text;
    assert!(page.contains("One message was waiting") && page.contains("Only an owner"), "{page}");
    assert!(admin.get("/inbox").await.text.contains("Sending is held"));
    admin.post("/settings/held", &[("waiting", "send")]).await.expect(403);

    let mut owner = Browser::with_session(&test, &ours.session);
    owner.post("/settings/held", &[("waiting", "perhaps")]).await.expect(422);
    owner.post("/settings/held", &[("waiting", "cancel")]).await.expect(303);
    owner.post("/settings/held", &[("waiting", "cancel")]).await.expect(409);
    test.settle().await;
    assert_eq!(status(&test, &ours, &canceled).await, "canceled");
    assert_eq!(status(&test, &theirs, &kept).await, "queued", "theirs is still held");

    let mut owner = Browser::with_session(&test, &theirs.session);
    owner.post("/settings/held", &[("waiting", "send")]).await.expect(303);
    test.settle().await;
    assert_eq!(status(&test, &theirs, &kept).await, "delivered");
    owner.get("/settings/held").await.expect(303);
}

#[tokio::test]
async fn a_campaign_of_the_original_does_not_go_on_by_itself() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let dana = office.contact(&test, "Dana", Some("+61491570006")).await;
    test.settle().await;
    let template = json!({ "name": "Spring", "channel": "sms", "content": "Hello" });
    let template = test.api(&office.key, "POST", "/api/templates", template).await.expect(201).json();
    let campaign = json!({ "name": "Spring", "channel": "sms", "template_ids": [template["id"]] });
    let campaign = test.api(&office.key, "POST", "/api/campaigns", campaign).await.expect(201).json();
    let path = format!("/api/campaigns/{}", campaign["id"].as_str().unwrap());
    let launch = format!("{path}/launch");
    assert!(test.api(&office.key, "POST", &launch, json!({})).await.status.is_success());
    hold(&test.app, None, Why::Copied).await.unwrap();
    test.settle().await;
    let to_dana = format!("select count(*) from patchbay.messages where contact_id = '{dana}'");
    assert_eq!(test.scalar(&to_dana).await, 0, "nothing is expanded while it is held");
    release_by_operator(&test.app, None, Waiting::Cancel).await.unwrap();
    test.settle().await;
    assert_eq!(test.get(&office.key, &path).await.json()["status"], "paused");
    assert_eq!(test.scalar(&to_dana).await, 0);
}
