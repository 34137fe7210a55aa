//! What stops a campaign by itself, and whom it leaves out: opt-outs, filters, numbers out of reach.

use chrono::TimeDelta;
use serde_json::json;

use super::Desk;

/// Whoever has one of these numbers meets this fate with the fake carrier.
async fn fated(desk: &Desk, fate: &str, share: &str) {
    for statement in [
        format!("update patchbay.contacts set phone_e164 = '+614' || lpad((id_at % 1000)::text, 3, '0') || '{fate}' from (select id as who, row_number() over (order by id) as id_at from patchbay.contacts) n where who = id and {share}"),
        "insert into patchbay.consents (tenant_id, channel, address, state, how)
           select tenant_id, 'sms', phone_e164, 'subscribed', 'form' from patchbay.contacts on conflict do nothing".to_owned(),
    ] {
        desk.t.execute(&statement).await;
    }
}

/// Ten a second, and the brake looks from ten messages on.
async fn slowly(desk: &Desk) {
    desk.patch_settings(json!({ "rate_limit": { "per_second": 10 }, "brake": { "minimum": 10 } })).await;
}

async fn seconds(desk: &Desk, count: usize) {
    for _ in 0..count {
        desk.t.settle().await;
        desk.t.clock.advance(TimeDelta::seconds(2));
    }
}

#[tokio::test]
async fn a_campaign_that_people_opt_out_of_stops_itself() {
    let desk = Desk::open(60).await;
    slowly(&desk).await;
    let id = desk.launched().await;
    desk.t.settle().await;
    assert_eq!(desk.get(id).await["status"], "running");
    for n in 0..2 {
        let phone = format!(
            "select to_address from patchbay.messages where status = 'delivered' order by to_address offset {n} limit 1"
        );
        desk.stop(&desk.t.text(&phone).await).await;
    }
    seconds(&desk, 2).await;
    let campaign = desk.get(id).await;
    assert_eq!(campaign["status"], "paused", "{campaign}");
    let why = campaign["pause_reason"].as_str().unwrap();
    assert!(why.starts_with("Paused itself: 2 of the last ") && why.contains("people opted out"), "{why}");
    let sent = campaign["totals"]["delivered"].as_i64().unwrap();
    assert!(sent < 60, "{campaign}");
    seconds(&desk, 3).await;
    assert_eq!(desk.totals(id).await["delivered"], sent, "nothing more leaves");
}

#[tokio::test]
async fn a_campaign_that_carriers_filter_stops_itself() {
    let desk = Desk::open(60).await;
    slowly(&desk).await;
    // As a failure it would do: it is the filter that counts.
    desk.patch_settings(json!({ "brake": { "failure_percent": null } })).await;
    fated(&desk, "5530007", "id_at % 4 = 0").await;
    let id = desk.launched().await;
    seconds(&desk, 3).await;
    let campaign = desk.get(id).await;
    assert_eq!(campaign["status"], "paused", "{campaign}");
    let why = campaign["pause_reason"].as_str().unwrap();
    assert!(why.contains("carriers filtered") && why.contains("as spam"), "{why}");
}

#[tokio::test]
async fn failures_that_are_tried_again_count_for_the_brake() {
    let desk = Desk::open(40).await;
    slowly(&desk).await;
    // Phones that are switched off: each message waits for another attempt.
    fated(&desk, "5530003", "true").await;
    let id = desk.launched().await;
    seconds(&desk, 3).await;
    let campaign = desk.get(id).await;
    assert_eq!(campaign["status"], "paused", "{campaign}");
    assert!(campaign["pause_reason"].as_str().unwrap().contains("messages failed"), "{campaign}");
    // No further attempt leaves while it is paused.
    let taken = desk.t.app.providers.fake.accepted().len();
    for _ in 0..3 {
        desk.t.clock.advance(TimeDelta::hours(5));
        desk.t.settle().await;
    }
    assert_eq!(desk.t.app.providers.fake.accepted().len(), taken);
}

#[tokio::test]
async fn numbers_out_of_reach_get_no_campaign() {
    let desk = Desk::open(3).await;
    desk.t.execute("insert into patchbay.unreachable (tenant_id, channel, address, code, failures, failed_at, since)
       select tenant_id, 'sms', phone_e164, 30006, 1, now(), case when right(phone_e164, 1) = '1' then now() end from patchbay.contacts where right(phone_e164, 1) in ('1', '2')").await;
    let id = desk.draft(json!({})).await;
    let plan = desk.post(&format!("/api/campaigns/{id}/preflight")).await;
    assert_eq!((&plan["now"], &plan["never"]), (&json!(2), &json!({ "address": 1 })), "{plan}");
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    desk.t.settle().await;
    let totals = desk.totals(id).await;
    assert_eq!((&totals["delivered"], &totals["blocked"]), (&json!(2), &json!({ "address": 1 })), "{totals}");
    let why =
        desk.t.text("select gate_reason ->> 'detail' from patchbay.messages where status = 'blocked'").await;
    assert!(why.starts_with("Out of reach: This is a landline"), "{why}");
}
