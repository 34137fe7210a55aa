//! What a search asks of a row, as SQL over the alias `c`. Everything a user gave is bound.

use patchbay_rules::message::Channel;
use serde_json::{Value, json};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::terms::telling_part;
use crate::contacts::{
    contact::{ConsentState, Status},
    filter::Filter,
};

/// One condition of a search.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Lanes(Lanes),
    /// A pattern over `search_text`.
    Like(String),
    /// A column that is compared with one or several words.
    Words(&'static str, Vec<String>),
    /// Nobody's, or one of these members'.
    Owner(Vec<Option<Uuid>>),
    Labels(Vec<Uuid>),
    /// Added by one of these imports.
    Imports(Vec<Uuid>),
    /// A custom field that holds one of these values; each an object of one key.
    Holds(Vec<Value>),
}

/// Status, stage and consent to text messages, which share an index: the values that pass of each. All values of a
/// column that is not asked about are named as well, so that the index serves whichever is.
#[derive(Debug, Clone)]
pub(super) struct Lanes {
    pub(super) status: Vec<String>,
    pub(super) stages: Vec<Uuid>,
    /// Whether contacts without a stage pass.
    pub(super) stageless: bool,
    pub(super) consent: Vec<String>,
}

/// What `filter` asks of a row, with its text terms as patterns.
pub(super) fn conditions(filter: &Filter, patterns: Vec<String>) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = Vec::new();
    if !filter.labels.is_empty() {
        conditions.push(Condition::Labels(filter.labels.clone()));
    }
    if !filter.imports.is_empty() {
        conditions.push(Condition::Imports(filter.imports.clone()));
    }
    if !filter.owners.is_empty() {
        conditions.push(Condition::Owner(filter.owners.clone()));
    }
    if !filter.sources.is_empty() {
        conditions.push(Condition::Words("source", filter.sources.clone()));
    }
    for (channel, column) in [(Channel::Whatsapp, "consent_whatsapp"), (Channel::Email, "consent_email")] {
        let states = consents(filter, channel);
        if !states.is_empty() {
            conditions.push(Condition::Words(column, states));
        }
    }
    conditions.extend(
        filter.properties.iter().map(|(key, values)| {
            Condition::Holds(values.iter().map(|value| json!({ key: value })).collect())
        }),
    );
    conditions.extend(lanes(filter).map(Condition::Lanes));
    conditions.extend(patterns.into_iter().map(Condition::Like));
    conditions
}

fn consents(filter: &Filter, channel: Channel) -> Vec<String> {
    let states = filter.consents.iter().filter(|(of, _)| *of == channel);
    states.map(|(_, state)| state.as_str().to_owned()).collect()
}

fn lanes(filter: &Filter) -> Option<Lanes> {
    let consent = consents(filter, Channel::Sms);
    if filter.status.is_empty() && filter.stages.is_empty() && consent.is_empty() {
        return None;
    }
    let all = |given: Vec<String>, all: &[&str]| {
        if given.is_empty() { all.iter().map(|word| (*word).to_owned()).collect() } else { given }
    };
    let status = filter.status.iter().map(|status| status.as_str().to_owned()).collect();
    Some(Lanes {
        status: all(status, &Status::ALL.map(Status::as_str)),
        stages: if filter.stages.is_empty() { filter.all_stages.clone() } else { filter.stages.clone() },
        stageless: filter.stages.is_empty(),
        consent: all(consent, &ConsentState::ALL.map(ConsentState::as_str)),
    })
}

impl Condition {
    /// Whether an index keeps the rows with this one value in the order of the list, so that walking along it is
    /// enough.
    pub(super) fn is_path(&self) -> bool {
        match self {
            Self::Like(_) | Self::Lanes(_) | Self::Holds(_) => false,
            // There "unknown" is the rule, and not indexed.
            Self::Words("consent_whatsapp" | "consent_email", words) => {
                words.len() == 1 && words[0] != "unknown"
            }
            Self::Words(_, words) => words.len() == 1,
            Self::Owner(owners) => owners.len() == 1,
            Self::Labels(ids) | Self::Imports(ids) => ids.len() == 1,
        }
    }

    /// The same as [`Self::push`] in the words of the search index, which holds these columns beside the trigrams and
    /// answers for all at once. Reading another index as well would be the dearer part.
    pub(super) fn push_beside_text(&self, sql: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Like(pattern) => match telling_part(pattern) {
                Some(part) => {
                    sql.push("c.search_text like ").push_bind(part);
                    sql.push(" and (c.search_text || '') like ").push_bind(pattern.clone());
                }
                None => self.push(sql),
            },
            Self::Lanes(lanes) => lanes.push_beside_text(sql),
            Self::Words("source", words) => {
                sql.push("(c.source || '') = any(").push_bind(words.clone()).push(")");
            }
            Self::Owner(owners) if !owners.contains(&None) => {
                let named: Vec<String> = owners.iter().flatten().map(Uuid::to_string).collect();
                sql.push("(c.owner_id::text) = any(").push_bind(named).push(")");
            }
            other => other.push(sql),
        }
    }

    pub(super) fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Like(pattern) => {
                sql.push("c.search_text like ").push_bind(pattern.clone());
            }
            Self::Words(column, words) => match words.as_slice() {
                [word] => {
                    sql.push("c.").push(column).push(" = ").push_bind(word.clone());
                }
                words => {
                    sql.push("c.").push(column).push(" = any(").push_bind(words.to_vec()).push(")");
                }
            },
            Self::Lanes(lanes) => lanes.push(sql),
            Self::Owner(owners) => push_owner(owners, sql),
            Self::Imports(ids) => match ids.as_slice() {
                [id] => {
                    sql.push("c.import_id = ").push_bind(*id);
                }
                ids => {
                    sql.push("c.import_id = any(").push_bind(ids.to_vec()).push(")");
                }
            },
            Self::Holds(values) => {
                for (at, value) in values.iter().enumerate() {
                    sql.push(if at == 0 { "(" } else { " or " });
                    sql.push("c.properties @> ").push_bind(value.clone());
                }
                sql.push(")");
            }
            Self::Labels(labels) => {
                sql.push("exists (select from patchbay.contact_labels cl where cl.tenant_id = $1 and cl.contact_id = c.id and cl.label_id = any(")
                    .push_bind(labels.clone())
                    .push("))");
            }
        }
    }
}

impl Lanes {
    fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push("c.status = any(").push_bind(self.status.clone());
        sql.push(") and c.consent_sms = any(").push_bind(self.consent.clone());
        sql.push(") and (c.stage_id = any(").push_bind(self.stages.clone());
        sql.push(if self.stageless { ") or c.stage_id is null)" } else { "))" });
    }

    /// Only what narrows: the search index is read once for each value that is named.
    fn push_beside_text(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push("true");
        if self.status.len() < Status::ALL.len() {
            sql.push(" and (c.status || '') = any(").push_bind(self.status.clone()).push(")");
        }
        if self.consent.len() < ConsentState::ALL.len() {
            sql.push(" and (c.consent_sms || '') = any(").push_bind(self.consent.clone()).push(")");
        }
        if !self.stageless {
            let stages: Vec<String> = self.stages.iter().map(Uuid::to_string).collect();
            sql.push(" and (c.stage_id::text) = any(").push_bind(stages).push(")");
        }
    }
}

fn push_owner(owners: &[Option<Uuid>], sql: &mut QueryBuilder<Postgres>) {
    let named: Vec<Uuid> = owners.iter().flatten().copied().collect();
    match (named.as_slice(), owners.contains(&None)) {
        ([], _) => {
            sql.push("c.owner_id is null");
        }
        ([one], false) => {
            sql.push("c.owner_id = ").push_bind(*one);
        }
        (_, nobody) => {
            sql.push("(c.owner_id = any(").push_bind(named).push(")");
            sql.push(if nobody { " or c.owner_id is null)" } else { ")" });
        }
    }
}
