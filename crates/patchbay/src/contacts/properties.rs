//! Custom fields as people read them.

use serde_json::Value;

use super::custom_fields::{CustomField, FieldType};

/// A value with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    pub label: String,
    pub text: String,
    /// Where a web address leads.
    pub href: Option<String>,
}

/// More than that is no list that anybody reads.
const MOST: usize = 40;

/// What is filled in, in the order of the fields; then what came along without being asked for.
pub fn properties(values: &Value, fields: &[CustomField]) -> Vec<Property> {
    let Some(values) = values.as_object() else { return Vec::new() };
    let known = fields
        .iter()
        .filter_map(|field| Some((field.label.clone(), field.field_type, values.get(&field.key)?)));
    let others = values.iter().filter(|(key, _)| fields.iter().all(|field| field.key != **key));
    let others = others.map(|(key, value)| (spoken(key), FieldType::Text, value));
    known
        .chain(others)
        .filter_map(|(label, kind, value)| {
            let text = shown(value)?;
            let is_link =
                kind == FieldType::Url && (text.starts_with("https://") || text.starts_with("http://"));
            Some(Property { label, href: is_link.then(|| text.clone()), text })
        })
        .take(MOST)
        .collect()
}

/// "tank_size" as a label: "Tank size".
pub fn spoken(key: &str) -> String {
    let words = key.replace(['_', '-'], " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

/// A value in words, cut where nobody reads on; `None` for nothing.
pub fn shown(value: &Value) -> Option<String> {
    whole(value).map(|text| text.chars().take(300).collect())
}

/// A value in words; `None` for nothing.
pub fn whole(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Bool(true) => "Yes".to_owned(),
        Value::Bool(false) => "No".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        Value::Array(items) => items.iter().filter_map(whole).collect::<Vec<_>>().join(", "),
        Value::Object(_) => value.to_string(),
    };
    Some(text).filter(|text| !text.is_empty())
}
