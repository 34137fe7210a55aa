//! What holds a campaign back: people, the clock, money, hours, its own brake.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Desk;
use crate::tests::{Browser, TestApp};

#[tokio::test]
async fn pause_and_cancel_take_effect_at_once() {
    let desk = Desk::open(20).await;
    desk.patch_settings(json!({ "rate_limit": { "per_second": 3 } })).await;
    let id = desk.launched().await;
    desk.t.settle().await;
    let totals = desk.totals(id).await;
    assert_eq!((&totals["delivered"], &totals["waiting"]["rate_limit"]), (&json!(3), &json!(17)), "{totals}");
    let paused = desk.post(&format!("/api/campaigns/{id}/pause")).await;
    assert_eq!((&paused["status"], &paused["pause_reason"]), (&json!("paused"), &json!("Paused by full")));
    for _ in 0..3 {
        desk.t.clock.advance(TimeDelta::minutes(1));
        desk.t.settle().await;
    }
    let totals = desk.totals(id).await;
    assert_eq!(
        (&totals["delivered"], &totals["waiting"]),
        (&json!(3), &json!({ "kill_switch": 17 })),
        "{totals}"
    );
    desk.post(&format!("/api/campaigns/{id}/resume")).await;
    desk.t.settle().await;
    assert_eq!(desk.totals(id).await["delivered"], 6);
    // The switch of the business holds everything; turned off, it lets go at once.
    desk.patch_settings(json!({ "kill_switch": true })).await;
    desk.t.clock.advance(TimeDelta::minutes(1));
    desk.t.settle().await;
    assert_eq!(desk.totals(id).await["delivered"], 6);
    desk.patch_settings(json!({ "kill_switch": false })).await;
    desk.t.settle().await;
    assert_eq!(desk.totals(id).await["delivered"], 9);
    let canceled = desk.post(&format!("/api/campaigns/{id}/cancel")).await;
    assert_eq!((&canceled["status"], &canceled["totals"]["canceled"]), (&json!("canceled"), &json!(11)));
    assert!(canceled["finished_at"].is_string());
    desk.t.clock.advance(TimeDelta::minutes(1));
    desk.t.settle().await;
    assert_eq!(desk.sends().await, 9);
    assert_eq!(desk.list(id, "recipients?state=canceled").await.len(), 11);
    assert_eq!(desk.list(id, "recipients?state=delivered").await.len(), 9);
    desk.t
        .api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/resume"), Value::Null)
        .await
        .expect(409);
    desk.t
        .api(&desk.office.reader, "POST", &format!("/api/campaigns/{id}/pause"), Value::Null)
        .await
        .expect(403);
}

#[tokio::test]
async fn money_warmth_and_hours_hold_it_back_and_let_it_go() {
    let desk = Desk::open(60).await;
    let t = &desk.t;
    t.execute("update patchbay.contacts set state = 'NSW' where right(phone_e164, 1)::int < 5").await;
    // 23:30 UTC: half past ten or half past nine in Sydney, half past seven in Perth.
    let night = desk.at_hour(23, 30);
    desk.patch_settings(json!({ "quiet_hours": { "start": "21:00", "end": "09:00" }, "timezone": "UTC" }))
        .await;
    let id = desk.draft(json!({})).await;
    let plan = desk.post(&format!("/api/campaigns/{id}/preflight")).await;
    assert_eq!((&plan["now"], &plan["later"]), (&json!(30), &json!({ "quiet_hours": 30 })), "{plan}");
    let opens: DateTime<Utc> = plan["finishes_at"].as_str().unwrap().parse().unwrap();
    assert!(opens - night >= TimeDelta::minutes(90) && opens - night < TimeDelta::minutes(95), "{plan}");
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.settle().await;
    let totals = desk.totals(id).await;
    assert_eq!(
        (&totals["delivered"], &totals["waiting"]),
        (&json!(30), &json!({ "quiet_hours": 30 })),
        "{totals}"
    );
    // The morning comes, but only some money is left, and the number becomes a new one.
    t.clock.set(opens);
    let price = t.scalar("select max(cost_micros) from patchbay.messages").await;
    let cents = (price * 5) / 10_000;
    desk.patch_settings(json!({ "budget": { "daily_cents": cents } })).await;
    t.settle().await;
    let totals = desk.totals(id).await;
    let afforded = cents * 10_000 / price;
    assert_eq!(totals["delivered"], 30 + afforded, "{totals}");
    assert_eq!(totals["waiting"], json!({ "budget": 30 - afforded }));
    let today = opens.date_naive();
    t.execute(&format!("update patchbay.senders set warmup_started_on = '{today}'")).await;
    t.execute("update patchbay.send_counters set messages = 48").await;
    desk.patch_settings(json!({ "budget": { "daily_cents": null } })).await;
    t.settle().await;
    let totals = desk.totals(id).await;
    assert_eq!(totals["delivered"], 32 + afforded, "{totals}");
    assert_eq!(totals["waiting"], json!({ "warm_up": 28 - afforded }));
    t.clock.advance(TimeDelta::days(1));
    t.settle().await;
    assert_eq!(desk.get(id).await["status"], "finished");
}

#[tokio::test]
async fn its_time_comes_once_or_in_every_zone() {
    let desk = Desk::open(4).await;
    let t = &desk.t;
    desk.patch_settings(json!({ "timezone": "Australia/Perth" })).await;
    t.execute("update patchbay.contacts set state = 'NSW' where right(phone_e164, 1)::int < 3").await;
    let now = desk.at_hour(0, 0);
    let at = now + TimeDelta::days(3);
    let id = desk.draft(json!({ "scheduled_at": at })).await;
    assert_eq!(desk.post(&format!("/api/campaigns/{id}/launch")).await["status"], "scheduled");
    assert_eq!(desk.post(&format!("/api/campaigns/{id}/unschedule")).await["status"], "draft");
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.clock.set(at - TimeDelta::seconds(1));
    t.settle().await;
    assert_eq!(desk.get(id).await["status"], "scheduled");
    t.clock.set(at);
    t.settle().await;
    assert_eq!(desk.totals(id).await["delivered"], 4);
    // Noon in Perth is noon in Sydney hours before.
    t.clock.advance(TimeDelta::days(91));
    let noon = desk.at_hour(4, 0);
    let noon = noon + TimeDelta::days(2);
    let id = desk.draft(json!({ "scheduled_at": noon, "in_recipient_zone": true })).await;
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.clock.set(noon - TimeDelta::hours(1));
    t.settle().await;
    let totals = desk.totals(id).await;
    assert_eq!((&totals["delivered"], &totals["queued"]), (&json!(2), &json!(2)), "{totals}");
    t.clock.set(noon);
    t.settle().await;
    assert_eq!(desk.totals(id).await["delivered"], 4);
}

#[tokio::test]
async fn a_campaign_that_fails_stops_itself() {
    let desk = Desk::with(TestApp::with(&[], |fake| fake.reject_rate = 1.0).await, 40).await;
    desk.patch_settings(json!({ "rate_limit": { "per_second": 10 }, "brake": { "minimum": 10 } })).await;
    let id = desk.launched().await;
    for _ in 0..3 {
        desk.t.settle().await;
        desk.t.clock.advance(TimeDelta::seconds(2));
    }
    let campaign = desk.get(id).await;
    assert_eq!(campaign["status"], "paused", "{campaign}");
    assert_eq!(campaign["pause_reason"], "Paused itself: 10 of the last 10 messages failed, more than 10 %");
    assert_eq!(campaign["totals"]["failed"], 10);
    // Without a rule the owners hear of it, once; the page says why, and what can be done.
    desk.t.settle().await;
    let told = "select string_agg(to_address || ': ' || subject || '. ' || body, '; ') from patchbay.messages where kind = 'notification'";
    let why = "10 of the last 10 messages failed, more than 10 %";
    assert_eq!(
        desk.t.text(told).await,
        format!(
            "brightside@example.com: The campaign Spring paused itself. The campaign Spring paused itself: {why}. Nothing more leaves until somebody resumes it. https://crm.example.com/campaigns/{id}"
        )
    );
    let again = "update patchbay.outbox set processed_at = null, next_attempt_at = now() where event_type = 'campaign.paused'";
    desk.t.execute(again).await;
    desk.t.settle().await;
    assert_eq!(desk.t.scalar("select count(*) from patchbay.messages where kind = 'notification'").await, 1);
    let mut browser = Browser::with_session(&desk.t, &desk.office.session);
    let page = browser.get(&format!("/campaigns/{id}")).await.expect(200).text;
    assert!(page.contains(why) && page.contains("/resume") && page.contains("/cancel"), "{page}");
    // Somebody else is to be told from now on, by text message.
    let rule = json!({ "event_type": "campaign.paused", "channel": "sms", "target": "0491 570 156" });
    desk.t.api(&desk.office.key, "POST", "/api/notification-rules", rule).await.expect(201);
    desk.t.execute(again).await;
    desk.t.settle().await;
    assert_eq!(desk.t.scalar("select count(*) from patchbay.messages where kind = 'notification' and to_address = '+61491570156'").await, 1);
    // Who resumes it has looked: it starts afresh.
    desk.t.clock.advance(TimeDelta::seconds(2));
    desk.patch_settings(json!({ "brake": { "failure_percent": null } })).await;
    desk.post(&format!("/api/campaigns/{id}/resume")).await;
    desk.t.settle().await;
    assert_eq!(desk.totals(id).await["failed"], 20);
    desk.t
        .api(&desk.office.key, "PATCH", "/api/settings", json!({ "brake": { "minimum": 0 } }))
        .await
        .expect(422);
}
