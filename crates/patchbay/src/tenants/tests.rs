//! Birth, settings, members.

use serde_json::{Value, json};

use super::{NewTenant, Tenant, create};
use crate::{
    auth::{Actor, Role, Scope, create_key, login_link},
    error::Error,
    tests::{Browser, TestApp},
};

async fn business(test: &TestApp, name: &str) -> (Tenant, String) {
    let new = NewTenant { name: name.to_owned(), country: Some("AU".to_owned()), ..NewTenant::default() };
    let tenant = create(&test.app, new).await.expect("tenant");
    let key = create_key(&test.app, tenant.id, &Actor::system(), "test", Scope::Full).await.expect("key");
    (tenant, key.key)
}

#[tokio::test]
async fn a_tenant_is_born_able_to_work() {
    let test = TestApp::new().await;
    let (ace, key) = business(&test, "Ace Plumbing").await;
    assert_eq!(ace.slug, "ace-plumbing");
    let stages = "select string_agg(name, ',' order by position) from patchbay.stages";
    assert_eq!(test.text(stages).await, "New,Contacted,Quoted,Won,Lost");
    let senders = "select string_agg(channel || ' ' || provider, ',' order by channel) from patchbay.senders where is_default";
    assert_eq!(test.text(senders).await, "sms fake,whatsapp fake");
    assert_eq!(test.scalar("select count(*) from patchbay.templates where key = 'quote_sms'").await, 1);
    let settings = test.get(&key, "/api/settings").await.expect(200).json();
    assert_eq!(settings["timezone"], "Australia/Sydney");
    assert_eq!(settings["currency"], "AUD");
    assert_eq!(settings["quiet_hours"], json!({ "start": "21:00", "end": "09:00" }));
    assert_eq!(settings["budget"], json!({ "daily_cents": null, "monthly_cents": null }));
    assert_eq!(settings["rate_limit"], json!({ "per_second": null }));
    assert_eq!(
        (&settings["suppression_days"], &settings["opt_out_line"], &settings["kill_switch"]),
        (&json!(90), &Value::Null, &json!(false))
    );
    // The same name again gets a slug of its own; a slug that was asked for is taken or not.
    assert_eq!(business(&test, "Ace Plumbing").await.0.slug, "ace-plumbing-2");
    let taken = NewTenant { name: "Other".into(), slug: Some("ace-plumbing".into()), ..NewTenant::default() };
    assert!(
        matches!(create(&test.app, taken).await, Err(Error::Invalid(errors)) if errors.contains_key("slug"))
    );
    let wrong = NewTenant {
        name: " ".into(),
        slug: Some("A b".into()),
        timezone: Some("Perth".into()),
        country: Some("XX".into()),
    };
    assert!(matches!(create(&test.app, wrong).await, Err(Error::Invalid(errors)) if errors.len() == 4));
}

#[tokio::test]
async fn with_a_shared_carrier_nothing_is_pretended() {
    let env =
        [("TWILIO_ACCOUNT_SID", "AC1"), ("TWILIO_AUTH_TOKEN", "t"), ("TWILIO_FROM_E164", "+61400000001")];
    let test = TestApp::with_env(&env).await;
    business(&test, "Ace").await;
    let senders =
        "select string_agg(channel || ' ' || address || ' ' || provider, ',') from patchbay.senders";
    assert_eq!(test.text(senders).await, "sms +61400000001 twilio");
}

#[tokio::test]
async fn settings_change_by_field_and_say_what_is_wrong() {
    let test = TestApp::new().await;
    let (_, key) = business(&test, "Ace").await;
    let patch = |change: Value| test.api(&key, "PATCH", "/api/settings", change);
    let changed = patch(json!({
        "timezone": "Australia/Perth", "quiet_hours": null, "budget": { "daily_cents": 5000 },
        "rate_limit": { "per_second": 10 }, "business_name": "  Ace & Sons ", "prices": { "sms": { "AU": 51500 } }, "unknown": 1,
    }));
    let settings = changed.await.expect(200).json();
    assert_eq!((&settings["quiet_hours"], &settings["business_name"]), (&Value::Null, &json!("Ace & Sons")));
    let settings = patch(
        json!({ "budget": { "monthly_cents": 90000 }, "quiet_hours": { "start": "20:30", "end": "08:00" } }),
    )
    .await
    .expect(200)
    .json();
    assert_eq!(
        settings["budget"],
        json!({ "daily_cents": 5000, "monthly_cents": 90000 }),
        "the other budget stays"
    );
    assert_eq!(settings["rate_limit"]["per_second"], 10);
    let settings =
        patch(json!({ "budget": null, "rate_limit": { "per_second": null }, "business_name": null }))
            .await
            .expect(200)
            .json();
    assert_eq!(settings["budget"], json!({ "daily_cents": null, "monthly_cents": null }));
    assert_eq!(settings["business_name"], Value::Null);
    for (change, fields) in [
        (json!({ "name": "" }), vec!["name"]),
        (json!({ "name": null }), vec!["name"]),
        (json!({ "name": "x".repeat(121) }), vec!["name"]),
        (
            json!({ "timezone": "Perth", "country": "XX", "currency": "" }),
            vec!["country", "currency", "timezone"],
        ),
        (
            json!({ "quiet_hours": { "start": "25:00", "end": "9" } }),
            vec!["quiet_hours.end", "quiet_hours.start"],
        ),
        (json!({ "quiet_hours": { "start": "09:00", "end": "09:00" } }), vec!["quiet_hours.end"]),
        (json!({ "quiet_hours": { "start": "09:00" } }), vec!["quiet_hours.end"]),
        (json!({ "budget": { "daily_cents": -1 } }), vec!["budget.daily_cents"]),
        (json!({ "budget": { "daily_cents": i64::MAX } }), vec!["budget.daily_cents"]),
        (json!({ "rate_limit": { "per_second": 0 } }), vec!["rate_limit.per_second"]),
        (json!({ "api_rate_limit": { "per_second": null } }), vec!["api_rate_limit.per_second"]),
        (json!({ "suppression_days": -1 }), vec!["suppression_days"]),
        (json!({ "suppression_days": "many" }), vec!["suppression_days"]),
        (json!({ "kill_switch": null }), vec!["kill_switch"]),
        (json!({ "kill_switch": "yes" }), vec!["kill_switch"]),
        (json!({ "prices": { "pigeon": { "AU": 1 } } }), vec!["prices"]),
        (json!({ "opt_out_line": "x".repeat(1_000) }), vec!["opt_out_line"]),
    ] {
        let refused = patch(change.clone()).await.expect(422).json();
        let named: Vec<&str> = refused["errors"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(named, fields, "{change}");
    }
    patch(json!([1])).await.expect(422);
    let before = test.get(&key, "/api/settings").await.json();
    assert_eq!(patch(json!({ "suppression_days": 30, "country": "nowhere" })).await.status, 422);
    assert_eq!(test.get(&key, "/api/settings").await.json(), before, "all or nothing");
}

#[tokio::test]
async fn every_change_is_in_the_audit_log() {
    let test = TestApp::new().await;
    let (ace, key) = business(&test, "Ace").await;
    test.api(&key, "PATCH", "/api/settings", json!({ "kill_switch": true })).await.expect(200);
    test.api(&key, "PATCH", "/api/settings", json!({ "kill_switch": true })).await.expect(200);
    let query = "select string_agg(actor_kind || ' ' || actor_label || ' ' || changes::text, ';') from patchbay.audit_log where action = 'settings.updated'";
    assert_eq!(test.text(query).await, r#"api_key test {"kill_switch": [false, true]}"#);
    let mut owner = Browser::member(&test, &ace.slug, "owner@ace.example", Role::Owner).await;
    let page = owner.get("/settings/audit").await.expect(200).text;
    assert!(
        page.contains("Settings updated")
            && page.contains("kill switch")
            && page.contains("no → yes")
            && page.contains("Sending is stopped")
    );
    let filtered = owner.get("/settings/audit?entity=member").await.expect(200).text;
    assert!(filtered.contains("Member added") && !filtered.contains("no → yes"));
    // Pages by key.
    let first = owner.get("/settings/audit?limit=2").await.expect(200).text;
    let next = first
        .split("rel=\"next\"")
        .next()
        .and_then(|text| text.rsplit("href=\"").next())
        .and_then(|text| text.split('"').next())
        .unwrap()
        .replace("&amp;", "&")
        .replace("&#38;", "&");
    assert!(next.contains("cursor="), "{next}");
    owner.get(&next).await.expect(200);
    owner.get("/settings/audit?cursor=nonsense").await.expect(400);
}

#[tokio::test]
async fn invitations_are_accepted_by_signing_in() {
    let test = TestApp::new().await;
    let (ace, _) = business(&test, "Ace").await;
    let mut owner = Browser::member(&test, &ace.slug, "owner@ace.example", Role::Owner).await;
    owner.post("/settings/members", &[("email", "Tom@Ace.example"), ("role", "member")]).await.expect(303);
    let mail = test.app.mailer.sent().pop().unwrap();
    assert!(
        mail.to == "tom@ace.example" && mail.text.contains("/sign-in?email=tom%40ace.example"),
        "{}",
        mail.text
    );
    owner.post("/settings/members", &[("email", "tom@ace.example"), ("role", "viewer")]).await.expect(303);
    assert_eq!(test.scalar("select count(*) from patchbay.invitations").await, 1, "inviting again renews");
    let mut tom = Browser::signed_in(&test, "tom@ace.example").await;
    let page = tom.get("/settings/members").await.expect(200).text;
    assert!(page.contains("tom@ace.example") && !page.contains("Invite somebody"));
    assert_eq!(test.text("select role from patchbay.memberships m join patchbay.users u on u.id = m.user_id where email = 'tom@ace.example'").await, "viewer");
    for (email, role) in [("tom@ace.example", "viewer"), ("x", "viewer"), ("a@ace.example", "king")] {
        owner.post("/settings/members", &[("email", email), ("role", role)]).await.expect(422);
    }
    // Taken back, or expired, an invitation opens nothing.
    owner.post("/settings/members", &[("email", "eve@ace.example"), ("role", "member")]).await.expect(303);
    let id = test.text("select id::text from patchbay.invitations where email = 'eve@ace.example'").await;
    owner.post(&format!("/settings/invitations/{id}/revoke"), &[]).await.expect(303);
    assert!(login_link(&test.app, "eve@ace.example").await.is_err());
    owner.post("/settings/members", &[("email", "ann@ace.example"), ("role", "member")]).await.expect(303);
    test.clock.advance(chrono::TimeDelta::days(15));
    assert!(login_link(&test.app, "ann@ace.example").await.is_err());
}

#[tokio::test]
async fn owners_are_made_by_owners_and_the_last_one_stays() {
    let test = TestApp::new().await;
    let (ace, key) = business(&test, "Ace").await;
    let mut owner = Browser::member(&test, &ace.slug, "owner@ace.example", Role::Owner).await;
    let mut admin = Browser::member(&test, &ace.slug, "admin@ace.example", Role::Admin).await;
    Browser::member(&test, &ace.slug, "tom@ace.example", Role::Member).await;
    let members = test.get(&key, "/api/members").await.expect(200).json();
    let id = |email: &str| {
        let all = members["data"].as_array().unwrap();
        all.iter().find(|one| one["email"] == email).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let role = |email: &str| format!("/settings/members/{}/role", id(email));
    owner.post(&role("owner@ace.example"), &[("role", "admin")]).await.expect(409);
    owner.post(&format!("/settings/members/{}/remove", id("owner@ace.example")), &[]).await.expect(409);
    admin.post(&role("tom@ace.example"), &[("role", "owner")]).await.expect(403);
    admin.post(&role("owner@ace.example"), &[("role", "member")]).await.expect(403);
    admin.post(&format!("/settings/members/{}/remove", id("owner@ace.example")), &[]).await.expect(403);
    admin.post("/settings/members", &[("email", "x@ace.example"), ("role", "owner")]).await.expect(422);
    admin.post(&role("tom@ace.example"), &[("role", "viewer")]).await.expect(303);
    owner.post(&role("admin@ace.example"), &[("role", "owner")]).await.expect(303);
    // Two owners who remove each other at once: one stays.
    let (a, b) = (
        format!("/settings/members/{}/remove", id("admin@ace.example")),
        format!("/settings/members/{}/remove", id("owner@ace.example")),
    );
    let (first, second) = tokio::join!(owner.post(&a, &[]), admin.post(&b, &[]));
    assert_eq!(
        test.scalar("select count(*) from patchbay.memberships where role = 'owner'").await,
        1,
        "{} {}",
        first.status,
        second.status
    );
}

#[tokio::test]
async fn removal_ends_access_at_once() {
    let test = TestApp::new().await;
    let (ace, _) = business(&test, "Ace").await;
    let mut owner = Browser::member(&test, &ace.slug, "owner@ace.example", Role::Owner).await;
    let mut tom = Browser::member(&test, &ace.slug, "tom@ace.example", Role::Admin).await;
    tom.get("/settings/audit").await.expect(200);
    let id = test.text("select id::text from patchbay.users where email = 'tom@ace.example'").await;
    owner.post(&format!("/settings/members/{id}/remove"), &[]).await.expect(303);
    tom.get("/settings/audit").await.expect(403);
    owner.post(&format!("/settings/members/{id}/remove"), &[]).await.expect(404);
}

#[tokio::test]
async fn forms_keep_what_was_typed() {
    let test = TestApp::new().await;
    let (ace, _) = business(&test, "Ace").await;
    let mut owner = Browser::member(&test, &ace.slug, "owner@ace.example", Role::Owner).await;
    owner.get("/settings").await.expect(303);
    let fields =
        [("name", "Ace <Plumbing>"), ("timezone", "Nowhere"), ("country", "AU"), ("currency", "AUD")];
    let refused = owner.post("/settings/business", &fields).await.expect(422);
    assert!(
        refused.text.contains("Ace &#60;Plumbing&#62;") && refused.text.contains("timezone-error"),
        "{}",
        refused.text
    );
    let fields = [
        ("name", "Ace"),
        ("timezone", "Australia/Perth"),
        ("country", "AU"),
        ("currency", "AUD"),
        ("help_text", "a\r\nb"),
    ];
    owner.post("/settings/business", &fields).await.expect(303);
    assert_eq!(test.text("select help_text from patchbay.tenants").await, "a\nb");
    let mut viewer = Browser::member(&test, &ace.slug, "v@ace.example", Role::Viewer).await;
    let page = viewer.get("/settings/business").await.expect(200).text;
    assert!(!page.contains("Save settings") && !page.contains("API keys"));
    viewer.post("/settings/business", &fields).await.expect(403);
}

#[tokio::test]
async fn programs_manage_people_as_an_admin_may() {
    let test = TestApp::new().await;
    let (ace, key) = business(&test, "Ace").await;
    let (_, others) = business(&test, "Bee").await;
    let reader = create_key(&test.app, ace.id, &Actor::system(), "reader", Scope::Read).await.unwrap().key;
    Browser::member(&test, &ace.slug, "owner@ace.example", Role::Owner).await;
    let mut viewer = Browser::member(&test, &ace.slug, "v@ace.example", Role::Viewer).await;
    let members = test.get(&key, "/api/members").await.expect(200).json()["data"].clone();
    let id = |email: &str| {
        let found = members.as_array().unwrap().iter().find(|one| one["email"] == email);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (owner, viewer_id) = (
        format!("/api/members/{}", id("owner@ace.example")),
        format!("/api/members/{}", id("v@ace.example")),
    );
    let role = |role: &str| json!({ "role": role });
    let changed = test.api(&key, "PATCH", &viewer_id, role("member")).await.expect(200).json();
    assert_eq!((&changed["role"], &changed["email"]), (&json!("member"), &json!("v@ace.example")));
    // Owners are out of a key's reach, the last one above all.
    test.api(&key, "PATCH", &viewer_id, role("owner")).await.expect(403);
    test.api(&key, "PATCH", &owner, role("viewer")).await.expect(403);
    test.api(&key, "DELETE", &owner, Value::Null).await.expect(403);
    test.api(&key, "PATCH", &viewer_id, role("boss")).await.expect(422);
    for (key, status) in [(&others, 404), (&reader, 403)] {
        test.api(key, "PATCH", &viewer_id, role("viewer")).await.expect(status);
        test.api(key, "DELETE", &viewer_id, Value::Null).await.expect(status);
    }
    test.api(&key, "DELETE", &viewer_id, Value::Null).await.expect(204);
    test.api(&key, "DELETE", &viewer_id, Value::Null).await.expect(404);
    assert_eq!(viewer.get("/contacts").await.status, 403);

    let invite = |email: &str, role: &str| {
        test.api(&key, "POST", "/api/invitations", json!({ "email": email, "role": role }))
    };
    let made = invite(" New@Ace.example ", "member").await.expect(201).json();
    assert_eq!((&made["email"], &made["role"]), (&json!("new@ace.example"), &json!("member")));
    let again = invite("new@ace.example", "admin").await.expect(201).json();
    assert_eq!((&again["id"], &again["role"]), (&made["id"], &json!("admin")));
    invite("x@ace.example", "owner").await.expect(422);
    invite("nobody", "viewer").await.expect(422);
    invite("owner@ace.example", "viewer").await.expect(422);
    test.get(&reader, "/api/invitations").await.expect(403);
    assert_eq!(test.get(&others, "/api/invitations").await.expect(200).json()["data"], json!([]));
    assert_eq!(
        test.get(&key, "/api/invitations").await.expect(200).json()["data"].as_array().unwrap().len(),
        1
    );
    let path = format!("/api/invitations/{}", made["id"].as_str().unwrap());
    test.api(&others, "DELETE", &path, Value::Null).await.expect(404);
    test.api(&key, "DELETE", &path, Value::Null).await.expect(204);
    test.api(&key, "DELETE", &path, Value::Null).await.expect(404);
    let log = test.get(&key, "/api/audit-log?entity_type=invitation").await.expect(200).json();
    let actions: Vec<&str> =
        log["data"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["invitation.revoked", "invitation.created", "invitation.created"]);
}
