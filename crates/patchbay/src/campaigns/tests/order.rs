//! Whatever the order of pauses, switches, budgets, hours, moves, warm-ups, lists and time: nothing leaves outside the
//! rules of the moment, whatever is held or refused is so for a reason that holds, and the totals balance after every
//! step. Twice: against what the test knows of the world by its own doing, and by asking the gates again what they say
//! of the facts as they are stored. Once everything is allowed again nobody is left behind.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    calendar,
    gates::{Gate, Verdict},
    quiet_hours::{self, QuietDecision, Window},
};
use serde_json::{Value, json};
use sqlx::Row;
use uuid::Uuid;

use super::Desk;
use crate::messaging;

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
    daily_cents: Option<i64>,
    monthly_cents: Option<i64>,
    /// The first day of the number's warm-up.
    warming_since: Option<NaiveDate>,
    per_second: u64,
    stopped: Vec<String>,
    /// Where people live: by the last digit of their number until somebody moves.
    homes: HashMap<String, Tz>,
}

/// The tenant's own zone, by which days are counted.
const OFFICE: Tz = Tz::Australia__Perth;
/// Where people may move. Its clocks change in October and April; that of Adelaide and Kathmandu is off by part of an hour.
const PLACES: [Tz; 6] = [
    Tz::Australia__Perth,
    Tz::Australia__Sydney,
    Tz::Australia__Adelaide,
    Tz::Asia__Kathmandu,
    Tz::America__Los_Angeles,
    Tz::Pacific__Kiritimati,
];
const PEOPLE: u64 = 40;

fn phone(number: u64) -> String {
    format!("+614{number:08}")
}

impl World {
    fn zone(&self, phone: &str) -> Tz {
        let by_state =
            if phone.ends_with(['0', '1', '2', '3', '4']) { Tz::Australia__Sydney } else { OFFICE };
        self.homes.get(phone).copied().unwrap_or(by_state)
    }

    fn may_leave(&self, message: &Sent) -> bool {
        let open = quiet_hours::check(message.at, &[self.zone(&message.phone)], self.hours, None);
        !self.paused
            && !self.canceled
            && !self.switched_off
            && !self.stopped.contains(&message.phone)
            && open == QuietDecision::Open
    }
}

struct Sent {
    phone: String,
    at: DateTime<Utc>,
    cost_micros: i64,
}

async fn sent_since(desk: &Desk, at: DateTime<Utc>) -> Vec<Sent> {
    let rows = sqlx::query("select to_address, sent_at, cost_micros from patchbay.messages where sent_at >= $1 and kind = 'campaign'")
        .bind(at)
        .fetch_all(&mut desk.t.sql().await)
        .await
        .unwrap();
    rows.iter().map(|row| Sent { phone: row.get(0), at: row.get(1), cost_micros: row.get(2) }).collect()
}

/// Spent on the tenant's local day, spent in its month, sent that day.
async fn spent(desk: &Desk) -> (i64, i64, i64) {
    let day = calendar::local_day(desk.t.app.now(), OFFICE);
    let month = day.with_day(1).unwrap();
    let sum = |what: &str, from: NaiveDate| {
        format!(
            "select coalesce(sum({what}), 0) from patchbay.spend_counters where day between '{from}' and '{day}'"
        )
    };
    let scalar = async |query: String| desk.t.scalar(&query).await;
    let by_number =
        format!("select coalesce(sum(messages), 0) from patchbay.send_counters where day = '{day}'");
    (scalar(sum("cost_micros", day)).await, scalar(sum("cost_micros", month)).await, scalar(by_number).await)
}

#[tokio::test]
async fn no_order_of_events_sends_outside_the_rules() {
    for seed in 1..=6 {
        one_order(seed).await;
    }
}

async fn one_order(seed: u64) {
    let desk = Desk::open(usize::try_from(PEOPLE).unwrap()).await;
    let mut dice = Dice(seed);
    desk.t.execute("update patchbay.contacts set state = 'NSW' where right(phone_e164, 1)::int < 5").await;
    begin_somewhere_in_the_year(&desk, &mut dice);
    desk.patch_settings(json!({ "timezone": OFFICE.name(), "rate_limit": { "per_second": 4 } })).await;
    let id = desk.launched().await;
    let mut world = World { per_second: 4, ..World::default() };
    for step in 0..50 {
        let did = act(&desk, &mut world, &mut dice, id).await;
        let before = spent(&desk).await;
        let now = desk.t.app.now();
        desk.t.settle().await;
        desk.totals(id).await;
        let sent = sent_since(&desk, now).await;
        let story = format!("seed {seed}, step {step}, {did} at {now}: {world:?}, {} sent", sent.len());
        assert!(sent.iter().all(|message| message.at == now && world.may_leave(message)), "{story}");
        assert!(u64::try_from(sent.len()).unwrap() <= world.per_second, "{story}");
        let cost: i64 = sent.iter().map(|message| message.cost_micros).sum();
        for (limit, spent) in [(world.daily_cents, before.0), (world.monthly_cents, before.1)] {
            assert!(cost == 0 || limit.is_none_or(|cents| spent + cost <= cents * 10_000), "{story}");
        }
        // The warmest of its days lets three hundred go, the first one fifty: more than there are people here. So a
        // number that warms up begins its day with forty-five used up.
        if world.warming_since == Some(calendar::local_day(now, OFFICE)) && !sent.is_empty() {
            assert!(before.2 + i64::try_from(sent.len()).unwrap() <= 50, "{story}");
        }
        replay(&desk, &world, &story).await;
        desk.t.clock.advance(TimeDelta::milliseconds(1));
    }
    let twice = "select count(*) from (select from patchbay.messages where campaign_id is not null group by contact_id having count(*) > 1) d";
    assert_eq!(desk.t.scalar(twice).await, 0);
    let left = "select count(*) from patchbay.messages where sent_at is not null";
    assert_eq!(desk.sends().await, desk.t.scalar(left).await);
    let gone = nobody_is_left_behind(&desk, &world, id).await;
    assert!(
        world.canceled || gone + i64::try_from(world.stopped.len()).unwrap() >= 40,
        "seed {seed}: {gone} gone"
    );
}

/// A day on which clocks change somewhere, or any other.
fn begin_somewhere_in_the_year(desk: &Desk, dice: &mut Dice) {
    let year = (desk.t.app.now() + TimeDelta::days(400)).year();
    let (month, day) =
        [(4, 1), (10, 1), (3, 6), (10, 30), (2, 27), (12, 30)][usize::try_from(dice.roll(6)).unwrap()];
    let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let hour = u32::try_from(dice.roll(24)).unwrap();
    desk.t.clock.set(Utc.from_utc_datetime(&date.and_hms_opt(hour, 15, 0).unwrap()));
}

/// Asks the gates again about every message that left at this moment, waits or was refused.
async fn replay(desk: &Desk, world: &World, story: &str) {
    let now = desk.t.app.now();
    let rows = sqlx::query(
        "select m.id, m.status, m.gate from patchbay.messages m join patchbay.campaigns g on g.tenant_id = m.tenant_id and g.id = m.campaign_id
         where m.sent_at = $1 or m.status = 'blocked' or (m.status = 'queued' and m.gate is not null and m.gate_until > $1)",
    )
    .bind(now)
    .fetch_all(&mut desk.t.sql().await)
    .await
    .unwrap();
    let mut tx = desk.t.app.db.tenant(desk.office.id).await.unwrap();
    let facts = messaging::dispatcher::facts_for(&mut tx, now).await.unwrap();
    for row in rows {
        let (id, status): (Uuid, String) = (row.get(0), row.get(1));
        let message = messaging::dispatcher::facts_of(&mut tx, id, now).await.unwrap().unwrap();
        let said = facts.explain(&message, now);
        let story =
            || format!("{story}; {status} {:?}, the gates say {said:?}", row.get::<Option<&str>, _>(2));
        match status.as_str() {
            "blocked" => {
                let gate: &str = row.get(2);
                let refuses = |(at, verdict): &(Gate, Verdict)| {
                    at.as_str() == gate && matches!(verdict, Verdict::Block { .. })
                };
                assert!(said.iter().any(refuses), "{}", story());
            }
            "queued" => {
                let gate: &str = row.get(2);
                let holds = |(at, verdict): &(Gate, Verdict)| {
                    at.as_str() == gate && !matches!(verdict, Verdict::Pass)
                };
                // Too shortly before the hours close it waits as if they had; who moved is asked again later.
                let soon = facts.explain(&message, now + TimeDelta::seconds(10));
                let moved =
                    gate == Gate::QuietHours.as_str() && world.homes.contains_key(&message.to_address);
                let fits = counts(gate) || moved || said.iter().chain(&soon).any(holds);
                assert!(fits, "{}", story());
            }
            _ => {
                let passes =
                    |(at, verdict): &(Gate, Verdict)| counts(at.as_str()) || matches!(verdict, Verdict::Pass);
                assert!(said.iter().all(passes), "{}", story());
            }
        }
    }
}

/// Gates that answer by what was sent already, which this very message has changed.
fn counts(gate: &str) -> bool {
    matches!(gate, "budget" | "rate_limit" | "warm_up")
}

/// Allows everything, lets time pass, and answers how many messages left in all.
async fn nobody_is_left_behind(desk: &Desk, world: &World, id: Uuid) -> i64 {
    let free = json!({ "kill_switch": false, "budget": null, "quiet_hours": null, "rate_limit": null });
    desk.patch_settings(free).await;
    desk.t.execute("update patchbay.senders set warmup_started_on = null").await;
    if world.paused && !world.canceled {
        desk.post(&format!("/api/campaigns/{id}/resume")).await;
    }
    for _ in 0..3 {
        desk.t.clock.advance(TimeDelta::days(1));
        desk.t.settle().await;
    }
    let campaign = desk.get(id).await;
    let over = if world.canceled { "canceled" } else { "finished" };
    assert_eq!(campaign["status"], over, "{world:?} {campaign}");
    desk.t.scalar("select count(*) from patchbay.messages where sent_at is not null").await
}

/// One turn of fate; answers what it was.
async fn act(desk: &Desk, world: &mut World, dice: &mut Dice, id: Uuid) -> &'static str {
    let post = async |what: &str| {
        let path = format!("/api/campaigns/{id}/{what}");
        desk.t.api(&desk.office.key, "POST", &path, Value::Null).await.status.is_success()
    };
    match dice.roll(22) {
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
        6 | 7 => {
            let mut cents = || (dice.roll(3) > 0).then(|| i64::try_from(dice.roll(120)).unwrap());
            (world.daily_cents, world.monthly_cents) = (cents(), cents());
            let budget = json!({ "daily_cents": world.daily_cents, "monthly_cents": world.monthly_cents });
            desk.patch_settings(json!({ "budget": budget })).await;
            "budget"
        }
        8 => {
            let (from, to) = (dice.roll(24), dice.roll(23));
            let to = if to >= from { to + 1 } else { to };
            let hours = json!({ "start": format!("{from:02}:00"), "end": format!("{to:02}:00") });
            world.hours = (dice.roll(3) > 0).then(|| serde_json::from_value(hours.clone()).unwrap());
            desk.patch_settings(json!({ "quiet_hours": world.hours.map(|_| hours) })).await;
            "hours"
        }
        9 => {
            let phone = phone(dice.roll(PEOPLE) + 1);
            desk.stop(&phone).await;
            world.stopped.push(phone);
            "stop"
        }
        10 => {
            let phone = phone(dice.roll(PEOPLE) + 1);
            let body = json!({ "phone": phone, "reason": "asked" });
            desk.t.api(&desk.office.key, "POST", "/api/do-not-contact", body).await;
            world.stopped.push(phone);
            "listed"
        }
        11..=13 => {
            let (phone, place) =
                (phone(dice.roll(PEOPLE) + 1), PLACES[usize::try_from(dice.roll(6)).unwrap()]);
            let zone = place.name();
            desk.t
                .execute(&format!(
                    "update patchbay.contacts set timezone = '{zone}' where phone_e164 = '{phone}'"
                ))
                .await;
            world.homes.insert(phone, place);
            "move"
        }
        14 => {
            let today = calendar::local_day(desk.t.app.now(), OFFICE);
            world.warming_since = (dice.roll(2) > 0).then_some(today);
            let since = world.warming_since.map_or("null".to_owned(), |day| format!("'{day}'"));
            desk.t.execute(&format!("update patchbay.senders set warmup_started_on = {since}")).await;
            desk.t.execute(&format!("insert into patchbay.send_counters (tenant_id, sender_id, day, messages) select tenant_id, id, '{today}', 45 from patchbay.senders on conflict (tenant_id, sender_id, day) do update set messages = greatest(send_counters.messages, 45)")).await;
            "warm-up"
        }
        15 => {
            world.per_second = dice.roll(6) + 1;
            desk.patch_settings(json!({ "rate_limit": { "per_second": world.per_second } })).await;
            "rate"
        }
        16 if dice.roll(10) == 0 => {
            world.canceled |= post("cancel").await;
            "cancel"
        }
        17 | 18 => {
            desk.t.clock.advance(TimeDelta::minutes(i64::try_from(dice.roll(900)).unwrap()));
            "hours pass"
        }
        _ => {
            desk.t.clock.advance(TimeDelta::seconds(1));
            "a second passes"
        }
    }
}
