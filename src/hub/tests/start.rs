//! Where a subscriber begins, and what it is told first.

use std::time::Duration;

use tokio::time::advance;

use super::rig::{Rig, event, id, publish, read, retry, text, with_id};
use crate::{
    config::{Ids, LateJoin},
    hub::{Membership, Publisher, Start, StartFrom},
    metrics::StartKind::{self, Live, Missed, Replayed},
};

const MISSED: &str = ": missed: the last event ID is not in the replay buffer\n";

/// A topic with events 1 to 4, of which 2 to 4 are kept.
fn topic(late_join: LateJoin, ids: Ids) -> (Membership, Publisher) {
    let rig = Rig::new(|policy| {
        policy.late_join = late_join;
        policy.ids = ids;
        policy.replay.events = 3;
    });
    let (_former, mut publisher) = rig.begin();
    publish(&mut publisher, (1..=4).map(|n| with_id(&format!("u{n}"), &n.to_string())));
    (rig.join(), publisher)
}

fn fresh(membership: &Membership) -> Start {
    membership.start(&StartFrom::Fresh, membership.head())
}

fn resume(membership: &Membership, last_event_id: &str) -> Start {
    membership.start(&StartFrom::Resume(id(last_event_id)), membership.head())
}

/// The id that the gateway assigned to the event with this sequence number.
fn assigned(membership: &Membership, sequence: u64) -> String {
    membership.topic.epoch.id(sequence)
}

fn place(start: &Start) -> (StartKind, u64) {
    (start.kind, start.cursor)
}

#[tokio::test(start_paused = true)]
async fn a_fresh_start_is_live_or_at_the_last_event_or_at_all_that_is_kept() {
    for (late_join, cursor) in [(LateJoin::Live, 5), (LateJoin::Last, 4), (LateJoin::All, 2)] {
        let (membership, _publisher) = topic(late_join, Ids::Assign);
        assert_eq!(place(&fresh(&membership)), (Live, cursor), "{late_join:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_start_on_an_empty_topic_is_at_its_head() {
    for late_join in [LateJoin::Live, LateJoin::Last, LateJoin::All] {
        let (membership, _publisher) = Rig::new(|policy| policy.late_join = late_join).begin();
        assert_eq!(place(&fresh(&membership)), (Live, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_start_gets_nothing_older_than_the_age_bound() {
    for (late_join, cursor) in [(LateJoin::Last, 5), (LateJoin::All, 5)] {
        let (membership, mut publisher) = topic(late_join, Ids::Assign);
        advance(Duration::from_secs(601)).await;
        assert_eq!(place(&fresh(&membership)), (Live, cursor), "{late_join:?}");
        publish(&mut publisher, [event("5")]);
        assert_eq!(place(&fresh(&membership)), (Live, 5), "the new one, after {late_join:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_start_is_never_beyond_what_its_connection_has_read() {
    for (late_join, cursor) in [(LateJoin::Live, 3), (LateJoin::Last, 3), (LateJoin::All, 2)] {
        let (membership, _publisher) = topic(late_join, Ids::Assign);
        let start = membership.start(&StartFrom::Fresh, 3);
        assert_eq!(place(&start), (Live, cursor), "{late_join:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_event_comes_with_the_reconnection_time_that_follows_it() {
    let (membership, mut publisher) = topic(LateJoin::Last, Ids::Assign);
    publish(&mut publisher, [retry(70)]);
    let start = fresh(&membership);
    assert_eq!(place(&start), (Live, 4));
    assert_eq!(
        read(&membership, start.cursor),
        format!("data: 4\nid: {}\n\nretry: 70\n", assigned(&membership, 4))
    );
}

#[tokio::test(start_paused = true)]
async fn a_resume_with_an_assigned_id_begins_behind_that_event() {
    let (membership, _publisher) = topic(LateJoin::All, Ids::Assign);
    for (sequence, expected) in [
        (4, (Replayed, 5)),
        (3, (Replayed, 4)),
        // Event 1 is gone, and all that came after it is kept.
        (1, (Replayed, 2)),
        (0, (Missed, 2)),
        (5, (Missed, 2)),
        (u64::MAX, (Missed, 2)),
    ] {
        let start = resume(&membership, &assigned(&membership, sequence));
        assert_eq!(place(&start), expected, "{sequence}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resume_with_the_upstreams_id_begins_behind_that_event() {
    let (membership, _publisher) = topic(LateJoin::All, Ids::Upstream);
    for (last_event_id, expected) in [
        ("u4", (Replayed, 5)),
        ("u2", (Replayed, 3)),
        ("u1", (Replayed, 2)),
        ("u0", (Missed, 2)),
        ("u", (Missed, 2)),
    ] {
        assert_eq!(place(&resume(&membership, last_event_id)), expected, "{last_event_id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resume_beyond_what_the_connection_has_read_is_missed() {
    for ids in [Ids::Assign, Ids::Upstream] {
        let (membership, _publisher) = topic(LateJoin::Live, ids);
        let last = if ids == Ids::Assign { assigned(&membership, 3) } else { "u3".to_owned() };
        let at = |head| place(&membership.start(&StartFrom::Resume(id(&last)), head));
        assert_eq!((at(4), at(3)), ((Replayed, 4), (Missed, 3)), "{ids:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resume_that_is_missed_begins_as_a_fresh_start_would() {
    for (late_join, cursor) in [(LateJoin::Live, 5), (LateJoin::Last, 4), (LateJoin::All, 2)] {
        for ids in [Ids::Assign, Ids::Upstream] {
            let (membership, _publisher) = topic(late_join, ids);
            let start = resume(&membership, "another-1");
            assert_eq!(place(&start), (Missed, cursor), "{late_join:?} {ids:?}");
            assert!(text(&start.preamble).contains(MISSED));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_of_a_former_life_of_the_topic_is_missed() {
    let (former, publisher) = topic(LateJoin::Live, Ids::Assign);
    let last = assigned(&former, 4);
    drop(publisher);
    let (membership, _publisher) = topic(LateJoin::Live, Ids::Assign);
    assert_eq!(resume(&membership, &last).kind, Missed);
    assert_eq!(resume(&former, &last).kind, Replayed);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_is_told_the_reconnection_time_and_the_id_of_its_place() {
    let (membership, mut publisher) = topic(LateJoin::Live, Ids::Assign);
    let told = |sequence| format!("id: {}\n\n", assigned(&membership, sequence));
    assert_eq!(text(&fresh(&membership).preamble), format!("retry: 3000\n{}", told(4)));
    let replayed = resume(&membership, &assigned(&membership, 2));
    assert_eq!(text(&replayed.preamble), format!("retry: 3000\n{}", told(2)));
    publish(&mut publisher, [retry(70)]);
    let missed = resume(&membership, "another-1");
    assert_eq!(text(&missed.preamble), format!("retry: 70\n{MISSED}{}", told(5)));
}

#[tokio::test(start_paused = true)]
async fn the_id_of_a_place_is_the_upstreams_where_it_names_the_ids() {
    let (membership, mut publisher) = topic(LateJoin::All, Ids::Upstream);
    assert_eq!(text(&fresh(&membership).preamble), "retry: 3000\nid: u1\n\n");
    let replayed = resume(&membership, "u3");
    assert_eq!(text(&replayed.preamble), "retry: 3000\nid: u3\n\n");
    publish(&mut publisher, [event("5"), with_id("", "6")]);
    assert_eq!(text(&resume(&membership, "u3").preamble), "retry: 3000\nid: u3\n\n");
    let at_head = membership.start(&StartFrom::Resume(id("u9")), membership.head());
    assert_eq!(at_head.cursor, membership.topic.read().replay.resumable());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_an_id_where_the_upstream_has_named_none_or_reset_it() {
    let rig = Rig::new(|policy| policy.ids = Ids::Upstream);
    let (membership, mut publisher) = rig.begin();
    assert_eq!(text(&fresh(&membership).preamble), "retry: 3000\n");
    publish(&mut publisher, [with_id("a", "1"), with_id("", "2")]);
    assert_eq!(text(&fresh(&membership).preamble), "retry: 3000\n");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_before_its_first_event_resumes_from_the_id_it_was_told() {
    let (membership, mut publisher) = topic(LateJoin::Live, Ids::Assign);
    let told = text(&fresh(&membership).preamble);
    let last = told.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id");
    publish(&mut publisher, [event("5")]);
    let start = resume(&membership, last);
    assert_eq!(place(&start), (Replayed, 5));
    assert!(read(&membership, start.cursor).starts_with("data: 5\n"));
}
