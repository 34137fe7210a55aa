//! The page of the log.

use serde_json::json;

use super::Kind;
use crate::tests::{Browser, Office, TestApp};

#[tokio::test]
async fn every_kind_can_be_asked_for_and_leads_to_its_thing() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let mut browser = Browser::with_session(&test, &office.session);
    let make = async |path: &str, body| {
        test.api(&office.key, "POST", path, body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
    };
    let campaign = make("/api/campaigns", json!({ "name": "Spring" })).await;
    let segment = make("/api/segments", json!({ "name": "All", "filter": { "all": [] } })).await;
    let template = make("/api/templates", json!({ "name": "Hello", "content": "Hi" })).await;
    let page = browser.get("/settings/audit").await.expect(200).text;
    for kind in Kind::ALL {
        assert!(page.contains(&format!("value=\"{}\"", kind.as_str())), "{kind:?} is not offered");
    }
    for (kind, path) in [
        (Kind::Campaign, format!("/campaigns/{campaign}")),
        (Kind::Segment, format!("/segments/{segment}")),
        (Kind::Template, format!("/templates/{template}")),
    ] {
        let page = browser.get(&format!("/settings/audit?entity={}", kind.as_str())).await.expect(200).text;
        assert!(page.contains(&format!("href=\"{path}\"")), "{kind:?}: {page}");
        assert_eq!(page.matches("created</a>").count(), 1, "{kind:?} alone: {page}");
        browser.get(&path).await.expect(200);
    }
    // Everybody and everything, as the form sends it.
    assert_eq!(
        browser.get("/settings/audit?entity=&actor=").await.expect(200).text.matches("created</a>").count(),
        3
    );
    test.api(&office.key, "DELETE", &format!("/api/segments/{segment}"), json!(null)).await.expect(204);
    let page = browser.get("/settings/audit?entity=segment").await.expect(200).text;
    assert!(page.contains("Segment deleted") && !page.contains("deleted</a>"), "{page}");
}
