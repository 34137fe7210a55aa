//! Whose turn it is: many tenants and three priorities, through the dispatcher.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::dispatcher;
use crate::{
    tests::{Tenancy, TestApp},
    time::{Clock, SystemClock},
};

async fn open(t: &TestApp, name: &str) -> Tenancy {
    let who = t.tenancy(name).await;
    t.execute("update patchbay.tenants set quiet_start = null, quiet_end = null, country_rules = false")
        .await;
    who
}

/// Messages that are due, of one tenant.
async fn queue(t: &TestApp, who: &Tenancy, count: usize, kind: &str, priority: i16) {
    t.execute(&format!(
        "insert into patchbay.messages (tenant_id, direction, channel, kind, status, priority, dedupe_key, to_address, body, send_after)
         select '{}', 'outbound', 'sms', '{kind}', 'queued', {priority}, '{kind}:' || n, '+1212' || (2000000 + n), 'Hi', now() - interval '1 hour'
         from generate_series(1, {count}) n",
        who.id
    ))
    .await;
}

async fn left(t: &TestApp, tenant: Uuid) -> i64 {
    t.scalar(&format!(
        "select count(*) from patchbay.messages where tenant_id = '{tenant}' and status in ('sending', 'sent', 'delivered')"
    ))
    .await
}

/// A clock that is not behind the server's, by which plain SQL stamps.
fn catch_up(t: &TestApp) {
    t.clock.set(t.clock.now().max(SystemClock.now()));
}

#[tokio::test]
async fn fifty_thousand_of_one_do_not_hold_up_one_of_another() {
    let t = TestApp::new().await;
    let (large, small, other) = (open(&t, "Large").await, open(&t, "Small").await, open(&t, "Other").await);
    queue(&t, &large, 50_000, "api", 1).await;
    queue(&t, &other, 3, "api", 1).await;
    catch_up(&t);
    dispatcher::run_once(&t.app).await.unwrap();
    let share = left(&t, large.id).await;
    assert!((1..=500).contains(&share), "one turn, not the whole queue: {share}");
    assert_eq!(left(&t, other.id).await, 3);
    // In the middle of the large one's work.
    t.api(&small.key, "POST", "/api/messages/send", json!({ "to": "+12125550123", "body": "Hi" }))
        .await
        .expect(202);
    catch_up(&t);
    dispatcher::run_once(&t.app).await.unwrap();
    assert_eq!(left(&t, small.id).await, 1, "its turn comes in the next round, whatever else waits");
    let after = left(&t, large.id).await;
    assert!(after > share && after <= 2 * share.max(500), "and the large one goes on: {after}");
}

#[tokio::test]
async fn turns_go_round_however_often_somebody_was_first() {
    let t = TestApp::new().await;
    let mut tenants = Vec::new();
    for name in ["One", "Two", "Three"] {
        let who = open(&t, name).await;
        queue(&t, &who, 2_000, "api", 1).await;
        tenants.push(who);
    }
    catch_up(&t);
    for round in 1..=3 {
        dispatcher::run_once(&t.app).await.unwrap();
        let mut counts = Vec::new();
        for who in &tenants {
            counts.push(left(&t, who.id).await);
        }
        assert!(counts.iter().all(|count| *count == counts[0]), "round {round}: {counts:?}");
    }
}

#[tokio::test]
async fn what_people_write_overtakes_what_campaigns_send() {
    let t = TestApp::new().await;
    let who = open(&t, "Brightside").await;
    t.execute("update patchbay.tenants set rate_per_second = 1").await;
    t.execute(&format!(
        "insert into patchbay.consents (tenant_id, channel, address, state, how)
         select '{}', 'sms', '+1212' || (2000000 + n), 'subscribed', 'form' from generate_series(1, 1000) n",
        who.id
    ))
    .await;
    // A campaign has been waiting for an hour, then quotes, and last of all somebody types.
    for (count, kind, priority) in [(1_000, "campaign", 2), (2, "quote", 1), (2, "manual", 0)] {
        queue(&t, &who, count, kind, priority).await;
    }
    t.execute("update patchbay.messages set send_after = now() - case kind when 'campaign' then interval '1 hour' when 'quote' then interval '30 minutes' else interval '1 second' end")
        .await;
    catch_up(&t);
    let mut order = Vec::new();
    for _ in 0..6 {
        dispatcher::run_once(&t.app).await.unwrap();
        order.push(
            t.text("select string_agg(kind, ' ' order by claimed_at desc, kind) from (select kind, claimed_at from patchbay.messages where claimed_at is not null order by claimed_at desc limit 1) m")
                .await,
        );
        t.clock.advance(TimeDelta::milliseconds(1_001));
        // Those that were told their place in line are asked again at their second.
        t.execute("update patchbay.messages set send_after = now() - interval '1 minute' where status = 'queued' and priority < 2").await;
    }
    assert_eq!(order, ["manual", "manual", "quote", "quote", "campaign", "campaign"]);
}
