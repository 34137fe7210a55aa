//! What law asks beyond hours and opt-outs: agreement that ends, three texts a day, holidays, registered names.

use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc, Weekday};
use patchbay_rules::holidays::Calendar;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Desk, id_of};
use crate::tests::{Browser, TestApp};

/// Somebody with this number, who agreed to texts.
async fn agreed(desk: &Desk, number: &str) -> Uuid {
    let contact = desk.office.contact(&desk.t, "Dana", Some(number)).await;
    desk.t
        .execute(&format!(
            "insert into patchbay.consents (tenant_id, channel, address, state, how) values ('{}', 'sms', '{number}', 'subscribed', 'form')",
            desk.office.id
        ))
        .await;
    contact
}

/// Noon in New York on a day like this one, in the days to come.
fn noon(desk: &Desk, fits: impl Fn(NaiveDate) -> bool) -> DateTime<Utc> {
    let first = (desk.t.app.now() + TimeDelta::days(2)).date_naive();
    let day = first.iter_days().find(|day| fits(*day)).unwrap();
    let at = day.and_hms_opt(17, 0, 0).unwrap().and_utc();
    desk.t.clock.set(at);
    at
}

fn plain_tuesday(day: NaiveDate) -> bool {
    let rests = |day| Calendar::UnitedStates.holiday_on(day).is_some();
    day.weekday() == Weekday::Tue && !rests(day) && !rests(day.succ_opt().unwrap())
}

async fn preflight(desk: &Desk, id: Uuid) -> Value {
    desk.post(&format!("/api/campaigns/{id}/preflight")).await
}

/// The gates that hold the messages of a campaign, with their sentences.
async fn held(desk: &Desk, id: Uuid, state: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = desk.list(id, &format!("recipients?state={state}")).await;
    rows.iter().map(|row| (text(&row["gate"]["name"]), text(&row["gate"]["reason"]))).collect()
}

#[tokio::test]
async fn consent_from_an_enquiry_ends_in_canada_for_campaigns_only() {
    let desk = Desk::open(0).await;
    let t = &desk.t;
    let (toronto, boston, lately) = (
        desk.office.contact(t, "Dana", Some("+14165550123")).await,
        desk.office.contact(t, "Kai", Some("+16175550123")).await,
        desk.office.contact(t, "Mia", Some("+16045550123")).await,
    );
    let now = t.app.now();
    let past = now - TimeDelta::days(200);
    let given = async |contact: Uuid, basis: &str, at: DateTime<Utc>| {
        let body = json!({ "channel": "sms", "state": "subscribed", "basis": basis, "source": "Web form", "at": at });
        t.api(&desk.office.key, "POST", &format!("/api/contacts/{contact}/consent"), body)
            .await
            .expect(200)
            .json()
    };
    let proof = given(toronto, "enquiry", past).await;
    given(boston, "enquiry", past).await;
    given(lately, "enquiry", now - TimeDelta::days(20)).await;
    let ended = past.checked_add_months(Months::new(6)).unwrap();
    assert_eq!(proof[0]["basis"], "enquiry");
    assert_eq!(proof[0]["expires_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), ended);
    let seen = async |contact: Uuid| {
        t.get(&desk.office.key, &format!("/api/contacts/{contact}")).await.expect(200).json()["consent"]
            .clone()
    };
    let consent = seen(toronto).await;
    assert_eq!(
        (&consent["sms"], &consent["implied"]["sms"]["basis"]),
        (&json!("subscribed"), &json!("enquiry"))
    );
    assert_eq!(seen(boston).await["implied"], Value::Null, "no law lets it end there");

    let mut rosa = Browser::with_session(t, &desk.office.session);
    let page = rosa.get(&format!("/contacts/{toronto}")).await.expect(200).text;
    assert!(page.contains("Implied by an enquiry; ended on ") && page.contains("Ended"), "{page}");
    let page = rosa.get(&format!("/contacts/{lately}")).await.expect(200).text;
    assert!(page.contains("Implied by an enquiry; ends on ") && page.contains("Subscribed"), "{page}");

    let id = desk.draft(json!({})).await;
    let before = preflight(&desk, id).await;
    assert_eq!((&before["now"], &before["never"]), (&json!(2), &json!({ "do_not_contact": 1 })), "{before}");
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.settle().await;
    let [(gate, sentence)] = &held(&desk, id, "blocked").await[..] else { panic!() };
    assert_eq!(gate, "do_not_contact");
    assert!(sentence.starts_with("Consent from an enquiry ended on "), "{sentence}");
    assert_eq!(desk.totals(id).await["delivered"], 2);
    let file = t.get(&desk.office.key, &format!("/api/campaigns/{id}/export")).await.expect(200).text;
    let row = file.lines().find(|line| line.contains("+14165550123")).unwrap();
    assert!(
        row.contains("enquiry") && row.contains(&ended.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
        "{row}"
    );
    // A person may still write, and so may a quote.
    let body = json!({ "to": "+14165550123", "body": "Your heater is here." });
    t.api(&desk.office.key, "POST", "/api/messages/send", body).await.expect(202);
    t.settle().await;
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where kind = 'api' and status = 'delivered'").await,
        1
    );
    // Whoever says yes is asked no more.
    given(toronto, "express", now).await;
    assert_eq!(seen(toronto).await["implied"], Value::Null);
}

#[tokio::test]
async fn three_texts_a_day_reach_an_american_number() {
    let desk = Desk::open(0).await;
    let t = &desk.t;
    t.execute("update patchbay.tenants set country_rules = true, suppression_days = 0").await;
    agreed(&desk, "+12125550123").await;
    let start = noon(&desk, plain_tuesday);
    let mut campaigns = Vec::new();
    for _ in 0..4 {
        campaigns.push(desk.launched().await);
    }
    t.settle().await;
    let to = async |number: &str| {
        t.scalar(&format!(
            "select count(*) from patchbay.messages where to_address = '{number}' and status = 'delivered'"
        ))
        .await
    };
    assert_eq!(to("+12125550123").await, 3, "all four were due at once");
    let waiting = t
        .text("select gate || ' ' || (gate_until at time zone 'UTC')::text from patchbay.messages where to_address = '+12125550123' and status = 'queued'")
        .await;
    let free_again = (start + TimeDelta::hours(24)).format("%Y-%m-%d %H:%M");
    assert!(waiting.starts_with(&format!("suppression_window {free_again}")), "{waiting}");
    let mut told = Vec::new();
    for campaign in campaigns {
        told.extend(held(&desk, campaign, "waiting").await);
    }
    assert!(told.len() == 1 && told[0].1.contains("3 marketing texts within 24 hours"), "{told:?}");
    // A fifth would not go either, and beforehand it says so.
    let fifth = desk.draft(json!({})).await;
    let before = preflight(&desk, fifth).await;
    assert_eq!(before["later"]["suppression_window"], 1, "{before}");
    t.clock.advance(TimeDelta::hours(23));
    t.settle().await;
    assert_eq!(to("+12125550123").await, 3);
    t.clock.advance(TimeDelta::hours(2));
    t.settle().await;
    assert_eq!(to("+12125550123").await, 4);
}

#[tokio::test]
async fn of_two_campaigns_at_once_one_reaches_a_contact() {
    let desk = Desk::open(3).await;
    let (one, other) = (desk.launched().await, desk.launched().await);
    desk.t.settle().await;
    let delivered = |totals: Value| totals["delivered"].as_i64().unwrap();
    assert_eq!(delivered(desk.totals(one).await) + delivered(desk.totals(other).await), 3);
    assert_eq!(
        desk.t.scalar("select count(*) from patchbay.messages where status = 'blocked' and gate = 'suppression_window'").await,
        3
    );
}

#[tokio::test]
async fn campaigns_rest_on_holidays_unless_the_business_says_otherwise() {
    let desk = Desk::open(0).await;
    desk.t.execute("update patchbay.tenants set country_rules = true").await;
    agreed(&desk, "+12125550123").await;
    noon(&desk, |day| (day.month(), day.day()) == (12, 25) && day.weekday() != Weekday::Sun);
    let id = desk.draft(json!({})).await;
    assert_eq!(preflight(&desk, id).await["later"], json!({ "quiet_hours": 1 }));
    let rows = desk.list(id, "preflight/contacts?verdict=later").await;
    assert!(
        rows[0]["reason"]
            .as_str()
            .unwrap()
            .starts_with("No marketing on Christmas Day in the United States; not before "),
        "{rows:?}"
    );
    desk.patch_settings(json!({ "holiday_rules": false })).await;
    assert_eq!(preflight(&desk, id).await["now"], 1);
    let audit = desk.t.get(&desk.office.key, "/api/settings").await.expect(200).json();
    assert_eq!(audit["holiday_rules"], false);
}

#[tokio::test]
async fn a_name_that_is_not_registered_sends_no_campaign_to_australia() {
    let desk = Desk::open(2).await;
    let t = &desk.t;
    let path = "/api/senders";
    let new = json!({ "channel": "sms", "address": "Brightside", "provider": "fake" });
    let sender = t.api(&desk.office.key, "POST", path, new).await.expect(201).json();
    assert_eq!(sender["name_registered"], false);
    let id = desk.draft(json!({ "sender_id": sender["id"] })).await;
    let found = preflight(&desk, id).await;
    assert_eq!(found["never"], json!({ "kill_switch": 2 }), "{found}");
    let launch = format!("/api/campaigns/{id}/launch");
    let refused = t.api(&desk.office.key, "POST", &launch, Value::Null).await.expect(422).json();
    assert!(
        refused["errors"]["sender_id"].as_str().unwrap().contains("Register it with your carrier"),
        "{refused}"
    );
    let mut rosa = Browser::with_session(t, &desk.office.session);
    let settings = rosa.get("/settings/sending").await.expect(200).text;
    assert!(settings.contains("Not registered as a sender name") && settings.contains("It is registered"));
    let pressed = format!("/settings/senders/{}/registered", sender["id"].as_str().unwrap());
    rosa.post(&pressed, &[("on", "true")]).await.expect(303);
    assert!(rosa.get("/settings/sending").await.text.contains("Registered as a sender name in Australia"));
    rosa.post(&pressed, &[]).await.expect(303);
    let sender_path = format!("{path}/{}", sender["id"].as_str().unwrap());
    let change = json!({ "name_registered": true });
    t.api(&desk.office.reader, "PATCH", &sender_path, change.clone()).await.expect(403);
    let changed = t.api(&desk.office.key, "PATCH", &sender_path, change).await.expect(200).json();
    assert_eq!(changed["name_registered"], true);
    assert_eq!(preflight(&desk, id).await["now"], 2);
    desk.post(&launch).await;
    t.settle().await;
    assert_eq!(desk.totals(id).await["delivered"], 2);
    // Numbers are nobody's name.
    let senders = t.get(&desk.office.key, path).await.json();
    let number =
        senders["data"].as_array().unwrap().iter().find(|sender| sender["address"] == "+15005550006");
    assert_eq!(number.unwrap()["name_registered"], Value::Null);
}

#[tokio::test]
async fn accepted_quotes_extend_what_was_implied() {
    let t = TestApp::new().await;
    let desk = Desk::with(t, 0).await;
    let t = &desk.t;
    let lead = async |body: Value| {
        let made = t.api(&desk.office.key, "POST", "/functions/v1/ingest-lead", body).await;
        assert!(made.status.is_success(), "{}", made.text);
        id_of(&made.json())
    };
    let terms = async || {
        t.text("select string_agg(right(address, 1) || ' ' || state || ' ' || basis || ' ' || coalesce(round(extract(epoch from expires_at - changed_at) / 86400 / 30.44)::text, '-'), ', ' order by right(address, 1)) from patchbay.consents").await
    };
    let enquired = lead(json!({ "phone": "+1 416 555 0121", "consent_sms": true })).await;
    let agreed =
        lead(json!({ "phone": "+1 416 555 0122", "consent_sms": true, "consent_wording": "Text me offers" }))
            .await;
    let refused = lead(json!({ "phone": "+1 416 555 0123", "consent_sms": true })).await;
    let silent = lead(json!({ "phone": "+1 416 555 0124" })).await;
    desk.stop("+14165550123").await;
    t.api(
        &desk.office.key,
        "POST",
        "/functions/v1/ingest-lead",
        json!({ "phone": "+14165550125", "consent_sms": true, "consent_basis": "friendship" }),
    )
    .await
    .expect(422);
    assert_eq!(terms().await, "1 subscribed enquiry 6, 2 subscribed express -, 3 unsubscribed express -");
    for contact in [enquired, agreed, refused, silent] {
        let items = json!([{ "name": "Heater", "unit_cents": 1_000 }]);
        let quote = json!({ "contact_id": contact, "items": items, "draft": true });
        let quote = t.api(&desk.office.key, "POST", "/api/quotes", quote).await.expect(201).json();
        let path = format!("/api/quotes/{}", quote["id"].as_str().unwrap());
        t.api(&desk.office.key, "PATCH", &path, json!({ "status": "accepted" })).await.expect(200);
    }
    t.settle().await;
    let extended = "1 subscribed purchase 24, 2 subscribed express -, 3 unsubscribed express -";
    assert_eq!(terms().await, extended);
    // A second enquiry is younger than the purchase, and ends sooner.
    lead(json!({ "phone": "+1 416 555 0121", "consent_sms": true })).await;
    assert_eq!(terms().await, extended);
    let proofs =
        t.get(&desk.office.key, &format!("/api/contacts/{enquired}/consent")).await.expect(200).json();
    assert_eq!((&proofs[0]["how"], &proofs[0]["basis"]), (&json!("quote"), &json!("purchase")), "{proofs}");
    assert_eq!(proofs.as_array().unwrap().len(), 2);
    let page = t.get(&desk.office.key, &format!("/api/contacts/{silent}/consent")).await.expect(200).json();
    assert_eq!(page, json!([]), "nobody is subscribed by buying");
}
