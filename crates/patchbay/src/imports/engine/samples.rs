//! The first rows of each kind, kept to be looked at.

use serde_json::{Map, Value, json};

use super::{Item, storable};

/// First rows of each kind that are kept to be looked at.
const SAMPLES: usize = 10;

/// The first rows of each kind.
pub(super) struct Samples(Map<String, Value>);

impl Samples {
    pub(super) fn read(stored: &Value) -> Self {
        Self(stored.as_object().cloned().unwrap_or_default())
    }

    /// Takes what is still missing from a batch; `None` when nothing was.
    pub(super) fn take(&mut self, items: &[Item]) -> Option<Value> {
        let mut changed = false;
        for item in items {
            let Value::Array(kept) =
                self.0.entry(item.verdict.kind.as_str()).or_insert_with(|| Value::Array(Vec::new()))
            else {
                continue;
            };
            // After a death rows come here again.
            if kept.len() >= SAMPLES || kept.iter().any(|row| row["row"] == json!(item.number)) {
                continue;
            }
            let cells: Vec<String> =
                item.cells.iter().map(|cell| storable(cell).chars().take(80).collect()).collect();
            let note = item.problem.as_deref().or(item.verdict.note);
            kept.push(json!({"row": item.number, "cells": cells, "note": note.map(storable)}));
            changed = true;
        }
        changed.then(|| Value::Object(self.0.clone()))
    }
}
