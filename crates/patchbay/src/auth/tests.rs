//! Signing in, as people, mail scanners and strangers try it.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use super::{Actor, ActorKind, Role, Scope, create_key, guard, login_link, sign_in};
use crate::{
    error::Error,
    tenants::{self, NewTenant, Tenant},
    tests::{Browser, Office, TestApp},
    web::client::Client,
};

async fn business(test: &TestApp, name: &str) -> Tenant {
    let new = NewTenant { name: name.to_owned(), country: Some("AU".to_owned()), ..NewTenant::default() };
    let tenant = tenants::create(&test.app, new).await.expect("tenant");
    super::add_user(&test.app, &tenant.slug, &format!("owner@{}.example", tenant.slug), Role::Owner)
        .await
        .expect("owner");
    tenant
}

/// The path of the link in the mail sent last.
fn mailed_link(test: &TestApp) -> String {
    let mail = test.app.mailer.sent().pop().expect("a mail");
    let start = mail.text.find("https://crm.example.com/sign-in/").expect("a link");
    mail.text[start..].split_whitespace().next().expect("a link").replace("https://crm.example.com", "")
}

#[tokio::test]
async fn a_link_signs_in_once_and_looking_at_it_uses_nothing_up() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::new(&test);
    let asked = browser
        .post("/sign-in", &[("email", " Owner@Ace.example "), ("next", "/contacts?q=x")])
        .await
        .expect(303);
    assert_eq!(asked.headers["location"], "/sign-in/sent");
    let sent = browser.get("/sign-in/sent").await.expect(200);
    assert!(sent.text.contains("owner@ace.example"));
    let path = mailed_link(&test);
    // What opens links in mails: another address, no cookies, again and again.
    for _ in 0..3 {
        let mut scanner = Browser::new(&test);
        let page = scanner.get(&path).await.expect(200);
        assert!(page.text.contains("Type this code there"));
        scanner.post(&path, &[]).await.expect(200);
        assert!(scanner.session().is_none());
    }
    let page = browser.get(&path).await.expect(200);
    assert!(page.text.contains("owner@ace.example") && !page.text.contains("data-enter"));
    let inside = browser.post(&path, &[]).await.expect(303);
    assert_eq!(inside.headers["location"], "/contacts?q=x");
    let cookie = inside
        .headers
        .get_all("set-cookie")
        .iter()
        .find(|c| c.to_str().unwrap().contains("session"))
        .unwrap();
    let cookie = cookie.to_str().unwrap();
    for part in
        ["__Host-session=", "; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age=2592000"]
    {
        assert!(cookie.contains(part), "{cookie}");
    }
    browser.get("/account").await.expect(200);
    // A double click finds itself signed in; a stranger finds nothing.
    assert_eq!(browser.post(&path, &[]).await.expect(303).headers["location"], "/inbox");
    Browser::new(&test).get(&path).await.expect(410);
}

#[tokio::test]
async fn of_two_clicks_at_once_one_signs_in() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let link = login_link(&test.app, "owner@ace.example").await.unwrap();
    let token = link.rsplit('/').next().unwrap();
    let client = Client::default();
    let tries = (0..8).map(|_| sign_in::redeem(&test.app, token, None, None, &client));
    let done = futures::future::join_all(tries).await;
    assert_eq!(done.into_iter().filter(|one| one.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!(test.scalar("select count(*) from patchbay.sessions").await, 1);
}

#[tokio::test]
async fn links_expire_and_a_new_one_ends_the_old() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::new(&test);
    browser.post("/sign-in", &[("email", "owner@ace.example")]).await.expect(303);
    let first = mailed_link(&test);
    let old = browser.cookies.clone();
    test.clock.advance(chrono::TimeDelta::seconds(61));
    browser.post("/sign-in", &[("email", "owner@ace.example")]).await.expect(303);
    let second = mailed_link(&test);
    let mut before = Browser::new(&test);
    before.cookies = old;
    before.post(&first, &[]).await.expect(410);
    test.clock.advance(chrono::TimeDelta::minutes(10));
    browser.post(&second, &[]).await.expect(410);
    assert!(browser.session().is_none());
}

#[tokio::test]
async fn opened_elsewhere_a_code_leads_back() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::new(&test);
    browser.post("/sign-in", &[("email", "owner@ace.example")]).await.expect(303);
    let path = mailed_link(&test);
    // Nobody was shown a code yet, so no guess can be right.
    browser.post("/sign-in/code", &[("code", "000000")]).await.expect(422);
    let mut phone = Browser::new(&test);
    let page = phone.get(&path).await.expect(200).text;
    let code = page
        .split("code-shown num\">")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("a code")
        .to_owned();
    assert_eq!(phone.get(&path).await.text, page, "the same code each time");
    let wrong = if code.starts_with('1') { "2 34567" } else { "1 23456" };
    for _ in 0..2 {
        browser.post("/sign-in/code", &[("code", wrong)]).await.expect(422);
    }
    // In the other browser the code opens nothing.
    phone.post("/sign-in/code", &[("code", &code)]).await.expect(303);
    assert!(phone.session().is_none());
    browser.post("/sign-in/code", &[("code", &code)]).await.expect(303);
    assert!(browser.session().is_some());
}

#[tokio::test]
async fn guesses_at_a_code_are_used_up() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::new(&test);
    browser.post("/sign-in", &[("email", "owner@ace.example")]).await.expect(303);
    let page = Browser::new(&test).get(&mailed_link(&test)).await.text;
    let code = page
        .split("code-shown num\">")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("a code")
        .to_owned();
    for guess in 0..5 {
        let guess = format!("{guess}{}", &code[1..]);
        if guess != code {
            browser.post("/sign-in/code", &[("code", &guess)]).await;
        } else {
            browser.post("/sign-in/code", &[("code", "x")]).await;
        }
    }
    browser.post("/sign-in/code", &[("code", &code)]).await.expect(422);
    assert!(browser.session().is_none());
}

#[tokio::test]
async fn asking_is_limited_by_address_and_by_origin() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::new(&test);
    for email in ["owner@ace.example", "nobody@ace.example"] {
        for round in 0..5 {
            browser.ip = format!("198.51.100.{round}");
            browser.post("/sign-in", &[("email", email)]).await.expect(303);
            let again = browser.post("/sign-in", &[("email", email)]).await.expect(429);
            assert!(
                again.headers.contains_key("retry-after") && again.text.contains("try again in a minute")
            );
            test.clock.advance(chrono::TimeDelta::seconds(61));
        }
        let hourly = browser.post("/sign-in", &[("email", email)]).await.expect(429);
        assert!(hourly.text.contains("20 minutes"), "{}", hourly.text);
    }
    assert_eq!(test.app.mailer.sent().len(), 5, "nobody has no mailbox");
    test.clock.advance(chrono::TimeDelta::hours(1));
    browser.ip = "198.51.100.99".to_owned();
    for number in 0..40 {
        browser.post("/sign-in", &[("email", &format!("a{number}@example.com"))]).await.expect(303);
    }
    browser.post("/sign-in", &[("email", "b@example.com")]).await.expect(429);
    browser.ip = "198.51.100.98".to_owned();
    browser.post("/sign-in", &[("email", "b@example.com")]).await.expect(303);
}

#[tokio::test]
async fn two_requests_at_once_count_as_two() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let client = Client::default();
    let asked = (0..6).map(|_| sign_in::request_link(&test.app, "owner@ace.example", None, &client));
    let done = futures::future::join_all(asked).await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(test.app.mailer.sent().len(), 1);
}

#[tokio::test]
async fn nobody_learns_whether_an_address_is_known() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut answers = Vec::new();
    for email in ["owner@ace.example", "nobody@ace.example"] {
        let mut browser = Browser::new(&test);
        let asked = browser.post("/sign-in", &[("email", email)]).await;
        let sent = browser.get("/sign-in/sent").await;
        let names: Vec<String> = asked.headers.keys().map(|name| name.as_str().to_owned()).collect();
        answers.push((asked.status, names, asked.text, sent.status, sent.text.replace(email, "…")));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(test.app.mailer.sent().len(), 1);
}

#[tokio::test]
async fn addresses_and_paths_from_strangers_do_no_harm() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::new(&test);
    let long = "x".repeat(300) + "@example.com";
    for email in ["", "x", "a@b@c", "a b@example.com", "\u{202e}@example.com\r\nBcc: x@y.z", &long] {
        let reply = browser.post("/sign-in", &[("email", email)]).await;
        assert_eq!(reply.status, 422, "{email:?}");
    }
    browser
        .post("/sign-in", &[("email", "owner@ace.example"), ("next", "//evil.example/")])
        .await
        .expect(303);
    assert_eq!(browser.post(&mailed_link(&test), &[]).await.expect(303).headers["location"], "/inbox");
    browser.get("/sign-in/%00").await;
    browser.get("/sign-in?next=https://evil.example").await.expect(303);
}

#[tokio::test]
async fn forged_forms_are_refused() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::signed_in(&test, "owner@ace.example").await;
    let csrf = guard::csrf_token(browser.session().unwrap());
    let form = |csrf: &str| Body::from(format!("name=Mallory&csrf={csrf}"));
    let typed = "application/x-www-form-urlencoded";
    for (site, origin, csrf, status) in [
        (Some("cross-site"), None, csrf.as_str(), 403),
        (Some("same-site"), None, csrf.as_str(), 403),
        (None, Some("https://evil.example"), csrf.as_str(), 403),
        (None, Some("null"), csrf.as_str(), 403),
        (None, None, csrf.as_str(), 403),
        (Some("same-origin"), None, "", 403),
        (Some("same-origin"), None, "wrong", 403),
        (None, Some("https://crm.example.com"), csrf.as_str(), 303),
        (Some("same-origin"), None, csrf.as_str(), 303),
    ] {
        let mut request = browser.request("POST", "/account").header("content-type", typed);
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let reply = browser.send(request.body(form(csrf)).unwrap()).await;
        assert_eq!(reply.status, status, "{site:?} {origin:?} {csrf:?}");
    }
    // Signing somebody in as somebody else is a forgery too.
    let link =
        login_link(&test.app, "owner@ace.example").await.unwrap().replace("https://crm.example.com", "");
    let stranger = Request::post(&link).header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
    test.request(stranger).await.expect(403);
    let asking =
        Request::post("/sign-in").header("content-type", typed).header("sec-fetch-site", "cross-site");
    test.request(asking.body(Body::from("email=owner@ace.example")).unwrap()).await.expect(403);
}

#[tokio::test]
async fn sessions_are_listed_ended_and_die_of_age() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut here = Browser::signed_in(&test, "owner@ace.example").await;
    let mut there = Browser::signed_in(&test, "owner@ace.example").await;
    there.user_agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile Safari/604.1".to_owned();
    let page = here.get("/account").await.expect(200);
    assert!(page.text.contains("this one") && page.text.contains("Sign out everywhere else"));
    here.post("/account/sessions/end-others", &[]).await.expect(303);
    there.get("/account").await.expect(303);
    here.get("/account").await.expect(200);
    // Somebody else's session is nobody's.
    let other = business(&test, "Bee").await;
    let mut stranger = Browser::signed_in(&test, &format!("owner@{}.example", other.slug)).await;
    let id = test.text("select s.id::text from patchbay.sessions s join patchbay.users u on u.id = s.user_id where u.email = 'owner@ace.example'").await;
    stranger.post(&format!("/account/sessions/{id}/end"), &[]).await.expect(404);
    here.get("/account").await.expect(200);
    let out = here.post("/sign-out", &[]).await.expect(303);
    assert_eq!(out.headers["clear-site-data"], "\"storage\"");
    assert!(here.session().is_none());
    // A week without use; or 30 days in any case.
    let mut idle = Browser::signed_in(&test, "owner@ace.example").await;
    test.clock.advance(chrono::TimeDelta::days(8));
    idle.get("/account").await.expect(303);
    let mut busy = Browser::signed_in(&test, "owner@ace.example").await;
    for _ in 0..9 {
        test.clock.advance(chrono::TimeDelta::days(3));
        busy.get("/account").await.expect(200);
    }
    test.clock.advance(chrono::TimeDelta::days(4));
    busy.get("/account").await.expect(303);
}

#[tokio::test]
async fn signing_in_again_ends_the_session_of_that_browser() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::signed_in(&test, "owner@ace.example").await;
    let stolen = browser.session().unwrap().to_owned();
    let link =
        login_link(&test.app, "owner@ace.example").await.unwrap().replace("https://crm.example.com", "");
    browser.post(&link, &[]).await.expect(303);
    assert_ne!(browser.session().unwrap(), stolen);
    Browser::with_session(&test, &stolen).get("/account").await.expect(303);
}

#[tokio::test]
async fn a_new_browser_is_told_of() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    Browser::signed_in(&test, "owner@ace.example").await;
    Browser::signed_in(&test, "owner@ace.example").await;
    assert!(test.app.mailer.sent().is_empty(), "the first browser, and the same again");
    let link =
        login_link(&test.app, "owner@ace.example").await.unwrap().replace("https://crm.example.com", "");
    let mut new = Browser::new(&test);
    new.user_agent = "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36".to_owned();
    new.post(&link, &[]).await.expect(303);
    let mails = test.app.mailer.sent();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text.contains("Chrome on Windows, from the address 203.0.113.7"), "{}", mails[0].text);
}

#[tokio::test]
async fn who_belongs_nowhere_or_was_disabled_gets_nowhere() {
    let test = TestApp::new().await;
    let ace = business(&test, "Ace").await;
    assert!(matches!(login_link(&test.app, "nobody@ace.example").await, Err(Error::Invalid(_))));
    let mut browser = Browser::member(&test, &ace.slug, "tom@ace.example", Role::Member).await;
    browser.get("/settings/members").await.expect(200);
    test.execute("delete from patchbay.memberships where role = 'member'").await;
    browser.get("/settings/members").await.expect(403);
    let alone = browser.get("/account").await.expect(200);
    assert!(alone.text.contains("You belong to no business yet"));
    test.execute("update patchbay.users set disabled_at = now() where email = 'tom@ace.example'").await;
    browser.get("/account").await.expect(303);
    assert!(login_link(&test.app, "tom@ace.example").await.is_err());
}

#[tokio::test]
async fn tenants_are_switched_only_to_ones_own() {
    let test = TestApp::new().await;
    let (ace, bee) = (business(&test, "Ace").await, business(&test, "Bee").await);
    super::add_user(&test.app, &bee.slug, "owner@ace.example", Role::Viewer).await.unwrap();
    let mut browser = Browser::signed_in(&test, "owner@ace.example").await;
    browser.post("/tenant/switch", &[("tenant_id", &bee.id.to_string())]).await.expect(303);
    let page = browser.get("/settings/members").await.expect(200).text;
    assert!(
        page.contains("Now in Bee")
            && page.contains("owner@bee.example")
            && !page.contains("Send invitation")
    );
    assert!(!browser.get("/settings/members").await.text.contains("Now in Bee"), "a notice is said once");
    // The next sign-in opens what was used last.
    let mut again = Browser::signed_in(&test, "owner@ace.example").await;
    assert!(again.get("/settings/members").await.text.contains("owner@bee.example"));
    let mut stranger = Browser::signed_in(&test, "owner@bee.example").await;
    stranger.post("/tenant/switch", &[("tenant_id", &ace.id.to_string())]).await.expect(404);
}

#[tokio::test]
async fn keys_are_seen_once_and_end_at_once() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::signed_in(&test, "owner@ace.example").await;
    let made =
        browser.post("/settings/api-keys", &[("name", "Website"), ("scope", "read")]).await.expect(200).text;
    let key = made
        .split("value=\"pb_")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .map(|rest| format!("pb_{rest}"))
        .expect("the key");
    let list = browser.get("/settings/api-keys").await.expect(200).text;
    assert!(!list.contains(&key) && list.contains(&key[..7]) && list.contains("never"));
    test.get(&key, "/api/settings").await.expect(200);
    assert!(!browser.get("/settings/api-keys").await.text.contains(">never<"));
    browser.post("/settings/api-keys", &[("name", " "), ("scope", "all")]).await.expect(422);
    let id = test.text("select id::text from patchbay.api_keys").await;
    browser.post(&format!("/settings/api-keys/{id}/revoke"), &[]).await.expect(303);
    let refused = test.get(&key, "/api/settings").await.expect(401);
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn a_tenant_cannot_read_the_hash_of_a_key() {
    let test = TestApp::new().await;
    let ace = business(&test, "Ace").await;
    create_key(&test.app, ace.id, &Actor::system(), "Website", Scope::Full).await.unwrap();
    let mut tx = test.app.db.tenant(ace.id).await.unwrap();
    let read = sqlx::query("select key_hash from patchbay.api_keys").fetch_all(tx.conn()).await;
    assert!(read.unwrap_err().to_string().contains("permission denied"));
}

#[tokio::test]
async fn themes_and_names_are_ones_own() {
    let test = TestApp::new().await;
    business(&test, "Ace").await;
    let mut browser = Browser::signed_in(&test, "owner@ace.example").await;
    let back =
        browser.post("/account/theme", &[("theme", "dark"), ("path", "/settings/members")]).await.expect(303);
    assert_eq!(back.headers["location"], "/settings/members");
    assert!(browser.get("/account").await.text.contains(r#"data-theme="dark""#));
    browser.post("/account/theme", &[("theme", "pink")]).await.expect(422);
    browser.post("/account", &[("name", "Rosa <b>Marín</b> 🌵")]).await.expect(303);
    let page = browser.get("/account").await.text;
    assert!(page.contains("Name saved") && !page.contains("<b>Marín"));
    let long = "x".repeat(121);
    let refused = browser.post("/account", &[("name", &long)]).await.expect(422);
    assert!(refused.text.contains(&long), "what was typed stays");
}

#[tokio::test]
async fn who_is_signed_in_already_joins_from_the_account() {
    let test = TestApp::new().await;
    let ace = business(&test, "Ace").await;
    business(&test, "Bee").await;
    let mut owner = Browser::signed_in(&test, "owner@bee.example").await;
    let mut tom = Browser::member(&test, &ace.slug, "tom@example.com", Role::Member).await;
    owner.post("/settings/members", &[("email", "tom@example.com"), ("role", "admin")]).await.expect(303);
    tom.get("/settings/members").await.expect(200);
    assert!(tom.get("/account").await.text.contains("You are invited"));
    tom.post("/account/join", &[]).await.expect(303);
    assert!(tom.get("/settings/members").await.text.contains("owner@bee.example"));
    assert!(!tom.get("/account").await.text.contains("You are invited"));
    tom.post("/account/join", &[]).await.expect(404);
    assert_eq!(
        test.scalar("select count(*) from patchbay.audit_log where action = 'invitation.accepted'").await,
        1
    );
    // Who belongs nowhere (any more) finds the way in as well.
    test.execute("delete from patchbay.memberships where role <> 'owner'").await;
    owner.post("/settings/members", &[("email", "tom@example.com"), ("role", "viewer")]).await.expect(303);
    assert!(tom.get("/account").await.text.contains("and invited"));
    tom.post("/account/join", &[]).await.expect(303);
    tom.get("/settings/members").await.expect(200);
}

#[tokio::test]
async fn keys_are_made_and_revoked_over_the_api() {
    let test = TestApp::new().await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    let once = [("idempotency-key", "k")];
    let wanted = json!({ "name": " Website ", "scope": "ingest" });
    let made =
        test.api_with(&ace.key, "POST", "/api/api-keys", wanted.clone(), &once).await.expect(201).json();
    let secret = made["key"].as_str().unwrap();
    assert!(secret.starts_with("pb_") && made["name"] == "Website");
    test.api(secret, "POST", "/functions/v1/ingest-lead", json!({ "phone": "0491570006" })).await.expect(201);
    // The same request again makes no second key and shows no secret, and none is kept.
    let again = test.api_with(&ace.key, "POST", "/api/api-keys", wanted, &once).await.expect(409);
    assert!(again.text.contains("shown once") && !again.text.contains(secret), "{}", again.text);
    let kept = "select count(*) from patchbay.idempotency_keys where position('pb_' in encode(response, 'escape')) > 0";
    assert_eq!(test.scalar(kept).await, 0);
    let list = test.get(&ace.key, "/api/api-keys").await.expect(200);
    assert!(list.text.contains("Website") && !list.text.contains(secret));
    let path = format!("/api/api-keys/{}", made["id"].as_str().unwrap());
    test.api(&bee.key, "DELETE", &path, Value::Null).await.expect(404);
    test.api(&ace.reader, "DELETE", &path, Value::Null).await.expect(403);
    test.api(&ace.key, "DELETE", &path, Value::Null).await.expect(204);
    test.api(secret, "POST", "/functions/v1/ingest-lead", json!({ "phone": "0491570006" })).await.expect(401);
    test.api(&ace.key, "POST", "/api/api-keys", json!({ "name": "", "scope": "full" })).await.expect(422);
    test.api(&ace.key, "POST", "/api/api-keys", json!({ "name": "x", "scope": "all" })).await.expect(422);
    test.settle().await;
}

#[tokio::test]
async fn the_maker_of_a_key_sees_and_ends_their_sessions_here() {
    let test = TestApp::new().await;
    let (ace, bee) = (Office::open(&test, "ace").await, Office::open(&test, "bee").await);
    // A key that no person made has nobody's sessions.
    test.get(&ace.key, "/api/sessions").await.expect(403);
    let mut rosa = Browser::member(&test, "ace", "rosa@ace.example", Role::Admin).await;
    super::add_user(&test.app, "bee", "rosa@ace.example", Role::Viewer).await.unwrap();
    let user = test.text("select id::text from patchbay.users where email = 'rosa@ace.example'").await;
    let rosa_id: uuid::Uuid = user.parse().unwrap();
    let actor = Actor { kind: ActorKind::User, id: Some(rosa_id), label: "Rosa".to_owned() };
    let key = create_key(&test.app, ace.id, &actor, "mine", Scope::Full).await.unwrap().key;
    let list = test.get(&key, "/api/sessions").await.expect(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    assert_eq!(list["data"][0]["browser"], "Firefox on Linux");
    let path = format!("/api/sessions/{}", list["data"][0]["id"].as_str().unwrap());
    let others = test
        .text(&format!("select id::text from patchbay.sessions where user_id = '{}'", bee.owner_id))
        .await;
    test.api(&key, "DELETE", &format!("/api/sessions/{others}"), Value::Null).await.expect(404);
    test.api(&ace.key, "DELETE", &path, Value::Null).await.expect(403);
    // In another business the session is none of this one's.
    rosa.post("/tenant/switch", &[("tenant_id", &bee.id.to_string())]).await.expect(303);
    assert_eq!(test.get(&key, "/api/sessions").await.expect(200).json()["data"], json!([]));
    test.api(&key, "DELETE", &path, Value::Null).await.expect(404);
    rosa.post("/tenant/switch", &[("tenant_id", &ace.id.to_string())]).await.expect(303);
    test.api(&key, "DELETE", &path, Value::Null).await.expect(204);
    assert!(rosa.get("/contacts").await.headers["location"].to_str().unwrap().starts_with("/sign-in"));
    assert_eq!(
        test.scalar("select count(*) from patchbay.audit_log where action = 'session.ended'").await,
        1
    );
    // Whoever left is nobody here.
    test.execute(&format!(
        "delete from patchbay.memberships where user_id = '{user}' and tenant_id = '{}'",
        ace.id
    ))
    .await;
    test.get(&key, "/api/sessions").await.expect(403);
}
