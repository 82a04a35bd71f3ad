//! What the tests share: a hub whose feeds are in the test's own hands.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    config::{Ids, LateJoin, Replay},
    hub::{Batch, FeedFuture, Feeds, Hub, Mailbox, Membership, Policy, Publisher, StartFrom},
    metrics::{Metrics, RouteMetrics},
    sse::Event,
    topic_key::{KeyParts, TopicKey},
};

/// A hub, a policy, and the publishers of all topics that were begun.
pub struct Rig {
    pub hub: Hub,
    pub policy: Arc<Policy>,
    feeds: Arc<ByHand>,
}

/// Hands each publisher to the test.
#[derive(Default)]
struct ByHand {
    begun: Mutex<Vec<(TopicKey, Publisher)>>,
}

impl Feeds for ByHand {
    fn feed(&self, key: TopicKey, publisher: Publisher) -> FeedFuture {
        self.begun.lock().push((key, publisher));
        Box::pin(async {})
    }
}

impl Rig {
    /// A hub whose policy is changed from a roomy one.
    pub fn new(change: impl FnOnce(&mut Policy)) -> Self {
        Self::counted_by(&Arc::default(), change)
    }

    pub fn counted_by(metrics: &Arc<Metrics>, change: impl FnOnce(&mut Policy)) -> Self {
        let feeds = Arc::new(ByHand::default());
        let mut policy = Policy {
            ids: Ids::Assign,
            replay: Replay { events: 100, bytes: 1 << 20, age: Duration::from_secs(600) },
            late_join: LateJoin::Live,
            linger: Duration::from_secs(10),
            dedupe: false,
            retry: Duration::from_secs(3),
            metrics: RouteMetrics::new(metrics, "/events"),
            feeds: feeds.clone(),
        };
        change(&mut policy);
        Self { hub: Hub::new(), policy: Arc::new(policy), feeds }
    }

    /// A connection of its own, interested in `/events`.
    pub fn join(&self) -> Membership {
        self.join_as(&Arc::default(), 0)
    }

    pub fn join_as(&self, mailbox: &Arc<Mailbox>, slot: u32) -> Membership {
        self.hub.join(&key("/events"), &StartFrom::Fresh, &self.policy, mailbox, slot)
    }

    /// The topic's first interest and its publisher.
    pub fn begin(&self) -> (Membership, Publisher) {
        let membership = self.join();
        (membership, self.publisher().expect("a feed was begun"))
    }

    /// The publisher of the topic that was begun first, of those not yet taken.
    pub fn publisher(&self) -> Option<Publisher> {
        let mut begun = self.feeds.begun.lock();
        (!begun.is_empty()).then(|| begun.remove(0).1)
    }
}

pub fn key(path: &str) -> TopicKey {
    TopicKey::new(KeyParts { path: path.to_owned(), ..KeyParts::default() })
}

pub fn event(data: &str) -> Event {
    Event { data: Some(data.to_owned()), ..Event::default() }
}

pub fn with_id(id: &str, data: &str) -> Event {
    Event { id: Some(id.to_owned()), ..event(data) }
}

pub fn retry(millis: u64) -> Event {
    Event { retry: Some(millis), ..Event::default() }
}

/// Publishes all of them as one read of the upstream.
pub fn publish(publisher: &mut Publisher, events: impl IntoIterator<Item = Event>) {
    publisher.publish(events, Instant::now());
}

/// Everything from `cursor` on, as text.
pub fn read(membership: &Membership, cursor: u64) -> String {
    let mut batch = Batch::default();
    membership.read_new(cursor, usize::MAX, &mut batch).expect("the cursor is kept");
    text(&batch.events.concat())
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

pub fn id(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// The slots that are posted now.
pub fn posted(mailbox: &Mailbox) -> Vec<u32> {
    let mut slots = Vec::new();
    let _ = mailbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut slots);
    slots
}

/// Polls once.
pub fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}
