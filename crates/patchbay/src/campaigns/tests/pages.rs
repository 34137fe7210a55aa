//! The pages and files of a campaign.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{Desk, id_of};
use crate::{auth::Role, tests::Browser};

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
