//! What is read: line ends, the start of a stream, and lines that say nothing.

use sluice::sse::{Bounds, Parser};

use super::{data, discards, push, reads, retry, typed};

#[test]
fn crlf_lf_and_cr_end_lines_and_may_be_mixed() {
    reads(b"data: a\n\ndata: b\r\n\r\ndata: c\r\r", &[data("a"), data("b"), data("c")]);
    reads(b"data:test\r\ndata\ndata:test\r\n\r", &[data("test\n\ntest")]);
    reads(b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", &[data("a"), data("b"), data("c")]);
    reads(b"data: split\r\n\r\ndata: x\r\n\r\n", &[data("split"), data("x")]);
}

#[test]
fn a_lone_cr_ends_a_line_without_waiting_for_lf() {
    let mut parser = Parser::new(Bounds::default());
    assert_eq!(push(&mut parser, b"data: a\r\r"), [data("a")]);
    assert_eq!(push(&mut parser, b"\ndata: b\r"), []);
    assert_eq!(push(&mut parser, b""), []);
    assert_eq!(push(&mut parser, b"\n"), []);
    assert_eq!(push(&mut parser, b"\n"), [data("b")]);
}

#[test]
fn one_byte_order_mark_is_dropped_and_only_at_the_start_of_the_stream() {
    reads(b"\xef\xbb\xbfdata:1\n\ndata:2\n\n", &[data("1"), data("2")]);
    reads(b"\xef\xbb\xbfevent:e\ndata:1\n\n", &[typed("e", "1")]);
    reads(b"\xef\xbb\xbf\ndata: blank line first\n\n", &[data("blank line first")]);
    reads(b"\xef\xbb\xbf: comment\ndata\n\n", &[data("")]);
    discards(b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n", &[data("1"), data("3")], 1);
    discards(b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\n", &[data("2")], 1);
    discards(b"\n\xef\xbb\xbfdata:1\n\ndata:2\n\n", &[data("2")], 1);
    discards(b"\xef\xbbdata:1\n\ndata:2\n\n", &[data("2")], 1);
    discards(b"\xef\xbb\xbfretry:1\n\n\xef\xbb\xbf\n\n", &[retry(1)], 1);
}

#[test]
fn blank_lines_and_comments_alone_say_nothing() {
    reads(b"", &[]);
    reads(b"\n\n\r\r\r\n\r\n:\n\n: heartbeat\n\n::::\n\n", &[]);
    reads(b":\ndata:1\n:data:2\n:\0\ndata:3\n: \xff\n\n", &[data("1\n3")]);
}
