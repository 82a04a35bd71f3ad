//! What one block of an event stream says. No reading and no writing of bytes here.

/// One block of an event stream: all that stands up to its blank line (WHATWG HTML 9.2.5).
///
/// It is what this one block says and nothing that an earlier one said: an `id` or `retry` that
/// still holds from before is for the reader of the stream to remember.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event` field; empty means `message`. Always empty where there is no data, since a
    /// type without data says nothing (9.2.6: the buffers are reset and nothing is dispatched).
    pub event_type: String,
    /// The `data` lines joined with LF, the last one's LF stripped. `None`: the block had no
    /// `data` field and dispatches nothing. `Some("")` dispatches an event with empty data.
    pub data: Option<String>,
    /// The `id` field of this block. `None`: it had none, the last event ID stays as it was.
    /// `Some("")` resets it.
    pub id: Option<String>,
    /// The `retry` field of this block: the reconnection time in milliseconds.
    pub retry: Option<u64>,
}

impl Event {
    /// Whether the block says nothing at all: no data, no id, no reconnection time.
    pub fn is_empty(&self) -> bool {
        self.data.is_none() && self.id.is_none() && self.retry.is_none()
    }
}
