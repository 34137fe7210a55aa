use axum::{body::Body, http::Request};
use chrono::TimeDelta;
use patchbay_rules::clicks;
use uuid::Uuid;

use super::{Text, jobs, opt_out, sample, sample_opt_out, shorten};
use crate::tests::{Office, Reply, TestApp};

const HOST: &str = "go.example.net";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
const PREVIEW: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/56.0.2924.87 Safari/537.36 Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)";

async fn app() -> TestApp {
    TestApp::with_env(&[("PATCHBAY_SHORT_DOMAIN", HOST)]).await
}

/// A browser of a person, unless a header says otherwise.
async fn open(test: &TestApp, method: &str, url: &str, headers: &[(&str, &str)]) -> Reply {
    let (host, path) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
    let mut request = Request::builder().method(method).uri(format!("/{path}")).header("host", host);
    for (name, value) in
        [("user-agent", IPHONE), ("accept-language", "en-AU"), ("x-forwarded-for", "1.129.105.8")]
    {
        if !headers.iter().any(|(given, _)| *given == name) {
            request = request.header(name, value);
        }
    }
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    test.request(request.body(Body::empty()).unwrap()).await
}

/// A message that was delivered a minute ago, with its links shortened.
async fn sent(test: &TestApp, office: &Office, contact: Uuid, body: &str) -> (Uuid, String) {
    let message = test.id();
    let mut body = body.to_owned();
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    let mut texts = [Text { body: &mut body, message_id: message, contact_id: contact, campaign_id: None }];
    shorten(&mut tx, &test.app, &mut texts).await.unwrap();
    tx.commit().await.unwrap();
    let sql = "insert into patchbay.messages (tenant_id, id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body, sent_at, delivered_at)
        select tenant_id, $2, id, 'outbound', 'sms', 'manual', 'delivered', $2::text, phone_e164, $3, $4, $4 from patchbay.contacts where tenant_id = $1 and id = $5";
    sqlx::query(sql)
        .bind(office.id)
        .bind(message)
        .bind(&body)
        .bind(test.app.now() - TimeDelta::seconds(60))
        .bind(contact)
        .execute(&mut test.sql().await)
        .await
        .unwrap();
    (message, body)
}

/// The last word of a text.
fn link(body: &str) -> &str {
    body.rsplit(' ').next().unwrap()
}

async fn clicks_of(test: &TestApp, filter: &str) -> i64 {
    test.app.clicks.flushed().await;
    test.scalar(&format!("select count(*) from patchbay.link_clicks where {filter}")).await
}

#[tokio::test]
async fn links_are_replaced_one_per_recipient_and_destination() {
    let test = app().await;
    let office = Office::open(&test, "ace").await;
    let (dana, lee) = (
        office.contact(&test, "Dana", Some("+61412000111")).await,
        office.contact(&test, "Lee", Some("+61412000222")).await,
    );
    let url = "https://acme.example/spring?utm=a&x=(1)";
    let words =
        format!("Hi! {url}, again {url} and http://acme.example/b. Stop: https://crm.example.com/u/x");
    let mut bodies = [words.clone(), words.clone(), "No link".to_owned()];
    let expected = sample(&test.app, &words);
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    let mut texts: Vec<Text<'_>> = bodies
        .iter_mut()
        .zip([dana, lee, lee])
        .map(|(body, contact_id)| Text { body, message_id: test.id(), contact_id, campaign_id: None })
        .collect();
    shorten(&mut tx, &test.app, &mut texts).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(test.scalar("select count(*) from patchbay.link_targets").await, 2);
    assert_eq!(test.scalar("select count(distinct token) from patchbay.short_links").await, 4);
    assert_eq!(bodies[2], "No link");
    assert_ne!(bodies[0], bodies[1]);
    for body in &bodies[..2] {
        assert_eq!(body.len(), expected.len(), "{body} / {expected}");
        assert!(body.ends_with("Stop: https://crm.example.com/u/x"), "our own links stay: {body}");
        let first = body.split([' ', ',']).nth(1).unwrap();
        assert_eq!(body.matches(first).count(), 2, "the same address twice is one link");
        let reply = open(&test, "GET", first, &[]).await.expect(302);
        assert_eq!(reply.headers["location"], url);
    }
    // A second text with the same words shares the destinations.
    sent(&test, &office, dana, &words).await;
    assert_eq!(test.scalar("select count(*) from patchbay.link_targets").await, 2);
}

#[tokio::test]
async fn without_a_short_domain_nothing_is_replaced() {
    let test = TestApp::new().await;
    let office = Office::open(&test, "ace").await;
    let dana = office.contact(&test, "Dana", Some("+61412000111")).await;
    let (_, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
    assert_eq!(body, "See https://acme.example/spring");
    assert_eq!(sample(&test.app, &body), body);
    assert!(sample_opt_out(&test.app).starts_with("https://crm.example.com/u/"));
}

#[tokio::test]
async fn a_link_leads_on_and_tells_the_destination_nothing() {
    let test = app().await;
    let office = Office::open(&test, "ace").await;
    let dana = office.contact(&test, "Dana", Some("+61412000111")).await;
    let (message, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
    let reply = open(&test, "GET", link(&body), &[]).await.expect(302);
    for (name, value) in [
        ("location", "https://acme.example/spring"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex"),
    ] {
        assert_eq!(reply.headers[name], value);
        assert_eq!(reply.headers.get_all(name).iter().count(), 1);
    }
    assert!(reply.headers.get("set-cookie").is_none());
    let facts = format!(
        "tenant_id = '{}' and contact_id = '{dana}' and message_id = '{message}' and not is_bot and score = 0 and method = 'GET'
         and host(network) = '1.129.105.0' and length(ip_hash) = 8 and headers ->> 'accept-language' = 'en-AU'",
        office.id
    );
    assert_eq!(clicks_of(&test, &facts).await, 1);
    assert_eq!(
        test.scalar("select count(*) from patchbay.link_clicks where link_clicks::text like '%105.8%'").await,
        0,
        "no whole address"
    );
    // Not on the pages' own domain, and the pages are not on this one.
    let token = link(&body).rsplit('/').next().unwrap();
    open(&test, "GET", &format!("https://crm.example.com/{token}"), &[]).await.expect(404);
    open(&test, "GET", &format!("https://{HOST}/sign-in"), &[]).await.expect(404);
    open(&test, "GET", &format!("https://{HOST}/health"), &[]).await.expect(200);
    let quote = open(&test, "GET", &format!("https://{HOST}/q/abc123abc123"), &[]).await.expect(302);
    assert_eq!(quote.headers["location"], "https://crm.example.com/q/abc123abc123");
}

#[tokio::test]
async fn programs_are_answered_and_told_apart() {
    let test = app().await;
    let office = Office::open(&test, "ace").await;
    let dana = office.contact(&test, "Dana", Some("+61412000111")).await;
    for (method, header, status, reason) in [
        ("HEAD", ("accept", "*/*"), 302, "method"),
        ("OPTIONS", ("accept", "*/*"), 204, "method"),
        ("GET", ("sec-purpose", "prefetch;prerender"), 302, "prefetch"),
        ("GET", ("x-purpose", "preview"), 302, "prefetch"),
        ("GET", ("user-agent", PREVIEW), 302, "agent"),
        ("GET", ("user-agent", "WhatsApp/2.24.8.78 A"), 302, "agent"),
        ("GET", ("user-agent", ""), 302, "agent"),
    ] {
        let (message, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
        open(&test, method, link(&body), &[header]).await.expect(status);
        let judged =
            format!("message_id = '{message}' and is_bot and score = 100 and reasons[1] = '{reason}'");
        assert_eq!(clicks_of(&test, &judged).await, 1, "{method} {header:?}");
    }
}

#[tokio::test]
async fn neighbours_decide_and_the_last_word_comes_later() {
    let test = app().await;
    let office = Office::open(&test, "ace").await;
    let dana = office.contact(&test, "Dana", Some("+61412000111")).await;
    let (_, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
    for _ in 0..3 {
        open(&test, "GET", link(&body), &[]).await.expect(302);
        test.app.clicks.flushed().await;
    }
    // The first two were a person's as far as anybody knew.
    assert_eq!(clicks_of(&test, "is_bot").await, 1);
    assert_eq!(jobs::score_due(&test.app).await.unwrap(), 0);
    test.clock.advance(TimeDelta::seconds(70));
    assert_eq!(jobs::score_due(&test.app).await.unwrap(), 3);
    assert_eq!(clicks_of(&test, "is_bot and 'burst' = any(reasons)").await, 3);
    assert_eq!(jobs::score_due(&test.app).await.unwrap(), 0, "nothing is judged twice by the same rules");

    // Before it was delivered, and from a data centre.
    let (message, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
    open(&test, "GET", link(&body), &[("x-forwarded-for", "3.5.140.9")]).await.expect(302);
    test.app.clicks.flushed().await;
    test.execute(&format!(
        "update patchbay.messages set delivered_at = delivered_at + interval '2 minutes' where id = '{message}'"
    ))
    .await;
    test.clock.advance(TimeDelta::seconds(70));
    jobs::score_due(&test.app).await.unwrap();
    let judged = format!("message_id = '{message}' and score = 110 and reasons = '{{too_soon,hosting}}'");
    assert_eq!(clicks_of(&test, &judged).await, 1);

    // Another version of the rules, or another look at them.
    test.execute("update patchbay.link_clicks set is_bot = false, score = 7, classifier = classifier - 1")
        .await;
    assert_eq!(jobs::score_due(&test.app).await.unwrap(), 4);
    assert_eq!(clicks_of(&test, &format!("is_bot and classifier = {}", clicks::VERSION)).await, 4);
    test.execute("update patchbay.link_clicks set is_bot = false").await;
    assert_eq!(jobs::rescore(&test.app).await.unwrap(), 4);
    assert_eq!(clicks_of(&test, "is_bot").await, 4);
}

#[tokio::test]
async fn one_address_that_opens_everybodys_links_is_a_scanner() {
    let test = app().await;
    let office = Office::open(&test, "ace").await;
    for number in 0..5 {
        let contact = office.contact(&test, "Dana", Some(&format!("+6141200011{number}"))).await;
        let (_, body) = sent(&test, &office, contact, "See https://acme.example/spring").await;
        open(&test, "GET", link(&body), &[]).await.expect(302);
    }
    test.app.clicks.flushed().await;
    test.clock.advance(TimeDelta::seconds(70));
    jobs::score_due(&test.app).await.unwrap();
    assert_eq!(clicks_of(&test, "is_bot and reasons = '{crowd}'").await, 5);
}

#[tokio::test]
async fn made_up_and_expired_links_look_alike_and_guessing_is_slowed_down() {
    let test = app().await;
    let office = Office::open(&test, "ace").await;
    let dana = office.contact(&test, "Dana", Some("+61412000111")).await;
    let (_, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
    let url = link(&body).to_owned();
    let mut texts = Vec::new();
    let unknown = format!("https://{HOST}/{}", test.app.links.mint());
    let elsewhere = format!("https://{HOST}/https:%2F%2Fevil.example");
    for wrong in [
        &unknown,
        &format!("{url}x"),
        &url[..url.len() - 1].to_owned(),
        &elsewhere,
        &format!("https://{HOST}/"),
    ] {
        let reply = open(&test, "GET", wrong, &[("x-forwarded-for", "198.51.100.1")]).await.expect(404);
        assert!(reply.headers.get("location").is_none());
        texts.push(reply.text);
    }
    test.clock.advance(TimeDelta::seconds(60 * 86_400 + 1));
    texts.push(open(&test, "GET", &url, &[("x-forwarded-for", "198.51.100.1")]).await.expect(404).text);
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert_eq!(clicks_of(&test, "true").await, 0);
    for _ in 0..25 {
        open(&test, "GET", &unknown, &[("x-forwarded-for", "198.51.100.9")]).await;
    }
    let slowed = open(&test, "GET", &unknown, &[("x-forwarded-for", "198.51.100.9")]).await.expect(429);
    assert!(slowed.headers.contains_key("retry-after"));
    open(&test, "GET", &unknown, &[("x-forwarded-for", "198.51.100.8")]).await.expect(404);
    // Many people share an address: a right link is never slowed down.
    let (_, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
    open(&test, "GET", link(&body), &[("x-forwarded-for", "198.51.100.9")]).await.expect(302);
}

#[tokio::test]
async fn opting_out_takes_one_press_and_holds_for_the_number() {
    let test = app().await;
    let (office, other) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    let dana = office.contact(&test, "Dana", Some("+61412000111")).await;
    other.contact(&test, "Dana", Some("+61412000111")).await;
    let (message, _) = sent(&test, &office, dana, "Hello").await;
    let mut tx = test.app.db.tenant(office.id).await.unwrap();
    let urls = opt_out(&mut tx, &test.app, &[(message, dana), (test.id(), dana)]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(urls.iter().all(|url| url.len() == sample_opt_out(&test.app).len()) && urls[0] != urls[1]);
    let url = urls[0].as_str();
    let page = open(&test, "GET", url, &[]).await.expect(200);
    assert!(page.text.contains("Stop messages from ace?") && page.text.contains("…111"), "{}", page.text);
    assert!(!page.text.contains("+61412000111"), "whoever finds the link does not learn the number");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    open(&test, "HEAD", url, &[]).await.expect(200);
    assert_eq!(test.scalar("select count(*) from patchbay.consents").await, 0, "a GET changes nothing");
    for _ in 0..2 {
        let done = open(&test, "POST", url, &[]).await.expect(303);
        assert_eq!(format!("https://{HOST}{}", done.headers["location"].to_str().unwrap()), url);
    }
    let page = open(&test, "GET", url, &[]).await.expect(200);
    assert!(page.text.contains("No more messages") && !page.text.contains("<form"), "{}", page.text);
    let proof = format!(
        "select count(*) from patchbay.consent_events where tenant_id = '{}' and how = 'link' and state = 'unsubscribed' and evidence ->> 'message_id' = '{message}'",
        office.id
    );
    assert_eq!(test.scalar(&proof).await, 2, "one proof per channel, not per press");
    assert_eq!(test.scalar(&format!("select count(*) from patchbay.do_not_contact where tenant_id = '{}' and phone_e164 = '+61412000111' and source = 'link'", office.id)).await, 1);
    assert_eq!(test.scalar(&format!("select count(*) from patchbay.contacts where id = '{dana}' and consent_sms = 'unsubscribed' and consent_whatsapp = 'unsubscribed'")).await, 1);
    assert_eq!(
        test.scalar(&format!("select count(*) from patchbay.consents where tenant_id = '{}'", other.id))
            .await,
        0
    );
    // A year later it still works; on the pages' own domain too.
    test.clock.advance(TimeDelta::seconds(399 * 86_400));
    let later = urls[1].replace(HOST, "crm.example.com");
    open(&test, "POST", &later, &[]).await.expect(303);
    open(&test, "GET", &later, &[]).await.expect(200);
    test.clock.advance(TimeDelta::seconds(2 * 86_400));
    open(&test, "GET", &later, &[]).await.expect(404);
    // The key was changed since; a promise to the recipient is kept all the same.
    let old = "0123456789abc";
    assert!(!test.app.links.knows(old));
    test.execute(&format!("update patchbay.short_links set token = '{old}', expires_at = now() + interval '2000 days' where kind = 'opt_out' and token = '{}'", url.rsplit('/').next().unwrap())).await;
    open(&test, "POST", &format!("https://{HOST}/u/{old}"), &[]).await.expect(303);
    open(&test, "POST", &format!("https://{HOST}/u/0123456789abd"), &[]).await.expect(404);
    // Tokens of one kind do not open the other.
    let (_, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
    let token = link(&body).rsplit('/').next().unwrap();
    open(&test, "POST", &format!("https://{HOST}/u/{token}"), &[]).await.expect(404);
    open(&test, "GET", &format!("https://{HOST}/{old}"), &[]).await.expect(404);
}

#[tokio::test]
async fn two_nodes_write_and_judge_side_by_side() {
    let test = app().await;
    let node = test.node().await;
    let office = Office::open(&test, "ace").await;
    let dana = office.contact(&test, "Dana", Some("+61412000111")).await;
    let (_, body) = sent(&test, &office, dana, "See https://acme.example/spring").await;
    for number in 0..40 {
        let ip = format!("1.129.105.{number}");
        let request = Request::builder().uri(format!("/{}", link(&body).rsplit('/').next().unwrap()));
        let request =
            request.header("host", HOST).header("user-agent", IPHONE).header("x-forwarded-for", &ip);
        let request = request.body(Body::empty()).unwrap();
        let router = if number % 2 == 0 { test.router.clone() } else { node.router.clone() };
        let reply = tower::ServiceExt::oneshot(router, request).await.unwrap();
        assert_eq!(reply.status(), 302);
    }
    let app = node.app.clone();
    node.start(async move { app.clicks.flushed().await }).await.unwrap();
    assert_eq!(clicks_of(&test, "true").await, 40);
    test.clock.advance(TimeDelta::seconds(70));
    let app = node.app.clone();
    let theirs = node.start(async move { jobs::score_due(&app).await.unwrap() });
    let ours = jobs::score_due(&test.app).await.unwrap();
    assert_eq!(ours + theirs.await.unwrap(), 40);
    assert_eq!(clicks_of(&test, "classifier = 0 or not is_bot").await, 0);
}

#[tokio::test]
async fn a_link_that_was_erased_meanwhile_takes_its_hits_along_and_no_others() {
    let test = app().await;
    let office = Office::open(&test, "ace").await;
    let (dana, lee) = (
        office.contact(&test, "Dana", Some("+61412000111")).await,
        office.contact(&test, "Lee", Some("+61412000222")).await,
    );
    let (_, first) = sent(&test, &office, dana, "See https://acme.example/a").await;
    let (_, second) = sent(&test, &office, lee, "See https://acme.example/b").await;
    let hit = |link_id: String| super::clicks::Hit {
        tenant_id: office.id,
        link_id: link_id.parse().unwrap(),
        at: test.app.now(),
        method: axum::http::Method::GET,
        user_agent: IPHONE.to_owned(),
        headers: serde_json::json!({}),
        visitor: Vec::new(),
        network: None,
    };
    let id_of = |body: &str| {
        format!(
            "select id::text from patchbay.short_links where token = '{}'",
            link(body).rsplit('/').next().unwrap()
        )
    };
    let (gone, there) = (test.text(&id_of(&first)).await, test.text(&id_of(&second)).await);
    test.execute(&format!("delete from patchbay.short_links where id = '{gone}'")).await;
    test.app.clicks.record(hit(gone)).await;
    test.app.clicks.record(hit(there)).await;
    assert_eq!(clicks_of(&test, &format!("contact_id = '{lee}'")).await, 1);
    assert_eq!(clicks_of(&test, "true").await, 1);
}
