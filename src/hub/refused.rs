//! Topics that their upstream has just refused, for the subscribers that come back for more.
//!
//! A script may stream and, asked again with the id of its last event, answer 204: there is no
//! more. It says so to the feed. The browsers whose streams end by that come back with their own
//! ids and must be told the same, not be the first subscribers of a new topic, whose feed has no
//! id and would get everything again.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{StartFrom, topic::Topic};
use crate::topic_key::TopicKey;

/// More than this are not remembered: beyond it, subscribers are served anew.
const TOPICS_MAX: usize = 256;
/// What a browser may take on top of its reconnection time.
const SLACK: Duration = Duration::from_secs(10);
/// An upstream may name any reconnection time; nobody is remembered for longer than this.
const RETRY_MAX: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(super) struct Refused {
    topics: Vec<(Instant, Arc<Topic>)>,
}

impl Refused {
    /// Keeps a refused topic for twice its reconnection time and a little more. One that never
    /// had an event is of no use: asked anew, the upstream is asked the same.
    pub fn keep(&mut self, topic: Arc<Topic>) {
        self.forget_old();
        if self.topics.len() < TOPICS_MAX && topic.read().replay.head() > 1 {
            let wait = (topic.retry() * 2).min(RETRY_MAX) + SLACK;
            self.topics.push((Instant::now() + wait, topic));
        }
    }

    /// The refused topic that this client was a subscriber of, by the id that it has.
    pub fn of(&mut self, key: &TopicKey, from: &StartFrom) -> Option<Arc<Topic>> {
        self.forget_old();
        let StartFrom::Resume(id) = from else { return None };
        let mut known = self
            .topics
            .iter()
            .filter(|(_, topic)| topic.key == *key && topic.after(&topic.read(), id).is_some());
        known.next().map(|(_, topic)| topic.clone())
    }

    /// Lets go of their replay buffers, too.
    fn forget_old(&mut self) {
        let now = Instant::now();
        self.topics.retain(|(until, _)| *until > now);
    }
}
