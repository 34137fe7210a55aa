//! What the carrier has accepted: compact, never forgotten, and behind a lock that is held for a microsecond.
//!
//! A message's id holds its place, so that no index of ids is needed; messages to one recipient are chained, so
//! that listing them does not read the others. A million short messages take some 250 MB, most of it their texts.
//!
//! A status is not stored but told by the time that has passed: nothing has to wake up to write it down.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::{
    arena::{Arena, Names},
    record::{Entry, Index, Message, Record, Sid, State, pool_sender},
};
use crate::faults::mix;

/// Records per block. Blocks do not move, so that growing never copies what is there.
const BLOCK: usize = 8192;

/// The index of recipients is split, so that growing it copies only a part at a time.
const SHARDS: usize = 64;

/// The end of a chain.
const NONE: Index = Index::MAX;

pub(super) struct Ledger {
    salt: u64,
    started: Instant,
    inner: Mutex<Inner>,
}

struct Inner {
    arena: Arena,
    names: Names,
    blocks: Vec<Vec<Record>>,
    /// The newest message to a recipient, by the hash of the address.
    newest_to: Vec<HashMap<u64, Index>>,
    hasher: RandomState,
}

impl Ledger {
    /// An empty ledger. Its ids differ from those of any other start, even with the same seed: a database that
    /// outlives the simulator must not meet an id twice.
    pub(super) fn new(seed: u64, now: DateTime<Utc>, started: Instant) -> Self {
        let nanoseconds = now.timestamp_nanos_opt().unwrap_or_default().cast_unsigned();
        Self {
            salt: mix(seed ^ mix(nanoseconds)),
            started,
            inner: Mutex::new(Inner {
                arena: Arena::default(),
                names: Names::default(),
                blocks: Vec::new(),
                newest_to: (0..SHARDS).map(|_| HashMap::new()).collect(),
                hasher: RandomState::new(),
            }),
        }
    }

    /// Accepts a message and shows it as it is at that moment.
    pub(super) fn insert<T>(&self, entry: &Entry<'_>, show: impl FnOnce(Message<'_>) -> T) -> (Index, T) {
        let accepted = self.elapsed();
        let mut inner = self.lock();
        let index = inner.len();
        inner.push(index, accepted, entry);
        (index, show(self.view(&inner, index, accepted)))
    }

    /// Shows one message of an account.
    pub(super) fn with<T>(&self, account: &str, sid: &str, show: impl FnOnce(Message<'_>) -> T) -> Option<T> {
        let inner = self.lock();
        let index = self.find(&inner, account, sid)?;
        Some(show(self.view(&inner, index, self.elapsed())))
    }

    /// Shows one message by its place.
    pub(super) fn at<T>(&self, index: Index, show: impl FnOnce(Message<'_>) -> T) -> T {
        let inner = self.lock();
        show(self.view(&inner, index, self.elapsed()))
    }

    /// Shows messages by their places, up to `count` from `start`; returns how many there were.
    pub(super) fn range(&self, start: Index, count: u32, mut show: impl FnMut(Message<'_>)) -> u32 {
        let inner = self.lock();
        let end = inner.len().min(start.saturating_add(count));
        for index in start..end {
            show(self.view(&inner, index, self.elapsed()));
        }
        end.saturating_sub(start)
    }

    /// Shows an account's messages, newest first, starting below `before`, optionally to one recipient only,
    /// until `show` has had enough.
    pub(super) fn newest(
        &self,
        account: &str,
        to: Option<&str>,
        before: Option<Index>,
        mut show: impl FnMut(Index, Message<'_>) -> bool,
    ) {
        let inner = self.lock();
        let before = before.unwrap_or(NONE);
        let elapsed = self.elapsed();
        let mut index = match to {
            Some(to) => inner.newest_to(to),
            None => inner.len().min(before).checked_sub(1).unwrap_or(NONE),
        };
        while index != NONE {
            let record = inner.record(index);
            if index < before && !record.state.is_deleted {
                let message = self.view(&inner, index, elapsed);
                // Different addresses can share a chain when their hashes collide.
                let wanted = message.account == account && to.is_none_or(|to| message.to == to);
                if wanted && !show(index, message) {
                    return;
                }
            }
            index = match to {
                Some(_) => record.previous_to,
                None => index.checked_sub(1).unwrap_or(NONE),
            };
        }
    }

    /// The account that last sent from `sender`, or the one that last sent anything.
    pub(super) fn account_of(&self, sender: &str) -> Option<String> {
        /// How far back a sender is looked for.
        const HORIZON: u32 = 10_000;
        let inner = self.lock();
        let newest = inner.len().checked_sub(1)?;
        let recent = (newest.saturating_sub(HORIZON)..=newest).rev();
        let mut senders = recent.filter(|index| inner.names.name(inner.record(*index).from) == Some(sender));
        let account = inner.record(senders.next().unwrap_or(newest)).account;
        inner.names.name(account).map(str::to_owned)
    }

    /// Cancels a scheduled message; `Some(false)` when it is too late, `None` when there is none.
    pub(super) fn cancel(&self, account: &str, sid: &str) -> Option<bool> {
        self.change(account, sid, |state| {
            state.is_canceled |= state.is_scheduled;
            state.is_canceled
        })
    }

    pub(super) fn redact(&self, account: &str, sid: &str) {
        self.change(account, sid, |state| state.is_redacted = true);
    }

    /// Hides a message from its account; returns whether there was one.
    pub(super) fn delete(&self, account: &str, sid: &str) -> bool {
        self.change(account, sid, |state| state.is_deleted = true).is_some()
    }

    pub(super) fn len(&self) -> Index {
        self.lock().len()
    }

    /// An id in the ledger's shape; with a place that is not taken it serves inbound messages too.
    pub(super) fn sid(&self, index: Index) -> Sid {
        let high = mix(self.salt ^ u64::from(index));
        let low = mix(high) & !u64::from(u32::MAX) | u64::from(index ^ self.mask());
        Sid(high, low)
    }

    /// Reads an id back into a place, if it is one of ours.
    pub(super) fn index(&self, sid: &str) -> Option<Index> {
        let low = u64::from_str_radix(sid.get(18..34)?, 16).ok()?;
        let index = (low & u64::from(u32::MAX)) as u32 ^ self.mask();
        (sid.len() == 34 && self.sid(index).to_string().eq_ignore_ascii_case(sid)).then_some(index)
    }

    fn mask(&self) -> u32 {
        (mix(!self.salt) >> 32) as u32
    }

    fn change<T>(&self, account: &str, sid: &str, change: impl FnOnce(&mut State) -> T) -> Option<T> {
        let mut inner = self.lock();
        let index = self.find(&inner, account, sid)?;
        Some(change(&mut inner.blocks[index as usize / BLOCK][index as usize % BLOCK].state))
    }

    fn find(&self, inner: &Inner, account: &str, sid: &str) -> Option<Index> {
        let index = self.index(sid).filter(|index| *index < inner.len())?;
        let record = inner.record(index);
        (!record.state.is_deleted && inner.names.name(record.account) == Some(account)).then_some(index)
    }

    fn view<'a>(&self, inner: &'a Inner, index: Index, elapsed: u32) -> Message<'a> {
        let record = inner.record(index);
        let to_length = usize::from(record.to_length);
        let body_length = usize::from(record.body_length);
        let callback_length = usize::from(record.callback_length);
        let to = inner.arena.read(record.text, 0, to_length);
        let callback = inner.arena.read(record.text, to_length + body_length, callback_length);
        let age = Duration::from_millis(u64::from(elapsed.saturating_sub(record.accepted)));
        let (status, error_code) = record.status(to, age);
        let sender = inner.names.name(record.from);
        Message {
            sid: self.sid(index),
            account: inner.names.name(record.account).unwrap_or_default(),
            to,
            from: sender.or_else(|| pool_sender(to, status)),
            service: inner.names.name(record.service),
            body: inner.arena.read(record.text, to_length, body_length),
            is_redacted: record.state.is_redacted,
            callback: Some(callback).filter(|url| !url.is_empty()),
            segments: u32::from(record.segments),
            media: record.media,
            created_at: DateTime::from_timestamp_millis(record.created_at).unwrap_or_default(),
            status,
            error_code,
        }
    }

    /// Milliseconds since the start; enough for 49 days.
    fn elapsed(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX)
    }

    /// A panic under the lock can leave at most an unread text in the arena: records are pushed last.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn len(&self) -> Index {
        let last = self.blocks.last().map_or(0, Vec::len);
        (self.blocks.len().saturating_sub(1) * BLOCK + last) as Index
    }

    fn record(&self, index: Index) -> &Record {
        &self.blocks[index as usize / BLOCK][index as usize % BLOCK]
    }

    fn newest_to(&self, to: &str) -> Index {
        let hash = self.hasher.hash_one(to);
        self.newest_to[hash as usize % SHARDS].get(&hash).copied().unwrap_or(NONE)
    }

    fn push(&mut self, index: Index, accepted: u32, entry: &Entry<'_>) {
        let callback = entry.callback.unwrap_or_default();
        let hash = self.hasher.hash_one(entry.to);
        let previous = self.newest_to[hash as usize % SHARDS].insert(hash, index);
        let record = Record {
            text: self.arena.push(&[entry.to, entry.body, callback]),
            created_at: entry.created_at.timestamp_millis(),
            accepted,
            previous_to: previous.unwrap_or(NONE),
            account: self.names.number(Some(entry.account)),
            from: self.names.number(entry.from),
            service: self.names.number(entry.service),
            // All three were judged before and are far below these limits.
            body_length: u16::try_from(entry.body.len()).expect("a text has at most 1,600 characters"),
            callback_length: u16::try_from(callback.len()).expect("an address has at most 2,048 bytes"),
            to_length: u8::try_from(entry.to.len()).expect("a number has at most 15 digits"),
            segments: u8::try_from(entry.segments).unwrap_or(u8::MAX),
            media: entry.media,
            state: State { is_scheduled: entry.is_scheduled, ..State::default() },
        };
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        self.blocks.last_mut().expect("a block was just made sure of").push(record);
    }
}

#[cfg(test)]
mod tests;
