//! The value of a condition, understood as what its field holds.

use patchbay_rules::phone;
use serde_json::Value;
use uuid::Uuid;

use super::{
    context::Context,
    fields::{Kind, Names, Op},
    when::When,
};
use crate::contacts::custom_fields;

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// Whether there is a value at all.
    Present(bool),
    Flag(bool),
    /// One or several texts, any of which will do.
    Texts(Vec<String>),
    /// Part of a text.
    Part(String),
    /// One or several numbers, written exactly.
    Numbers(Vec<String>),
    Ids(Vec<Uuid>),
    When(When),
    /// One or several days, as they are stored.
    Days(Vec<When>),
    /// One or several values of a custom field that nobody defined, as JSON.
    Loose(Vec<Value>),
}

/// A list in a condition; more belong into a label.
const MOST_VALUES: usize = 500;
const LONGEST: usize = 500;

/// Reads `value` for a field of this kind. Without a context names and numbers cannot be looked up: only the shape
/// is checked.
///
/// # Errors
/// What is expected, in words.
pub fn read(kind: Kind<'_>, op: Op, value: &Value, context: Option<&Context>) -> Result<Operand, String> {
    if op == Op::Exists {
        return match value {
            Value::Null => Ok(Operand::Present(true)),
            other => flag(other).map(Operand::Present),
        };
    }
    let values = values(op, value)?;
    let first = values[0];
    match kind {
        Kind::Words(words) => each(&values, |value| word(value, words)).map(Operand::Texts),
        Kind::Named(names) => match context {
            Some(context) => each(&values, |value| named(value, names, context)).map(Operand::Ids),
            None => each(&values, text).map(Operand::Texts),
        },
        Kind::Instant => text(first).and_then(|text| When::parse(&text)).map(Operand::When),
        Kind::Date if matches!(op, Op::Is | Op::IsNot | Op::In) => {
            each(&values, |value| text(value).and_then(|text| When::parse(&text))).map(Operand::Days)
        }
        Kind::Date => text(first).and_then(|text| When::parse(&text)).map(Operand::When),
        Kind::Number => each(&values, number).map(Operand::Numbers),
        Kind::Flag => flag(first).map(Operand::Flag),
        Kind::Phone => each(&values, |value| phone(value, op, context)).map(|texts| texts_or_part(texts, op)),
        Kind::Email => each(&values, |value| text(value).map(|text| text.to_lowercase()))
            .map(|texts| texts_or_part(texts, op)),
        Kind::Country => each(&values, country).map(Operand::Texts),
        Kind::Text => each(&values, text).map(|texts| texts_or_part(texts, op)),
        Kind::Custom(_) if matches!(op, Op::Contains | Op::StartsWith) => text(first).map(Operand::Part),
        Kind::Custom(field) => each(&values, |value| {
            let fitting = custom_fields::fit(field, value)?.ok_or("Give a value.")?;
            Ok(fitting.as_str().map_or_else(|| fitting.to_string(), str::to_owned))
        })
        .map(Operand::Texts),
        Kind::Undefined => undefined(op, &values),
    }
}

fn undefined(op: Op, values: &[&Value]) -> Result<Operand, String> {
    match op {
        Op::Contains | Op::StartsWith => text(values[0]).map(Operand::Part),
        Op::Before | Op::After => text(values[0]).and_then(|text| When::parse(&text)).map(Operand::When),
        Op::Gt | Op::Gte | Op::Lt | Op::Lte => match number(values[0]) {
            Ok(number) => Ok(Operand::Numbers(vec![number])),
            Err(_) => text(values[0])
                .and_then(|text| When::parse(&text))
                .map(Operand::When)
                .map_err(|_| "Write a number or a date.".to_owned()),
        },
        _ => each(values, loose).map(Operand::Loose),
    }
}

/// The values of a condition: a list for `in`, one otherwise. Never empty.
fn values(op: Op, value: &Value) -> Result<Vec<&Value>, String> {
    let values: Vec<&Value> = match (op, value) {
        (Op::In, Value::Array(values)) => values.iter().collect(),
        (Op::In, _) => return Err("A list of values is expected.".to_owned()),
        (_, value) => vec![value],
    };
    match values.len() {
        0 => Err("Give at least one value.".to_owned()),
        1..=MOST_VALUES => Ok(values),
        _ => Err(format!("Give at most {MOST_VALUES} values.")),
    }
}

fn each<T>(values: &[&Value], read: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    values.iter().map(|value| read(value)).collect()
}

fn texts_or_part(mut texts: Vec<String>, op: Op) -> Operand {
    if matches!(op, Op::Contains | Op::StartsWith) {
        Operand::Part(texts.swap_remove(0))
    } else {
        Operand::Texts(texts)
    }
}

fn text(value: &Value) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null => return Err("Give a value.".to_owned()),
        _ => return Err("A text is expected.".to_owned()),
    };
    match text.chars().count() {
        0 => Err("Give a value.".to_owned()),
        1..=LONGEST => Ok(text),
        _ => Err(format!("Use at most {LONGEST} characters.")),
    }
}

fn loose(value: &Value) -> Result<Value, String> {
    match value {
        Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        other => text(other).map(Value::String),
    }
}

fn word(value: &Value, words: &[&str]) -> Result<String, String> {
    let given = text(value)?;
    match words.iter().find(|word| **word == given) {
        Some(word) => Ok((*word).to_owned()),
        None => Err(format!("Use one of {}.", words.join(", "))),
    }
}

fn named(value: &Value, names: Names, context: &Context) -> Result<Uuid, String> {
    let word = text(value)?;
    context.find(names, &word).map(|named| named.id).ok_or_else(|| {
        let there: Vec<&str> =
            context.names(names).iter().take(20).map(|named| named.name.as_str()).collect();
        let one = names.one();
        if there.is_empty() {
            format!("There is no {one} “{word}”; there are none yet.")
        } else {
            format!("There is no {one} “{word}”. Use one of {}.", there.join(", "))
        }
    })
}

/// Kept as digits: PostgreSQL compares it as `numeric`, without rounding.
fn number(value: &Value) -> Result<String, String> {
    let expected = || "Write a number such as 12 or 3.5.".to_owned();
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err(expected()),
    };
    // An exponent would let a few characters name a number of millions of digits.
    let plain = text.len() <= 40 && !text.contains(['e', 'E']);
    if plain && serde_json::from_str::<serde_json::Number>(&text).is_ok() {
        Ok(text)
    } else {
        Err(expected())
    }
}

fn flag(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text == "true" || text == "yes" => Ok(true),
        Value::String(text) if text == "false" || text == "no" => Ok(false),
        _ => Err("Write true or false.".to_owned()),
    }
}

fn country(value: &Value) -> Result<String, String> {
    let code = text(value)?.to_uppercase();
    if code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()) {
        Ok(code)
    } else {
        Err("Write a country as two letters, such as AU.".to_owned())
    }
}

fn phone(value: &Value, op: Op, context: Option<&Context>) -> Result<String, String> {
    let written = text(value)?;
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return Err("Write a number, or part of one.".to_owned());
    }
    match op {
        Op::Contains => Ok(digits.trim_start_matches('0').to_owned()).and_then(|digits: String| {
            if digits.is_empty() { Err("Write more of the number.".to_owned()) } else { Ok(digits) }
        }),
        Op::StartsWith if written.starts_with('+') => Ok(format!("+{digits}")),
        Op::StartsWith => Err("Write the beginning with its country code, such as +61 4.".to_owned()),
        _ => match context {
            Some(context) => phone::parse(&written, Some(&context.country))
                .map(|phone| phone.e164)
                .map_err(|error| format!("{error}.")),
            None => Ok(written),
        },
    }
}
