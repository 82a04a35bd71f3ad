//! Reads an event stream as it comes: chunks in, one [`Event`] per block out.
//!
//! It never waits for bytes it does not need, and never keeps more than its bound.

use std::mem;

use memchr::memchr2;

use super::{
    draft::Draft,
    event::Event,
    line::{Ended, Line},
    text::Oversized,
};

/// How much a parser may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The largest event carried, in bytes of decoded text: its data, its type and its id
    /// together, without field names and line ends. A value counts while it is being read, even
    /// beside an earlier one of the same block that it is going to replace.
    pub event_bytes: usize,
}

impl Default for Bounds {
    /// 1 MiB: far above any notification a script echoes, and small enough that a thousand feeds
    /// in the midst of their largest event fit into one GiB.
    fn default() -> Self {
        Self { event_bytes: 1 << 20 }
    }
}

/// What a parser met and did not pass on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines that were neither field nor comment nor blank: PHP notices, unknown fields.
    pub discarded_lines: u64,
    /// Events dropped whole for being larger than [`Bounds::event_bytes`].
    pub oversized_events: u64,
}

/// Reads one event stream, cut into chunks in any way (WHATWG HTML 9.2.6).
///
/// A parser belongs to one upstream connection. Dropping it drops the event in progress, which is
/// what the format wants of a stream that ends inside a block; a new connection gets a new parser.
///
/// ```
/// use sluice::sse::{Bounds, Parser};
///
/// let mut parser = Parser::new(Bounds::default());
/// let mut seen = Vec::new();
/// parser.push(b"data: spl", |event| seen.push(event));
/// parser.push(b"it\r\n\r\n", |event| seen.push(event));
/// assert_eq!(seen[0].data.as_deref(), Some("split"));
/// ```
#[derive(Debug)]
pub struct Parser {
    bounds: Bounds,
    line: Line,
    /// The event in progress. `None`: it grew too large, and its rest is being skipped.
    draft: Option<Draft>,
    /// The last line ended with a CR, so that an LF right behind belongs to the same line end.
    /// The line has ended all the same: a stream of lone CRs must not wait for an LF.
    after_cr: bool,
    tally: Tally,
}

impl Parser {
    /// A parser at the start of a stream, where a byte order mark may stand.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            line: Line::at_stream_start(),
            draft: Some(Draft::new(bounds.event_bytes)),
            after_cr: false,
            tally: Tally::default(),
        }
    }

    /// Reads one chunk of any size and calls `on_event` for each block that ended in it.
    ///
    /// Blocks that say nothing (comments, unknown lines, a lone `event`) yield no call.
    pub fn push(&mut self, chunk: &[u8], mut on_event: impl FnMut(Event)) {
        let mut rest = chunk;
        while !rest.is_empty() {
            if mem::take(&mut self.after_cr)
                && let Some(behind) = rest.strip_prefix(b"\n")
            {
                rest = behind;
                continue;
            }
            let Some(end) = memchr2(b'\r', b'\n', rest) else {
                self.read(rest);
                return;
            };
            self.read(&rest[..end]);
            self.after_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if let Some(event) = self.end_line() {
                on_event(event);
            }
        }
    }

    /// What was counted since the last call.
    pub fn take_tally(&mut self) -> Tally {
        mem::take(&mut self.tally)
    }

    /// The memory allocated for the line and the event in progress, in bytes.
    ///
    /// Between two calls of [`push`](Self::push) it never exceeds [`Bounds::event_bytes`] by more
    /// than 32 bytes, and it is next to nothing between two events.
    pub fn held_bytes(&self) -> usize {
        self.line.held_bytes() + self.draft.as_ref().map_or(0, Draft::held_bytes)
    }

    /// Reads a part of a line, without its end.
    fn read(&mut self, piece: &[u8]) {
        if let Some((field, value)) = self.line.read(piece) {
            self.edit(|draft| draft.push(field, value));
        }
    }

    fn end_line(&mut self) -> Option<Event> {
        match self.line.end() {
            Ended::Blank => {
                return self.draft.replace(Draft::new(self.bounds.event_bytes))?.finish();
            }
            Ended::Field(field) => self.edit(|draft| draft.end_value(field)),
            Ended::Comment => {}
            Ended::Unknown => self.tally.discarded_lines += 1,
        }
        None
    }

    /// Takes the event in progress one step further, or drops it whole when that is too much.
    ///
    /// Its id goes with it, whether it came before or comes after: to commit it would tell
    /// clients, and the upstream on the next reconnect, that an event was received which was not.
    fn edit(&mut self, step: impl FnOnce(&mut Draft) -> Result<(), Oversized>) {
        if let Some(draft) = &mut self.draft
            && step(draft).is_err()
        {
            self.draft = None;
            self.tally.oversized_events += 1;
        }
    }
}
