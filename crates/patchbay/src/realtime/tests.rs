use axum::{
    body::{Body, BodyDataStream},
    http::Request,
};
use futures::{FutureExt, StreamExt};
use serde_json::json;
use tower::ServiceExt;

use super::*;
use crate::{
    auth::{Actor, Scope, create_key},
    tests::{Browser, Office, TestApp},
};

#[tokio::test]
async fn closing_ends_every_stream() {
    let realtime = Realtime::default();
    let (_, mut before) = realtime.subscribe(Uuid::nil(), None);
    realtime.tell(Change { tenant: Uuid::nil(), events: Arc::from([]), made_by: 0 });
    realtime.close();
    assert!(before.recv().await.is_ok(), "what was told is still read");
    assert!(matches!(before.recv().await, Err(RecvError::Closed)));
    assert!(matches!(realtime.subscribe(Uuid::nil(), None).1.recv().await, Err(RecvError::Closed)));
}

/// What the page says that it is as new as.
async fn as_of(t: &TestApp, session: &str) -> String {
    let page = Browser::with_session(t, session).get("/contacts").await.expect(200).text;
    let (_, rest) = page.split_once(r#"<meta name="as-of" content=""#).expect("the page says so");
    rest.split_once('"').unwrap().0.to_owned()
}

/// The page's stream, from its first word on.
async fn stream_of(t: &TestApp, session: &str, since: &str) -> BodyDataStream {
    let request = Request::builder()
        .uri(format!("/events?since={since}"))
        .header("cookie", format!("__Host-session={session}"))
        .body(Body::empty())
        .unwrap();
    t.router.clone().oneshot(request).await.unwrap().into_body().into_data_stream()
}

/// The topics of the next change, or nothing if there is none at hand.
async fn next_change(stream: &mut BodyDataStream) -> Option<String> {
    let mut text = String::new();
    while let Ok(Some(Ok(bytes))) = tokio::time::timeout(Duration::from_millis(300), stream.next()).await {
        text.push_str(&String::from_utf8_lossy(&bytes));
        let change = text
            .split("\n\n")
            .filter(|event| event.contains("event: change"))
            .find_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned));
        if change.is_some() {
            return change;
        }
    }
    None
}

#[tokio::test]
async fn a_page_hears_of_what_happened_on_its_way() {
    let t = TestApp::new().await;
    let (office, other) = (Office::open(&t, "brightside").await, Office::open(&t, "harbour").await);
    let before_anybody_listened = as_of(&t, &office.session).await;
    t.execute("select pg_current_xact_id()").await;
    let app = t.app.clone();
    let listener = tokio::spawn(async move { app.realtime.run(&app.db).await });
    // The listener is there once a change comes through.
    let (_, mut changes) = t.app.realtime.subscribe(office.id, None);
    let make = async |key: &str| {
        t.api(key, "POST", "/api/contacts", json!({ "first_name": "Dana" })).await.expect(201);
    };
    while !tokio::time::timeout(Duration::from_millis(200), changes.recv())
        .await
        .is_ok_and(|change| change.is_ok_and(|change| change.tenant == office.id))
    {
        make(&office.key).await;
    }

    let since = as_of(&t, &office.session).await;
    let mut quiet = stream_of(&t, &office.session, &since).await;
    make(&other.key).await;
    assert_eq!(next_change(&mut quiet).await, None, "nothing happened here");

    make(&office.key).await;
    // Whatever is heard by the time the page opens its stream was told before: so it must be told again.
    assert!(next_change(&mut quiet).await.is_some_and(|topics| topics.contains("contacts")));
    let mut late = stream_of(&t, &office.session, &since).await;
    assert!(next_change(&mut late).await.is_some_and(|topics| topics.contains("contacts")));
    let mut of_others = stream_of(&t, &other.session, &as_of(&t, &other.session).await).await;
    assert_eq!(next_change(&mut of_others).await, None);
    let mut new = stream_of(&t, &office.session, &as_of(&t, &office.session).await).await;
    assert_eq!(next_change(&mut new).await, None, "a newer page has seen it");
    // From before anybody listened, or nonsense: everything may be news.
    for old in [before_anybody_listened.as_str(), "nonsense"] {
        let mut stream = stream_of(&t, &office.session, old).await;
        assert_eq!(next_change(&mut stream).await.as_deref(), Some("*"), "{old}");
    }
    listener.abort();
}

/// An open line, after its greeting.
async fn line(test: &TestApp, request: axum::http::request::Builder) -> BodyDataStream {
    let response = test.router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
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
    let request = Request::builder().uri("/api/events").header("authorization", bearer);
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
