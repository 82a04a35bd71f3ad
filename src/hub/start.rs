//! Where a new subscriber begins, and what it is told first.

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::{Membership, topic::State};
use crate::{
    config::{Ids, LateJoin},
    metrics::StartKind,
    sse::{self, Event},
};

/// What a client said of its past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartFrom {
    Fresh,
    /// The last event ID that it has; any bytes but NUL, LF and CR.
    Resume(Bytes),
}

/// A subscriber's beginning.
#[derive(Debug)]
pub struct Start {
    pub kind: StartKind,
    /// Sequence number of the first event that it gets.
    pub cursor: u64,
    /// To be written before anything else: the reconnection time, what was missed, the id.
    pub preamble: Bytes,
}

impl Membership {
    /// Finds the place of a new subscriber, not beyond `head`, which is how far the connection
    /// has read: from there on it shares the connection's cursor.
    pub fn start(&self, from: &StartFrom, head: u64) -> Start {
        let state = self.topic.read();
        let (kind, cursor) = self.place(&state, from, head);
        let mut preamble = BytesMut::with_capacity(64);
        sse::retry_line(state.retry.unwrap_or(self.policy().retry), &mut preamble);
        if kind == StartKind::Missed {
            sse::comment("missed: the last event ID is not in the replay buffer", &mut preamble);
        }
        // Every blank line makes the client's last event ID what this stream has said so far
        // (WHATWG HTML 9.2.6), so the id that belongs to this place is said first: events
        // without one inherit it, and a client that leaves before its first event can resume.
        if let Some(id) = self.id_before(&state, cursor) {
            Event { id: Some(id), ..Event::default() }.encode(&mut preamble);
        }
        Start { kind, cursor, preamble: preamble.freeze() }
    }

    fn place(&self, state: &State, from: &StartFrom, head: u64) -> (StartKind, u64) {
        let found = match from {
            StartFrom::Fresh => return (StartKind::Live, self.late_join(state, head)),
            StartFrom::Resume(id) => self.topic.after(state, id).filter(|cursor| *cursor <= head),
        };
        match found {
            Some(cursor) => (StartKind::Replayed, cursor),
            None => (StartKind::Missed, self.late_join(state, head)),
        }
    }

    fn late_join(&self, state: &State, head: u64) -> u64 {
        let now = Instant::now();
        // What came while a request waited may have left the buffer already.
        let head = head.max(state.replay.first());
        match self.policy().late_join {
            LateJoin::Live => head,
            LateJoin::Last => state.replay.last_event(now).min(head),
            LateJoin::All => state.replay.oldest(now).min(head),
        }
    }

    fn id_before(&self, state: &State, cursor: u64) -> Option<String> {
        match self.policy().ids {
            Ids::Assign => Some(self.topic.epoch.id(cursor - 1)),
            Ids::Upstream => {
                let id = state.replay.id_before(cursor).filter(|id| !id.is_empty())?;
                Some(String::from_utf8_lossy(id).into_owned())
            }
        }
    }
}
