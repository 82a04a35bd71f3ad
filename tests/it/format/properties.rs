//! What holds for any stream, cut in any way.

use proptest::prelude::*;
use proptest::sample::Index;
use sluice::sse::{Bounds, Event, Parser, Tally};

use super::literal::literally;
use super::{HELD_BYTES_EXTRA, push, read, written};

proptest! {
    #[test]
    fn any_cut_of_a_stream_reads_as_the_whole(
        stream in stream(), cuts in cuts(), bound in 0..40usize,
    ) {
        let whole = read(bound, [&stream[..]]);
        prop_assert_eq!(&read(bound, chunks(&stream, &cuts)), &whole);
        prop_assert_eq!(&read(bound, stream.chunks(1)), &whole);
    }

    #[test]
    fn the_parser_agrees_with_the_standard_read_literally(stream in stream(), cuts in cuts()) {
        let expected = literally(&stream, usize::MAX);
        prop_assert_eq!(&read(1 << 20, [&stream[..]]), &expected);
        prop_assert_eq!(&read(1 << 20, chunks(&stream, &cuts)), &expected);
    }

    #[test]
    fn the_parser_agrees_with_the_standard_within_bounds(stream in stream(), bound in 0..24usize) {
        // A line that has not ended may be too large already, which the literal reading, being
        // one of whole lines, cannot know.
        let stream = [&stream[..], b"\n"].concat();
        prop_assert_eq!(read(bound, stream.chunks(3)), literally(&stream, bound));
    }

    #[test]
    fn any_bytes_are_read_alike(stream in bytes(), cuts in cuts()) {
        prop_assert_eq!(read(1 << 20, chunks(&stream, &cuts)), literally(&stream, usize::MAX));
    }

    #[test]
    fn what_is_written_reads_back_the_same(stream in stream()) {
        for event in read(1 << 20, [&stream[..]]).0 {
            // The blank line ends a lone `retry`, which is written without.
            let bytes = written(|out| event.encode(out)) + "\n";
            prop_assert_eq!(read(1 << 20, [bytes.as_bytes()]), (vec![event], Tally::default()));
        }
    }

    #[test]
    fn no_string_breaks_out_of_its_block(
        event_type in text(), data in prop::option::of(text()), id in prop::option::of(text()),
    ) {
        let event = Event { event_type, data, id, retry: None };
        let bytes = written(|out| event.encode(out)) + "data: next\n\n";
        let (mut events, tally) = read(1 << 20, [bytes.as_bytes()]);
        prop_assert_eq!(tally, Tally::default());
        prop_assert_eq!(events.pop(), Some(super::data("next")));
        prop_assert!(events.len() <= 1);
        let read_back = events.pop().unwrap_or_default();
        prop_assert_eq!(read_back.data.is_some(), event.data.is_some());
        prop_assert!(read_back.id.is_none() || read_back.id == event.id);
    }

    #[test]
    fn the_memory_held_is_bounded(stream in stream(), cuts in cuts(), bound in 0..40usize) {
        let mut parser = Parser::new(Bounds { event_bytes: bound });
        for chunk in chunks(&stream, &cuts) {
            push(&mut parser, chunk);
            prop_assert!(parser.held_bytes() <= bound + HELD_BYTES_EXTRA);
        }
    }
}

/// Streams of the words that the format knows, of what looks like them, and of bad bytes.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let words: &[&[u8]] = &[
        b"data",
        b"id",
        b"event",
        b"retry",
        b"data:",
        b"data: ",
        b"id: ",
        b"event:",
        b"retry: ",
        b":",
        b" ",
        b"\r",
        b"\n",
        b"\r\n",
        b"\n",
        b"\n\n",
        b"\0",
        b"\xef\xbb\xbf",
        b"7",
        b"42",
        b"abcdefghijkl",
        b"\xc3\xa9",
        b"\xed\x95\x9c",
        b"\xf0\x9f\x98\x80",
        b"\xff",
        b"\x80",
        b"\xe2\x80",
        b"\xf0\x9f\x98",
        b"\xed\xa0",
        b"\xef\xbb",
        b"Data: x",
        b"<br />",
    ];
    let start = prop_oneof![3 => Just(""), 1 => Just("\u{feff}")];
    (start, prop::collection::vec(prop::sample::select(words), 0..40))
        .prop_map(|(start, words)| [start.as_bytes(), &words.concat()].concat())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

fn text() -> impl Strategy<Value = String> {
    prop::string::string_regex("([\r\n\0: a\u{e9}]|data|id|retry: 1){0,8}").expect("a legal regex")
}

fn cuts() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 0..12)
}

fn chunks<'a>(stream: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    ends.push(stream.len());
    ends.sort_unstable();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(&ends).map(|(start, &end)| &stream[start..end]).collect()
}
