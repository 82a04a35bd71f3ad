//! One topic: its replay buffer, and the connections to be woken.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use slab::Slab;
use tokio::sync::watch;

use super::{
    Mailbox, Policy,
    ids::Epoch,
    replay::{Entry, ReplayBuffer},
};
use crate::{config::Ids, refusal::Refusal, topic_key::TopicKey};

/// How far a topic's feed has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The upstream has not answered yet.
    Opening,
    /// It has answered with a stream, or had trouble that subscribers are not shown (law 6).
    Open,
    Ended(End),
}

/// Why a topic ended. What was kept can still be read.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The upstream said something else than a stream, on purpose.
    Refused(Arc<Refusal>),
    /// Its feed stopped.
    Stopped,
}

pub(super) struct Topic {
    pub key: TopicKey,
    pub policy: Arc<Policy>,
    pub epoch: Epoch,
    state: RwLock<State>,
    /// Whether any connection is interested; the feed's linger watches it.
    occupied: watch::Sender<bool>,
}

/// What the lock guards. Readers hold it shared, so that woken connections read side by side
/// while the publisher still wakes others.
pub(super) struct State {
    pub replay: ReplayBuffer,
    pub phase: Phase,
    /// The upstream's own reconnection time, once it has said one.
    pub retry: Option<Duration>,
    interests: Slab<Interest>,
}

/// A connection that is to be woken; one for all its streams of this topic.
pub(super) struct Interest {
    mailbox: Arc<Mailbox>,
    slot: u32,
    /// Posted and not yet read: one post wakes for any number of events.
    posted: AtomicBool,
}

impl Topic {
    pub fn new(key: TopicKey, policy: Arc<Policy>) -> Self {
        let state = State {
            replay: ReplayBuffer::new(policy.replay.clone()),
            phase: Phase::Opening,
            retry: None,
            interests: Slab::new(),
        };
        Self {
            key,
            policy,
            epoch: Epoch::random(),
            state: RwLock::new(state),
            occupied: watch::Sender::new(false),
        }
    }

    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    /// Adds a connection; it will be woken for everything after the returned head. One critical
    /// section, so that replay and live join without gap or double (law 8).
    pub fn enter(&self, mailbox: Arc<Mailbox>, slot: u32) -> (usize, u64) {
        let mut state = self.state.write();
        let posted = AtomicBool::new(false);
        let interest = state.interests.insert(Interest { mailbox, slot, posted });
        self.occupied.send_replace(true);
        (interest, state.replay.head())
    }

    pub fn leave(&self, interest: usize) {
        let mut state = self.state.write();
        state.interests.remove(interest);
        if state.interests.is_empty() {
            self.occupied.send_replace(false);
        }
    }

    pub fn occupied(&self) -> watch::Receiver<bool> {
        self.occupied.subscribe()
    }

    pub fn interest_count(&self) -> usize {
        self.state.read().interests.len()
    }

    /// Appends and wakes each interested connection once.
    pub fn append(&self, entries: impl Iterator<Item = Entry>) {
        let mut state = self.state.write();
        let before = state.replay.bytes();
        entries.for_each(|entry| state.replay.push(entry));
        let grown = state.replay.bytes() as i64 - before as i64;
        self.policy.metrics.process.replay_buffer_bytes.add(grown);
        RwLockWriteGuard::downgrade(state).wake_all();
    }

    /// Moves to another phase, and tells the connections. An ended topic stays ended.
    pub fn enter_phase(&self, phase: Phase) {
        let mut state = self.state.write();
        if !matches!(state.phase, Phase::Ended(_)) && state.phase != phase {
            state.phase = phase;
            RwLockWriteGuard::downgrade(state).wake_all();
        }
    }

    /// The cursor after the event with this id, if everything after it is still kept.
    pub fn after(&self, state: &State, id: &[u8]) -> Option<u64> {
        match self.policy.ids {
            Ids::Upstream => state.replay.after_id(id),
            Ids::Assign => {
                let cursor = self.epoch.sequence(id)?.checked_add(1)?;
                (state.replay.resumable()..=state.replay.head()).contains(&cursor).then_some(cursor)
            }
        }
    }

    /// What clients are told to wait before they reconnect.
    pub fn retry(&self) -> Duration {
        self.state.read().retry.unwrap_or(self.policy.retry)
    }

    pub fn set_retry(&self, retry: Duration) {
        self.state.write().retry = Some(retry);
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        let kept = self.state.get_mut().replay.bytes() as i64;
        self.policy.metrics.process.replay_buffer_bytes.sub(kept);
    }
}

impl State {
    /// Lets the next append post again. To be called before the head is read.
    pub fn acknowledge(&self, interest: usize) {
        self.interests[interest].posted.store(false, Relaxed);
    }

    fn wake_all(&self) {
        for (_, interest) in &self.interests {
            // Relaxed suffices: the lock orders a reader's clearing before or after this append.
            if !interest.posted.swap(true, Relaxed) {
                interest.mailbox.post(interest.slot);
            }
        }
    }
}
