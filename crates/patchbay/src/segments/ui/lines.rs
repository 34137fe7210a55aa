//! A draft as the lines of the builder, each with its controls and what is wrong with it.

use std::collections::BTreeMap;

use super::{
    draft::{Asking, Draft, Join, Part},
    operators::{self, Shape},
};
use crate::{
    error::FieldErrors,
    segments::{
        context::Context,
        fields::{Field, Kind, Names, STANDARD},
        view::{ConditionLine, Control, GroupLine, Line},
    },
    web::fields::Choice,
};

/// The builder's lines in order; groups open and close.
pub fn lines(draft: &Draft, context: &Context, errors: &FieldErrors) -> Vec<Line> {
    let (_, paths) = draft.filter(context);
    let mut lines = Vec::new();
    push(&draft.root, 0, &Page { context, errors, paths }, &mut lines);
    lines
}

struct Page<'a> {
    context: &'a Context,
    errors: &'a FieldErrors,
    paths: BTreeMap<u32, String>,
}

impl Page<'_> {
    /// What is wrong with a part: with itself or with its field, operator or value.
    fn error(&self, id: u32) -> String {
        let Some(path) = self.paths.get(&id) else { return String::new() };
        let own = ["", ".field", ".op", ".value", ".all", ".any", ".not", ".not.all", ".not.any"];
        own.iter()
            .find_map(|part| self.errors.get(format!("{path}{part}").as_str()))
            .cloned()
            .unwrap_or_default()
    }
}

fn push(part: &Part, depth: usize, page: &Page<'_>, lines: &mut Vec<Line>) {
    match part {
        Part::Condition(asking) => lines.push(Line::Condition(condition(asking, page))),
        Part::Group { id, join, parts } => {
            lines.push(Line::Open(GroupLine {
                id: *id,
                joins: Join::EACH
                    .map(|each| Choice::new(each.as_str(), each.label(), each == *join))
                    .to_vec(),
                removable: depth > 0,
                error: page.error(*id),
            }));
            for part in parts {
                push(part, depth + 1, page, lines);
            }
            lines.push(Line::Close { id: *id, nests: depth < 4, empty: parts.is_empty() });
        }
    }
}

fn condition(asking: &Asking, page: &Page<'_>) -> ConditionLine {
    let context = page.context;
    let field = Field::from_name(&asking.field).unwrap_or(Field::Standard(&STANDARD[0]));
    let offers = operators::offers(&field, context);
    // What a program wrote and the builder does not offer stays what it is.
    let known = asking.op.is_empty() || offers.iter().any(|offer| offer.0 == asking.op);
    let op =
        if asking.op.is_empty() || (!known && crate::segments::fields::Op::from_word(&asking.op).is_none()) {
            offers[0].0
        } else {
            asking.op.as_str()
        };
    let mut ops: Vec<Choice> =
        offers.iter().map(|offer| Choice::new(offer.0, offer.1, offer.0 == op)).collect();
    if !ops.iter().any(|choice| choice.chosen) {
        ops.push(Choice::new(op, op.replace('_', " "), true));
    }
    ConditionLine {
        id: asking.id,
        field: field.to_string(),
        fields: fields(&field, context),
        control: control(&field, op, &asking.values, context),
        ops,
        error: page.error(asking.id),
    }
}

/// Everything that can be asked about, under headings.
fn fields(chosen: &Field, context: &Context) -> Vec<(&'static str, Vec<Choice>)> {
    let mut groups: Vec<(&'static str, Vec<Choice>)> = Vec::new();
    for field in STANDARD {
        let choice = Choice::new(field.name, field.label, *chosen == Field::Standard(field));
        match groups.last_mut() {
            Some((heading, choices)) if *heading == field.group => choices.push(choice),
            _ => groups.push((field.group, vec![choice])),
        }
    }
    let mut own: Vec<Choice> = context
        .fields
        .iter()
        .map(|field| {
            Choice::new(
                format!("properties.{}", field.key),
                field.label.clone(),
                matches!(chosen, Field::Property(key) if *key == field.key),
            )
        })
        .collect();
    if let Field::Property(key) = chosen
        && context.custom_field(key).is_none()
    {
        own.push(Choice::new(format!("properties.{key}"), key.clone(), true));
    }
    if !own.is_empty() {
        groups.push(("Your own fields", own));
    }
    groups
}

fn control(field: &Field, op: &str, values: &[String], context: &Context) -> Control {
    let first = values.first().cloned().unwrap_or_default();
    match operators::shape(field, op, context) {
        Shape::Nothing => Control::Nothing,
        Shape::Ago => {
            let unit = values.get(1).map_or("d", String::as_str);
            let units = [("h", "hours"), ("d", "days"), ("w", "weeks"), ("m", "months"), ("y", "years")];
            let amount = if first.bytes().all(|b| b.is_ascii_digit()) && !first.is_empty() {
                first
            } else {
                "30".to_owned()
            };
            Control::Ago {
                amount,
                units: units.map(|(code, word)| Choice::new(code, word, code == unit)).to_vec(),
            }
        }
        Shape::Date => Control::Text { kind: "date", value: first, list: "" },
        shape => match options(field, context) {
            Some(options) => {
                let mut choices: Vec<Choice> = options
                    .into_iter()
                    .map(|(value, label)| {
                        let chosen = values.contains(&value);
                        Choice::new(value, label, chosen)
                    })
                    .collect();
                for gone in values
                    .iter()
                    .filter(|value| {
                        !value.is_empty() && !choices.iter().any(|choice| choice.value == **value)
                    })
                    .cloned()
                    .collect::<Vec<_>>()
                {
                    choices.push(Choice::new(gone, "(no longer there)", true));
                }
                if shape == Shape::Some { Control::Many(choices) } else { Control::One(choices) }
            }
            None => {
                let plain = field.kind(Some(context)) == Kind::Number && !field.is_money();
                let kind = if plain { "number" } else { "text" };
                let list = if field.to_string() == "source" { "sources" } else { "" };
                Control::Text { kind, value: values.join(", "), list }
            }
        },
    }
}

/// What can be chosen, where the field has a list.
fn options(field: &Field, context: &Context) -> Option<Vec<(String, String)>> {
    match field.kind(Some(context)) {
        Kind::Words(words) => Some(words.iter().map(|word| ((*word).to_owned(), capital(word))).collect()),
        Kind::Named(names) => {
            let mut list: Vec<_> =
                context.names(names).iter().map(|named| (named.id.to_string(), named.name.clone())).collect();
            if names == Names::Members {
                list.sort_by_key(|(_, name)| name.to_lowercase());
            }
            Some(list)
        }
        Kind::Flag => {
            Some(vec![("true".to_owned(), "Yes".to_owned()), ("false".to_owned(), "No".to_owned())])
        }
        Kind::Custom(field) if !field.options.is_empty() => {
            Some(field.options.iter().map(|option| (option.clone(), option.clone())).collect())
        }
        _ => None,
    }
}

pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
