use chrono::TimeDelta;
use serde_json::json;

use super::{erase_everywhere, jobs};
use crate::tests::{Office, TestApp};

const PHONE: &str = "+61491570006";

/// What the tenant's tables hold, as one text, except what the law keeps.
async fn everything(test: &TestApp, tenant: uuid::Uuid) -> String {
    let tables = test
        .text(
            "select string_agg(relname, ',') from pg_class where relnamespace = 'patchbay'::regnamespace and relkind = 'r'
               and relname not in ('consents', 'consent_events', 'do_not_contact')
               and exists (select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id')",
        )
        .await;
    let mut all = String::new();
    for table in tables.split(',') {
        all += &test
            .text(&format!(
                "select coalesce(string_agg(t::text, ' '), '') from patchbay.{table} t where tenant_id = '{tenant}'"
            ))
            .await;
    }
    all
}

async fn lead(test: &TestApp, office: &Office) -> String {
    let contact = json!({
        "first_name": "Xanthippe", "last_name": "Quillfeather", "phone": PHONE, "email": "xq@example.com",
        "properties": { "suburb": "Zzyzx" }
    });
    let id = test.api(&office.key, "POST", "/api/contacts", contact).await.expect(201).json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let quote =
        json!({ "contact_id": id, "total_cents": 4200, "currency": "AUD", "data": { "for": "Zzyzx" } });
    for (path, body, status) in [
        (format!("/api/contacts/{id}/notes"), json!({ "body": "Allergic to peonies" }), 201),
        ("/api/quotes".to_owned(), quote, 201),
        ("/api/messages/send".to_owned(), json!({ "contact_id": id, "body": "Dear Xanthippe" }), 202),
    ] {
        test.api(&office.key, "POST", &path, body).await.expect(status);
    }
    let path = format!("/api/contacts/{id}");
    test.api(&office.key, "PATCH", &path, json!({ "last_name": "Quillfeather-Zzyzx" })).await.expect(200);
    test.execute(&format!(
        "with i as (insert into patchbay.imports (tenant_id, file_name, status, samples, created_by_kind, created_by_label)
           values ('{0}', 'people.csv', 'finished', '{{\"row\": \"Xanthippe\"}}', 'user', 'Rosa') returning id)
         insert into patchbay.import_changes (tenant_id, import_id, contact_id, before, after)
           select '{0}', id, '{id}', '{{\"last_name\": \"Quillfeather\"}}', '{{}}' from i",
        office.id
    ))
    .await;
    test.settle().await;
    id
}

#[tokio::test]
async fn nothing_tells_any_more_who_it_was() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let (id, theirs) = (lead(&test, &office).await, lead(&test, &other).await);
    let before = everything(&test, office.id).await;
    let traces = ["Xanthippe", "Quillfeather", "xq@example.com", "491570006", "Zzyzx", "peonies"];
    assert!(traces.iter().all(|trace| before.contains(trace)), "{before}");

    let path = format!("/api/contacts/{id}/erase");
    test.api(&other.key, "POST", &path, json!({})).await.expect(404);
    test.api(&office.reader, "POST", &path, json!({})).await.expect(403);
    let erased = test.api(&office.key, "POST", &path, json!({})).await.expect(200).json();
    let counts = ["contacts", "notes", "quotes"].map(|what| erased[what].as_i64());
    assert_eq!(counts, [Some(1); 3]);
    let after = everything(&test, office.id).await;
    for trace in traces {
        assert!(!after.contains(trace), "{trace} is left: {after}");
    }
    // What is kept: the refusal and the money.
    let listed = test.get(&office.key, "/api/do-not-contact").await.json();
    assert_eq!(listed["data"][0]["reason"], "Asked to be erased");
    let total = format!("select total_cents from patchbay.quotes where tenant_id = '{}'", office.id);
    assert_eq!(test.scalar(&total).await, 4200);
    // The other tenant still has them, and so does the identity layer.
    let kept = test.get(&other.key, &format!("/api/contacts/{theirs}")).await.json();
    assert_eq!(kept["first_name"], "Xanthippe");
    assert_eq!(test.scalar("select count(*) from patchbay.people").await, 1);

    let done = erase_everywhere(&test.app, "XQ@example.com", None).await.unwrap();
    let done: Vec<_> = done.iter().map(|(slug, erased)| (slug.as_str(), erased.contacts)).collect();
    assert_eq!(done, [("b", 1)]);
    assert!(!everything(&test, other.id).await.contains("Xanthippe"));
    assert_eq!(test.scalar("select count(*) from patchbay.people").await, 0);
    assert!(erase_everywhere(&test.app, "xq@example.com", None).await.unwrap().is_empty());
    // Who comes back later is a new contact, and is still not written to.
    let again = json!({ "first_name": "New", "phone": PHONE });
    let again = test.api(&office.key, "POST", "/api/contacts", again).await.expect(201).json();
    assert_eq!(again["consent"]["sms"], "unsubscribed");
}

#[tokio::test]
async fn texts_are_forgotten_after_the_tenants_time_and_no_earlier() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let id = lead(&test, &office).await;
    for (months, status) in [(0, 422), (121, 422), (12, 200)] {
        let change = json!({ "keep_message_months": months });
        test.api(&office.key, "PATCH", "/api/settings", change).await.expect(status);
    }
    let said = "select count(*) from patchbay.messages where body <> ''";
    let all = test.scalar(said).await;
    test.clock.advance(TimeDelta::days(360));
    jobs::forget_old(&test.app).await.unwrap();
    assert_eq!(test.scalar(said).await, all);
    test.clock.advance(TimeDelta::days(10));
    let new = json!({ "contact_id": id, "body": "New" });
    test.api(&office.key, "POST", "/api/messages/send", new).await.expect(202);
    for _ in 0..3 {
        jobs::forget_old(&test.app).await.unwrap();
    }
    assert_eq!(test.text("select string_agg(body, '') from patchbay.messages where body <> ''").await, "New");
    let kept = "select count(*) from patchbay.messages where status = 'delivered' and body = ''";
    assert_eq!(test.scalar(kept).await, all);
}
