//! kill -9 under load: the real program, the carrier's simulator with all its faults, two workers side by side and the
//! server that takes webhooks. They are killed at random times, and between any two steps of claim, call and settle, of
//! taking and handling a webhook. In the end the carrier's ledger and ours agree: nothing twice, nothing lost, totals
//! balance. Of campaigns, every decision is made again from what is stored: no gate was broken.
//!
//! `PATCHBAY_CRASHES`, `PATCHBAY_CRASH_MESSAGES` and `PATCHBAY_CRASH_SEED` ask for more, or for other, luck.

mod campaign;
mod history;
mod ledger;
mod people;
mod replay;
mod world;

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tokio::sync::Mutex;

use world::{Luck, Mortals, World, number, until_none};

/// How long the survivors may take to bring everything to an end.
const PATIENCE: Duration = Duration::from_secs(240);
/// One world at a time: each of them is busy enough.
static TURN: Mutex<()> = Mutex::const_new(());

/// Queues messages `from..to`; one in twenty is the twin of another, same text to the same person.
async fn queue(sql: &mut PgConnection, from: u64, to: u64) {
    let statement = format!(
        "insert into patchbay.messages (tenant_id, direction, channel, kind, status, dedupe_key, to_address, body, cost_micros)
         select t.id, 'outbound', 'sms', 'api', 'queued', 'crash:' || n, '+1415' || 2000000 + n - (n % 20 = 19)::int,
           'Message ' || n - (n % 20 = 19)::int, 10000
         from patchbay.tenants t, generate_series({from}, {to} - 1) n"
    );
    sql.execute(AssertSqlSafe(statement)).await.expect("queue");
}

#[tokio::test]
async fn killed_anywhere_nothing_goes_twice_or_missing() {
    let _turn = TURN.lock().await;
    let crashes = number("PATCHBAY_CRASHES", 20);
    let messages = number("PATCHBAY_CRASH_MESSAGES", 3_000);
    let mut luck = Luck(number("PATCHBAY_CRASH_SEED", 1));
    let (world, mut sql) = World::begin("crash").await;
    sql.execute("update patchbay.tenants set quiet_start = null, quiet_end = null").await.expect("tenant");
    let mut mortals = Mortals::start(&world);
    for crash in 0..crashes {
        queue(&mut sql, crash * messages / crashes, (crash + 1) * messages / crashes).await;
        mortals.die(&world, &mut luck, crash).await;
    }
    let open =
        "select (select count(*) from patchbay.messages where status in ('queued', 'sending', 'unknown'))
        + (select count(*) from patchbay.outbox where processed_at is null and parked_at is null)";
    until_none(&mut sql, &world, open, PATIENCE + Duration::from_millis(messages * 10)).await;
    let agreed = ledger::compare(&mut sql, &world).await;
    assert_eq!(agreed.ours as u64, messages);
    drop(mortals);
    drop(sql);
    world.end();
}

#[tokio::test]
async fn a_campaign_killed_anywhere_keeps_to_every_gate() {
    let _turn = TURN.lock().await;
    let crashes = number("PATCHBAY_CRASHES", 14);
    let recipients = number("PATCHBAY_CRASH_MESSAGES", 3_000);
    let mut luck = Luck(number("PATCHBAY_CRASH_SEED", 1));
    let (world, mut sql) = World::begin("crash-campaign").await;
    let mut scene = campaign::Scene::set(&mut sql, &world, recipients).await;
    let mut mortals = Mortals::start(&world);
    for crash in 0..crashes {
        scene.act(&world, &mut luck, crash, crashes).await;
        mortals.die(&world, &mut luck, crash).await;
    }
    scene.all_told().await;
    let patience = PATIENCE + Duration::from_millis(recipients * 10);
    until_none(&mut sql, &world, campaign::OPEN, patience).await;
    let agreed = ledger::compare(&mut sql, &world).await;
    scene.assert_balanced(&mut sql).await;
    let history = history::History::read(&mut sql, &scene, agreed.carrier).await;
    replay::replay(&history).assert_every_gate_bound(&history);
    drop(mortals);
    drop(sql);
    world.end();
}
