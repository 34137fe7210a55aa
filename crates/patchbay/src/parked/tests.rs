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
    assert!(list(&test.app, &ours, true, &page).await.unwrap().data.is_empty());
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
