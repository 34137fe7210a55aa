//! Accounts and senders: secrets stay in, pretending ends, defaults are one per channel.

use serde_json::{Value, json};

use crate::{
    auth::Role,
    tests::{Browser, Office, TestApp},
};

const SID: &str = "AC0123456789abcdef0123456789abcdef";

fn account() -> Value {
    json!({ "provider": "twilio", "account_sid": SID, "auth_token": "hush-hush", "api_key_sid": "SK1234", "api_key_secret": "more-hush" })
}

#[tokio::test]
async fn credentials_go_in_and_never_come_out() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let made = test.api(&ace.key, "POST", "/api/provider-accounts", account()).await.expect(201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let list = test.get(&ace.key, "/api/provider-accounts").await.expect(200);
    let sealed =
        test.text("select encode(credentials_sealed, 'escape') from patchbay.provider_accounts").await;
    let log = test.text("select string_agg(changes::text, ' ') from patchbay.audit_log").await;
    for text in [&made.text, &list.text, &sealed, &log] {
        assert!(!text.contains("hush"), "{text}");
    }
    assert_eq!(list.json()["data"][0]["api_key_sid"], "SK1234");
    assert_eq!(
        test.scalar("select count(*) from patchbay.senders where provider = 'fake' and disabled_at is null")
            .await,
        0
    );
    // Again with the same SID: replaced, not doubled.
    let mut changed = account();
    changed["messaging_service_sid"] = json!("MG77");
    let again =
        test.api(&ace.key, "POST", "/api/provider-accounts", changed.clone()).await.expect(200).json();
    assert_eq!(
        (again["id"].as_str(), again["messaging_service_sid"].as_str()),
        (Some(id.as_str()), Some("MG77"))
    );
    let bee = Office::open(&test, "bee").await;
    for method in ["PUT", "DELETE"] {
        test.api(&bee.key, method, &format!("/api/provider-accounts/{id}"), changed.clone())
            .await
            .expect(404);
    }
    test.api(&ace.key, "DELETE", &format!("/api/provider-accounts/{id}"), Value::Null).await.expect(204);
    assert_eq!(
        test.scalar("select count(*) from patchbay.provider_accounts where credentials_sealed is not null")
            .await,
        0
    );
    test.api(&ace.key, "DELETE", &format!("/api/provider-accounts/{id}"), Value::Null).await.expect(404);
}

#[tokio::test]
async fn accounts_say_what_is_wrong() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    for (field, value) in [
        ("provider", json!("pigeon")),
        ("account_sid", json!("SK1")),
        ("account_sid", json!("AC\u{0}")),
        ("auth_token", json!(" ")),
        ("auth_token", json!("x".repeat(1_000_000))),
        ("api_key_sid", json!("AC1")),
        ("api_key_secret", json!("")),
        ("messaging_service_sid", json!("x")),
        ("auth_token", json!(1)),
    ] {
        let mut wrong = account();
        wrong[field] = value.clone();
        let reply = test.api(&ace.key, "POST", "/api/provider-accounts", wrong).await;
        assert!(matches!(reply.status.as_u16(), 413 | 422), "{field}: {}", reply.text);
        if reply.status == 422 {
            assert!(reply.json()["errors"].get(field).is_some(), "{field}: {}", reply.text);
        }
    }
    test.api(&ace.reader, "POST", "/api/provider-accounts", account()).await.expect(403);
}

#[tokio::test]
async fn a_channel_has_one_default_sender() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let add = |body: Value| test.api(&ace.key, "POST", "/api/senders", body);
    let refused =
        add(json!({ "channel": "sms", "address": "0412 345 678", "provider": "twilio" })).await.expect(422);
    assert!(refused.text.contains("account_id"));
    test.api(&ace.key, "POST", "/api/provider-accounts", account()).await.expect(201);
    let bogus =
        json!({ "channel": "sms", "address": "0412 345 678", "provider": "fake", "account_id": test.id() });
    assert!(add(bogus).await.expect(422).json()["errors"]["account_id"].is_string());
    let first = add(json!({ "channel": "sms", "address": "0412 345 678", "rate_per_second": 1.5, "warmup_started_on": "2020-01-01" })).await.expect(201).json();
    assert_eq!(
        (first["address"].as_str(), first["provider"].as_str()),
        (Some("+61412345678"), Some("twilio"))
    );
    assert_eq!((first["is_default"].as_bool(), first["rate_per_second"].as_f64()), (Some(true), Some(1.5)));
    assert_eq!(first["warmup_cap"], Value::Null, "long warm");
    let twin = add(json!({ "channel": "sms", "address": "+61 412 345 678" })).await.expect(409).json();
    assert_eq!(twin["existing_id"], first["id"]);
    let second = add(json!({ "channel": "sms", "address": "+61412345679", "is_default": true }))
        .await
        .expect(201)
        .json();
    let list = test.get(&ace.key, "/api/senders").await.json();
    let defaults: Vec<&Value> =
        list["data"].as_array().unwrap().iter().filter(|one| one["is_default"] == true).collect();
    assert_eq!(defaults.len(), 1);
    assert_eq!(defaults[0]["id"], second["id"]);
    let path = format!("/api/senders/{}", first["id"].as_str().unwrap());
    let changed = test
        .api(
            &ace.key,
            "PATCH",
            &path,
            json!({ "label": "Main", "rate_per_second": null, "warmup_started_on": null }),
        )
        .await
        .expect(200)
        .json();
    assert_eq!((changed["label"].as_str(), &changed["rate_per_second"]), (Some("Main"), &Value::Null));
    test.api(&ace.key, "PATCH", &path, json!({ "rate_per_second": -1 })).await.expect(422);
    test.api(&ace.key, "DELETE", &path, Value::Null).await.expect(204);
    test.api(&ace.key, "PATCH", &path, json!({})).await.expect(404);
    for wrong in [
        json!({ "channel": "sms", "address": "12" }),
        json!({ "channel": "email", "address": "x" }),
        json!({ "channel": "email", "address": "a@example.com", "provider": "twilio" }),
        json!({ "channel": "sms", "address": "+61412345670", "account_id": test.id() }),
    ] {
        add(wrong).await.expect(422);
    }
}

#[tokio::test]
async fn the_page_offers_what_may_be_done() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let mut owner = Browser::with_session(&test, &ace.session);
    let page = owner.get("/settings/sending").await.expect(200).text;
    assert!(page.contains("https://crm.example.com/webhooks/twilio") && page.contains("Stop sending"));
    owner.post("/settings/sending/stop", &[]).await.expect(303);
    let page = owner.get("/settings/sending").await.expect(200).text;
    assert!(page.contains("Resume sending") && page.contains("Sending is stopped. Messages wait"));
    owner.post("/settings/sending/resume", &[]).await.expect(303);
    let rules = [
        ("quiet_hours.start", "22:00"),
        ("quiet_hours.end", "07:00"),
        ("budget.daily_cents", "1,250.50"),
        ("budget.monthly_cents", ""),
        ("rate_limit.per_second", ""),
        ("api_rate_limit.per_second", "50"),
        ("suppression_days", "30"),
        ("holiday_rules", "true"),
        ("opt_out_line", "STOP ends it"),
        ("brake.opt_out_percent", "1.5 %"),
        ("brake.failure_percent", ""),
        ("brake.filtered_percent", "0,5"),
        ("brake.minimum", "40"),
    ];
    owner.post("/settings/sending", &rules).await.expect(303);
    assert_eq!(
        test.text(
            "select budget_daily_cents || ' ' || quiet_start || ' ' || country_rules || holiday_rules from patchbay.tenants"
        )
        .await,
        "125050 22:00:00 falsetrue"
    );
    let settings = test.get(&ace.key, "/api/settings").await.expect(200).json();
    let brake =
        json!({ "opt_out_percent": 1.5, "failure_percent": null, "filtered_percent": 0.5, "minimum": 40 });
    assert_eq!(settings["brake"], brake);
    let mut wrong = rules;
    for (field, value) in &mut wrong {
        *value = match *field {
            "budget.daily_cents" => "a lot",
            "suppression_days" | "brake.minimum" => "x",
            "brake.opt_out_percent" => "few",
            _ => value,
        };
    }
    let refused = owner.post("/settings/sending", &wrong).await.expect(422).text;
    assert!(refused.contains("Write a percentage such as 2 or 0.5.") && refused.contains("value=\"few\""));
    let mut write = |name: &str, text| {
        wrong.iter_mut().find(|(field, _)| *field == name).expect("a field of this name").1 = text;
        wrong
    };
    write("budget.daily_cents", "5");
    write("suppression_days", "5");
    for (share, minimum) in [("101", "40"), ("0", "40"), ("2", "501"), ("2", "0"), ("2", "")] {
        write("brake.opt_out_percent", share);
        let form = write("brake.minimum", minimum);
        let refused = owner.post("/settings/sending", &form).await.expect(422).text;
        assert!(
            refused.contains("Choose 0.1 to 100 percent.") || refused.contains("Choose 1 to 500 messages.")
        );
    }
    let refused = owner.post("/settings/sending", &[("budget.daily_cents", "a lot")]).await.expect(422).text;
    assert!(refused.contains("a lot") && refused.contains("Write an amount such as 50.00"));
    let refused =
        owner.post("/settings/senders", &[("channel", "sms"), ("address", "12")]).await.expect(422).text;
    assert!(refused.contains("address-error"), "{refused}");
    let refused = owner
        .post("/settings/accounts", &[("account_sid", "nope"), ("auth_token", "hush-hush")])
        .await
        .expect(422)
        .text;
    assert!(refused.contains("account_sid-error") && refused.contains("nope"));
    let mut viewer = Browser::member(&test, "ace", "v@ace.example", Role::Viewer).await;
    let page = viewer.get("/settings/sending").await.expect(200).text;
    assert!(
        !page.contains("Stop sending") && !page.contains("Save settings") && !page.contains("Twilio</h2>")
    );
    for path in ["/settings/sending/stop", "/settings/accounts", "/settings/senders"] {
        viewer.post(path, &[]).await.expect(403);
    }
}

#[tokio::test]
async fn a_senders_rate_and_warm_up_are_changed_on_its_page() {
    let test = TestApp::new().await;
    let ace = Office::open(&test, "ace").await;
    let mut owner = Browser::with_session(&test, &ace.session);
    let id = test.text("select id::text from patchbay.senders").await;
    let path = format!("/settings/senders/{id}");
    assert!(owner.get("/settings/sending").await.expect(200).text.contains(&path));
    let change = [("label", "Main"), ("rate_per_second", "1.5"), ("warmup_started_on", "2030-03-01")];
    owner.post(&path, &change).await.expect(303);
    let saved = "select label || ' ' || rate_per_second || ' ' || warmup_started_on from patchbay.senders";
    assert_eq!(test.text(saved).await, "Main 1.5 2030-03-01");
    let page = owner.get(&path).await.expect(200).text;
    assert!(page.contains("value=\"1.5\"") && page.contains("value=\"2030-03-01\""), "{page}");
    assert!(owner.get("/settings/sending").await.expect(200).text.contains("at most 1.5 a second"));
    for (field, value, problem) in [
        ("rate_per_second", "fast", "Choose 0.01 to 10,000 a second."),
        ("rate_per_second", "0", "Choose 0.01 to 10,000 a second."),
        ("warmup_started_on", "soon", "Choose a day, or leave it empty."),
    ] {
        let refused = owner.post(&path, &[(field, value)]).await.expect(422).text;
        assert!(refused.contains(problem) && refused.contains(value), "{refused}");
    }
    assert_eq!(test.text(saved).await, "Main 1.5 2030-03-01");
    owner.post(&path, &[("label", "Main")]).await.expect(303);
    assert_eq!(
        test.scalar("select count(*) from patchbay.senders where rate_per_second is null and warmup_started_on is null").await,
        1
    );
    Browser::member(&test, "ace", "v@ace.example", Role::Viewer).await.get(&path).await.expect(403);
    let stranger = Office::open(&test, "bee").await;
    Browser::with_session(&test, &stranger.session).get(&path).await.expect(404);
}
