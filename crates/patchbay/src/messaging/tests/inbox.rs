//! Conversations in their lists: views, pages, search, the API.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{contact_of, office, tenancy};
use crate::{tests::TestApp, workers};

async fn listed(t: &TestApp, key: &str, query: &str) -> Value {
    t.get(key, &format!("/api/conversations?{query}")).await.expect(200).json()
}

fn names(page: &Value) -> Vec<String> {
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["phone"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn conversations_move_between_views() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    for (n, from) in ["+12125550101", "+12125550102", "+12125550103"].into_iter().enumerate() {
        t.receive(&who, from, "Hello", &format!("SM{n}")).await;
        t.settle().await;
    }
    assert_eq!(names(&listed(&t, &who.key, "").await), ["+12125550103", "+12125550102", "+12125550101"]);
    let first = contact_of(&t, &who, "+12125550101").await;
    let page = browser.get("/inbox?view=unread").await.expect(200);
    assert_eq!(page.text.matches("class=\"conv unread\"").count(), 3);
    let open = browser.get(&format!("/conversations/{first}?view=unread")).await.expect(200);
    assert!(
        open.text.contains("class=\"day new\"")
            && open.text.contains(&format!("data-unread=\"/conversations/{first}/read\""))
    );
    browser.post(&format!("/conversations/{first}/read"), &[]).await.expect(204);
    assert_eq!(names(&listed(&t, &who.key, "view=unread").await), ["+12125550103", "+12125550102"]);
    browser.post(&format!("/conversations/{first}/done"), &[]).await.expect(303);
    assert_eq!(names(&listed(&t, &who.key, "view=done").await), ["+12125550101"]);
    // Whoever writes is heard, whatever the conversation was.
    t.receive(&who, "+12125550101", "One more thing", "SM9").await;
    t.settle().await;
    assert_eq!(names(&listed(&t, &who.key, "view=open").await)[0], "+12125550101");
    let me = t.text("select id::text from patchbay.users where email = 'owner@brightside.example'").await;
    browser.post(&format!("/conversations/{first}/assign"), &[("assignee_id", &me)]).await.expect(303);
    let mine = browser.get("/inbox?view=mine").await.expect(200);
    assert_eq!(mine.text.matches("data-row>").count(), 1);
    assert!(browser.get(&format!("/conversations/{first}")).await.text.contains("took this conversation"));
    browser.post(&format!("/conversations/{first}/assign"), &[("assignee_id", "")]).await.expect(303);
    assert!(browser.get("/inbox?view=mine").await.text.contains("Nothing is assigned to you"));
}

#[tokio::test]
async fn what_is_snoozed_comes_back_by_itself() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    t.receive(&who, "+12125550101", "Hello", "SM1").await;
    t.settle().await;
    let id = contact_of(&t, &who, "+12125550101").await;
    let until = (t.clock_now() + TimeDelta::hours(3)).to_rfc3339();
    let answer = browser.post(&format!("/conversations/{id}/snooze"), &[("until", &until)]).await.expect(303);
    assert_eq!(answer.headers["location"], "/inbox?view=open");
    assert_eq!(names(&listed(&t, &who.key, "view=snoozed").await).len(), 1);
    assert!(browser.get(&format!("/conversations/{id}")).await.text.contains("Snoozed until"));
    workers::periodic(&t.app).await.unwrap();
    assert_eq!(names(&listed(&t, &who.key, "view=open").await).len(), 0);
    t.clock.advance(TimeDelta::hours(3) + TimeDelta::seconds(1));
    workers::periodic(&t.app).await.unwrap();
    assert_eq!(names(&listed(&t, &who.key, "view=open").await).len(), 1);
    let past = (t.clock_now() - TimeDelta::hours(1)).to_rfc3339();
    browser.post(&format!("/conversations/{id}/snooze"), &[("until", &past)]).await.expect(422);
    // A day and a time of one's own, on the clock of the business.
    browser.post(&format!("/conversations/{id}/snooze"), &[("until_local", "tomorrow")]).await.expect(400);
    let own = (t.clock_now() + TimeDelta::days(2)).format("%Y-%m-%dT%H:%M").to_string();
    browser.post(&format!("/conversations/{id}/snooze"), &[("until_local", &own)]).await.expect(303);
    assert_eq!(names(&listed(&t, &who.key, "view=snoozed").await).len(), 1);
}

#[tokio::test]
async fn pages_stay_whole_while_messages_arrive() {
    let t = TestApp::new().await;
    let (office, mut browser) = office(&t).await;
    t.execute(&format!(
        "insert into patchbay.contacts (tenant_id, first_name, phone_e164) select '{0}', 'C' || n, '+1212555' || lpad(n::text, 4, '0') from generate_series(1, 130) n;
         insert into patchbay.conversations (tenant_id, contact_id, last_message_at, last_preview)
           select tenant_id, id, date_trunc('minute', now()) - interval '1 minute' * (row_number() over (order by id) / 3), 'Hi' from patchbay.contacts where tenant_id = '{0}'",
        office.id
    ))
    .await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = listed(&t, &office.key, &format!("limit=40&cursor={cursor}")).await;
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|row| row["contact_id"].as_str().unwrap().to_owned()),
        );
        // One that was already seen moves to the front meanwhile.
        t.execute(&format!(
            "update patchbay.conversations set last_message_at = now() where contact_id = '{}'",
            seen[0]
        ))
        .await;
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    let total = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((total, seen.len()), (130, 130));
    let list = browser.get("/inbox/list?view=open").await.expect(200);
    assert_eq!(list.text.matches("<li class=\"conv").count(), 50);
    let next = list
        .text
        .split("class=\"more\" href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    assert_eq!(browser.get(&next).await.expect(200).text.matches("<li class=\"conv").count(), 50);
    browser.get("/inbox/list?cursor=nonsense").await.expect(400);
    assert_eq!(browser.get("/inbox/list?limit=120").await.text.matches("<li class=\"conv").count(), 120);
}

#[tokio::test]
async fn search_finds_people_and_words_of_this_business_alone() {
    let t = TestApp::new().await;
    let (ours, mut browser) = tenancy(&t, "Brightside").await;
    let (theirs, mut stranger) = tenancy(&t, "Harbour").await;
    t.receive(&ours, "+12125550101", "The WÁTER heater is leaking, 50% off?", "SM1").await;
    t.receive(&theirs, "+12125550102", "water heater of somebody else", "SM2").await;
    t.settle().await;
    t.execute("update patchbay.contacts set first_name = 'Lucía', last_name = 'Fernández' where phone_e164 = '+12125550101'").await;
    t.execute("update patchbay.contacts set first_name = 'Lucy', last_name = 'Fern' where phone_e164 = '+12125550102'").await;
    let mine = contact_of(&t, &ours, "+12125550101").await;
    let other = contact_of(&t, &theirs, "+12125550102").await;
    for (q, hits) in [
        ("water%20heater", 1),
        ("WATER", 1),
        ("heater+water", 1),
        ("50%25%20off", 1),
        ("50%25%20nothing", 0),
        ("%25%25%25", 0),
        ("somebody", 0),
        ("%00", 0),
        ("'%3B%20drop", 0),
    ] {
        let page = browser.get(&format!("/inbox/list?q={q}")).await.expect(200);
        assert_eq!(page.text.matches("class=\"conv hit\"").count(), hits, "{q}");
        assert!(!page.text.contains(&other), "{q}");
    }
    for (q, found) in [
        ("lucia", true),
        ("ferná", true),
        ("lu", true),
        ("212%20555-0101", true),
        ("5550102", false),
        ("Lucy", false),
    ] {
        let page = browser.get(&format!("/inbox/list?q={q}")).await.expect(200);
        assert_eq!(page.text.contains(&mine), found, "{q}");
        assert!(!page.text.contains(&other), "{q}");
        let palette = browser.get(&format!("/palette?q={q}")).await.expect(200);
        assert_eq!((palette.text.contains(&mine), palette.text.contains(&other)), (found, false), "{q}");
    }
    for path in [format!("/conversations/{mine}"), format!("/messages/{}/why", Uuid::new_v4())] {
        stranger.get(&path).await.expect(404);
    }
    for verb in ["messages", "notes", "done", "reopen", "read", "unread", "review", "assign"] {
        let fields = [("channel", "sms"), ("body", "Hi"), ("opted_out", "true"), ("assignee_id", "")];
        stranger.post(&format!("/conversations/{mine}/{verb}"), &fields).await.expect(404);
    }
    t.api(&theirs.key, "PATCH", &format!("/api/conversations/{mine}"), json!({ "status": "done" }))
        .await
        .expect(404);
    assert_eq!(t.scalar("select count(*) from patchbay.conversations where status <> 'open'").await, 0);
}

#[tokio::test]
async fn conversations_over_the_api() {
    let t = TestApp::new().await;
    let (office, mut browser) = office(&t).await;
    let id = office.contact(&t, "Dana", Some("+61491570156")).await;
    let path = format!("/api/conversations/{id}");
    t.get(&office.key, &path).await.expect(404);
    browser
        .post(&format!("/conversations/{id}/messages"), &[("channel", "sms"), ("body", "Hello")])
        .await
        .expect(303);
    let seen = t.get(&office.key, &path).await.expect(200).json();
    assert_eq!(
        (&seen["status"], &seen["last_preview"], &seen["name"]),
        (&json!("open"), &json!("Hello"), &json!("Dana Whitfield"))
    );
    let patch = async |body: Value| t.api(&office.key, "PATCH", &path, body).await;
    let until = (t.clock_now() + TimeDelta::hours(1)).to_rfc3339();
    assert_eq!(
        patch(json!({ "status": "snoozed", "snoozed_until": until })).await.expect(200).json()["status"],
        "snoozed"
    );
    assert_eq!(patch(json!({ "snoozed_until": null })).await.expect(200).json()["status"], "open");
    assert_eq!(patch(json!({ "status": "done", "unread": 0 })).await.expect(200).json()["status"], "done");
    assert_eq!(
        patch(json!({ "assignee_id": office.owner_id })).await.expect(200).json()["assignee_id"],
        json!(office.owner_id)
    );
    assert_eq!(
        patch(json!({ "assignee_id": null, "unknown": 1 })).await.expect(200).json()["assignee_id"],
        Value::Null
    );
    for wrong in [
        json!({ "status": "snoozed" }),
        json!({ "status": "x" }),
        json!({ "status": "open", "snoozed_until": until }),
        json!({ "assignee_id": Uuid::new_v4() }),
        json!({ "unread": 3 }),
        json!({ "unread": "x" }),
    ] {
        patch(wrong).await.expect(422);
    }
    let note = t
        .api(&office.key, "POST", &format!("{path}/notes"), json!({ "body": "From a program" }))
        .await
        .expect(201)
        .json();
    assert_eq!(note["body"], "From a program");
    t.get(&office.key, "/api/conversations?view=nothing").await.expect(422);
}
