//! An HTTP/2 connection: one actor that owns the connection and all its event streams (law 1).
//!
//! ```text
//! loop { h2: accept, read, write | mailbox: deliver | timer: heartbeats | drain: end }
//! ```
//!
//! Its rooms: `actor` is the loop, `topic` the streams of one topic, `stream` one of them,
//! `wire` the socket below h2.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use pingora::protocols::{Digest, Stream};
use tokio::time::{Instant, timeout};

use super::{Downstream, PassThrough};

mod actor;
mod stream;
mod topic;
mod wire;

use actor::Actor;
use wire::Wire;

/// One pass of the actor over its streams.
#[derive(Clone, Copy)]
struct Round {
    now: Instant,
    /// Grows when the peer has taken everything that was written: what was queued is out.
    flushed: u32,
}

type H2Connection = h2::server::Connection<Stream, Bytes>;

/// What h2 may queue for one stream before its capacity is used up, in bytes. It bounds what a
/// client costs that opens its windows and then stops reading; a browser's window would be
/// megabytes.
const SEND_BUFFER: usize = 64 * 1024;
/// What h2 may queue for one stream until the peer has taken everything that was written, in
/// frames. h2 counts bytes only, and a queued frame costs it 330 bytes however small it is: one
/// connection that stopped reading 256 streams of tiny events cost 200 MB (measured).
const SEND_FRAMES: usize = 64;
/// A client that has not said its preface and settings by then has no honest reason.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves a connection until it is closed.
pub async fn serve(
    stream: Stream,
    max_streams: u32,
    downstream: Arc<Downstream>,
    pass_through: Arc<dyn PassThrough>,
) {
    let digest = Arc::new(Digest {
        ssl_digest: stream.get_ssl_digest(),
        timing_digest: stream.get_timing_digest(),
        proxy_digest: stream.get_proxy_digest(),
        socket_digest: stream.get_socket_digest(),
    });
    let (wire, handle) = Wire::new(stream);
    let mut options = pingora::protocols::http::v2::server::default_h2_options();
    options.max_concurrent_streams(max_streams);
    options.max_send_buffer_size(SEND_BUFFER);
    let handshake = options.handshake::<Stream, Bytes>(Box::new(wire));
    let mut drain = downstream.drain.clone();
    let shaken = tokio::select! {
        shaken = timeout(HANDSHAKE_TIMEOUT, Box::pin(handshake)) => shaken,
        () = drain.started() => return,
    };
    // A client that fails here has said nothing worth a log line.
    let Ok(Ok(connection)) = shaken else { return };
    let gauge = downstream.metrics.connections("http2");
    gauge.inc();
    Actor::new(connection, digest, handle, downstream, pass_through).run().await;
    gauge.dec();
}
