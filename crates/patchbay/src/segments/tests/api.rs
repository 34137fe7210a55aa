use serde_json::{Value, json};

use super::base::people;
use crate::tests::{Office, TestApp};

fn lead() -> Value {
    json!({"all": [{"field": "status", "op": "is", "value": "lead"}]})
}

#[tokio::test]
async fn segments_are_kept_counted_and_let_go() {
    let test = TestApp::new().await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    people(&test, &ace).await;
    people(&test, &bee).await;
    let filter = json!({"all": [{"field": "status", "op": "is", "value": "lead"}, {"any": [{"field": "stage", "op": "is", "value": "New"}, {"field": "label", "op": "in", "value": ["VIP"]}]}, {"not": {"field": "do_not_contact", "op": "is", "value": true}}]});
    let made = test
        .api(&ace.key, "POST", "/api/segments", json!({"name": " Fresh  leads ", "filter": filter}))
        .await
        .expect(201)
        .json();
    assert_eq!((&made["name"], &made["filter"]), (&json!("Fresh leads"), &filter));
    let path = format!("/api/segments/{}", made["id"].as_str().unwrap());
    assert_eq!(test.get(&ace.key, &path).await.expect(200).json(), made);
    let taken = test
        .api(&ace.key, "POST", "/api/segments", json!({"name": "fresh LEADS", "filter": lead()}))
        .await
        .expect(409);
    assert_eq!(taken.json()["existing_id"], made["id"]);
    test.api(&bee.key, "POST", "/api/segments", json!({"name": "Fresh leads", "filter": lead()}))
        .await
        .expect(201);
    let count = test.get(&ace.key, &format!("{path}/count")).await.expect(200).json();
    let unsaved = test
        .api(&ace.reader, "POST", "/api/segments/count", json!({"filter": filter}))
        .await
        .expect(200)
        .json();
    assert_eq!(count, unsaved);
    assert!(
        count["count"].as_i64().unwrap() > 5
            && count["exact"] == true
            && count["sample"].as_array().unwrap().len() == 5,
        "{count}"
    );
    let changed = test
        .api(&ace.key, "PATCH", &path, json!({"name": "Leads", "filter": lead()}))
        .await
        .expect(200)
        .json();
    assert_eq!((&changed["name"], &changed["filter"]), (&json!("Leads"), &lead()));
    assert_eq!(test.get(&ace.key, &format!("{path}/count")).await.expect(200).json()["count"], 24);
    let listed = test.get(&ace.key, "/api/segments?q=lea&limit=1").await.expect(200).json();
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["next_cursor"]), (1, &Value::Null));
    for (method, path) in [
        ("GET", path.clone()),
        ("GET", format!("{path}/count")),
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
    ] {
        test.api(&bee.key, method, &path, json!({"name": "Mine"})).await.expect(404);
    }
    test.api(&ace.reader, "DELETE", &path, Value::Null).await.expect(403);
    test.api(&ace.key, "DELETE", &path, Value::Null).await.expect(204);
    test.get(&ace.key, &path).await.expect(404);
}

#[tokio::test]
async fn a_segment_that_a_campaign_will_use_stays() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let made = test
        .api(&ace.key, "POST", "/api/segments", json!({"name": "Leads", "filter": lead()}))
        .await
        .expect(201)
        .json();
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/segments/{id}");
    test.execute(&format!("insert into patchbay.campaigns (tenant_id, name, channel, segment_id) values ('{}', 'Spring offer', 'sms', '{id}')", ace.id)).await;
    let refused = test.api(&ace.key, "DELETE", &path, Value::Null).await.expect(409);
    assert!(refused.text.contains("Spring offer"), "{}", refused.text);
    test.execute("update patchbay.campaigns set status = 'finished', launched_at = now()").await;
    test.api(&ace.key, "DELETE", &path, Value::Null).await.expect(204);
}

#[tokio::test]
async fn mistakes_are_told_with_their_place() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    test.execute(&format!("insert into patchbay.custom_fields (tenant_id, key, label, type) values ('{}', 'area', 'Area', 'number')", ace.id)).await;
    let is = |field: &str, value: Value| json!({"field": field, "op": "is", "value": value});
    let deep = (0..20).fold(is("status", "lead".into()), |inner, _| json!({ "not": inner }));
    let wide = json!({"all": vec![is("status", "lead".into()); 300]});
    let many =
        json!({"field": "source", "op": "in", "value": (0..501).map(|n| n.to_string()).collect::<Vec<_>>()});
    for (filter, place, words) in [
        (json!(null), "filter", "group"),
        (json!("status = 'lead'"), "filter", "group"),
        (json!([]), "filter", "group"),
        (json!({}), "filter", "exactly one"),
        (json!({"all": [], "any": []}), "filter", "exactly one"),
        (json!({"any": []}), "filter.any", "Add a condition"),
        (json!({"all": [{"all": []}]}), "filter.all[0].all", "Add a condition"),
        (json!({"all": {"field": "status"}}), "filter.all", "list"),
        (json!({"not": []}), "filter.not", "condition"),
        (json!({"all": [lead(), is("password", 1.into())]}), "filter.all[1].field", "status, stage"),
        (json!({"all": [{"field": 3, "op": "is", "value": 1}]}), "filter.all[0].field", "name of a field"),
        (
            json!({"all": [{"field": "status", "op": "like", "value": "x"}]}),
            "filter.all[0].op",
            "starts_with",
        ),
        (json!({"field": "status", "op": "contains", "value": "x"}), "filter.op", "is, is_not, in"),
        (json!({"field": "status", "op": "is", "value": "led"}), "filter.value", "lead, active, inactive"),
        (json!({"field": "status", "op": "is"}), "filter.value", "Give a value"),
        (json!({"field": "status", "op": "in", "value": "lead"}), "filter.value", "list"),
        (json!({"field": "status", "op": "in", "value": []}), "filter.value", "at least one"),
        (json!({"field": "status", "op": "is", "value": "lead", "sql": "1=1"}), "filter", "sql"),
        (is("stage", "Nowhere".into()), "filter.value", "New, Quoted"),
        (is("label", "Nothing".into()), "filter.value", "none yet"),
        (is("owner", test.id().to_string().into()), "filter.value", "no member"),
        (is("phone", "12".into()), "filter.value", "."),
        (is("source", "x".repeat(501).into()), "filter.value", "500"),
        (is("properties.", "x".into()), "filter.field", "key"),
        (is("properties.area", "wide".into()), "filter.value", "number"),
        (json!({"field": "properties.area", "op": "contains", "value": "1"}), "filter.op", "gte"),
        (json!({"field": "created_at", "op": "after", "value": "soon"}), "filter.value", "-30d"),
        (json!({"field": "quote.total_cents", "op": "gt", "value": "1e999999999"}), "filter.value", "number"),
        (json!({"field": "quote.total_cents", "op": "gt", "value": "1e9"}), "filter.value", "number"),
        (deep, "filter.not.not.not.not.not.not.not.not.not", "deep"),
        (wide, "filter", "at most 200"),
        (many, "filter.value", "at most 500"),
    ] {
        let body = json!({"name": "S", "filter": filter});
        for path in ["/api/segments", "/api/segments/count"] {
            let errors =
                test.api(&ace.key, "POST", path, body.clone()).await.expect(422).json()["errors"].clone();
            assert!(errors[place].as_str().is_some_and(|told| told.contains(words)), "{filter}: {errors}");
        }
    }
    let both = test
        .api(&ace.key, "POST", "/api/segments", json!({"name": " ", "filter": {"any": []}}))
        .await
        .expect(422)
        .json();
    assert!(both["errors"]["name"].is_string() && both["errors"]["filter.any"].is_string(), "{both}");
    test.api(&ace.key, "POST", "/api/segments", json!({"name": "x".repeat(121), "filter": lead()}))
        .await
        .expect(422);
    assert_eq!(test.scalar("select count(*) from patchbay.segments").await, 0);
}
