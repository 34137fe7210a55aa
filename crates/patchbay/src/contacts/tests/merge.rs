use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    auth::{Actor, Caller, Role, TenantInfo},
    contacts::{
        self,
        merge::{MergeField, Wish, merge, undo},
    },
    tests::{Office, TestApp},
};

/// Somebody signed in, for operations that are called directly.
pub(super) fn caller(office: &Office) -> Caller {
    Caller {
        tenant: TenantInfo {
            id: office.id,
            slug: "a".into(),
            name: "A".into(),
            timezone: chrono_tz::Australia::Perth,
            country: "AU".into(),
            currency: "AUD".into(),
        },
        actor: Actor {
            kind: crate::auth::ActorKind::User,
            id: Some(office.owner_id),
            label: "Rosa Marín".into(),
        },
        role: Role::Owner,
    }
}

/// Everything of both contacts, in a form that can be compared.
async fn everything(test: &TestApp) -> Value {
    let rows = |table: &str, order: &str, without: &str| {
        format!(
            "select coalesce(jsonb_agg(to_jsonb(t) {without} order by {order}), '[]')::text from patchbay.{table} t"
        )
    };
    let mut all = serde_json::Map::new();
    for (table, order, without) in [
        ("contacts", "id", "- 'updated_at' - 'person_id'"),
        ("contact_labels", "contact_id, label_id", "- 'created_at'"),
        ("notes", "id", ""),
        ("quotes", "id", "- 'updated_at'"),
        ("messages", "id", ""),
        ("message_texts", "message_id", ""),
        ("conversations", "contact_id", "- 'updated_at'"),
    ] {
        let text = test.text(&rows(table, order, without)).await;
        all.insert(table.to_owned(), serde_json::from_str(&text).unwrap());
    }
    let activities = test.text("select coalesce(jsonb_agg(to_jsonb(t) order by id), '[]')::text from patchbay.activities t where kind not in ('merged', 'merge.undone')").await;
    all.insert("activities".into(), serde_json::from_str(&activities).unwrap());
    Value::Object(all)
}

/// A message, a note, a quote and a conversation.
async fn furnish(test: &TestApp, office: &Office, contact: Uuid, unread: i32) {
    let tenant = office.id;
    test.execute(&format!(
        "insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body)
           values ('{tenant}', '{contact}', 'inbound', 'sms', 'inbound', 'received', 'in:{contact}', '+15005550006', 'Hello');
         insert into patchbay.message_texts (tenant_id, message_id, contact_id, folded)
           select tenant_id, id, contact_id, 'hello' from patchbay.messages where contact_id = '{contact}';
         insert into patchbay.notes (tenant_id, contact_id, author_label, body) values ('{tenant}', '{contact}', 'Rosa', 'Note');
         insert into patchbay.quotes (tenant_id, contact_id, total_cents, currency, held) values ('{tenant}', '{contact}', 100, 'AUD', true);
         insert into patchbay.activities (tenant_id, contact_id, kind) values ('{tenant}', '{contact}', 'called');
         insert into patchbay.conversations (tenant_id, contact_id, unread, last_message_at, last_preview, status, snoozed_until)
           values ('{tenant}', '{contact}', {unread}, now() + interval '{unread} minutes', 'Hello', case when {unread} % 2 = 0 then 'snoozed' else 'open' end, case when {unread} % 2 = 0 then now() end)
           on conflict (tenant_id, contact_id) do nothing",
    ))
    .await;
}

async fn pair(test: &TestApp, office: &Office) -> (Uuid, Uuid) {
    let make = async |body: Value| -> Uuid {
        let made = test.api(&office.key, "POST", "/api/contacts", body).await.expect(201).json();
        made["id"].as_str().unwrap().parse().unwrap()
    };
    let kept = make(json!({"first_name": "Dana", "phone": "0491570006", "labels": ["VIP"], "properties": {"suburb": "Perth", "a": 1}})).await;
    let merged = make(json!({"first_name": "Daniela", "last_name": "Whitfield", "phone": "0491570156", "email": "dana@example.com", "labels": ["VIP", "Solar"],
        "stage": "Won", "properties": {"suburb": "Fremantle", "b": 2}})).await;
    furnish(test, office, kept, 1).await;
    furnish(test, office, merged, 2).await;
    (kept, merged)
}

#[tokio::test]
async fn everything_belongs_to_the_kept_one_and_both_numbers_lead_there() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let (kept, merged) = pair(&test, &office).await;
    let before = everything(&test).await;
    let wish = Wish { kept, merged, take: vec![MergeField::Phone], take_properties: vec!["suburb".into()] };
    let id = merge(&test.app, &caller(&office), &wish).await.unwrap();

    let contact = test.get(&office.key, &format!("/api/contacts/{kept}")).await.expect(200).json();
    for (field, value) in [
        ("first_name", json!("Dana")),
        ("last_name", Value::Null),
        ("phone", json!("+61491570156")),
        ("email", json!("dana@example.com")),
        ("labels", json!(["Solar", "VIP"])),
        ("stage", json!("New")),
        ("properties", json!({"suburb": "Fremantle", "a": 1, "b": 2})),
    ] {
        assert_eq!(contact[field], value, "{field}");
    }
    let gone = test.get(&office.key, &format!("/api/contacts/{merged}")).await.expect(200).json();
    assert_eq!(gone["merged_into"], kept.to_string());
    for query in ["", "?archived=true", "?q=daniela"] {
        assert!(
            !test.get(&office.key, &format!("/api/contacts{query}")).await.text.contains(&merged.to_string()),
            "{query}"
        );
    }
    for table in ["messages", "message_texts", "notes", "quotes"] {
        assert_eq!(
            test.scalar(&format!("select count(*) from patchbay.{table} where contact_id = '{kept}'")).await,
            2,
            "{table}"
        );
    }
    assert_eq!(test.scalar("select unread from patchbay.conversations").await, 3);
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    for number in ["+61491570006", "+61491570156"] {
        assert_eq!(contacts::find_by_phone(&mut tx, number).await.unwrap().unwrap().id, kept, "{number}");
    }
    drop(tx);
    test.api(&office.key, "POST", "/api/contacts", json!({"phone": "0491570006"})).await.expect(409);
    test.api(&office.key, "PATCH", &format!("/api/contacts/{merged}"), json!({"first_name": "X"}))
        .await
        .expect(409);
    test.api(&office.key, "POST", &format!("/api/contacts/{merged}/restore"), Value::Null).await.expect(409);

    undo(&test.app, &caller(&office), id).await.unwrap();
    assert_eq!(everything(&test).await, before);
    assert!(undo(&test.app, &caller(&office), id).await.is_err(), "once");
    test.execute("update patchbay.messages set status = 'received'").await;
    test.settle().await;
}

#[tokio::test]
async fn undoing_leaves_what_people_did_since() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let (kept, merged) = pair(&test, &office).await;
    let wish = Wish { kept, merged, take: vec![MergeField::Name], take_properties: vec![] };
    let id = merge(&test.app, &caller(&office), &wish).await.unwrap();
    test.api(
        &office.key,
        "PATCH",
        &format!("/api/contacts/{kept}"),
        json!({"first_name": "Dani", "labels": ["VIP", "Solar", "New"]}),
    )
    .await
    .expect(200);
    test.api(&office.key, "POST", &format!("/api/contacts/{kept}/notes"), json!({"body": "since"}))
        .await
        .expect(201);
    test.execute("update patchbay.conversations set unread = 9").await;
    undo(&test.app, &caller(&office), id).await.unwrap();
    let contact = test.get(&office.key, &format!("/api/contacts/{kept}")).await.json();
    assert_eq!(
        (&contact["first_name"], &contact["last_name"], &contact["labels"]),
        (&json!("Dani"), &Value::Null, &json!(["New", "VIP"]))
    );
    assert_eq!(
        test.scalar(&format!("select count(*) from patchbay.notes where contact_id = '{kept}'")).await,
        2
    );
    assert_eq!(
        test.scalar(&format!("select unread from patchbay.conversations where contact_id = '{kept}'")).await,
        9
    );
    assert_eq!(
        test.scalar(&format!("select unread from patchbay.conversations where contact_id = '{merged}'"))
            .await,
        2
    );
}

#[tokio::test]
async fn chains_and_races_end_well() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let (a, b) = pair(&test, &office).await;
    let c = office.contact(&test, "Third", Some("+61491570157")).await;
    let theirs = other.contact(&test, "Dana", Some("+61491570158")).await;
    let wish = |kept, merged| Wish { kept, merged, take: vec![], take_properties: vec![] };
    let by = caller(&office);
    assert!(merge(&test.app, &by, &wish(a, theirs)).await.is_err(), "another tenant's contact is not there");
    assert!(merge(&test.app, &by, &wish(a, a)).await.is_err());
    let (first, second) = tokio::join!(async { merge(&test.app, &by, &wish(a, b)).await }, async {
        merge(&test.app, &by, &wish(b, a)).await
    });
    assert!(first.is_ok() != second.is_ok(), "of two opposite merges one happens");
    let (kept, first) = if let Ok(id) = first { (a, id) } else { (b, second.unwrap()) };
    let next = merge(&test.app, &by, &wish(c, kept)).await.unwrap();
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    for number in ["+61491570006", "+61491570156", "+61491570157"] {
        assert_eq!(contacts::find_by_phone(&mut tx, number).await.unwrap().unwrap().id, c);
    }
    drop(tx);
    assert!(undo(&test.app, &by, first).await.is_err(), "the later merge comes first");
    undo(&test.app, &by, next).await.unwrap();
    undo(&test.app, &by, first).await.unwrap();
    assert_eq!(test.scalar("select count(*) from patchbay.contacts where merged_into is null").await, 4);
    assert!(undo(&test.app, &caller(&other), next).await.is_err(), "another tenant's merge is not there");
}

/// A table that comes to point at contacts must be merged as well, or be listed here with a reason.
#[tokio::test]
async fn no_table_is_forgotten() {
    let test = TestApp::new().await;
    let tables = test
        .text(
            // Of a campaign and of an import is kept whom they were about when they ran.
            "select string_agg(distinct table_name, ' ' order by table_name) from information_schema.columns where table_schema = 'patchbay' and column_name = 'contact_id'
             and table_name not like 'campaign\\_%' and table_name not like 'import\\_%'",
        )
        .await;
    let merged =
        "activities contact_labels conversations link_clicks message_texts messages notes quotes short_links";
    assert_eq!(tables, merged);
}

fn any_contact() -> impl Strategy<Value = (Value, i32, bool)> {
    let text = || proptest::option::of("[A-Z][a-z]{1,6}");
    (text(), text(), proptest::option::of(0..900u32), proptest::option::of(0..3u32), 0..3usize, 0..4usize, proptest::option::of(0..5i32), any::<bool>(), text()).prop_map(
        |(first, last, phone, email, status, stage, unread, archived, suburb)| {
            let body = json!({
                "first_name": first.unwrap_or_else(|| "X".into()), "last_name": last, "email": email.map(|n| format!("e{n}@example.com")),
                "phone": phone.map(|n| format!("+61491570{n:03}")), "status": (["lead", "active", "inactive"][status]),
                "stage": (["New", "Quoted", "Won", "Lost"][stage]), "properties": {"suburb": suburb}, "source": last, "labels": if archived { vec!["VIP"] } else { vec!["Solar"] },
            });
            (body, unread.unwrap_or(-1), archived)
        },
    )
}

#[test]
fn a_merge_undone_is_as_if_it_had_not_been() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = runtime.block_on(TestApp::new());
    let office = runtime.block_on(Office::open(&test, "a"));
    let strategy = (
        any_contact(),
        any_contact(),
        proptest::collection::vec(0..MergeField::ALL.len(), 0..6),
        any::<bool>(),
    );
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |(one, two, take, take_suburb)| {
            runtime.block_on(async {
                test.execute("delete from patchbay.messages; delete from patchbay.quotes; delete from patchbay.contacts").await;
                let mut ids = Vec::new();
                for (body, unread, archived) in [&one, &two] {
                    let made = test.api(&office.key, "POST", "/api/contacts", body.clone()).await;
                    if made.status != 201 {
                        return; // both drew the same number
                    }
                    let id: Uuid = made.json()["id"].as_str().unwrap().parse().unwrap();
                    if *unread >= 0 {
                        furnish(&test, &office, id, *unread).await;
                    }
                    if *archived {
                        test.api(&office.key, "DELETE", &format!("/api/contacts/{id}"), Value::Null).await.expect(204);
                    }
                    ids.push(id);
                }
                let before = everything(&test).await;
                let wish = Wish {
                    kept: ids[0],
                    merged: ids[1],
                    take: take.iter().map(|at| MergeField::ALL[*at]).collect(),
                    take_properties: if take_suburb { vec!["suburb".into()] } else { vec![] },
                };
                let id = merge(&test.app, &caller(&office), &wish).await.unwrap();
                undo(&test.app, &caller(&office), id).await.unwrap();
                assert_eq!(everything(&test).await, before);
            });
            Ok(())
        })
        .unwrap();
    runtime.block_on(test.execute("delete from patchbay.outbox"));
}
