//! Drafts: checked, looked at, tried out.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Desk, id_of};

#[tokio::test]
async fn drafts_are_checked() {
    let desk = Desk::open(0).await;
    let (t, key) = (&desk.t, &desk.office.key);
    let nobody = t.id();
    for (body, field) in [
        (json!({ "name": " " }), "name"),
        (json!({ "name": "x".repeat(121) }), "name"),
        (json!({ "name": "x", "template_ids": [nobody] }), "template_ids"),
        (json!({ "name": "x", "segment_id": nobody }), "segment_id"),
        (json!({ "name": "x", "sender_id": nobody }), "sender_id"),
        (json!({ "name": "x", "channel": "email", "template_ids": [desk.template] }), "template_ids"),
    ] {
        let reply = t.api(key, "POST", "/api/campaigns", body.clone()).await.expect(422).json();
        assert!(reply["errors"][field].is_string(), "{body} {reply}");
    }
    let id =
        id_of(&t.api(key, "POST", "/api/campaigns", json!({ "name": "Empty" })).await.expect(201).json());
    t.api(key, "POST", &format!("/api/campaigns/{id}/launch"), Value::Null).await.expect(422);
    t.api(key, "DELETE", &format!("/api/campaigns/{id}"), Value::Null).await.expect(204);
    t.get(key, &format!("/api/campaigns/{id}")).await.expect(404);
    // Nobody to write to is soon done.
    let id = desk.launched().await;
    t.settle().await;
    assert_eq!(desk.get(id).await["status"], "finished");
}

#[tokio::test]
async fn a_sender_that_cannot_be_answered_needs_a_link() {
    let desk = Desk::open(2).await;
    desk.t.execute("insert into patchbay.senders (tenant_id, channel, address, provider, name_registered) select id, 'sms', 'Brightside', 'fake', true from patchbay.tenants").await;
    let sender: Uuid = desk
        .t
        .text("select id::text from patchbay.senders where address = 'Brightside'")
        .await
        .parse()
        .unwrap();
    let id = desk.draft(json!({ "sender_id": sender })).await;
    let look = desk
        .t
        .api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/preview"), json!({}))
        .await
        .expect(200)
        .json();
    assert!(look[0]["text"].as_str().unwrap().contains("\nOpt out: https://"), "{look}");
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    desk.t.settle().await;
    assert_eq!(desk.totals(id).await["delivered"], 2);
    let own = "select count(distinct body) from patchbay.messages where body like '%Opt out: https://%/u/%' and body not like '%STOP%'";
    assert_eq!(desk.t.scalar(own).await, 2, "a link of one's own");
    desk.t.clock.advance(TimeDelta::days(91));
    // Looked at and tried out.
    let id = desk.draft(json!({})).await;
    let look = desk
        .t
        .api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/preview"), json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(look[0]["text"], "Hi Dana, spring sale this week.\nReply STOP to opt out");
    let test = json!({ "to": "0400 000 009" });
    desk.t.api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/test"), test).await.expect(202);
    desk.t.settle().await;
    assert_eq!(
        desk.t
            .scalar("select count(*) from patchbay.messages where kind = 'test' and status = 'delivered'")
            .await,
        1
    );
    desk.t
        .api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/test"), json!({ "to": "x" }))
        .await
        .expect(422);
}
