//! What a filter means, written down a second time over plain data: slow, obvious, and without SQL.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use serde_json::{Map, Value};

/// A contact as the tests made it. `fields` holds single values by the name of the field.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub fields: Map<String, Value>,
    pub labels: Vec<&'static str>,
    pub quotes: Vec<(&'static str, i64)>,
    /// By people.
    pub clicks: Vec<DateTime<Utc>>,
    /// Campaigns, and whether the message arrived.
    pub campaigns: Vec<(&'static str, bool)>,
}

/// The moment the tests ask at, in Perth, which has no summer time.
pub struct Now(pub DateTime<Utc>);

pub fn passes(filter: &Value, person: &Person, now: &Now) -> bool {
    let parts =
        |key: &str| filter[key].as_array().map(|parts| parts.iter().map(|part| passes(part, person, now)));
    if let Some(mut parts) = parts("all") {
        return parts.all(|passed| passed);
    }
    if let Some(mut parts) = parts("any") {
        return parts.any(|passed| passed);
    }
    if let Some(part) = filter.get("not") {
        return !passes(part, person, now);
    }
    condition(
        filter["field"].as_str().unwrap(),
        filter["op"].as_str().unwrap(),
        &filter["value"],
        person,
        now,
    )
}

fn condition(field: &str, op: &str, value: &Value, person: &Person, now: &Now) -> bool {
    if op == "is_not" {
        return !condition(field, "is", value, person, now);
    }
    if op == "exists" && *value == Value::Bool(false) {
        return !condition(field, "exists", &Value::Bool(true), person, now);
    }
    let some = |words: Vec<Value>| words.iter().any(|word| holds(field, op, value, word, now));
    match field {
        "label" => some(person.labels.iter().map(|label| (*label).into()).collect()),
        "quote.status" => some(person.quotes.iter().map(|quote| quote.0.into()).collect()),
        "quote.total_cents" => some(person.quotes.iter().map(|quote| quote.1.into()).collect()),
        "campaign" => some(person.campaigns.iter().map(|campaign| campaign.0.into()).collect()),
        "campaign.received" => some(
            person.campaigns.iter().filter(|campaign| campaign.1).map(|campaign| campaign.0.into()).collect(),
        ),
        "clicked" => person.clicks.is_empty() != (value == true),
        "last_clicked_at" => {
            some(person.clicks.iter().max().map(|at| at.to_rfc3339().into()).into_iter().collect())
        }
        "do_not_contact" => person.fields[field] == *value,
        _ => some(person.fields.get(field).cloned().into_iter().collect()),
    }
}

/// Whether one value that is there meets the condition.
fn holds(field: &str, op: &str, wanted: &Value, there: &Value, now: &Now) -> bool {
    if op == "exists" {
        return true;
    }
    if op == "in" {
        return wanted.as_array().unwrap().iter().any(|wanted| holds(field, "is", wanted, there, now));
    }
    let (mut text, there_text) = (words(wanted), words(there));
    if field == "phone" {
        text.retain(|c| c != ' ');
    }
    match op {
        // The only owner there is.
        "is" if field == "owner" => text == there_text || text == "mine@example.com",
        "is" if field.ends_with("_name") || field == "state" => {
            text.to_lowercase() == there_text.to_lowercase()
        }
        "is" if [
            "stage",
            "label",
            "campaign",
            "campaign.received",
            "email",
            "country",
            "properties.plan",
        ]
        .contains(&field) =>
        {
            text.to_lowercase() == there_text.to_lowercase()
        }
        "is" if there.is_number() => number(wanted) == there.as_f64(),
        "is" => text == there_text,
        "contains" => folded(&there_text).contains(&folded(&text)),
        "starts_with" => folded(&there_text).starts_with(&folded(&text)),
        _ if field.ends_with("_at") => instant(op, &text, there_text.parse().unwrap(), now),
        _ if there.is_number() => {
            number(wanted).is_some_and(|wanted| ordered(op, &there.as_f64().unwrap(), &wanted))
        }
        _ => match (there_text.parse::<NaiveDate>(), number(wanted)) {
            (Ok(day), None) => ordered(op, &day, &perth(moment(&text, now)).date_naive()),
            _ => false,
        },
    }
}

fn ordered<T: PartialOrd>(op: &str, there: &T, wanted: &T) -> bool {
    match op {
        "gt" | "after" => there > wanted,
        "gte" => there >= wanted,
        "lt" | "before" => there < wanted,
        _ => there <= wanted,
    }
}

fn instant(op: &str, text: &str, there: DateTime<Utc>, now: &Now) -> bool {
    if text.parse::<NaiveDate>().is_ok() || text == "today" {
        return ordered(op, &perth(there).date_naive(), &perth(moment(text, now)).date_naive());
    }
    ordered(op, &there, &moment(text, now))
}

fn moment(text: &str, now: &Now) -> DateTime<Utc> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return day.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(offset()).unwrap().to_utc();
    }
    match text {
        "today" | "now" => now.0,
        _ if text.ends_with('d') => now.0 + TimeDelta::days(text[..text.len() - 1].parse().unwrap()),
        _ if text.ends_with('h') => now.0 + TimeDelta::hours(text[..text.len() - 1].parse().unwrap()),
        _ => text.parse().unwrap(),
    }
}

fn perth(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&offset())
}

fn offset() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).unwrap()
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn number(value: &Value) -> Option<f64> {
    words(value).parse().ok()
}

fn folded(text: &str) -> String {
    text.to_lowercase().replace('í', "i").replace('ø', "o")
}
