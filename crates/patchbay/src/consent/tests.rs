//! The list and the ledger of consent from outside.

use serde_json::{Value, json};

use crate::tests::TestApp;

#[tokio::test]
async fn a_listed_number_blocks_what_waits_for_it_and_only_an_admin_takes_it_off() {
    let t = TestApp::new().await;
    let who = t.tenancy("Acme").await;
    let later = t.clock_now() + chrono::TimeDelta::hours(5);
    let body = json!({ "to": "+12125550123", "body": "Later", "send_at": later });
    let waiting = t.api(&who.key, "POST", "/api/messages/send", body).await.expect(202).json();
    let added = t
        .api(
            &who.key,
            "POST",
            "/api/do-not-contact",
            json!({ "phone": "+1 212-555-0123", "reason": "Asked on the phone" }),
        )
        .await
        .expect(201)
        .json();
    assert_eq!(added["phone"], "+12125550123");
    let seen = t.get(&who.key, &format!("/api/messages/{}", waiting["id"].as_str().unwrap())).await.json();
    assert_eq!((&seen["status"], &seen["gate"]["name"]), (&json!("blocked"), &json!("do_not_contact")));
    let again = t
        .api(&who.key, "POST", "/api/do-not-contact", json!({ "phone": "+12125550123" }))
        .await
        .expect(409)
        .json();
    assert_eq!(again["existing_id"], added["id"]);
    t.api(&who.key, "POST", "/api/do-not-contact", json!({ "phone": "tomato" })).await.expect(422);
    let other = t.tenancy("Other").await;
    assert_eq!(t.get(&other.key, "/api/do-not-contact").await.json()["data"], json!([]));
    t.api(
        &other.key,
        "DELETE",
        &format!("/api/do-not-contact/{}", added["id"].as_str().unwrap()),
        Value::Null,
    )
    .await
    .expect(404);
    t.api(&who.key, "DELETE", "/api/do-not-contact?phone=%2B12125550123", Value::Null).await.expect(204);
    assert_eq!(t.get(&who.key, "/api/do-not-contact").await.json()["data"], json!([]));
}

#[tokio::test]
async fn consent_is_noted_with_proof_and_a_stop_is_not_overruled_without_a_reason() {
    let t = TestApp::new().await;
    let who = t.tenancy("Acme").await;
    t.receive(&who, "+12125550123", "hello", "SM1").await;
    t.settle().await;
    let contact = t.text("select id::text from patchbay.contacts").await;
    let path = format!("/api/contacts/{contact}/consent");
    let proofs = t.api(&who.key, "POST", &path, json!({ "channel": "sms", "state": "subscribed", "source": "Web form", "wording": "Text me offers" })).await.expect(200).json();
    assert_eq!(
        (&proofs[0]["state"], &proofs[0]["wording"]),
        (&json!("subscribed"), &json!("Text me offers"))
    );
    assert_eq!(t.text("select consent_sms from patchbay.contacts").await, "subscribed");
    t.receive(&who, "+12125550123", "STOP", "SM2").await;
    t.settle().await;
    assert_eq!(t.text("select consent_sms from patchbay.contacts").await, "unsubscribed");
    t.api(&who.key, "POST", &path, json!({ "channel": "sms", "state": "subscribed" })).await.expect(422);
    t.api(
        &who.key,
        "POST",
        &path,
        json!({ "channel": "sms", "state": "subscribed", "source": "Signed again in the shop" }),
    )
    .await
    .expect(200);
    assert_eq!(t.scalar("select count(*) from patchbay.consent_events").await, 3);
}
