//! One open event stream, as a client sees it, whichever HTTP version carries it.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use http::response::Parts;
use tokio::time::{Instant, timeout_at};

use super::{
    body::ReceivedBody,
    events::{Event, EventReader},
};

/// A stream that is being listened to. Dropping it is how a client leaves.
///
/// While no method is awaited, the client is one that does not read: the connection's own buffer
/// and its windows fill, and then flow control holds the server back.
pub struct SseStream {
    head: Parts,
    body: ReceivedBody,
    reader: EventReader,
    unread: VecDeque<Event>,
    raw: Vec<u8>,
    end: Option<End>,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As the protocol ends a body: last chunk, length reached, END_STREAM, or a plain FIN.
    Clean,
    /// Cut off in the middle, or reset.
    Broken(String),
}

impl SseStream {
    pub(super) fn new(head: Parts, body: ReceivedBody) -> Self {
        Self {
            head,
            body,
            reader: EventReader::default(),
            unread: VecDeque::new(),
            raw: Vec::new(),
            end: None,
        }
    }

    pub fn head(&self) -> &Parts {
        &self.head
    }

    /// A header of the head as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).map_or("", |value| value.to_str().expect("an ASCII header"))
    }

    /// The next event. Panics, with what did arrive, when the stream ends or `patience` runs out.
    pub async fn next_event(&mut self, patience: Duration) -> Event {
        match self.event_or_end(patience).await {
            Some(Ok(event)) => event,
            other => panic!("no event within {patience:?} but {other:?}; got {}", self.text()),
        }
    }

    /// The next `count` events, all of them within `patience`.
    pub async fn next_events(&mut self, count: usize, patience: Duration) -> Vec<Event> {
        let until = Instant::now() + patience;
        let mut events = Vec::with_capacity(count);
        for _ in 0..count {
            events.push(self.next_event(until.saturating_duration_since(Instant::now())).await);
        }
        events
    }

    /// The next event or the end, or nothing when `patience` runs out first.
    pub async fn event_or_end(&mut self, patience: Duration) -> Option<Result<Event, End>> {
        let until = Instant::now() + patience;
        loop {
            if let Some(event) = self.unread.pop_front() {
                return Some(Ok(event));
            }
            if let Some(end) = &self.end {
                return Some(Err(end.clone()));
            }
            timeout_at(until, self.read()).await.ok()?;
        }
    }

    /// The next bytes of the body, as they came; none at the end. Their events stay to be taken.
    pub async fn next_bytes(&mut self, patience: Duration) -> Option<Bytes> {
        let until = Instant::now() + patience;
        match timeout_at(until, self.read()).await {
            Ok(bytes) => bytes,
            Err(_) => panic!("no bytes within {patience:?}; got {}", self.text()),
        }
    }

    /// Reads to the end of the stream and says how it ended. Events stay to be taken.
    pub async fn ended(&mut self, patience: Duration) -> End {
        let until = Instant::now() + patience;
        loop {
            if let Some(end) = &self.end {
                return end.clone();
            }
            if timeout_at(until, self.read()).await.is_err() {
                panic!("no end within {patience:?}; got {}", self.text());
            }
        }
    }

    /// All bytes of the body that were read so far.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The same as text, for comparisons and messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// What a browser would send as Last-Event-ID now.
    pub fn last_event_id(&self) -> &str {
        self.reader.last_event_id()
    }

    /// The reconnection time that the stream told, in milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.reader.retry()
    }

    /// All comments so far, without their colon: heartbeats among them.
    pub fn comments(&self) -> &[String] {
        self.reader.comments()
    }

    async fn read(&mut self) -> Option<Bytes> {
        match self.body.data().await {
            Some(Ok(bytes)) => {
                self.raw.extend_from_slice(&bytes);
                self.reader.read(&bytes, &mut self.unread);
                Some(bytes)
            }
            Some(Err(broken)) => {
                self.end.get_or_insert(End::Broken(broken));
                None
            }
            None => {
                self.end.get_or_insert(End::Clean);
                None
            }
        }
    }
}
