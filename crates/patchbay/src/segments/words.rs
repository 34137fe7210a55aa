//! A filter in a sentence, for lists and campaigns.

use serde_json::Value;

use super::{
    context::Context,
    fields::{Field, Kind, Op},
    filter::{Condition, Filter, Node},
};

/// "Status is lead, and last contacted before -30d".
pub fn summary(filter: &Filter, context: &Context) -> String {
    match &filter.root {
        Node::All(parts) if parts.is_empty() => "Everybody".to_owned(),
        root => sentence(root, context, true),
    }
}

fn sentence(node: &Node, context: &Context, outermost: bool) -> String {
    let joined = |parts: &[Node], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| sentence(part, context, false)).collect();
        let text = parts.join(word);
        if outermost || parts.len() < 2 { text } else { format!("({text})") }
    };
    match node {
        Node::All(parts) => joined(parts, " and "),
        Node::Any(parts) => joined(parts, " or "),
        Node::Not(part) => format!("not {}", sentence(part, context, false)),
        Node::Condition(asked) => condition(asked, context),
    }
}

fn condition(condition: &Condition, context: &Context) -> String {
    let label = match &condition.field {
        Field::Standard(field) => field.label.to_owned(),
        Field::Property(key) => {
            context.custom_field(key).map_or_else(|| key.clone(), |field| field.label.clone())
        }
    };
    let values = match &condition.value {
        Value::Array(values) => {
            values.iter().map(|value| word(value, condition, context)).collect::<Vec<_>>().join(", ")
        }
        value => word(value, condition, context),
    };
    let text = values.strip_prefix('-').and_then(distance);
    match (condition.op, text) {
        (Op::Exists, _) if condition.value == Value::Bool(false) => format!("{label} is missing"),
        (Op::Exists, _) => format!("{label} is there"),
        (Op::After | Op::Gt | Op::Gte, Some(distance)) => format!("{label} in the last {distance}"),
        (Op::Before | Op::Lt | Op::Lte, Some(distance)) => format!("{label} longer than {distance} ago"),
        (op, _) => format!("{label} {} {values}", verb(op)),
    }
}

fn verb(op: Op) -> &'static str {
    match op {
        Op::Is | Op::Exists => "is",
        Op::IsNot => "is not",
        Op::In => "is one of",
        Op::Contains => "contains",
        Op::StartsWith => "starts with",
        Op::Gt => "is more than",
        Op::Gte => "is at least",
        Op::Lt => "is less than",
        Op::Lte => "is at most",
        Op::Before => "before",
        Op::After => "after",
    }
}

fn word(value: &Value, condition: &Condition, context: &Context) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if condition.field.is_money() {
        return super::ui::money_of(&text).unwrap_or(text);
    }
    match condition.field.kind(Some(context)) {
        Kind::Named(names) => {
            context.find(names, &text).map_or("something that is gone".to_owned(), |named| named.name.clone())
        }
        Kind::Flag => if text == "true" { "yes" } else { "no" }.to_owned(),
        _ => text,
    }
}

fn distance(text: &str) -> Option<String> {
    let unit = match text.chars().next_back()? {
        'h' => "hour",
        'd' => "day",
        'w' => "week",
        'm' => "month",
        'y' => "year",
        _ => return None,
    };
    let amount: u32 = text[..text.len() - 1].parse().ok()?;
    Some(format!("{amount} {unit}{}", if amount == 1 { "" } else { "s" }))
}
