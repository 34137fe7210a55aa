//! The simulator seen from outside: Twilio's API as its own libraries use it, callbacks, and the ledger.

#[path = "support/receive.rs"]
mod receive;
#[path = "support/request.rs"]
mod request;
mod support;

use std::collections::HashMap;

use futures::StreamExt as _;
use patchbay_providers::{
    Outcome, Provider, ProviderStatus,
    twilio::{
        HttpOptions,
        signature::{Body, validate},
        webhook::{Webhook, parse, parse_form},
    },
};
use receive::{NO_CONTENT, UNAVAILABLE, receive};
use request::Received;
use serde_json::{Value, json};
use support::{ACCOUNT, Carrier, RECIPIENT, SENDER, TOKEN, message, start, twilio};
use tokio::sync::mpsc::UnboundedReceiver;

fn client() -> reqwest::Client {
    patchbay_providers::http::client().build().expect("a client")
}

fn messages(carrier: &Carrier) -> String {
    format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", carrier.base)
}

async fn create(carrier: &Carrier, form: &[(&str, &str)]) -> (u16, Value) {
    let request = client().post(messages(carrier)).basic_auth(ACCOUNT, Some(TOKEN)).form(form);
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

async fn get(url: &str) -> (u16, Value) {
    let response = client().get(url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

async fn ledger(carrier: &Carrier) -> Vec<Value> {
    let response = client().get(format!("{}/ledger", carrier.base)).send().await.expect("an answer");
    response.json().await.expect("a JSON array")
}

/// What a callback says.
type Report = (ProviderStatus, Option<u32>);

/// Reads callbacks until `count` have come, checks each signature, and returns what they said, by message.
async fn callbacks(
    receiver: &mut UnboundedReceiver<Received>,
    public: &str,
    count: usize,
) -> HashMap<String, Vec<Report>> {
    let mut seen: HashMap<String, Vec<_>> = HashMap::new();
    for _ in 0..count {
        let received = receiver.recv().await.expect("a callback");
        let pairs = parse_form(received.body.as_bytes());
        let url = format!("{public}{}", received.target);
        assert!(validate(&[TOKEN], &received.signature, &url, Body::Form(&pairs)), "{received:?}");
        let Ok(Webhook::Status(callback)) = parse(&pairs) else { panic!("{received:?}") };
        assert_eq!(callback.account_sid.as_deref(), Some(ACCOUNT));
        seen.entry(received.target).or_default().push((callback.status, callback.error_code));
    }
    seen
}

#[tokio::test]
async fn a_created_message_looks_like_twilios() {
    let carrier = start(|_| ()).await;
    let text = "Hi \"Sam\" – é\n";
    let (status, created) = create(&carrier, &[("To", RECIPIENT), ("From", SENDER), ("Body", text)]).await;
    assert_eq!(status, 201);
    let sid = created["sid"].as_str().expect("an id");
    let expected = json!({
        "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": text, "direction": "outbound-api",
        "date_created": "Sat, 25 Jul 2026 17:20:00 +0000", "date_updated": "Sat, 25 Jul 2026 17:20:00 +0000",
        "date_sent": null, "error_code": null, "error_message": null, "from": SENDER, "to": RECIPIENT,
        "messaging_service_sid": null, "num_media": "0", "num_segments": "1", "price": null, "price_unit": null,
        "sid": sid, "status": "queued",
        "subresource_uris": {"media": format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}/Media.json")},
        "uri": format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{sid}.json"),
    });
    assert_eq!(created, expected);
    let (status, fetched) =
        get(&format!("{}{}", carrier.base, created["uri"].as_str().expect("a path"))).await;
    assert_eq!((status, &fetched["sid"]), (200, &created["sid"]));
    let accepted = ledger(&carrier).await;
    assert_eq!(accepted.len(), 1);
    assert_eq!((&accepted[0]["sid"], &accepted[0]["body"]), (&created["sid"], &json!(text)));
    assert_eq!(
        (&accepted[0]["status_callback"], &accepted[0]["created_at"]),
        (&Value::Null, &json!("2026-07-25T17:20:00.250Z"))
    );
}

#[tokio::test]
async fn refusals_have_twilios_shape_and_leave_no_trace() {
    let carrier = start(|_| ()).await;
    let (status, body) = create(&carrier, &[("To", "+15005550004"), ("From", SENDER), ("Body", "x")]).await;
    assert_eq!((status, &body["code"], &body["status"]), (400, &json!(21610), &json!(400)));
    assert_eq!(body["more_info"], "https://www.twilio.com/docs/errors/21610");
    let form = |callback| [("To", RECIPIENT), ("From", SENDER), ("Body", "x"), ("StatusCallback", callback)];
    for callback in ["nonsense", "/relative", "ftp://example.com/", "https://under_score.example.com/"] {
        assert_eq!(create(&carrier, &form(callback)).await.1["code"], 21609, "{callback}");
    }
    let wrong = client()
        .post(messages(&carrier))
        .basic_auth(ACCOUNT, Some("wrong"))
        .form(&form("https://a.example/"));
    let response = wrong.send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 401);
    assert_eq!(response.json::<Value>().await.expect("JSON")["code"], 20003);
    assert_eq!(ledger(&carrier).await.len(), 0);
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let carrier = start(|_| ()).await;
    for nth in 0..25 {
        let to = if nth % 5 == 0 { "+61400000005" } else { RECIPIENT };
        create(&carrier, &[("To", to), ("From", SENDER), ("Body", &nth.to_string())]).await;
    }
    let (mut bodies, mut pages) = (Vec::new(), 0);
    let mut next =
        Some(format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize=10&From=%2B15005550006"));
    while let Some(uri) = next {
        let (status, page) = get(&format!("{}{uri}", carrier.base)).await;
        assert_eq!((status, &page["page"], &page["page_size"]), (200, &json!(pages), &json!(10)));
        let messages = page["messages"].as_array().expect("messages");
        bodies.extend(messages.iter().map(|message| message["body"].as_str().expect("a text").to_owned()));
        next = page["next_page_uri"].as_str().map(str::to_owned);
        pages += 1;
        // What arrives meanwhile must not shift the pages.
        create(&carrier, &[("To", RECIPIENT), ("From", "+15005550010"), ("Body", "late")]).await;
    }
    assert_eq!(pages, 3);
    assert_eq!(bodies, (0..25).rev().map(|nth| nth.to_string()).collect::<Vec<_>>());
    let count = async |query: &str| {
        let (_, page) = get(&format!("{}?{query}", messages(&carrier))).await;
        page["messages"].as_array().map(Vec::len)
    };
    assert_eq!(count("To=%2B61400000005").await, Some(5));
    assert_eq!(count("To=%2B61400000005&From=%2B1").await, Some(0));
    assert_eq!(count("To=%2B61400000005&DateSent=2026-07-25").await, Some(5));
    assert_eq!(count("To=%2B61400000005&DateSent%3E=2026-07-25T17:20:01Z").await, Some(0));
    assert_eq!(count("To=%2B61400000005&DateSent%3C=2026-07-24").await, Some(0));
    assert_eq!(count("To=%2B61400000005&Page=1&PageSize=3").await, Some(2));
    assert_eq!(get(&format!("{}?DateSent=soon", messages(&carrier))).await.0, 400);
}

#[tokio::test]
async fn messages_are_canceled_redacted_and_deleted() {
    let carrier = start(|_| ()).await;
    let service = ("MessagingServiceSid", "MG00000000000000000000000000000001");
    let scheduled = [
        ("To", RECIPIENT),
        service,
        ("Body", "x"),
        ("ScheduleType", "fixed"),
        ("SendAt", "2026-08-01T00:00:00Z"),
    ];
    let (_, scheduled) = create(&carrier, &scheduled).await;
    assert_eq!(scheduled["status"], "scheduled");
    let (_, plain) = create(&carrier, &[("To", RECIPIENT), ("From", SENDER), ("Body", "secret")]).await;
    let url = |message: &Value| format!("{}{}", carrier.base, message["uri"].as_str().expect("a path"));
    let update = async |message: &Value, pair: (&str, &str)| {
        let request = client().post(url(message)).basic_auth(ACCOUNT, Some(TOKEN)).form(&[pair]);
        let response = request.send().await.expect("an answer");
        response.json::<Value>().await.expect("JSON")
    };
    assert_eq!(update(&scheduled, ("Status", "canceled")).await["status"], "canceled");
    assert_eq!(update(&plain, ("Status", "canceled")).await["code"], 30409);
    assert_eq!(update(&plain, ("Body", "")).await["body"], "");
    assert_eq!(update(&plain, ("Body", "other")).await["code"], 20001);
    let request = client().delete(url(&plain)).basic_auth(ACCOUNT, Some(TOKEN));
    assert_eq!(request.send().await.expect("an answer").status().as_u16(), 204);
    assert_eq!(get(&url(&plain)).await.0, 404);
    assert_eq!(ledger(&carrier).await[1]["body"], "secret", "the ledger keeps what was accepted");
}

#[tokio::test]
async fn callbacks_are_signed_ordered_and_end_as_the_digits_say() {
    use ProviderStatus::{Delivered, Failed, Sent, Undelivered};
    let (address, mut receiver) = receive(|_| NO_CONTENT).await;
    let carrier = start(|_| ()).await;
    let twilio = twilio(&carrier.base, &HttpOptions::default());
    let cases: [(&str, &[Report]); 4] = [
        (RECIPIENT, &[(Sent, None), (Delivered, None)]),
        ("+61415530003", &[(Sent, None), (Undelivered, Some(30003))]),
        ("+61415530034", &[(Failed, Some(30034))]),
        ("+61415500000", &[(Sent, None)]),
    ];
    for (to, _) in cases {
        let mut message = message(to, "hello");
        message.status_callback = Some(format!("http://{address}/status?mid={}", &to[1..]));
        assert!(matches!(twilio.send(&message).await, Outcome::Accepted { .. }));
    }
    let count = cases.iter().map(|(_, expected)| expected.len()).sum();
    let seen = callbacks(&mut receiver, &format!("http://{address}"), count).await;
    for (to, expected) in cases {
        assert_eq!(seen[&format!("/status?mid={}", &to[1..])], expected, "{to}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_down_hears_the_same_again() {
    let (address, mut receiver) = receive(|nth| if nth == 0 { UNAVAILABLE } else { NO_CONTENT }).await;
    let carrier = start(|_| ()).await;
    let mut message = message(RECIPIENT, "hello");
    message.status_callback = Some(format!("http://{address}/status"));
    twilio(&carrier.base, &HttpOptions::default()).send(&message).await;
    let seen = callbacks(&mut receiver, &format!("http://{address}"), 3).await;
    use ProviderStatus::{Delivered, Sent};
    assert_eq!(seen["/status"], [(Sent, None), (Sent, None), (Delivered, None)]);
}

#[tokio::test]
async fn callbacks_come_twice_and_out_of_order_when_asked_to() {
    let (address, mut receiver) = receive(|_| NO_CONTENT).await;
    let carrier = start(|options| {
        options.duplicate_callbacks = true;
        options.reorder_callbacks = true;
        options.lost_reply_rate = 0.5;
        options.seed = 7;
    })
    .await;
    let twilio = twilio(&carrier.base, &HttpOptions::default());
    for nth in 0..40 {
        let mut message = message(RECIPIENT, "hello");
        message.status_callback = Some(format!("http://{address}/status?mid={nth}"));
        twilio.send(&message).await;
    }
    assert_eq!(ledger(&carrier).await.len(), 40, "a lost reply is an accepted message");
    let seen = callbacks(&mut receiver, &format!("http://{address}"), 160).await;
    let mut overtaken = 0;
    for (mid, events) in &seen {
        let count = |status| events.iter().filter(|(seen, _)| *seen == status).count();
        assert_eq!((count(ProviderStatus::Sent), count(ProviderStatus::Delivered)), (2, 2), "{mid}");
        overtaken += usize::from(events[0].0 == ProviderStatus::Delivered);
    }
    assert!((5..35).contains(&overtaken), "{overtaken} of 40");
}

#[tokio::test]
async fn somebody_writes_in() {
    let (address, mut receiver) =
        receive(|_| "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 11\r\n\r\n<Response/>").await;
    let carrier =
        start(|options| options.inbound_url = Some(format!("http://{address}/in?tenant=acme"))).await;
    let post = async |body: Value| {
        let response =
            client().post(format!("{}/inbound", carrier.base)).json(&body).send().await.expect("an answer");
        (response.status().as_u16(), response.json::<Value>().await.expect("JSON"))
    };
    create(&carrier, &[("To", RECIPIENT), ("From", SENDER), ("Body", "x")]).await;
    let inbound = [
        json!({"from": RECIPIENT, "to": SENDER, "body": "STOP "}),
        json!({"from": RECIPIENT, "to": SENDER, "body": "Yes", "channel": "whatsapp", "profile_name": "Zoë"}),
    ];
    for body in inbound {
        let (status, answer) = post(body.clone()).await;
        assert_eq!((status, &answer["status"], &answer["body"]), (200, &json!(200), &json!("<Response/>")));
        let received = receiver.recv().await.expect("a webhook");
        let pairs = parse_form(received.body.as_bytes());
        let url = format!("http://{address}{}", received.target);
        assert!(validate(&[TOKEN], &received.signature, &url, Body::Form(&pairs)));
        let Ok(Webhook::Inbound(message)) = parse(&pairs) else { panic!("{received:?}") };
        assert_eq!((message.from.as_str(), message.to.as_str()), (RECIPIENT, SENDER));
        assert_eq!(json!(message.body), body["body"]);
        assert_eq!(message.account_sid.as_deref(), Some(ACCOUNT), "the account that sent from this number");
        assert_eq!(json!(message.message_sid), answer["sid"]);
        assert_eq!(json!(message.profile_name), body["profile_name"]);
    }
    assert_eq!(post(json!({"from": RECIPIENT})).await.0, 400);
}

#[tokio::test]
async fn the_ledger_streams_more_than_one_piece() {
    let carrier = start(|_| ()).await;
    assert_eq!(ledger(&carrier).await, Vec::<Value>::new());
    let twilio = twilio(&carrier.base, &HttpOptions::default());
    for nth in 0..1030 {
        twilio.send(&message(RECIPIENT, &nth.to_string())).await;
    }
    let bodies: Vec<_> = ledger(&carrier).await.into_iter().map(|message| message["body"].clone()).collect();
    assert_eq!(bodies, (0..1030).map(|nth| json!(nth.to_string())).collect::<Vec<_>>());
}

/// What the sender was told and what the carrier accepted agree, message by message, under every fault at once.
#[tokio::test]
async fn under_faults_every_message_is_accounted_for() {
    let carrier = start(|options| {
        options.lost_reply_rate = 0.1;
        options.reject_rate = 0.1;
        options.throttle_rate = 0.1;
        options.seed = 42;
    })
    .await;
    let twilio = twilio(&carrier.base, &HttpOptions::default());
    let recipient = |nth: usize| format!("+614{nth:08}");
    let outcomes: Vec<Outcome> = futures::stream::iter(0..1000)
        .map(async |nth| twilio.send(&message(&recipient(nth), "hello")).await)
        .buffered(32)
        .collect()
        .await;
    let mut accepted: HashMap<String, usize> = HashMap::new();
    for entry in ledger(&carrier).await {
        *accepted.entry(entry["to"].as_str().expect("a number").to_owned()).or_default() += 1;
    }
    let mut unknown = 0;
    for (nth, outcome) in outcomes.iter().enumerate() {
        let expected = usize::from(matches!(outcome, Outcome::Accepted { .. } | Outcome::Unknown { .. }));
        unknown += usize::from(matches!(outcome, Outcome::Unknown { .. }));
        assert_eq!(accepted.get(&recipient(nth)).copied().unwrap_or_default(), expected, "{outcome:?}");
    }
    assert!((50..150).contains(&unknown), "{unknown}");
}
