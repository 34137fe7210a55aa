//! The people of a segment: all of them, each once, newest first, in the list and in the file.

use serde_json::json;
use uuid::Uuid;

use super::base::people;
use crate::{
    auth::Role,
    tests::{Browser, Office, TestApp},
};

#[tokio::test]
async fn everybody_is_listed_once_and_exported() {
    let test = TestApp::new().await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    people(&test, &ace).await;
    people(&test, &bee).await;
    let filter = json!({"all": [{"field": "status", "op": "is", "value": "lead"}]});
    let made = test.api(&ace.key, "POST", "/api/segments", json!({"name": "Leads", "filter": filter})).await;
    let id = made.expect(201).json()["id"].as_str().unwrap().to_owned();
    let wanted: Vec<Uuid> = sqlx::query_scalar(
        "select id from patchbay.contacts where tenant_id = $1 and status = 'lead' and archived_at is null order by id desc",
    )
    .bind(ace.id)
    .fetch_all(&mut test.sql().await)
    .await
    .unwrap();
    assert!(wanted.len() > 10);
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/segments/{id}/contacts?limit=7&cursor={cursor}");
        let page = test.get(&ace.reader, &path).await.expect(200).json();
        let ids =
            page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().parse::<Uuid>());
        found.extend(ids.map(Result::unwrap));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(found, wanted);
    let file = test.get(&ace.reader, &format!("/api/segments/{id}/export")).await.expect(200).text;
    let lines: Vec<&str> = file.trim_end().split("\r\n").collect();
    assert!(lines[0].starts_with("id,first_name,"), "{}", lines[0]);
    let ids: Vec<Uuid> =
        lines[1..].iter().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert_eq!(ids, wanted);

    let mut browser = Browser::with_session(&test, &ace.session);
    let page = browser.get(&format!("/segments/{id}/people?limit=7")).await.expect(200).text;
    assert_eq!(page.matches("data-row id=").count(), 7, "{page}");
    let next = page.split("/people?cursor=").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let next = browser.get(&format!("/segments/{id}/people?limit=7&cursor={next}")).await.expect(200).text;
    assert!(next.contains(&format!("c-{}", wanted[7])) && !next.contains(&format!("c-{}", wanted[6])));
    let mut viewer = Browser::member(&test, "ace", "v@ace.example", Role::Viewer).await;
    let seen = viewer.get(&format!("/segments/{id}/people")).await.expect(200).text;
    assert!(!seen.contains("/export"));
    viewer.get(&format!("/segments/{id}/export")).await.expect(403);
    let mut stranger = Browser::with_session(&test, &bee.session);
    stranger.get(&format!("/segments/{id}/people")).await.expect(404);
    test.get(&bee.key, &format!("/api/segments/{id}/contacts")).await.expect(404);
    test.get(&bee.key, &format!("/api/segments/{id}/export")).await.expect(404);
    test.execute("delete from patchbay.outbox").await;
}

/// One in a few thousand is not met on a walk along the newest.
#[tokio::test]
async fn the_rare_are_found_as_well() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    test.execute(&format!(
        "insert into patchbay.contacts (tenant_id, first_name, source)
           select '{}', 'N' || n, case when n in (1, 2, 2999) then 'Radio' end from generate_series(1, 3000) n;
         delete from patchbay.outbox",
        ace.id
    ))
    .await;
    let filter = json!({"all": [{"field": "source", "op": "is", "value": "Radio"}]});
    let made = test.api(&ace.key, "POST", "/api/segments", json!({"name": "Radio", "filter": filter})).await;
    let id = made.expect(201).json()["id"].as_str().unwrap().to_owned();
    let mut names = Vec::new();
    let mut path = format!("/api/segments/{id}/contacts?limit=2");
    loop {
        let page = test.get(&ace.reader, &path).await.expect(200).json();
        names.extend(
            page["data"].as_array().unwrap().iter().map(|one| one["first_name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/api/segments/{id}/contacts?limit=2&cursor={next}");
    }
    assert_eq!(names, ["N2999", "N2", "N1"]);
}
