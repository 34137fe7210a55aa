//! The labels of one file, each once, in the order they turned up.

use std::collections::HashMap;

use crate::contacts::clean;

/// Rows of one file may carry so many different labels; more are a column that holds something else.
const MOST: usize = 200;

#[derive(Default)]
pub(super) struct Labels {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Labels {
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The place of this label, which is now known.
    pub(super) fn place(&mut self, name: String) -> usize {
        let next = self.names.len();
        let place = *self.places.entry(name.to_lowercase()).or_insert(next);
        if place == next {
            self.names.push(name);
        }
        place
    }

    /// Adds the places of the labels that a cell holds.
    pub(super) fn read(&mut self, cell: &str, places: &mut Vec<usize>) -> Result<(), String> {
        for part in cell.split([',', ';', '|']) {
            let Some(name) = clean::line_within(part, 60)? else { continue };
            if self.names.len() >= MOST && !self.places.contains_key(&name.to_lowercase()) {
                return Err(format!("The file holds more than {MOST} different labels."));
            }
            let place = self.place(name);
            if !places.contains(&place) {
                places.push(place);
            }
        }
        Ok(())
    }
}
