//! Whatever the order of campaigns, pauses, switches, budgets, hours, laws, moves, warm-ups, rates, STOP and START, lists
//! and time, with two dispatchers at work: nothing leaves outside the rules of the moment, whatever is held or refused is
//! so for a reason that holds, and the totals balance after every step. Twice: against what the test knows of the world
//! by its own doing ([`world`]), and by asking the gates again what they say of the facts as they are stored. Once
//! everything is allowed again nobody is left behind.
//!
//! The first orders are the same every time, the others are new; a failure names its seed, and `PATCHBAY_ORDER_SEED` runs
//! that one alone.

mod world;

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use patchbay_rules::{
    gates::{Gate, Verdict},
    message::Channel,
    quiet_hours::Window,
};
use serde_json::{Value, json};
use sqlx::Row;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::world::{FASTEST, OFFICE, Person, Sent, World};
use super::Desk;
use crate::{
    campaigns, consent,
    messaging::dispatcher,
    tests::{Node, TestApp},
    workers,
};

/// A generator of small numbers (Knuth's linear congruential one), so that a failing order can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.roll(of.len() as u64)).unwrap()]
    }
}

/// Where people may move. Its clocks change in October and April; that of Adelaide and Kathmandu is off by part of an hour.
const PLACES: [Tz; 6] = [
    Tz::Australia__Perth,
    Tz::Australia__Sydney,
    Tz::Australia__Adelaide,
    Tz::Asia__Kathmandu,
    Tz::America__Los_Angeles,
    Tz::Pacific__Kiritimati,
];

/// Beginnings of numbers with what the contact tells beside: Australians, Americans of states with laws of their own and
/// without, Canadians, Britons, and some of whom there is nothing but the number.
const HOMES: [(&str, Option<&str>, Option<&str>); 12] = [
    ("+614120000", Some("AU"), Some("WA")),
    ("+614130000", Some("AU"), Some("NSW")),
    ("+614140000", Some("AU"), None),
    ("+130555501", Some("US"), Some("FL")),
    ("+140155501", Some("US"), Some("RI")),
    ("+121555501", Some("US"), Some("PA")),
    ("+151255501", Some("US"), Some("TX")),
    ("+121255501", Some("US"), None),
    ("+141555501", None, None),
    ("+141655501", Some("CA"), Some("ON")),
    ("+160455501", None, None),
    ("+447700900", Some("GB"), None),
];
const PEOPLE: usize = 30;
const STEPS: u64 = 45;
/// Orders that are the same every time.
const SAME: u64 = 3;

fn people() -> Vec<Person> {
    let person = |n: usize| {
        let (start, country, state) = HOMES[n % HOMES.len()];
        let phone =
            if start.starts_with("+44") { format!("{start}{n:03}") } else { format!("{start}{n:02}") };
        Person { phone, email: format!("p{n}@example.com"), country, state, zone: None }
    };
    (0..PEOPLE).map(person).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_of_events_sends_outside_the_rules() {
    if let Some(seed) = std::env::var("PATCHBAY_ORDER_SEED").ok().and_then(|seed| seed.parse().ok()) {
        one_order(seed).await;
        return;
    }
    let gates: BTreeSet<String> = Gate::ALL.iter().map(|gate| gate.as_str().to_owned()).collect();
    let (began, mut met, mut sent) = (Instant::now(), BTreeSet::new(), 0);
    let news = std::iter::from_fn(|| Some(rand::random::<u64>() >> 16));
    for seed in (1..=SAME).chain(news.take(30)) {
        // The same ones, then as many as fit in the time that a suite has, then those that it takes to meet every gate.
        if seed > SAME && began.elapsed() > Duration::from_secs(18) && gates.is_subset(&met) {
            break;
        }
        let (gates, number) = one_order(seed).await;
        met.extend(gates);
        sent += number;
    }
    assert!(gates.is_subset(&met), "not every gate was met: {met:?}");
    assert!(sent > 60, "{sent} messages left");
}

/// Answers which gates held something, and how many messages left.
async fn one_order(seed: u64) -> (Vec<String>, usize) {
    let mut dice = Dice(seed);
    let (desk, mut world) = begin(&mut dice).await;
    let twin = desk.t.node().await;
    launch(&desk, &mut world, &mut dice).await;
    for step in 0..STEPS {
        let did = act(&desk, &mut world, &mut dice).await;
        settle(&desk, &twin).await;
        let now = desk.t.app.now();
        for (campaign, _) in &world.campaigns {
            desk.totals(*campaign).await;
        }
        let leaving = sent_at(&desk, &world, now).await;
        let story =
            format!("PATCHBAY_ORDER_SEED={seed}, step {step}, {did} at {now}, {} left", leaving.len());
        let wrong = world.judge(now, leaving);
        assert!(wrong.is_empty(), "{story}: {wrong:?}\n{world:?}");
        replay(&desk, &world, &story).await;
        desk.t.clock.advance(TimeDelta::milliseconds(1));
    }
    let met = "select coalesce(string_agg(distinct detail, ','), '') from patchbay.message_events where event in ('waiting', 'blocked')";
    let met = desk.t.text(met).await.split(',').map(str::to_owned).collect();
    let twice = "select count(*) from (select from patchbay.messages where campaign_id is not null group by campaign_id, contact_id having count(*) > 1) d";
    assert_eq!(desk.t.scalar(twice).await, 0);
    let left = "select count(*) from patchbay.messages where sent_at is not null";
    assert_eq!(desk.sends().await, desk.t.scalar(left).await);
    assert_eq!(world.sent.len(), usize::try_from(desk.sends().await).unwrap(), "all that left was judged");
    let number = world.sent.len();
    nobody_is_left_behind(&desk, &twin, &mut world, seed).await;
    (met, number)
}

/// A business with people everywhere, two numbers and an address, on some day of the year.
async fn begin(dice: &mut Dice) -> (Desk, World) {
    let desk = Desk::with(TestApp::with_env(&[("PATCHBAY_SHORT_DOMAIN", "pb.example")]).await, 0).await;
    let tenant = desk.office.id;
    for (channel, address) in
        [("sms", "+15005550010"), ("whatsapp", "+15005550006"), ("email", "office@example.com")]
    {
        desk.t
            .execute(&format!("insert into patchbay.senders (tenant_id, channel, address, provider) values ('{tenant}', '{channel}', '{address}', 'fake')"))
            .await;
    }
    let people = people();
    for (n, person) in people.iter().enumerate() {
        let text = |value: Option<&str>| value.map_or("null".to_owned(), |value| format!("'{value}'"));
        desk.t
            .execute(&format!(
                "insert into patchbay.contacts (tenant_id, first_name, phone_e164, email, country, state) values ('{tenant}', 'P{n}', '{}', '{}', {}, {});
                 insert into patchbay.consents (tenant_id, channel, address, state, how) values
                   ('{tenant}', 'sms', '{0}', 'subscribed', 'form'), ('{tenant}', 'whatsapp', '{0}', 'subscribed', 'form'), ('{tenant}', 'email', '{1}', 'subscribed', 'form')",
                person.phone, person.email, text(person.country), text(person.state)
            ))
            .await;
    }
    let year = (desk.t.app.now() + TimeDelta::days(400)).year();
    // Days on which clocks change somewhere, on the eve of holidays, or any other.
    let (month, day) = dice.pick(&[
        (4, 1),
        (10, 1),
        (3, 6),
        (10, 30),
        (2, 26),
        (12, 30),
        (12, 23),
        (7, 2),
        (11, 23),
        (5, 12),
        (8, 18),
    ]);
    let date = NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let hour = u32::try_from(dice.roll(24)).unwrap();
    desk.t.clock.set(Utc.from_utc_datetime(&date.and_hms_opt(hour, 15, 0).unwrap()));
    desk.patch_settings(json!({ "timezone": OFFICE.name(), "rate_limit": { "per_second": 4 }, "country_rules": true, "suppression_days": 1,
        "brake": { "opt_out_percent": null, "failure_percent": null, "filtered_percent": null } })).await;
    let world = World {
        people,
        country_rules: true,
        holiday_rules: true,
        suppression_days: 1,
        per_second: 4.0,
        ..World::default()
    };
    (desk, world)
}

/// Two dispatchers at once, as long as there is anything to do.
async fn settle(desk: &Desk, twin: &Node) {
    let engine = workers::engine(&desk.t.app, patchbay_outbox::Options::default());
    loop {
        let mut done = usize::try_from(campaigns::jobs::once(&desk.t.app).await.unwrap()).unwrap();
        let other = twin.app.clone();
        let other = twin.start(async move { dispatcher::run_once(&other).await.unwrap() });
        let (one, other) = tokio::join!(dispatcher::run_once(&desk.t.app), other);
        done += one.unwrap() + other.unwrap();
        done += desk.t.receipts().await;
        done += engine.run_once(&CancellationToken::new()).await.unwrap();
        if done == 0 {
            return;
        }
    }
}

async fn sent_at(desk: &Desk, world: &World, at: DateTime<Utc>) -> Vec<Sent> {
    let query =
        "select id, campaign_id, channel, sender_id, to_address, cost_micros, sent_at from patchbay.messages
        where sent_at >= $1 and kind = 'campaign'";
    let rows = sqlx::query(query).bind(at).fetch_all(&mut desk.t.sql().await).await.unwrap();
    rows.iter()
        .map(|row| {
            let (channel, address): (String, &str) = (row.get("channel"), row.get("to_address"));
            Sent {
                id: row.get("id"),
                person: world.people.iter().position(|person| person.address(&channel) == address).unwrap(),
                campaign: row.get("campaign_id"),
                sender: row.get("sender_id"),
                at: row.get("sent_at"),
                cost_micros: row.get("cost_micros"),
                channel,
            }
        })
        .collect()
}

/// Asks the gates again about every message that left at this moment, waits, or was refused at this moment.
async fn replay(desk: &Desk, world: &World, story: &str) {
    let now = desk.t.app.now();
    let rows = sqlx::query(
        "select m.id, m.status, m.gate from patchbay.messages m where m.campaign_id is not null and (m.sent_at = $1
           or (m.status = 'blocked' and exists (select from patchbay.message_events e where e.tenant_id = m.tenant_id and e.message_id = m.id and e.event = 'blocked' and e.at = $1))
           or (m.status = 'queued' and m.gate is not null and m.gate_until > $1))",
    )
    .bind(now)
    .fetch_all(&mut desk.t.sql().await)
    .await
    .unwrap();
    let mut tx = desk.t.app.db.tenant(desk.office.id).await.unwrap();
    let facts = dispatcher::facts_for(&mut tx, now).await.unwrap();
    for row in rows {
        let (id, status): (Uuid, String) = (row.get(0), row.get(1));
        let message = dispatcher::facts_of(&mut tx, id, now).await.unwrap().unwrap();
        let said = facts.explain(&message, now);
        let story =
            || format!("{story}; {status} {:?}, the gates say {said:?}", row.get::<Option<&str>, _>(2));
        let objects = |gate: &str, never: bool| {
            let fits =
                |verdict: &Verdict| matches!(verdict, Verdict::Block { .. }) == never && !verdict.is_pass();
            said.iter().any(|(at, verdict)| at.as_str() == gate && fits(verdict))
        };
        match status.as_str() {
            "blocked" => assert!(objects(row.get(2), true), "{}", story()),
            "queued" => {
                let gate: &str = row.get(2);
                // Too shortly before the hours close it waits as if they had; who moved is asked again later.
                let soon = facts.explain(&message, now + TimeDelta::seconds(10));
                let closing = soon.iter().any(|(at, verdict)| at.as_str() == gate && !verdict.is_pass());
                let moved = gate == Gate::QuietHours.as_str()
                    && world
                        .people
                        .iter()
                        .any(|p| p.zone.is_some() && [&p.phone, &p.email].contains(&&message.to_address));
                assert!(counts(gate) || moved || closing || objects(gate, false), "{}", story());
            }
            _ => {
                let passes = |(at, verdict): &(Gate, Verdict)| counts(at.as_str()) || verdict.is_pass();
                assert!(said.iter().all(passes), "{}", story());
            }
        }
    }
}

/// Gates that answer by what was sent already, which this very message, or a change of the limit, has changed.
fn counts(gate: &str) -> bool {
    matches!(gate, "budget" | "rate_limit" | "warm_up" | "suppression_window")
}

/// Allows everything and lets time pass: every campaign ends.
async fn nobody_is_left_behind(desk: &Desk, twin: &Node, world: &mut World, seed: u64) {
    let free = json!({ "kill_switch": false, "budget": null, "quiet_hours": null, "rate_limit": null, "country_rules": false });
    desk.patch_settings(free).await;
    desk.t.execute("update patchbay.senders set warmup_started_on = null, rate_per_second = null").await;
    for campaign in world.paused.difference(&world.canceled) {
        desk.post(&format!("/api/campaigns/{campaign}/resume")).await;
    }
    for _ in 0..3 {
        desk.t.clock.advance(TimeDelta::days(1));
        settle(desk, twin).await;
    }
    for (id, _) in &world.campaigns {
        let campaign = desk.get(*id).await;
        let over = if world.canceled.contains(id) { "canceled" } else { "finished" };
        assert_eq!(campaign["status"], over, "PATCHBAY_ORDER_SEED={seed} {campaign}");
    }
    assert_eq!(
        desk.sends().await,
        desk.t.scalar("select count(*) from patchbay.messages where sent_at is not null").await
    );
}

/// One more campaign, to everybody.
async fn launch(desk: &Desk, world: &mut World, dice: &mut Dice) {
    let channel = dice.pick(&["sms", "sms", "sms", "whatsapp", "email"]);
    let words = match channel {
        "sms" => json!({ "content": "Hi {{ first_name }}, spring sale this week." }),
        "whatsapp" => {
            json!({ "channel": "whatsapp", "content": "Hi {{ first_name }}", "content_sid": format!("HX{}", "a".repeat(32)), "content_variables": { "1": "{{ first_name }}" } })
        }
        _ => {
            json!({ "channel": "email", "subject": "News", "content": "Hi {{ first_name }}, spring has come." })
        }
    };
    let mut words = words;
    words["name"] = format!("T{}", desk.t.id().simple()).into();
    let template = desk.t.api(&desk.office.key, "POST", "/api/templates", words).await.expect(201).json();
    let senders = senders(desk, channel).await;
    let draft =
        json!({ "channel": channel, "template_ids": [template["id"]], "sender_id": dice.pick(&senders) });
    let id = desk.draft(draft).await;
    desk.post(&format!("/api/campaigns/{id}/launch")).await;
    world.campaigns.push((id, channel));
}

async fn senders(desk: &Desk, channel: &str) -> Vec<Uuid> {
    sqlx::query_scalar("select id from patchbay.senders where channel = $1 order by id")
        .bind(channel)
        .fetch_all(&mut desk.t.sql().await)
        .await
        .unwrap()
}

/// One turn of fate; answers what it was.
async fn act(desk: &Desk, world: &mut World, dice: &mut Dice) -> &'static str {
    let campaign = dice.pick(&world.campaigns).0;
    let post = async |what: &str| {
        let path = format!("/api/campaigns/{campaign}/{what}");
        desk.t.api(&desk.office.key, "POST", &path, Value::Null).await.status.is_success()
    };
    match dice.roll(32) {
        0 | 1 => {
            if post("pause").await {
                world.paused.insert(campaign);
            }
            "pause"
        }
        2..=4 => {
            if post("resume").await {
                world.paused.remove(&campaign);
            }
            "resume"
        }
        5 => {
            world.switched_off = !world.switched_off;
            desk.patch_settings(json!({ "kill_switch": world.switched_off })).await;
            "switch"
        }
        6 | 7 => {
            let mut cents = || (dice.roll(3) > 0).then(|| i64::try_from(dice.roll(160)).unwrap());
            (world.daily_cents, world.monthly_cents) = (cents(), cents());
            let budget = json!({ "daily_cents": world.daily_cents, "monthly_cents": world.monthly_cents });
            desk.patch_settings(json!({ "budget": budget })).await;
            "budget"
        }
        8 => hours(desk, world, dice).await,
        9..=11 => stop_or_start(desk, world, dice).await,
        12 => {
            let person = dice.roll(PEOPLE as u64) as usize;
            let body = json!({ "phone": world.people[person].phone, "reason": "asked" });
            let reply = desk.t.api(&desk.office.key, "POST", "/api/do-not-contact", body).await;
            // Who is on it already stays there for the reason that was first.
            if reply.status.is_success() && !world.asked.contains(&person) {
                world.listed.insert(person);
            }
            "listed"
        }
        13 | 14 => {
            let (person, place) = (dice.roll(PEOPLE as u64) as usize, dice.pick(&PLACES));
            world.people[person].zone = Some(place);
            let (zone, phone) = (place.name(), &world.people[person].phone);
            desk.t
                .execute(&format!(
                    "update patchbay.contacts set timezone = '{zone}' where phone_e164 = '{phone}'"
                ))
                .await;
            "move"
        }
        15 | 16 | 29 | 30 => warm_up(desk, world, dice).await,
        17 => {
            world.per_second = (dice.roll(FASTEST as u64) + 1) as f64;
            desk.patch_settings(json!({ "rate_limit": { "per_second": world.per_second as i64 } })).await;
            "rate"
        }
        18 => {
            let (sender, rate) = (dice.pick(&senders(desk, "sms").await), (dice.roll(3) + 1) as f64);
            world.rates.insert(sender, rate);
            desk.t
                .execute(&format!(
                    "update patchbay.senders set rate_per_second = {rate} where id = '{sender}'"
                ))
                .await;
            "rate of a number"
        }
        19 if dice.roll(5) == 0 => {
            if post("cancel").await {
                world.canceled.insert(campaign);
            }
            "cancel"
        }
        20 => {
            (world.country_rules, world.holiday_rules) = (dice.roll(3) > 0, dice.roll(3) > 0);
            let laws = json!({ "country_rules": world.country_rules, "holiday_rules": world.holiday_rules });
            desk.patch_settings(laws).await;
            "laws"
        }
        21 => {
            world.suppression_days = dice.pick(&[0, 0, 1, 90]);
            desk.patch_settings(json!({ "suppression_days": world.suppression_days })).await;
            "suppression"
        }
        22..=24 if world.campaigns.len() < 8 => {
            launch(desk, world, dice).await;
            "launch"
        }
        25 | 26 => {
            desk.t.clock.advance(TimeDelta::minutes(i64::try_from(dice.roll(900)).unwrap()));
            "hours pass"
        }
        27 | 28 => {
            // Noon in Chicago, or morning in Sydney.
            let hour = dice.pick(&[18, 1]);
            let tomorrow = desk.t.app.now().date_naive().succ_opt().unwrap();
            desk.t.clock.set(Utc.from_utc_datetime(&tomorrow.and_hms_opt(hour, 5, 0).unwrap()));
            "a day comes"
        }
        _ => {
            desk.t.clock.advance(TimeDelta::seconds(1));
            "a second passes"
        }
    }
}

async fn hours(desk: &Desk, world: &mut World, dice: &mut Dice) -> &'static str {
    let (from, to) = (dice.roll(24), dice.roll(23));
    let to = if to >= from { to + 1 } else { to };
    let hours = json!({ "start": format!("{from:02}:00"), "end": format!("{to:02}:00") });
    world.hours = (dice.roll(3) > 0).then(|| serde_json::from_value::<Window>(hours.clone()).unwrap());
    desk.patch_settings(json!({ "quiet_hours": world.hours.map(|_| hours) })).await;
    "hours"
}

/// Somebody opts out on a channel, or back in.
async fn stop_or_start(desk: &Desk, world: &mut World, dice: &mut Dice) -> &'static str {
    let (person, channel) =
        (dice.roll(PEOPLE as u64) as usize, dice.pick(&["sms", "sms", "whatsapp", "email"]));
    let starts = dice.roll(3) == 0;
    let state = if starts { consent::State::Subscribed } else { consent::State::Unsubscribed };
    let address = world.people[person].address(channel).to_owned();
    let mut tx = desk.t.app.db.tenant(desk.office.id).await.unwrap();
    let known: Channel = channel.parse().unwrap();
    let how = if channel == "email" { "link" } else { "keyword" };
    let change = consent::Change::new(known, &address, state, how, desk.t.app.now());
    consent::set(&mut tx, &change).await.unwrap();
    tx.commit().await.unwrap();
    if starts {
        world.stopped.remove(&(person, channel));
        if channel != "email" {
            world.asked.remove(&person);
        }
        return "start";
    }
    world.stopped.insert((person, channel));
    if channel != "email" && !world.listed.contains(&person) {
        world.asked.insert(person);
    }
    "stop"
}

/// A number begins to warm up, needs no warm-up any more, or, being in the midst of it, has been used by others: the caps
/// are more than there are people here, so a number has all but a few used up.
async fn warm_up(desk: &Desk, world: &mut World, dice: &mut Dice) -> &'static str {
    let sender = dice.pick(&senders(desk, "sms").await);
    let today = World::today(desk.t.app.now());
    match dice.roll(4) {
        0 => {
            world.warming.remove(&sender);
            desk.t
                .execute(&format!(
                    "update patchbay.senders set warmup_started_on = null where id = '{sender}'"
                ))
                .await;
            return "warm-up ends";
        }
        1 | 2 => {
            let since = today - TimeDelta::days(i64::try_from(dice.roll(5)).unwrap());
            world.warming.insert(sender, since);
            desk.t
                .execute(&format!(
                    "update patchbay.senders set warmup_started_on = '{since}' where id = '{sender}'"
                ))
                .await;
            for day in since.iter_days().take_while(|day| *day < today) {
                if world.used(sender, day) == 0 {
                    use_up(desk, world, sender, day, 1).await;
                }
            }
        }
        _ => {}
    }
    if let Some(cap) = world.cap(sender, today) {
        use_up(desk, world, sender, today, cap - 1 - i64::try_from(dice.roll(4)).unwrap()).await;
    }
    "warm-up"
}

/// By others, so that on `day` it was used at least `most` times.
async fn use_up(desk: &Desk, world: &mut World, sender: Uuid, day: NaiveDate, most: i64) {
    let more = (most - world.used(sender, day)).max(0);
    *world.used.entry((sender, day)).or_default() += more;
    desk.t
        .execute(&format!(
            "insert into patchbay.send_counters (tenant_id, sender_id, day, messages) values ('{}', '{sender}', '{day}', {more})
             on conflict (tenant_id, sender_id, day) do update set messages = send_counters.messages + {more}",
            desk.office.id
        ))
        .await;
}
