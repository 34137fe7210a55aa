use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures::{FutureExt, StreamExt};

use super::*;
use crate::{
    auth::{Actor, Scope, create_key},
    tests::{Browser, Office, TestApp},
};

#[tokio::test]
async fn closing_ends_every_stream() {
    let realtime = Realtime::default();
    let mut before = realtime.subscribe();
    realtime.tell(Change { tenant: Uuid::nil(), events: Arc::from([]) });
    realtime.close();
    assert!(before.recv().await.is_ok(), "what was told is still read");
    assert!(matches!(before.recv().await, Err(RecvError::Closed)));
    assert!(matches!(realtime.subscribe().recv().await, Err(RecvError::Closed)));
}

/// An open line, after its greeting.
async fn line(test: &TestApp, request: axum::http::request::Builder) -> BodyDataStream {
    let response =
        tower::ServiceExt::oneshot(test.router.clone(), request.body(Body::empty()).unwrap()).await;
    let response = response.unwrap();
    assert_eq!(response.status(), 200);
    let mut line = response.into_body().into_data_stream();
    let hello = line.next().await.unwrap().unwrap();
    assert!(hello.starts_with(b"event: hello"), "{hello:?}");
    line
}

/// Reads to the end; a line that stays open fails the test.
async fn ends(line: BodyDataStream) {
    let end = line.for_each(|_| async {});
    tokio::time::timeout(Duration::from_secs(20), end).await.expect("the line is closed");
}

#[tokio::test]
async fn a_line_ends_with_the_right_to_it() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let mut owner = Browser::with_session(&test, &ace.session);
    let mut stays = line(&test, owner.request("GET", "/events")).await;

    let mut signing_out = Browser::member(&test, "ace", "a@ace.example", Role::Viewer).await;
    let open = line(&test, signing_out.request("GET", "/events")).await;
    signing_out.post("/sign-out", &[]).await.expect(303);
    ends(open).await;

    let removed = Browser::member(&test, "ace", "b@ace.example", Role::Admin).await;
    let open = line(&test, removed.request("GET", "/events")).await;
    let user = test.text("select id::text from patchbay.users where email = 'b@ace.example'").await;
    owner.post(&format!("/settings/members/{user}/remove"), &[]).await.expect(303);
    ends(open).await;

    let key = create_key(&test.app, ace.id, &Actor::system(), "screen", Scope::Read).await.unwrap();
    let bearer = format!("Bearer {}", key.key);
    let request = axum::http::Request::builder().uri("/api/events").header("authorization", bearer);
    let open = line(&test, request).await;
    owner.post(&format!("/settings/api-keys/{}/revoke", key.id), &[]).await.expect(303);
    ends(open).await;

    let idle = Browser::member(&test, "ace", "c@ace.example", Role::Viewer).await;
    let open = line(&test, idle.request("GET", "/events")).await;
    assert!(stays.next().now_or_never().is_none(), "somebody else's end is not this one's");
    test.clock.advance(chrono::TimeDelta::days(8));
    ends(open).await;
    ends(stays).await;
}
