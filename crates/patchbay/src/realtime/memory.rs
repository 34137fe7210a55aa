//! The latest changes of one node, so that a page can be told what happened while it was on its way to the screen.
//!
//! A page carries the oldest transaction that was under way when it was asked for (`pg_snapshot_xmin`). Whatever was
//! committed later was made by a transaction as new as that one, because older ones had ended. Told too much, a page is
//! fetched once in vain; too little is never told: what this node cannot know is everything, `*`.

use std::{collections::VecDeque, sync::Arc};

use uuid::Uuid;

use super::Change;

/// More than happens while a page travels; a few hundred kilobytes.
const MOST: usize = 512;

pub(super) struct Memory {
    changes: VecDeque<Change>,
    /// Nothing made by this transaction or a later one is missing here.
    complete_from: u64,
}

impl Memory {
    /// Knows nothing.
    pub fn new() -> Self {
        Self { changes: VecDeque::new(), complete_from: u64::MAX }
    }

    /// Forgets everything: what transactions from `from` on make is told from now on.
    pub fn begin(&mut self, from: u64) {
        self.changes.clear();
        self.complete_from = from;
    }

    pub fn keep(&mut self, change: Change) {
        if self.changes.len() == MOST
            && let Some(oldest) = self.changes.pop_front()
        {
            self.complete_from = self.complete_from.max(oldest.made_by.saturating_add(1));
        }
        self.changes.push_back(change);
    }

    /// What may be news to `tenant`'s page that saw all that was older than `since`, as one change.
    pub fn since(&self, since: u64, tenant: Uuid) -> Option<Change> {
        if since < self.complete_from {
            return Some(Change { tenant, events: Arc::from(["*".to_owned()]), made_by: self.complete_from });
        }
        let news = self.changes.iter().filter(|change| change.made_by >= since && change.concerns(tenant));
        let made_by = news.clone().map(|change| change.made_by).max()?;
        let mut events: Vec<String> = news.flat_map(|change| change.events.iter().cloned()).collect();
        events.sort_unstable();
        events.dedup();
        Some(Change { tenant, events: events.into(), made_by })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Uuid = Uuid::from_u128(1);

    fn change(made_by: u64, name: &str) -> Change {
        Change { tenant: OURS, events: Arc::from([name.to_owned()]), made_by }
    }

    fn names(memory: &Memory, since: u64) -> String {
        memory.since(since, OURS).map(|change| change.events.join(" ")).unwrap_or_default()
    }

    #[test]
    fn what_is_as_new_is_told_and_what_was_missed_is_everything() {
        let mut memory = Memory::new();
        assert_eq!(names(&memory, 7), "*", "not listening yet");
        memory.begin(10);
        memory.keep(change(12, "b"));
        memory.keep(change(11, "a"));
        memory.keep(change(12, "b"));
        assert_eq!(names(&memory, 9), "*", "something may have been made before anybody listened");
        assert_eq!(names(&memory, 10), "a b");
        assert_eq!(names(&memory, 12), "b");
        assert_eq!(names(&memory, 13), "");
        assert!(memory.since(10, Uuid::from_u128(2)).is_none(), "another business's");
        for made_by in 20..20 + MOST as u64 {
            memory.keep(change(made_by, "c"));
        }
        assert_eq!(names(&memory, 12), "*", "forgotten");
        assert_eq!(names(&memory, 13), "c");
        memory.begin(600);
        assert_eq!(names(&memory, 599), "*", "the line was down");
    }
}
