//! What the demo's business has written to many: segments, a campaign that is over, and one that waits to be checked
//! and launched.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{id_at, sql};
use crate::{db::SystemTx, error::Result};

/// When the finished campaign went out.
const DAYS_AGO: i64 = 16;
const TEXT: &str = "Brightside Plumbing: winter is hard on old water heaters. Book a check-up before December and the visit is on us. Reply STOP to opt out.";

/// Writes it all for the contacts there are.
pub(super) async fn reach_out(tx: &mut SystemTx, tenant: Uuid, now: DateTime<Utc>) -> Result<()> {
    let at = now - TimeDelta::days(DAYS_AGO);
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
    let reminder = id_at(at - TimeDelta::hours(5));
    let question = json!({ "id": reminder, "key": "quote_question", "name": "A question about your quote", "channel": "sms",
        "content": "Hi {{ first_name | default(\"there\") }}, did you have time to look at our quote? Reply here with any question. Brightside Plumbing" });
    sql::insert_templates(tx, tenant, &[words, question], at).await?;
    let finished = id_at(at);
    let campaigns = [
        json!({ "id": finished, "name": "Winter check-up", "template_ids": [template], "status": "finished", "launched_at": at, "finished_at": at + TimeDelta::minutes(9) }),
        json!({ "id": id_at(now - TimeDelta::hours(5)), "name": "Quotes that wait for an answer", "segment_id": open, "template_ids": [reminder], "status": "draft" }),
    ];
    sql::insert_campaigns(tx, tenant, &campaigns).await?;
    let people = sql::list_reachable(tx, tenant, at).await?;
    let messages: Vec<Value> = people
        .iter()
        .enumerate()
        .map(|(position, person)| message(finished, template, position, person, at))
        .collect();
    sql::insert_campaign_messages(tx, tenant, finished, &messages).await
}

/// What became of one recipient.
fn message(
    campaign: Uuid,
    template: Uuid,
    position: usize,
    person: &sql::Reachable,
    at: DateTime<Utc>,
) -> Value {
    let sent = at + TimeDelta::seconds(2 * i64::try_from(position).unwrap_or_default());
    let mut row = json!({
        "id": id_at(sent), "position": position, "contact_id": person.id, "to_address": person.phone, "body": TEXT,
        "template_id": template, "dedupe_key": format!("campaign:{campaign}:{}", person.id), "created_at": sent,
        "status": "delivered", "sent_at": sent, "delivered_at": sent + TimeDelta::seconds(3),
    });
    let change = if person.consent != "subscribed" {
        json!({ "status": "blocked", "gate": "do_not_contact", "sent_at": null, "delivered_at": null,
            "gate_reason": { "code": "not_subscribed" } })
    } else if position % 13 == 5 {
        json!({ "status": "undelivered", "delivered_at": null, "error_code": 30003, "error_detail": "The phone was off or out of reach." })
    } else {
        json!({})
    };
    if let (Value::Object(row), Value::Object(change)) = (&mut row, change) {
        row.extend(change);
    }
    row
}
