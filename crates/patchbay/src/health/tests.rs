use axum::{body::Body, http::Request};

use crate::tests::TestApp;

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_node_that_lives_and_can_work_says_so() {
    let test = TestApp::new().await;
    let live = test.request(get("/health")).await.expect(200).json();
    assert_eq!(live["status"], "ok");
    let ready = test.request(get("/health/ready")).await.expect(200).json();
    assert_eq!(ready["status"], "ready");
    assert_eq!(ready["dispatcher_lag_seconds"], 0.0);
    assert_eq!(ready["parked_events"], 0);
}

#[tokio::test]
async fn the_backlog_is_the_age_of_the_oldest_due_work() {
    let test = TestApp::new().await;
    let mut sql = test.sql().await;
    sqlx::raw_sql(
        "insert into patchbay.tenants (id, name, slug) values
           ('00000000-0000-0000-0000-00000000000a', 'A', 'a'), ('00000000-0000-0000-0000-00000000000b', 'B', 'b');
         insert into patchbay.messages (tenant_id, direction, channel, kind, status, priority, dedupe_key, to_address, body, send_after) values
           ('00000000-0000-0000-0000-00000000000a', 'outbound', 'sms', 'test', 'queued', 2, '1', '+15005550006', 'x', now() - interval '90 seconds'),
           ('00000000-0000-0000-0000-00000000000b', 'outbound', 'sms', 'test', 'queued', 0, '2', '+15005550006', 'x', now() - interval '30 seconds'),
           ('00000000-0000-0000-0000-00000000000b', 'outbound', 'sms', 'test', 'queued', 0, '3', '+15005550006', 'x', now() + interval '1 day');
         insert into patchbay.outbox (tenant_id, event_type, next_attempt_at, parked_at) values
           ('00000000-0000-0000-0000-00000000000b', 'x', now() - interval '1 hour', now()),
           ('00000000-0000-0000-0000-00000000000b', 'x', now() - interval '5 minutes', null)",
    )
    .execute(&mut sql)
    .await
    .unwrap();
    test.clock.advance(chrono::Duration::seconds(10));
    let ready = test.request(get("/health/ready")).await.expect(200).json();
    let lag = |name: &str| ready[name].as_f64().unwrap();
    assert!((95.0..160.0).contains(&lag("dispatcher_lag_seconds")), "{ready}");
    assert!((305.0..370.0).contains(&lag("outbox_lag_seconds")), "{ready}");
    assert_eq!(ready["parked_events"], 1);
    // The work is only there to be measured.
    sqlx::raw_sql("delete from patchbay.messages; delete from patchbay.outbox")
        .execute(&mut sql)
        .await
        .unwrap();
}

#[tokio::test]
async fn without_a_database_a_node_lives_but_is_not_ready() {
    let test = TestApp::new().await;
    test.app.db.close().await;
    test.request(get("/health")).await.expect(200);
    let ready = test.request(get("/health/ready")).await.expect(503).json();
    assert_eq!((ready["status"].as_str(), ready["database"].as_bool()), (Some("unavailable"), Some(false)));
}

#[tokio::test]
async fn numbers_are_open_unless_a_token_is_set() {
    let test = TestApp::new().await;
    test.request(get("/metrics")).await.expect(200);
    let guarded = TestApp::with_env(&[("PATCHBAY_METRICS_TOKEN", "scrape")]).await;
    guarded.request(get("/metrics")).await.expect(401);
    let with =
        |token: &str| Request::get("/metrics").header("authorization", token).body(Body::empty()).unwrap();
    guarded.request(with("Bearer wrong")).await.expect(401);
    guarded.request(with("Bearer scrape")).await.expect(200);
}
