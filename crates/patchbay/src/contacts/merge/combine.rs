//! What becomes of two rows that are merged, and of the kept one when the merge is undone. Pure.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{MergeField, Wish};
use crate::contacts::contact::Status;

/// A contact's row as merging sees it: everything that a merge may change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub status: Status,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub phone_e164: Option<String>,
    pub phone_ext: Option<String>,
    pub phone_raw: Option<String>,
    pub email: Option<String>,
    pub stage_id: Option<Uuid>,
    pub stage_position: f64,
    pub source: Option<String>,
    pub owner_id: Option<Uuid>,
    pub timezone: Option<String>,
    pub state: Option<String>,
    pub postal: Option<String>,
    pub country: Option<String>,
    pub properties: Value,
    pub last_contacted_at: Option<DateTime<Utc>>,
    pub last_replied_at: Option<DateTime<Utc>>,
    pub last_marketed_at: Option<DateTime<Utc>>,
    pub archived_at: Option<DateTime<Utc>>,
}

/// The kept contact as it will be, and what the duplicate's row is left with.
pub(super) fn combine(kept: &Snapshot, merged: &Snapshot, wish: &Wish) -> (Snapshot, Snapshot) {
    let takes = |field: MergeField| wish.take.contains(&field);
    let mut after = kept.clone();
    let mut rest = merged.clone();
    if takes(MergeField::Status) {
        after.status = merged.status;
    }
    pick(
        takes(MergeField::Name),
        &mut after,
        merged,
        |s| (s.first_name.clone(), s.last_name.clone()),
        |s, (first, last)| {
            (s.first_name, s.last_name) = (first, last);
        },
    );
    pick(
        takes(MergeField::Stage),
        &mut after,
        merged,
        |s| s.stage_id.map(|id| (id, s.stage_position)),
        |s, stage| {
            if let Some((id, position)) = stage {
                (s.stage_id, s.stage_position) = (Some(id), position);
            }
        },
    );
    pick(takes(MergeField::Source), &mut after, merged, |s| s.source.clone(), |s, source| s.source = source);
    pick(takes(MergeField::Owner), &mut after, merged, |s| s.owner_id, |s, owner| s.owner_id = owner);
    pick(
        takes(MergeField::Place),
        &mut after,
        merged,
        |s| (s.timezone.clone(), s.state.clone(), s.postal.clone(), s.country.clone()),
        |s, (timezone, state, postal, country)| {
            (s.timezone, s.state, s.postal, s.country) = (timezone, state, postal, country)
        },
    );
    // Addresses change places, so that the one that is not carried on still leads here.
    if merged.phone_e164.is_some() && (takes(MergeField::Phone) || kept.phone_e164.is_none()) {
        (after.phone_e164, after.phone_ext, after.phone_raw) =
            (merged.phone_e164.clone(), merged.phone_ext.clone(), None);
        if kept.phone_e164.is_some() {
            (rest.phone_e164, rest.phone_ext) = (kept.phone_e164.clone(), kept.phone_ext.clone());
        }
    }
    if merged.email.is_some() && (takes(MergeField::Email) || kept.email.is_none()) {
        after.email.clone_from(&merged.email);
        if kept.email.is_some() {
            rest.email.clone_from(&kept.email);
        }
    }
    after.properties =
        Value::Object(combine_properties(&kept.properties, &merged.properties, &wish.take_properties));
    after.last_contacted_at = kept.last_contacted_at.max(merged.last_contacted_at);
    after.last_replied_at = kept.last_replied_at.max(merged.last_replied_at);
    after.last_marketed_at = kept.last_marketed_at.max(merged.last_marketed_at);
    if merged.archived_at.is_none() {
        after.archived_at = None;
    }
    (after, rest)
}

/// Lets `merged`'s value win if it is taken, or if `after` has none.
fn pick<T: Default + PartialEq>(
    takes: bool,
    after: &mut Snapshot,
    merged: &Snapshot,
    get: impl Fn(&Snapshot) -> T,
    set: impl Fn(&mut Snapshot, T),
) {
    let theirs = get(merged);
    if theirs != T::default() && (takes || get(after) == T::default()) {
        set(after, theirs);
    }
}

fn combine_properties(kept: &Value, merged: &Value, take: &[String]) -> Map<String, Value> {
    let take: HashSet<&str> = take.iter().map(String::as_str).collect();
    let mut combined = kept.as_object().cloned().unwrap_or_default();
    for (key, value) in merged.as_object().into_iter().flatten() {
        if take.contains(key.as_str()) || !combined.contains_key(key) {
            combined.insert(key.clone(), value.clone());
        }
    }
    combined
}

/// `before`, but with the present value wherever it is no longer what the merge had made of it.
pub(super) fn restore_unchanged(current: &Snapshot, after: &Snapshot, before: &Snapshot) -> Snapshot {
    macro_rules! each {
        ($($field:ident),*) => {
            Snapshot {
                properties: restore_properties(&current.properties, &after.properties, &before.properties),
                $($field: if current.$field == after.$field { before.$field.clone() } else { current.$field.clone() }),*
            }
        };
    }
    each!(
        status,
        first_name,
        last_name,
        phone_e164,
        phone_ext,
        phone_raw,
        email,
        stage_id,
        stage_position,
        source,
        owner_id,
        timezone,
        state,
        postal,
        country,
        last_contacted_at,
        last_replied_at,
        last_marketed_at,
        archived_at
    )
}

/// The same for custom fields, key by key.
fn restore_properties(current: &Value, after: &Value, before: &Value) -> Value {
    let mut restored = current.as_object().cloned().unwrap_or_default();
    let keys = [after, before].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    for key in keys.filter(|key| current.get(key) == after.get(key)) {
        match before.get(key) {
            Some(value) => restored.insert(key.clone(), value.clone()),
            None => restored.remove(key),
        };
    }
    Value::Object(restored)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn undoing_keeps_what_people_changed_since() {
        let (before, after) = (json!({"a": 1}), json!({"a": 2, "b": 3, "c": 4}));
        let current = json!({"a": 2, "b": 9, "c": 4, "d": 5});
        assert_eq!(restore_properties(&current, &after, &before), json!({"a": 1, "b": 9, "d": 5}));
        assert_eq!(restore_properties(&json!({"a": 2}), &after, &before), json!({"a": 1}));
    }
}
