//! The reading of event streams: the examples of the specification and its fine print.

use std::collections::VecDeque;

use crate::client::events::{Event, EventReader};

fn events_of(pieces: &[&[u8]]) -> (EventReader, Vec<Event>) {
    let mut reader = EventReader::default();
    let mut events = VecDeque::new();
    for piece in pieces {
        reader.read(piece, &mut events);
    }
    (reader, events.into())
}

fn data_of(text: &str) -> Vec<String> {
    let (_, events) = events_of(&[text.as_bytes()]);
    events.into_iter().map(|event| event.data).collect()
}

#[test]
fn several_data_lines_are_one_text() {
    assert_eq!(data_of("data: YHOO\ndata:+2\ndata:  10\n\n"), ["YHOO\n+2\n 10"]);
    assert_eq!(data_of("data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
}

#[test]
fn every_line_end_counts_wherever_it_is_cut() {
    let text = "data: a\r\rdata: b\r\n\r\ndata: c\n\n";
    assert_eq!(data_of(text), ["a", "b", "c"]);
    let single: Vec<_> = text.as_bytes().chunks(1).collect();
    assert_eq!(events_of(&single).1.len(), 3);
}

#[test]
fn ids_stay_until_they_are_changed_and_retry_must_be_a_number() {
    let text = b": hi\nid: 1\ndata: a\n\ndata: b\n\nid\nretry: 5\ndata: c\n\nid: 2\n\nretry: x\n\n";
    let (reader, events) = events_of(&[text]);
    let ids: Vec<_> = events.iter().map(|event| &*event.id).collect();
    assert_eq!(ids, ["1", "1", ""]);
    assert_eq!(reader.last_event_id(), "2");
    assert_eq!(reader.retry(), Some(5));
    assert_eq!(reader.comments(), [" hi"]);
}

#[test]
fn a_type_is_for_one_event_and_half_an_event_is_none() {
    let text = b"\xef\xbb\xbfevent: add\ndata: a\n\nevent: lost\n\ndata: \xffb\n\ndata: half\n";
    let (_, events) = events_of(&[text]);
    let seen: Vec<_> = events.iter().map(|event| (&*event.event_type, &*event.data)).collect();
    assert_eq!(seen, [("add", "a"), ("message", "\u{fffd}b")]);
}
