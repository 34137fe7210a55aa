//! Writing to somebody: sent once, later, at a bad hour, refused with a reason, the first time.

use chrono::TimeDelta;
use uuid::Uuid;

use super::office;
use crate::tests::{Browser, TestApp};

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
