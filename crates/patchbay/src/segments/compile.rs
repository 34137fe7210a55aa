//! A filter as SQL over the alias `c` of `patchbay.contacts`. Everything that came from outside is bound; what is
//! pushed as text stands in this file or in the table of fields.
//!
//! Every condition is two-valued where it matters: a negation is written `is not true`, so that a missing value
//! counts as "no" and its negation as "yes". Tables besides contacts are named with the tenant, so that the
//! statement may run on the owner's side.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{Postgres, QueryBuilder};

use super::{
    context::Context,
    fields::{Field, Op, Place},
    filter::{Condition, Filter, Node},
    operand::Operand,
    when::When,
};

type Sql = QueryBuilder<Postgres>;

/// Pushes ` and (<condition>)` over the alias `c`. The caller has already named the tenant:
/// `where c.tenant_id = $1 and c.archived_at is null and c.merged_into is null`.
///
/// A filter that names what is no longer there matches nobody ([`Filter::check`] tells why).
pub fn push_where(sql: &mut Sql, filter: &Filter, context: &Context) {
    sql.push(" and (");
    if filter.check(context).is_ok() {
        push_node(sql, &filter.root, true, context);
    } else {
        sql.push("false");
    }
    sql.push(")");
}

/// Pushes what holds where `node` does, or, unless `wanted`, where it does not. A negation goes down to the
/// conditions (De Morgan), where `not exists` can become a join.
fn push_node(sql: &mut Sql, node: &Node, wanted: bool, context: &Context) {
    let (parts, word) = match node {
        Node::All(parts) => (parts, if wanted { " and " } else { " or " }),
        Node::Any(parts) => (parts, if wanted { " or " } else { " and " }),
        Node::Not(part) => return push_node(sql, part, !wanted, context),
        Node::Condition(condition) => return push_condition(sql, condition, wanted, context),
    };
    if parts.is_empty() {
        sql.push(wanted);
    }
    for (at, part) in parts.iter().enumerate() {
        sql.push(if at > 0 { word } else { "" });
        sql.push("(");
        push_node(sql, part, wanted, context);
        sql.push(")");
    }
}

fn push_condition(sql: &mut Sql, condition: &Condition, wanted: bool, context: &Context) {
    let Ok(operand) = condition.operand(Some(context)) else {
        sql.push("false");
        return;
    };
    let op = condition.op;
    let wanted = wanted != (op == Op::IsNot || matches!(operand, Operand::Present(false)));
    // What asks whether something exists is never unknown.
    let certain = !matches!(condition.field.place(), Place::Column(_) | Place::Property | Place::Clicks);
    sql.push(match (wanted, certain) {
        (true, _) => "(",
        (false, true) => "not (",
        (false, false) => "((",
    });
    match condition.field.place() {
        Place::Column(column) => push_column(sql, column, op, operand, context),
        Place::Labels => push_labels(sql, &operand, context),
        Place::Quotes(column) => push_quotes(sql, column, op, operand, context),
        Place::Clicks => push_clicks(sql, op, &operand, context),
        Place::Campaigns { reached } => push_campaigns(sql, reached, &operand, context),
        Place::DoNotContact => push_do_not_contact(sql, &operand, context),
        Place::Property => {
            if let Field::Property(key) = &condition.field {
                push_property(sql, key, op, operand, context);
            }
        }
    }
    sql.push(if wanted || certain { ")" } else { ") is not true)" });
}

/// What a condition compares: a column, or a custom field as text.
#[derive(Clone, Copy)]
enum Side<'a> {
    Column(&'static str),
    Property(&'a str),
}

impl Side<'_> {
    fn push(self, sql: &mut Sql) {
        match self {
            Self::Column(column) => sql.push(column),
            Self::Property(key) => sql.push("(c.properties ->> ").push_bind(key.to_owned()).push(")"),
        };
    }
}

fn push_column(sql: &mut Sql, column: &'static str, op: Op, operand: Operand, context: &Context) {
    let side = Side::Column(column);
    match operand {
        Operand::Texts(texts) if matches!(column, "c.first_name" | "c.last_name" | "c.state") => {
            // Names are compared without regard to case; there is no index to lose.
            sql.push("lower(").push(column).push(") = any(select lower(t) from unnest(");
            sql.push_bind(texts).push(") t)");
        }
        Operand::Texts(texts) => push_any(sql, column, texts),
        Operand::Ids(ids) => {
            sql.push(column).push(" = any(").push_bind(ids).push(")");
        }
        Operand::Part(part) => {
            let searched = matches!(column, "c.first_name" | "c.last_name" | "c.email" | "c.phone_e164");
            push_part(sql, side, op, &part, searched);
        }
        Operand::When(when) => push_when(sql, column, op, when, context),
        _ => {
            sql.push(column).push(" is not null");
        }
    }
}

/// One value is compared plainly, which planners know best.
fn push_any(sql: &mut Sql, column: &str, mut texts: Vec<String>) {
    sql.push(column);
    if texts.len() == 1 {
        sql.push(" = ").push_bind(texts.swap_remove(0));
    } else {
        sql.push(" = any(").push_bind(texts).push(")");
    }
}

fn push_when(sql: &mut Sql, column: &str, op: Op, when: When, context: &Context) {
    let (comparison, instant) = when.comparison(op, context.now, context.timezone);
    sql.push(column).push(" ").push(comparison).push(" ").push_bind(instant);
}

/// `contains` and `starts_with`, without regard to case and accents. What the search text of a contact holds is
/// looked for there first, where trigrams find it; from three letters on that is worth it.
fn push_part(sql: &mut Sql, side: Side<'_>, op: Op, part: &str, searched: bool) {
    if searched && part.chars().filter(|c| c.is_alphanumeric()).count() >= 3 {
        sql.push("c.search_text like '%' || replace(replace(replace(patchbay.fold(")
            .push_bind(part.to_owned())
            .push(r"), '\', '\\'), '%', '\%'), '_', '\_') || '%' and ");
    }
    let (function, found) = if op == Op::StartsWith { ("starts_with", ")") } else { ("strpos", ") > 0") };
    sql.push(function).push("(patchbay.fold(");
    side.push(sql);
    sql.push("), patchbay.fold(").push_bind(part.to_owned()).push(")").push(found);
}

fn push_labels(sql: &mut Sql, operand: &Operand, context: &Context) {
    sql.push("exists (select from patchbay.contact_labels l where l.tenant_id = ").push_bind(context.tenant);
    sql.push(" and l.contact_id = c.id");
    if let Operand::Ids(ids) = operand {
        sql.push(" and l.label_id = any(").push_bind(ids.clone()).push(")");
    }
    sql.push(")");
}

fn push_quotes(sql: &mut Sql, column: &'static str, op: Op, operand: Operand, context: &Context) {
    sql.push("exists (select from patchbay.quotes q where q.tenant_id = ").push_bind(context.tenant);
    sql.push(" and q.contact_id = c.id");
    match operand {
        Operand::Texts(texts) => {
            sql.push(" and ");
            push_any(sql, column, texts);
        }
        Operand::Numbers(numbers) => {
            sql.push(" and ");
            push_numbers(sql, Side::Column(column), op, numbers);
        }
        _ => {}
    }
    sql.push(")");
}

fn push_numbers(sql: &mut Sql, side: Side<'_>, op: Op, numbers: Vec<String>) {
    side.push(sql);
    let (comparison, end) = match op {
        Op::Gt => (">", ")[1]"),
        Op::Gte => (">=", ")[1]"),
        Op::Lt => ("<", ")[1]"),
        Op::Lte => ("<=", ")[1]"),
        _ => ("= any", ")"),
    };
    // As text, because no type of ours holds every number exactly.
    sql.push("::numeric ").push(comparison).push(" (").push_bind(numbers).push("::numeric[]").push(end);
}

/// Clicks by people. The last click lies before an instant when there is one and none from then on.
fn push_clicks(sql: &mut Sql, op: Op, operand: &Operand, context: &Context) {
    let push_exists = |sql: &mut Sql, bound: Option<(&str, DateTime<Utc>)>| {
        sql.push("exists (select from patchbay.link_clicks k where k.tenant_id = ").push_bind(context.tenant);
        sql.push(" and k.contact_id = c.id and not k.is_bot");
        if let Some((comparison, instant)) = bound {
            sql.push(" and k.at ").push(comparison).push(" ").push_bind(instant);
        }
        sql.push(")");
    };
    match operand {
        Operand::When(when) => match when.comparison(op, context.now, context.timezone) {
            (comparison @ ("<" | "<="), instant) => {
                push_exists(sql, None);
                sql.push(" and not ");
                push_exists(sql, Some((if comparison == "<" { ">=" } else { ">" }, instant)));
            }
            bound => push_exists(sql, Some(bound)),
        },
        Operand::Flag(false) => {
            sql.push("not ");
            push_exists(sql, None);
        }
        _ => push_exists(sql, None),
    }
}

fn push_campaigns(sql: &mut Sql, reached: bool, operand: &Operand, context: &Context) {
    sql.push(if reached {
        "exists (select from patchbay.messages r where r.status in ('sent', 'delivered', 'read') and r.tenant_id = "
    } else {
        "exists (select from patchbay.campaign_recipients r where r.tenant_id = "
    });
    sql.push_bind(context.tenant).push(" and r.contact_id = c.id and r.campaign_id ");
    match operand {
        Operand::Ids(ids) => sql.push("= any(").push_bind(ids.clone()).push("))"),
        _ => sql.push("is not null)"),
    };
}

fn push_do_not_contact(sql: &mut Sql, operand: &Operand, context: &Context) {
    sql.push(if *operand == Operand::Flag(false) { "not " } else { "" });
    sql.push("exists (select from patchbay.do_not_contact d where d.tenant_id = ").push_bind(context.tenant);
    sql.push(" and d.phone_e164 = c.phone_e164)");
}

/// Custom fields. Equality goes by containment, which has an index.
fn push_property(sql: &mut Sql, key: &str, op: Op, operand: Operand, context: &Context) {
    let side = Side::Property(key);
    match operand {
        Operand::Texts(texts) => push_contained(sql, key, texts.into_iter().map(Value::from).collect()),
        Operand::Flag(flag) => push_contained(sql, key, vec![flag.into()]),
        Operand::Loose(values) => push_contained(sql, key, values.iter().flat_map(alike).collect()),
        Operand::Days(days) => {
            push_contained(sql, key, days.into_iter().map(|when| day(when, context).into()).collect());
        }
        Operand::Part(part) => {
            // Quotes, brackets and the like stand differently in the search text.
            let searched = part.chars().all(|c| c.is_alphanumeric() || c == ' ');
            push_part(sql, side, op, &part, searched);
        }
        Operand::Numbers(numbers) if matches!(op, Op::Is | Op::IsNot | Op::In) => {
            let numbers = numbers.iter().filter_map(|number| serde_json::from_str(number).ok());
            push_contained(sql, key, numbers.collect());
        }
        Operand::Numbers(numbers) => {
            sql.push("case when jsonb_typeof(c.properties -> ").push_bind(key.to_owned());
            sql.push(") = 'number' then ");
            push_numbers(sql, side, op, numbers);
            sql.push(" end");
        }
        Operand::When(when) => push_day(sql, side, op, day(when, context)),
        Operand::Present(_) | Operand::Ids(_) => {
            sql.push("coalesce(");
            side.push(sql);
            sql.push(", '') <> ''");
        }
    }
}

fn push_contained(sql: &mut Sql, key: &str, values: Vec<Value>) {
    sql.push("(");
    for (at, value) in values.into_iter().enumerate() {
        sql.push(if at > 0 { " or c.properties @> " } else { "c.properties @> " });
        sql.push_bind(json!({ key: value }));
    }
    sql.push(")");
}

/// Days are stored as text whose order is theirs; what is no day is neither before nor after one.
fn push_day(sql: &mut Sql, side: Side<'_>, op: Op, day: String) {
    let comparison = match op {
        Op::Before | Op::Lt => "<",
        Op::Gte => ">=",
        Op::Lte => "<=",
        _ => ">",
    };
    sql.push("case when ");
    side.push(sql);
    sql.push(" ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' then left(");
    side.push(sql);
    sql.push(r#", 10) collate "C" "#).push(comparison).push(" ").push_bind(day).push(" end");
}

fn day(when: When, context: &Context) -> String {
    when.day(context.now, context.timezone).format("%Y-%m-%d").to_string()
}

/// The forms in which programs leave the same value where no type was defined.
fn alike(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(other @ (Value::Number(_) | Value::Bool(_))) => vec![value.clone(), other],
            _ => vec![value.clone()],
        },
        other => vec![other.clone(), Value::String(other.to_string())],
    }
}
