//! What a raw origin does on a connection, step by step.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

/// One step of a script. After the last one the connection stays open until the peer leaves.
#[derive(Clone, Debug)]
pub enum Step {
    /// These bytes, in one write.
    Send(Bytes),
    /// Wait until the test lets it go on.
    Pause(Gate),
    /// Wait for another request on the same connection.
    NextRequest,
    /// FIN, and wait for the peer's.
    Finish,
    /// RST.
    Reset,
}

impl Step {
    /// These bytes, in one write.
    pub fn send(bytes: impl AsRef<[u8]>) -> Self {
        Self::Send(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// The head of an answer: the status line is 200's, the rest is the test's.
    pub fn head(headers: &str) -> Self {
        Self::send(format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n"))
    }

    /// A chunk of a chunked body.
    pub fn chunk(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let size = format!("{:x}\r\n", bytes.len());
        Self::send([size.as_bytes(), bytes, b"\r\n"].concat())
    }

    /// The end of a chunked body.
    pub fn last_chunk() -> Self {
        Self::send("0\r\n\r\n")
    }
}

/// What holds a script back until the test opens it.
#[derive(Clone, Debug)]
pub struct Gate {
    passes: Arc<Semaphore>,
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self { passes: Arc::new(Semaphore::new(0)) }
    }

    /// Lets one pause go on: one that waits, or the next.
    pub fn open(&self) {
        self.passes.add_permits(1);
    }

    pub(super) async fn pass(&self) {
        self.passes.acquire().await.expect("never closed").forget();
    }
}
