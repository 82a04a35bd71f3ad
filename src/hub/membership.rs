//! A connection's hold on one topic, whatever number of its streams listen there.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    Mailbox, Policy,
    replay::Entry,
    topic::{Phase, Topic},
};
use crate::topic_key::TopicKey;

/// Interest in a topic; dropping it withdraws the interest.
pub struct Membership {
    pub(super) topic: Arc<Topic>,
    interest: usize,
    joined_at: u64,
}

/// The cursor has fallen out of the replay buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged;

/// Events that were read out, to be written to any number of streams. Reused, so that reading
/// allocates nothing once it has grown.
#[derive(Debug, Default)]
pub struct Batch {
    pub events: Vec<Bytes>,
    /// All of them in one piece, where [`Batch::gather`] has made it.
    pub gathered: Option<Bytes>,
    /// Bytes of all of them.
    pub bytes: usize,
    /// How many dispatch an event; the others only move an id or a reconnection time.
    pub dispatched: u64,
    /// The cursor after the last of them.
    pub next: u64,
    /// When the oldest was read upstream.
    pub read_at: Option<Instant>,
}

impl Membership {
    pub(super) fn new(topic: Arc<Topic>, mailbox: Arc<Mailbox>, slot: u32) -> Self {
        let (interest, joined_at) = topic.enter(mailbox, slot);
        Self { topic, interest, joined_at }
    }

    /// The topic's head when the connection joined: it is woken for everything from here on.
    pub fn joined_at(&self) -> u64 {
        self.joined_at
    }

    pub fn phase(&self) -> Phase {
        self.topic.read().phase.clone()
    }

    pub fn key(&self) -> &TopicKey {
        &self.topic.key
    }

    /// The cursor of a subscriber that has everything.
    pub fn head(&self) -> u64 {
        self.topic.read().replay.head()
    }

    pub fn policy(&self) -> &Arc<Policy> {
        &self.topic.policy
    }

    /// What clients of this topic are told to wait before they reconnect.
    pub fn retry(&self) -> Duration {
        self.topic.retry()
    }

    /// Reads from `cursor` on into `batch`, no further once `bytes` are reached, and lets the
    /// topic post again.
    pub fn read_new(&self, cursor: u64, bytes: usize, batch: &mut Batch) -> Result<Phase, Lagged> {
        batch.clear();
        let state = self.topic.read();
        state.acknowledge(self.interest);
        batch.fill(state.replay.range(cursor, u64::MAX).ok_or(Lagged)?, cursor, bytes);
        Ok(state.phase.clone())
    }

    /// Reads from `cursor` up to `until` into `batch`, one event or more, and no further ones
    /// once `bytes` are reached.
    pub fn read_kept(
        &self,
        cursor: u64,
        until: u64,
        bytes: usize,
        batch: &mut Batch,
    ) -> Result<(), Lagged> {
        batch.clear();
        let state = self.topic.read();
        batch.fill(state.replay.range(cursor, until).ok_or(Lagged)?, cursor, bytes);
        Ok(())
    }

    /// Whether a subscriber with this cursor has fallen out of the replay buffer.
    pub fn has_lagged(&self, cursor: u64) -> bool {
        cursor < self.topic.read().replay.first()
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.topic.leave(self.interest);
    }
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Copies several events into one piece, once for all streams that get them whole, if they
    /// are no more than so many bytes.
    pub fn gather(&mut self, most: usize) {
        self.gathered = match &self.events[..] {
            [event] => Some(event.clone()),
            events if self.bytes <= most => Some(events.concat().into()),
            _ => None,
        };
    }

    /// Lets go of the events, and keeps the capacity. Reading does so first, whatever comes of
    /// it: one topic's events must never be taken for another's.
    pub fn clear(&mut self) {
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        *self = Self { events, ..Self::default() };
    }

    fn fill<'a>(&mut self, entries: impl Iterator<Item = &'a Entry>, cursor: u64, bytes: usize) {
        self.next = cursor;
        for entry in entries {
            self.read_at.get_or_insert(entry.read_at);
            self.bytes += entry.bytes.len();
            self.dispatched += u64::from(entry.dispatches);
            self.next += 1;
            self.events.push(entry.bytes.clone());
            if self.bytes >= bytes {
                break;
            }
        }
    }
}
