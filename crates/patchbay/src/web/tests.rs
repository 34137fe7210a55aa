//! Errors as programs and people see them, headers, idempotency keys.

use axum::{body::Body, http::Request};

use crate::tests::TestApp;

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
