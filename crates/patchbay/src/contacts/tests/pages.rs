use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::Role,
    tests::{Browser, Office, TestApp},
};

#[tokio::test]
async fn a_contact_is_made_found_changed_and_archived_in_the_browser() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let mut rosa = Browser::with_session(&test, &office.session);
    assert!(rosa.get("/contacts").await.expect(200).text.contains("No contacts yet"));
    test.execute(&format!(
        "insert into patchbay.custom_fields (tenant_id, key, label, type, options, required) values
           ('{0}', 'boiler', 'Boiler', 'select', '[\"Rheem\", \"Bosch\"]', true), ('{0}', 'visits', 'Visits', 'number', '[]', false)",
        office.id
    ))
    .await;
    let form = |boiler: &'static str, phone: &'static str| {
        [
            ("first_name", "Dana"),
            ("phone", phone),
            ("labels", "VIP, gas"),
            ("properties.boiler", boiler),
            ("properties.visits", "3"),
        ]
    };
    let reply = rosa.post("/contacts", &form("", "0491 570 006")).await.expect(422);
    assert!(
        reply.text.contains("This is needed.") && reply.text.contains("value=\"Dana\""),
        "{}",
        reply.text
    );
    let reply = rosa.post("/contacts", &form("Rheem", "0491 570")).await.expect(422);
    assert!(reply.text.contains("phone-error"), "the error stands at the field");
    let made = rosa.post("/contacts", &form("Rheem", "0491 570 006")).await.expect(303);
    let page = made.headers["location"].to_str().unwrap().to_owned();
    let shown = rosa.get(&page).await.expect(200).text;
    for word in ["Dana", "0491 570 006", "VIP", "Rheem", "Boiler", "Came in"] {
        assert!(shown.contains(word), "{word}");
    }
    let taken = rosa.post("/contacts", &form("Rheem", "+61 491 570 006")).await.expect(422);
    assert!(taken.text.contains(&format!("href=\"{page}\"")), "the form leads to who has the number");

    for (query, found) in [
        ("q=dana", true),
        ("properties=boiler:Rheem", true),
        ("properties=boiler:Bosch", false),
        ("properties=visits:3&properties=boiler:Bosch&properties=boiler:Rheem", true),
        ("properties=boiler:Zeppelin", false),
        ("label=vip&status=lead&stage=New", true),
        ("owner=me", false),
        ("consent=email:unknown&source=Radio", false),
        ("archived=true", false),
    ] {
        let reply = rosa.get(&format!("/contacts?{query}")).await.expect(200);
        assert_eq!(reply.text.contains(&format!("href=\"{page}\"")), found, "{query}");
    }
    rosa.get("/contacts?status=nonsense").await.expect(422);

    let edit = rosa.get(&format!("{page}/edit")).await.expect(200).text;
    assert!(edit.contains("+61491570006") && edit.contains("gas, VIP"), "{edit}");
    let change = [
        ("first_name", "Dana"),
        ("last_name", "O'Hara"),
        ("phone", ""),
        ("properties.visits", ""),
        ("labels", "gas"),
    ];
    rosa.post(&page, &change).await.expect(303);
    let shown = rosa.get(&page).await.expect(200).text;
    assert!(shown.contains("O&#39;Hara") && shown.contains("Rheem") && !shown.contains("0491 570 006"));
    assert!(!shown.contains("Visits"));

    rosa.post(&format!("{page}/archive"), &[]).await.expect(303);
    assert!(rosa.get(&page).await.text.contains("Archived"));
    assert!(!rosa.get("/contacts").await.text.contains(&page));
    assert!(rosa.get("/contacts?archived=true").await.text.contains(&page));
    rosa.post(&format!("{page}/restore"), &[]).await.expect(303);
    rosa.post(&format!("{page}/notes"), &[("body", "Bell is broken")]).await.expect(303);
    assert!(rosa.get(&page).await.text.contains("Bell is broken"));
    rosa.post(&format!("{page}/labels"), &[("label", "Spring")]).await.expect(303);
    rosa.post(&format!("{page}/labels/remove"), &[("label", "gas")]).await.expect(303);
    rosa.post(&format!("{page}/set"), &[("field", "owner_id"), ("owner_id", &office.owner_id.to_string())])
        .await
        .expect(303);
    let shown = rosa.get(&page).await.text;
    assert!(shown.contains("Given to Rosa Marín"), "the timeline names the owner");
    let mut viewer = Browser::member(&test, "ace", "v@ace.example", Role::Viewer).await;
    assert!(!viewer.get(&page).await.expect(200).text.contains("/archive"));
    viewer.get("/contacts/new").await.expect(403);
    viewer.get("/contacts/export").await.expect(403);
    test.settle().await;
}

#[tokio::test]
async fn many_are_changed_and_changed_back() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    let mut rosa = Browser::with_session(&test, &office.session);
    let (a, b) = (office.contact(&test, "A", None).await, office.contact(&test, "B", None).await);
    let stage = test
        .text(&format!(
            "select id::text from patchbay.stages where tenant_id = '{}' and name = 'Won'",
            office.id
        ))
        .await;
    let before = state(&test, &office).await;
    let owner = office.owner_id.to_string();
    for change in
        [("stage", stage.as_str()), ("owner", owner.as_str()), ("label", "VIP"), ("archived", "true")]
    {
        let ids = [("ids", a.to_string()), ("ids", b.to_string())];
        let mut fields: Vec<(&str, &str)> = ids.iter().map(|(name, id)| (*name, id.as_str())).collect();
        fields.push(change);
        rosa.post("/contacts/bulk", &fields).await.expect(303);
        assert_ne!(state(&test, &office).await, before, "{change:?}");
        let id = test.text("select id::text from patchbay.bulk_changes order by id desc limit 1").await;
        Browser::with_session(&test, &other.session)
            .post(&format!("/contacts/bulk/{id}/undo"), &[])
            .await
            .expect(404);
        rosa.post(&format!("/contacts/bulk/{id}/undo"), &[]).await.expect(303);
        assert_eq!(state(&test, &office).await, before, "{change:?}");
        rosa.post(&format!("/contacts/bulk/{id}/undo"), &[]).await.expect(409);
    }
    // What somebody changed since stays.
    let done = test
        .api(&office.key, "POST", "/api/contacts/bulk", json!({"ids": [a, b], "stage": "won"}))
        .await
        .expect(200)
        .json();
    assert_eq!(done["changed"].as_array().unwrap().len(), 2);
    test.api(&office.key, "PATCH", &format!("/api/contacts/{a}"), json!({"stage": "Lost"})).await.expect(200);
    let id = done["id"].as_str().unwrap();
    let undone = test
        .api(&office.key, "POST", &format!("/api/contacts/bulk/{id}/undo"), json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(undone["changed"], json!([b]));
    test.api(
        &office.key,
        "POST",
        "/api/contacts/bulk",
        json!({"ids": [a], "stage": "won", "archived": true}),
    )
    .await
    .expect(422);
    test.settle().await;
}

async fn state(test: &TestApp, office: &Office) -> String {
    test.text(&format!(
        "select string_agg(concat_ws(' ', c.first_name, c.stage_id, c.stage_position, c.owner_id, c.archived_at is null,
           (select count(*) from patchbay.contact_labels l where l.contact_id = c.id)), ';' order by c.id)
         from patchbay.contacts c where c.tenant_id = '{}'",
        office.id
    ))
    .await
}

#[tokio::test]
async fn any_list_is_exported_whole_and_harmless() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    other.contact(&test, "Theirs", None).await;
    test.execute(&format!(
        "insert into patchbay.contacts (tenant_id, first_name, last_name, phone_e164, source, properties, created_at)
           select '{0}', case when n = 1 then '=HYPERLINK(\"http://x\")' else 'N' || n end, 'Ö, \"x\"', '+614915' || (70000 + n), case when n <= 3 then 'Radio' end,
             jsonb_build_object('boiler', 'Rheem', 'other', n), now() from generate_series(1, 1234) n;
         insert into patchbay.custom_fields (tenant_id, key, label, type) values ('{0}', 'boiler', 'Boiler', 'text')",
        office.id
    ))
    .await;
    let mut rosa = Browser::with_session(&test, &office.session);
    let reply = rosa.get("/contacts/export").await.expect(200);
    assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    assert!(reply.text.starts_with("\u{feff}id,first_name,"));
    let lines: Vec<&str> = reply.text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 1235);
    assert!(lines[0].ends_with(",properties.boiler,properties"));
    assert!(
        lines[1234].contains(",\"'=HYPERLINK(\"\"http://x\"\")\",\"Ö, \"\"x\"\"\",+61491570001,"),
        "{}",
        lines[1234]
    );
    assert!(lines[1234].ends_with(",Rheem,\"{\"\"other\"\":1}\""), "{}", lines[1234]);
    assert!(!reply.text.contains("Theirs"));
    let few = rosa.get("/contacts/export?source=Radio").await.expect(200);
    assert_eq!(few.text.trim_end().split("\r\n").count(), 4);
    // A program gets the same, without the mark that spreadsheets need.
    let file = test.get(&office.reader, "/api/contacts/export?source=Radio").await.expect(200).text;
    assert_eq!(format!("\u{feff}{file}"), few.text);
    assert_eq!(
        test.scalar("select count(*) from patchbay.audit_log where action = 'contacts.exported'").await,
        3
    );
    test.execute("delete from patchbay.outbox").await;
}

#[tokio::test]
async fn two_become_one_and_two_again() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let mut rosa = Browser::with_session(&test, &office.session);
    let kept = office.contact(&test, "Dana", Some("+61491570006")).await;
    let twin = office.contact(&test, "Dana", Some("+61491570156")).await;
    test.execute(&format!("update patchbay.contacts set source = 'Radio', properties = '{{\"boiler\": \"Rheem\"}}' where id = '{twin}'")).await;
    let listed = rosa.get("/contacts/duplicates").await.expect(200).text;
    assert!(
        listed.contains("Same name") && listed.contains(&format!("/contacts/{kept}/merge?with={twin}")),
        "{listed}"
    );
    assert!(rosa.get(&format!("/contacts/{kept}/alike")).await.expect(200).text.contains(&twin.to_string()));
    assert!(rosa.get(&format!("/contacts/{kept}/merge")).await.expect(200).text.contains(&twin.to_string()));
    let preview = rosa.get(&format!("/contacts/{kept}/merge?with={twin}")).await.expect(200).text;
    assert!(
        preview.contains("0491 570 156") && preview.contains("Radio") && preview.contains("name=\"phone\"")
    );
    rosa.get(&format!("/contacts/{kept}/merge?with={kept}")).await.expect(422);
    rosa.post(
        &format!("/contacts/{kept}/merge"),
        &[("with", &twin.to_string()), ("phone", "merged"), ("name", "kept")],
    )
    .await
    .expect(303);
    let read = async |id: Uuid| test.get(&office.key, &format!("/api/contacts/{id}")).await.json();
    let one = read(kept).await;
    assert_eq!((one["phone"].as_str(), one["source"].as_str()), (Some("+61491570156"), Some("Radio")));
    assert!(rosa.get(&format!("/contacts/{twin}")).await.expect(200).text.contains("became part of"));
    assert!(rosa.get("/contacts/duplicates").await.text.contains("Nobody seems to be there twice"));
    // A custom field of its own since then survives the undo; the one that came with the merge goes.
    test.api(&office.key, "PATCH", &format!("/api/contacts/{kept}"), json!({"properties": {"tank": "big"}}))
        .await
        .expect(200);
    let page = rosa.get(&format!("/contacts/{kept}")).await.text;
    let undo = page
        .split("action=\"")
        .find(|part| part.starts_with("/contacts/merges/"))
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    rosa.post(&undo, &[]).await.expect(303);
    let one = read(kept).await;
    assert_eq!((one["phone"].as_str(), &one["properties"]), (Some("+61491570006"), &json!({"tank": "big"})));
    assert_eq!(read(twin).await["phone"], "+61491570156");
    rosa.post(&undo, &[]).await.expect(409);

    let body = json!({"merged_id": twin, "take": ["source"]});
    let seen = test
        .api(&office.key, "POST", &format!("/api/contacts/{kept}/merge/preview"), body.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(
        seen["fields"].as_array().unwrap().iter().find(|line| line["field"] == "phone").unwrap()["differs"],
        true
    );
    let merged =
        test.api(&office.key, "POST", &format!("/api/contacts/{kept}/merge"), body).await.expect(200).json();
    let undo = format!("/api/merges/{}/undo", merged["merge_id"].as_str().unwrap());
    test.api(&office.key, "POST", &undo, json!({})).await.expect(200);
    assert_eq!(test.get(&office.key, "/api/duplicates").await.json()["data"][0]["likeness"], "name");
    assert_eq!(
        test.get(&office.key, &format!("/api/contacts/{kept}/duplicates")).await.json()["data"][0]["contact"]
            ["id"],
        json!(twin)
    );
    test.settle().await;
}

#[tokio::test]
async fn the_board_has_a_lane_for_who_stands_nowhere() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let mut rosa = Browser::with_session(&test, &office.session);
    assert!(rosa.get("/board").await.expect(200).text.contains("No cards yet"));
    let card = office.contact(&test, "Dana", None).await;
    assert!(!rosa.get("/board").await.expect(200).text.contains("Without a stage"));
    let id = card.to_string();
    rosa.post("/board/move", &[("card", &id), ("lane", "none"), ("before", ""), ("after", "")])
        .await
        .expect(204);
    let board = rosa.get("/board").await.expect(200).text;
    assert!(board.contains("Without a stage") && board.contains(&id));
    assert!(rosa.get("/board/lanes/none").await.expect(200).text.contains(&id));
    let lanes = test.get(&office.key, "/api/board").await.expect(200).json();
    assert_eq!((&lanes["data"][0]["stage"], &lanes["data"][0]["total"]), (&json!(null), &json!(1)));
    assert_eq!(test.get(&office.key, "/api/board/none").await.json()["data"][0]["id"], json!(card));
    let won = test.get(&office.key, "/api/stages").await.json()["data"][2]["id"].as_str().unwrap().to_owned();
    let moved = json!({"contact_id": card, "stage_id": won});
    assert_eq!(
        test.api(&office.key, "POST", "/api/board/move", moved).await.expect(200).json()["stage"],
        "Won"
    );
    rosa.get("/board/lanes/nonsense").await.expect(404);
    test.settle().await;
}

#[tokio::test]
async fn stages_labels_and_fields_are_kept_in_the_settings() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let mut rosa = Browser::with_session(&test, &office.session);
    rosa.post("/settings/stages", &[("name", "Booked"), ("kind", "open")]).await.expect(303);
    assert!(
        rosa.post("/settings/stages", &[("name", "booked"), ("kind", "open")])
            .await
            .expect(422)
            .text
            .contains("exists")
    );
    let id = test.text("select id::text from patchbay.stages where name = 'Booked'").await;
    rosa.post(&format!("/settings/stages/{id}/move"), &[("way", "up")]).await.expect(303);
    rosa.post(&format!("/settings/stages/{id}"), &[("name", "Booked in"), ("kind", "won")]).await.expect(303);
    let order = test
        .text("select string_agg(name || ' ' || kind, ', ' order by position) from patchbay.stages")
        .await;
    assert_eq!(order, "New open, Quoted open, Won won, Booked in won, Lost lost");
    rosa.post(&format!("/settings/stages/{id}/delete"), &[]).await.expect(303);
    rosa.post("/settings/labels", &[("name", "VIP")]).await.expect(303);
    let id = test.text("select id::text from patchbay.labels").await;
    rosa.post(&format!("/settings/labels/{id}"), &[("active", "false")]).await.expect(303);
    assert!(rosa.get("/settings/labels").await.expect(200).text.contains("Offer again"));
    rosa.post(&format!("/settings/labels/{id}/delete"), &[]).await.expect(303);
    let field =
        [("label", "Roof (m²)"), ("type", "select"), ("options", "Small\r\nLarge\r\n"), ("required", "true")];
    rosa.post("/settings/custom-fields", &field).await.expect(303);
    let missing = rosa
        .post("/settings/custom-fields", &[("label", "Colour"), ("type", "select"), ("options", "")])
        .await
        .expect(422);
    assert!(missing.text.contains("Give at least one choice.") && missing.text.contains("value=\"Colour\""));
    let fields = test.get(&office.key, "/api/custom-fields").await.json();
    assert_eq!(fields["data"][0]["options"], json!(["Small", "Large"]));
    let id = fields["data"][0]["id"].as_str().unwrap().to_owned();
    rosa.post(&format!("/settings/custom-fields/{id}"), &[("label", "Roof"), ("options", "Small")])
        .await
        .expect(303);
    let fields = test.get(&office.key, "/api/custom-fields").await.json();
    assert_eq!(
        (&fields["data"][0]["label"], &fields["data"][0]["required"]),
        (&json!("Roof"), &json!(false))
    );
    assert!(rosa.get("/contacts/new").await.text.contains("properties.roof_m"));
    rosa.post(&format!("/settings/custom-fields/{id}/delete"), &[]).await.expect(303);
    let mut member = Browser::member(&test, "ace", "m@ace.example", Role::Member).await;
    member.get("/settings/stages").await.expect(403);
    test.settle().await;
}
