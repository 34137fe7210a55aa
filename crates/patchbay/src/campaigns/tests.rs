//! Campaigns through the router, on the test's clock.

mod brakes;
mod carriers;
mod law;
mod order;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    auth::Role,
    consent, messaging,
    tests::{Browser, Office, TestApp},
};

/// A business with contacts and one template.
struct Desk {
    t: TestApp,
    office: Office,
    template: Uuid,
}

impl Desk {
    /// `count` Australians who agreed to marketing; the business keeps no hours and no window.
    async fn open(count: usize) -> Self {
        Self::with(TestApp::new().await, count).await
    }

    async fn with(t: TestApp, count: usize) -> Self {
        let office = Office::open(&t, "brightside").await;
        t.execute("update patchbay.tenants set country_rules = false, suppression_days = 90").await;
        let mut desk = Self { t, office, template: Uuid::nil() };
        desk.template = desk.template("Hi {{ first_name }}, spring sale this week.").await;
        desk.contacts(count).await;
        desk
    }

    async fn template(&self, content: &str) -> Uuid {
        let name = format!("T{}", self.t.id().simple());
        let body = json!({ "name": name, "content": content });
        let reply = self.t.api(&self.office.key, "POST", "/api/templates", body).await.expect(201);
        id_of(&reply.json())
    }

    async fn contacts(&self, count: usize) {
        let tenant = self.office.id;
        self.t
            .execute(&format!(
                "insert into patchbay.contacts (tenant_id, first_name, phone_e164, country, state)
                 select '{tenant}', 'P' || n, '+614' || lpad(n::text, 8, '0'), 'AU', 'WA' from generate_series(1, {count}) n"
            ))
            .await;
        self.t
            .execute(&format!(
                "insert into patchbay.consents (tenant_id, channel, address, state, how)
                 select tenant_id, 'sms', phone_e164, 'subscribed', 'form' from patchbay.contacts where tenant_id = '{tenant}' on conflict do nothing"
            ))
            .await;
    }

    async fn post(&self, path: &str) -> Value {
        self.t.api(&self.office.key, "POST", path, Value::Null).await.expect(200).json()
    }

    async fn draft(&self, extra: Value) -> Uuid {
        let mut body = json!({ "name": "Spring", "channel": "sms", "template_ids": [self.template] });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let reply = self.t.api(&self.office.key, "POST", "/api/campaigns", body).await.expect(201);
        id_of(&reply.json())
    }

    async fn launched(&self) -> Uuid {
        let id = self.draft(json!({})).await;
        self.post(&format!("/api/campaigns/{id}/launch")).await;
        id
    }

    async fn get(&self, id: Uuid) -> Value {
        let campaign = self.t.get(&self.office.key, &format!("/api/campaigns/{id}")).await.expect(200).json();
        balance(&campaign["totals"]);
        campaign
    }

    async fn totals(&self, id: Uuid) -> Value {
        self.get(id).await["totals"].clone()
    }

    async fn patch_settings(&self, change: Value) {
        self.t.api(&self.office.key, "PATCH", "/api/settings", change).await.expect(200);
    }

    /// Somebody opts out.
    async fn stop(&self, phone: &str) {
        let mut tx = self.t.app.db.tenant(self.office.id).await.unwrap();
        let now = self.t.app.now();
        let mut change = consent::Change::new(
            patchbay_rules::message::Channel::Sms,
            phone,
            consent::State::Unsubscribed,
            "keyword",
            now,
        );
        change.detail = Some("STOP");
        consent::set(&mut tx, &change).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The next time that this hour of UTC comes, a day from now or later.
    fn at_hour(&self, hour: u32, minute: u32) -> DateTime<Utc> {
        let day = (self.t.app.now() + TimeDelta::days(2)).date_naive();
        let at = Utc.from_utc_datetime(&day.and_hms_opt(hour, minute, 0).unwrap());
        self.t.clock.set(at);
        at
    }

    async fn list(&self, id: Uuid, query: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/campaigns/{id}/{query}&limit=3&cursor={cursor}");
            let page = self.t.get(&self.office.key, &path).await.expect(200).json();
            found.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return found,
            }
        }
    }

    async fn sends(&self) -> i64 {
        i64::try_from(self.t.app.providers.fake.accepted().len()).unwrap()
    }
}

fn id_of(value: &Value) -> Uuid {
    value["id"].as_str().unwrap().parse().unwrap()
}

#[track_caller]
fn balance(totals: &Value) {
    let sum = |value: &Value| -> i64 {
        match value {
            Value::Object(gates) => gates.values().map(|n| n.as_i64().unwrap()).sum(),
            number => number.as_i64().unwrap(),
        }
    };
    let parts: i64 = totals
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "recipients")
        .map(|(_, n)| sum(n))
        .sum();
    assert_eq!(totals["recipients"].as_i64().unwrap(), parts, "{totals}");
}

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

#[tokio::test]
async fn the_pages_say_how_it_goes() {
    let desk = Desk::open(20).await;
    let t = &desk.t;
    desk.patch_settings(json!({ "rate_limit": { "per_second": 3 } })).await;
    let mut browser = Browser::with_session(t, &desk.office.session);
    let everybody = browser.get("/campaigns/audience").await.expect(200).text;
    assert!(everybody.contains("20 people"), "{everybody}");
    let filter = json!({ "all": [{ "field": "first_name", "op": "is", "value": "P7" }] });
    let segment =
        t.api(&desk.office.key, "POST", "/api/segments", json!({ "name": "Seven", "filter": filter })).await;
    let segment = id_of(&segment.expect(201).json());
    let one = browser.get(&format!("/campaigns/audience?segment_id={segment}")).await.expect(200).text;
    assert!(one.contains("1 person"), "{one}");
    browser.get(&format!("/campaigns/audience?segment_id={}", t.id())).await.expect(404);

    // Half of them live where the chosen hour comes later.
    desk.patch_settings(json!({ "timezone": "Australia/Sydney" })).await;
    t.execute("update patchbay.contacts set state = 'NSW' where right(phone_e164, 1)::int < 5").await;
    let at = desk.at_hour(0, 0);
    let id = desk.draft(json!({ "scheduled_at": at + TimeDelta::hours(1), "in_recipient_zone": true })).await;
    let seven = t.text("select id::text from patchbay.contacts where first_name = 'P7'").await;
    let look = browser.get(&format!("/campaigns/{id}/look?contact_id={seven}")).await.expect(200).text;
    assert!(look.contains("Hi P7, spring sale"), "{look}");
    browser.get(&format!("/campaigns/{id}/look?contact_id={}", t.id())).await.expect(404);
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.clock.advance(TimeDelta::hours(1));
    for _ in 0..2 {
        t.settle().await;
        t.clock.advance(TimeDelta::seconds(2));
    }
    let path = format!("/api/campaigns/{id}/pace");
    let pace = t.get(&desk.office.reader, &path).await.expect(200).json();
    let instant = |name: &str| pace[name].as_str().map(|at| at.parse::<DateTime<Utc>>().unwrap());
    let sum: i64 = pace["per_minute"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!((sum, &pace["speed"], &pace["later"]), (6, &json!(36), &json!(10)), "{pace}");
    assert_eq!(instant("first_at"), instant("last_at"));
    assert_eq!(instant("ends_at"), instant("last_at"), "{pace}");
    let page = browser.get(&format!("/campaigns/{id}")).await.expect(200).text;
    assert!(page.contains("36 a minute") && page.contains("10 wait for their hour"), "{page}");
    let part = browser.get(&format!("/campaigns/{id}/pace")).await.expect(200).text;
    assert!(part.contains("36 a minute") && !part.contains("<html"), "{part}");
    let people = browser.get(&format!("/campaigns/{id}/people?state=queued")).await.expect(200).text;
    assert_eq!(people.matches("Goes ").count(), 10, "{people}");
    let file = browser.get(&format!("/campaigns/{id}/export")).await.expect(200);
    assert!(file.headers["content-disposition"].to_str().unwrap().contains("attachment"));
    let mut member = Browser::member(t, "brightside", "m@brightside.example", Role::Member).await;
    member.get(&format!("/campaigns/{id}/export")).await.expect(403);
    let page = member.get(&format!("/campaigns/{id}")).await.expect(200).text;
    assert!(!page.contains("Compliance file"), "{page}");
}

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
