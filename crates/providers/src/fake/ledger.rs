//! The fake's bounded memory: the newest messages, oldest forgotten first.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::SubsecRound;

use crate::{
    message::{Found, Lookup},
    status::ProviderStatus,
};

/// A message's number since the start; stays valid when older ones are forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position(u64);

pub(super) struct Ledger {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    forgotten: u64,
    messages: VecDeque<Found>,
}

impl Ledger {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, inner: Mutex::default() }
    }

    pub(super) fn push(&self, message: Found) -> Position {
        let mut inner = self.lock();
        if inner.messages.len() == self.capacity {
            inner.messages.pop_front();
            inner.forgotten += 1;
        }
        inner.messages.push_back(message);
        Position(inner.forgotten + inner.messages.len() as u64 - 1)
    }

    pub(super) fn update(&self, position: Position, status: ProviderStatus, error_code: Option<u32>) {
        let mut inner = self.lock();
        let Some(index) = position.0.checked_sub(inner.forgotten) else { return };
        if let Some(message) = inner.messages.get_mut(index as usize) {
            message.status = status;
            message.error_code = error_code;
        }
    }

    /// Newest first, as Twilio lists.
    pub(super) fn find(&self, query: &Lookup) -> Vec<Found> {
        let since = query.since.trunc_subsecs(0);
        self.lock()
            .messages
            .iter()
            .rev()
            .filter(|message| message.channel == query.channel && message.to == query.to)
            .filter(|message| message.created_at >= since)
            .cloned()
            .collect()
    }

    pub(super) fn all(&self) -> Vec<Found> {
        self.lock().messages.iter().cloned().collect()
    }

    pub(super) fn fetch(&self, provider_message_id: &str) -> Option<Found> {
        self.lock()
            .messages
            .iter()
            .rev()
            .find(|message| message.provider_message_id == provider_message_id)
            .cloned()
    }

    /// Every change is one assignment, so that a panic elsewhere cannot leave half of one behind.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
