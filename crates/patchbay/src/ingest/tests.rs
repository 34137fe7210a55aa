use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::tests::{Office, Reply, TestApp};

const LEAD: &str = "/functions/v1/ingest-lead";
const QUOTE: &str = "/functions/v1/ingest-quote";

/// A key that may only hand in.
async fn ingest_key(test: &TestApp, office: &Office) -> String {
    let key = crate::ids::new_secret("pb_");
    sqlx::query("insert into patchbay.api_keys (id, tenant_id, name, scope, prefix, key_hash, created_at) values ($1, $2, 'website', 'ingest', 'pb_test', $3, now())")
        .bind(test.id())
        .bind(office.id)
        .bind(crate::ids::hash_secret(&key))
        .execute(&mut test.sql().await)
        .await
        .unwrap();
    key
}

async fn form(test: &TestApp, key: &str, path: &str, body: &str) -> Reply {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/x-www-form-urlencoded");
    test.request(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_lead_comes_in_once_with_everything_it_brings() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let key = ingest_key(&test, &office).await;
    let body = json!({
        "name": "Dana van Whitfield", "phone": "0491 570 006", "email": "Dana@Example.com", "source": "Web form", "consent_sms": true,
        "consent_wording": "I agree to text messages", "suburb": "Fremantle", "boxes": ["a", "b"], "empty": "", "none": null, "properties": {"rooms": 3},
    });
    let made = test.api(&key, "POST", LEAD, body).await.expect(201).json();
    assert_eq!(made["created"], true);
    let contact = test
        .get(&office.key, &format!("/api/contacts/{}", made["id"].as_str().unwrap()))
        .await
        .expect(200)
        .json();
    assert_eq!(contact["first_name"], "Dana van");
    assert_eq!(contact["last_name"], "Whitfield");
    assert_eq!(contact["phone"], "+61491570006");
    assert_eq!(contact["consent"]["sms"], "subscribed");
    assert_eq!(contact["stage"], "New");
    assert_eq!(contact["properties"], json!({"suburb": "Fremantle", "boxes": ["a", "b"], "rooms": 3}));
    assert_eq!(test.text("select wording from patchbay.consent_events").await, "I agree to text messages");

    let again = form(&test, &key, LEAD, "phone=%2B61491570006&first_name=Dan&suburb=Perth&colour=red")
        .await
        .expect(200)
        .json();
    assert_eq!((&again["id"], &again["created"]), (&made["id"], &json!(false)));
    let contact =
        test.get(&office.key, &format!("/api/contacts/{}", made["id"].as_str().unwrap())).await.json();
    assert_eq!(
        (&contact["first_name"], &contact["properties"]["suburb"], &contact["properties"]["colour"]),
        (&json!("Dana van"), &json!("Fremantle"), &json!("red"))
    );
    test.settle().await;
    assert_eq!(
        test.scalar("select count(*) from patchbay.outbox where event_type = 'lead.created'").await,
        1
    );
}

#[tokio::test]
async fn what_cannot_be_understood_is_told() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let key = ingest_key(&test, &office).await;
    for (body, field) in [
        (json!({"phone": "call me maybe"}), "phone"),
        (json!({"phone": "0491", "first_name": "A"}), "phone"),
        (json!({"email": "nope"}), "email"),
        (json!({}), "phone"),
        (json!({"first_name": "x".repeat(200)}), "first_name"),
        (json!({"name": "x".repeat(200)}), "name"),
        (json!({"first_name": "A", "big": "x".repeat(70_000)}), "properties"),
    ] {
        let problem = test.api(&key, "POST", LEAD, body).await.expect(422).json();
        assert!(problem["errors"][field].is_string(), "{problem}");
    }
    let too_large = test
        .api(&key, "POST", LEAD, json!({"first_name": "A", "big": "x".repeat(300 << 10)}))
        .await
        .expect(413);
    assert_eq!(too_large.headers["content-type"], "application/problem+json");
    let text = Request::builder()
        .method("POST")
        .uri(LEAD)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json");
    let broken = test.request(text.body(Body::from("{\"first_name\":")).unwrap()).await.expect(400);
    assert_eq!(broken.headers["content-type"], "application/problem+json");
    assert_eq!(test.scalar("select count(*) from patchbay.contacts").await, 0);
}

#[tokio::test]
async fn the_same_lead_many_times_at_once_is_one_contact() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let key = ingest_key(&test, &office).await;
    for body in [
        json!({"phone": "0491570006", "email": "a@b.example"}),
        json!({"email": "c@d.example"}),
        json!({"phone": "0491 570 156"}),
    ] {
        let replies =
            futures::future::join_all((0..10).map(|_| test.api(&key, "POST", LEAD, body.clone()))).await;
        assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1, "{body}");
        assert!(replies.iter().all(|reply| reply.json()["id"] == replies[0].json()["id"]), "{body}");
    }
    test.settle().await;
}

#[tokio::test]
async fn a_refusal_is_not_lifted_by_a_ticked_box() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let key = ingest_key(&test, &office).await;
    test.execute(&format!("insert into patchbay.consents (tenant_id, channel, address, state, how) values ('{}', 'sms', '+61491570006', 'unsubscribed', 'keyword')", office.id)).await;
    let made = test
        .api(&key, "POST", LEAD, json!({"phone": "0491570006", "consent_sms": true}))
        .await
        .expect(201)
        .json();
    let contact =
        test.get(&office.key, &format!("/api/contacts/{}", made["id"].as_str().unwrap())).await.json();
    assert_eq!(contact["consent"]["sms"], "unsubscribed");
    test.settle().await;
}

#[tokio::test]
async fn a_quote_comes_in_for_a_lead_known_or_new() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let key = ingest_key(&test, &office).await;
    let body = json!({"phone": "0491570006", "name": "Dana W", "total_cents": 128_400, "currency": "AUD", "data": {"roof": "tiles"}, "panels": 12});
    let quote = test.api(&key, "POST", QUOTE, body).await.expect(201).json();
    assert_eq!(quote["number"], 1001);
    assert!(quote["url"].as_str().unwrap().starts_with("https://crm.example.com/q/"));
    let stored = test
        .get(&office.key, &format!("/api/quotes/{}", quote["id"].as_str().unwrap()))
        .await
        .expect(200)
        .json();
    assert_eq!(stored["data"], json!({"roof": "tiles", "panels": 12}));
    assert_eq!(stored["total_cents"], 128_400);

    let again =
        json!({"lead_id": quote["lead_id"], "items": [{"name": "Panel", "quantity": 2, "unit_cents": 500}]});
    let second = test.api(&key, "POST", QUOTE, again).await.expect(201).json();
    assert_eq!(second["lead_id"], quote["lead_id"]);
    let stored =
        test.get(&office.key, &format!("/api/quotes/{}", second["id"].as_str().unwrap())).await.json();
    assert_eq!(stored["total_cents"], 1000);
    let third = form(&test, &key, QUOTE, "phone=0491570006&total=1,284.50").await.expect(201).json();
    let stored =
        test.get(&office.key, &format!("/api/quotes/{}", third["id"].as_str().unwrap())).await.json();
    assert_eq!(stored["total_cents"], 128_450);

    for (body, field) in [
        (json!({"lead_id": test.id(), "total_cents": 1}), "lead_id"),
        (json!({"lead_id": "x", "total_cents": 1}), "lead_id"),
        (json!({"name": "Nobody", "total_cents": 1}), "phone"),
        (json!({"phone": "0491570006", "total_cents": "much"}), "total_cents"),
        (json!({"phone": "0491570006", "total_cents": 1, "expires_on": "soon"}), "expires_on"),
    ] {
        let problem = test.api(&key, "POST", QUOTE, body).await.expect(422).json();
        assert!(problem["errors"][field].is_string(), "{problem}");
    }
    assert_eq!(test.scalar("select count(*) from patchbay.contacts").await, 1);
}

#[tokio::test]
async fn keys_reach_as_far_as_their_scope() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let key = ingest_key(&test, &office).await;
    test.get(&key, "/api/contacts").await.expect(403);
    test.api(&office.reader, "POST", LEAD, json!({"phone": "0491570006"})).await.expect(403);
    test.api("pb_wrong", "POST", LEAD, json!({"phone": "0491570006"})).await.expect(401);
    let theirs = other.contact(&test, "Dana", Some("+61491570006")).await;
    test.api(&key, "POST", QUOTE, json!({"lead_id": theirs, "total_cents": 1})).await.expect(422);
    let ours = test
        .api(&key, "POST", LEAD, json!({"phone": "0491570006", "tenant_id": other.id}))
        .await
        .expect(201)
        .json();
    assert_ne!(ours["id"], theirs.to_string());
    test.settle().await;
}

#[tokio::test]
async fn plain_sql_on_the_public_view_means_the_same() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let insert = |columns: &str, values: &str| {
        format!(
            "with made as (insert into api.leads (tenant_id, {columns}) values ('{}', {values}) returning id) select id::text from made",
            office.id
        )
    };
    let first = test
        .text(&insert(
            "first_name, phone, consent_sms, properties",
            "'Dana', '0491 570 006', true, '{\"a\": 1}'",
        ))
        .await;
    let again = test
        .text(&insert("first_name, phone, email", "'Other', '+61 491 570 006', 'Dana@Example.com '"))
        .await;
    let by_email = test.text(&insert("email", "'dana@example.com'")).await;
    assert_eq!((&again, &by_email), (&first, &first));
    let contact: Value = test.get(&office.key, &format!("/api/contacts/{first}")).await.expect(200).json();
    assert_eq!(
        (&contact["first_name"], &contact["email"], &contact["consent"]["sms"]),
        (&json!("Dana"), &json!("dana@example.com"), &json!("subscribed"))
    );
    let refused = sqlx::query("insert into api.leads (tenant_id, phone) values ($1, 'nonsense')")
        .bind(office.id)
        .execute(&mut test.sql().await)
        .await;
    assert!(refused.unwrap_err().to_string().contains("cannot be understood"));

    // Plain SQL and HTTP racing for one e-mail end with one contact too.
    let key = ingest_key(&test, &office).await;
    let sql = (0..4).map(|_| async { test.text(&insert("email", "'race@example.com'")).await });
    let http = (0..4).map(|_| test.api(&key, "POST", LEAD, json!({"email": "race@example.com"})));
    let (sql, http) = tokio::join!(futures::future::join_all(sql), futures::future::join_all(http));
    assert!(
        sql.iter().all(|id| *id == sql[0]) && http.iter().all(|reply| reply.json()["id"] == sql[0].as_str())
    );

    test.execute(&format!(
        "update api.leads set last_name = 'Whitfield', phone = '0491 570 156' where id = '{first}'"
    ))
    .await;
    let contact = test.get(&office.key, &format!("/api/contacts/{first}")).await.json();
    assert_eq!((&contact["last_name"], &contact["phone"]), (&json!("Whitfield"), &json!("+61491570156")));
    test.execute(&format!("delete from api.leads where id = '{first}'")).await;
    assert!(test.get(&office.key, &format!("/api/contacts/{first}")).await.json()["archived_at"].is_string());
    test.settle().await;
}

#[tokio::test]
async fn the_pages_of_other_sites_may_hand_in() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let key = ingest_key(&test, &office).await;
    for path in [LEAD, QUOTE] {
        let asked = Request::builder()
            .method("OPTIONS")
            .uri(path)
            .header("origin", "https://plumber.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,apikey");
        let answer = test.request(asked.body(Body::empty()).unwrap()).await.expect(204);
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        for name in ["authorization", "content-type", "apikey", "x-client-info", "idempotency-key"] {
            assert!(
                answer.headers["access-control-allow-headers"].to_str().unwrap().contains(name),
                "{name}"
            );
        }
        // An error is for the page to read as well.
        let refused = test.api("pb_wrong", "POST", path, json!({})).await.expect(401);
        assert_eq!(refused.headers["access-control-allow-origin"], "*");
    }
    let origin = [("origin", "https://plumber.example")];
    let body = json!({"phone": "0491570006"});
    let taken = test.api_with(&key, "POST", LEAD, body, &origin).await.expect(201);
    assert_eq!(taken.headers["access-control-allow-origin"], "*");
    let closed = test.api_with(&office.key, "GET", "/api/contacts", json!(null), &origin).await.expect(200);
    assert!(!closed.headers.contains_key("access-control-allow-origin"));
}
