//! A filter while somebody builds it: a tree that travels in a form, so that nothing typed is lost and the page works
//! without a script. What is incomplete is kept as it is; only saving asks for more.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::operators::{self, Asked};
use crate::segments::{
    context::Context,
    fields::Field,
    filter::{Filter, Node},
};

/// How the parts of a group are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    All,
    Any,
    None,
    NotAll,
}

impl Join {
    pub const EACH: [Self; 4] = [Self::All, Self::Any, Self::None, Self::NotAll];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
            Self::None => "none",
            Self::NotAll => "not_all",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::All => "all of these are true",
            Self::Any => "any of these is true",
            Self::None => "none of these is true",
            Self::NotAll => "not all of these are true",
        }
    }

    fn from_word(word: &str) -> Self {
        Self::EACH.into_iter().find(|join| join.as_str() == word).unwrap_or(Self::All)
    }
}

/// A part of the tree; `id` names its controls in the form.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Group { id: u32, join: Join, parts: Vec<Part> },
    Condition(Asking),
}

/// A condition as its controls stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Asking {
    pub id: u32,
    pub field: String,
    pub op: String,
    pub values: Vec<String>,
}

/// What the form holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub name: String,
    pub root: Part,
}

/// A form with more parts was not made by our page.
const MOST_PARTS: usize = 400;

impl Draft {
    /// A new segment, with one condition to begin with.
    pub fn new() -> Self {
        let first = Asking {
            id: 2,
            field: "status".to_owned(),
            op: "is".to_owned(),
            values: vec!["lead".to_owned()],
        };
        Self {
            name: String::new(),
            root: Part::Group { id: 1, join: Join::All, parts: vec![Part::Condition(first)] },
        }
    }

    /// A segment's filter, to be changed.
    pub fn of(name: &str, filter: &Filter, context: &Context) -> Self {
        let mut next = 1;
        let root = match part(&filter.root, false, context, &mut next) {
            group @ Part::Group { .. } => group,
            condition => {
                next += 1;
                Part::Group { id: next, join: Join::All, parts: vec![condition] }
            }
        };
        Self { name: name.to_owned(), root }
    }

    /// What the form says: `s` lists the parts in order (`g1`, `c2`, …, `e` where a group ends), and each part has
    /// controls of its own, named after its id.
    pub fn read(pairs: &[(String, String)]) -> Self {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in pairs {
            values.entry(name).or_default().push(value);
        }
        let tokens = values.get("s").cloned().unwrap_or_default();
        let mut tokens = tokens.into_iter().take(MOST_PARTS);
        let name = values.get("name").and_then(|given| given.first()).copied().unwrap_or_default().to_owned();
        let root = match tokens.next().and_then(|token| token.strip_prefix('g')) {
            Some(id) => group(id.parse().unwrap_or(1), &mut tokens, &values, 0),
            None => return Self { name, ..Self::new() },
        };
        Self { name, root }
    }

    /// Adds or takes away what a button asks for: `add-3`, `group-3`, `remove-4`.
    pub fn change(&mut self, wish: &str) {
        let Some((what, id)) =
            wish.split_once('-').and_then(|(what, id)| Some((what, id.parse::<u32>().ok()?)))
        else {
            return;
        };
        let next = highest(&self.root) + 1;
        let fresh = |id| {
            Part::Condition(Asking {
                id,
                field: "status".to_owned(),
                op: "is".to_owned(),
                values: Vec::new(),
            })
        };
        match what {
            "add" => push(&mut self.root, id, fresh(next)),
            "group" => push(
                &mut self.root,
                id,
                Part::Group { id: next, join: Join::Any, parts: vec![fresh(next + 1)] },
            ),
            "remove" => remove(&mut self.root, id),
            _ => {}
        }
    }

    /// The filter as JSON, and where in it each part stands.
    pub fn filter(&self, context: &Context) -> (Value, BTreeMap<u32, String>) {
        let mut paths = BTreeMap::new();
        let filter = to_json(&self.root, "filter".to_owned(), context, &mut paths);
        (filter, paths)
    }
}

fn group(
    id: u32,
    tokens: &mut dyn Iterator<Item = &str>,
    values: &BTreeMap<&str, Vec<&str>>,
    depth: u32,
) -> Part {
    let given = |name: String| values.get(name.as_str()).map(Vec::as_slice).unwrap_or_default();
    let mut parts = Vec::new();
    while let Some(token) = tokens.next() {
        let (kind, at) = token.split_at(usize::from(!token.is_empty() && token.is_char_boundary(1)));
        let at: u32 = at.parse().unwrap_or_default();
        match kind {
            "g" if depth < 20 => parts.push(group(at, tokens, values, depth + 1)),
            "c" => parts.push(Part::Condition(asking(at, &given))),
            _ => break,
        }
    }
    Part::Group {
        id,
        join: Join::from_word(given(format!("j{id}")).first().copied().unwrap_or_default()),
        parts,
    }
}

/// A condition of the form. Of a field that was just exchanged for another, neither operator nor value means anything.
fn asking<'v, 'a: 'v>(id: u32, given: &dyn Fn(String) -> &'v [&'a str]) -> Asking {
    let first = |name: &str| given(format!("{name}{id}")).first().map(|value| (*value).to_owned());
    let field = first("f").unwrap_or_else(|| "status".to_owned());
    let exchanged = first("w").is_some_and(|was| was != field);
    let (op, values) = if exchanged {
        (String::new(), &[][..])
    } else {
        (first("o").unwrap_or_default(), given(format!("v{id}")))
    };
    Asking { id, field, op, values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn part(node: &Node, negated: bool, context: &Context, next: &mut u32) -> Part {
    let id = *next;
    *next += 1;
    let each =
        |nodes: &[Node], next: &mut u32| nodes.iter().map(|node| part(node, false, context, next)).collect();
    match (node, negated) {
        (Node::All(nodes), false) => Part::Group { id, join: Join::All, parts: each(nodes, next) },
        (Node::All(nodes), true) => Part::Group { id, join: Join::NotAll, parts: each(nodes, next) },
        (Node::Any(nodes), false) => Part::Group { id, join: Join::Any, parts: each(nodes, next) },
        (Node::Any(nodes), true) => Part::Group { id, join: Join::None, parts: each(nodes, next) },
        (Node::Not(node), negated) => part(node, !negated, context, next),
        (Node::Condition(condition), negated) => {
            let Asked { op, values } = operators::ask(condition, context);
            let asking = |id| Part::Condition(Asking { id, field: condition.field.to_string(), op, values });
            if negated {
                *next += 1;
                Part::Group { id, join: Join::None, parts: vec![asking(id + 1)] }
            } else {
                asking(id)
            }
        }
    }
}

fn highest(part: &Part) -> u32 {
    match part {
        Part::Condition(asking) => asking.id,
        Part::Group { id, parts, .. } => parts.iter().map(highest).max().unwrap_or_default().max(*id),
    }
}

fn push(part: &mut Part, into: u32, new: Part) {
    if let Part::Group { id, parts, .. } = part {
        if *id == into {
            parts.push(new);
        } else {
            parts.iter_mut().for_each(|part| push(part, into, new.clone()));
        }
    }
}

/// Takes a part away, and the groups that would be empty without it; the outermost stays.
fn remove(part: &mut Part, gone: u32) {
    if let Part::Group { parts, .. } = part {
        parts.retain(|part| !matches!(part, Part::Group { id, .. } | Part::Condition(Asking { id, .. }) if *id == gone));
        parts.iter_mut().for_each(|part| remove(part, gone));
        parts.retain(|part| !matches!(part, Part::Group { parts, .. } if parts.is_empty()));
    }
}

fn to_json(part: &Part, path: String, context: &Context, paths: &mut BTreeMap<u32, String>) -> Value {
    match part {
        Part::Condition(asking) => {
            paths.insert(asking.id, path);
            let (op, value) = match Field::from_name(&asking.field) {
                Ok(field) => operators::meant(&field, &asking.op, &asking.values, context),
                Err(_) => (asking.op.clone(), Value::Null),
            };
            json!({ "field": asking.field, "op": op, "value": value })
        }
        Part::Group { id, join, parts } => {
            paths.insert(*id, path.clone());
            let (word, negated) = match join {
                Join::All => ("all", false),
                Join::Any => ("any", false),
                Join::None => ("any", true),
                Join::NotAll => ("all", true),
            };
            let at = format!("{path}{}.{word}", if negated { ".not" } else { "" });
            let parts: Vec<Value> = parts
                .iter()
                .enumerate()
                .map(|(n, part)| to_json(part, format!("{at}[{n}]"), context, paths))
                .collect();
            let group = json!({ word: parts });
            if negated { json!({ "not": group }) } else { group }
        }
    }
}
