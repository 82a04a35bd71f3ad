//! The event stream format, byte by byte: what is read, what is written, what is never kept.
//!
//! Every stream of the tables is read whole, byte by byte, and cut in two at every offset.

mod bounds;
mod fields;
mod lines;
mod literal;
mod properties;
mod scripts;
mod writing;

use bytes::BytesMut;
use sluice::sse::{Bounds, Event, Parser, Tally};

/// What a parser may hold beyond its bound: a field name and a character cut in two.
const HELD_BYTES_EXTRA: usize = 32;

fn reads(stream: &[u8], expected: &[Event]) {
    discards(stream, expected, 0);
}

fn discards(stream: &[u8], expected: &[Event], discarded_lines: u64) {
    let tally = Tally { discarded_lines, oversized_events: 0 };
    reads_within(Bounds::default().event_bytes, stream, expected, tally);
}

fn reads_within(bound: usize, stream: &[u8], expected: &[Event], tally: Tally) {
    let shown = stream.escape_ascii();
    let expected = (expected.to_vec(), tally);
    assert_eq!(read(bound, [stream]), expected, "whole: {shown}");
    assert_eq!(read(bound, stream.chunks(1)), expected, "byte by byte: {shown}");
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        assert_eq!(read(bound, [head, tail]), expected, "cut at {cut}: {shown}");
    }
}

fn read<'a>(bound: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Event>, Tally) {
    let mut parser = Parser::new(Bounds { event_bytes: bound });
    let events = chunks.into_iter().flat_map(|chunk| push(&mut parser, chunk)).collect();
    (events, parser.take_tally())
}

fn push(parser: &mut Parser, chunk: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    parser.push(chunk, |event| events.push(event));
    events
}

fn writes(event: &Event, expected: &str) {
    assert_eq!(written(|out| event.encode(out)), expected);
}

fn written(write: impl FnOnce(&mut BytesMut)) -> String {
    let mut out = BytesMut::new();
    write(&mut out);
    String::from_utf8(out.to_vec()).expect("what was written is UTF-8")
}

fn data(data: &str) -> Event {
    Event { data: Some(data.to_owned()), ..Event::default() }
}

fn typed(event_type: &str, data: &str) -> Event {
    Event { event_type: event_type.to_owned(), ..self::data(data) }
}

fn with_id(id: &str, event: Event) -> Event {
    Event { id: Some(id.to_owned()), ..event }
}

fn id(id: &str) -> Event {
    with_id(id, Event::default())
}

fn retry(millis: u64) -> Event {
    Event { retry: Some(millis), ..Event::default() }
}
