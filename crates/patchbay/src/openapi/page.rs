//! The description as a page: every operation with its parameters, body and answers, every shape with its fields.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::Value;

use super::document;
use crate::web::{
    layout::{Bare, Theme},
    pages,
};

#[derive(Template)]
#[template(path = "openapi/docs.html")]
pub(super) struct DocsPage {
    bare: Bare,
    paragraphs: Vec<String>,
    groups: Vec<Group>,
    shapes: Vec<Shape>,
}

/// The operations of one feature.
pub(super) struct Group {
    name: String,
    operations: Vec<Operation>,
}

pub(super) struct Operation {
    anchor: String,
    method: String,
    path: String,
    summary: String,
    text: String,
    parameters: Vec<Field>,
    body: Kind,
    answers: Vec<Answer>,
}

pub(super) struct Answer {
    status: String,
    text: String,
    kind: Kind,
}

pub(super) struct Shape {
    name: String,
    text: String,
    fields: Vec<Field>,
    kind: Kind,
}

pub(super) struct Field {
    name: String,
    kind: Kind,
    required: bool,
    text: String,
}

/// A type in words; `shape` names the entry it links to.
#[derive(Default)]
pub(super) struct Kind {
    words: String,
    shape: String,
}

/// The page of the whole document.
pub(super) fn page() -> DocsPage {
    let value = serde_json::to_value(document()).unwrap_or_default();
    let mut bare = pages::bare("API · Patchbay", Theme::System);
    bare.wide = true;
    let shapes = value["components"]["schemas"].as_object().into_iter().flatten();
    DocsPage {
        bare,
        paragraphs: string(&value["info"]["description"])
            .split("\n\n")
            .map(|text| text.replace('`', ""))
            .collect(),
        groups: groups(&value),
        shapes: shapes.map(|(name, schema)| shape(name, schema)).collect(),
    }
}

fn groups(document: &Value) -> Vec<Group> {
    let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if let Some(operation) = item.get(method) {
                let name = operation["tags"][0].as_str().unwrap_or("Other").to_owned();
                groups.entry(name).or_default().push(read(path, method, operation));
            }
        }
    }
    groups.into_iter().map(|(name, operations)| Group { name, operations }).collect()
}

fn read(path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    Operation {
        anchor: format!("{method}{}", path.replace(['/', '{', '}'], "-")),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: string(&operation["summary"]),
        text: string(&operation["description"]),
        parameters: parameters
            .map(|parameter| Field {
                name: string(&parameter["name"]),
                kind: kind(&parameter["schema"]),
                required: parameter["required"].as_bool().unwrap_or_default(),
                text: string(&parameter["description"]),
            })
            .collect(),
        body: content(&operation["requestBody"]),
        answers: operation["responses"]
            .as_object()
            .into_iter()
            .flatten()
            // The same everywhere, and said once at the top.
            .filter(|(status, _)| *status != "default")
            .map(|(status, answer)| Answer {
                status: status.clone(),
                text: string(&answer["description"]),
                kind: content(answer),
            })
            .collect(),
    }
}

/// The first kind of content of a body or an answer.
fn content(holder: &Value) -> Kind {
    holder["content"]
        .as_object()
        .and_then(|content| content.values().next())
        .map(|media| kind(&media["schema"]))
        .unwrap_or_default()
}

fn shape(name: &str, schema: &Value) -> Shape {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields: Vec<Field> = properties
        .map(|(field, schema)| Field {
            name: field.clone(),
            kind: kind(schema),
            required: required.contains(&field.as_str()),
            text: string(&schema["description"]),
        })
        .collect();
    let kind = if fields.is_empty() { kind(schema) } else { Kind::default() };
    Shape { name: name.to_owned(), text: string(&schema["description"]), fields, kind }
}

fn kind(schema: &Value) -> Kind {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return Kind { words: name.to_owned(), shape: name.to_owned() };
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return Kind { words: words.join(" | "), shape: String::new() };
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(choices) = schema[several].as_array() {
            let kinds: Vec<Kind> = choices.iter().map(kind).collect();
            let words: Vec<&str> = kinds.iter().map(|kind| kind.words.as_str()).collect();
            let shape = kinds.iter().find(|kind| !kind.shape.is_empty()).map(|kind| kind.shape.clone());
            return Kind { words: words.join(" | "), shape: shape.unwrap_or_default() };
        }
    }
    let named = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => "any".to_owned(),
    };
    if named.starts_with("array") {
        let items = kind(&schema["items"]);
        return Kind { words: format!("list of {}", items.words), shape: items.shape };
    }
    let words = match schema["format"].as_str() {
        Some(format) if !format.starts_with("int") => format!("{named} ({format})"),
        _ => named,
    };
    Kind { words, shape: String::new() }
}

/// Descriptions mark code with backticks, which a page has no use for.
fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('`', "")
}
