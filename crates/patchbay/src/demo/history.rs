//! Sixty days of ordinary work, and quotes in every state.

use chrono::{TimeDelta, Timelike};
use chrono_tz::America;
use patchbay_rules::message::Channel;
use serde_json::{Value, json};

use super::{
    cast::{ON_STAGE, PEOPLE, Who},
    id_at,
    script::{Beat, Scene, Studio},
};

/// What people ask, and what they are answered.
const EXCHANGES: [(&str, &str); 14] = [
    ("Do you have time this week for a dripping tap?", "We do. Is Thursday morning good for you?"),
    ("The toilet runs all night", "That is the flapper, a ten-minute job. Shall we come by tomorrow?"),
    ("Can you look at our boiler before winter?", "Gladly. The yearly check is $140."),
    ("Our drain smells, what can we do?", "Pour two jugs of water into it first. If it stays, we camera it."),
    ("Are you licensed for gas?", "Yes, all three of us are."),
    ("How long does a water heater take?", "Half a day, with the old one taken away."),
    ("Could you come an hour earlier?", "No problem, see you at 8."),
    ("The leak is back :(", "I am sorry to hear that. Sam is there within the hour, at no charge."),
    ("Thanks for today, great work!", "Thank you! A review would mean a lot to us."),
    ("What do you charge for a visit?", "$89, and nothing if we do the job."),
    ("Do you work on Saturdays?", "Until 2 pm, yes."),
    ("Which faucet would you take?", "The one with the ceramic cartridge. It outlives the other by years."),
    ("Is the part in yet?", "It came this morning. Tomorrow at 10?"),
    ("Can I pay by card?", "You can, on the spot or by link."),
];

/// One exchange on most days, more on some; who fails and who reads is decided by the count, never by chance.
pub(super) fn play(studio: &mut Studio) {
    let extras = PEOPLE.len() - ON_STAGE;
    let mut beats: Vec<Vec<(i64, Beat)>> = vec![Vec::new(); extras];
    let mut count = 0_usize;
    // Minutes ago at which the business opened today.
    let open_today =
        i64::from(studio.now.with_timezone(&America::Chicago).num_seconds_from_midnight()) / 60 - 8 * 60;
    for day in (1..60_i64).rev() {
        for turn in 0..2 + usize::try_from(day % 4).unwrap_or_default() {
            count += 1;
            let with = (count * 7 + turn * 3) % extras;
            let person = &PEOPLE[ON_STAGE + with];
            if person.days_ago <= day {
                continue;
            }
            let (asked, answered) = EXCHANGES[count % EXCHANGES.len()];
            let begin =
                day * 24 * 60 + open_today - i64::try_from(turn * 97 + count % 50).unwrap_or_default();
            let pause = 2 + i64::try_from(count % 11).unwrap_or_default();
            let who = if count.is_multiple_of(3) { Who::Sam } else { Who::Rosa };
            beats[with].push((begin, Beat::In(asked)));
            beats[with].push((
                begin - pause,
                match count % 23 {
                    5 => Beat::Lost(
                        who,
                        answered,
                        "failed",
                        30006,
                        "The number is a landline or cannot be reached by its carrier.",
                    ),
                    n if n % 4 == 0 => Beat::Out(who, answered, "read"),
                    _ => Beat::Out(who, answered, "delivered"),
                },
            ));
        }
    }
    for (with, mut beats) in beats.into_iter().enumerate() {
        if beats.is_empty() {
            continue;
        }
        beats.sort_by_key(|(minutes, _)| std::cmp::Reverse(*minutes));
        let place = ON_STAGE + with;
        let scene = Scene {
            with: place,
            channel: Channel::Sms,
            status: "done",
            assignee: (with % 4 == 0).then_some(Who::Sam),
            unread: 0,
            beats: beats.leak(),
        };
        studio.play(&scene, &PEOPLE[place]);
    }
}

/// Number, for whom, days ago, state, lines, tax in basis points.
type Plan = (i32, usize, i64, &'static str, &'static [(&'static str, f64, i64)], i64);

const PLANS: &[Plan] = &[
    (1024, 15, 43, "accepted", &[("Shower valve and trim", 1.0, 38_500), ("Labour", 4.0, 9_500)], 1025),
    (1025, 19, 46, "rejected", &[("Replace faucet", 1.0, 24_000)], 1025),
    (
        1026,
        20,
        50,
        "accepted",
        &[("Burst pipe, night call", 1.0, 42_000), ("Copper, per foot", 12.0, 850)],
        1025,
    ),
    (1027, 22, 32, "accepted", &[("Bathroom rough-in", 1.0, 310_000), ("Fixtures", 1.0, 126_000)], 1025),
    (1028, 24, 28, "accepted", &[("50 gal gas heater, supply and fit", 1.0, 189_000)], 1025),
    (1029, 28, 25, "accepted", &[("Hydro jetting", 1.0, 45_000), ("Camera inspection", 1.0, 18_000)], 1025),
    (1030, 18, 36, "accepted", &[("40 gal heater, supply and fit", 1.0, 142_000)], 1025),
    (
        1031,
        10,
        27,
        "sent",
        &[("Re-pipe bungalow in PEX, 2 baths", 1.0, 780_000), ("Drywall repair", 1.0, 95_000)],
        825,
    ),
    (1032, 23, 17, "viewed", &[("Re-pipe second floor", 1.0, 310_000)], 1025),
    (1033, 17, 14, "viewed", &[("Kitchen sink and disposal", 1.0, 68_000), ("Labour", 3.0, 9_500)], 1025),
    (1034, 31, 13, "sent", &[("Grease trap, 20 gpm", 1.0, 164_000), ("Night work", 1.0, 40_000)], 1025),
    (1035, 38, 12, "viewed", &[("Tankless heater, supply and fit", 1.0, 268_000)], 1025),
    (1036, 27, 40, "expired", &[("Water softener", 1.0, 119_000)], 1025),
    (1037, 35, 35, "accepted", &[("Gas line to garage", 1.0, 86_000)], 860),
    (1038, 11, 5, "accepted", &[("Tankless heater, supply and fit", 1.0, 58_900), ("Permit", 1.0, 5_100)], 0),
    (1039, 33, 48, "accepted", &[("Wall-hung toilet", 1.0, 92_000), ("Tile repair", 1.0, 31_000)], 1025),
    (1040, 14, 2, "viewed", &[("Gas stove connection, tested", 1.0, 34_000)], 1000),
    (1041, 36, 3, "sent", &[("Drain cleaning", 1.0, 26_000)], 700),
    (1042, 0, 0, "viewed", &[("Rheem 40 gal, supply and fit", 1.0, 109_000), ("Vent kit", 1.0, 12_000)], 612),
    (1043, 1, 0, "sent", &[("Shower cartridge and copper", 1.0, 31_500), ("Labour", 2.5, 9_500)], 1025),
    (1044, 29, 0, "draft", &[("Dishwasher connection", 1.0, 22_000)], 1025),
    (1045, 25, 6, "rejected", &[("Sump pump with battery", 1.0, 118_000)], 1025),
];

/// The quotes, so that scenes can send them.
pub(super) fn quotes(studio: &mut Studio) {
    for (number, with, days, status, lines, tax) in PLANS {
        // The two of today go out while one looks; see the scenes.
        let minutes = match number {
            1042 => 31,
            1043 => 29,
            _ => days * 24 * 60 + 35,
        };
        let made = studio.now - TimeDelta::minutes(minutes) - TimeDelta::seconds(20);
        let items: Vec<Value> = lines
            .iter()
            .map(|(name, quantity, unit)| json!({ "name": name, "quantity": quantity, "unit_cents": unit }))
            .collect();
        let net: i64 = lines.iter().map(|(_, quantity, unit)| (quantity * *unit as f64).round() as i64).sum();
        let tax_cents = (net * tax + 5_000) / 10_000;
        let sent = (*status != "draft").then(|| made + TimeDelta::seconds(25));
        let viewed = matches!(*status, "viewed" | "accepted" | "rejected")
            .then(|| made + TimeDelta::minutes(if minutes < 60 { 8 } else { 190 }));
        let answered = matches!(*status, "accepted" | "rejected").then(|| made + TimeDelta::hours(5));
        let last_day = studio.now.date_naive()
            + TimeDelta::days(if *status == "expired" { -4 } else { 30 - days.min(&25) });
        let contact = studio.people[*with];
        studio.rows.quotes.push(json!({
            "id": id_at(made), "number": number, "contact_id": contact, "title": lines[0].0, "items": items, "tax_basis_points": tax,
            "tax_cents": tax_cents, "total_cents": net + tax_cents, "status": status, "held": *status == "draft", "token": token(*number, made.timestamp()),
            "owner_id": studio.members[0].1, "expires_on": last_day, "created_by_label": "Rosa Marín", "created_at": made, "sent_at": sent, "viewed_at": viewed,
            "answered_at": answered,
        }));
    }
}

/// Unguessable enough for a demo that anybody may look at.
fn token(number: i32, seed: i64) -> String {
    let id = uuid::Uuid::new_v4();
    let digits = id.as_u128() ^ (u128::from(number.unsigned_abs()) << 64) ^ u128::from(seed.unsigned_abs());
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = digits;
    (0..12)
        .map(|_| {
            let letter = ALPHABET[(rest % 62) as usize];
            rest /= 62;
            char::from(letter)
        })
        .collect()
}
