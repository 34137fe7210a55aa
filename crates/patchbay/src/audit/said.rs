//! A change as people read it: money, percentages, times and names instead of what is stored.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use patchbay_rules::money;
use serde_json::Value;
use uuid::Uuid;

use crate::web::moments::full;

/// Longest text of a value that the page shows.
const SHOWN: usize = 80;

/// What a field holds, by the end of its name.
#[derive(Clone, Copy)]
enum Unit {
    Cents,
    Micros,
    /// So many of them are one percent.
    Parts(f64),
    Plain,
}

const UNITS: [(&str, Unit); 4] = [
    ("_cents", Unit::Cents),
    ("_micros", Unit::Micros),
    ("_basis_points", Unit::Parts(100.0)),
    ("_permille", Unit::Parts(10.0)),
];

/// Fields whose names say little by themselves.
const NAMES: [(&str, &str); 8] = [
    ("scope", "access"),
    ("draft", "still a draft"),
    ("filter", "conditions"),
    ("kill_switch", "all sending stopped"),
    ("items", "lines"),
    ("template_ids", "texts"),
    ("in_recipient_zone", "by each person’s own clock"),
    ("needs_review", "opt-out to decide"),
];

/// Stored words, as people say them: field, word, words.
const WORDS: [(&str, &str, &str); 3] = [
    ("scope", "full", "everything"),
    ("scope", "ingest", "bringing leads in"),
    ("status", "rejected", "declined"),
];

/// Name, before and after of one field. What cannot be read in a line is only said to have changed.
pub(super) fn change(name: &str, change: &Value, currency: &str, zone: Tz) -> (String, String, String) {
    let (stem, unit) = UNITS
        .into_iter()
        .find_map(|(end, unit)| name.strip_suffix(end).map(|stem| (stem, unit)))
        .unwrap_or((name.strip_suffix("_id").unwrap_or(name), Unit::Plain));
    let known = NAMES.into_iter().find(|(field, _)| *field == name).map(|(_, words)| words.to_owned());
    let label = known.unwrap_or_else(|| stem.replace(['_', '.'], " "));
    let (before, after) = match change.as_array().map(Vec::as_slice) {
        Some([before, after]) => (before, after),
        _ => (&Value::Null, change),
    };
    let say = |value: &Value| say(name, value, unit, currency, zone);
    match (say(before), say(after)) {
        (Some(before), Some(after)) => (label, before, after),
        _ => (label, String::new(), "changed".to_owned()),
    }
}

/// A value in a line; `None` for what has no such line.
fn say(name: &str, value: &Value, unit: Unit, currency: &str, zone: Tz) -> Option<String> {
    Some(match (value, unit) {
        (Value::Null, _) => String::new(),
        (Value::Number(number), Unit::Cents) => money::format(number.as_i64()?, currency),
        (Value::Number(number), Unit::Micros) => money::format_micros(number.as_i64()?, currency),
        (Value::Number(number), Unit::Parts(of)) => format!("{}%", number.as_f64()? / of),
        (Value::Bool(yes), _) => if *yes { "yes" } else { "no" }.to_owned(),
        (Value::Number(number), Unit::Plain) => number.to_string(),
        (Value::String(text), _) if Uuid::parse_str(text).is_ok() => return None,
        (Value::String(text), _) => match DateTime::parse_from_rfc3339(text) {
            Ok(at) => full(at.with_timezone(&Utc), zone),
            Err(_) => words(name, text),
        },
        (Value::Array(values), _) => {
            let each: Option<Vec<String>> =
                values.iter().map(|value| say(name, value, unit, currency, zone)).collect();
            short(&each?.join(", "))
        }
        (Value::Object(_), _) => return None,
    })
}

fn words(name: &str, text: &str) -> String {
    let known = WORDS.into_iter().find(|(field, word, _)| *field == name && *word == text);
    known.map_or_else(|| short(text), |(_, _, words)| words.to_owned())
}

fn short(text: &str) -> String {
    if text.chars().count() > SHOWN {
        text.chars().take(SHOWN).chain("…".chars()).collect()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_read_like_sentences() {
        let cases = [
            ("total_cents", json!([null, 188_526]), ["total", "", "$1,885.26"]),
            ("tax_basis_points", json!([1_000, 612]), ["tax", "10%", "6.12%"]),
            ("scope", json!([null, "full"]), ["access", "", "everything"]),
            ("filter", json!([null, {"all": []}]), ["conditions", "", "changed"]),
            ("items", json!([[], [{"name": "Tap"}]]), ["lines", "", "changed"]),
            ("owner_id", json!([null, Uuid::nil()]), ["owner", "", "changed"]),
            ("labels", json!([["a"], ["a", "b"]]), ["labels", "a", "a, b"]),
            ("kill_switch", json!([false, true]), ["all sending stopped", "no", "yes"]),
            ("at", json!("2026-11-21T22:30:00Z"), ["at", "", "Sat 21 Nov 2026, 22:30"]),
        ];
        for (name, stored, [label, before, after]) in cases {
            let told = change(name, &stored, "USD", Tz::UTC);
            assert_eq!(told, (label.to_owned(), before.to_owned(), after.to_owned()), "{name}");
        }
    }
}
