//! Writes events in one canonical form: a space behind the colon, LF, and always the same order.
//!
//! Whatever the strings hold, a block stays one block: nothing in a value can begin a line of its
//! own making. What the parser yields is written so that it reads back the same.

use std::iter;

use bytes::{BufMut, BytesMut};
use memchr::memchr2;

use super::event::Event;

/// Field names, colons, line ends and digits of one block with a single data line, at most.
const FRAMING_BYTES: usize = 64;

impl Event {
    /// Appends the block to `out`, with its own id. See [`encode_with_id`](Self::encode_with_id).
    pub fn encode(&self, out: &mut BytesMut) {
        self.encode_with_id(self.id.as_deref(), out);
    }

    /// Appends the block to `out`, with `id` in the place of its own; `None` writes no `id` line.
    ///
    /// The lines are `event: T` (not if empty, or without data), `data: L` for each line of the
    /// data, `id: X`, `retry: N`, and a blank line. Two blocks differ:
    /// * Nothing but `retry` goes without the blank line, because a blank line also commits the
    ///   last event ID of the stream, which is empty before its first `id` (9.2.6, dispatch
    ///   step 1): it would cost the client its place.
    /// * A block that says nothing is not written.
    ///
    /// What the format cannot carry is made harmless: CR and CRLF in data become line breaks as
    /// LF is one; CR and LF in the type become U+FFFD, so that no listener is met by mistake; an
    /// id with CR, LF or NUL is not written, since part of an id may be another event's id.
    pub fn encode_with_id(&self, id: Option<&str>, out: &mut BytesMut) {
        let id = id.filter(|id| !id.contains(['\r', '\n', '\0']));
        let data_bytes = self.data.as_ref().map_or(0, String::len);
        let id_bytes = id.map_or(0, str::len);
        out.reserve(FRAMING_BYTES + self.event_type.len() + data_bytes + id_bytes);

        if let Some(data) = &self.data {
            put_event_type(&self.event_type, out);
            for line in lines(data) {
                put_line("data: ", line, out);
            }
        }
        match id {
            None => {}
            // With the colon, which simple clients look for, and without the space, which those
            // that do not strip it would send back as an id.
            Some("") => put_line("id:", "", out),
            Some(id) => put_line("id: ", id, out),
        }
        if let Some(millis) = self.retry {
            put_retry(millis, out);
        }
        if self.data.is_some() || id.is_some() {
            out.put_u8(b'\n');
        }
    }
}

/// Appends `retry: N` and its LF; `millis` is the reconnection time in milliseconds.
pub(super) fn put_retry(millis: u64, out: &mut BytesMut) {
    put_line("retry: ", &millis.to_string(), out);
}

/// Appends one line. `text` must not hold CR or LF.
pub(super) fn put_line(prefix: &str, text: &str, out: &mut BytesMut) {
    out.put_slice(prefix.as_bytes());
    out.put_slice(text.as_bytes());
    out.put_u8(b'\n');
}

/// The lines that a reader of the format would see in `text`: CRLF, LF and CR each end one.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let text = rest?;
        let Some(end) = memchr2(b'\r', b'\n', text.as_bytes()) else {
            return rest.take();
        };
        let (line, behind) = text.split_at(end);
        rest = behind.strip_prefix("\r\n").or(behind.get(1..));
        Some(line)
    })
}

fn put_event_type(event_type: &str, out: &mut BytesMut) {
    if event_type.contains(['\r', '\n']) {
        put_line("event: ", &event_type.replace(['\r', '\n'], "\u{FFFD}"), out);
    } else if !event_type.is_empty() {
        put_line("event: ", event_type, out);
    }
}
