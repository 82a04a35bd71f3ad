//! What the gateway itself says on a stream: lines that belong to no event.
//!
//! They may stand between two events, never inside one. None of them has a blank line, because
//! every blank line commits the last event ID of the stream, which is empty before its first `id`
//! (WHATWG HTML 9.2.6, dispatch step 1): a client that is resuming would lose its place.

use std::time::Duration;

use bytes::BytesMut;

use super::encode::{lines, put_line, put_retry};

/// A heartbeat: the shortest comment there is (9.2.7 advises one every 15 seconds or so).
pub const HEARTBEAT: &[u8] = b":\n";

/// Appends a `retry` line to `out`: the reconnection time in whole milliseconds, rounded down,
/// and no more than 64 bits of them (9.2.6).
pub fn retry_line(reconnection_time: Duration, out: &mut BytesMut) {
    let millis = u64::try_from(reconnection_time.as_millis()).unwrap_or(u64::MAX);
    put_retry(millis, out);
}

/// Appends a comment to `out`, one comment line for each line of `text`.
pub fn comment(text: &str, out: &mut BytesMut) {
    for line in lines(text) {
        put_line(": ", line, out);
    }
}
