//! The builder: what is typed survives every button and every refusal, and what is saved is what stood there.

use serde_json::{Value, json};

use super::base::people;
use crate::tests::{Browser, Office, TestApp};

/// A group "any of these" around a text condition and a distance, inside the outer group.
const FORM: [(&str, &str); 19] = [
    ("s", "g1"),
    ("j1", "all"),
    ("s", "c2"),
    ("f2", "status"),
    ("o2", "in"),
    ("v2", "lead"),
    ("v2", "active"),
    ("s", "g3"),
    ("j3", "none"),
    ("s", "c4"),
    ("f4", "source"),
    ("o4", "contains"),
    ("v4", "<Fair & \"Expo\">"),
    ("s", "c5"),
    ("f5", "last_replied_at"),
    ("o5", "within"),
    ("v5", "14"),
    ("v5", "d"),
    ("s", "e"),
];

fn saved() -> Value {
    json!({"all": [
        {"field": "status", "op": "in", "value": ["lead", "active"]},
        {"not": {"any": [
            {"field": "source", "op": "contains", "value": "<Fair & \"Expo\">"},
            {"field": "last_replied_at", "op": "after", "value": "-14d"},
        ]}},
    ]})
}

#[tokio::test]
async fn what_is_built_is_saved_and_comes_back() {
    let test = TestApp::new().await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    people(&test, &ace).await;
    let mut browser = Browser::with_session(&test, &ace.session);
    // The filters of the list of contacts become the first conditions.
    let begun = browser
        .get("/segments/new?status=lead&status=active&owner=none&stage=New&q=x")
        .await
        .expect(200)
        .text;
    assert_eq!(begun.matches("class=\"segment-row\"").count(), 3, "{begun}");
    let mut form = FORM.to_vec();
    form.extend([("s", "e"), ("name", "Fair visitors")]);
    browser.post("/segments", &form).await.expect(303);
    let listed = test.get(&ace.key, "/api/segments").await.expect(200).json();
    assert_eq!(listed["data"][0]["filter"], saved());
    let path = format!("/segments/{}", listed["data"][0]["id"].as_str().unwrap());
    let page = browser.get(&path).await.expect(200).text;
    for kept in
        ["Fair visitors", "&#60;Fair &#38; &#34;Expo&#34;&#62;", "value=\"14\"", "value=\"none\" selected"]
    {
        assert!(page.contains(kept), "{kept} in {page}");
    }
    assert!(browser.get("/segments").await.expect(200).text.contains("Fair visitors"));
    browser.get(&format!("{path}/size")).await.expect(200);
    let mut stranger = Browser::with_session(&test, &bee.session);
    stranger.get(&path).await.expect(404);
    stranger.post(&path, &form).await.expect(404);
    stranger.post(&format!("{path}/delete"), &[]).await.expect(404);
    browser.post(&format!("{path}/delete"), &[]).await.expect(303);
    browser.get(&path).await.expect(404);
}

#[tokio::test]
async fn buttons_and_refusals_keep_what_is_typed() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let mut browser = Browser::with_session(&test, &ace.session);
    let with = |more: &[(&'static str, &'static str)]| {
        let mut form = FORM.to_vec();
        form.push(("s", "e"));
        form.extend_from_slice(more);
        form
    };
    let rows = |page: &str| page.matches("class=\"segment-row\"").count();
    let groups = |page: &str| page.matches("class=\"segment-group\"").count();
    for (wish, wanted) in [
        ("add-3", (4, 2)),
        ("group-1", (4, 3)),
        ("remove-4", (2, 2)),
        ("remove-3", (1, 1)),
        ("nonsense", (3, 2)),
    ] {
        let page = browser
            .post("/segments/builder", &with(&[("do", wish), ("name", "Half done")]))
            .await
            .expect(200)
            .text;
        assert_eq!((rows(&page), groups(&page)), wanted, "{wish}");
        assert!(page.contains("Half done"), "{wish}");
    }
    let refused = browser.post("/segments", &with(&[("name", "")])).await.expect(422).text;
    assert!(refused.contains("Give the segment a name.") && rows(&refused) == 3, "{refused}");
    let mut incomplete = with(&[("name", "Kept")]);
    incomplete.retain(|(name, value)| *name != "v4" && *value != "d");
    let refused = browser.post("/segments", &incomplete).await.expect(422).text;
    assert!(refused.contains("Give a value.") && refused.contains("value=\"Kept\""), "{refused}");
    // What no page of ours sends is taken for what can be made of it.
    for form in [
        vec![],
        vec![("s", "e")],
        vec![("s", "g1"), ("s", "g2"), ("s", "g3")],
        vec![("s", "c1"), ("f1", "'")],
        vec![("s", "é"), ("s", "gé")],
    ] {
        browser.post("/segments/builder", &form).await.expect(200);
        browser.post("/segments/preview", &form).await.expect(200);
    }
    assert_eq!(test.scalar("select count(*) from patchbay.segments").await, 0);
}
