use serde_json::{Value, json};

use crate::tests::{Office, TestApp};

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn id(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

#[tokio::test]
async fn labels_are_unique_whatever_the_case() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let contact = office.contact(&test, "Dana", None).await;
    let path = format!("/api/contacts/{contact}/labels");
    let labels =
        test.api(&office.key, "POST", &path, json!({"labels": ["VIP", "Solar"]})).await.expect(200).json();
    assert_eq!(labels["labels"], json!(["Solar", "VIP"]));
    let again = test.api(&office.key, "POST", "/api/labels", json!({"name": "vip"})).await.expect(409).json();
    let list = test.get(&office.key, "/api/labels").await.json();
    assert_eq!(names(&list), ["Solar", "VIP"]);
    assert_eq!(again["existing_id"], list["data"][1]["id"]);
    let vip = format!("/api/labels/{}", id(&list["data"][1]));
    test.api(&office.key, "PATCH", &vip, json!({"name": "solar"})).await.expect(409);
    test.api(&office.key, "PATCH", &vip, json!({"name": "Vip"})).await.expect(200);
    test.api(&office.key, "DELETE", &format!("{path}/vip"), Value::Null).await.expect(204);
    test.api(&office.key, "DELETE", &format!("{path}/vip"), Value::Null).await.expect(204);
    test.api(&office.key, "DELETE", &vip, Value::Null).await.expect(204);
    assert_eq!(names(&test.get(&office.key, "/api/labels").await.json()), ["Solar"]);
    // Many writers that need the same new label end with one.
    let posts = (0..6).map(|_| test.api(&office.key, "POST", &path, json!({"labels": ["New one"]})));
    assert!(futures::future::join_all(posts).await.iter().all(|reply| reply.status == 200));
    assert_eq!(names(&test.get(&office.key, "/api/labels").await.json()), ["New one", "Solar"]);
}

#[tokio::test]
async fn stages_keep_their_order_and_never_lose_a_contact() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let contact = office.contact(&test, "Dana", None).await;
    let made = test
        .api(&office.key, "POST", "/api/stages", json!({"name": "Booked", "kind": "won"}))
        .await
        .expect(201)
        .json();
    test.api(&office.key, "POST", "/api/stages", json!({"name": "booked"})).await.expect(409);
    let list = test.get(&office.key, "/api/stages").await.json();
    assert_eq!(names(&list), ["New", "Quoted", "Won", "Lost", "Booked"]);
    let mut ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(id).collect();
    ids.rotate_right(1);
    let ordered =
        test.api(&office.key, "PUT", "/api/stages/order", json!({"ids": ids})).await.expect(200).json();
    assert_eq!(names(&ordered), ["Booked", "New", "Quoted", "Won", "Lost"]);
    test.api(&office.key, "PUT", "/api/stages/order", json!({"ids": &ids[1..]})).await.expect(422);
    test.api(&office.key, "PUT", "/api/stages/order", json!({"ids": vec![ids[0]; 5]})).await.expect(422);

    let new = id(&list["data"][0]);
    let refused =
        test.api(&office.key, "DELETE", &format!("/api/stages/{new}"), Value::Null).await.expect(422).json();
    assert!(refused["errors"]["move_to"].is_string());
    test.api(&office.key, "DELETE", &format!("/api/stages/{new}?move_to={new}"), Value::Null)
        .await
        .expect(422);
    test.api(&office.key, "DELETE", &format!("/api/stages/{new}?move_to={}", id(&made)), Value::Null)
        .await
        .expect(204);
    assert_eq!(test.get(&office.key, &format!("/api/contacts/{contact}")).await.json()["stage"], "Booked");
    for name in ["Quoted", "Won", "Lost"] {
        let stage = list["data"].as_array().unwrap().iter().find(|stage| stage["name"] == name).unwrap();
        test.api(&office.key, "DELETE", &format!("/api/stages/{}", id(stage)), Value::Null).await.expect(204);
    }
    let last = test
        .api(&office.key, "DELETE", &format!("/api/stages/{}?move_to={new}", id(&made)), Value::Null)
        .await;
    last.expect(409);
}

#[tokio::test]
async fn a_move_is_told_on_the_timeline() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let contact = office.contact(&test, "Dana", None).await;
    let path = format!("/api/contacts/{contact}");
    test.api(&office.key, "PATCH", &path, json!({"stage": "Won"})).await.expect(200);
    test.api(&office.key, "PATCH", &path, json!({"stage": "Won"})).await.expect(200);
    let timeline = test.get(&office.key, &format!("{path}/timeline")).await.json();
    let moves: Vec<&Value> =
        timeline["data"].as_array().unwrap().iter().filter(|entry| entry["kind"] == "stage.moved").collect();
    assert_eq!(moves.len(), 1);
    assert_eq!(moves[0]["text"], "Moved from New to Won");
}

#[tokio::test]
async fn custom_fields_take_what_fits() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    for (label, kind, options) in [
        ("Roof area (m²)", "number", json!([])),
        ("Installed on", "date", json!([])),
        ("Owner occupied", "boolean", json!([])),
        ("Roof", "select", json!(["Tiles", "Metal", "tiles "])),
        ("Site", "url", json!([])),
        ("Phone", "text", json!([])),
    ] {
        let body = json!({"label": label, "type": kind, "options": options});
        test.api(&office.key, "POST", "/api/custom-fields", body).await.expect(201);
    }
    let fields = test.get(&office.key, "/api/custom-fields").await.json();
    let keys: Vec<&str> =
        fields["data"].as_array().unwrap().iter().map(|field| field["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["roof_area_m", "installed_on", "owner_occupied", "roof", "site", "phone_2"]);

    let body = json!({"first_name": "A", "properties": {
        "roof_area_m": "1,240.5", "installed_on": "2026-02-28", "owner_occupied": "yes", "roof": "METAL", "site": "example.com/a", "unknown": {"kept": [1, "2"]},
    }});
    let made = test.api(&office.key, "POST", "/api/contacts", body).await.expect(201).json();
    assert_eq!(
        made["properties"],
        json!({
            "roof_area_m": 1240.5, "installed_on": "2026-02-28", "owner_occupied": true, "roof": "Metal", "site": "https://example.com/a", "unknown": {"kept": [1, "2"]},
        })
    );
    for (key, value) in [
        ("roof_area_m", json!("many")),
        ("installed_on", json!("2026-02-30")),
        ("owner_occupied", json!("perhaps")),
        ("roof", json!("Straw")),
        ("site", json!("javascript:alert(1)")),
        ("roof", json!(["Tiles"])),
    ] {
        let body = json!({"first_name": "A", "properties": {key: value}});
        let problem = test.api(&office.key, "POST", "/api/contacts", body).await.expect(422).json();
        assert!(problem["errors"][format!("properties.{key}")].is_string(), "{key}: {problem}");
    }
    let roof = format!("/api/custom-fields/{}", id(&fields["data"][3]));
    test.api(&office.key, "PATCH", &roof, json!({"type": "text"})).await.expect(422);
    test.api(&office.key, "PATCH", &roof, json!({"key": "other"})).await.expect(422);
    test.api(&office.key, "PATCH", &roof, json!({"options": []})).await.expect(422);
    test.api(&office.key, "PATCH", &roof, json!({"label": "Roofing", "required": true})).await.expect(200);
    let order: Vec<&str> = fields["data"].as_array().unwrap().iter().rev().map(id).collect();
    let ordered = test
        .api(&office.key, "PUT", "/api/custom-fields/order", json!({"ids": order}))
        .await
        .expect(200)
        .json();
    assert_eq!(ordered["data"][0]["key"], "phone_2");
    for ids in [json!([test.id()]), json!([order[0], order[0]])] {
        test.api(&office.key, "PUT", "/api/custom-fields/order", json!({"ids": ids})).await.expect(422);
    }
    test.api(&office.key, "DELETE", &roof, Value::Null).await.expect(204);
    let kept = test.get(&office.key, &format!("/api/contacts/{}", id(&made))).await.json();
    assert_eq!(kept["properties"]["roof"], "Metal");
    for key in ["Has Space", "phone", "1st", "x".repeat(41).as_str()] {
        test.api(&office.key, "POST", "/api/custom-fields", json!({"label": "L", "key": key}))
            .await
            .expect(422);
    }
}

#[tokio::test]
async fn notes_are_written_rewritten_and_removed() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "a").await;
    let contact = office.contact(&test, "Dana", None).await;
    let path = format!("/api/contacts/{contact}/notes");
    let mut made = Vec::new();
    for n in 0..5 {
        made.push(
            test.api(&office.key, "POST", &path, json!({"body": format!(" Note {n}\r\nmore ")}))
                .await
                .expect(201)
                .json(),
        );
    }
    assert_eq!(made[0]["body"], "Note 0\nmore");
    test.api(&office.key, "POST", &path, json!({"body": "  "})).await.expect(422);
    test.api(&office.key, "POST", &path, json!({"body": "x".repeat(10_001)})).await.expect(422);
    let first = test.get(&office.key, &format!("{path}?limit=3")).await.json();
    let rest = test
        .get(&office.key, &format!("{path}?limit=3&cursor={}", first["next_cursor"].as_str().unwrap()))
        .await
        .json();
    assert_eq!((first["data"].as_array().unwrap().len(), rest["data"].as_array().unwrap().len()), (3, 2));
    let note = format!("/api/notes/{}", id(&made[0]));
    assert!(test.api(&office.key, "PATCH", &note, json!({"body": "Better"})).await.expect(200).json()["edited_at"].is_string());
    test.api(&office.key, "DELETE", &note, Value::Null).await.expect(204);
    test.api(&office.key, "DELETE", &note, Value::Null).await.expect(404);
}
