//! The demo's two businesses.

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::{America, Australia, Tz};
use patchbay_rules::{
    gates::Reason,
    message::Channel,
    quiet_hours::{self, QuietDecision, Window},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    cast::{PEOPLE, Person, Who},
    history,
    hours::{QUIET, hour},
    id_at, outreach,
    scenes::SCENES,
    script::{Beat, Scene, Studio},
    sql,
};
use crate::{db::SystemTx, error::Result, messaging::compose, templates};

const STAGES: [(&str, &str); 5] =
    [("New", "open"), ("Contacted", "open"), ("Quoted", "open"), ("Won", "won"), ("Lost", "lost")];
const LABELS: [&str; 14] = [
    "water heater",
    "gas",
    "garage",
    "bathroom",
    "drain",
    "kitchen",
    "commercial",
    "repeat customer",
    "emergency",
    "estimate only",
    "re-pipe",
    "sump pump",
    "warranty",
    "VIP",
];
const ZONE: Tz = America::Chicago;
/// Someone who is asleep when Chicago works.
const FAR_AWAY: usize = 40;

/// Brightside Plumbing of Chicago; `false` when it is there already.
pub(super) async fn brightside(tx: &mut SystemTx, now: DateTime<Utc>) -> Result<bool> {
    // A newcomer's first quote should be texted at any hour; the usual quiet hours are on while they hold nothing.
    let working = (9..20).contains(&now.with_timezone(&ZONE).hour());
    let quiet = working.then(|| Window { start: hour(QUIET.0), end: hour(QUIET.1) });
    let tenant = sql::Tenant {
        id: id_at(now - TimeDelta::days(61)),
        name: "Brightside Plumbing",
        slug: "brightside",
        timezone: ZONE.name(),
        support_contact: "+1 312 555 0100",
        quiet: quiet.map(|window| (window.start, window.end)),
        next_quote_number: 1046,
        created_at: now - TimeDelta::days(61),
    };
    if !sql::insert_tenant(tx, &tenant).await? {
        return Ok(false);
    }
    let id = tenant.id;
    let members =
        hire(tx, id, &[(Who::Rosa, "owner"), (Who::Sam, "member"), (Who::Kim, "viewer")], tenant.created_at)
            .await?;
    let [(_, rosa), (_, sam), (_, kim)] = members[..] else { return Ok(false) };
    let mut studio = Studio::new(
        now,
        ZONE,
        [(Who::Rosa, rosa), (Who::Sam, sam), (Who::Kim, kim)],
        "+13125550100",
        "hello@brightside.example",
    );
    let stages = furnish(tx, id, &studio, tenant.created_at).await?;
    let labels: Vec<(&str, Uuid)> = LABELS.iter().map(|name| (*name, id_at(tenant.created_at))).collect();
    sql::insert_labels(
        tx,
        id,
        &labels.iter().map(|(name, id)| json!({ "id": id, "name": name })).collect::<Vec<_>>(),
        tenant.created_at,
    )
    .await?;
    sql::insert_custom_fields(tx, id, &custom_fields(tenant.created_at)).await?;
    let stage =
        |name: &str| stages.iter().find(|(stage, _)| *stage == name).map(|(_, id)| *id).unwrap_or_default();
    for (place, person) in PEOPLE.iter().enumerate() {
        studio.cast(person, stage(person.stage), &labels, place);
    }
    let far = far_away();
    studio.cast(&far, stage(far.stage), &labels, FAR_AWAY);
    history::quotes(&mut studio);
    history::play(&mut studio);
    for scene in SCENES {
        studio.play(scene, &PEOPLE[scene.with]);
    }
    waiting(&mut studio, &far, quiet, now);
    sql::insert_rows(tx, id, &studio.rows, now).await?;
    outreach::reach_out(tx, id, now).await?;
    sql::follow(tx, id).await?;
    Ok(true)
}

async fn hire(
    tx: &mut SystemTx,
    tenant: Uuid,
    roles: &[(Who, &'static str)],
    since: DateTime<Utc>,
) -> Result<Vec<(Who, Uuid)>> {
    let rows: Vec<Value> =
        roles.iter().map(|(who, role)| json!({ "id": id_at(since), "email": who.email(), "name": who.name(), "role": role })).collect();
    let ids = sql::insert_members(tx, tenant, &rows, since).await?;
    Ok(roles
        .iter()
        .filter_map(|(who, _)| Some((*who, ids.iter().find(|(email, _)| email == who.email())?.1)))
        .collect())
}

/// Stages, templates and senders; answers the stages.
async fn furnish(
    tx: &mut SystemTx,
    tenant: Uuid,
    studio: &Studio,
    at: DateTime<Utc>,
) -> Result<Vec<(&'static str, Uuid)>> {
    let stages: Vec<(&str, Uuid)> = STAGES.iter().map(|(name, _)| (*name, id_at(at))).collect();
    let rows: Vec<Value> = stages
        .iter()
        .zip(STAGES)
        .enumerate()
        .map(|(position, ((name, id), (_, kind)))| json!({ "id": id, "name": name, "kind": kind, "position": position + 1 }))
        .collect();
    sql::insert_stages(tx, tenant, &rows, at).await?;
    let born = templates::defaults().iter().map(|one| {
        json!({ "id": id_at(at), "key": one.key, "name": one.name, "channel": one.channel.as_str(), "subject": one.subject, "content": one.content })
    });
    let own = OWN_TEMPLATES.iter().map(|(key, name, channel, content, sid)| {
        json!({ "id": id_at(at), "key": key, "name": name, "channel": channel, "content": content, "content_sid": sid })
    });
    sql::insert_templates(tx, tenant, &born.chain(own).collect::<Vec<_>>(), at).await?;
    let senders = [
        json!({ "id": id_at(at), "channel": "sms", "address": studio.sms_from, "label": "Main number" }),
        json!({ "id": id_at(at), "channel": "whatsapp", "address": studio.sms_from, "label": "Main number" }),
        json!({ "id": id_at(at), "channel": "email", "address": studio.email_from, "label": "Office" }),
    ];
    sql::insert_senders(tx, tenant, &senders, at).await?;
    Ok(stages)
}

type OwnTemplate = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>);
const OWN_TEMPLATES: [OwnTemplate; 4] = [
    (
        "booked",
        "Visit booked",
        "sms",
        "Hi {{ first_name | default(\"there\") }}, your visit is booked. Sam will text you when he is on the way.",
        None,
    ),
    (
        "on_the_way",
        "On the way",
        "sms",
        "Hi {{ first_name | default(\"there\") }}, Sam from {{ business_name }} is on the way and will be there in about 30 minutes.",
        None,
    ),
    (
        "review",
        "Ask for a review",
        "sms",
        "Thanks for choosing {{ business_name }}, {{ first_name | default(\"neighbour\") }}! Would you leave us a review?",
        None,
    ),
    (
        "wa_follow_up",
        "WhatsApp: shall we come by?",
        "whatsapp",
        "Hi {{ first_name | default(\"there\") }}, shall we come by this week? {{ business_name }}",
        Some("HX0f3d1c2b4a5968778695a4b3c2d1e0f9"),
    ),
];

fn custom_fields(at: DateTime<Utc>) -> Vec<Value> {
    [
        ("suburb", "Suburb", "text", json!([])),
        ("property", "Property", "select", json!(["House", "Apartment", "Commercial"])),
        ("tank", "Tank", "text", json!([])),
        ("company", "Company", "text", json!([])),
        ("language", "Language", "text", json!([])),
    ]
    .into_iter()
    .enumerate()
    .map(|(position, (key, label, kind, options))| json!({ "id": id_at(at), "key": key, "label": label, "type": kind, "options": options, "position": position, "created_at": at }))
    .collect()
}

fn far_away() -> Person {
    Person {
        first: "Elliot",
        last: "Marsh",
        phone: "+61491570110",
        email: "elliot.marsh@example.com",
        zone: Australia::Perth.name(),
        stage: "Contacted",
        source: "Website form",
        labels: &["water heater"],
        fields: &[("suburb", "Cottesloe")],
        agreed: true,
        days_ago: 2,
    }
}

/// A message that has not left: held where people sleep if quiet hours are on, else meant for tomorrow morning.
fn waiting(studio: &mut Studio, far: &Person, quiet: Option<Window>, now: DateTime<Utc>) {
    const BEATS: &[(i64, Beat)] = &[
        (26 * 60, Beat::In("Hot water takes ten minutes to arrive upstairs. Can that be fixed?")),
        (
            26 * 60 - 17,
            Beat::Out(
                Who::Sam,
                "Hi Elliot, a small recirculation pump does it. About two hours of work.",
                "delivered",
            ),
        ),
        (11 * 60, Beat::In("Sounds good, when?")),
        (
            11 * 60 - 6,
            Beat::Out(Who::Sam, "Tomorrow first thing? I send you a reminder with the time.", "delivered"),
        ),
    ];
    let scene = Scene {
        with: FAR_AWAY,
        channel: Channel::Sms,
        status: "open",
        assignee: Some(Who::Sam),
        unread: 0,
        beats: BEATS,
    };
    studio.play(&scene, far);
    let zone = Australia::Perth;
    let text = "Booked: tomorrow between 8:00 and 10:00. Sam will text you when he is on the way.";
    match quiet_hours::check(now, &[zone], quiet, None) {
        QuietDecision::Quiet { until, zone } => {
            let reason = serde_json::to_value(Reason::QuietHours { zone, holiday: None, law: None })
                .unwrap_or_default();
            studio.hold(FAR_AWAY, far, text, until, Some(reason));
        }
        QuietDecision::Open => {
            let tomorrow: NaiveDate = now.with_timezone(&zone).date_naive() + TimeDelta::days(1);
            let next = if tomorrow.weekday() == chrono::Weekday::Sun {
                tomorrow + TimeDelta::days(1)
            } else {
                tomorrow
            };
            studio.hold(FAR_AWAY, far, text, compose::instant(next.and_time(hour(9)), zone), None);
        }
    }
}

/// A small second business, for the switcher.
pub(super) async fn harbour(tx: &mut SystemTx, now: DateTime<Utc>) -> Result<()> {
    const PEOPLE: [(&str, &str, &str); 4] = [
        ("Nora", "Bennett", "+12125550141"),
        ("Theo", "Vasquez", "+12125550158"),
        ("Ivy", "Chambers", "+16465550113"),
        ("Raj", "Malhotra", "+19175550126"),
    ];
    const TALK: [&[(i64, Beat)]; 2] = [
        &[
            (3 * 60, Beat::In("Hi, I saw the opening for a night-shift nurse. Is it still free?")),
            (3 * 60 - 5, Beat::Out(Who::Rosa, "Hi Nora, it is. Could we talk tomorrow at 10?", "delivered")),
            (52, Beat::In("10 works, thank you")),
        ],
        &[
            (
                2 * 24 * 60,
                Beat::Out(
                    Who::Rosa,
                    "Hi Theo, your interview is on Monday at 14:00, third floor.",
                    "delivered",
                ),
            ),
            (2 * 24 * 60 - 30, Beat::In("Got it, see you there")),
        ],
    ];
    let since = now - TimeDelta::days(20);
    let tenant = sql::Tenant {
        id: id_at(since),
        name: "Harbour Recruiting",
        slug: "harbour",
        timezone: America::New_York.name(),
        support_contact: "+1 212 555 0100",
        quiet: None,
        next_quote_number: 1001,
        created_at: since,
    };
    if !sql::insert_tenant(tx, &tenant).await? {
        return Ok(());
    }
    let members = hire(tx, tenant.id, &[(Who::Rosa, "owner")], since).await?;
    let Some((_, rosa)) = members.first().copied() else { return Ok(()) };
    let mut studio = Studio::new(
        now,
        America::New_York,
        [(Who::Rosa, rosa), (Who::Sam, rosa), (Who::Kim, rosa)],
        "+12125550100",
        "talent@harbour.example",
    );
    let stages = furnish(tx, tenant.id, &studio, since).await?;
    let cast: Vec<Person> = PEOPLE
        .iter()
        .zip([0, 2, 5, 9])
        .map(|((first, last, phone), days_ago)| Person {
            first,
            last,
            phone,
            email: "",
            zone: "",
            stage: "Contacted",
            source: "Job board",
            labels: &[],
            fields: &[],
            agreed: true,
            days_ago: days_ago + 1,
        })
        .collect();
    for (place, person) in cast.iter().enumerate() {
        studio.cast(person, stages[1].1, &[], place);
    }
    for (with, beats) in TALK.iter().enumerate() {
        let unread = i32::from(with == 0);
        studio.play(
            &Scene { with, channel: Channel::Sms, status: "open", assignee: None, unread, beats },
            &cast[with],
        );
    }
    sql::insert_rows(tx, tenant.id, &studio.rows, now).await?;
    sql::follow(tx, tenant.id).await
}
