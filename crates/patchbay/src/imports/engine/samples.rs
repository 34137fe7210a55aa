//! The first rows of each kind, kept to be looked at: what they say, and what that changes.

use serde_json::{Map, Value, json};

use super::{Item, storable};
use crate::imports::{
    decide::{self, Action, Existing, Kind, Known},
    row::Row,
};

/// First rows of each kind that are kept to be looked at.
const SAMPLES: usize = 10;
/// Where the numbers of rows are kept that have fewer cells than the header.
const SHORT: &str = "short";

/// The first rows of each kind.
pub(super) struct Samples(Map<String, Value>);

impl Samples {
    pub(super) fn read(stored: &Value) -> Self {
        Self(stored.as_object().cloned().unwrap_or_default())
    }

    /// Takes what is still missing from a batch; `None` when nothing was.
    /// `width`: how many cells the header has, where rows are expected to have as many.
    pub(super) fn take(&mut self, items: &[Item], known: &Known, width: Option<usize>) -> Option<Value> {
        let mut changed = false;
        for (place, item) in items.iter().enumerate() {
            changed |= self.note_short(item, width);
            let Value::Array(kept) =
                self.0.entry(item.verdict.kind.as_str()).or_insert_with(|| Value::Array(Vec::new()))
            else {
                continue;
            };
            // After a death rows come here again.
            if kept.len() >= SAMPLES || kept.iter().any(|row| row["row"] == json!(item.number)) {
                continue;
            }
            let cells: Vec<String> =
                item.cells.iter().map(|cell| storable(cell).chars().take(80).collect()).collect();
            let note = item.problem.as_deref().or(item.verdict.note).map(str::to_owned);
            let says = item.row.as_ref().and_then(|row| Some(difference(row, existing(item, place, known)?)));
            let note: Vec<String> = note.into_iter().chain(says.filter(|says| !says.is_empty())).collect();
            let note = (!note.is_empty()).then(|| storable(&note.join(" ")));
            kept.push(json!({"row": item.number, "cells": cells, "note": note}));
            changed = true;
        }
        changed.then(|| Value::Object(self.0.clone()))
    }

    /// Keeps the number of a row that ends before the header does: its cells may have slid.
    fn note_short(&mut self, item: &Item, width: Option<usize>) -> bool {
        if item.verdict.kind == Kind::Invalid || width.is_none_or(|width| item.cells.len() >= width) {
            return false;
        }
        let short = self.0.entry(SHORT).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(numbers) = short else { return false };
        let number = json!(item.number);
        let is_new = numbers.len() < SAMPLES && !numbers.contains(&number);
        if is_new {
            numbers.push(number);
        }
        is_new
    }
}

/// The contact that a row changes, or would change if contacts that are there were not left as they are.
fn existing<'a>(item: &Item, place: usize, known: &'a Known) -> Option<&'a Existing> {
    let id = match (&item.verdict.action, item.verdict.kind) {
        (Action::Update { contact_id, .. }, _) => contact_id,
        (Action::Nothing, Kind::Duplicate) => known.matches.get(&place)?,
        _ => return None,
    };
    known.contacts.get(id)
}

/// What the row says otherwise than the contact: "First name: Dana → Danielle".
fn difference(row: &Row, existing: &Existing) -> String {
    let mut said = Vec::new();
    for (field, value) in decide::patch(row, existing) {
        match (field.as_str(), value) {
            ("properties", Value::Object(properties)) => said.extend(
                properties
                    .iter()
                    .map(|(key, value)| pair(key, &plain(&existing.properties[key]), &plain(value))),
            ),
            ("stage_id", _) => said.push("Another stage".to_owned()),
            ("archived_at", _) => said.push("Back from the archive".to_owned()),
            (field, value) => said.push(pair(label(field), current(existing, field), &plain(&value))),
        }
    }
    said.join("; ")
}

fn pair(label: &str, old: &str, new: &str) -> String {
    format!("{label}: {} → {new}", if old.is_empty() { "nothing" } else { old })
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn current<'a>(existing: &'a Existing, field: &str) -> &'a str {
    let text = match field {
        "status" => return &existing.status,
        "phone_e164" => &existing.phone,
        "phone_ext" => &existing.phone_ext,
        "email" => &existing.email,
        "first_name" => &existing.first_name,
        "last_name" => &existing.last_name,
        "source" => &existing.source,
        "timezone" => &existing.timezone,
        "state" => &existing.state,
        "postal" => &existing.postal,
        "country" => &existing.country,
        _ => &None,
    };
    text.as_deref().unwrap_or_default()
}

fn label(field: &str) -> &str {
    match field {
        "phone_e164" => "Phone",
        "phone_ext" => "Extension",
        "email" => "E-mail",
        "first_name" => "First name",
        "last_name" => "Last name",
        "status" => "Status",
        "source" => "Source",
        "timezone" => "Time zone",
        "state" => "State",
        "postal" => "Postcode",
        "country" => "Country",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_what_was_and_what_will_be() {
        let existing = Existing {
            first_name: Some("Dana".to_owned()),
            status: "lead".to_owned(),
            properties: json!({ "roof": 40 }),
            ..Existing::default()
        };
        let mut row = Row {
            first_name: Some("Danielle".to_owned()),
            email: Some("d@example.com".to_owned()),
            ..Row::default()
        };
        row.properties.insert("roof".to_owned(), json!(42));
        assert_eq!(
            difference(&row, &existing),
            "E-mail: nothing → d@example.com; First name: Dana → Danielle; roof: 40 → 42"
        );
        assert_eq!(difference(&Row::default(), &existing), "");
    }
}
