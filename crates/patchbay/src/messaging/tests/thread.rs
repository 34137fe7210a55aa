//! One conversation as its readers see it: its length, its notes, hostile text, who may do what.

use chrono::TimeDelta;
use serde_json::json;

use super::{contact_of, office, tenancy};
use crate::{
    auth::Role,
    tests::{Browser, TestApp},
};

#[tokio::test]
async fn a_long_conversation_is_read_backwards_without_gaps() {
    let t = TestApp::new().await;
    let (office, mut browser) = office(&t).await;
    let id = office.contact(&t, "Dana", Some("+61491570156")).await;
    t.execute(&format!(
        "insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body, created_at, send_after)
           select '{0}', patchbay.uuid_v7(), '{id}', 'inbound', 'sms', 'inbound', 'received', 'k' || n, '+15005550006', 'word ' || n || '.', now(), now() from generate_series(1, 110) n;
         insert into patchbay.notes (tenant_id, contact_id, author_label, body) select '{0}', '{id}', 'Sam', 'note ' || n || '.' from generate_series(1, 20) n",
        office.id
    ))
    .await;
    let mut path = format!("/conversations/{id}");
    let mut found = std::collections::BTreeSet::new();
    let mut pages = 0;
    loop {
        let request =
            browser.request("GET", &path).header("hx-request", "true").header("hx-request-type", "partial");
        let page = browser.send(request.body(axum::body::Body::empty()).unwrap()).await.expect(200);
        pages += 1;
        for word in (1..=110).map(|n| format!("word {n}.")).chain((1..=20).map(|n| format!("note {n}."))) {
            if page.text.contains(&format!(">{word}<")) {
                assert!(found.insert(word.clone()), "{word} twice");
            }
        }
        let Some(next) = page.text.split("earlier\" href=\"").nth(1).and_then(|rest| rest.split('"').next())
        else {
            break;
        };
        path = next.replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!((found.len(), pages), (130, 3));
}

#[tokio::test]
async fn a_viewer_reads_along_and_no_more() {
    let t = TestApp::new().await;
    let (office, mut owner) = office(&t).await;
    let id = office.contact(&t, "Dana", Some("+61491570156")).await;
    owner
        .post(&format!("/conversations/{id}/messages"), &[("channel", "sms"), ("body", "Hello")])
        .await
        .expect(303);
    let message = t.text("select id::text from patchbay.messages").await;
    let mut viewer = Browser::member(&t, "brightside", "kim@example.com", Role::Viewer).await;
    let page = viewer.get(&format!("/conversations/{id}")).await.expect(200);
    assert!(page.text.contains("You can read along") && page.text.contains(">Hello<"));
    for offered in ["data-composer", "/snooze", "/assign", "/done", "Cancel</button>", "/conversations/new"] {
        assert!(!page.text.contains(offered), "{offered}");
    }
    let until = (t.clock_now() + TimeDelta::hours(1)).to_rfc3339();
    for (path, fields) in [
        (format!("/conversations/{id}/messages"), vec![("channel", "sms"), ("body", "Hi")]),
        (format!("/conversations/{id}/notes"), vec![("body", "Hi")]),
        (format!("/conversations/{id}/assign"), vec![("assignee_id", "")]),
        (format!("/conversations/{id}/snooze"), vec![("until", until.as_str())]),
        (format!("/conversations/{id}/done"), vec![]),
        (format!("/conversations/{id}/review"), vec![("opted_out", "true")]),
        (format!("/messages/{message}/cancel"), vec![]),
        ("/compose/estimate".to_owned(), vec![("body", "Hi")]),
        ("/conversations/new".to_owned(), vec![("to", "+61491570157")]),
    ] {
        viewer.post(&path, &fields).await.expect(403);
    }
    // Looking is not reading for the others.
    t.execute("update patchbay.conversations set unread = 2").await;
    viewer.post(&format!("/conversations/{id}/read"), &[]).await.expect(204);
    assert_eq!(t.scalar("select unread from patchbay.conversations").await, 2);
    viewer.get(&format!("/messages/{message}/why")).await.expect(200);
    let reader = t
        .api(&office.reader, "PATCH", &format!("/api/conversations/{id}"), json!({ "status": "done" }))
        .await;
    assert_eq!(reader.status.as_u16(), 403);
}

#[tokio::test]
async fn notes_are_the_teams_and_their_authors() {
    let t = TestApp::new().await;
    let (office, mut owner) = office(&t).await;
    let id = office.contact(&t, "Dana", Some("+61491570156")).await;
    let mut sam = Browser::member(&t, "brightside", "sam@example.com", Role::Member).await;
    let mut lee = Browser::member(&t, "brightside", "lee@example.com", Role::Member).await;
    sam.post(&format!("/conversations/{id}/notes"), &[("body", "Flue looks undersized")]).await.expect(303);
    // Without script the composer's other mode posts like a message.
    sam.post(&format!("/conversations/{id}/messages"), &[("channel", "note"), ("body", "Second")])
        .await
        .expect(303);
    sam.post(&format!("/conversations/{id}/notes"), &[("body", " ")]).await.expect(422);
    assert_eq!(t.scalar("select count(*) from patchbay.messages").await, 0);
    let note = t.text("select id::text from patchbay.notes where body like 'Flue%'").await;
    assert!(!lee.get(&format!("/conversations/{id}")).await.text.contains("class=\"edit\""));
    lee.post(&format!("/conversations/{id}/notes/{note}"), &[("body", "No")]).await.expect(403);
    lee.post(&format!("/conversations/{id}/notes/{note}/delete"), &[]).await.expect(403);
    sam.post(&format!("/conversations/{id}/notes/{note}"), &[("body", "Flue is fine")]).await.expect(303);
    let page = owner.get(&format!("/conversations/{id}")).await.expect(200);
    assert!(page.text.contains(">Flue is fine<") && page.text.contains("edited"));
    sam.post(&format!("/conversations/{id}/notes/{note}/delete"), &[]).await.expect(303);
    assert_eq!(t.scalar("select count(*) from patchbay.notes").await, 1);
}

#[tokio::test]
async fn what_strangers_write_is_text_and_nothing_else() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    let hostile = "<script>alert(1)</script> \"><img src=x onerror=alert(2)> {{7*7}} javascript:alert(3) https://evil.example/\"onclick=\"x \u{202e}txet 👍🏽";
    t.receive(&who, "+12125550101", hostile, "SM1").await;
    t.settle().await;
    let id = contact_of(&t, &who, "+12125550101").await;
    t.execute(
        "update patchbay.contacts set first_name = '<b>Bobby</b>', properties = '{\"<i>\": \"<u>x</u>\"}'",
    )
    .await;
    browser
        .post(&format!("/conversations/{id}/notes"), &[("body", "</textarea><script>alert(4)</script>")])
        .await
        .expect(303);
    for path in [
        format!("/conversations/{id}"),
        "/inbox".to_owned(),
        "/inbox?q=alert".to_owned(),
        "/conversations/new".to_owned(),
    ] {
        let page = browser.get(&path).await.expect(200);
        for raw in ["<script>alert", "<img src=x", "<b>Bobby", "<u>x", "onclick=\"x", "href=\"javascript:"] {
            assert!(!page.text.contains(raw), "{raw} in {path}");
        }
    }
}
