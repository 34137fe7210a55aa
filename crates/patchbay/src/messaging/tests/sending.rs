//! A message from intent to receipt: once, canceled, sent again, within what a channel takes.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{message, open, send};

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
async fn what_contradicts_itself_or_has_holes_is_refused_at_once() {
    let (t, who) = open().await;
    let made = t
        .api(&who.key, "POST", "/api/contacts", json!({ "first_name": "Dana", "phone": "+12125550123" }))
        .await
        .expect(201)
        .json();
    let id = &made["id"];
    for (body, field) in [
        (json!({ "contact_id": id, "to": "+12125550199", "body": "Hi" }), "to"),
        (json!({ "to": "+12125550199", "template": "quote_sms" }), "template"),
        (json!({ "to": "+12125550199", "body": "Hi", "send_at": "9999-12-31T00:00:00Z" }), "send_at"),
        (json!({ "to": "+12125550199", "body": "Hi", "send_at": "tomorrow" }), "send_at"),
        (json!({ "to": "dana@", "channel": "email", "body": "Hi" }), "to"),
    ] {
        let problem = t.api(&who.key, "POST", "/api/messages/send", body).await.expect(422).json();
        assert!(problem["errors"][field].is_string(), "{field}: {problem}");
    }
    let body = json!({ "to": "+12125550199", "template": "quote_sms" });
    let problem = t.api(&who.key, "POST", "/api/messages/send", body).await.json();
    assert!(problem["errors"]["template"].as_str().unwrap().contains("{{"), "{problem}");
    assert_eq!(t.scalar("select count(*) from patchbay.contacts").await, 1, "a refusal makes nobody");
    let body = json!({ "contact_id": id, "to": "(212) 555-0123", "body": "Hi" });
    t.api(&who.key, "POST", "/api/messages/send", body).await.expect(202);
    t.settle().await;
}
