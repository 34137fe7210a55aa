//! Errors as programs and people see them, headers, idempotency keys.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use super::idempotency;
use crate::tests::{Office, TestApp};

#[tokio::test]
async fn what_does_not_exist_is_told_to_each_in_their_way() {
    let test = TestApp::new().await;
    let get = |path: &str, accept: &str| {
        let request = Request::get(path.to_owned()).header("accept", accept).body(Body::empty()).unwrap();
        test.request(request)
    };
    let page = get("/nowhere", "text/html").await.expect(404);
    assert!(page.text.contains("Nothing is here"), "{}", page.text);
    assert_eq!(page.headers["cache-control"], "no-store");
    let program = get("/api/nowhere", "*/*").await.expect(404);
    assert_eq!(program.headers["content-type"], "application/problem+json");
    assert_eq!(program.json()["status"], 404);
    let request = Request::get("/nowhere").header("hx-request", "true").body(Body::empty()).unwrap();
    let toast = test.request(request).await.expect(404);
    assert_eq!(toast.headers["content-type"], "text/plain; charset=utf-8");
    let request = Request::delete("/api/openapi.json").body(Body::empty()).unwrap();
    let wrong = test.request(request).await.expect(405);
    assert!(wrong.headers["allow"].to_str().unwrap().contains("GET"));
}

#[tokio::test]
async fn answers_carry_the_headers_of_a_careful_site() {
    let test = TestApp::new().await;
    let reply = test.request(Request::get("/api/docs").body(Body::empty()).unwrap()).await.expect(200);
    let policy = reply.headers["content-security-policy"].to_str().unwrap();
    for part in ["script-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
    assert!(reply.headers["strict-transport-security"].to_str().unwrap().contains("max-age=63072000"));
    assert!(reply.headers.contains_key("x-request-id"));
    assert!(!reply.text.contains("style=") && !reply.text.contains("<script>"));
}

#[tokio::test]
async fn a_key_makes_a_request_happen_once() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let post = |key: &'static str, body: Value| {
        let (test, token) = (&test, ace.key.clone());
        async move { test.api_with(&token, "POST", "/api/senders", body, &[("idempotency-key", key)]).await }
    };
    let sender = |address: &str| json!({ "channel": "sms", "address": address, "provider": "fake" });
    let first = post("k1", sender("+61412345678")).await.expect(201);
    let again = post("k1", sender("+61412345678")).await.expect(201);
    assert_eq!(first.text, again.text);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.headers["content-type"], first.headers["content-type"]);
    post("k1", sender("+61412345679")).await.expect(409);
    let other_route = [("idempotency-key", "k1")];
    test.api_with(&ace.key, "POST", "/api/provider-accounts", sender("+61412345678"), &other_route)
        .await
        .expect(409);
    // Another tenant's key of the same name is another key.
    let bee = Office::open(&test, "bee").await;
    test.api_with(&bee.key, "POST", "/api/senders", sender("+61412345679"), &other_route).await.expect(201);
    // What was refused may be tried again with the same key.
    post("k2", sender("12")).await.expect(422);
    post("k2", sender("+61412345677")).await.expect(201);
    for bad in ["", "\u{7f}"] {
        let headers = [("idempotency-key", bad)];
        if axum::http::HeaderValue::from_str(bad).is_ok() {
            test.api_with(&ace.key, "POST", "/api/senders", sender("+61412345676"), &headers)
                .await
                .expect(400);
        }
    }
    test.clock.advance(chrono::TimeDelta::hours(25));
    post("k1", sender("+61412345675")).await.expect(201);
    assert_eq!(idempotency::forget_old(&test.app).await.unwrap(), 2, "k2, and that of the other tenant");
}

#[tokio::test]
async fn of_many_at_once_with_one_key_one_is_done() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let headers = [("idempotency-key", "same")];
    let body = json!({ "channel": "sms", "address": "+61412345678", "provider": "fake" });
    let sent = (0..8).map(|_| test.api_with(&ace.key, "POST", "/api/senders", body.clone(), &headers));
    let replies = futures::future::join_all(sent).await;
    let fresh =
        replies.iter().filter(|one| one.status == 201 && !one.headers.contains_key("idempotency-replayed"));
    assert_eq!(fresh.count(), 1);
    assert!(replies.iter().all(|one| one.status == 201 || one.status == 409));
}

#[tokio::test]
async fn what_was_cut_off_is_not_done_twice() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let headers = [("idempotency-key", "cut")];
    let body = json!({ "channel": "sms", "address": "+61412345678", "provider": "fake" });
    test.api_with(&ace.key, "POST", "/api/senders", body.clone(), &headers).await.expect(201);
    test.execute("update patchbay.idempotency_keys set status = null, response = null").await;
    let busy = test.api_with(&ace.key, "POST", "/api/senders", body.clone(), &headers).await.expect(409);
    assert!(busy.text.contains("under way"));
    test.clock.advance(chrono::TimeDelta::minutes(3));
    let unknown = test.api_with(&ace.key, "POST", "/api/senders", body, &headers).await.expect(409);
    assert!(unknown.text.contains("may have been done"));
}

#[tokio::test]
async fn bodies_are_limited_and_typed() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let request = |media: &str, body: Vec<u8>| {
        let bearer = format!("Bearer {}", ace.key);
        Request::post("/api/senders")
            .header("authorization", bearer)
            .header("content-type", media)
            .body(Body::from(body))
            .unwrap()
    };
    test.request(request("application/json", vec![b' '; 3 << 20])).await.expect(413);
    test.request(request("text/plain", b"{}".to_vec())).await.expect(415);
    test.request(request("application/json", b"{".to_vec())).await.expect(400);
    test.request(request("application/json", vec![0xff, 0xfe])).await.expect(400);
    test.request(request("application/json", b"[]".to_vec())).await.expect(422);
}

#[tokio::test]
async fn every_route_of_the_api_is_described() {
    let test = TestApp::new().await;
    let described = serde_json::to_value(crate::openapi::document()).unwrap();
    let missing: Vec<String> = test
        .routes
        .iter()
        .filter(|route| {
            route.path.starts_with("/api/") && matches!(route.access, super::routes::Access::Api(_))
        })
        .filter(|route| described["paths"][route.path].get(route.method.as_str().to_lowercase()).is_none())
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert!(missing.is_empty(), "not in the API's description: {missing:#?}");
}

/// The browser tests read the same file, and open what it calls a page at every width and in both themes.
#[tokio::test]
async fn every_page_is_known_to_the_browser_tests() {
    let test = TestApp::new().await;
    let known: std::collections::BTreeMap<String, Vec<String>> =
        serde_json::from_str(include_str!("../../../../e2e/support/pages.json")).unwrap();
    let known: std::collections::BTreeSet<&str> = known.values().flatten().map(String::as_str).collect();
    let seen = test.routes.iter().filter(|route| {
        use super::routes::Access;
        route.method == axum::http::Method::GET
            && matches!(route.access, Access::Public | Access::SignedIn | Access::Page(_))
    });
    let seen: std::collections::BTreeSet<&str> = seen.map(|route| route.path).collect();
    let forgotten: Vec<_> = seen.difference(&known).collect();
    let gone: Vec<_> = known.difference(&seen).collect();
    assert!(
        forgotten.is_empty() && gone.is_empty(),
        "not in pages.json: {forgotten:#?}; only there: {gone:#?}"
    );
}
