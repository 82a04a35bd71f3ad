//! What a kind of feed has to offer. HTTP is the only one so far; the hub never notices which.

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

use super::contradiction::Contradiction;
use crate::{refusal::Refusal, topic_key::TopicKey};

/// Opens event streams for topics.
#[async_trait]
pub(super) trait FeedKind: Send + Sync {
    /// Asks for the topic's stream, from the feed's own last event ID on.
    async fn connect(
        &self,
        key: &TopicKey,
        last_event_id: Option<&str>,
    ) -> Result<Answer, ConnectError>;
}

/// What the upstream said.
pub(super) enum Answer {
    Stream {
        body: Box<dyn Chunks>,
        /// What its head says against sharing it.
        contradictions: Vec<Contradiction>,
    },
    /// Something else, on purpose: to be relayed.
    Refused(Refusal),
}

/// The body of an open event stream.
#[async_trait]
pub(super) trait Chunks: Send {
    /// The next bytes; `None` at the stream's end, whether clean or not: nothing tells a script
    /// that was killed from one that was done.
    async fn next(&mut self) -> Option<Bytes>;
}

/// Trouble that may pass, and that subscribers are not shown.
#[derive(Debug, Error)]
pub(super) enum ConnectError {
    #[error("its name cannot be looked up: {0}; check 'address'")]
    Resolve(#[source] std::io::Error),
    #[error("it cannot be reached: {0}; is it running, and is 'address' right?")]
    Connect(String),
    #[error("it broke off before its response head: {0}")]
    Head(String),
    #[error("it answered {0}; see its own error log")]
    Status(u16),
    #[error("it sent 'Content-Encoding: {0}' unasked; switch compression off for event streams")]
    Encoded(String),
}

impl ConnectError {
    /// The label of `sluice_upstream_connects_total`.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Resolve(_) => "resolve_error",
            Self::Connect(_) => "connect_error",
            Self::Head(_) => "head_error",
            Self::Status(_) => "status_5xx",
            Self::Encoded(_) => "encoded",
        }
    }
}
