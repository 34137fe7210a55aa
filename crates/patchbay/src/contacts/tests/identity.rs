use std::sync::Arc;

use sqlx::Connection;
use uuid::Uuid;

use crate::{app::App, contacts::*, tests::TestApp};

/// A tenant with one stage, made without the features around it.
async fn tenant(test: &TestApp, slug: &str) -> Uuid {
    let mut conn = test.sql().await;
    let id: Uuid = sqlx::query_scalar(
        "insert into patchbay.tenants (name, slug, country) values ($1, $1, 'AU') returning id",
    )
    .bind(slug)
    .fetch_one(&mut conn)
    .await
    .unwrap();
    sqlx::query(
        "insert into patchbay.stages (tenant_id, name, position) values ($1, 'New', 0), ($1, 'Won', 1)",
    )
    .bind(id)
    .execute(&mut conn)
    .await
    .unwrap();
    conn.close().await.unwrap();
    id
}

fn person(phone: Option<&str>, email: Option<&str>) -> NewContact {
    NewContact { phone: phone.map(str::to_owned), email: email.map(str::to_owned), ..NewContact::default() }
}

async fn put(app: &App, tenant: Uuid, new: NewContact) -> (Contact, bool) {
    let mut tx = app.db.tenant(tenant).await.unwrap();
    let outcome = upsert(&mut tx, app, new).await.unwrap();
    tx.commit().await.unwrap();
    outcome
}

#[tokio::test]
async fn upsert_fills_what_is_empty_and_overwrites_nothing() {
    let test = TestApp::new().await;
    let tenant = tenant(&test, "a").await;
    let mut new = person(Some("+61491570006"), None);
    new.first_name = Some("Dana".into());
    new.properties.insert("suburb".into(), "Fremantle".into());
    let (made, created) = put(&test.app, tenant, new).await;
    assert!(created);
    assert_eq!(made.stage.as_deref(), Some("New"));

    let mut again = person(Some("+61491570006"), Some("dana@example.com"));
    again.first_name = Some("Daniela".into());
    again.last_name = Some("Whitfield".into());
    again.properties.insert("suburb".into(), "Perth".into());
    again.properties.insert("rooms".into(), 3.into());
    let (found, created) = put(&test.app, tenant, again).await;
    assert!(!created);
    assert_eq!(found.id, made.id);
    assert_eq!(found.display_name(), "Dana Whitfield");
    assert_eq!(found.email.as_deref(), Some("dana@example.com"));
    assert_eq!(found.properties, serde_json::json!({"suburb": "Fremantle", "rooms": 3}));

    // The same e-mail with another number is another person of the household; without a number it is Dana.
    let (other, created) =
        put(&test.app, tenant, person(Some("+61491570156"), Some("dana@example.com"))).await;
    assert!(created && other.id != made.id);
    let (same, created) = put(&test.app, tenant, person(None, Some("dana@example.com"))).await;
    assert!(!created && same.id == made.id);
}

#[tokio::test]
async fn an_archived_contact_comes_back_when_it_turns_up() {
    let test = TestApp::new().await;
    let tenant = tenant(&test, "a").await;
    let (made, _) = put(&test.app, tenant, person(Some("+61491570006"), None)).await;
    sqlx::query("update patchbay.contacts set archived_at = now()")
        .execute(&mut test.sql().await)
        .await
        .unwrap();
    let (back, created) = put(&test.app, tenant, person(Some("+61491570006"), None)).await;
    assert!(!created && back.id == made.id && back.archived_at.is_none());
}

#[tokio::test]
async fn many_at_once_end_with_one_contact() {
    let test = Arc::new(TestApp::new().await);
    let tenant = tenant(&test, "a").await;
    for (phone, email) in [
        (Some("+61491570006"), None),
        (None, Some("a@b.example")),
        (Some("+61491570156"), Some("c@d.example")),
    ] {
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let test = test.clone();
                tokio::spawn(async move { put(&test.app, tenant, person(phone, email)).await })
            })
            .collect();
        let outcomes: Vec<_> =
            futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(outcomes.iter().filter(|(_, created)| *created).count(), 1, "{phone:?} {email:?}");
        assert!(outcomes.iter().all(|(contact, _)| contact.id == outcomes[0].0.id));
    }
    test.settle().await;
}

#[tokio::test]
async fn a_merged_number_leads_to_the_contact_that_was_kept() {
    let test = TestApp::new().await;
    let tenant = tenant(&test, "a").await;
    let (kept, _) = put(&test.app, tenant, person(Some("+61491570006"), None)).await;
    let (merged, _) = put(&test.app, tenant, person(Some("+61491570156"), Some("x@y.example"))).await;
    sqlx::query("update patchbay.contacts set merged_into = $1, archived_at = now() where id = $2")
        .bind(kept.id)
        .bind(merged.id)
        .execute(&mut test.sql().await)
        .await
        .unwrap();
    let mut tx = test.app.db.tenant(tenant).await.unwrap();
    assert_eq!(find_by_phone(&mut tx, "+61491570156").await.unwrap().unwrap().id, kept.id);
    assert_eq!(find_by_phone(&mut tx, "+61491570157").await.unwrap(), None);
    drop(tx);
    let (found, created) = put(&test.app, tenant, person(None, Some("x@y.example"))).await;
    assert!(!created && found.id == kept.id);
}

#[tokio::test]
async fn two_tenants_share_a_person_and_neither_can_tell() {
    let test = TestApp::new().await;
    let (a, b) = (tenant(&test, "a").await, tenant(&test, "b").await);
    let (ours, _) = put(&test.app, a, person(Some("+61491570006"), None)).await;
    let (theirs, created) = put(&test.app, b, person(Some("+61491570006"), Some("dana@example.com"))).await;
    assert!(created, "a known person is a new contact to another tenant");
    test.settle().await;
    let people: Vec<Option<Uuid>> =
        sqlx::query_scalar("select person_id from patchbay.contacts where id = any($1)")
            .bind([ours.id, theirs.id])
            .fetch_all(&mut test.sql().await)
            .await
            .unwrap();
    let failed: Vec<(String, Option<String>)> =
        sqlx::query_as("select event_type, last_error from patchbay.outbox where processed_at is null or parked_at is not null")
            .fetch_all(&mut test.sql().await)
            .await
            .unwrap();
    assert_eq!(failed, []);
    assert!(people[0].is_some());
    assert_eq!(people[0], people[1]);
    for forbidden in [
        "select person_id from patchbay.contacts",
        "select * from patchbay.contacts",
        "select c::text from patchbay.contacts c",
        "update patchbay.contacts set person_id = gen_random_uuid()",
        "insert into patchbay.contacts (tenant_id, person_id) select patchbay.current_tenant(), gen_random_uuid()",
        "select count(*) from patchbay.people",
        "select * from patchbay.person_phones",
        "select patchbay.resolve_person('+61491570006', null, null, null)",
    ] {
        let mut tx = test.app.db.tenant(a).await.unwrap();
        let refused = sqlx::query(forbidden).execute(tx.conn()).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{forbidden}");
    }
}
