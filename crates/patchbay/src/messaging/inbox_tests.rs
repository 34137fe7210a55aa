//! The inbox from outside: through a browser's eyes and over the API.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    auth::Role,
    tests::{Browser, Office, Tenancy, TestApp},
    workers,
};

/// A business of its own with an owner who is signed in, without quiet hours.
async fn office(t: &TestApp) -> (Office, Browser<'_>) {
    let office = Office::open(t, "brightside").await;
    let browser = Browser::with_session(t, &office.session);
    (office, browser)
}

/// The same for tests in which people write to us.
async fn tenancy<'t>(t: &'t TestApp, name: &str) -> (Tenancy, Browser<'t>) {
    let who = t.tenancy(name).await;
    t.execute("update patchbay.tenants set quiet_start = null, quiet_end = null, country_rules = false")
        .await;
    let slug = t.text(&format!("select slug from patchbay.tenants where id = '{}'", who.id)).await;
    let email = format!("owner@{}.example", name.to_lowercase());
    let browser = Browser::member(t, &slug, &email, Role::Owner).await;
    (who, browser)
}

async fn contact_of(t: &TestApp, who: &Tenancy, phone: &str) -> String {
    t.text(&format!(
        "select id::text from patchbay.contacts where tenant_id = '{}' and phone_e164 = '{phone}'",
        who.id
    ))
    .await
}

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
async fn the_same_form_sent_twice_is_one_message() {
    let t = TestApp::new().await;
    let (office, mut browser) = office(&t).await;
    let id = office.contact(&t, "Dana", Some("+61491570156")).await;
    let path = format!("/conversations/{id}/messages");
    let page = browser.get(&format!("/conversations/{id}")).await.expect(200);
    let nonce = page
        .text
        .split("name=\"nonce\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned();
    let form = [("channel", "sms"), ("body", "Only once"), ("nonce", &*nonce)];
    for _ in 0..2 {
        browser.post(&path, &form).await.expect(303);
    }
    let twins = [Browser::with_session(&t, &office.session), Browser::with_session(&t, &office.session)];
    let sent = twins.into_iter().map(|mut twin| {
        let (path, nonce) = (path.clone(), nonce.clone());
        async move {
            twin.post(&path, &[("channel", "sms"), ("body", "At once"), ("nonce", &nonce)])
                .await
                .status
                .as_u16()
        }
    });
    assert_eq!(futures::future::join_all(sent).await, [303, 303]);
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages").await,
        2,
        "another text in the same form is another message"
    );
    // Without a nonce every call is a message.
    for _ in 0..2 {
        browser.post(&path, &[("channel", "sms"), ("body", "Twice")]).await.expect(303);
    }
    assert_eq!(t.scalar("select count(*) from patchbay.messages").await, 4);
    t.settle().await;
    assert_eq!(t.scalar("select count(*) from patchbay.messages where status = 'delivered' and sent_by_label = 'Rosa Marín' and kind = 'manual'").await, 4);
}

#[tokio::test]
async fn what_cannot_be_sent_keeps_what_was_typed_and_says_why() {
    let t = TestApp::new().await;
    let (office, mut browser) = office(&t).await;
    let id = office.contact(&t, "Dana", Some("+61491570156")).await;
    let path = format!("/conversations/{id}/messages");
    let long = "x".repeat(1601);
    for (fields, says) in [
        (vec![("channel", "sms"), ("body", "  ")], "Write a message."),
        (vec![("channel", "sms"), ("body", long.as_str())], "1,600 characters at most"),
        (vec![("channel", "email"), ("body", "Hi")], "no e-mail address"),
        (vec![("channel", "pigeon"), ("body", "Hi")], "Choose how to send it"),
        (vec![("channel", "sms"), ("body", "Kept"), ("send_at", "2001-01-01T00:00:00Z")], "has passed there"),
        (
            vec![("channel", "sms"), ("body", "Kept"), ("later", "custom"), ("send_at_local", "soon")],
            "Choose a day and a time.",
        ),
    ] {
        let reply = browser.post(&path, &fields).await.expect(422);
        assert!(reply.text.contains(says), "{says}");
        assert!(fields[1].1.trim().is_empty() || reply.text.contains(fields[1].1), "typed text is kept");
    }
    browser
        .post(&format!("/conversations/{}/messages", Uuid::new_v4()), &[("channel", "sms"), ("body", "Hi")])
        .await
        .expect(404);
    assert_eq!(t.scalar("select count(*) from patchbay.messages").await, 0);
}

#[tokio::test]
async fn later_is_later_on_the_contacts_clock() {
    let t = TestApp::new().await;
    let (office, mut browser) = office(&t).await;
    let id = office.contact(&t, "Dana", Some("+61491570156")).await;
    t.execute("update patchbay.contacts set timezone = 'America/New_York'").await;
    let local =
        (t.clock_now().with_timezone(&chrono_tz::America::New_York) + TimeDelta::days(2)).date_naive();
    let typed = format!("{local}T09:30");
    browser
        .post(
            &format!("/conversations/{id}/messages"),
            &[("channel", "sms"), ("body", "Soon"), ("later", "custom"), ("send_at_local", &typed)],
        )
        .await
        .expect(303);
    let at = t.text("select to_char(scheduled_at at time zone 'America/New_York', 'YYYY-MM-DD\"T\"HH24:MI') from patchbay.messages").await;
    assert_eq!(at, typed);
    let page = browser.get(&format!("/conversations/{id}")).await.expect(200);
    assert!(
        page.text.contains("New York time")
            && page.text.contains("Send now")
            && page.text.contains("Leaves "),
        "{}",
        page.text
    );
    let message = t.text("select id::text from patchbay.messages").await;
    let why = browser.get(&format!("/messages/{message}/why")).await.expect(200);
    assert_eq!(why.text.matches("<li class=").count(), 7);
    browser.post(&format!("/messages/{message}/cancel"), &[]).await.expect(303);
    assert!(
        browser.get(&format!("/conversations/{id}")).await.text.contains("Canceled by Rosa before it left")
    );
    t.settle().await;
    assert_eq!(t.scalar("select count(*) from patchbay.messages where sent_at is not null").await, 0);
}

#[tokio::test]
async fn who_unsubscribed_is_not_written_to_and_one_is_told_why() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    t.receive(&who, "+12125550101", "Stop", "SM1").await;
    t.settle().await;
    let id = contact_of(&t, &who, "+12125550101").await;
    let page = browser.get(&format!("/conversations/{id}")).await.expect(200);
    for said in ["unsubscribed from SMS", "Wrote STOP today at", "by writing START to", "data-hurdle"] {
        assert!(page.text.contains(said), "{said}");
    }
    let before = t.scalar("select count(*) from patchbay.messages").await;
    let refused = browser
        .post(&format!("/conversations/{id}/messages"), &[("channel", "sms"), ("body", "Please?")])
        .await
        .expect(422);
    assert!(refused.text.contains("Nothing was sent.") && refused.text.contains(">Please?</textarea>"));
    assert_eq!(t.scalar("select count(*) from patchbay.messages").await, before);
    assert!(browser.get("/inbox").await.text.contains("Unsubscribed"));
    t.receive(&who, "+12125550101", "START", "SM2").await;
    t.settle().await;
    browser
        .post(&format!("/conversations/{id}/messages"), &[("channel", "sms"), ("body", "Welcome back")])
        .await
        .expect(303);
}

#[tokio::test]
async fn words_that_may_be_an_opt_out_are_decided_by_a_person() {
    let t = TestApp::new().await;
    let (who, mut browser) = tenancy(&t, "Brightside").await;
    let states =
        async || t.text("select string_agg(state, ',' order by address) from patchbay.consents").await;
    for (n, from) in ["+12125550101", "+12125550102"].into_iter().enumerate() {
        t.receive(&who, from, "Please take me off your list", &format!("SM{n}")).await;
        t.settle().await;
    }
    assert_eq!(states().await, "unsubscribed,unsubscribed", "silence until somebody decides");
    let (yes, no) = (contact_of(&t, &who, "+12125550101").await, contact_of(&t, &who, "+12125550102").await);
    assert!(browser.get(&format!("/conversations/{no}")).await.text.contains("They did not"));
    browser.post(&format!("/conversations/{yes}/review"), &[("opted_out", "true")]).await.expect(303);
    browser.post(&format!("/conversations/{no}/review"), &[("opted_out", "false")]).await.expect(303);
    // Nobody agreed to anything by being misread.
    assert_eq!(states().await, "unsubscribed,unknown");
    assert_eq!(
        t.text("select string_agg(phone_e164, ',') from patchbay.do_not_contact").await,
        "+12125550101"
    );
    assert!(!browser.get(&format!("/conversations/{no}")).await.text.contains("They did not"));
    // A keyword is no matter of opinion.
    t.receive(&who, "+12125550103", "STOP", "SM7").await;
    t.settle().await;
    let stopped = contact_of(&t, &who, "+12125550103").await;
    t.execute(&format!(
        "update patchbay.conversations set needs_review = 'Look' where contact_id = '{stopped}'"
    ))
    .await;
    browser.post(&format!("/conversations/{stopped}/review"), &[("opted_out", "false")]).await.expect(303);
    assert_eq!(states().await, "unsubscribed,unknown,unsubscribed");
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

#[tokio::test]
async fn starting_to_talk_finds_or_makes_the_contact() {
    let t = TestApp::new().await;
    let (_, mut browser) = office(&t).await;
    let first = browser
        .post("/conversations/new", &[("to", "0491 570 156"), ("first_name", "Dana")])
        .await
        .expect(303);
    let again = browser
        .post("/conversations/new", &[("to", "+61 491 570 156"), ("first_name", "Someone")])
        .await
        .expect(303);
    assert_eq!(first.headers["location"], again.headers["location"]);
    assert_eq!(t.text("select first_name from patchbay.contacts").await, "Dana");
    let opened = browser.get(first.headers["location"].to_str().unwrap()).await.expect(200);
    assert!(opened.text.contains("Text Dana at"));
    for (to, says) in [("", "Write a number"), ("12", "number"), ("a@", "not an e-mail address")] {
        let reply =
            browser.post("/conversations/new", &[("to", to), ("first_name", "Kept")]).await.expect(422);
        assert!(reply.text.contains(says) && reply.text.contains("value=\"Kept\""), "{to}");
    }
    browser.post("/conversations/new", &[("to", "Dana.W@Example.com")]).await.expect(303);
    assert_eq!(
        t.text("select email from patchbay.contacts where email is not null").await,
        "dana.w@example.com"
    );
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

#[tokio::test]
async fn an_hour_at_which_people_sleep_is_spoken_of() {
    let t = TestApp::new().await;
    let (office, mut browser) = office(&t).await;
    let id = office.contact(&t, "Dana", Some("+61491570156")).await;
    t.execute(
        "update patchbay.contacts set timezone = 'Australia/Perth';
         update patchbay.tenants set quiet_start = ((now() - interval '1 hour') at time zone 'Australia/Perth')::time(0),
           quiet_end = ((now() + interval '2 hours') at time zone 'Australia/Perth')::time(0)",
    )
    .await;
    let page = browser.get(&format!("/conversations/{id}")).await.expect(200);
    assert!(
        page.text.contains("class=\"caution")
            && page.text.contains("in Perth")
            && page.text.contains("Send at "),
        "{}",
        page.text
    );
    // It is a caution: who sends all the same, sends.
    browser
        .post(&format!("/conversations/{id}/messages"), &[("channel", "sms"), ("body", "Urgent")])
        .await
        .expect(303);
    t.settle().await;
    assert_eq!(t.text("select status from patchbay.messages").await, "delivered");
}
