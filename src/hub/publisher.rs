//! A feed's hold on its topic: the only one that appends to it.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    Topics,
    replay::Entry,
    topic::{End, Phase, Topic},
};
use crate::{config::Ids, refusal::Refusal, sse::Event};

/// Dropping it ends the topic for its subscribers.
pub struct Publisher {
    topic: Arc<Topic>,
    topics: Arc<Topics>,
    /// Sequence number of the next entry.
    next: u64,
    last_event_id: Option<Bytes>,
    /// The event before, where repeats are dropped.
    before: Option<Event>,
    encoded: BytesMut,
    entries: Vec<Entry>,
}

/// Tells when nobody has listened for the linger time.
pub struct Abandonment {
    topic: Arc<Topic>,
    topics: Arc<Topics>,
    occupied: watch::Receiver<bool>,
}

impl Publisher {
    pub(super) fn new(topic: Arc<Topic>, topics: Arc<Topics>) -> Self {
        topic.policy.metrics.topics.inc();
        Self {
            topic,
            topics,
            next: 1,
            last_event_id: None,
            before: None,
            encoded: BytesMut::new(),
            entries: Vec::new(),
        }
    }

    /// The upstream has answered, or is in trouble that stays hidden: nobody waits any longer.
    pub fn open(&self) {
        self.topic.enter_phase(Phase::Open);
    }

    /// The upstream said something else than a stream, on purpose: the topic ends with it.
    pub fn refuse(self, refusal: Refusal) {
        // In the table before it ends: who is sent away by the end finds it there.
        self.topics.refused.lock().keep(self.topic.clone());
        self.topic.enter_phase(Phase::Ended(End::Refused(Arc::new(refusal))));
    }

    /// Publishes what one read of the upstream gave, in one critical section and with one wake.
    pub fn publish(&mut self, events: impl IntoIterator<Item = Event>, read_at: Instant) {
        for event in events {
            self.take(event, read_at);
        }
        if !self.entries.is_empty() {
            self.next += self.entries.len() as u64;
            self.topic.append(self.entries.drain(..));
        }
    }

    pub fn abandonment(&self) -> Abandonment {
        Abandonment {
            topic: self.topic.clone(),
            topics: self.topics.clone(),
            occupied: self.topic.occupied(),
        }
    }

    /// Encodes one block, once for all subscribers (law 2).
    fn take(&mut self, mut event: Event, read_at: Instant) {
        if let Some(retry) = event.retry {
            self.topic.set_retry(Duration::from_millis(retry));
        }
        if event.data.is_some() && self.is_repeat(&event) {
            return;
        }
        let names_id = event.id.is_some();
        match self.topic.policy.ids {
            Ids::Upstream => {
                if let Some(id) = &event.id {
                    self.last_event_id = Some(Bytes::copy_from_slice(id.as_bytes()));
                }
            }
            Ids::Assign => {
                let sequence = self.next + self.entries.len() as u64;
                event.id = event.data.is_some().then(|| self.topic.epoch.id(sequence));
            }
        }
        event.encode(&mut self.encoded);
        if self.encoded.is_empty() {
            return; // An id of the upstream's alone, where the ids are the gateway's.
        }
        if event.data.is_some() {
            self.topic.policy.metrics.published.inc();
        }
        self.entries.push(Entry {
            bytes: self.encoded.split().freeze(),
            last_event_id: self.last_event_id.clone(),
            dispatches: event.data.is_some(),
            names_id,
            read_at,
        });
    }

    fn is_repeat(&mut self, event: &Event) -> bool {
        if !self.topic.policy.dedupe {
            return false;
        }
        let same =
            |before: &Event| before.event_type == event.event_type && before.data == event.data;
        let repeat = self.before.as_ref().is_some_and(same);
        if !repeat {
            self.before = Some(event.clone());
        }
        repeat
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.topics.remove(&self.topic);
        self.topic.policy.metrics.topics.dec();
        self.topic.enter_phase(Phase::Ended(End::Stopped));
    }
}

impl Abandonment {
    /// Waits until no connection has been interested for the linger time, and takes the topic
    /// out of the table in the same critical section that saw it empty: whoever comes later
    /// gets a new one. Cancel-safe: the linger starts anew.
    pub async fn wait(&mut self) {
        loop {
            // The sender lives in the topic, which this holds: it cannot be gone.
            let _ = self.occupied.wait_for(|occupied| !occupied).await;
            tokio::select! {
                _ = self.occupied.wait_for(|occupied| *occupied) => continue,
                () = sleep(self.topic.policy.linger) => {}
            }
            if self.topics.remove_if_empty(&self.topic) {
                return;
            }
        }
    }
}

impl Topics {
    /// Forgets a topic, unless another has come in its place.
    fn remove(&self, topic: &Arc<Topic>) {
        let mut map = self.map.lock();
        if map.get(&topic.key).is_some_and(|kept| Arc::ptr_eq(kept, topic)) {
            map.remove(&topic.key);
        }
    }

    fn remove_if_empty(&self, topic: &Arc<Topic>) -> bool {
        let mut map = self.map.lock();
        // Interests are added under the table's lock, so none can come in between.
        let empty = topic.interest_count() == 0;
        if empty && map.get(&topic.key).is_some_and(|kept| Arc::ptr_eq(kept, topic)) {
            map.remove(&topic.key);
        }
        empty
    }
}
