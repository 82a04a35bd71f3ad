//! The replay buffer: its bounds, and where an id leads.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, advance};

use crate::{
    config::Replay,
    hub::replay::{Entry, ReplayBuffer},
};

const AGE: Duration = Duration::from_secs(10);

fn buffer(events: usize, bytes: usize) -> ReplayBuffer {
    ReplayBuffer::new(Replay { events, bytes, age: AGE })
}

fn entry(bytes: &'static str) -> Entry {
    Entry {
        bytes: Bytes::from_static(bytes.as_bytes()),
        last_event_id: None,
        dispatches: true,
        names_id: false,
        read_at: Instant::now(),
    }
}

fn named(id: &'static str) -> Entry {
    Entry { names_id: true, ..inherits(id) }
}

fn inherits(id: &'static str) -> Entry {
    Entry { last_event_id: Some(Bytes::from_static(id.as_bytes())), ..entry("x") }
}

fn kept(buffer: &ReplayBuffer) -> String {
    let entries = buffer.range(buffer.resumable(), u64::MAX).expect("the tail is kept");
    entries.map(|entry| std::str::from_utf8(&entry.bytes).expect("UTF-8")).collect()
}

#[tokio::test(start_paused = true)]
async fn an_empty_buffer_begins_at_one() {
    let buffer = buffer(3, 100);
    assert_eq!((buffer.resumable(), buffer.head(), buffer.bytes()), (1, 1, 0));
    assert!(buffer.range(0, u64::MAX).is_none(), "0 is the place before everything");
    assert_eq!(buffer.range(1, u64::MAX).expect("the head").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_go_when_there_are_too_many() {
    let mut buffer = buffer(3, 100);
    ["a", "b", "c", "d", "e"].into_iter().for_each(|text| buffer.push(entry(text)));
    assert_eq!((kept(&buffer).as_str(), buffer.resumable(), buffer.head()), ("cde", 3, 6));
    assert_eq!(buffer.range(3, 5).expect("kept").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_go_when_they_are_too_many_bytes() {
    let mut buffer = buffer(100, 10);
    ["aaaa", "bbb", "ccc"].into_iter().for_each(|text| buffer.push(entry(text)));
    assert_eq!((kept(&buffer).as_str(), buffer.bytes()), ("aaaabbbccc", 10), "10 are not over 10");
    buffer.push(entry("d"));
    assert_eq!(kept(&buffer), "bbbcccd");
}

#[tokio::test(start_paused = true)]
async fn a_burst_stays_readable_for_a_second_and_no_longer() {
    let mut buffer = buffer(1, 100);
    ["a", "b", "c"].into_iter().for_each(|text| buffer.push(entry(text)));
    assert_eq!((kept(&buffer).as_str(), buffer.first(), buffer.bytes()), ("c", 1, 3));
    assert_eq!(buffer.range(1, u64::MAX).expect("readable").count(), 3);
    advance(Duration::from_secs(1)).await;
    buffer.push(entry("d"));
    assert_eq!((kept(&buffer).as_str(), buffer.first(), buffer.bytes()), ("d", 4, 1));
    assert!(buffer.range(3, u64::MAX).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_bounded_by_its_bytes() {
    let mut buffer = buffer(1, 100);
    let large: &'static str = "x".repeat(100 * 1024).leak();
    (0..5).for_each(|_| buffer.push(entry(large)));
    assert_eq!((buffer.resumable(), buffer.first()), (5, 3), "two of 100 KiB behind the first");
}

#[tokio::test(start_paused = true)]
async fn a_large_event_is_not_pushed_out_by_what_comes_right_behind_it() {
    let mut buffer = buffer(10, 512);
    let large: &'static str = "x".repeat(1 << 20).leak();
    [large, "a"].into_iter().for_each(|text| buffer.push(entry(text)));
    assert_eq!((buffer.resumable(), buffer.first()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn the_newest_stays_however_large_it_is() {
    let mut buffer = buffer(3, 4);
    ["a", "much more than four"].into_iter().for_each(|text| buffer.push(entry(text)));
    assert_eq!(kept(&buffer), "much more than four");
    buffer.push(entry("b"));
    assert_eq!(kept(&buffer), "b");
}

#[tokio::test(start_paused = true)]
async fn the_old_go_with_the_next_push_and_are_stale_before() {
    let mut buffer = buffer(3, 100);
    buffer.push(entry("a"));
    advance(AGE / 2).await;
    buffer.push(entry("b"));
    advance(AGE / 2).await;
    assert_eq!(buffer.oldest(Instant::now()), 1, "as old as allowed is not too old");
    advance(Duration::from_millis(1)).await;
    assert_eq!((buffer.oldest(Instant::now()), buffer.resumable()), (2, 1));
    buffer.push(entry("c"));
    assert_eq!(kept(&buffer), "bc");
    advance(AGE * 2).await;
    assert_eq!(buffer.oldest(Instant::now()), buffer.head());
    assert_eq!(buffer.last_event(Instant::now()), buffer.head(), "nothing that old is the last");
}

#[tokio::test(start_paused = true)]
async fn the_last_event_is_one_that_dispatches() {
    let mut buffer = buffer(4, 100);
    assert_eq!(buffer.last_event(Instant::now()), 1);
    buffer.push(entry("a"));
    buffer.push(Entry { dispatches: false, ..entry("r") });
    assert_eq!(buffer.last_event(Instant::now()), 1);
    buffer.push(entry("b"));
    assert_eq!(buffer.last_event(Instant::now()), 3);
}

#[tokio::test(start_paused = true)]
async fn an_id_leads_behind_the_newest_entry_that_named_it() {
    let mut buffer = buffer(10, 100);
    [named("1"), inherits("1"), named("2"), named("1"), inherits("1")]
        .into_iter()
        .for_each(|entry| buffer.push(entry));
    assert_eq!(buffer.after_id(b"2"), Some(4));
    assert_eq!(buffer.after_id(b"1"), Some(5), "what inherited the id is sent again");
    assert_eq!(buffer.after_id(b"3"), None);
    assert_eq!(buffer.after_id(b""), None);
    let before = |cursor| buffer.id_before(cursor).map(|id| id.to_vec());
    assert_eq!([before(1), before(2), before(6)], [None, Some(b"1".to_vec()), Some(b"1".to_vec())]);
}

#[tokio::test(start_paused = true)]
async fn the_id_of_the_last_evicted_entry_is_still_found_and_no_older_one() {
    let mut buffer = buffer(2, 100);
    [named("1"), named("2"), named("3"), named("4")].into_iter().for_each(|e| buffer.push(e));
    assert_eq!(buffer.after_id(b"2"), Some(3), "all that came after it is kept");
    assert_eq!(buffer.after_id(b"1"), None);
    assert_eq!(buffer.id_before(3).map(|id| &id[..]), Some(&b"2"[..]));
}

#[tokio::test(start_paused = true)]
async fn an_id_is_missed_once_an_event_that_inherited_it_is_evicted() {
    let mut buffer = buffer(2, 100);
    buffer.push(named("1"));
    buffer.push(inherits("1"));
    buffer.push(named("2"));
    assert_eq!(buffer.after_id(b"1"), Some(2), "the event after it is kept");
    buffer.push(named("3"));
    assert_eq!(buffer.after_id(b"1"), None, "a client with this id may lack the evicted event");
    assert_eq!(buffer.id_before(3).map(|id| &id[..]), Some(&b"1"[..]), "as clients have it");
}
