//! Death between any two steps: whatever a node was doing when it died, the others finish it, and in the end our
//! ledger and the carrier's say the same. Nothing twice, nothing lost, totals balance.

use std::{collections::BTreeSet, time::Duration};

use axum::{body::Body, http::Request};
use chrono::TimeDelta;
use sqlx::Row;
use tower::ServiceExt;

use super::{Tenancy, TestApp};
use crate::{
    crash::{Action, POINTS},
    messaging::dispatcher,
};

/// Points that a node passes while it sends, and after how many passages it dies there.
const WHILE_SENDING: &[(&str, usize)] = &[
    ("claim.locked", 0),
    ("claim.marked", 0),
    ("claim.committed", 0),
    ("hand_over.checked", 0),
    ("hand_over.checked", 7),
    ("hand_over.called", 0),
    ("hand_over.called", 7),
    ("settle.begun", 0),
    ("settle.written", 0),
    ("settle.committed", 0),
    ("reconcile.marked", 0),
    ("reconcile.found", 0),
    ("reconcile.found", 2),
    ("reconcile.written", 0),
    ("report.written", 0),
    ("event.handled", 0),
];

/// Those that a webhook passes before it is answered.
const WHILE_RECEIVING: &[&str] = &["webhook.stopped", "webhook.written", "webhook.committed"];

/// Those between the batches of an import; `imports::tests` visits them.
const WHILE_IMPORTING: &[&str] = &["import.written", "import.committed"];

/// Those on the way from a campaign to its messages.
const WHILE_CAMPAIGNING: &[(&str, usize)] = &[
    ("launch.approved", 0),
    ("snapshot.written", 0),
    ("expand.written", 0),
    ("expand.written", 1),
    ("expand.committed", 0),
    ("claim.committed", 0),
    ("settle.begun", 0),
];

/// The one that is passed when a claim is taken back.
const WHILE_RECALLING: &str = "put_back.written";

#[test]
fn every_point_is_visited() {
    let visited: BTreeSet<&str> = WHILE_SENDING
        .iter()
        .map(|(point, _)| *point)
        .chain(WHILE_RECEIVING.iter().copied())
        .chain(WHILE_IMPORTING.iter().copied())
        .chain(WHILE_CAMPAIGNING.iter().map(|(point, _)| *point))
        .chain([WHILE_RECALLING])
        .collect();
    assert_eq!(visited, POINTS.iter().copied().collect());
}

/// A tenant with `count` messages waiting, two of them of the same text to the same person; with `faults` the carrier
/// refuses some, asks for patience, and loses answers.
async fn business(count: usize, faults: bool) -> (TestApp, Tenancy) {
    let t = TestApp::with(&[], |fake| {
        fake.seed = 7;
        if faults {
            (fake.reject_rate, fake.lost_reply_rate, fake.throttle_rate) = (0.1, 0.25, 0.1);
        }
    })
    .await;
    let who = t.tenancy("Brightside").await;
    t.execute("update patchbay.tenants set quiet_start = null, quiet_end = null, country_rules = false, timezone = 'UTC'").await;
    t.execute(&format!(
        "insert into patchbay.contacts (tenant_id, first_name, phone_e164)
         select id, 'P', '+1415222' || lpad(n::text, 4, '0') from patchbay.tenants, generate_series(1, {count}) n"
    ))
    .await;
    queue(&t, "'Text ' || right(phone_e164, 4)").await;
    if count > 2 {
        t.execute("update patchbay.messages set body = 'Twin', to_address = '+14152229999' where right(to_address, 4)::int <= 2").await;
    }
    (t, who)
}

/// Queues a message of `body` (SQL) to every contact.
async fn queue(t: &TestApp, body: &str) {
    t.execute(&format!(
        "insert into patchbay.messages (tenant_id, contact_id, direction, channel, kind, status, dedupe_key, to_address, body, cost_micros, send_after)
         select tenant_id, id, 'outbound', 'sms', 'api', 'queued', 'test:' || gen_random_uuid(), phone_e164, {body}, 10000, now() - interval '1 minute' from patchbay.contacts"
    ))
    .await;
}

/// A campaign launched by a node that dies on the way: everybody gets it, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_outlives_its_nodes() {
    for (point, after) in WHILE_CAMPAIGNING {
        let (t, who) = business(250, false).await;
        t.execute("delete from patchbay.messages").await;
        t.execute("insert into patchbay.consents (tenant_id, channel, address, state, how) select tenant_id, 'sms', phone_e164, 'subscribed', 'form' from patchbay.contacts").await;
        let template = serde_json::json!({ "name": "Spring", "content": "Hi {{ first_name }}" });
        let template =
            t.api(&who.key, "POST", "/api/templates", template).await.expect(201).json()["id"].clone();
        let draft = serde_json::json!({ "name": "Spring", "template_ids": [template] });
        let id = t.api(&who.key, "POST", "/api/campaigns", draft).await.expect(201).json()["id"].clone();
        let path = format!("/api/campaigns/{}/launch", id.as_str().unwrap());
        let node = t.doomed_node(point, *after, Action::Die).await;
        let request = Request::builder()
            .method("POST")
            .uri(&path)
            .header("authorization", format!("Bearer {}", who.key))
            .body(Body::empty())
            .unwrap();
        let launch = node.start(node.router.clone().oneshot(request));
        let work = node.work(TimeDelta::milliseconds(10));
        node.reached().await;
        node.kill();
        drop((launch, work));
        recover(&t).await;
        let campaign = t.get(&who.key, &format!("/api/campaigns/{}", id.as_str().unwrap())).await.json();
        assert_eq!(campaign["status"], "finished", "{point} {campaign}");
        assert_eq!(campaign["totals"]["recipients"], 250, "{point}");
        let reached = t.scalar("select count(distinct contact_id) from patchbay.messages where status in ('sent', 'delivered')").await;
        assert_eq!(reached, 250, "{point} {campaign}");
        let accepted = t.app.providers.fake.accepted().len();
        assert_eq!(accepted, 250, "{point}: nothing twice");
    }
}

/// Lets a healthy node finish what is left.
async fn recover(t: &TestApp) {
    for _ in 0..60 {
        t.settle().await;
        let messages = t
            .scalar("select count(*) from patchbay.messages where status in ('queued', 'sending', 'unknown')")
            .await;
        if messages == 0
            && t.scalar(
                "select count(*) from patchbay.outbox where processed_at is null and parked_at is null",
            )
            .await
                == 0
        {
            return;
        }
        t.clock.advance(TimeDelta::seconds(90));
    }
    panic!("work stays without an end");
}

/// Our ledger against the carrier's.
async fn assert_balanced(t: &TestApp, case: &str) {
    let accepted = t.app.providers.fake.accepted();
    let theirs: BTreeSet<(String, String, String)> =
        accepted.iter().map(|m| (m.provider_message_id.clone(), m.to.clone(), m.body.clone())).collect();
    assert_eq!(theirs.len(), accepted.len());
    let mut sql = t.sql().await;
    let rows = sqlx::query("select status, provider_message_id, to_address, body, cost_micros from patchbay.messages where direction = 'outbound'").fetch_all(&mut sql).await.expect("ledger");
    let mut ours = BTreeSet::new();
    let mut cost = 0;
    for row in &rows {
        let status: String = row.get("status");
        match row.get::<Option<String>, _>("provider_message_id") {
            Some(sid) => {
                cost += row.get::<i64, _>("cost_micros");
                assert!(
                    ours.insert((sid, row.get("to_address"), row.get("body"))),
                    "{case}: one message of the carrier's stands for two of ours"
                );
            }
            None => assert!(
                matches!(status.as_str(), "failed" | "blocked"),
                "{case}: {status}, but the carrier knows nothing of it"
            ),
        }
    }
    assert_eq!(ours, theirs, "{case}: what the carrier accepted (right) is not what we recorded (left)");
    let counted = t.scalar("select coalesce(sum(messages), 0) from patchbay.spend_counters").await;
    assert_eq!(counted, i64::try_from(accepted.len()).unwrap(), "{case}: messages booked");
    assert_eq!(
        t.scalar("select coalesce(sum(cost_micros), 0) from patchbay.spend_counters").await,
        cost,
        "{case}: cost booked"
    );
    assert_eq!(
        t.scalar("select coalesce(sum(messages), 0) from patchbay.send_counters").await,
        counted,
        "{case}: messages per sender"
    );
    assert_eq!(
        t.scalar("select count(*) from patchbay.outbox where processed_at is null").await,
        0,
        "{case}: events left over"
    );
}

/// Runs a node to its end at `point`, with the carrier's receipts coming in at another.
async fn die(t: &TestApp, point: &'static str, after: usize, pause: TimeDelta) {
    // Receipts settle what is unknown before anybody has to ask; so where asking is the point, they are late.
    let receipts = !point.starts_with("reconcile");
    let node = t.doomed_node(point, after, Action::Die).await;
    let work = node.work(pause);
    let mut turns = 0;
    while tokio::time::timeout(Duration::from_millis(2), node.reached()).await.is_err() {
        if receipts {
            t.receipts().await;
        }
        turns += 1;
        assert!(turns < 10_000 && !work.is_finished(), "{point} was never reached");
    }
    node.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_dies_while_it_sends() {
    for (point, after) in WHILE_SENDING {
        let case = format!("{point} after {after}");
        let (t, _) = business(40, true).await;
        if *point == "reconcile.written" {
            // Only what was claimed and never handed over is sent again: somebody died before.
            die(&t, "claim.committed", 0, TimeDelta::seconds(35)).await;
        }
        die(&t, point, *after, TimeDelta::seconds(35)).await;
        recover(&t).await;
        assert_balanced(&t, &case).await;
    }
}

/// A claim that still knows the gate as closed must not close it again behind the back of whoever opened it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_claim_holds_while_the_gate_opens_is_let_go_at_once() {
    let (t, who) = business(10, false).await;
    t.execute("update patchbay.tenants set budget_daily_cents = 0").await;
    let node = t.doomed_node("claim.marked", 0, Action::Wait).await;
    let app = node.app.clone();
    let round = node.start(async move { dispatcher::run_once(&app).await });
    node.reached().await;
    let open = serde_json::json!({ "budget": null });
    let (reply, ()) = tokio::join!(t.api(&who.key, "PATCH", "/api/settings", open), async {
        // However long the claim takes: nothing is asserted about time.
        tokio::time::sleep(Duration::from_millis(200)).await;
        node.plan.as_ref().expect("plan").release();
    });
    reply.expect(200);
    round.await.expect("round").expect("round");
    t.settle().await;
    assert_eq!(t.app.providers.fake.accepted().len(), 10, "nobody waits for tomorrow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_dies_while_it_takes_a_claim_back() {
    let (t, _) = business(10, false).await;
    let waiting = t.doomed_node("claim.committed", 0, Action::Wait).await;
    let app = waiting.app.clone();
    let round = waiting.start(async move { dispatcher::run_once(&app).await });
    waiting.reached().await;
    t.execute("update patchbay.tenants set kill_switch = true").await;
    waiting.plan.as_ref().expect("plan").release();
    round.await.expect("round").expect("round");
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where status = 'queued' and attempt = 0").await,
        10,
        "all went back"
    );
    t.execute("update patchbay.tenants set kill_switch = false").await;
    // The same again, dying half-way: the lease runs out, the carrier is asked, and all are sent once.
    let doomed = t.doomed_node(WHILE_RECALLING, 0, Action::Die).await;
    let app = doomed.app.clone();
    let clock = t.clock.clone();
    let work = doomed.start(async move {
        loop {
            let _ = dispatcher::run_once(&app).await;
            clock.advance(TimeDelta::seconds(1));
        }
    });
    let mut on = false;
    while tokio::time::timeout(Duration::from_millis(1), doomed.reached()).await.is_err() {
        assert!(!work.is_finished());
        on = !on;
        t.execute(&format!("update patchbay.tenants set kill_switch = {on}")).await;
        t.execute(
            "update patchbay.messages set send_after = now() where status = 'queued' and send_after > now()",
        )
        .await;
        if t.scalar("select count(*) from patchbay.messages where status = 'queued'").await == 0 {
            queue(&t, "'Again ' || right(phone_e164, 4)").await;
        }
    }
    doomed.kill();
    t.execute("update patchbay.tenants set kill_switch = false").await;
    recover(&t).await;
    assert_balanced(&t, WHILE_RECALLING).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_dies_before_it_answers_a_webhook() {
    for point in WHILE_RECEIVING {
        let (t, who) = business(3, false).await;
        t.settle().await;
        let fields = [
            ("MessageSid", "SM00000000000000000000000000000077"),
            ("From", "+14152220003"),
            ("To", "+15005550006"),
            ("Body", "STOP"),
            ("NumMedia", "0"),
            ("SmsStatus", "received"),
        ];
        let node = t.doomed_node(point, 0, Action::Die).await;
        let (router, request) = (node.router.clone(), t.signed_request(&who, "/webhooks/twilio", &fields));
        let answer = node.start(async move { router.oneshot(request).await });
        node.reached().await;
        assert!(!answer.is_finished(), "{point}: answered before it was safe");
        node.kill();
        assert!(answer.await.is_err(), "{point}: died");
        // No answer: the carrier posts it again, and once more for good measure.
        for _ in 0..2 {
            t.signed(&who, "/webhooks/twilio", &fields).await.expect(200);
        }
        recover(&t).await;
        assert_eq!(
            t.scalar("select count(*) from patchbay.messages where direction = 'inbound'").await,
            1,
            "{point}"
        );
        assert_eq!(
            t.scalar("select count(*) from patchbay.messages where kind = 'consent_confirmation'").await,
            1,
            "{point}"
        );
        assert_eq!(t.scalar("select count(*) from patchbay.do_not_contact").await, 1, "{point}");
        assert_balanced(&t, point).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_between_claim_and_hand_over_keeps_the_message_here() {
    let (t, who) = business(1, false).await;
    let node = t.doomed_node("claim.committed", 0, Action::Wait).await;
    let app = node.app.clone();
    let round = node.start(async move { dispatcher::run_once(&app).await });
    node.reached().await;
    assert_eq!(t.scalar("select count(*) from patchbay.messages where status = 'sending'").await, 1);
    t.receive(&who, "+14152220001", "STOP", "SM78").await;
    node.plan.as_ref().expect("plan").release();
    round.await.expect("round").expect("round");
    assert!(t.app.providers.fake.accepted().is_empty(), "nothing left after the STOP was answered");
    recover(&t).await;
    assert_eq!(t.scalar("select count(*) from patchbay.messages where kind = 'api' and status = 'blocked' and gate = 'do_not_contact'").await, 1);
    let accepted = t.app.providers.fake.accepted();
    assert_eq!(accepted.len(), 1, "only the confirmation of the opt-out left: {accepted:?}");
    assert_balanced(&t, "stop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_overtakes_the_reply_is_not_undone_by_it() {
    let (t, _) = business(1, false).await;
    let node = t.doomed_node("hand_over.called", 0, Action::Wait).await;
    let app = node.app.clone();
    let round = node.start(async move { dispatcher::run_once(&app).await });
    node.reached().await;
    while t.scalar("select count(*) from patchbay.messages where status = 'delivered'").await == 0 {
        t.settle().await;
    }
    node.plan.as_ref().expect("plan").release();
    round.await.expect("round").expect("round");
    assert_eq!(
        t.scalar(
            "select count(*) from patchbay.messages where status = 'delivered' and delivered_at is not null"
        )
        .await,
        1
    );
    assert_balanced(&t, "receipt first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_after_we_gave_up_is_believed() {
    let (t, _) = business(1, false).await;
    let node = t.doomed_node("settle.begun", 0, Action::Wait).await;
    let app = node.app.clone();
    let round = node.start(async move { dispatcher::run_once(&app).await });
    node.reached().await;
    // Everybody else gave it up: queued for another attempt, though this node knows better.
    t.execute("update patchbay.messages set status = 'queued', lease_until = null, send_after = now() + interval '1 hour'").await;
    node.plan.as_ref().expect("plan").release();
    round.await.expect("round").expect("round");
    t.clock.advance(TimeDelta::hours(2));
    t.settle().await;
    assert_eq!(t.app.providers.fake.accepted().len(), 1, "not sent a second time");
    assert_eq!(
        t.scalar("select count(*) from patchbay.messages where status in ('sent', 'delivered')").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_receipt_of_a_try_that_had_failed_does_not_stand_for_the_next() {
    let (t, who) = business(1, false).await;
    // …5530003: the carrier accepts it and cannot deliver it.
    t.execute("update patchbay.messages set to_address = '+14155530003', body = 'Away'").await;
    t.settle().await;
    let mut sql = t.sql().await;
    let (id, sid): (uuid::Uuid, String) =
        sqlx::query_as("select id, provider_message_id from patchbay.messages where status = 'undelivered'")
            .fetch_one(&mut sql)
            .await
            .expect("undelivered");
    t.clock.advance(TimeDelta::seconds(5));
    t.api(&who.key, "POST", &format!("/api/messages/{id}/retry"), serde_json::Value::Null).await.expect(200);
    let path = format!("/webhooks/twilio?t={}&m={}&a=1", who.id.simple(), id.simple());
    t.signed(&who, &path, &[("MessageSid", &sid), ("MessageStatus", "sent"), ("ErrorCode", "1")])
        .await
        .expect(200);
    recover(&t).await;
    assert_eq!(t.app.providers.fake.accepted().len(), 2, "the person's second try left");
    assert_eq!(t.scalar("select attempt from patchbay.messages").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_side_by_side_send_each_message_once() {
    let (t, _) = business(600, false).await;
    let nodes = [t.node().await, t.node().await, t.node().await];
    for node in &nodes {
        node.work(TimeDelta::zero());
    }
    while t.scalar("select count(*) from patchbay.messages where status in ('queued', 'sending')").await > 0 {
        t.receipts().await;
    }
    nodes.into_iter().for_each(super::node::Node::kill);
    recover(&t).await;
    assert_balanced(&t, "three nodes").await;
    assert_eq!(t.app.providers.fake.accepted().len(), 600);
    assert_eq!(t.scalar("select max(attempt) from patchbay.messages").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_holds_however_many_nodes_claim() {
    let (t, _) = business(80, true).await;
    // Where it is about noon, so that no midnight comes while the clock runs fast.
    t.execute(
        "update patchbay.tenants set budget_daily_cents = 25, timezone =
           (select case when h = 12 then 'UTC' when h > 12 then 'Etc/GMT+' || h - 12 else 'Etc/GMT-' || 12 - h end
            from (select extract(hour from now() at time zone 'UTC')::int as h) n)",
    )
    .await;
    let nodes = [t.node().await, t.node().await, t.node().await];
    for node in &nodes {
        node.work(TimeDelta::seconds(1));
    }
    // A message costs one cent. Refusals give theirs back, so that in the end exactly 25 were accepted.
    let mut turns = 0;
    while t.app.providers.fake.accepted().len() < 25
        || t.scalar("select count(*) from patchbay.messages where status in ('sending', 'unknown')").await > 0
    {
        t.receipts().await;
        // What waits for tomorrow's budget is let try again.
        t.execute(
            "update patchbay.messages set send_after = now() where status = 'queued' and gate = 'budget'",
        )
        .await;
        let spent = t.scalar("select coalesce(max(cost_micros), 0) from patchbay.spend_counters").await;
        assert!(spent <= 250_000, "{spent}");
        turns += 1;
        assert!(
            turns < 5_000,
            "the budget is never used up: {} accepted",
            t.app.providers.fake.accepted().len()
        );
    }
    nodes.into_iter().for_each(super::node::Node::kill);
    assert_eq!(t.app.providers.fake.accepted().len(), 25);
    assert_eq!(t.scalar("select max(messages) from patchbay.spend_counters").await, 25);
}
