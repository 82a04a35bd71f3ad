//! The hub and its reference, side by side.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    At, Block, CONNECTIONS, Met, Setting, Step, TOPICS,
    connection::{Connection, Hold},
    reference::Life,
};
use crate::{
    hub::{
        Batch, End, Phase, Publisher,
        tests::rig::{Rig, key},
    },
    metrics::Metrics,
};

pub struct World<'a> {
    pub(super) rig: Rig,
    pub(super) setting: Setting,
    pub(super) met: &'a Met,
    /// All there ever were; a topic that died and came again has several.
    pub(super) lives: Vec<Life>,
    /// By topic: its publisher and its life, while it has a feed.
    pub(super) feeds: [Option<(Publisher, usize)>; TOPICS],
    pub(super) connections: [Connection; CONNECTIONS],
    /// Clients that have left: their last event ID, and the sequence number they have all up to.
    pub(super) seen: Vec<Seen>,
    next_number: u64,
    pub(super) batch: Batch,
}

pub(super) struct Seen {
    pub last_id: String,
    pub life: usize,
    pub has_until: u64,
}

impl<'a> World<'a> {
    pub fn new(metrics: &Arc<Metrics>, setting: Setting, met: &'a Met) -> Self {
        let rig = Rig::counted_by(metrics, |policy| {
            policy.ids = setting.ids;
            policy.late_join = setting.late_join;
            policy.replay = setting.replay.clone();
        });
        Self {
            rig,
            setting,
            met,
            lives: Vec::new(),
            feeds: Default::default(),
            connections: Default::default(),
            seen: Vec::new(),
            next_number: 0,
            batch: Batch::default(),
        }
    }

    pub fn take(&mut self, step: Step) {
        match step {
            Step::Publish { topic, blocks } => self.publish(topic, &blocks),
            Step::Open { topic } => self.open(topic),
            Step::Die { topic } => self.die(topic),
            Step::Pass { .. } => unreachable!("the clock is not the world's"),
            Step::Subscribe { at, from } => self.subscribe(at, from),
            Step::Take { connection } => self.connections[connection].take_posts(),
            Step::Read { at, bytes } => self.read(at, bytes),
            Step::Stall { at, which } => {
                if let Some(hold) = self.hold(at)
                    && let Some(subscriber) = hold.subscribers.get_mut(which)
                {
                    subscriber.stalled = true;
                }
            }
            Step::CatchUp { at, which, bytes } => self.catch_up(at, which, bytes),
            Step::Leave { at, which } => self.leave(at, which),
            Step::Close { connection } => {
                (0..TOPICS).for_each(|topic| self.close(At { connection, topic }, None));
                self.connections[connection] = Connection::default();
            }
        }
    }

    /// What must hold after every step.
    pub fn compare(&self) {
        self.connections.iter().for_each(|connection| connection.compare(&self.lives));
        assert_eq!(self.rig.hub.topic_count(), self.feeds.iter().flatten().count());
        let interested = |life| {
            let holds = self.connections.iter().flat_map(|connection| &connection.holds);
            holds.flatten().filter(|hold| hold.life == life).count()
        };
        for (topic, feed) in self.feeds.iter().enumerate() {
            let expected = feed.as_ref().map_or(0, |(_, life)| interested(*life));
            assert_eq!(self.rig.hub.interest_count(&name(topic)), expected);
        }
        let metrics = &self.rig.policy.metrics;
        let alive = |life: &usize| {
            interested(*life) > 0 || self.feeds.iter().flatten().any(|(_, fed)| fed == life)
        };
        let kept: usize =
            (0..self.lives.len()).filter(alive).map(|life| self.lives[life].readable_bytes()).sum();
        assert_eq!(metrics.process.replay_buffer_bytes.get(), kept as i64);
    }

    /// Everybody reads all there is, and leaves.
    pub fn settle(mut self) {
        for at in places() {
            self.connections[at.connection].take_posts();
            while self.hold(at).is_some_and(|hold| hold.head < hold.membership.head()) {
                self.read(at, usize::MAX);
            }
            let subscribers = self.hold(at).map_or(0, |hold| hold.subscribers.len());
            // From the last one, since those that have lagged are taken out.
            (0..subscribers).rev().for_each(|which| self.catch_up(at, which, usize::MAX));
            if let Some(hold) = self.hold(at) {
                assert!(hold.subscribers.iter().all(|one| one.behind.is_none()));
            }
            self.close(at, None);
        }
        let metrics = self.rig.policy.metrics.clone();
        drop(self);
        assert_eq!((metrics.topics.get(), metrics.subscribers.get()), (0, 0));
    }

    fn publish(&mut self, topic: usize, blocks: &[Block]) {
        let Some((publisher, life)) = &mut self.feeds[topic] else { return };
        let life = *life;
        let reference = &mut self.lives[life];
        let (head, dispatched, now) = (reference.head(), reference.dispatched(), Instant::now());
        let mut events = Vec::new();
        for block in blocks {
            self.next_number += 1;
            events.push(reference.take(*block, self.next_number, now));
        }
        let counted = self.rig.policy.metrics.published.get();
        publisher.publish(events, now);
        let counted = self.rig.policy.metrics.published.get() - counted;
        assert_eq!(counted, reference.dispatched() - dispatched);
        if reference.head() > head {
            self.connections.iter_mut().for_each(|connection| connection.expect_post(life));
        }
    }

    fn open(&mut self, topic: usize) {
        let Some((publisher, life)) = &self.feeds[topic] else { return };
        publisher.open();
        self.enter_phase(*life, Phase::Open);
    }

    fn die(&mut self, topic: usize) {
        let Some((publisher, life)) = self.feeds[topic].take() else { return };
        drop(publisher);
        self.enter_phase(life, Phase::Ended(End::Stopped));
    }

    fn enter_phase(&mut self, life: usize, phase: Phase) {
        if self.lives[life].phase != phase {
            self.lives[life].phase = phase;
            self.connections.iter_mut().for_each(|connection| connection.expect_post(life));
        }
    }

    pub(super) fn hold(&mut self, at: At) -> Option<&mut Hold> {
        self.connections[at.connection].holds[at.topic].as_mut()
    }
}

pub(super) fn name(topic: usize) -> crate::topic_key::TopicKey {
    key(&format!("/{topic}"))
}

fn places() -> impl Iterator<Item = At> {
    (0..CONNECTIONS).flat_map(|connection| (0..TOPICS).map(move |topic| At { connection, topic }))
}
