//! A filter: conditions joined by all, any and not, kept as data and understood anew each time.
//!
//! Promises: what was parsed is within limits and asks only what can be asked; each mistake is told with the path
//! of the condition it is in. A filter whose names are gone (a deleted stage, say) matches nobody rather than
//! somebody else.
//! Does not: reach the database, or hold any SQL.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{
    context::Context,
    fields::{Field, Op},
    operand::{self, Operand},
};
use crate::error::{Error, FieldErrors, Result};

/// The version of the shape that is stored. A later program reads every version before its own.
pub const VERSION: i16 = 1;
/// Groups within groups.
const MOST_DEPTH: usize = 8;
/// Conditions and groups together.
const MOST_NODES: usize = 200;

/// Which contacts are meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub root: Node,
}

/// A group or a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Every part holds; of none, everybody.
    All(Vec<Node>),
    /// At least one part holds.
    Any(Vec<Node>),
    Not(Box<Node>),
    Condition(Condition),
}

/// One question about a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub field: Field,
    pub op: Op,
    /// As written; what it means depends on the tenant.
    pub value: Value,
}

impl Filter {
    /// A filter that everybody passes.
    pub fn everybody() -> Self {
        Self { root: Node::All(Vec::new()) }
    }

    /// Reads `{"all": [{"field": "status", "op": "is", "value": "lead"}, {"any": […]}, {"not": {…}}]}`.
    ///
    /// # Errors
    /// [`Error::Invalid`], each entry named by its path, such as `filter.all[1].op`.
    pub fn parse(value: &Value) -> Result<Self> {
        let mut reader = Reader { errors: FieldErrors::new(), nodes: 0 };
        let root = reader.node(value, "filter".to_owned(), 0);
        match root {
            Some(root) if reader.errors.is_empty() => Ok(Self { root }),
            _ => Err(Error::Invalid(reader.errors)),
        }
    }

    /// Whether everything it names exists for this tenant, and custom fields are asked what their type allows.
    ///
    /// # Errors
    /// As of [`Filter::parse`].
    pub fn check(&self, context: &Context) -> Result<()> {
        let mut errors = FieldErrors::new();
        check(&self.root, "filter".to_owned(), context, &mut errors);
        if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
    }

    /// The filter as it is stored and sent.
    pub fn to_json(&self) -> Value {
        to_json(&self.root)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl Condition {
    /// What the value means, given what is known of the tenant.
    pub fn operand(&self, context: Option<&Context>) -> Result<Operand, Mistake> {
        let kind = self.field.kind(context);
        if !kind.ops().contains(&self.op) {
            let ops: Vec<&str> = kind.ops().iter().map(|op| op.as_str()).collect();
            return Err(Mistake::Op(format!("{} takes {}.", self.field, ops.join(", "))));
        }
        operand::read(kind, self.op, &self.value, context).map_err(Mistake::Value)
    }
}

/// What is wrong with a condition, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    Op(String),
    Value(String),
}

impl Mistake {
    fn note(self, path: &str, errors: &mut FieldErrors) {
        let (part, words) = match self {
            Self::Op(words) => ("op", words),
            Self::Value(words) => ("value", words),
        };
        errors.insert(format!("{path}.{part}").into(), words);
    }
}

struct Reader {
    errors: FieldErrors,
    nodes: usize,
}

impl Reader {
    fn refuse(&mut self, path: String, words: impl Into<String>) {
        self.errors.entry(path.into()).or_insert_with(|| words.into());
    }

    fn node(&mut self, value: &Value, path: String, depth: usize) -> Option<Node> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            self.refuse("filter".to_owned(), format!("A filter has at most {MOST_NODES} conditions."));
            return None;
        }
        if depth > MOST_DEPTH {
            self.refuse(path, format!("Groups can be nested {MOST_DEPTH} deep."));
            return None;
        }
        let Value::Object(map) = value else {
            self.refuse(path, "Write a condition {\"field\", \"op\", \"value\"} or a group {\"all\": […]}.");
            return None;
        };
        let groups: Vec<&str> =
            ["all", "any", "not"].into_iter().filter(|key| map.contains_key(*key)).collect();
        match groups.as_slice() {
            [] if map.contains_key("field") => self.condition(map, &path).map(Node::Condition),
            [group] if map.len() == 1 => self.group(group, &map[*group], &format!("{path}.{group}"), depth),
            _ => {
                self.refuse(path, "Give field, op and value, or exactly one of all, any and not.");
                None
            }
        }
    }

    fn group(&mut self, group: &str, value: &Value, path: &str, depth: usize) -> Option<Node> {
        if group == "not" {
            return self.node(value, path.to_owned(), depth + 1).map(|node| Node::Not(Box::new(node)));
        }
        let Value::Array(parts) = value else {
            self.refuse(path.to_owned(), "A list of conditions is expected.");
            return None;
        };
        if parts.is_empty() && (group == "any" || depth > 0) {
            self.refuse(path.to_owned(), "Add a condition, or take the group away.");
            return None;
        }
        let mut nodes = Vec::with_capacity(parts.len().min(MOST_NODES));
        for (at, part) in parts.iter().enumerate() {
            nodes.extend(self.node(part, format!("{path}[{at}]"), depth + 1));
            if self.nodes > MOST_NODES {
                return None;
            }
        }
        Some(if group == "all" { Node::All(nodes) } else { Node::Any(nodes) })
    }

    fn condition(&mut self, map: &Map<String, Value>, path: &str) -> Option<Condition> {
        if let Some(odd) = map.keys().find(|key| !["field", "op", "value"].contains(&key.as_str())) {
            let odd: String = odd.chars().take(40).collect();
            self.refuse(path.to_owned(), format!("A condition has field, op and value, not “{odd}”."));
            return None;
        }
        let field = match map.get("field").and_then(Value::as_str).map(Field::from_name) {
            Some(Ok(field)) => Some(field),
            Some(Err(words)) => {
                self.refuse(format!("{path}.field"), words);
                None
            }
            None => {
                self.refuse(format!("{path}.field"), "The name of a field is expected.");
                None
            }
        };
        let op = map.get("op").and_then(Value::as_str).and_then(Op::from_word);
        if op.is_none() {
            let ops = Op::ALL.map(Op::as_str).join(", ");
            self.refuse(format!("{path}.op"), format!("Use one of {ops}."));
        }
        let condition =
            Condition { field: field?, op: op?, value: map.get("value").cloned().unwrap_or(Value::Null) };
        match condition.operand(None) {
            Ok(_) => Some(condition),
            Err(mistake) => {
                mistake.note(path, &mut self.errors);
                None
            }
        }
    }
}

fn check(node: &Node, path: String, context: &Context, errors: &mut FieldErrors) {
    match node {
        Node::All(parts) | Node::Any(parts) => {
            let group = if matches!(node, Node::All(_)) { "all" } else { "any" };
            for (at, part) in parts.iter().enumerate() {
                check(part, format!("{path}.{group}[{at}]"), context, errors);
            }
        }
        Node::Not(part) => check(part, format!("{path}.not"), context, errors),
        Node::Condition(condition) => {
            if let Err(mistake) = condition.operand(Some(context)) {
                mistake.note(&path, errors);
            }
        }
    }
}

fn to_json(node: &Node) -> Value {
    match node {
        Node::All(parts) => json!({ "all": parts.iter().map(to_json).collect::<Vec<_>>() }),
        Node::Any(parts) => json!({ "any": parts.iter().map(to_json).collect::<Vec<_>>() }),
        Node::Not(part) => json!({ "not": to_json(part) }),
        Node::Condition(Condition { field, op, value }) => {
            let mut map = Map::from_iter([
                ("field".to_owned(), field.to_string().into()),
                ("op".to_owned(), op.as_str().into()),
            ]);
            if !value.is_null() {
                map.insert("value".to_owned(), value.clone());
            }
            Value::Object(map)
        }
    }
}
