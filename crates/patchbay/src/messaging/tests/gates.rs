//! What holds a message back, and lets it go.

use chrono::TimeDelta;
use serde_json::json;

use super::{message, open, send};

#[tokio::test]
async fn quiet_hours_hold_and_let_go() {
    let (t, who) = open().await;
    // Quiet around the clock but for one minute, an hour from now, where the recipient is.
    t.execute(
        "update patchbay.tenants set timezone = 'Australia/Perth', country = 'AU',
           quiet_start = ((now() + interval '61 minutes') at time zone 'Australia/Perth')::time(0),
           quiet_end = ((now() + interval '60 minutes') at time zone 'Australia/Perth')::time(0)",
    )
    .await;
    let contact = t
        .api(&who.key, "POST", "/api/messages/send", json!({ "to": "+61892224444", "body": "Booked" }))
        .await
        .expect(202)
        .json();
    t.execute("update patchbay.contacts set timezone = 'Australia/Perth'").await;
    t.settle().await;
    let held = message(&t, &who, &contact["id"]).await;
    assert_eq!(
        (&held["status"], &held["gate"]["name"], &held["gate"]["verdict"]),
        (&json!("queued"), &json!("quiet_hours"), &json!("waiting"))
    );
    assert!(held["gate"]["reason"].as_str().unwrap().contains("Perth"), "{held:#}");
    t.clock.advance(TimeDelta::minutes(60) + TimeDelta::seconds(30));
    t.settle().await;
    assert_eq!(message(&t, &who, &contact["id"]).await["status"], "delivered");
}

#[tokio::test]
async fn the_kill_switch_holds_everything_and_budget_holds_the_rest() {
    let (t, who) = open().await;
    t.execute("update patchbay.tenants set kill_switch = true").await;
    let held = send(&t, &who, "+12125550123", "Hi").await;
    t.settle().await;
    assert_eq!(message(&t, &who, &held["id"]).await["gate"]["name"], "kill_switch");
    t.execute("update patchbay.tenants set kill_switch = false, budget_daily_cents = 0").await;
    t.clock.advance(TimeDelta::minutes(6));
    t.settle().await;
    assert_eq!(message(&t, &who, &held["id"]).await["gate"]["name"], "budget");
    let why = t
        .get(&who.key, &format!("/api/messages/{}/why", held["id"].as_str().unwrap()))
        .await
        .expect(200)
        .json();
    assert_eq!(why.as_array().unwrap().len(), 7);
    assert_eq!(why[1]["verdict"], "waiting");
}

#[tokio::test]
async fn the_rate_puts_messages_in_line() {
    let (t, who) = open().await;
    t.execute("update patchbay.tenants set rate_per_second = 1").await;
    for n in 0..5 {
        send(&t, &who, &format!("+1212555010{n}"), "Hi").await;
    }
    t.settle().await;
    assert_eq!(t.scalar("select count(*) from patchbay.messages where status = 'delivered'").await, 1);
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where status = 'queued' and gate = 'rate_limit'")
            .await,
        4
    );
    for _ in 0..4 {
        t.clock.advance(TimeDelta::milliseconds(1001));
        t.settle().await;
    }
    assert_eq!(t.scalar("select count(*) from patchbay.messages where status = 'delivered'").await, 5);
}

#[tokio::test]
async fn warm_up_caps_the_local_day() {
    let (t, who) = open().await;
    t.execute("update patchbay.senders set warmup_started_on = (now() at time zone 'UTC')::date").await;
    t.execute("update patchbay.tenants set timezone = 'UTC', api_rate_per_second = 1000").await;
    t.execute(
        "insert into patchbay.contacts (tenant_id, first_name, phone_e164) select id, 'P', '+1212555' || lpad(n::text, 4, '0') from patchbay.tenants, generate_series(1000, 1059) n",
    )
    .await;
    t.execute("insert into api.messages (tenant_id, lead_id, channel, body) select tenant_id, id, 'sms', 'Hi' from patchbay.contacts").await;
    t.settle().await;
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where status in ('sent', 'delivered')").await,
        50
    );
    assert_eq!(t.scalar("select count(*) from patchbay.messages where gate = 'warm_up'").await, 10);
    let _ = who;
}
