//! What is kept, and what is dropped for its size.

use sluice::sse::{Bounds, Parser, Tally};

use super::{HELD_BYTES_EXTRA, data, id, push, reads_within, typed, with_id};

#[test]
fn an_event_is_carried_up_to_its_bound_and_dropped_beyond_it() {
    for size in [7, 8, 9] {
        let x = "x".repeat(size);
        let y = "y".repeat(size - 5);
        let streams = [
            (format!("data: {x}\n\n"), data(&x)),
            (format!("id: {x}\n\n"), id(&x)),
            (format!("event: {y}\ndata: 12345\n\n"), typed(&y, "12345")),
            (format!("data: 1234\ndata: {y}\n\n"), data(&format!("1234\n{y}"))),
            (
                format!("data: 12\nid: 345\ndata\n: {x}{x}\nevent: {}\n\n", &y[1..]),
                with_id("345", typed(&y[1..], "12\n")),
            ),
            (format!("data: {}\u{20ac}\n\n", &x[3..]), data(&format!("{}\u{20ac}", &x[3..]))),
        ];
        for (stream, event) in streams {
            let stream = format!("data: before\n\n{stream}data: after\n\n");
            let (carried, oversized_events) =
                if size <= 8 { (&[event][..], 0) } else { (&[][..], 1) };
            let expected = [&[data("before")], carried, &[data("after")]].concat();
            let tally = Tally { oversized_events, ..Tally::default() };
            reads_within(8, stream.as_bytes(), &expected, tally);
        }
    }
}

#[test]
fn replacement_characters_count_with_the_size_they_have() {
    let tally = Tally { oversized_events: 1, ..Tally::default() };
    reads_within(6, b"data: \xff\xff\n\n", &[data("\u{fffd}\u{fffd}")], Tally::default());
    reads_within(5, b"data: \xff\xff\n\n", &[], tally);
    reads_within(5, b"data: \xff\xe2\x82\n\n", &[], tally);
    reads_within(5, b"data: abc\xe2\x82\xac\n\n", &[], tally);
}

#[test]
fn an_oversized_event_is_dropped_whole_with_its_id_and_retry() {
    let tally = Tally { oversized_events: 1, discarded_lines: 1 };
    let stream = b"id: 1\nretry: 1\ndata: 123456789\ndata: b\nid: 2\n<br />\nretry: 2\n\nid: 3\n\n";
    reads_within(8, stream, &[id("3")], tally);
}

#[test]
fn giant_comments_and_unknown_lines_cost_nothing() {
    let mut parser = Parser::new(Bounds { event_bytes: 8 });
    assert_eq!(push(&mut parser, b"data: a\n:"), []);
    for line_end in ["\n", "\ndata: b\n\n"] {
        for _ in 0..1000 {
            assert_eq!(push(&mut parser, &[b'x'; 100]), []);
            assert!(parser.held_bytes() <= HELD_BYTES_EXTRA);
        }
        let expected = if line_end == "\n" { vec![] } else { vec![data("a\nb")] };
        assert_eq!(push(&mut parser, line_end.as_bytes()), expected);
    }
    assert_eq!(parser.take_tally(), Tally { discarded_lines: 1, oversized_events: 0 });
}

#[test]
fn the_bound_on_memory_is_for_all_fields_together() {
    let lines = [("event: ", 450), ("data: ", 300), ("id: ", 230), ("id: ", 1), ("data: ", 200)];
    let mut parser = Parser::new(Bounds { event_bytes: 1000 });
    for (name, value_bytes) in lines {
        push(&mut parser, name.as_bytes());
        for _ in 0..value_bytes {
            push(&mut parser, b"x");
            assert!(parser.held_bytes() <= 1000 + HELD_BYTES_EXTRA);
        }
        push(&mut parser, b"\n");
        assert!(parser.held_bytes() <= 1000 + HELD_BYTES_EXTRA);
    }
    let x = |count| "x".repeat(count);
    let both = format!("{}\n{}", x(300), x(200));
    assert_eq!(push(&mut parser, b"\n"), [with_id("x", typed(&x(450), &both))]);
}

#[test]
fn an_endless_line_is_bounded_and_its_memory_is_given_back() {
    let bounds = Bounds::default();
    assert_eq!(bounds.event_bytes, 1024 * 1024);
    let mut parser = Parser::new(bounds);
    push(&mut parser, b"id: 1\ndata: ");
    for _ in 0..3 * bounds.event_bytes / 4096 {
        push(&mut parser, &[b'x'; 4096]);
        assert!(parser.held_bytes() <= bounds.event_bytes + HELD_BYTES_EXTRA);
    }
    assert!(parser.held_bytes() <= HELD_BYTES_EXTRA);
    assert_eq!(parser.take_tally(), Tally { discarded_lines: 0, oversized_events: 1 });

    let large = "x".repeat(bounds.event_bytes);
    let event = push(&mut parser, format!("\n\ndata: {large}\n\n").as_bytes());
    assert_eq!(event, [data(&large)]);
    assert!(parser.held_bytes() <= HELD_BYTES_EXTRA);
    assert_eq!(parser.take_tally(), Tally::default());
}
