use serde_json::{Value, json};
use uuid::Uuid;

use super::merge::caller;
use crate::{
    auth::Role,
    contacts::duplicates,
    tests::{Browser, Office, TestApp},
};

/// Ids of the suggested groups, in their order.
async fn groups(test: &TestApp, office: &Office) -> Vec<Vec<Uuid>> {
    let reply = test.get(&office.key, "/api/duplicates").await.expect(200).json();
    let ids = |group: &Value| {
        let contacts = group["contacts"].as_array().unwrap();
        contacts.iter().map(|contact| contact["id"].as_str().unwrap().parse().unwrap()).collect()
    };
    reply["data"].as_array().unwrap().iter().map(ids).collect()
}

#[tokio::test]
async fn who_was_told_apart_is_not_suggested_again_until_somebody_doubts_it() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let mut rosa = Browser::with_session(&test, &office.session);
    let one = office.contact(&test, "Dana", Some("+61491570006")).await;
    let two = office.contact(&test, "Dana", Some("+61491570156")).await;
    let three = office.contact(&test, "Dana", Some("+61491570157")).await;
    assert_eq!(groups(&test, &office).await, [vec![one, two, three]]);

    // Whichever is named first, it is the same pair.
    let apart = format!("/contacts/{two}/distinct/{one}");
    rosa.post(&apart, &[]).await.expect(303);
    rosa.post(&apart, &[]).await.expect(303);
    assert_eq!(groups(&test, &office).await, [vec![one, three]], "the third may still be the first");
    let alike = rosa.get(&format!("/contacts/{one}/alike")).await.expect(200).text;
    assert!(alike.contains(&three.to_string()) && !alike.contains(&two.to_string()), "{alike}");
    let compare = format!("/contacts/{one}/merge?with={two}");
    assert!(rosa.get(&compare).await.expect(200).text.contains("these are two people"));

    let path = format!("/api/contacts/{one}/distinct/{three}");
    test.api(&office.key, "PUT", &path, json!({})).await.expect(204);
    assert_eq!(groups(&test, &office).await, [vec![two, three]], "or the second");
    test.api(&office.key, "DELETE", &path, json!({})).await.expect(204);
    rosa.post(&format!("{apart}/undo"), &[]).await.expect(303);
    assert_eq!(groups(&test, &office).await, [vec![one, two, three]]);
    let written = test
        .text("select string_agg(action, ' ' order by id) from patchbay.audit_log where action like '%told_apart%'")
        .await;
    assert_eq!(
        written,
        "contact.told_apart contact.told_apart contact.told_apart_undone contact.told_apart_undone"
    );

    rosa.post(&format!("/contacts/{one}/distinct/{one}"), &[]).await.expect(422);
    rosa.post(&format!("/contacts/{one}/distinct/{}", test.id()), &[]).await.expect(404);
    let mut viewer = Browser::member(&test, "ace", "v@ace.example", Role::Viewer).await;
    viewer.post(&apart, &[]).await.expect(403);
    test.settle().await;
}

#[tokio::test]
async fn among_many_contacts_a_worker_looks_and_the_list_is_there_at_once() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let caller = caller(&office);
    let mut rosa = Browser::with_session(&test, &office.session);
    let one = office.contact(&test, "Dana", Some("+61491570006")).await;
    let two = office.contact(&test, "Dana", Some("+61491570156")).await;
    let more = format!(
        "insert into patchbay.contacts (tenant_id, first_name, import_id) select '{}', 'N' || n, gen_random_uuid() from generate_series(1, 30) n",
        office.id
    );
    test.execute(&more).await;
    let page = rosa.get("/contacts/duplicates").await.expect(200).text;
    assert!(page.contains("Looking through all contacts") && page.contains("every 3s"), "{page}");
    test.settle().await;
    let page = rosa.get("/contacts/duplicates").await.expect(200).text;
    assert!(page.contains("Same name") && !page.contains("every 3s"), "{page}");

    // What is kept is old news: it is shown all the same, as far as it still stands.
    test.execute("update patchbay.reports set took_ms = 1000").await;
    let three = office.contact(&test, "Dana", Some("+61491570157")).await;
    let seen = async || {
        let mut tx = test.app.db.tenant(caller.tenant.id).await.unwrap();
        let seen = duplicates::list_at_once(&mut tx, test.app.now()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        seen.into_iter()
            .map(|group| group.contacts.iter().map(|one| one.id).collect())
            .collect::<Vec<Vec<Uuid>>>()
    };
    assert_eq!(seen().await, [vec![one, two]]);
    test.execute(&format!("update patchbay.contacts set last_name = 'Other' where id = '{two}'")).await;
    assert!(seen().await.is_empty(), "they are not alike any more");
    test.clock.advance(chrono::TimeDelta::minutes(6));
    assert!(seen().await.is_empty());
    test.settle().await;
    assert_eq!(seen().await, [vec![one, three]]);
}
