//! What the demo's business has written to many: segments, a campaign that is over, one that stopped itself, one under
//! way, and one that waits to be checked and launched.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::America;
use patchbay_rules::{
    gates::{OptOutSource, Reason},
    message::Channel,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{hours, id_at, sql};
use crate::{db::SystemTx, error::Result, messaging};

/// When the finished campaign went out.
const DAYS_AGO: i64 = 16;
const GAS: &str = "Brightside Plumbing: it is gas safety week. Have your lines tested for free until Friday. Reply STOP to opt out.";
const WELCOME: &str = "Brightside Plumbing: thank you for getting in touch. Keep this number: we answer texts day and night. Reply STOP to opt out.";
const TEXT: &str = "Brightside Plumbing: winter is hard on old water heaters. Book a check-up before December and the visit is on us. Reply STOP to opt out.";

/// Writes it all for the contacts there are.
pub(super) async fn reach_out(tx: &mut SystemTx, tenant: Uuid, now: DateTime<Utc>) -> Result<()> {
    let launched = |ago: TimeDelta| hours::launched(now - ago, "US", America::Chicago);
    let at = launched(TimeDelta::days(DAYS_AGO));
    let (stopped_at, running_at) = (launched(STOPPED), launched(RUNNING));
    let is = |field: &str, value: &str| json!({ "field": field, "op": "is", "value": value });
    let heaters = id_at(at - TimeDelta::hours(3));
    let open = id_at(at - TimeDelta::hours(2));
    let segments = [
        (
            heaters,
            "Water heaters",
            json!({ "all": [is("label", "water heater"), is("consent.sms", "subscribed")] }),
        ),
        (
            open,
            "Quoted, no answer yet",
            json!({ "all": [is("stage", "Quoted"), { "field": "quote.status", "op": "in", "value": ["sent", "viewed"] }, { "not": { "field": "last_replied_at", "op": "after", "value": "-3d" } }] }),
        ),
        (
            id_at(at - TimeDelta::hours(1)),
            "From the website, this month",
            json!({ "all": [is("source", "Website form"), { "field": "created_at", "op": "after", "value": "-30d" }] }),
        ),
    ];
    let rows: Vec<Value> = segments
        .iter()
        .map(|(id, name, filter)| json!({ "id": id, "name": name, "filter": filter }))
        .collect();
    sql::insert_segments(tx, tenant, &rows, at).await?;
    let template = id_at(at - TimeDelta::hours(4));
    let words = json!({ "id": template, "key": "winter_checkup", "name": "Winter check-up", "channel": "sms",
        "content": "Brightside Plumbing: winter is hard on old water heaters. Book a check-up before December and the visit is on us." });
    let (reminder, question, welcome) =
        (id_at(at - TimeDelta::hours(5)), id_at(at - TimeDelta::hours(6)), id_at(at - TimeDelta::hours(7)));
    let texts = [
        words,
        json!({ "id": reminder, "key": "quote_question", "name": "A question about your quote", "channel": "sms",
            "content": "Hi {{ first_name | default(\"there\") }}, did you have time to look at our quote? Reply here with any question. Brightside Plumbing" }),
        json!({ "id": question, "key": "gas_safety", "name": "Gas safety week", "channel": "sms", "content": GAS }),
        json!({ "id": welcome, "key": "welcome", "name": "Welcome", "channel": "sms", "content": WELCOME }),
    ];
    sql::insert_templates(tx, tenant, &texts, at).await?;
    sql::set_limits(tx, tenant).await?;
    let people = sql::list_reachable(tx, tenant, at).await?;
    let (over, stopped, running) = (id_at(at), id_at(stopped_at), id_at(running_at));
    let newcomers: Vec<sql::Reachable> = sql::list_reachable(tx, tenant, running_at)
        .await?
        .into_iter()
        .filter(|person| people.iter().all(|known| known.id != person.id))
        .collect();
    let shares = [
        (over, recipients(over, template, &people, |place, person| finished(place, person, at))),
        (
            stopped,
            recipients(stopped, question, &people, |place, person| filtered(place, person, stopped_at, now)),
        ),
        (
            running,
            recipients(running, welcome, &newcomers, |place, person| {
                under_way(place, person, running_at, now)
            }),
        ),
    ];
    let sent = shares[1].1.iter().filter(|row| !row["sent_at"].is_null()).count();
    let campaigns = [
        json!({ "id": over, "name": "Winter check-up", "template_ids": [template], "status": "finished", "launched_at": at, "finished_at": at + TimeDelta::days(3) }),
        json!({ "id": stopped, "name": "Gas safety week", "template_ids": [question], "status": "paused", "launched_at": stopped_at,
            "paused_at": stopped_at + TimeDelta::minutes(6), "paused_by": "Patchbay",
            "pause_reason": { "code": "brake", "rate": "filtered", "count": FILTERED.len(), "of": sent, "limit_permille": 10 } }),
        json!({ "id": running, "name": "Welcome, newcomers", "template_ids": [welcome], "status": "running", "launched_at": running_at,
            "scheduled_at": running_at, "in_recipient_zone": true }),
        json!({ "id": id_at(now - TimeDelta::minutes(20)), "name": "Quotes that wait for an answer", "segment_id": open, "template_ids": [reminder], "status": "draft" }),
    ];
    sql::insert_campaigns(tx, tenant, &campaigns).await?;
    // Three campaigns.
    for (campaign, messages) in shares {
        sql::insert_campaign_messages(tx, tenant, campaign, &messages).await?;
    }
    Ok(())
}

/// When the one that stopped itself went out, and the one under way.
const STOPPED: TimeDelta = TimeDelta::hours(26);
const RUNNING: TimeDelta = TimeDelta::minutes(50);
/// Whose carrier took it for spam.
const FILTERED: [usize; 2] = [3, 9];

/// The recipients of a campaign, each with what became of them; without a status their turn has not come.
fn recipients(
    campaign: Uuid,
    template: Uuid,
    people: &[sql::Reachable],
    fate: impl Fn(usize, &sql::Reachable) -> Value,
) -> Vec<Value> {
    let row = |(position, person): (usize, &sql::Reachable)| {
        let mut row = json!({ "position": position, "contact_id": person.id, "to_address": person.phone, "template_id": template,
            "dedupe_key": format!("campaign:{campaign}:{}", person.id) });
        let mut fate = fate(position, person);
        if let (Some(reason), false) = (refusal(person, &fate), fate["status"].is_null()) {
            fate = json!({ "id": fate["id"], "body": fate["body"], "created_at": fate["created_at"], "status": "blocked",
                "gate": "do_not_contact", "gate_reason": reason });
        }
        if let (Value::Object(row), Value::Object(fate)) = (&mut row, fate) {
            row.extend(fate);
        }
        row
    };
    people.iter().enumerate().map(row).collect()
}

/// Why somebody was not written to: they never agreed, or had opted out by then.
fn refusal(person: &sql::Reachable, fate: &Value) -> Option<Value> {
    let due: DateTime<Utc> = fate["created_at"].as_str()?.parse().ok()?;
    match (person.consent.as_str(), person.refused_at) {
        ("subscribed", _) => None,
        (_, Some(at)) if due < at => None,
        (_, Some(at)) => serde_json::to_value(Reason::Unsubscribed { how: OptOutSource::Phrase, at }).ok(),
        (_, None) => serde_json::to_value(Reason::NotSubscribed).ok(),
    }
}

/// Sent at `at` and delivered.
fn delivered(at: DateTime<Utc>, person: &sql::Reachable, body: &str) -> Value {
    let weight = messaging::weigh(Channel::Sms, &person.phone, body, &Value::Null);
    json!({ "id": id_at(at), "body": body, "created_at": at, "status": "delivered", "sent_at": at, "delivered_at": at + TimeDelta::seconds(3),
        "segments": weight.segments, "cost_micros": weight.cost_micros })
}

/// Sent at `at`, and refused on its way.
fn refused(at: DateTime<Utc>, person: &sql::Reachable, body: &str, code: i32, why: &str) -> Value {
    let mut row = delivered(at, person, body);
    (row["status"], row["delivered_at"]) = (json!("undelivered"), Value::Null);
    (row["error_code"], row["error_detail"]) = (json!(code), json!(why));
    row
}

/// When the hour of a message that is due at `at` comes to where somebody lives.
fn reaches(at: DateTime<Utc>, person: &sql::Reachable) -> DateTime<Utc> {
    hours::reaches(at, &person.phone, person.timezone.as_deref().and_then(|zone| zone.parse().ok()))
}

fn seconds(position: usize, each: i64) -> TimeDelta {
    TimeDelta::seconds(each * i64::try_from(position).unwrap_or_default())
}

fn finished(position: usize, person: &sql::Reachable, at: DateTime<Utc>) -> Value {
    let sent = reaches(at + seconds(position, 2), person);
    match position % 13 {
        5 => refused(sent, person, TEXT, 30003, "The phone was off or out of reach."),
        _ => delivered(sent, person, TEXT),
    }
}

/// Two thirds went before the brake stopped it.
fn filtered(position: usize, person: &sql::Reachable, at: DateTime<Utc>, now: DateTime<Utc>) -> Value {
    let sent = at + seconds(position, 14);
    match position {
        0..16 if reaches(sent, person) > sent => {
            json!({ "id": id_at(sent), "body": GAS, "created_at": sent, "status": "queued", "send_after": now + TimeDelta::hours(1),
                "gate": "kill_switch", "gate_reason": { "code": "campaign_paused" } })
        }
        position if FILTERED.contains(&position) => {
            refused(sent, person, GAS, 30007, "The carrier took it for spam and filtered it.")
        }
        0..16 => delivered(sent, person, GAS),
        _ => json!({}),
    }
}

/// Every third lives where the chosen hour comes later today.
fn under_way(position: usize, person: &sql::Reachable, launched: DateTime<Utc>, now: DateTime<Utc>) -> Value {
    let due = if position % 3 == 2 {
        now + TimeDelta::hours(1) + seconds(position, 1_200)
    } else {
        launched + seconds(position, 80)
    };
    let goes = reaches(due, person);
    if goes <= now {
        return delivered(goes, person, WELCOME);
    }
    let goes = reaches(goes.max(now + TimeDelta::hours(1)), person);
    json!({ "id": id_at(launched), "body": WELCOME, "created_at": launched, "status": "queued", "send_after": goes })
}
