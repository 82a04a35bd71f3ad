//! What subscribers see of an upstream that fails or refuses, and of the settings that rule it:
//! the rows of the design's table, against the real binary.

mod feeds;
mod hidden;
mod reconnects;
mod relayed;
mod settings;
mod sizes;

use std::{
    ops::{Deref, DerefMut},
    time::Duration,
};

use crate::{
    client::{Http1, Http2Connection, Protocol, SseStream},
    origin::Step,
    sluice::Sluice,
};

const SOON: Duration = Duration::from_secs(30);
/// Long enough that something would have come, had it been sent.
const A_WHILE: Duration = Duration::from_millis(300);
const CHUNKED: &str = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked";
const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];
const CONNECTS: &str = "sluice_upstream_connects_total";
const ENDS: &str = "sluice_subscription_ends_total";

/// One stream, on a connection of its own.
pub struct Listener {
    stream: SseStream,
    #[expect(dead_code, reason = "held to stay open")]
    connection: Option<Http2Connection>,
}

/// Asks the plaintext listener for a stream.
pub async fn listen(
    protocol: Protocol,
    sluice: &Sluice,
    path: &str,
    headers: &[(&str, &str)],
) -> Listener {
    match protocol {
        Protocol::Http1 => {
            let stream = Http1::get(sluice.plain, path, headers).await;
            Listener { stream, connection: None }
        }
        Protocol::Http2 => {
            let connection = Http2Connection::open(sluice.plain, false).await;
            let stream = connection.get(path, headers).await;
            Listener { stream, connection: Some(connection) }
        }
    }
}

impl Deref for Listener {
    type Target = SseStream;

    fn deref(&self) -> &SseStream {
        &self.stream
    }
}

impl DerefMut for Listener {
    fn deref_mut(&mut self) -> &mut SseStream {
        &mut self.stream
    }
}

/// The head of a stream and some of it; what comes then is the caller's to add.
fn stream(first: &str) -> Vec<Step> {
    vec![Step::head(CHUNKED), Step::chunk(first)]
}

/// A whole answer that is no stream.
fn answer(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![Step::send(format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    ))]
}

async fn fresh(protocol: Protocol, sluice: &Sluice) -> Listener {
    listen(protocol, sluice, "/events", &[]).await
}
