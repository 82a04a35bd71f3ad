//! The kept events of one topic: a ring addressed by sequence number.
//!
//! Bounded by events, bytes and age, and for a burst by bytes alone (law 5). Holds encoded events only; what a subscriber gets
//! of them is decided by its cursor.

use std::{
    collections::{VecDeque, vec_deque},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use crate::config::Replay;

/// A burst is kept this long beyond the bounds on events, bytes and age, so that it does not
/// outrun connections that are about to read it: one read of the upstream may hold thousands of
/// small events, more than the whole buffer.
const BURST_AGE: Duration = Duration::from_secs(1);
/// But never more than this, in bytes: four reads of the upstream (Pingora reads 64 KiB at once).
const BURST_BYTES: usize = 256 * 1024;

/// One kept block of the stream.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// As it goes to every subscriber.
    pub bytes: Bytes,
    /// The last event ID that a client has after this block, where the upstream names the ids.
    pub last_event_id: Option<Bytes>,
    /// Whether the block dispatches an event; an id or a reconnection time alone does not.
    pub dispatches: bool,
    /// Whether the block names its id itself; otherwise it inherits the one before.
    pub names_id: bool,
    /// When its last byte was read upstream.
    pub read_at: Instant,
}

#[derive(Debug)]
pub(super) struct ReplayBuffer {
    entries: VecDeque<Entry>,
    /// Sequence number of the oldest entry. The first of a topic is 1, so that `0` can be the
    /// position before everything.
    first: u64,
    bytes: usize,
    bounds: Replay,
    /// The last event ID of the newest entry that was dropped.
    dropped_id: Option<Bytes>,
}

impl ReplayBuffer {
    pub fn new(bounds: Replay) -> Self {
        Self { entries: VecDeque::new(), first: 1, bytes: 0, bounds, dropped_id: None }
    }

    /// The cursor of a subscriber that has everything.
    pub fn head(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The least cursor that can still be read from.
    pub fn tail(&self) -> u64 {
        self.first
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends an entry and drops what is over the bounds. The newest one always stays: a
    /// subscriber that is at the head must get it, however large it is.
    pub fn push(&mut self, entry: Entry) {
        let now = entry.read_at;
        self.bytes += entry.bytes.len();
        self.entries.push_back(entry);
        while self.entries.len() > 1 && self.is_over(now) {
            self.drop_oldest();
        }
    }

    /// The entries from `cursor` on; `None` if the cursor has fallen out of the buffer.
    pub fn range(&self, cursor: u64, until: u64) -> Option<vec_deque::Iter<'_, Entry>> {
        let from = cursor.checked_sub(self.first)? as usize;
        let to = until.min(self.head()).checked_sub(self.first)? as usize;
        Some(self.entries.range(from.min(to)..to))
    }

    /// The oldest cursor whose entries are within the age bound at `now`.
    pub fn oldest(&self, now: Instant) -> u64 {
        let age = self.bounds.age;
        let stale = self.entries.partition_point(|e| now.duration_since(e.read_at) > age);
        self.first + stale as u64
    }

    /// The cursor of the newest entry that dispatches an event, or the head.
    pub fn last_event(&self, now: Instant) -> u64 {
        let oldest = self.oldest(now);
        (oldest..self.head())
            .rev()
            .find(|cursor| self.entries[(cursor - self.first) as usize].dispatches)
            .unwrap_or(self.head())
    }

    /// The last event ID of a client whose cursor this is.
    pub fn id_before(&self, cursor: u64) -> Option<&Bytes> {
        match cursor.checked_sub(self.first + 1) {
            Some(index) => self.entries.get(index as usize)?.last_event_id.as_ref(),
            None => self.dropped_id.as_ref(),
        }
    }

    /// The cursor after the newest entry that named `id` itself. Events after it that inherited
    /// the id are sent again: nothing tells whether the client had them, and none may be lost.
    pub fn after_id(&self, id: &[u8]) -> Option<u64> {
        let names = |e: &Entry| e.names_id && e.last_event_id.as_deref() == Some(id);
        if let Some(index) = self.entries.iter().rposition(names) {
            return Some(self.first + index as u64 + 1);
        }
        (self.dropped_id.as_deref() == Some(id)).then_some(self.first)
    }

    fn is_over(&self, now: Instant) -> bool {
        let burst = self.entries.front().is_some_and(|e| now.duration_since(e.read_at) < BURST_AGE);
        if burst {
            return self.bytes > self.bounds.bytes.max(BURST_BYTES);
        }
        self.entries.len() > self.bounds.events
            || self.bytes > self.bounds.bytes
            || self.oldest(now) > self.first
    }

    fn drop_oldest(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.bytes.len();
            self.first += 1;
            self.dropped_id = entry.last_event_id;
        }
    }
}
