//! The description as it was committed: whoever changes the API sees in the review what clients will see.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Map, Value};

const RENEW: &str = "scripts/prepare-openapi";

/// Objects in the order of their names, so that the file changes where the API does and nowhere else.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        plain => plain,
    }
}

/// Operations and schemas by what a person would call them.
fn parts(document: &Value) -> Map<String, Value> {
    let mut parts = Map::new();
    let entries = |value: &Value| value.as_object().cloned().unwrap_or_default();
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(&item) {
            parts.insert(format!("{} {path}", method.to_uppercase()), operation);
        }
    }
    for (name, schema) in entries(&document["components"]["schemas"]) {
        parts.insert(format!("schema {name}"), schema);
    }
    parts
}

#[test]
fn the_description_is_the_one_that_was_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let present = sorted(serde_json::to_value(super::document()).expect("plain data"));
    if std::env::var_os("PATCHBAY_PREPARE_OPENAPI").is_some() {
        let text = serde_json::to_string_pretty(&present).expect("plain data") + "\n";
        return fs::write(path, text).expect("docs/openapi.json can be written");
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
    let (before, after) = (parts(&committed), parts(&present));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing: Vec<String> = names
        .into_iter()
        .filter_map(|name| match (before.get(name), after.get(name)) {
            (Some(_), None) => Some(format!("gone: {name}")),
            (None, Some(_)) => Some(format!("new: {name}")),
            (one, other) => (one != other).then(|| format!("changed: {name}")),
        })
        .collect();
    assert!(
        committed == present,
        "the API is not what docs/openapi.json says; if that is meant, run {RENEW} and commit the file.\n{}",
        differing.join("\n")
    );
}
