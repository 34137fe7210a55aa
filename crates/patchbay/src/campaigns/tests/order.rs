//! Whatever the order of pauses, switches, budgets, hours and time: nothing leaves outside the rules of the moment,
//! and the totals balance after every step.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use patchbay_rules::quiet_hours::{self, QuietDecision, Window};
use serde_json::{Value, json};
use sqlx::Row;

use super::Desk;

/// A generator of small numbers (Knuth's linear congruential one), so that a failing order can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// What the test knows of the world by its own doing.
#[derive(Debug, Default)]
struct World {
    paused: bool,
    canceled: bool,
    switched_off: bool,
    hours: Option<Window>,
    budget_cents: Option<i64>,
    stopped: Vec<String>,
}

struct Sent {
    phone: String,
    zone: Tz,
    at: DateTime<Utc>,
    cost_micros: i64,
}

async fn sent_since(desk: &Desk, at: DateTime<Utc>) -> Vec<Sent> {
    let rows = sqlx::query("select to_address, state, sent_at, cost_micros from patchbay.messages m join patchbay.contacts c on c.id = m.contact_id where sent_at >= $1 and kind = 'campaign'")
        .bind(at)
        .fetch_all(&mut desk.t.sql().await)
        .await
        .unwrap();
    rows.iter()
        .map(|row| Sent {
            phone: row.get(0),
            zone: if row.get::<&str, _>(1) == "WA" { Tz::Australia__Perth } else { Tz::Australia__Sydney },
            at: row.get(2),
            cost_micros: row.get(3),
        })
        .collect()
}

#[tokio::test]
async fn no_order_of_events_sends_outside_the_rules() {
    for seed in 1..=5 {
        one_order(seed).await;
    }
}

async fn one_order(seed: u64) {
    let desk = Desk::open(40).await;
    let mut dice = Dice(seed);
    desk.t.execute("update patchbay.contacts set state = 'NSW' where right(phone_e164, 1)::int < 5").await;
    desk.at_hour(u32::try_from(dice.roll(24)).unwrap(), 15);
    desk.patch_settings(json!({ "timezone": "Australia/Perth", "rate_limit": { "per_second": 4 } })).await;
    let id = desk.launched().await;
    let mut world = World::default();
    for step in 0..60 {
        let did = act(&desk, &mut world, &mut dice, id).await;
        let spent_before = spent_today(&desk).await;
        let now = desk.t.app.now();
        desk.t.settle().await;
        desk.totals(id).await;
        let sent = sent_since(&desk, now).await;
        let story = format!("seed {seed}, step {step}, {did}: {world:?}, {} sent", sent.len());
        for message in &sent {
            assert_eq!(message.at, now, "{story}");
            assert!(!world.paused && !world.canceled && !world.switched_off, "{story}");
            assert!(!world.stopped.contains(&message.phone), "{story}");
            let open = quiet_hours::check(message.at, &[message.zone], world.hours, None);
            assert_eq!(open, QuietDecision::Open, "{story}");
        }
        let cost: i64 = sent.iter().map(|message| message.cost_micros).sum();
        if let Some(cents) = world.budget_cents.filter(|_| cost > 0) {
            assert!(spent_before + cost <= cents * 10_000, "{story}");
        }
        desk.t.clock.advance(TimeDelta::milliseconds(1));
    }
    let twice = "select count(*) from (select from patchbay.messages where campaign_id is not null group by contact_id having count(*) > 1) d";
    assert_eq!(desk.t.scalar(twice).await, 0);
    assert_eq!(
        desk.sends().await,
        desk.t.scalar("select count(*) from patchbay.messages where sent_at is not null").await
    );
}

async fn spent_today(desk: &Desk) -> i64 {
    let day = patchbay_rules::calendar::local_day(desk.t.app.now(), Tz::Australia__Perth);
    desk.t
        .scalar(&format!(
            "select coalesce(sum(cost_micros), 0) from patchbay.spend_counters where day = '{day}'"
        ))
        .await
}

/// One turn of fate; answers what it was.
async fn act(desk: &Desk, world: &mut World, dice: &mut Dice, id: uuid::Uuid) -> &'static str {
    let post = async |what: &str| {
        let path = format!("/api/campaigns/{id}/{what}");
        desk.t.api(&desk.office.key, "POST", &path, Value::Null).await.status.is_success()
    };
    match dice.roll(16) {
        0 | 1 => {
            world.paused |= post("pause").await;
            "pause"
        }
        2..=4 => {
            if post("resume").await {
                world.paused = false;
            }
            "resume"
        }
        5 => {
            world.switched_off = !world.switched_off;
            desk.patch_settings(json!({ "kill_switch": world.switched_off })).await;
            "switch"
        }
        6 => {
            world.budget_cents = (dice.roll(3) > 0).then(|| i64::try_from(dice.roll(80)).unwrap());
            desk.patch_settings(json!({ "budget": { "daily_cents": world.budget_cents } })).await;
            "budget"
        }
        7 => {
            let (from, to) = (dice.roll(24), dice.roll(23));
            let to = if to >= from { to + 1 } else { to };
            let hours = json!({ "start": format!("{from:02}:00"), "end": format!("{to:02}:00") });
            world.hours = (dice.roll(3) > 0).then(|| serde_json::from_value(hours.clone()).unwrap());
            desk.patch_settings(json!({ "quiet_hours": world.hours.map(|_| hours) })).await;
            "hours"
        }
        8 => {
            let phone = format!("+614{:08}", dice.roll(40) + 1);
            desk.stop(&phone).await;
            world.stopped.push(phone);
            "stop"
        }
        9 if dice.roll(8) == 0 => {
            world.canceled |= post("cancel").await;
            "cancel"
        }
        10 | 11 => {
            desk.t.clock.advance(TimeDelta::minutes(i64::try_from(dice.roll(600)).unwrap()));
            "hours pass"
        }
        _ => {
            desk.t.clock.advance(TimeDelta::seconds(1));
            "a second passes"
        }
    }
}
