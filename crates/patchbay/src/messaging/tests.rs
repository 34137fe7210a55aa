//! The ledger from outside: intents in, the fake carrier at the end, the clock in the test's hand.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::tests::{Tenancy, TestApp};

async fn open() -> (TestApp, Tenancy) {
    let t = TestApp::new().await;
    let tenancy = t.tenancy("Brightside").await;
    t.execute("update patchbay.tenants set quiet_start = null, quiet_end = null, country_rules = false")
        .await;
    (t, tenancy)
}

async fn send(t: &TestApp, who: &Tenancy, to: &str, body: &str) -> Value {
    t.api(&who.key, "POST", "/api/messages/send", json!({ "to": to, "body": body })).await.expect(202).json()
}

async fn message(t: &TestApp, who: &Tenancy, id: &Value) -> Value {
    t.get(&who.key, &format!("/api/messages/{}", id.as_str().unwrap())).await.expect(200).json()
}

#[tokio::test]
async fn a_message_is_sent_and_delivered_once() {
    let (t, who) = open().await;
    let queued = send(&t, &who, "+12125550123", "Hello there").await;
    assert_eq!((&queued["status"], &queued["segments"]), (&json!("queued"), &json!(1)));
    t.settle().await;
    let seen = message(&t, &who, &queued["id"]).await;
    assert_eq!(seen["status"], "delivered", "{seen:#}");
    assert_eq!(seen["attempt"], 1);
    assert!(seen["provider_message_id"].as_str().unwrap().starts_with("SM"));
    let events: Vec<&str> =
        seen["events"].as_array().unwrap().iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert!(events.contains(&"sent") && events.contains(&"delivered"), "{events:?}");
}

#[tokio::test]
async fn the_same_idempotency_key_is_the_same_message() {
    let (t, who) = open().await;
    let body = json!({ "to": "+12125550123", "body": "Once" });
    let first = t
        .api_with(&who.key, "POST", "/api/messages/send", body.clone(), &[("idempotency-key", "k1")])
        .await
        .expect(202)
        .json();
    let again = t
        .api_with(&who.key, "POST", "/api/messages/send", body, &[("idempotency-key", "k1")])
        .await
        .expect(202)
        .json();
    assert_eq!(first["id"], again["id"]);
    t.settle().await;
    assert_eq!(t.scalar("select count(*) from patchbay.messages").await, 1);
}

#[tokio::test]
async fn quiet_hours_hold_and_let_go() {
    let (t, who) = open().await;
    // Quiet around the clock but for one minute, an hour from now, where the recipient is.
    t.execute(
        "update patchbay.tenants set timezone = 'Australia/Perth', country = 'AU',
           quiet_start = ((now() + interval '61 minutes') at time zone 'Australia/Perth')::time(0),
           quiet_end = ((now() + interval '60 minutes') at time zone 'Australia/Perth')::time(0)",
    )
    .await;
    let contact = t
        .api(&who.key, "POST", "/api/messages/send", json!({ "to": "+61892224444", "body": "Booked" }))
        .await
        .expect(202)
        .json();
    t.execute("update patchbay.contacts set timezone = 'Australia/Perth'").await;
    t.settle().await;
    let held = message(&t, &who, &contact["id"]).await;
    assert_eq!(
        (&held["status"], &held["gate"]["name"], &held["gate"]["verdict"]),
        (&json!("queued"), &json!("quiet_hours"), &json!("waiting"))
    );
    assert!(held["gate"]["reason"].as_str().unwrap().contains("Perth"), "{held:#}");
    t.clock.advance(TimeDelta::minutes(60) + TimeDelta::seconds(30));
    t.settle().await;
    assert_eq!(message(&t, &who, &contact["id"]).await["status"], "delivered");
}

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
async fn the_kill_switch_holds_everything_and_budget_holds_the_rest() {
    let (t, who) = open().await;
    t.execute("update patchbay.tenants set kill_switch = true").await;
    let held = send(&t, &who, "+12125550123", "Hi").await;
    t.settle().await;
    assert_eq!(message(&t, &who, &held["id"]).await["gate"]["name"], "kill_switch");
    t.execute("update patchbay.tenants set kill_switch = false, budget_daily_cents = 0").await;
    t.clock.advance(TimeDelta::minutes(6));
    t.settle().await;
    assert_eq!(message(&t, &who, &held["id"]).await["gate"]["name"], "budget");
    let why = t
        .get(&who.key, &format!("/api/messages/{}/why", held["id"].as_str().unwrap()))
        .await
        .expect(200)
        .json();
    assert_eq!(why.as_array().unwrap().len(), 7);
    assert_eq!(why[1]["verdict"], "waiting");
}

#[tokio::test]
async fn the_rate_puts_messages_in_line() {
    let (t, who) = open().await;
    t.execute("update patchbay.tenants set rate_per_second = 1").await;
    for n in 0..5 {
        send(&t, &who, &format!("+1212555010{n}"), "Hi").await;
    }
    t.settle().await;
    assert_eq!(t.scalar("select count(*) from patchbay.messages where status = 'delivered'").await, 1);
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where status = 'queued' and gate = 'rate_limit'")
            .await,
        4
    );
    for _ in 0..4 {
        t.clock.advance(TimeDelta::milliseconds(1001));
        t.settle().await;
    }
    assert_eq!(t.scalar("select count(*) from patchbay.messages where status = 'delivered'").await, 5);
}

#[tokio::test]
async fn warm_up_caps_the_local_day() {
    let (t, who) = open().await;
    t.execute("update patchbay.senders set warmup_started_on = (now() at time zone 'UTC')::date").await;
    t.execute("update patchbay.tenants set timezone = 'UTC', api_rate_per_second = 1000").await;
    t.execute(
        "insert into patchbay.contacts (tenant_id, first_name, phone_e164) select id, 'P', '+1212555' || lpad(n::text, 4, '0') from patchbay.tenants, generate_series(1000, 1059) n",
    )
    .await;
    t.execute("insert into api.messages (tenant_id, lead_id, channel, body) select tenant_id, id, 'sms', 'Hi' from patchbay.contacts").await;
    t.settle().await;
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where status in ('sent', 'delivered')").await,
        50
    );
    assert_eq!(t.scalar("select count(*) from patchbay.messages where gate = 'warm_up'").await, 10);
    let _ = who;
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
async fn waiting_messages_can_be_canceled_and_failed_ones_sent_again() {
    let (t, who) = open().await;
    let later = t.clock_now() + TimeDelta::hours(2);
    let body = json!({ "to": "+12125550123", "body": "Later", "send_at": later });
    let queued = t.api(&who.key, "POST", "/api/messages/send", body).await.expect(202).json();
    t.settle().await;
    let path = format!("/api/messages/{}", queued["id"].as_str().unwrap());
    assert_eq!(t.get(&who.key, &path).await.json()["status"], "queued");
    t.api(&who.key, "POST", &format!("{path}/cancel"), Value::Null).await.expect(200);
    t.api(&who.key, "POST", &format!("{path}/cancel"), Value::Null).await.expect(409);
    t.clock.advance(TimeDelta::hours(3));
    t.settle().await;
    assert_eq!(t.get(&who.key, &path).await.json()["status"], "canceled");
    t.api(&who.key, "POST", &format!("{path}/retry"), Value::Null).await.expect(200);
    t.settle().await;
    assert_eq!(t.get(&who.key, &path).await.json()["status"], "delivered");
}

#[tokio::test]
async fn the_send_endpoint_slows_a_flood_down() {
    let (t, who) = open().await;
    t.execute("update patchbay.tenants set api_rate_per_second = 2").await;
    let body = json!({ "to": "+12125550123", "body": "Hi" });
    let mut refused = None;
    for _ in 0..6 {
        let reply = t.api(&who.key, "POST", "/api/messages/send", body.clone()).await;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        let number = |name: &str| reply.headers[name].to_str().unwrap().parse::<u32>().unwrap();
        assert_eq!(number("ratelimit-limit"), 4);
        assert!(number("ratelimit-remaining") < 4 && number("ratelimit-reset") <= 2);
    }
    let refused = refused.expect("a flood is slowed down");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(
        (&refused.headers["ratelimit-limit"], &refused.headers["ratelimit-remaining"]),
        (&"4".parse().unwrap(), &"0".parse().unwrap())
    );
    // Refusals of other kinds tell it too.
    t.execute("update patchbay.tenants set api_rate_per_second = 50").await;
    t.clock.advance(TimeDelta::seconds(5));
    let key = [("idempotency-key", "k")];
    t.api_with(&who.key, "POST", "/api/messages/send", body, &key).await.expect(202);
    for (body, status) in
        [(json!({ "to": 5 }), 409), (json!({ "to": "123", "body": "Hi" }), 422), (json!({ "to": 5 }), 422)]
    {
        let headers = if status == 409 { &key[..] } else { &[] };
        let reply = t.api_with(&who.key, "POST", "/api/messages/send", body, headers).await.expect(status);
        assert_eq!(reply.headers["ratelimit-limit"], "100");
        assert!(reply.headers.contains_key("ratelimit-remaining"));
    }
}

#[tokio::test]
async fn whatsapp_takes_free_text_for_a_day_after_the_contact_wrote() {
    let (t, who) = open().await;
    t.execute("insert into patchbay.senders (tenant_id, channel, address, provider) select id, 'whatsapp', '+15005550006', 'fake' from patchbay.tenants").await;
    let body = json!({ "to": "+12125550123", "channel": "whatsapp", "body": "Hi" });
    let early = t.api(&who.key, "POST", "/api/messages/send", body.clone()).await.expect(202).json();
    t.settle().await;
    let early = message(&t, &who, &early["id"]).await;
    assert_eq!(early["status"], "failed");
    assert!(early["error"]["detail"].as_str().unwrap().contains("24 hours"));
    t.receive(&who, "whatsapp:+12125550123", "hola", "SM1").await;
    t.settle().await;
    let open = t.api(&who.key, "POST", "/api/messages/send", body).await.expect(202).json();
    t.settle().await;
    assert_eq!(message(&t, &who, &open["id"]).await["status"], "delivered");
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
