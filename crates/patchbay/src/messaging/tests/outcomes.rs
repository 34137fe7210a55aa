//! What carriers say, late, twice, falsely or never.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::{message, open, send};

#[tokio::test]
async fn refusals_are_told_in_words_and_an_opt_out_at_the_carrier_counts() {
    let (t, who) = open().await;
    let landline = send(&t, &who, "+15005550009", "Hi").await;
    let stopped = send(&t, &who, "+15005550004", "Hi").await;
    t.settle().await;
    let landline = message(&t, &who, &landline["id"]).await;
    assert_eq!(
        (&landline["status"], &landline["error"]["code"]),
        (&json!("failed"), &json!(21614)),
        "{landline:#}"
    );
    assert_eq!(message(&t, &who, &stopped["id"]).await["error"]["code"], 21610);
    assert_eq!(t.scalar("select count(*) from patchbay.do_not_contact where source = 'carrier'").await, 1);
    assert_eq!(
        t.scalar("select messages from patchbay.spend_counters").await,
        0,
        "what did not leave costs nothing"
    );
}

#[tokio::test]
async fn a_lost_answer_is_reconciled_and_nothing_goes_twice() {
    let (t, who) = open().await;
    // Claimed, handed over, and the node died before it knew: the carrier has the first, not the second.
    let known = send(&t, &who, "+12125550131", "Known").await;
    t.settle().await;
    let provider_id = message(&t, &who, &known["id"]).await["provider_message_id"].clone();
    let lost = send(&t, &who, "+12125550132", "Lost").await;
    t.execute(&format!(
        "update patchbay.messages set status = 'sending', attempt = 1, claimed_at = now(), lease_until = now() + interval '60 seconds', provider = 'fake',
           sent_at = null, delivered_at = null, provider_message_id = null where id in ('{}', '{}')",
        known["id"].as_str().unwrap(),
        lost["id"].as_str().unwrap()
    ))
    .await;
    t.clock.advance(TimeDelta::seconds(61));
    t.settle().await;
    assert_eq!(message(&t, &who, &known["id"]).await["status"], "unknown");
    t.clock.advance(TimeDelta::seconds(130));
    t.settle().await;
    let known = message(&t, &who, &known["id"]).await;
    assert_eq!((&known["provider_message_id"], &known["attempt"]), (&provider_id, &json!(1)), "{known:#}");
    t.settle().await;
    let lost = message(&t, &who, &lost["id"]).await;
    assert_eq!((&lost["status"], &lost["attempt"]), (&json!("delivered"), &json!(2)), "{lost:#}");
}

#[tokio::test]
async fn reports_that_come_late_or_for_an_earlier_attempt_change_nothing() {
    let (t, who) = open().await;
    let sent = send(&t, &who, "+12125550123", "Hi").await;
    t.settle().await;
    let id: Uuid = sent["id"].as_str().unwrap().parse().unwrap();
    for (attempt, status) in [(1, "sent"), (1, "undelivered"), (0, "failed"), (1, "queued")] {
        let path = format!("/webhooks/twilio?t={}&m={}&a={attempt}", who.id.simple(), id.simple());
        t.signed(
            &who,
            &path,
            &[("MessageSid", "SM00000000000000000000000000000001"), ("MessageStatus", status)],
        )
        .await
        .expect(200);
    }
    t.settle().await;
    let seen = message(&t, &who, &sent["id"]).await;
    assert_eq!(seen["status"], "delivered");
}

#[tokio::test]
async fn webhooks_without_a_good_signature_are_refused_with_twiml() {
    let (t, who) = open().await;
    let reply = t
        .form(
            "/webhooks/twilio",
            &[
                ("AccountSid", &who.account_sid),
                ("From", "+12125550123"),
                ("To", "+12125550100"),
                ("Body", "x"),
                ("MessageSid", "SM00000000000000000000000000000001"),
            ],
            &[("x-twilio-signature", "bm9uc2Vuc2U=")],
        )
        .await;
    assert_eq!(reply.status, 403);
    assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/xml"));
    assert!(reply.text.ends_with("<Response/>"));
    t.form("/webhooks/twilio", &[("AccountSid", "AC999"), ("Body", "x")], &[]).await.expect(403);
    // A tenant with an account of its own speaks about itself only.
    let other = t.tenancy("Other").await;
    let path = format!("/webhooks/twilio?t={}&m={}&a=1", who.id.simple(), Uuid::new_v4().simple());
    t.signed(
        &other,
        &path,
        &[("MessageSid", "SM00000000000000000000000000000009"), ("MessageStatus", "failed")],
    )
    .await
    .expect(403);
}

#[tokio::test]
async fn the_carriers_price_settles_the_account() {
    let (t, who) = open().await;
    let queued = send(&t, &who, "+12125550123", "Hi").await;
    t.settle().await;
    let sent = message(&t, &who, &queued["id"]).await;
    assert_eq!(sent["cost_micros"], 10_000);
    let spent = "select sum(cost_micros) from patchbay.spend_counters";
    assert_eq!(t.scalar(spent).await, 10_000);
    let path = format!("/webhooks/twilio?t={}&m={}&a=1", who.id, sent["id"].as_str().unwrap());
    let sid = sent["provider_message_id"].as_str().unwrap().to_owned();
    let told = async |price: &str, unit: &str| {
        let fields = [
            ("MessageSid", sid.as_str()),
            ("MessageStatus", "delivered"),
            ("Price", price),
            ("PriceUnit", unit),
        ];
        t.signed(&who, &path, &fields).await.expect(200);
        t.settle().await;
        (message(&t, &who, &queued["id"]).await["cost_micros"].clone(), t.scalar(spent).await)
    };
    assert_eq!(told("-0.00790", "USD").await, (json!(7_900), 7_900));
    assert_eq!(told("-0.00790", "USD").await, (json!(7_900), 7_900), "twice is once");
    assert_eq!(told("-0.00830", "usd").await, (json!(8_300), 8_300), "a correction");
    // There is no rate of exchange here: kept, and the account stays.
    assert_eq!(told("-0.01200", "EUR").await, (json!(8_300), 8_300));
    assert_eq!(t.text("select price_micros || price_currency from patchbay.messages").await, "12000EUR");
    assert_eq!(told("", "USD").await.1, 8_300);
}
