//! What people write back: STOP, START, HELP, and words that may mean one of them.

use serde_json::json;

use super::{contact_of, message, open, send, tenancy};
use crate::tests::TestApp;

#[tokio::test]
async fn stop_blocks_and_is_confirmed_once_and_start_restores() {
    let (t, who) = open().await;
    send(&t, &who, "+12125550123", "Hi").await;
    t.settle().await;
    t.receive(&who, "+12125550123", "Stop.", "SM1").await;
    t.receive(&who, "+12125550123", "Stop.", "SM1").await;
    t.settle().await;
    t.receive(&who, "+12125550123", "STOP", "SM2").await;
    t.settle().await;
    assert_eq!(t.scalar("select count(*) from patchbay.messages where kind = 'consent_confirmation' and status = 'delivered'").await, 1);
    assert_eq!(t.scalar("select count(*) from patchbay.do_not_contact").await, 1);
    let blocked = send(&t, &who, "+12125550123", "Still there?").await;
    t.settle().await;
    let blocked = message(&t, &who, &blocked["id"]).await;
    assert_eq!((&blocked["status"], &blocked["gate"]["name"]), (&json!("blocked"), &json!("do_not_contact")));
    t.receive(&who, "+12125550123", "start", "SM3").await;
    t.settle().await;
    let again = send(&t, &who, "+12125550123", "Welcome back").await;
    t.settle().await;
    assert_eq!(message(&t, &who, &again["id"]).await["status"], "delivered");
    // four received, two confirmations
    assert_eq!(t.scalar("select count(*) from patchbay.messages where direction = 'inbound'").await, 3);
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where kind = 'consent_confirmation'").await,
        2
    );
}

#[tokio::test]
async fn help_names_the_business_and_ordinary_talk_is_left_alone() {
    let (t, who) = open().await;
    t.execute("update patchbay.tenants set business_name = 'Brightside Plumbing', support_contact = '+1 212 555 0199'").await;
    t.receive(&who, "+12125550124", "HELP", "SM4").await;
    t.receive(&who, "+12125550124", "can you stop by at 5?", "SM5").await;
    t.settle().await;
    let mut sql = t.sql().await;
    let bodies: Vec<String> =
        sqlx::query_scalar("select body from patchbay.messages where direction = 'outbound'")
            .fetch_all(&mut sql)
            .await
            .unwrap();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(bodies[0].contains("Brightside Plumbing") && bodies[0].contains("555 0199"), "{bodies:?}");
    assert_eq!(t.scalar("select count(*) from patchbay.consents where state = 'unsubscribed'").await, 0);
    assert_eq!(t.scalar("select unread from patchbay.conversations").await, 2);
}

#[tokio::test]
async fn who_unsubscribed_is_not_written_to_and_one_is_told_why() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    t.receive(&who, "+12125550101", "Stop", "SM1").await;
    t.settle().await;
    let id = contact_of(&t, &who, "+12125550101").await;
    let page = browser.get(&format!("/conversations/{id}")).await.expect(200);
    for said in ["unsubscribed from SMS", "Wrote STOP today at", "by writing START to", "data-hurdle"] {
        assert!(page.text.contains(said), "{said}");
    }
    let before = t.scalar("select count(*) from patchbay.messages").await;
    let refused = browser
        .post(&format!("/conversations/{id}/messages"), &[("channel", "sms"), ("body", "Please?")])
        .await
        .expect(422);
    assert!(refused.text.contains("Nothing was sent.") && refused.text.contains(">Please?</textarea>"));
    assert_eq!(t.scalar("select count(*) from patchbay.messages").await, before);
    assert!(browser.get("/inbox").await.text.contains("Unsubscribed"));
    t.receive(&who, "+12125550101", "START", "SM2").await;
    t.settle().await;
    browser
        .post(&format!("/conversations/{id}/messages"), &[("channel", "sms"), ("body", "Welcome back")])
        .await
        .expect(303);
}

#[tokio::test]
async fn words_that_may_be_an_opt_out_are_decided_by_a_person() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    let states =
        async || t.text("select string_agg(state, ',' order by address) from patchbay.consents").await;
    for (n, from) in ["+12125550101", "+12125550102"].into_iter().enumerate() {
        t.receive(&who, from, "Please take me off your list", &format!("SM{n}")).await;
        t.settle().await;
    }
    assert_eq!(states().await, "unsubscribed,unsubscribed", "silence until somebody decides");
    let (yes, no) = (contact_of(&t, &who, "+12125550101").await, contact_of(&t, &who, "+12125550102").await);
    assert!(browser.get(&format!("/conversations/{no}")).await.text.contains("They did not"));
    browser.post(&format!("/conversations/{yes}/review"), &[("opted_out", "true")]).await.expect(303);
    browser.post(&format!("/conversations/{no}/review"), &[("opted_out", "false")]).await.expect(303);
    // Nobody agreed to anything by being misread.
    assert_eq!(states().await, "unsubscribed,unknown");
    assert_eq!(
        t.text("select string_agg(phone_e164, ',') from patchbay.do_not_contact").await,
        "+12125550101"
    );
    assert!(!browser.get(&format!("/conversations/{no}")).await.text.contains("They did not"));
    // A keyword is no matter of opinion.
    t.receive(&who, "+12125550103", "STOP", "SM7").await;
    t.settle().await;
    let stopped = contact_of(&t, &who, "+12125550103").await;
    t.execute(&format!(
        "update patchbay.conversations set needs_review = 'Look' where contact_id = '{stopped}'"
    ))
    .await;
    browser.post(&format!("/conversations/{stopped}/review"), &[("opted_out", "false")]).await.expect(303);
    assert_eq!(states().await, "unsubscribed,unknown,unsubscribed");
}

#[tokio::test]
async fn nul_is_left_out_and_harms_nobody() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    browser.post("/contacts", &[("first_name", "Be\0a"), ("status", "lead")]).await.expect(303);
    assert_eq!(t.scalar("select count(*) from patchbay.contacts where first_name = 'Bea'").await, 1);
    let fields = [
        ("MessageSid", "SM00000000000000000000000000000009"),
        ("From", "+12125550123"),
        ("To", "+15005550006"),
        ("Body", "ST\0OP"),
        ("ProfileName", "Da\0na"),
        ("SmsStatus", "received"),
    ];
    t.signed(&who, "/webhooks/twilio", &fields).await.expect(200);
    t.settle().await;
    assert_eq!(t.text("select body from patchbay.messages where direction = 'inbound'").await, "STOP");
    assert_eq!(t.scalar("select count(*) from patchbay.do_not_contact").await, 1);
    let body = json!({ "first_name": "A\u{0}na", "properties": { "a\u{0}": "\u{0}" } });
    let made = t.api(&who.key, "POST", "/api/contacts", body).await.expect(201).json();
    assert_eq!(made["first_name"], "Ana");
}

#[tokio::test]
async fn short_codes_and_names_reach_the_inbox_and_take_no_answer() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    for (sid, from, body) in [
        ("SM1", "AMAZON", "Your parcel is here"),
        ("SM2", "12345", "Your code is 71"),
        ("SM3", "AMAZON", "Your parcel was returned"),
        ("SM4", "12345", "STOP"),
        ("SM5", "12345", "HELP"),
    ] {
        t.receive(&who, from, body, sid).await;
        t.settle().await;
    }
    assert_eq!(t.scalar("select count(*) from patchbay.messages where direction = 'inbound'").await, 5);
    assert_eq!(t.scalar("select count(*) from patchbay.messages where direction = 'outbound'").await, 0);
    assert_eq!(
        t.text("select string_agg(first_name, ' ' order by first_name) from patchbay.contacts where phone_e164 is null").await,
        "12345 AMAZON"
    );
    assert_eq!(t.text("select address from patchbay.consents where state = 'unsubscribed'").await, "12345");
    assert_eq!(t.scalar("select count(*) from patchbay.do_not_contact").await, 0);
    let amazon = t.text("select id::text from patchbay.contacts where first_name = 'AMAZON'").await;
    let page = browser.get(&format!("/conversations/{amazon}")).await.expect(200).text;
    assert!(
        page.contains("Your parcel was returned") && page.contains("AMAZON cannot be answered"),
        "{page}"
    );
}

#[tokio::test]
async fn nearly_stop_suspends_and_calls_a_person() {
    let (t, who) = open().await;
    for (number, body) in [("+12125550101", "STOP IT"), ("+12125550102", "STOP1")] {
        t.receive(&who, number, body, &number[7..]).await;
        t.settle().await;
    }
    t.receive(&who, "+12125550103", "STOP\nSent from my iPhone", "SM7").await;
    t.settle().await;
    let count = async |how: &str| {
        t.scalar(&format!(
            "select count(*) from patchbay.consents where state = 'unsubscribed' and how = '{how}'"
        ))
        .await
    };
    assert_eq!((count("phrase").await, count("keyword").await), (2, 1));
    assert_eq!(
        t.scalar("select count(*) from patchbay.conversations where needs_review is not null").await,
        2
    );
}
