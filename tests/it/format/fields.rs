//! What is read: names and values.

use sluice::sse::Event;

use super::{data, discards, id, reads, retry, typed, with_id};

#[test]
fn the_examples_of_the_standard_are_read_as_it_says() {
    reads(b"data: YHOO\ndata: +2\ndata: 10\n\n", &[data("YHOO\n+2\n10")]);
    let stream = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n\
        data:  third event\n";
    reads(stream, &[with_id("1", data("first event")), with_id("", data("second event"))]);
    reads(b"data\n\ndata\ndata\n\ndata:\n", &[data(""), data("\n")]);
    reads(b"data:test\n\ndata: test\n\n", &[data("test"), data("test")]);
    let stream = b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n";
    reads(stream, &[typed("add", "73857293"), typed("remove", "2153")]);
}

#[test]
fn a_field_ends_at_its_first_colon_and_loses_one_space() {
    reads(b"data:  a\ndata:b: c\ndata::\ndata: \ndata:\td\n\n", &[data(" a\nb: c\n:\n\n\td")]);
    reads(b"id:  7 \nevent: a:b\ndata\n\n", &[with_id(" 7 ", typed("a:b", ""))]);
}

#[test]
fn a_data_field_without_value_dispatches_and_a_block_without_data_field_does_not() {
    reads(
        b"data\n\ndata:\n\ndata: \n\ndata\ndata\n\n",
        &[data(""), data(""), data(""), data("\n")],
    );
    reads(b"event: lost\n\ndata: a\n\n", &[data("a")]);
}

#[test]
fn field_names_are_case_sensitive_and_unknown_lines_are_counted() {
    let stream = b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\n\0data:4\nda-ta:3\rdata_5\n\
        data:3\rdata:\r\n data:32\ndata:4\n\n";
    discards(stream, &[data("\0\n 2\n1\n3\n\n4")], 6);
    discards(b"foo\nfoo:\ndat: 1\ndatas: 1\nID: 1\n\n", &[], 5);
    discards(b"eventevent: 1\nretryretryretry\ni d: 1\n\xffdata: 1\n\xff\n\n", &[], 5);
}

#[test]
fn the_last_type_of_a_block_holds_and_an_empty_one_is_the_default() {
    reads(b"event: a\nevent: b\ndata\n\ndata\n\n", &[typed("b", ""), data("")]);
    reads(b"event: a\ndata: 1\nevent:\n\nevent\ndata: 2\n\n", &[data("1"), data("2")]);
    reads(b"data: 1\nevent: after \ndata: 2\n\n", &[typed("after ", "1\n2")]);
    reads("event: \u{c54c}\u{b9bc}\ndata\n\n".as_bytes(), &[typed("\u{c54c}\u{b9bc}", "")]);
}

#[test]
fn an_id_is_of_its_block_and_one_with_nul_is_ignored_whole() {
    reads(b"id: 1\n\nid\ndata\n\ndata\n\n", &[id("1"), with_id("", data("")), data("")]);
    reads(b"id: 1\ndata: a\nid: 2\n\n", &[with_id("2", data("a"))]);
    reads(b"id: 1\nid: 2\x003\nid: \0\ndata\n\n", &[with_id("1", data(""))]);
    reads(b"data: a\nid: 2\x003\ndata: b\n\n", &[data("a\nb")]);
    reads(b"event: lost\nid: 1\n\n", &[id("1")]);
    reads("id: \u{2026}<\n\n".as_bytes(), &[id("\u{2026}<")]);
}

#[test]
fn a_retry_of_anything_but_ascii_digits_is_ignored() {
    reads(b"retry: 3000\n\nretry:0\n\nretry: 007\n\n", &[retry(3000), retry(0), retry(7)]);
    reads(b"retry\n\nretry:\n\nretry: 1x\n\nretry: -1\n\nretry: +1\n\nretry:  1\n\n", &[]);
    reads(b"retry: 1.5\n\nretry: 1 \n\nretry: 0x1\n\nretry: \xef\xbc\x91\n\nretry: \xff\n\n", &[]);
    reads(b"retry: 18446744073709551615\n\n", &[retry(u64::MAX)]);
    reads(b"retry: 18446744073709551616\n\n", &[]);
    reads(b"retry: 5\nretry: x\nretry: 99999999999999999999\n\n", &[retry(5)]);
    reads(b"retry: 5\nretry: 6\ndata: a\n\n", &[Event { retry: Some(6), ..data("a") }]);
    reads(b"event: lost\nretry: 5\n\ndata\n\n", &[retry(5), data("")]);
}

#[test]
fn bad_bytes_become_replacement_characters_and_nul_stays() {
    reads(b"data: \xff\xfe \xed\x95\n\n", &[data("\u{fffd}\u{fffd} \u{fffd}")]);
    reads(b"data: \xc7\xd1\xb1\xdb\n\n", &[data("\u{fffd}\u{471}\u{fffd}")]);
    reads(b"data: \xf0\x9f\x98\ndata: \x80\n\n", &[data("\u{fffd}\n\u{fffd}")]);
    reads(
        b"data: \xf0\x9f\x98x\xe2\x80\xf0\x9f\x98\x80\n\n",
        &[data("\u{fffd}x\u{fffd}\u{1f600}")],
    );
    reads(b"data: \xed\xa0\x80\xc0\x80\xf4\x90\x80\x80\n\n", &[data(&"\u{fffd}".repeat(9))]);
    reads(b"data: a\0b\n\n", &[data("a\0b")]);
    reads(
        b"event: \xe2\x82\nid: \xe2\x82\ndata: ok\xe2\x80\xa6\n\n",
        &[with_id("\u{fffd}", typed("\u{fffd}", "ok\u{2026}"))],
    );
}
