//! The middle of the house: topics, what they keep, and who is to be woken.
//!
//! ```text
//! Publisher -> Topic { replay buffer, interests } -> Mailbox of each connection
//!                         ^ Membership reads by cursor
//! ```
//!
//! A subscriber is a number here, the cursor, and it is the connection that holds it. Publishing
//! appends to the replay buffer and posts to each interested connection once (law 1). The hub
//! knows no HTTP, no Pingora and no YAML (law 10), and never waits for a subscriber (law 5).

use std::{collections::HashMap, pin::Pin, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::{
    config::{Ids, LateJoin, Replay},
    metrics::RouteMetrics,
    topic_key::TopicKey,
};

mod ids;
mod mailbox;
mod membership;
mod publisher;
mod refused;
mod replay;
mod start;
mod subscription;
mod topic;

pub use mailbox::Mailbox;
pub use membership::{Batch, Lagged, Membership};
pub use publisher::{Abandonment, Publisher};
pub use start::{Start, StartFrom};
pub use subscription::Subscription;
pub use topic::{End, Phase};

use refused::Refused;
use topic::Topic;

/// All topics, and the feeds that fill them.
#[derive(Default)]
pub struct Hub {
    topics: Arc<Topics>,
    /// The owner of every feed: what still runs when the hub goes is aborted.
    feeds: Mutex<JoinSet<()>>,
}

/// How a route's topics behave.
pub struct Policy {
    pub ids: Ids,
    pub replay: Replay,
    pub late_join: LateJoin,
    pub linger: Duration,
    pub dedupe: bool,
    /// Told to subscribers until the upstream says otherwise.
    pub retry: Duration,
    pub metrics: Arc<RouteMetrics>,
    pub feeds: Arc<dyn Feeds>,
}

/// Where a route's topics come from. The hub does not know of what kind it is.
pub trait Feeds: Send + Sync {
    /// Fills a topic until it is abandoned or refused. It is given the key and nothing else of
    /// any client (law 3). When the future ends, or is dropped, so does the topic.
    fn feed(&self, key: TopicKey, publisher: Publisher) -> FeedFuture;
}

pub type FeedFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Hub {
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a connection interested in a topic, from the topic's current head on. The first
    /// interest of all starts the feed, on the runtime that the caller runs on. `from` is what the
    /// client has: a topic that was refused a moment ago is still refused to its subscribers.
    ///
    /// `mailbox` is posted `slot` whenever there is something new.
    pub fn join(
        &self,
        key: &TopicKey,
        from: &StartFrom,
        policy: &Arc<Policy>,
        mailbox: &Arc<Mailbox>,
        slot: u32,
    ) -> Membership {
        let mut topics = self.topics.map.lock();
        if let Some(topic) = topics.get(key) {
            return Membership::new(topic.clone(), mailbox.clone(), slot);
        }
        if let Some(refused) = self.topics.refused.lock().of(key, from) {
            return Membership::new(refused, mailbox.clone(), slot);
        }
        let topic = Arc::new(Topic::new(key.clone(), policy.clone()));
        topics.insert(key.clone(), topic.clone());
        let membership = Membership::new(topic.clone(), mailbox.clone(), slot);
        drop(topics);
        let publisher = Publisher::new(topic, self.topics.clone());
        self.spawn(policy.feeds.feed(key.clone(), publisher));
        membership
    }

    /// Topics that have a feed.
    pub fn topic_count(&self) -> usize {
        self.topics.map.lock().len()
    }

    /// Connections that are woken when a topic publishes; 0 for a topic without a feed.
    pub fn interest_count(&self, key: &TopicKey) -> usize {
        self.topics.map.lock().get(key).map_or(0, |topic| topic.interest_count())
    }

    fn spawn(&self, feed: FeedFuture) {
        let mut feeds = self.feeds.lock();
        // Reap what has ended since the last start, so that the set does not grow.
        while feeds.try_join_next().is_some() {}
        feeds.spawn(feed);
    }
}

/// The table of topics, shared with the publishers, which leave it when they end.
///
/// Lock order: the map, then the refused ones, then a topic's state; never the other way round.
#[derive(Default)]
struct Topics {
    map: Mutex<HashMap<TopicKey, Arc<Topic>>>,
    refused: Mutex<Refused>,
}

#[cfg(test)]
mod tests;
