//! The planned end of all streams: told once, seen by every connection.
//!
//! Says nothing of how a stream ends; that is the connection's.

use tokio::sync::watch;

/// The side that orders the drain.
#[derive(Debug)]
pub struct Drain {
    signal: watch::Sender<bool>,
}

/// A connection's side.
#[derive(Clone, Debug)]
pub struct DrainWatch {
    signal: watch::Receiver<bool>,
}

impl Drain {
    pub fn new() -> (Self, DrainWatch) {
        let (sender, receiver) = watch::channel(false);
        (Self { signal: sender }, DrainWatch { signal: receiver })
    }

    /// Tells every connection to end its streams and to take no more.
    pub fn start(&self) {
        self.signal.send_replace(true);
    }
}

impl DrainWatch {
    /// Waits until the drain has started. Cancel-safe.
    pub async fn started(&mut self) {
        // An error means that the ordering side is gone: nobody is left to serve for.
        let _ = self.signal.wait_for(|started| *started).await;
    }

    pub fn has_started(&self) -> bool {
        *self.signal.borrow()
    }

    /// The same signal in the shape that Pingora's applications take.
    pub fn as_shutdown_watch(&self) -> watch::Receiver<bool> {
        self.signal.clone()
    }
}
