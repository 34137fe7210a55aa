use serde_json::json;

use crate::{
    auth::{Actor, ActorKind, Caller, Role, TenantInfo},
    tests::{Office, TestApp},
    web::paging::PageQuery,
};

use super::*;

fn caller(office: &Office) -> Caller {
    let tenant = TenantInfo {
        id: office.id,
        slug: "a".into(),
        name: "A".into(),
        timezone: chrono_tz::Tz::UTC,
        country: "AU".into(),
        currency: "AUD".into(),
    };
    Caller {
        tenant,
        actor: Actor { kind: ActorKind::User, id: Some(office.owner_id), label: "Rosa".into() },
        role: Role::Owner,
    }
}

async fn park(test: &TestApp, office: &Office, event: &str, payload: Value, error: &str) -> i64 {
    test.leaves_work();
    sqlx::query_scalar("insert into patchbay.outbox (tenant_id, event_type, payload, attempt, parked_at, last_error) values ($1, $2, $3, 12, now(), $4) returning id")
        .bind(office.id)
        .bind(event)
        .bind(payload)
        .bind(error)
        .fetch_one(&mut test.sql().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn parked_events_are_seen_and_tried_again() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let dana = office.contact(&test, "Dana", Some("+61491570006")).await;
    test.settle().await;
    let lead = park(&test, &office, "lead.created", json!({"contact_id": dana}), "pool timed out").await;
    for odd in
        [json!({"contact_id": "no id"}), json!([1]), json!(null), json!({"contact_id": other.owner_id})]
    {
        park(&test, &office, "some.event", odd, "<b>oh</b>").await;
    }
    let theirs = park(&test, &other, "lead.created", json!({"contact_id": dana}), "x").await;
    let (ours, them) = (caller(&office), caller(&other));
    let page = PageQuery { limit: Some(2), cursor: None };
    let first = list(&test.app, &ours, true, &page).await.unwrap();
    assert_eq!(first.data.len(), 2);
    let rest =
        list(&test.app, &ours, true, &PageQuery { limit: Some(9), cursor: first.next_cursor }).await.unwrap();
    assert_eq!((rest.data.len(), rest.data[2].contact_name.as_str()), (3, "Dana Whitfield"));
    // Another tenant's contact has no name here.
    assert_eq!(list(&test.app, &them, true, &page).await.unwrap().data[0].contact_name, "");

    assert!(matches!(retry(&test.app, &ours, theirs).await, Err(Error::NotFound(_))));
    retry(&test.app, &ours, lead).await.unwrap();
    assert!(matches!(retry(&test.app, &ours, lead).await, Err(Error::NotFound(_))));
    assert_eq!(retry_all(&test.app, &ours).await.unwrap(), 4);
    assert_eq!(retry_all(&test.app, &ours).await.unwrap(), 0);
    test.settle().await;
    // What nobody handles is parked again, and says so.
    let again = list(&test.app, &ours, true, &PageQuery::default()).await.unwrap().data;
    assert_eq!(again.len(), 4);
    assert!(words::problem(again[0].last_error.as_deref().unwrap()).contains("not known here"), "{again:?}");
    let logged: Vec<String> =
        sqlx::query_scalar("select action from patchbay.audit_log where tenant_id = $1 order by id")
            .bind(office.id)
            .fetch_all(&mut test.sql().await)
            .await
            .unwrap();
    assert_eq!(logged, ["event.retried", "event.retried_all"]);
    assert_eq!(list(&test.app, &them, true, &page).await.unwrap().data.len(), 1);
    assert!(words::problem("pool timed out while waiting").contains("Trying again"));
}

#[tokio::test]
async fn programs_see_and_retry_them_too() {
    let test = TestApp::new().await;
    let (office, other) = (Office::open(&test, "a").await, Office::open(&test, "b").await);
    let dana = office.contact(&test, "Dana", Some("+61491570006")).await;
    test.settle().await;
    let lead = park(&test, &office, "lead.created", json!({"contact_id": dana}), "pool timed out").await;
    park(&test, &office, "bill.sent", json!({"n": 1}), "bad request: x").await;
    let first = test.get(&office.key, "/api/parked-events?limit=1").await.expect(200).json();
    assert_eq!(first["data"][0]["event_type"], "bill.sent");
    let rest = format!("/api/parked-events?cursor={}", first["next_cursor"].as_str().unwrap());
    let rest = test.get(&office.key, &rest).await.expect(200).json();
    assert_eq!((&rest["data"][0]["id"], &rest["next_cursor"]), (&json!(lead), &Value::Null));
    let path = format!("/api/parked-events/{lead}");
    let seen = test.get(&office.key, &path).await.expect(200).json();
    assert_eq!(
        (&seen["what"], &seen["error"]),
        (&json!("New contact: Dana Whitfield"), &json!("pool timed out"))
    );
    assert!(seen["problem"].as_str().unwrap().contains("Trying again"));
    for key in [&other.key, &office.reader] {
        let status = if key == &other.key { 404 } else { 403 };
        test.get(key, &path).await.expect(status);
        test.api(key, "POST", &format!("{path}/retry"), Value::Null).await.expect(status);
    }
    test.api(&office.key, "POST", &format!("{path}/retry"), Value::Null).await.expect(202);
    test.get(&office.key, &path).await.expect(404);
    test.api(&office.key, "POST", &format!("{path}/retry"), Value::Null).await.expect(404);
    let all = test.api(&office.key, "POST", "/api/parked-events/retry", Value::Null).await.expect(202).json();
    assert_eq!(all["count"], 1);
    let log = test.get(&office.key, "/api/audit-log?entity_type=event&limit=1").await.expect(200).json();
    assert_eq!(
        (&log["data"][0]["action"], &log["data"][0]["actor"]["kind"]),
        (&json!("event.retried_all"), &json!("api_key"))
    );
    let older = format!("/api/audit-log?entity_type=event&cursor={}", log["next_cursor"].as_str().unwrap());
    let older = test.get(&office.key, &older).await.expect(200).json();
    assert_eq!(
        (older["data"].as_array().unwrap().len(), &older["data"][0]["entity_id"]),
        (1, &json!(lead.to_string()))
    );
    let nobody = format!("/api/audit-log?actor_id={}", other.owner_id);
    assert_eq!(test.get(&office.key, &nobody).await.expect(200).json()["data"], json!([]));
    assert_eq!(test.get(&other.key, "/api/audit-log").await.expect(200).json()["data"], json!([]));
    test.settle().await;
}
