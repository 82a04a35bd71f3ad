//! What is written, by the encoder and by the gateway itself.

use std::time::Duration;

use sluice::sse::{Event, HEARTBEAT, comment, retry_line};

use super::{data, id, retry, typed, with_id, writes, written};

#[test]
fn events_are_written_in_one_canonical_form() {
    writes(&data("a"), "data: a\n\n");
    writes(&data(""), "data: \n\n");
    writes(&data(" a\n\nb: c\n"), "data:  a\ndata: \ndata: b: c\ndata: \n\n");
    let full = Event { retry: Some(1500), ..with_id("7", typed("ping", "a\nb")) };
    writes(&full, "event: ping\ndata: a\ndata: b\nid: 7\nretry: 1500\n\n");
    writes(&with_id("", data("a")), "data: a\nid:\n\n");
    writes(&with_id(" ", data("a\0")), "data: a\0\nid:  \n\n");
}

#[test]
fn only_a_block_that_commits_something_has_a_blank_line() {
    writes(&id("7"), "id: 7\n\n");
    writes(&id(""), "id:\n\n");
    writes(&retry(3000), "retry: 3000\n");
    writes(&Event { retry: Some(0), ..id("7") }, "id: 7\nretry: 0\n\n");
    writes(&Event::default(), "");
    writes(&Event { event_type: "ping".into(), ..Event::default() }, "");
    writes(&Event { event_type: "ping".into(), ..retry(1) }, "retry: 1\n");
}

#[test]
fn an_event_can_be_written_with_another_id() {
    let event = with_id("upstream", data("a"));
    assert_eq!(written(|out| event.encode_with_id(Some("e-1"), out)), "data: a\nid: e-1\n\n");
    assert_eq!(written(|out| event.encode_with_id(None, out)), "data: a\n\n");
    assert_eq!(written(|out| retry(1).encode_with_id(Some("e-2"), out)), "id: e-2\nretry: 1\n\n");
    assert_eq!(written(|out| id("upstream").encode_with_id(None, out)), "");
}

#[test]
fn no_value_begins_a_line_of_its_own() {
    writes(&data("a\rid: 1\r\n\r\nretry: 0"), "data: a\ndata: id: 1\ndata: \ndata: retry: 0\n\n");
    writes(&data("a\r"), "data: a\ndata: \n\n");
    writes(&typed("a\ndata: b\r\nc", "d"), "event: a\u{fffd}data: b\u{fffd}\u{fffd}c\ndata: d\n\n");
    for forbidden in ["1\n2", "1\r2", "1\x002", "\n"] {
        writes(&with_id(forbidden, data("a")), "data: a\n\n");
        writes(&id(forbidden), "");
    }
}

#[test]
fn what_the_gateway_says_itself_never_has_a_blank_line() {
    assert_eq!(HEARTBEAT, b":\n");
    let retry = |time| written(|out| retry_line(time, out));
    assert_eq!(retry(Duration::from_millis(2500)), "retry: 2500\n");
    assert_eq!(retry(Duration::from_micros(1999)), "retry: 1\n");
    assert_eq!(retry(Duration::MAX), format!("retry: {}\n", u64::MAX));
    assert_eq!(written(|out| comment("missed", out)), ": missed\n");
    assert_eq!(written(|out| comment("", out)), ": \n");
    assert_eq!(written(|out| comment("a\r\n\ndata: b\rc", out)), ": a\n: \n: data: b\n: c\n");
}
