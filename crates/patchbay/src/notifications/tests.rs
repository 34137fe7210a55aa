use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::tests::{Office, TestApp};

async fn rule(test: &TestApp, office: &Office, event: &str, channel: &str, target: &str) -> Value {
    let body = json!({"event_type": event, "channel": channel, "target": target});
    test.api(&office.key, "POST", "/api/notification-rules", body).await.expect(201).json()
}

async fn told(test: &TestApp) -> Vec<(String, String, String, String)> {
    sqlx::query_as("select channel, to_address, status, body from patchbay.messages where kind = 'notification' order by id")
        .fetch_all(&mut test.sql().await)
        .await
        .unwrap()
}

/// Somebody texts the business: what the webhook's handler leaves behind.
async fn received(test: &TestApp, office: &Office, contact: Uuid, body: &str) {
    let mut sql = test.sql().await;
    let message: Uuid = sqlx::query_scalar(
        "insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body)
         values ($1, $2, 'inbound', 'sms', 'inbound', 'received', gen_random_uuid()::text, '+15005550006', $3) returning id",
    )
    .bind(office.id)
    .bind(contact)
    .bind(body)
    .fetch_one(&mut sql)
    .await
    .unwrap();
    sqlx::query("insert into patchbay.outbox (tenant_id, event_type, payload, next_attempt_at) values ($1, 'message.received', $2, $3)")
        .bind(office.id)
        .bind(json!({"message_id": message, "contact_id": contact}))
        .bind(test.app.now())
        .execute(&mut sql)
        .await
        .unwrap();
}

#[tokio::test]
async fn rules_are_kept_and_checked() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let made = rule(&test, &office, "lead.created", "sms", "0491 570 006").await;
    assert_eq!(
        (&made["target"], &made["active"], &made["use_business_number"]),
        (&json!("+61491570006"), &json!(true), &json!(true))
    );
    let path = format!("/api/notification-rules/{}", made["id"].as_str().unwrap());
    let again = json!({"event_type": "lead.created", "channel": "sms", "target": "+61 491 570 006"});
    let conflict = test.api(&office.key, "POST", "/api/notification-rules", again).await.expect(409).json();
    assert_eq!(conflict["existing_id"], made["id"]);
    for (body, field) in [
        (json!({"event_type": "moon.rises", "channel": "sms", "target": "+61491570006"}), "event_type"),
        (json!({"event_type": "lead.created", "channel": "sms", "target": "12"}), "target"),
        (json!({"event_type": "lead.created", "channel": "email", "target": "a@b"}), "target"),
        (json!({"event_type": "lead.created", "channel": "email", "target": "a@b.c\nBcc: d@e.f"}), "target"),
        (json!({"event_type": "lead.created", "channel": "pigeon", "target": "a"}), "channel"),
    ] {
        let problem = test.api(&office.key, "POST", "/api/notification-rules", body).await.expect(422).json();
        assert!(problem["errors"].get(field).is_some(), "{problem}");
    }
    let mail = rule(&test, &office, "lead.created", "email", " Rosa@Example.COM ").await;
    assert_eq!(mail["target"], "rosa@example.com");
    let list = test.get(&office.reader, "/api/notification-rules?limit=1").await.expect(200).json();
    assert_eq!((&list["data"][0]["id"], list["next_cursor"].is_string()), (&mail["id"], true));
    test.api(&office.key, "PATCH", &path, json!({"channel": "email", "target": "rosa@example.com"}))
        .await
        .expect(409);
    let off = test.api(&office.key, "PATCH", &path, json!({"active": false})).await.expect(200).json();
    assert_eq!(off["active"], false);
    for (key, method, wanted) in [
        (&other.key, "GET", 404),
        (&other.key, "PATCH", 404),
        (&other.key, "DELETE", 404),
        (&office.reader, "DELETE", 403),
    ] {
        let body = if method == "PATCH" { json!({"active": true}) } else { Value::Null };
        test.api(key, method, &path, body).await.expect(wanted);
    }
    test.api(&office.key, "DELETE", &path, Value::Null).await.expect(204);
    test.get(&office.key, &path).await.expect(404);
}

#[tokio::test]
async fn members_are_told_through_the_ledger() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    // The rule as the documentation of plain SQL has it.
    let insert = "insert into api.notification_rules (tenant_id, event_type, channel, target, use_business_number) values ($1, 'lead.created', 'sms', $2, true) on conflict do nothing";
    for target in ["+61491570156", "+61491570156", "nonsense"] {
        sqlx::query(insert).bind(office.id).bind(target).execute(&mut test.sql().await).await.unwrap();
    }
    rule(&test, &office, "quote.accepted", "sms", "+61491570156").await;
    let contact = office.contact(&test, "Dana", Some("+61491570006")).await;
    test.settle().await;
    let first = told(&test).await;
    assert_eq!(first.len(), 2);
    let sent = first.iter().find(|message| message.1 == "+61491570156").unwrap();
    assert_eq!(
        sent.3,
        format!("New lead: Dana Whitfield, 0491 570 006. https://crm.example.com/contacts/{contact}")
    );
    assert!(["sent", "delivered"].contains(&sent.2.as_str()), "{sent:?}");
    assert_eq!(first.iter().find(|message| message.1 == "nonsense").unwrap().2, "blocked");

    let quote = json!({"contact_id": contact, "total_cents": 128_400});
    let quote = test.api(&office.key, "POST", "/api/quotes", quote).await.expect(201).json();
    test.settle().await;
    let path = format!("/api/quotes/{}", quote["id"].as_str().unwrap());
    test.api(&office.key, "PATCH", &path, json!({"status": "accepted", "answer_note": "On the\nphone"}))
        .await
        .expect(200);
    test.settle().await;
    let last = told(&test).await.pop().unwrap();
    assert_eq!(
        last.3,
        format!(
            "Dana Whitfield accepted quote 1001 ($1,284.00). \"On the phone\" https://crm.example.com/quotes/{}",
            quote["id"].as_str().unwrap()
        )
    );
    // Handled twice, told once.
    sqlx::query("update patchbay.outbox set processed_at = null, next_attempt_at = now() where event_type in ('lead.created', 'quote.accepted')")
        .execute(&mut test.sql().await).await.unwrap();
    test.settle().await;
    assert_eq!(told(&test).await.len(), 3);
}

#[tokio::test]
async fn a_chatty_contact_is_one_text_per_quarter_of_an_hour() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    rule(&test, &office, "message.received", "sms", "+61491570156").await;
    let (dana, tom) = (
        office.contact(&test, "Dana", Some("+61491570006")).await,
        office.contact(&test, "Tom", Some("+61491570157")).await,
    );
    test.settle().await;
    for (contact, text) in
        [(dana, "Hi!"), (dana, "Are you there?"), (tom, "When\ncan you come?"), (dana, "Hello?")]
    {
        received(&test, &office, contact, text).await;
        test.settle().await;
    }
    let bodies: Vec<String> = told(&test).await.into_iter().map(|message| message.3).collect();
    assert_eq!(
        bodies,
        [
            format!("Dana Whitfield: \"Hi!\" https://crm.example.com/conversations/{dana}"),
            format!("Tom Whitfield: \"When can you come?\" https://crm.example.com/conversations/{tom}"),
        ]
    );
    test.clock.advance(TimeDelta::minutes(16));
    received(&test, &office, dana, &"x".repeat(500)).await;
    test.settle().await;
    let last = told(&test).await.pop().unwrap().3;
    assert!(
        last.starts_with(&format!(
            "Dana Whitfield: \"{}...\" (and 2 messages before) https://",
            "x".repeat(117)
        )),
        "{last}"
    );
    // The member's own phone as a contact does not tell itself.
    let own = office.contact(&test, "Rosa", Some("+61491570156")).await;
    let before = told(&test).await.len();
    received(&test, &office, own, "OK").await;
    test.settle().await;
    assert_eq!(told(&test).await.len(), before);
}

#[tokio::test]
async fn a_storm_of_leads_ends_in_one_sentence() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    rule(&test, &office, "lead.created", "sms", "+61491570156").await;
    let storm = async |n: i32| {
        sqlx::query("insert into patchbay.contacts (tenant_id, first_name) select $1, 'Lead ' || n from generate_series(1, $2) n")
            .bind(office.id).bind(n).execute(&mut test.sql().await).await.unwrap();
        test.settle().await;
    };
    storm(60).await;
    let all = told(&test).await;
    assert_eq!(all.len(), 21);
    assert_eq!(
        all.iter().filter(|message| message.3.starts_with("New leads are arriving quickly.")).count(),
        1
    );
    test.clock.advance(TimeDelta::minutes(61));
    storm(1).await;
    assert_eq!(told(&test).await.len(), 22);
}
