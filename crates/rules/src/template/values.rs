//! Where the names of a template find their values.
//!
//! Promises: null and blank text are no values, so that they cannot leave a hole in a message. Texts are
//! cut where no message could hold them anyway.

use super::MAX_CHARACTERS;
use minijinja::Value;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Parts of the context in which a bare name is looked for, after the context itself.
const FALLBACKS: [&[&str]; 6] =
    [&["lead", "properties"], &["properties"], &["quote", "data"], &["data"], &["lead"], &["quote"]];

/// The values of the names a template starts from.
pub(super) fn roots<'a>(names: impl Iterator<Item = &'a str>, context: &Json) -> Value {
    // Currency and zone are not for writing: the filters `money` and `date` ask for them.
    let hints = ["currency", "timezone"];
    let found = names.chain(hints).filter_map(|name| Some((name, root(context, name)?)));
    Value::from(found.map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>())
}

/// The value of a whole path such as `quote.data.rooms` or `items[0]`.
pub(super) fn find(context: &Json, path: &str) -> Option<Value> {
    let mut parts = path.split(['.', '[', ']', '"', '\'']).map(str::trim).filter(|part| !part.is_empty());
    let mut value = root(context, parts.next()?)?;
    for part in parts {
        let next = match part.parse::<usize>() {
            Ok(index) => value.get_item_by_index(index),
            Err(_) => value.get_attr(part),
        };
        value = next.ok().filter(|value| !is_missing(value))?;
    }
    Some(value)
}

/// Whether a value cannot be written.
pub(super) fn is_missing(value: &Value) -> bool {
    value.is_undefined() || value.is_none()
}

fn root(context: &Json, name: &str) -> Option<Value> {
    let own = context.get(name).and_then(convert);
    let alias = || match name {
        "properties" => context.pointer("/lead/properties").and_then(convert),
        "data" => context.pointer("/quote/data").and_then(convert),
        _ => None,
    };
    let fallback = || {
        FALLBACKS.iter().find_map(|path| {
            let part = path.iter().try_fold(context, |part, key| part.get(key))?;
            part.get(name).and_then(convert)
        })
    };
    own.or_else(alias)
        .or_else(fallback)
        .or_else(|| (name == "full_name").then(|| full_name(context)).flatten())
}

fn full_name(context: &Json) -> Option<Value> {
    let names: Vec<_> = ["first_name", "last_name"].iter().filter_map(|name| root(context, name)).collect();
    let words: Vec<_> = names.iter().filter_map(Value::as_str).map(str::trim).collect();
    (!words.is_empty()).then(|| Value::from(words.join(" ")))
}

/// A value as the template engine holds it; `None` if it is none.
fn convert(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::String(text) if text.trim().is_empty() => return None,
        Json::String(text) => Value::from(cut(text)),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => convert_number(number)?,
        Json::Array(items) => items.iter().filter_map(convert).collect::<Vec<_>>().into(),
        Json::Object(fields) => {
            let kept = fields.iter().filter_map(|(key, value)| Some((key.clone(), convert(value)?)));
            kept.collect::<BTreeMap<_, _>>().into()
        }
    })
}

/// Whole numbers are written without a decimal point, however they were stored.
fn convert_number(number: &serde_json::Number) -> Option<Value> {
    /// Largest whole number up to which every whole number is a float of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(whole) = number.as_i64() {
        return Some(Value::from(whole));
    }
    let float = number.as_f64()?;
    if float.fract() == 0.0 && float.abs() <= EXACT {
        return Some(Value::from(format!("{float:.0}").parse::<i64>().ok()?));
    }
    Some(Value::from(float))
}

/// A text that is too long for a message, kept long enough to be noticed as such.
fn cut(text: &str) -> &str {
    match text.char_indices().nth(MAX_CHARACTERS + 1) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
