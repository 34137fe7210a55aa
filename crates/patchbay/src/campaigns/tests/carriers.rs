//! What is handed over for a campaign, as the carriers see it: forms that Twilio is posted, mails that a server takes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, http::StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use super::{Desk, id_of};
use crate::tests::TestApp;

type Form = BTreeMap<String, String>;

/// Takes everything the way Twilio does, and keeps the forms.
struct Carrier {
    url: String,
    forms: Arc<Mutex<Vec<Form>>>,
}

impl Carrier {
    async fn open() -> Self {
        let forms: Arc<Mutex<Vec<Form>>> = Arc::default();
        let kept = forms.clone();
        let take = async move |body: String| {
            let mut kept = kept.lock().unwrap();
            kept.push(form_urlencoded::parse(body.as_bytes()).into_owned().collect());
            let answer =
                json!({ "sid": format!("SM{:032x}", kept.len()), "status": "queued", "num_segments": "1" });
            (StatusCode::CREATED, Json(answer))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, Router::new().fallback(take)).into_future());
        Self { url, forms }
    }

    /// A business whose numbers are Twilio's.
    async fn desk(&self, count: usize) -> Desk {
        let account = format!("AC{}", "0".repeat(32));
        let env = [
            ("TWILIO_API_BASE", self.url.as_str()),
            ("TWILIO_ACCOUNT_SID", account.as_str()),
            ("TWILIO_AUTH_TOKEN", "secret"),
        ];
        let desk = Desk::with(TestApp::with_env(&env).await, count).await;
        desk.t.execute("update patchbay.senders set provider = 'twilio'").await;
        desk
    }

    fn taken(&self) -> Vec<Form> {
        std::mem::take(&mut *self.forms.lock().unwrap())
    }
}

#[tokio::test]
async fn whatsapp_gets_the_approved_template_with_each_persons_values() {
    let carrier = Carrier::open().await;
    let desk = carrier.desk(3).await;
    let t = &desk.t;
    t.execute("insert into patchbay.senders (tenant_id, channel, address, provider) select id, 'whatsapp', '+15005550006', 'twilio' from patchbay.tenants").await;
    t.execute("insert into patchbay.consents (tenant_id, channel, address, state, how) select tenant_id, 'whatsapp', phone_e164, 'subscribed', 'form' from patchbay.contacts").await;
    let mut words = json!({ "name": "Sale", "channel": "whatsapp", "content": "Hi {{ first_name }}, our sale begins at {{ business_name }}." });
    let plain =
        id_of(&t.api(&desk.office.key, "POST", "/api/templates", words.clone()).await.expect(201).json());
    let draft = json!({ "name": "x", "channel": "whatsapp", "template_ids": [plain] });
    let refused = t.api(&desk.office.key, "POST", "/api/campaigns", draft).await.expect(422).json();
    assert!(
        refused["errors"]["template_ids"].as_str().unwrap().contains("give it the id, which begins with HX"),
        "{refused}"
    );
    words["name"] = "Approved sale".into();
    words["content_sid"] = format!("HX{}", "a".repeat(32)).into();
    words["content"] = "Hi {{1}}, our sale begins at {{2}}.".into();
    words["content_variables"] = json!({ "1": "{{ first_name }}", "2": "{{ business_name }}" });
    let approved = id_of(&t.api(&desk.office.key, "POST", "/api/templates", words).await.expect(201).json());
    // Of one the name is missing: a hole is no message.
    t.execute("update patchbay.contacts set first_name = null where right(phone_e164, 1) = '3'").await;
    let id = desk.draft(json!({ "channel": "whatsapp", "template_ids": [approved] })).await;
    let plan = desk.post(&format!("/api/campaigns/{id}/preflight")).await;
    assert_eq!((&plan["now"], &plan["never"]), (&json!(2), &json!({ "template": 1 })), "{plan}");
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.settle().await;
    assert_eq!(desk.totals(id).await["sent"], 2);
    let mut forms = carrier.taken();
    forms.sort_by_key(|form| form["To"].clone());
    assert_eq!(forms.len(), 2);
    for (form, n) in forms.iter().zip(1..) {
        assert_eq!(form["To"], format!("whatsapp:+6140000000{n}"));
        assert_eq!(form["From"], "whatsapp:+15005550006");
        assert_eq!(form["ContentSid"], format!("HX{}", "a".repeat(32)));
        let values: Value = serde_json::from_str(&form["ContentVariables"]).unwrap();
        assert_eq!(values, json!({ "1": format!("P{n}"), "2": "brightside" }));
        assert!(!form.contains_key("Body"), "{form:?}");
        // The ledger shows what was read.
        let body = t.text(&format!("select body from patchbay.messages where campaign_id = '{id}' and to_address = '+6140000000{n}'")).await;
        assert_eq!(body, format!("Hi P{n}, our sale begins at brightside."));
    }
}

#[tokio::test]
async fn a_carrier_never_tries_past_the_recipients_evening() {
    let carrier = Carrier::open().await;
    let desk = carrier.desk(1).await;
    desk.patch_settings(
        json!({ "quiet_hours": { "start": "21:00", "end": "09:00" }, "suppression_days": 0 }),
    )
    .await;
    // In Perth it is eight hours later than in UTC, all year.
    let nine = desk.at_hour(13, 0) + TimeDelta::days(1);
    for (before, validity) in [
        (TimeDelta::hours(11), None),
        (TimeDelta::hours(9), Some("32400")),
        (TimeDelta::seconds(3_600), Some("3600")),
        (TimeDelta::milliseconds(61_900), Some("61")),
        (TimeDelta::seconds(10), Some("10")),
    ] {
        desk.t.clock.set(nine - before);
        let id = desk.launched().await;
        desk.t.settle().await;
        assert_eq!(desk.totals(id).await["sent"], 1, "{before}");
        let forms = carrier.taken();
        assert_eq!(forms[0].get("ValidityPeriod").map(String::as_str), validity, "{before}");
    }
    // Too short for a carrier: as good as closed.
    for before in [TimeDelta::milliseconds(9_900), TimeDelta::milliseconds(400), TimeDelta::zero()] {
        desk.t.clock.set(nine - before);
        let id = desk.launched().await;
        desk.t.settle().await;
        assert_eq!(desk.totals(id).await["waiting"], json!({ "quiet_hours": 1 }), "{before}");
        let until = desk.t.text("select max(gate_until) at time zone 'Australia/Perth' || '' from patchbay.messages where status = 'queued'").await;
        assert!(until.ends_with("09:00:00"), "{until}");
    }
    assert!(carrier.taken().is_empty());
}

/// A mail server that takes everything, and what it took.
async fn mail_server() -> (String, Arc<Mutex<Vec<String>>>) {
    let mails: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = mails.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://127.0.0.1:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = kept.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                stream.write_all(b"220 mail.example.com\r\n").await?;
                let (mut line, mut mail, mut in_mail) = (String::new(), String::new(), false);
                while stream.read_line(&mut line).await? > 0 {
                    let reply = match line.trim_end() {
                        "." if in_mail => {
                            in_mail = false;
                            kept.lock().unwrap().push(std::mem::take(&mut mail));
                            "250 ok\r\n"
                        }
                        _ if in_mail => {
                            mail.push_str(&line);
                            ""
                        }
                        "DATA" => {
                            in_mail = true;
                            "354 go on\r\n"
                        }
                        "QUIT" => "221 bye\r\n",
                        _ => "250 ok\r\n",
                    };
                    stream.write_all(reply.as_bytes()).await?;
                    line.clear();
                }
                std::io::Result::Ok(())
            });
        }
    });
    (url, mails)
}

#[tokio::test]
async fn a_newsletter_has_a_way_out_in_its_text_and_in_its_head() {
    let (url, mails) = mail_server().await;
    let env = [
        ("PATCHBAY_SMTP_URL", url.as_str()),
        ("PATCHBAY_MAIL_FROM", "Brightside <office@brightside.example>"),
        ("PATCHBAY_SHORT_DOMAIN", "pb.example"),
    ];
    let desk = Desk::with(TestApp::with_env(&env).await, 2).await;
    let t = &desk.t;
    t.execute("update patchbay.contacts set email = 'p' || right(phone_e164, 1) || '@example.org'").await;
    t.execute("insert into patchbay.consents (tenant_id, channel, address, state, how) select tenant_id, 'email', email, 'subscribed', 'form' from patchbay.contacts").await;
    let words = json!({ "name": "News", "channel": "email", "subject": "News for {{ first_name }}", "content": "Hi {{ first_name }}, see https://shop.example/sale?x=1 and reply STOP if you like." });
    let template = id_of(&t.api(&desk.office.key, "POST", "/api/templates", words).await.expect(201).json());
    let id = desk.draft(json!({ "channel": "email", "template_ids": [template] })).await;
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.settle().await;
    assert_eq!(desk.totals(id).await["sent"], 2);
    let taken = std::mem::take(&mut *mails.lock().unwrap());
    let mail = taken.iter().find(|mail| mail.contains("p1@example.org")).expect("a mail to the first");
    let text = mail.replace("=\r\n", "");
    assert!(text.contains("Subject: News for P1"), "{text}");
    assert!(!text.contains("shop.example") && text.contains("see https://pb.example/"), "{text}");
    let token = text.split_once("List-Unsubscribe: <https://pb.example/u/").expect("a header").1;
    let token = token.split_once('>').unwrap().0;
    assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{text}");
    assert!(text.matches(token).count() == 2, "in the text as well: {text}");
    // What a mail program posts is enough, and is not sent on somewhere else.
    t.form(&format!("/u/{token}"), &[("List-Unsubscribe", "One-Click")], &[]).await.expect(200);
    t.clock.advance(TimeDelta::days(91));
    let again = desk.draft(json!({ "channel": "email", "template_ids": [template] })).await;
    desk.post(&format!("/api/campaigns/{again}/launch")).await;
    t.settle().await;
    let totals = desk.totals(again).await;
    assert_eq!(
        (&totals["sent"], &totals["blocked"]),
        (&json!(1), &json!({ "do_not_contact": 1 })),
        "{totals}"
    );
}

#[tokio::test]
async fn links_of_a_text_message_are_each_persons_own() {
    let carrier = Carrier::open().await;
    let account = format!("AC{}", "0".repeat(32));
    let env = [
        ("TWILIO_API_BASE", carrier.url.as_str()),
        ("TWILIO_ACCOUNT_SID", account.as_str()),
        ("TWILIO_AUTH_TOKEN", "secret"),
        ("PATCHBAY_SHORT_DOMAIN", "pb.example"),
    ];
    let desk = Desk::with(TestApp::with_env(&env).await, 2).await;
    let t = &desk.t;
    t.execute("update patchbay.senders set provider = 'twilio'").await;
    let long = "https://shop.example/a/very/long/way/to/the/spring/sale?utm_source=text&utm_campaign=spring";
    let template = desk.template(&format!("Hi {{{{ first_name }}}}, look: {long}.")).await;
    let id = desk.draft(json!({ "template_ids": [template] })).await;
    let look = t
        .api(&desk.office.key, "POST", &format!("/api/campaigns/{id}/preview"), json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(look[0]["segments"], 1, "{look}");
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.settle().await;
    let bodies: Vec<String> = carrier.taken().into_iter().map(|form| form["Body"].clone()).collect();
    let short = |body: &str| {
        body.split_whitespace().find_map(|word| word.strip_prefix("https://pb.example/")).map(str::to_owned)
    };
    let tokens: Vec<String> = bodies.iter().filter_map(|body| short(body)).collect();
    assert_eq!(tokens.len(), 2, "{bodies:?}");
    assert_ne!(tokens[0], tokens[1]);
    assert!(
        bodies.iter().all(|body| !body.contains("shop.example") && body.ends_with("Reply STOP to opt out")),
        "{bodies:?}"
    );
    // A name cannot be answered: the way out is a link, of each person's own as well.
    t.execute("insert into patchbay.senders (tenant_id, channel, address, provider, name_registered) select id, 'sms', 'Brightside', 'twilio', true from patchbay.tenants").await;
    let sender = t.text("select id::text from patchbay.senders where address = 'Brightside'").await;
    t.clock.advance(TimeDelta::days(91));
    let id = desk.draft(json!({ "template_ids": [template], "sender_id": sender })).await;
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    t.settle().await;
    for form in carrier.taken() {
        assert_eq!(form["From"], "Brightside");
        let body = &form["Body"];
        assert!(body.contains("Opt out: https://pb.example/u/") && !body.contains("STOP"), "{body}");
    }
}
