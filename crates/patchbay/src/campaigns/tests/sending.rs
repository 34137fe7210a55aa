//! Everybody gets it once, in the words that were approved; who does not is accounted for.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Desk, id_of};
use crate::{messaging, tests::Browser};

#[tokio::test]
async fn everybody_gets_it_once() {
    let desk = Desk::open(25).await;
    let id = desk.launched().await;
    assert_eq!(desk.totals(id).await["queued"], 25);
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    desk.t.settle().await;
    let campaign = desk.get(id).await;
    assert_eq!(campaign["status"], "finished", "{campaign}");
    assert_eq!(campaign["totals"]["delivered"], 25);
    assert_eq!(desk.sends().await, 25);
    assert_eq!(desk.t.scalar("select count(*) from patchbay.campaign_recipients").await, 25);
    let texts = "select count(distinct body) from patchbay.messages where body like 'Hi P%, spring sale this week.%Reply STOP to opt out'";
    assert_eq!(desk.t.scalar(texts).await, 25);
    desk.t
        .api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/pause"), Value::Null)
        .await
        .expect(409);
    // A second one meets the suppression window.
    let second = desk.launched().await;
    desk.t.settle().await;
    let totals = desk.totals(second).await;
    assert_eq!(totals["blocked"], json!({ "suppression_window": 25 }), "{totals}");
    desk.t.clock.advance(TimeDelta::days(91));
    let third = desk.launched().await;
    desk.t.settle().await;
    assert_eq!(desk.totals(third).await["delivered"], 25);
}

#[tokio::test]
async fn what_was_approved_is_what_goes() {
    let desk = Desk::open(8).await;
    let (t, tenant) = (&desk.t, desk.office.id);
    t.execute("update patchbay.contacts set state = 'NSW' where right(phone_e164, 1)::int <= 5").await;
    let filter = json!({ "all": [{ "field": "state", "op": "is", "value": "NSW" }] });
    let segment =
        t.api(&desk.office.key, "POST", "/api/segments", json!({ "name": "East", "filter": filter })).await;
    let segment = id_of(&segment.expect(201).json());
    let second = desk.template("Dear {{ first_name }}, it is spring.").await;
    let id = desk.draft(json!({ "segment_id": segment, "template_ids": [desk.template, second] })).await;
    desk.patch_settings(json!({ "rate_limit": { "per_second": 2 } })).await;
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    assert_eq!(desk.totals(id).await["recipients"], 5);
    // Nothing that changes now matters any more.
    t.execute("update patchbay.contacts set state = 'WA'").await;
    let everyone = json!({ "filter": { "all": [] } });
    t.api(&desk.office.key, "PATCH", &format!("/api/segments/{segment}"), everyone).await.expect(200);
    let words = json!({ "content": "Other words, {{ first_name }}" });
    t.api(&desk.office.key, "PATCH", &format!("/api/templates/{second}"), words).await.expect(200);
    let change = json!({ "template_ids": [second] });
    t.api(&desk.office.key, "PATCH", &format!("/api/campaigns/{id}"), change).await.expect(409);
    t.api(&desk.office.key, "PATCH", &format!("/api/campaigns/{id}"), json!({ "name": "Autumn" }))
        .await
        .expect(200);
    t.api(&desk.office.key, "DELETE", &format!("/api/campaigns/{id}"), Value::Null).await.expect(409);
    for _ in 0..5 {
        t.settle().await;
        desk.totals(id).await;
        t.clock.advance(TimeDelta::seconds(2));
    }
    let campaign = desk.get(id).await;
    assert_eq!(
        (&campaign["name"], &campaign["status"]),
        (&json!("Autumn"), &json!("finished")),
        "{campaign}"
    );
    assert_eq!(campaign["totals"]["delivered"], 5);
    let texts = |words: &str| {
        format!(
            "select count(*) from patchbay.messages where tenant_id = '{tenant}' and body like '{words}%'"
        )
    };
    let (hi, dear) = (t.scalar(&texts("Hi")).await, t.scalar(&texts("Dear")).await);
    assert_eq!((hi + dear, (hi - dear).abs()), (5, 1), "the texts took turns");
}

#[tokio::test]
async fn everybody_is_accounted_for() {
    let desk = Desk::open(9).await;
    let t = &desk.t;
    t.execute("update patchbay.contacts set first_name = null where right(phone_e164, 1) = '1'").await;
    t.execute("update patchbay.contacts set phone_e164 = null where right(phone_e164, 1) = '2'").await;
    t.execute("update patchbay.consents set state = 'unknown' where right(address, 1) = '3'").await;
    desk.stop("+61400000004").await;
    let id = desk.draft(json!({})).await;
    let before = t
        .api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/preflight"), Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&before["recipients"], &before["now"], &before["later"]),
        (&json!(9), &json!(5), &json!({})),
        "{before}"
    );
    assert_eq!(before["never"], json!({ "address": 1, "do_not_contact": 2, "template": 1 }), "{before}");
    let instant = |name: &str| before[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert_eq!(before["segments"], 5);
    assert!(instant("finishes_at") - instant("starts_at") < TimeDelta::seconds(1), "{before}");
    assert!(before["cost_cents"].as_i64().unwrap() > 0);
    let never = desk.list(id, "preflight/contacts?verdict=never").await;
    let reasons: Vec<&str> = never.iter().map(|v| v["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 4);
    assert!(reasons.contains(&"This contact has no phone number."), "{reasons:?}");
    assert_eq!(desk.list(id, "preflight/contacts?verdict=now").await.len(), 5);
    assert_eq!(t.scalar("select count(*) from patchbay.messages").await, 0, "a preflight changes nothing");
    desk.patch_settings(json!({ "rate_limit": { "per_second": 1 } })).await;
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.settle().await;
    // Somebody opts out in mid-campaign, somebody is put away.
    let waiting = desk.list(id, "recipients?state=waiting").await;
    assert_eq!(waiting.len(), 4, "{waiting:?}");
    desk.stop(waiting[0]["address"].as_str().unwrap()).await;
    for _ in 0..6 {
        t.clock.advance(TimeDelta::seconds(2));
        t.settle().await;
        desk.totals(id).await;
    }
    let campaign = desk.get(id).await;
    assert_eq!(campaign["status"], "finished", "{campaign}");
    assert_eq!(campaign["totals"]["delivered"], 4);
    assert_eq!(campaign["totals"]["blocked"], json!({ "address": 1, "do_not_contact": 3, "template": 1 }));
    let file = t.get(&desk.office.key, &format!("/api/campaigns/{id}/export")).await.expect(200).text;
    assert_eq!(file.lines().filter(|line| line.contains("+614")).count(), 8, "{file}");
    assert!(file.contains("do_not_contact") && file.contains("This contact has no phone number."));
}

#[tokio::test]
async fn what_nobody_knows_does_not_keep_it_running_for_ever() {
    let desk = Desk::open(6).await;
    let t = &desk.t;
    let id = desk.launched().await;
    t.settle().await;
    // Two answers were lost, and the carrier cannot be asked: these went by a mail server.
    t.execute("update patchbay.campaigns set status = 'running', finished_at = null").await;
    let lost = "update patchbay.messages set status = 'unknown', delivered_at = null, reconcile_after = claimed_at, channel = 'email', sender_id = null, from_address = null
       where right(to_address, 1) in ('1', '2')";
    t.execute(lost).await;
    t.execute("insert into patchbay.senders (tenant_id, channel, address, provider, is_default) select id, 'email', 'office@example.com', 'smtp', true from patchbay.tenants").await;
    t.execute("update patchbay.contacts set last_marketed_at = null where right(phone_e164, 1) = '1'").await;
    for hours in [1, 70] {
        t.clock.advance(TimeDelta::hours(hours));
        t.settle().await;
        let campaign = desk.get(id).await;
        assert_eq!(
            (&campaign["status"], &campaign["totals"]["unknown"]),
            (&json!("running"), &json!(2)),
            "{campaign}"
        );
    }
    t.clock.advance(TimeDelta::hours(1));
    // Asked for the last time; the next look at the campaign finds nothing open.
    t.settle().await;
    t.settle().await;
    let campaign = desk.get(id).await;
    assert_eq!(campaign["status"], "finished", "{campaign}");
    assert_eq!((&campaign["totals"]["unknown"], &campaign["totals"]["delivered"]), (&json!(2), &json!(4)));
    assert_eq!(
        t.scalar(
            "select count(*) from patchbay.messages where status = 'unknown' and reconcile_after is null"
        )
        .await,
        2
    );
    assert_eq!(
        t.scalar("select count(*) from patchbay.contacts where last_marketed_at is null").await,
        0,
        "it may have arrived"
    );
    let page = Browser::with_session(t, &desk.office.session)
        .get(&format!("/campaigns/{id}"))
        .await
        .expect(200)
        .text;
    assert!(page.contains("6 of 6 settled") && page.contains("Never found out"), "{page}");
    // A receipt that comes after all is taken, and the numbers follow by themselves.
    let message = t.text("select id::text from patchbay.messages where right(to_address, 1) = '1'").await;
    let receipt = patchbay_providers::Event::Status {
        message_id: message.parse().unwrap(),
        provider_message_id: "SM0123".to_owned(),
        status: patchbay_providers::ProviderStatus::Delivered,
        error_code: None,
        callback: Some(format!("https://crm.example.com/webhooks/twilio?t={}&a=1", desk.office.id.simple())),
    };
    messaging::webhooks::take_fake(&t.app, receipt).await.unwrap();
    let kept = "select totals ->> 'unknown' from patchbay.campaigns";
    assert_eq!(t.text(kept).await, "2");
    t.clock.advance(TimeDelta::minutes(1));
    t.settle().await;
    assert_eq!(t.text(kept).await, "1");
    let campaign = desk.get(id).await;
    assert_eq!(
        (&campaign["status"], &campaign["totals"]["delivered"]),
        (&json!("finished"), &json!(5)),
        "{campaign}"
    );
}

/// More than one batch and more than one node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_recipients_and_two_nodes() {
    let desk = Desk::open(1_000).await;
    let id = desk.launched().await;
    let nodes = [desk.t.node().await, desk.t.node().await];
    let work: Vec<_> = nodes.iter().map(|node| node.work(TimeDelta::milliseconds(20))).collect();
    for _ in 0..300 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        desk.t.receipts().await;
        if desk.get(id).await["status"] == "finished" {
            break;
        }
    }
    for task in work {
        task.abort();
    }
    desk.t.settle().await;
    let campaign = desk.get(id).await;
    let totals = &campaign["totals"];
    let gone = totals["sent"].as_i64().unwrap() + totals["delivered"].as_i64().unwrap();
    assert_eq!((gone, &campaign["status"]), (1_000, &json!("finished")), "{campaign}");
    assert_eq!(desk.sends().await, 1_000);
}
