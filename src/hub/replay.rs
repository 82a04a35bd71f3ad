//! The kept events of one topic: a ring addressed by sequence number.
//!
//! Bounded by events, bytes and age, and for a burst by bytes alone (law 5). Holds encoded events
//! only; what a subscriber gets of them is decided by its cursor.

use std::{
    collections::{VecDeque, vec_deque},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use crate::config::Replay;

/// What is over the bounds stays readable this long for connections that are on their way to it:
/// one read of the upstream may hold thousands of small events, more than the whole buffer.
const BURST_AGE: Duration = Duration::from_secs(1);
/// But never more than the bound on bytes, or than this where that is less, behind the first of
/// them: four reads of the upstream (Pingora reads 64 KiB at once). The first itself may be as
/// large as events get: what comes right behind it must not push it out before it could be read.
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

/// The ring and its two parts:
///
/// ```text
/// first          oldest                 head
///   | burst rest   | replay buffer        |
/// ```
#[derive(Debug)]
pub(super) struct ReplayBuffer {
    entries: VecDeque<Entry>,
    /// Sequence number of the first readable entry. The first of a topic is 1, so that `0` can be
    /// the position before everything.
    first: u64,
    /// Sequence number of the oldest entry within the bounds: new subscribers begin here at most.
    oldest: u64,
    /// Bytes of all entries.
    bytes: usize,
    /// Bytes of those within the bounds.
    bounded_bytes: usize,
    bounds: Replay,
    /// The newest entry that was dropped, without its bytes: its id may still be asked for.
    dropped: Option<Entry>,
}

impl ReplayBuffer {
    pub fn new(bounds: Replay) -> Self {
        Self {
            entries: VecDeque::new(),
            first: 1,
            oldest: 1,
            bytes: 0,
            bounded_bytes: 0,
            bounds,
            dropped: None,
        }
    }

    /// The cursor of a subscriber that has everything.
    pub fn head(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The least cursor that can still be read from.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The least cursor that a client can resume from.
    pub fn resumable(&self) -> u64 {
        self.oldest
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends an entry and drops what is over the bounds. The newest one always stays: a
    /// subscriber that is at the head must get it, however large it is.
    pub fn push(&mut self, entry: Entry) {
        let now = entry.read_at;
        self.bytes += entry.bytes.len();
        self.bounded_bytes += entry.bytes.len();
        self.entries.push_back(entry);
        while self.oldest + 1 < self.head() && self.is_over(now) {
            self.bounded_bytes -= self.entry(self.oldest).bytes.len();
            self.oldest += 1;
        }
        while self.first < self.oldest && !self.is_burst(now) {
            self.drop_first();
        }
    }

    /// The entries from `cursor` on; `None` if the cursor has fallen out of the buffer.
    pub fn range(&self, cursor: u64, until: u64) -> Option<vec_deque::Iter<'_, Entry>> {
        let from = cursor.checked_sub(self.first)? as usize;
        let to = until.min(self.head()).checked_sub(self.first)? as usize;
        Some(self.entries.range(from.min(to)..to))
    }

    /// The oldest cursor within the bounds at `now`; entries age without a push.
    pub fn oldest(&self, now: Instant) -> u64 {
        let kept = self.entries.range((self.oldest - self.first) as usize..);
        let stale = kept.take_while(|e| now.duration_since(e.read_at) > self.bounds.age).count();
        self.oldest + stale as u64
    }

    /// The cursor of the newest entry that dispatches an event, or the head.
    pub fn last_event(&self, now: Instant) -> u64 {
        let mut kept = (self.oldest(now)..self.head()).rev();
        kept.find(|cursor| self.entry(*cursor).dispatches).unwrap_or(self.head())
    }

    /// The last event ID of a client whose cursor this is; unknown once it has fallen out.
    pub fn id_before(&self, cursor: u64) -> Option<&Bytes> {
        self.before(cursor)?.last_event_id.as_ref()
    }

    /// The cursor after the newest entry that named `id` itself. Events after it that inherited
    /// the id are sent again: nothing tells whether the client had them, and none may be lost.
    pub fn after_id(&self, id: &[u8]) -> Option<u64> {
        let names = |entry: &Entry| entry.names_id && entry.last_event_id.as_deref() == Some(id);
        (self.oldest..=self.head()).rev().find(|cursor| self.before(*cursor).is_some_and(names))
    }

    /// Whether the oldest entry within the bounds is to leave them.
    fn is_over(&self, now: Instant) -> bool {
        (self.head() - self.oldest) as usize > self.bounds.events
            || self.bounded_bytes > self.bounds.bytes
            || now.duration_since(self.entry(self.oldest).read_at) > self.bounds.age
    }

    /// Whether the first entry, which is over the bounds, may stay for those on their way.
    fn is_burst(&self, now: Instant) -> bool {
        let first = self.entry(self.first);
        let behind_it = self.bytes - first.bytes.len();
        let most = self.bounds.bytes.max(BURST_BYTES);
        now.duration_since(first.read_at) < BURST_AGE && behind_it <= most
    }

    /// The entry before a cursor, which may have been the last to be dropped.
    fn before(&self, cursor: u64) -> Option<&Entry> {
        match cursor.checked_sub(self.first)? {
            0 => self.dropped.as_ref(),
            kept => self.entries.get(kept as usize - 1),
        }
    }

    /// The entry at a cursor from `first` up to, not including, `head`.
    fn entry(&self, cursor: u64) -> &Entry {
        &self.entries[(cursor - self.first) as usize]
    }

    fn drop_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.bytes.len();
            self.first += 1;
            self.dropped = Some(Entry { bytes: Bytes::new(), ..entry });
        }
    }
}
