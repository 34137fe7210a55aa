//! Who may call what, read from the route table, so that no route is forgotten.

use axum::{body::Body, http::Request};
use serde_json::json;

use super::{Browser, Office, TestApp};
use crate::{
    auth::{Actor, Role, Scope, create_key},
    ids,
    web::routes::{Access, Route},
};

/// The route's path with an id that is nobody's.
fn path_of(test: &TestApp, route: &Route) -> String {
    let id = test.id().to_string();
    route
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { id.as_str() } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// Whether the route answers with a stream, which a test cannot read to its end.
pub(super) fn is_stream(route: &Route) -> bool {
    ["/events", "/api/events"].contains(&route.path)
}

fn without_credentials(test: &TestApp, route: &Route) -> Request<Body> {
    Request::builder()
        .method(route.method.clone())
        .uri(path_of(test, route))
        .header("accept", "text/html")
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn without_credentials_nothing_opens() {
    let test = TestApp::new().await;
    for route in &test.routes {
        let reply = test.request(without_credentials(&test, route)).await;
        let name = format!("{} {}", route.method, route.path);
        match route.access {
            Access::Public | Access::Signed => assert_ne!(reply.status, 500, "{name}"),
            Access::SignedIn | Access::Page(_) => {
                assert_eq!(reply.status, 303, "{name}");
                assert!(reply.headers["location"].to_str().unwrap().starts_with("/sign-in"), "{name}");
            }
            Access::Api(_) | Access::Ingest => assert_eq!(reply.status, 401, "{name}"),
        }
    }
}

/// A new public route is a decision: it is added here.
#[tokio::test]
async fn public_routes_are_known() {
    let test = TestApp::new().await;
    let known = [
        "/",
        "/sign-in",
        "/assets/",
        "/favicon.ico",
        "/api/openapi.json",
        "/api/docs",
        "/q/",
        "/u/",
        "/health",
        "/metrics",
        "/webhooks/",
    ];
    for route in test.routes.iter().filter(|route| route.access == Access::Public) {
        let is_known = known
            .iter()
            .any(|known| route.path == *known || (known.len() > 1 && route.path.starts_with(known)));
        assert!(is_known, "{} {} is public", route.method, route.path);
    }
}

#[tokio::test]
async fn keys_reach_as_far_as_their_scope() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let system = Actor::system();
    let ingest = create_key(&test.app, ace.id, &system, "form", Scope::Ingest).await.unwrap().key;
    for route in &test.routes {
        let (method, path, name) =
            (route.method.as_str(), path_of(&test, route), format!("{} {}", route.method, route.path));
        let status = async |key: &str| test.api(key, method, &path, json!({})).await.status.as_u16();
        match route.access {
            Access::Api(role) => {
                assert_eq!(status(&ingest).await, 403, "{name}");
                if !is_stream(route) {
                    assert_eq!(status(&ace.reader).await == 403, role > Role::Viewer, "{name}");
                }
                assert!(role <= Role::Admin, "{name} is for owners, whom no key is");
                assert!(status("pb_wrong").await == 401, "{name}");
                // A session is no key: no page can call the API with somebody's cookie.
                let request = Request::builder()
                    .method(method)
                    .uri(&path)
                    .header("cookie", format!("__Host-session={}", ace.session));
                assert_eq!(test.request(request.body(Body::empty()).unwrap()).await.status, 401, "{name}");
            }
            Access::Ingest => {
                assert_eq!(status(&ace.reader).await, 403, "{name}");
                assert!(!matches!(status(&ingest).await, 401 | 403 | 500), "{name}");
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn members_reach_as_far_as_their_role() {
    let test = TestApp::new().await;
    Office::open(&test, "ace").await;
    for (role, email) in
        [(Role::Viewer, "v@ace.example"), (Role::Member, "m@ace.example"), (Role::Admin, "a@ace.example")]
    {
        let mut browser = Browser::member(&test, "ace", email, role).await;
        for route in &test.routes {
            let Access::Page(least) = route.access else { continue };
            if least <= role && (route.method == "GET" || is_stream(route)) {
                continue;
            }
            let path = path_of(&test, route);
            let reply =
                if route.method == "GET" { browser.get(&path).await } else { browser.post(&path, &[]).await };
            let name = format!("{} {} as {}", route.method, route.path, role.as_str());
            if least > role {
                assert_eq!(reply.status, 403, "{name}");
            } else {
                assert!(
                    reply.status != 403 && !reply.status.is_server_error(),
                    "{name}: {} {}",
                    reply.status,
                    reply.text
                );
            }
        }
    }
}

#[tokio::test]
async fn without_enforcement_members_are_admins_but_not_owners() {
    let test = TestApp::with_env(&[("PATCHBAY_ENFORCE_ROLES", "false")]).await;
    Office::open(&test, "ace").await;
    let mut viewer = Browser::member(&test, "ace", "v@ace.example", Role::Viewer).await;
    viewer.get("/settings/audit").await.expect(200);
    let refused = viewer.post("/settings/members", &[("email", "x@ace.example"), ("role", "owner")]).await;
    assert_eq!(refused.status, 422);
}

#[tokio::test]
async fn one_tenant_is_not_switched() {
    let test = TestApp::with_env(&[("PATCHBAY_SINGLE_TENANT", "true")]).await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    crate::auth::add_user(&test.app, "bee", "ace@example.com", Role::Viewer).await.unwrap();
    let mut browser = Browser::with_session(&test, &ace.session);
    let page = browser.get("/settings/members").await.expect(200).text;
    assert!(!page.contains("Switch business"));
    browser.post("/tenant/switch", &[("tenant_id", &bee.id.to_string())]).await.expect(403);
    // A made-up session is none.
    Browser::with_session(&test, &ids::new_secret("")).get("/account").await.expect(303);
}
