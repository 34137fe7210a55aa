use serde_json::{Value, json};

use crate::tests::{Office, TestApp};

#[tokio::test]
async fn a_contact_is_made_read_changed_archived_and_restored() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let made = test
        .api(&office.key, "POST", "/api/contacts", json!({
            "first_name": " Dana ", "last_name": "Whitfield", "phone": "0491 570 006 ext. 12", "email": "Dana@Example.com",
            "labels": ["VIP", "vip", "Solar"], "stage": "quoted", "source": "Web form", "timezone": "australia/perth",
            "properties": {"suburb": "Fremantle", "nothing": null}, "unheard_of": {"x": 1},
        }))
        .await;
    // chrono-tz knows zones by their exact name.
    assert_eq!(made.expect(422).json()["errors"]["timezone"], "Choose a time zone such as Australia/Perth.");
    let made = test
        .api(&office.key, "POST", "/api/contacts", json!({
            "first_name": " Dana ", "last_name": "Whitfield", "phone": "0491 570 006 ext. 12", "email": "Dana@Example.com",
            "labels": ["VIP", "vip", "Solar"], "stage": "quoted", "source": "Web form", "timezone": "Australia/Perth",
            "properties": {"suburb": "Fremantle", "nothing": null}, "unheard_of": {"x": 1},
        }))
        .await
        .expect(201)
        .json();
    for (field, value) in [
        ("first_name", json!("Dana")),
        ("phone", json!("+61491570006")),
        ("phone_extension", json!("12")),
        ("email", json!("dana@example.com")),
        ("labels", json!(["Solar", "VIP"])),
        ("stage", json!("Quoted")),
        ("status", json!("lead")),
        ("name", json!("Dana Whitfield")),
        ("properties", json!({"suburb": "Fremantle"})),
        ("consent", json!({"sms": "unknown", "whatsapp": "unknown", "email": "unknown"})),
        ("archived_at", Value::Null),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let path = format!("/api/contacts/{}", made["id"].as_str().unwrap());
    assert_eq!(test.get(&office.reader, &path).await.expect(200).json(), made);

    let changed = test
        .api(&office.key, "PATCH", &path, json!({"last_name": null, "status": "active", "properties": {"suburb": null, "rooms": 3}, "labels": ["Solar"]}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["last_name"], &changed["first_name"], &changed["status"]),
        (&Value::Null, &json!("Dana"), &json!("active"))
    );
    assert_eq!((&changed["properties"], &changed["labels"]), (&json!({"rooms": 3}), &json!(["Solar"])));
    assert_eq!(changed["phone"], "+61491570006");

    test.api(&office.key, "DELETE", &path, Value::Null).await.expect(204);
    test.api(&office.key, "DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(test.get(&office.key, "/api/contacts").await.json()["data"], json!([]));
    assert_eq!(
        test.get(&office.key, "/api/contacts?archived=true").await.json()["data"][0]["id"],
        made["id"]
    );
    let back = test.api(&office.key, "PATCH", &path, json!({"archived": false})).await.expect(200).json();
    assert_eq!(back["archived_at"], Value::Null);
    test.api(&office.key, "POST", &format!("{path}/restore"), Value::Null).await.expect(200);

    let timeline = test.get(&office.key, &format!("{path}/timeline")).await.expect(200).json();
    let kinds: Vec<&str> =
        timeline["data"].as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert!(
        kinds.contains(&"archived") && kinds.contains(&"restored") && kinds.contains(&"created"),
        "{kinds:?}"
    );
    assert_eq!(test.scalar("select count(*) from patchbay.audit_log where entity_type = 'contact'").await, 4);
    test.settle().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_field() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    for (body, field) in [
        (json!({}), "first_name"),
        (json!({"phone": "0491"}), "phone"),
        (json!({"phone": "call me"}), "phone"),
        (json!({"email": "dana"}), "email"),
        (json!({"first_name": "x".repeat(121)}), "first_name"),
        (json!({"first_name": "A", "status": "customer"}), "status"),
        (json!({"first_name": "A", "stage": "nowhere"}), "stage"),
        (json!({"first_name": "A", "owner_id": office.id}), "owner_id"),
        (json!({"first_name": "A", "country": "AUS"}), "country"),
        (json!({"first_name": "A", "labels": ["x".repeat(61)]}), "labels"),
        (json!({"first_name": "A", "properties": {"big": "x".repeat(70_000)}}), "properties"),
        (json!({"first_name": 1}), "first_name"),
        (json!({"first_name": "A", "labels": "VIP"}), "labels"),
    ] {
        let problem = test.api(&office.key, "POST", "/api/contacts", body.clone()).await.expect(422).json();
        assert!(problem["errors"][field].is_string(), "{body}: {problem}");
    }
    assert_eq!(test.scalar("select count(*) from patchbay.contacts").await, 0);
}

#[tokio::test]
async fn hostile_text_is_stored_or_refused_but_never_breaks() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    for name in [
        "Robert'); drop table patchbay.contacts;--",
        "محمد علي",
        "👩‍🔧",
        "a\u{0}b",
        "<script>alert(1)</script>",
        "% _ \\",
    ] {
        let body = json!({"first_name": name, "properties": {name: [name, {"deep\u{0}": name}]}});
        let made = test.api(&office.key, "POST", "/api/contacts", body).await.expect(201).json();
        let found = test
            .get(&office.key, &format!("/api/contacts/{}", made["id"].as_str().unwrap()))
            .await
            .expect(200)
            .json();
        assert!(!found["first_name"].as_str().unwrap().is_empty());
    }
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let refused = test
        .api(&office.key, "POST", "/api/contacts", json!({"first_name": "A", "properties": {"deep": deep}}))
        .await;
    assert!(refused.status.is_client_error() || refused.status.is_success(), "{}", refused.status);
    let huge =
        test.api(&office.key, "POST", "/api/contacts", json!({"first_name": "x".repeat(1 << 20)})).await;
    assert!(huge.status.is_client_error());
}

#[tokio::test]
async fn a_number_belongs_to_one_contact() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let first = test
        .api(&office.key, "POST", "/api/contacts", json!({"phone": "0491570006"}))
        .await
        .expect(201)
        .json();
    let refused = test
        .api(&office.key, "POST", "/api/contacts", json!({"phone": "+61 491 570 006"}))
        .await
        .expect(409)
        .json();
    assert_eq!(refused["existing_id"], first["id"]);
    let other = test
        .api(&office.key, "POST", "/api/contacts", json!({"phone": "0491570156"}))
        .await
        .expect(201)
        .json();
    let path = format!("/api/contacts/{}", other["id"].as_str().unwrap());
    let refused =
        test.api(&office.key, "PATCH", &path, json!({"phone": "0491570006"})).await.expect(409).json();
    assert_eq!(refused["existing_id"], first["id"]);
    // Its own number, written otherwise, is no conflict.
    test.api(&office.key, "PATCH", &path, json!({"phone": "0491 570 156"})).await.expect(200);
    test.settle().await;
}

#[tokio::test]
async fn many_posts_of_one_number_make_one_contact() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let posts =
        (0..8).map(|_| test.api(&office.key, "POST", "/api/contacts", json!({"phone": "0491570006"})));
    let mut statuses: Vec<u16> =
        futures::future::join_all(posts).await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn nothing_of_another_tenant_is_there() {
    let test = TestApp::new().await;
    let (ours, theirs) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let contact = theirs.contact(&test, "Dana", Some("+61491570006")).await;
    let note = test
        .api(&theirs.key, "POST", &format!("/api/contacts/{contact}/notes"), json!({"body": "x"}))
        .await
        .expect(201)
        .json();
    let label = test.api(&theirs.key, "POST", "/api/labels", json!({"name": "VIP"})).await.expect(201).json();
    let stage = test.get(&theirs.key, "/api/stages").await.json()["data"][0]["id"].clone();
    let field = test
        .api(&theirs.key, "POST", "/api/custom-fields", json!({"label": "Roof"}))
        .await
        .expect(201)
        .json();
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    for (method, path, body) in [
        ("GET", format!("/api/contacts/{contact}"), Value::Null),
        ("PATCH", format!("/api/contacts/{contact}"), json!({"first_name": "Mine"})),
        ("DELETE", format!("/api/contacts/{contact}"), Value::Null),
        ("POST", format!("/api/contacts/{contact}/restore"), Value::Null),
        ("GET", format!("/api/contacts/{contact}/timeline"), Value::Null),
        ("GET", format!("/api/contacts/{contact}/messages"), Value::Null),
        ("GET", format!("/api/contacts/{contact}/notes"), Value::Null),
        ("POST", format!("/api/contacts/{contact}/notes"), json!({"body": "x"})),
        ("POST", format!("/api/contacts/{contact}/labels"), json!({"labels": ["VIP"]})),
        ("DELETE", format!("/api/contacts/{contact}/labels/VIP"), Value::Null),
        ("PATCH", format!("/api/notes/{}", id(&note["id"])), json!({"body": "y"})),
        ("DELETE", format!("/api/notes/{}", id(&note["id"])), Value::Null),
        ("PATCH", format!("/api/labels/{}", id(&label["id"])), json!({"name": "y"})),
        ("DELETE", format!("/api/labels/{}", id(&label["id"])), Value::Null),
        ("PATCH", format!("/api/stages/{}", id(&stage)), json!({"name": "y"})),
        ("DELETE", format!("/api/stages/{}", id(&stage)), Value::Null),
        ("PATCH", format!("/api/custom-fields/{}", id(&field["id"])), json!({"label": "y"})),
        ("DELETE", format!("/api/custom-fields/{}", id(&field["id"])), Value::Null),
    ] {
        test.api(&ours.key, method, &path, body).await.expect(404);
    }
    // Their stage is none of ours, and their number is free here: nobody learns that it is known elsewhere.
    test.api(&ours.key, "POST", "/api/contacts", json!({"first_name": "A", "stage_id": stage}))
        .await
        .expect(422);
    test.api(&ours.key, "POST", "/api/contacts", json!({"phone": "+61491570006"})).await.expect(201);
    test.settle().await;
    let seen = test.get(&ours.key, "/api/contacts").await.text;
    assert!(!seen.contains("person"), "{seen}");
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let contact = office.contact(&test, "Dana", None).await;
    for (method, path) in [
        ("POST", "/api/contacts".to_owned()),
        ("PATCH", format!("/api/contacts/{contact}")),
        ("DELETE", format!("/api/contacts/{contact}")),
        ("POST", format!("/api/contacts/{contact}/notes")),
        ("POST", "/api/labels".to_owned()),
        ("POST", "/api/stages".to_owned()),
        ("PUT", "/api/stages/order".to_owned()),
        ("POST", "/api/custom-fields".to_owned()),
    ] {
        test.api(
            &office.reader,
            method,
            &path,
            json!({"first_name": "x", "name": "x", "body": "x", "label": "x", "ids": []}),
        )
        .await
        .expect(403);
    }
}

#[tokio::test]
async fn long_lists_are_refused_and_not_compared_with_themselves() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let contact = office.contact(&test, "Dana", None).await;
    let many: Vec<String> = (0..20_000).map(|n| format!("label {n}")).collect();
    let path = format!("/api/contacts/{contact}/labels");
    test.api(&office.key, "POST", &path, json!({"labels": many})).await.expect(422);
    let body = json!({"first_name": "A", "labels": many});
    let problem = test.api(&office.key, "POST", "/api/contacts", body).await.expect(422).json();
    assert!(problem["errors"]["labels"].is_string());
    let twice: Vec<&str> = ["VIP", "vip"].into_iter().cycle().take(20_000).collect();
    let labelled = test.api(&office.key, "POST", &path, json!({"labels": twice})).await.expect(200).json();
    assert_eq!(labelled["labels"].as_array().unwrap().len(), 1);
    let body = json!({"label": "Choice", "type": "select", "options": many});
    test.api(&office.key, "POST", "/api/custom-fields", body).await.expect(422);
    test.get(&office.key, "/api/duplicates?cursor=x").await.expect(400);
    let body = json!({"first_name": "B\u{202e}ob", "last_name": "\u{2066}Lee\u{2069}"});
    let made = test.api(&office.key, "POST", "/api/contacts", body).await.expect(201).json();
    assert_eq!(made["name"], "Bob Lee");
}
