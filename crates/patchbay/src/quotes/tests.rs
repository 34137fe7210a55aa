use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::tests::{Office, Reply, TestApp};

const PHONE: &str = "+61491570006";

async fn made(test: &TestApp, office: &Office, contact: Uuid, more: Value) -> Value {
    let mut body = json!({"contact_id": contact, "items": [{"name": "Heater", "unit_cents": 109_000}, {"name": "Vent kit", "unit_cents": 12_000}]});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    test.api(&office.key, "POST", "/api/quotes", body).await.expect(201).json()
}

fn path(quote: &Value) -> String {
    format!("/api/quotes/{}", quote["id"].as_str().unwrap())
}

fn token(quote: &Value) -> String {
    quote["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

async fn public(test: &TestApp, method: Method, path: &str, form: &str, from: &str) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-forwarded-for", from);
    test.request(request.body(Body::from(form.to_owned())).unwrap()).await
}

async fn open(test: &TestApp, quote: &Value) -> Reply {
    public(test, Method::GET, &format!("/q/{}", token(quote)), "", "203.0.113.7").await
}

async fn say(test: &TestApp, quote: &Value, what: &str, form: &str) -> Reply {
    public(test, Method::POST, &format!("/q/{}/{what}", token(quote)), form, "203.0.113.7").await
}

async fn status(test: &TestApp, quote: &Value) -> String {
    let id: Uuid = quote["id"].as_str().unwrap().parse().unwrap();
    sqlx::query_scalar("select status from patchbay.quotes where id = $1")
        .bind(id)
        .fetch_one(&mut test.sql().await)
        .await
        .unwrap()
}

async fn messages(test: &TestApp) -> Vec<(String, String, String, Option<String>)> {
    sqlx::query_as("select status, dedupe_key, body, gate_reason::text from patchbay.messages where kind = 'quote' order by id")
        .fetch_all(&mut test.sql().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_quote_texts_itself_once_and_moves_the_card() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let quote = made(&test, &office, contact, json!({"title": "Hot water"})).await;
    assert_eq!(
        (&quote["number"], &quote["total_cents"], &quote["currency"], &quote["status"]),
        (&json!(1001), &json!(121_000), &json!("AUD"), &json!("draft"))
    );
    test.settle().await;
    let sent = messages(&test).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].1, format!("quote:{}", quote["id"].as_str().unwrap()));
    assert_eq!(
        sent[0].2,
        format!("Hi Dana, your quote from brightside is $1,210.00: {}", quote["url"].as_str().unwrap())
    );
    assert!(["sent", "delivered"].contains(&sent[0].0.as_str()), "{sent:?}");
    let now = test.get(&office.key, &path(&quote)).await.expect(200).json();
    assert_eq!(now["status"], "sent");
    assert!(now["sent_at"].is_string());
    let stage: String = sqlx::query_scalar(
        "select s.name from patchbay.contacts c join patchbay.stages s on s.id = c.stage_id where c.id = $1",
    )
    .bind(contact)
    .fetch_one(&mut test.sql().await)
    .await
    .unwrap();
    assert_eq!(stage, "Quoted");
    // The same event again, as after a crash between work and settlement, changes nothing.
    sqlx::query("insert into patchbay.outbox (tenant_id, event_type, payload) select tenant_id, event_type, payload from patchbay.outbox where event_type = 'quote.created'")
        .execute(&mut test.sql().await).await.unwrap();
    test.settle().await;
    assert_eq!(messages(&test).await.len(), 1);
    let told: i64 =
        sqlx::query_scalar("select count(*) from patchbay.activities where kind = 'quote.created'")
            .fetch_one(&mut test.sql().await)
            .await
            .unwrap();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn plain_sql_counts_as_a_writer() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let mut sql = test.sql().await;
    let insert = "insert into api.quotes (tenant_id, lead_id, data, total_cents) values ($1, $2, $3, 9900) returning id";
    for data in [
        json!({"items": [{"name": "Heater", "price_cents": 9_000}], "terms": "Half now", "service": "Hot water"}),
        json!({"items": [{"name": 5, "quantity": "two", "unit_cents": "x"}, "plain", null]}),
        json!({"items": "no list"}),
        json!({}),
    ] {
        sqlx::query_scalar::<_, Uuid>(insert)
            .bind(office.id)
            .bind(contact)
            .bind(data)
            .fetch_one(&mut sql)
            .await
            .unwrap();
    }
    test.settle().await;
    let sent = messages(&test).await;
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|(_, _, body, _)| {
        body.starts_with("Hi Dana, your quote from brightside is $99.00: https://crm.example.com/q/")
    }));
    let list = test.get(&office.key, "/api/quotes").await.expect(200).json();
    for quote in list["data"].as_array().unwrap() {
        // Whatever was written, its page stands and adds up.
        let page = open(&test, quote).await.expect(200);
        assert!(page.text.contains("$99.00"));
    }
    let first = &list["data"][3];
    assert_eq!(first["items"], json!([{"name": "Heater", "quantity": 1, "unit_cents": 9000}]));
    let page = open(&test, first).await.expect(200).text;
    assert!(page.contains("Other charges") && page.contains("$9.00"), "{page}");
}

#[tokio::test]
async fn two_writers_at_once_and_two_workers_make_one_message_each() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let (a, b) =
        tokio::join!(made(&test, &office, contact, json!({})), made(&test, &office, contact, json!({})));
    let mut numbers = [a["number"].as_i64().unwrap(), b["number"].as_i64().unwrap()];
    numbers.sort_unstable();
    assert_eq!(numbers, [1001, 1002]);
    // One event handled by two nodes at once: a lease that ran out.
    let job = patchbay_outbox::Job {
        tenant_id: office.id,
        id: 1,
        event_type: "quote.created".into(),
        payload: json!({"quote_id": a["id"], "contact_id": contact}),
        attempt: 1,
    };
    let (one, two) = tokio::join!(jobs::quote_created(&test.app, &job), jobs::quote_created(&test.app, &job));
    one.unwrap();
    two.unwrap();
    test.settle().await;
    assert_eq!(messages(&test).await.len(), 2);
    // Two people press "send again" at once.
    let again = format!("{}/resend", path(&a));
    let press = || test.api(&office.key, "POST", &again, json!({}));
    let (one, two) = tokio::join!(press(), press());
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (202, 202));
    test.settle().await;
    let keys: Vec<String> = messages(&test).await.into_iter().map(|message| message.1).collect();
    assert!(keys.len() <= 4 && keys.contains(&format!("quote:{}:2", a["id"].as_str().unwrap())), "{keys:?}");
}

#[tokio::test]
async fn a_hole_in_the_template_blocks_and_says_why() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let template = json!({"key": "quote_sms", "content": "{{ first_name }}, ${{total}}: {{short_url}}"});
    test.api(&office.key, "POST", "/api/templates", template).await.expect(201);
    let nameless = office.contact(&test, "", Some(PHONE)).await;
    let quote = made(&test, &office, nameless, json!({})).await;
    let unreachable = office.contact(&test, "Tom", None).await;
    made(&test, &office, unreachable, json!({})).await;
    test.settle().await;
    let mut told = messages(&test).await;
    told.sort_by_key(|message| message.2.clone());
    told.reverse();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|message| message.0 == "blocked"));
    assert!(
        told[0].3.as_ref().unwrap().contains("The template needs {{first_name}}, which is missing."),
        "{told:?}"
    );
    assert!(
        told[1].3.as_ref().unwrap().contains("Tom Whitfield has no number that can be texted."),
        "{told:?}"
    );
    assert_eq!(status(&test, &quote).await, "draft");
    // Filled in and sent again, it goes out.
    sqlx::query("update patchbay.contacts set first_name = 'Dana' where id = $1")
        .bind(nameless)
        .execute(&mut test.sql().await)
        .await
        .unwrap();
    test.api(&office.key, "POST", &format!("{}/resend", path(&quote)), json!({})).await.expect(202);
    test.settle().await;
    assert_eq!(status(&test, &quote).await, "sent");
}

#[tokio::test]
async fn a_draft_waits_until_it_is_released() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let quote = made(&test, &office, contact, json!({"draft": true})).await;
    test.settle().await;
    assert!(messages(&test).await.is_empty());
    open(&test, &quote).await.expect(404);
    test.api(&office.key, "POST", &format!("{}/resend", path(&quote)), json!({})).await.expect(409);
    let changed = json!({"items": [{"name": "Heater", "quantity": 2.5, "unit_cents": 3_333}], "discount_cents": 333, "tax_basis_points": 1_000});
    let now = test.api(&office.key, "PATCH", &path(&quote), changed).await.expect(200).json();
    assert_eq!(
        (&now["tax_cents"], &now["total_cents"], &now["draft"]),
        (&json!(800), &json!(8_800), &json!(true))
    );
    test.api(&office.key, "PATCH", &path(&quote), json!({"draft": false})).await.expect(200);
    test.api(&office.key, "PATCH", &path(&quote), json!({"draft": false})).await.expect(200);
    test.api(&office.key, "PATCH", &path(&quote), json!({"draft": true})).await.expect(409);
    test.settle().await;
    assert_eq!(messages(&test).await.len(), 1);
    open(&test, &quote).await.expect(200);
}

#[tokio::test]
async fn totals_are_checked() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let items = json!([{"name": "Heater", "unit_cents": 1_000}]);
    let post = async |body: Value| test.api(&office.key, "POST", "/api/quotes", body).await;
    for (body, field) in [
        (json!({"contact_id": contact, "items": items, "total_cents": 1_001}), "total_cents"),
        (json!({"contact_id": contact}), "total_cents"),
        (json!({"contact_id": contact, "total_cents": -1}), "total_cents"),
        (json!({"contact_id": contact, "total_cents": 1, "discount_cents": 1}), "discount_cents"),
        (json!({"contact_id": contact, "items": items, "discount_cents": 1_001}), "discount_cents"),
        (json!({"contact_id": contact, "items": items, "tax_basis_points": 10_001}), "tax_basis_points"),
        (json!({"contact_id": contact, "items": items, "currency": "dollars"}), "currency"),
        (json!({"contact_id": contact, "items": items, "currency": "XXX"}), "currency"),
        (json!({"contact_id": contact, "items": items, "currency": "BTC"}), "currency"),
        (json!({"contact_id": contact, "items": items, "expires_on": "2020-01-01"}), "expires_on"),
        (json!({"contact_id": contact, "items": items, "owner_id": test.id()}), "owner_id"),
        (json!({"contact_id": contact, "items": [{"name": " ", "unit_cents": 1}]}), "items[0].name"),
        (json!({"contact_id": contact, "items": [{"name": "\u{0}", "unit_cents": 1}]}), "items[0].name"),
        (json!({"contact_id": contact, "items": items, "expires_on": "+12345-01-01"}), "expires_on"),
        (json!({"contact_id": contact, "items": items, "expires_on": "2026-02"}), "expires_on"),
        (json!({"contact_id": contact, "data": {"items": items}, "total_cents": 1}), "total_cents"),
        (json!({"contact_id": contact, "data": {"items": vec![items[0].clone(); 250]}}), "items"),
        (
            json!({"contact_id": contact, "data": {"items": [{"name": "a", "quantity": "2 pcs"}]}}),
            "items[0].quantity",
        ),
        (
            json!({"contact_id": contact, "items": [{"name": "a", "quantity": 0, "unit_cents": 1}]}),
            "items[0].quantity",
        ),
        (json!({"contact_id": contact, "items": [{"name": "a", "unit_cents": "1"}]}), "items[0].unit_cents"),
        (json!({"contact_id": contact, "items": items, "terms": "x".repeat(5_001)}), "terms"),
        (json!({"contact_id": test.id(), "items": items}), "contact_id"),
    ] {
        let problem = post(body.clone()).await.expect(422).json();
        assert!(problem["errors"].get(field).is_some(), "{field}: {problem}");
    }
    let said = post(json!({"contact_id": contact, "items": items, "total_cents": 1_001})).await.json();
    assert_eq!(said["errors"]["total_cents"], "The lines come to $10.00, not $10.01.");
    let fine = post(json!({"contact_id": contact, "items": items, "total_cents": 1_000, "expires_on": "2099-12-31", "unknown": true})).await.expect(201).json();
    assert_eq!(fine["expires_on"], "2099-12-31");
    let inclusive = post(
        json!({"lead_id": contact, "total_cents": 11_000, "tax_basis_points": 1_000, "currency": "usd"}),
    )
    .await
    .expect(201)
    .json();
    assert_eq!((&inclusive["tax_cents"], &inclusive["currency"]), (&json!(1_000), &json!("USD")));
}

#[tokio::test]
async fn fetching_is_not_viewing_and_viewing_is_told_once() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let quote = made(&test, &office, contact, json!({})).await;
    test.settle().await;
    let page = open(&test, &quote).await.expect(200);
    assert_eq!(page.headers["x-robots-tag"], "noindex, nofollow, noarchive");
    for text in
        ["brightside", "Quote 1001 for Dana Whitfield", "$1,210.00", "Heater", "Vent kit", "Accept quote"]
    {
        assert!(page.text.contains(text), "{text}");
    }
    assert_eq!(status(&test, &quote).await, "sent");
    say(&test, &quote, "viewed", "").await.expect(204);
    say(&test, &quote, "viewed", "").await.expect(204);
    test.settle().await;
    assert_eq!(status(&test, &quote).await, "viewed");
    let told: i64 =
        sqlx::query_scalar("select count(*) from patchbay.activities where kind = 'quote.viewed'")
            .fetch_one(&mut test.sql().await)
            .await
            .unwrap();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn an_answer_is_given_once() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let quote = made(&test, &office, contact, json!({})).await;
    test.settle().await;
    let yes = || say(&test, &quote, "accept", "name=Dana+W.&note=Come+on+Monday");
    let (one, two, three) = tokio::join!(yes(), yes(), say(&test, &quote, "reject", ""));
    for reply in [&one, &two, &three] {
        assert_eq!(reply.status.as_u16(), 303, "{}", reply.text);
    }
    test.settle().await;
    let first = status(&test, &quote).await;
    assert!(["accepted", "rejected"].contains(&first.as_str()));
    say(&test, &quote, "reject", "").await.expect(303);
    say(&test, &quote, "viewed", "").await.expect(204);
    assert_eq!(status(&test, &quote).await, first);
    let told: i64 = sqlx::query_scalar(
        "select count(*) from patchbay.activities where kind in ('quote.accepted', 'quote.rejected')",
    )
    .fetch_one(&mut test.sql().await)
    .await
    .unwrap();
    assert_eq!(told, 1);
    let page = open(&test, &quote).await.expect(200).text;
    assert!(!page.contains("answer-bar"));
    // An answered quote is opened again before it is changed.
    test.api(&office.key, "PATCH", &path(&quote), json!({"terms": "New"})).await.expect(409);
    test.api(&office.key, "PATCH", &path(&quote), json!({"status": "sent"})).await.expect(200);
    test.api(&office.key, "PATCH", &path(&quote), json!({"terms": "New"})).await.expect(200);
    test.api(&office.key, "PATCH", &path(&quote), json!({"status": "draft"})).await.expect(409);
    say(&test, &quote, "accept", "note=Fine").await.expect(303);
    test.settle().await;
    let now = test.get(&office.key, &path(&quote)).await.json();
    assert_eq!(
        (&now["status"], &now["answered_by"], &now["answer_note"]),
        (&json!("accepted"), &json!("Dana Whitfield"), &json!("Fine"))
    );
    let stage: String = sqlx::query_scalar(
        "select s.name from patchbay.contacts c join patchbay.stages s on s.id = c.stage_id where c.id = $1",
    )
    .bind(contact)
    .fetch_one(&mut test.sql().await)
    .await
    .unwrap();
    assert_eq!(stage, "Won");
}

#[tokio::test]
async fn an_answer_is_to_what_was_seen() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let quote = made(&test, &office, contact, json!({})).await;
    let page = open(&test, &quote).await.expect(200).text;
    let edition =
        page.split("name=\"edition\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    // That the message left meanwhile changes nothing for the lead.
    test.settle().await;
    test.api(&office.key, "PATCH", &path(&quote), json!({"terms": "Half now"})).await.expect(200);
    let reply = say(&test, &quote, "accept", &format!("edition={edition}")).await.expect(409);
    assert!(reply.text.contains("changed this quote just now"));
    assert_eq!(status(&test, &quote).await, "sent");
    let long = format!("edition=&note={}", "x".repeat(2_001));
    let reply = say(&test, &quote, "accept", &long).await.expect(422);
    assert!(reply.text.contains("At most 2000 characters fit here."));
    test.settle().await;
}

#[tokio::test]
async fn the_last_day_ends_where_the_business_is() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await; // Perth: UTC+8
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let perth = chrono_tz::Australia::Perth;
    let today = test.app.now().with_timezone(&perth).date_naive();
    let quote = made(&test, &office, contact, json!({"expires_on": today})).await;
    test.settle().await;
    let midnight = (today + chrono::Days::new(1))
        .and_hms_opt(0, 0, 0)
        .unwrap()
        .and_local_timezone(perth)
        .unwrap()
        .to_utc();
    test.clock.set(midnight - chrono::TimeDelta::seconds(1));
    assert_eq!(jobs::expire(&test.app).await.unwrap(), 0);
    open(&test, &quote).await.expect(200);
    test.clock.set(midnight);
    let reply = say(&test, &quote, "accept", "").await;
    assert_eq!((reply.status.as_u16(), status(&test, &quote).await.as_str()), (303, "sent"));
    assert!(open(&test, &quote).await.text.contains("This quote has expired"));
    assert_eq!(jobs::expire(&test.app).await.unwrap(), 1);
    assert_eq!(jobs::expire(&test.app).await.unwrap(), 0);
    test.settle().await;
    assert_eq!(status(&test, &quote).await, "expired");
    say(&test, &quote, "reject", "").await.expect(303);
    say(&test, &quote, "viewed", "").await.expect(204);
    assert_eq!(status(&test, &quote).await, "expired");
    // A new last day opens it again.
    test.api(&office.key, "PATCH", &path(&quote), json!({"status": "sent"})).await.expect(422);
    let later = json!({"expires_on": today + chrono::Days::new(9)});
    let now = test.api(&office.key, "PATCH", &path(&quote), later).await.expect(200).json();
    assert_eq!(now["status"], "sent");
}

#[tokio::test]
async fn guesses_become_slow_and_tell_nothing() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let quote = made(&test, &office, contact, json!({"draft": true})).await;
    let held = open(&test, &quote).await.expect(404).text;
    let unknown = public(&test, Method::GET, "/q/AAAAAAAAAAAA", "", "198.51.100.4").await.expect(404).text;
    assert_eq!(held, unknown);
    for odd in ["/q/..%2F..%2Fetc", "/q/'%20or%201=1", "/q/%00", "/q/x", "/q/%F0%9F%98%80%F0%9F%98%80"] {
        assert!(public(&test, Method::GET, odd, "", "198.51.100.5").await.status.is_client_error(), "{odd}");
    }
    let guess = |n: usize, from: &'static str| {
        let path = format!("/q/guess{n:08}/accept");
        let test = &test;
        async move { public(test, Method::POST, &path, "", from).await.status.as_u16() }
    };
    for n in 0..20 {
        assert_eq!(guess(n, "192.0.2.9").await, 404);
    }
    assert_eq!((guess(20, "192.0.2.9").await, guess(20, "192.0.2.10").await), (429, 404));
    test.clock.advance(chrono::TimeDelta::seconds(7));
    assert_eq!(guess(21, "192.0.2.9").await, 404);
}

#[tokio::test]
async fn one_business_does_not_see_anothers_quotes() {
    let test = TestApp::new().await;
    let (ours, theirs) = (Office::open(&test, "ours").await, Office::open(&test, "theirs").await);
    let contact = ours.contact(&test, "Dana", Some(PHONE)).await;
    let quote = made(&test, &ours, contact, json!({"title": "Secret boiler"})).await;
    for (method, path, body) in [
        ("GET", path(&quote), Value::Null),
        ("PATCH", path(&quote), json!({"terms": "mine"})),
        ("POST", format!("{}/resend", path(&quote)), json!({})),
    ] {
        test.api(&theirs.key, method, &path, body).await.expect(404);
    }
    let foreign = json!({"contact_id": contact, "total_cents": 1});
    test.api(&theirs.key, "POST", "/api/quotes", foreign).await.expect(422);
    for query in ["", "?q=Secret", "?q=Whitfield", "?q=1001", &format!("?contact_id={contact}")] {
        let list = test.get(&theirs.key, &format!("/api/quotes{query}")).await.expect(200).json();
        assert_eq!(list["data"], json!([]), "{query}");
    }
    test.api(&ours.reader, "PATCH", &path(&quote), json!({})).await.expect(403);
    test.api(&ours.reader, "POST", "/api/quotes", json!({})).await.expect(403);
    test.settle().await;
}

#[tokio::test]
async fn lists_filter_search_and_page() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let (dana, zoe) = (
        office.contact(&test, "Dana", Some(PHONE)).await,
        office.contact(&test, "Zoë", Some("+61491570156")).await,
    );
    for n in 0..5 {
        made(
            &test,
            &office,
            if n % 2 == 0 { dana } else { zoe },
            json!({"title": format!("Job {n} at 100%_sure"), "draft": true}),
        )
        .await;
    }
    let list = async |query: &str| -> Vec<i64> {
        let page = test.get(&office.reader, &format!("/api/quotes{query}")).await.expect(200).json();
        page["data"].as_array().unwrap().iter().map(|quote| quote["number"].as_i64().unwrap()).collect()
    };
    assert_eq!(list("").await, [1005, 1004, 1003, 1002, 1001]);
    assert_eq!(list("?q=zoe").await, [1004, 1002]);
    assert_eq!(list("?q=whitfield%20dana").await, [1005, 1003, 1001]);
    assert_eq!(list("?q=%231003").await, [1003]);
    assert_eq!(list("?q=job%203").await, [1004]);
    assert_eq!(list("?q=100%25_sure").await.len(), 5);
    assert_eq!(list("?q=100x").await.len(), 0);
    assert_eq!(list("?q=491570156").await, [1004, 1002]);
    assert_eq!(list("?q=%00").await.len(), 5);
    assert_eq!(list("?status=draft&q=dana").await.len(), 3);
    assert_eq!(list("?status=sent").await.len(), 0);
    assert_eq!(list(&format!("?contact_id={zoe}")).await, [1004, 1002]);
    test.get(&office.reader, "/api/quotes?status=nonsense").await.expect(400);
    test.get(&office.reader, "/api/quotes?cursor=!").await.expect(400);
    for query in ["?limit=2", "?limit=2&q=whitfield", "?limit=2&status=draft"] {
        let first = test.get(&office.reader, &format!("/api/quotes{query}")).await.expect(200).json();
        // Rows that arrive in between do not shift the next page.
        made(&test, &office, dana, json!({"draft": true})).await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = list(&format!("{query}&cursor={cursor}")).await;
        let last = first["data"][1]["number"].as_i64().unwrap();
        assert_eq!(second, [last - 1, last - 2], "{query}");
    }
}

#[tokio::test]
async fn what_plain_sql_writes_keeps_to_the_limit_and_adds_up() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "brightside").await;
    let contact = office.contact(&test, "Dana", Some(PHONE)).await;
    let mut sql = test.sql().await;
    let insert = "insert into api.quotes (tenant_id, lead_id, data, total_cents) values ($1, $2, $3, $4)";
    for (cents, fits) in [(i64::MAX, false), (1_000_000_000_001, false), (1_000_000_000_000, true), (5, true)]
    {
        let written = sqlx::query(insert)
            .bind(office.id)
            .bind(contact)
            .bind(json!({}))
            .bind(cents)
            .execute(&mut sql)
            .await;
        assert_eq!(written.is_ok(), fits, "{cents}");
    }
    // All of many lines is read back.
    let many: Vec<Value> = (0..250).map(|n| json!({"name": n.to_string(), "price_cents": 1})).collect();
    sqlx::query(insert)
        .bind(office.id)
        .bind(contact)
        .bind(json!({"items": many}))
        .bind(250_i64)
        .execute(&mut sql)
        .await
        .unwrap();
    test.settle().await;
    let list = test.get(&office.key, "/api/quotes").await.expect(200).json();
    assert_eq!(list["data"][0]["items"].as_array().unwrap().len(), 250);
    test.get(&office.key, "/api/board").await.expect(200);
}

#[tokio::test]
async fn what_was_typed_survives_an_answer_given_meanwhile() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let contact = ace.contact(&test, "Dana", Some(PHONE)).await;
    let quote = made(&test, &ace, contact, json!({})).await;
    test.settle().await;
    let mut browser = crate::tests::Browser::with_session(&test, &ace.session);
    let page = format!("/quotes/{}", quote["id"].as_str().unwrap());
    let form = |act: &'static str| {
        [
            ("currency", "AUD"),
            ("item_name", "Heater, the larger one"),
            ("item_price", "2000"),
            ("discount", "5%"),
            ("act", act),
        ]
    };
    // A percentage stays one, and who sent it is said.
    browser.post(&page, &form("save")).await.expect(303);
    let edit = browser.get(&format!("{page}/edit")).await.expect(200).text;
    assert!(edit.contains("name=\"discount\" value=\"5%\""), "{edit}");
    say(&test, &quote, "accept", "").await.expect(303);
    browser.get(&format!("{page}/edit")).await.expect(303);
    let kept = browser.post(&page, &form("save")).await.expect(409).text;
    for part in [
        "Dana Whitfield accepted this quote",
        "Heater, the larger one",
        "Open again and save",
        "class=\"nav\"",
    ] {
        assert!(kept.contains(part), "{part} in {kept}");
    }
    assert_eq!(status(&test, &quote).await, "accepted");
    browser.post(&page, &form("reopen")).await.expect(303);
    assert_ne!(status(&test, &quote).await, "accepted");
    // What was not found is not a dead end.
    let lost = browser.get(&format!("/quotes/{}", test.id())).await.expect(404).text;
    assert!(lost.contains("class=\"nav\"") && lost.contains("Go to Quotes"), "{lost}");
    // Everything that is wrong is said at once.
    let wrong = [
        ("currency", "AUD"),
        ("item_name", ""),
        ("item_quantity", "x"),
        ("item_price", "12,50x"),
        ("expires_on", "2001-01-01"),
    ];
    let refused = browser.post(&page, &wrong).await.expect(422).text;
    for part in ["Say what this line is for", "Quantity:", "Price:", "This day is over"] {
        assert!(refused.contains(part), "{part} in {refused}");
    }
}
