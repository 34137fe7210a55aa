//! How the builder speaks of operators: "is any of", "in the last 30 days", "has none", and the control that goes
//! with each. Filters know fewer and plainer ones.

use patchbay_rules::money;
use serde_json::{Value, json};

use crate::{
    contacts::custom_fields::{CustomField, FieldType},
    segments::{
        context::Context,
        fields::{Field, Kind, Names, Op, Place},
        filter::Condition,
    },
};

/// What a condition looks like in the builder.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub op: String,
    pub values: Vec<String>,
}

/// The control beside an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The operator says it all.
    Nothing,
    /// One of a list, or some of it, where the field has a list; one text otherwise.
    One,
    Some,
    /// A number and a unit.
    Ago,
    Date,
}

/// An operator of the builder: its code in the form, its words, its control.
pub type Offer = (&'static str, &'static str, Shape);

const CHOICE: &[Offer] =
    &[("is", "is", Shape::One), ("is_not", "is not", Shape::One), ("in", "is any of", Shape::Some)];
const OPTIONAL: &[Offer] = &[
    ("is", "is", Shape::One),
    ("is_not", "is not", Shape::One),
    ("in", "is any of", Shape::Some),
    ("exists", "is known", Shape::Nothing),
    ("missing", "is not known", Shape::Nothing),
];
const LABEL: &[Offer] = &[
    ("is", "is", Shape::One),
    ("is_not", "is not", Shape::One),
    ("in", "is any of", Shape::Some),
    ("exists", "is there, any", Shape::Nothing),
    ("missing", "is not there", Shape::Nothing),
];
const QUOTE: &[Offer] = &[
    ("is", "is, at least one,", Shape::One),
    ("is_not", "is never", Shape::One),
    ("in", "is any of", Shape::Some),
    ("exists", "is there, any", Shape::Nothing),
    ("missing", "is not there", Shape::Nothing),
];
const TEXT: &[Offer] = &[
    ("is", "is", Shape::One),
    ("is_not", "is not", Shape::One),
    ("contains", "contains", Shape::One),
    ("starts_with", "starts with", Shape::One),
    ("exists", "is known", Shape::Nothing),
    ("missing", "is not known", Shape::Nothing),
];
const INSTANT: &[Offer] = &[
    ("within", "in the last", Shape::Ago),
    ("older", "longer ago than", Shape::Ago),
    ("after", "after the day", Shape::Date),
    ("before", "before the day", Shape::Date),
    ("exists", "ever", Shape::Nothing),
    ("missing", "never", Shape::Nothing),
];
const NUMBER: &[Offer] = &[
    ("is", "is", Shape::One),
    ("is_not", "is not", Shape::One),
    ("gt", "is more than", Shape::One),
    ("gte", "is at least", Shape::One),
    ("lt", "is less than", Shape::One),
    ("lte", "is at most", Shape::One),
    ("exists", "is known", Shape::Nothing),
    ("missing", "is not known", Shape::Nothing),
];
const FLAG: &[Offer] = &[("is", "is", Shape::One)];
const DATE: &[Offer] = &[
    ("is", "is", Shape::Date),
    ("after", "is after", Shape::Date),
    ("before", "is before", Shape::Date),
    ("within", "in the last", Shape::Ago),
    ("older", "longer ago than", Shape::Ago),
    ("exists", "is known", Shape::Nothing),
    ("missing", "is not known", Shape::Nothing),
];

/// What is offered for a field.
pub fn offers(field: &Field, context: &Context) -> &'static [Offer] {
    match (field.kind(Some(context)), field.place()) {
        (_, Place::Labels) => LABEL,
        (Kind::Words(_), Place::Quotes(_)) => QUOTE,
        (Kind::Words(_), _) | (Kind::Named(Names::Campaigns), _) => CHOICE,
        (Kind::Named(_) | Kind::Country, _) => OPTIONAL,
        (Kind::Custom(CustomField { field_type: FieldType::Select, .. }), _) => OPTIONAL,
        (Kind::Text | Kind::Email | Kind::Phone | Kind::Custom(_) | Kind::Undefined, _) => TEXT,
        (Kind::Instant, _) => INSTANT,
        (Kind::Date, _) => DATE,
        (Kind::Number, _) => NUMBER,
        (Kind::Flag, _) => FLAG,
    }
}

/// The control beside `op`; operators that are not offered take a text.
pub fn shape(field: &Field, op: &str, context: &Context) -> Shape {
    offers(field, context).iter().find(|offer| offer.0 == op).map_or(Shape::One, |offer| offer.2)
}

/// A condition in the builder's words.
pub fn ask(condition: &Condition, context: &Context) -> Asked {
    let asked = |op: &str, values: Vec<String>| Asked { op: op.to_owned(), values };
    let values: Vec<String> = match &condition.value {
        Value::Array(values) => values.iter().map(words).collect(),
        Value::Null => Vec::new(),
        value => vec![words(value)],
    };
    let values = match condition.field.is_money() {
        true => values.iter().map(|cents| money_of(cents).unwrap_or_else(|| cents.clone())).collect(),
        false => values,
    };
    // Names stand for ids, which the lists of the builder are made of.
    let values: Vec<String> = match condition.field.kind(Some(context)) {
        Kind::Named(names) => values
            .into_iter()
            .map(|word| context.find(names, &word).map_or(word, |named| named.id.to_string()))
            .collect(),
        _ => values,
    };
    match condition.op {
        Op::Exists if condition.value == Value::Bool(false) => asked("missing", Vec::new()),
        Op::Exists => asked("exists", Vec::new()),
        Op::After | Op::Gt | Op::Gte | Op::Before | Op::Lt | Op::Lte => {
            match values.first().and_then(|text| ago(text)) {
                Some(ago) if matches!(condition.op, Op::After | Op::Gt | Op::Gte) => asked("within", ago),
                Some(ago) => asked("older", ago),
                None => asked(condition.op.as_str(), values),
            }
        }
        Op::IsNot if condition.field.kind(Some(context)) == Kind::Flag => {
            asked("is", vec![if words(&condition.value) == "true" { "false" } else { "true" }.to_owned()])
        }
        op => asked(op.as_str(), values),
    }
}

/// What the builder's words mean to a filter: operator and value.
pub fn meant(field: &Field, op: &str, values: &[String], context: &Context) -> (String, Value) {
    let first = || values.first().map(|value| value.trim()).unwrap_or_default();
    let distance = || {
        let unit = values.get(1).map_or("d", String::as_str);
        Value::from(format!("-{}{unit}", first()))
    };
    let (op, value) = match op {
        "missing" => ("exists", Value::Bool(false)),
        "exists" => ("exists", Value::Bool(true)),
        "within" => ("after", distance()),
        "older" => ("before", distance()),
        "in" if shape(field, op, context) == Shape::Some => ("in", json!(values)),
        "in" if field.is_money() => {
            let cents = first().split(',').map(str::trim);
            (
                "in",
                cents.map(|text| money::parse_cents(text).map_or_else(|| text.into(), Value::from)).collect(),
            )
        }
        "in" => ("in", first().split(',').map(|part| json!(part.trim())).collect()),
        op if first().is_empty() => (op, Value::Null),
        op if field.kind(Some(context)) == Kind::Flag => (op, Value::Bool(first() == "true")),
        op if field.is_money() => {
            (op, money::parse_cents(first()).map_or_else(|| first().into(), Value::from))
        }
        op if field.kind(Some(context)) == Kind::Number => {
            (op, serde_json::from_str(first()).unwrap_or_else(|_| first().into()))
        }
        op => (op, first().into()),
    };
    (op.to_owned(), value)
}

/// Cents as somebody would type them.
pub fn money_of(cents: &str) -> Option<String> {
    let cents: i64 = cents.parse().ok()?;
    Some(format!("{}.{:02}", cents / 100, (cents % 100).abs()))
}

/// `-30d` as number and unit.
fn ago(text: &str) -> Option<Vec<String>> {
    let rest = text.strip_prefix('-')?;
    let unit = rest.chars().next_back().filter(|unit| "hdwmy".contains(*unit))?;
    let amount = &rest[..rest.len() - 1];
    amount.bytes().all(|b| b.is_ascii_digit()).then(|| vec![amount.to_owned(), unit.to_string()])
}

fn words(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
