//! What becomes of the upstream's blocks: ids, reconnection times, repeats; and the accounts.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::rig::{Rig, event, publish, read, retry, with_id};
use crate::{
    config::Ids,
    hub::{Batch, End, Phase, Subscription},
    metrics::{EndReason, Metrics, StartKind},
    refusal::Refusal,
    sse::Event,
};

fn id_alone(id: &str) -> Event {
    Event { id: Some(id.to_owned()), ..Event::default() }
}

fn upstream_ids() -> Rig {
    Rig::new(|policy| policy.ids = Ids::Upstream)
}

#[tokio::test]
async fn assigned_ids_take_the_place_of_the_upstreams() {
    let rig = Rig::new(|_| {});
    let (membership, mut publisher) = rig.begin();
    publish(&mut publisher, [with_id("u1", "a"), id_alone("u2"), retry(70), event("b")]);
    let epoch = &membership.topic.epoch;
    let (first, third) = (epoch.id(1), epoch.id(3));
    assert_eq!(
        read(&membership, 1),
        format!("data: a\nid: {first}\n\nretry: 70\ndata: b\nid: {third}\n\n")
    );
}

#[tokio::test]
async fn the_upstreams_ids_pass_as_they_are() {
    let rig = upstream_ids();
    let (membership, mut publisher) = rig.begin();
    publish(&mut publisher, [with_id("a/1 가", "1"), event("2"), id_alone("b"), id_alone("")]);
    assert_eq!(read(&membership, 1), "data: 1\nid: a/1 가\n\ndata: 2\n\nid: b\n\nid:\n\n");
}

#[tokio::test]
async fn only_blocks_with_data_count_as_events() {
    let rig = upstream_ids();
    let (membership, mut publisher) = rig.begin();
    publish(&mut publisher, [id_alone("a"), retry(70), event("1"), event("")]);
    let mut batch = Batch::default();
    membership.read_new(1, usize::MAX, &mut batch).expect("kept");
    assert_eq!((batch.events.len(), batch.dispatched, batch.next), (4, 2, 5));
    assert_eq!(rig.policy.metrics.published.get(), 2);
}

#[tokio::test]
async fn the_upstreams_reconnection_time_rules_and_the_newest_one_most() {
    let rig = Rig::new(|_| {});
    let (membership, mut publisher) = rig.begin();
    assert_eq!(membership.retry(), Duration::from_secs(3));
    publish(&mut publisher, [retry(70), Event { retry: Some(80), ..event("1") }]);
    assert_eq!(membership.retry(), Duration::from_millis(80));
    assert!(read(&membership, 2).contains("retry: 80\n"));
}

#[tokio::test]
async fn a_repeat_is_dropped_where_the_route_says_so() {
    let typed = |data| Event { event_type: "t".to_owned(), ..event(data) };
    let events = || [event("a"), event("a"), typed("a"), typed("a"), event("a"), event("b")];
    for (dedupe, published) in [(true, 4), (false, 6)] {
        let rig = Rig::new(|policy| policy.dedupe = dedupe);
        let (membership, mut publisher) = rig.begin();
        events().into_iter().for_each(|event| publish(&mut publisher, [event]));
        assert_eq!(membership.head() - 1, published);
        assert_eq!(rig.policy.metrics.published.get(), published);
    }
}

#[tokio::test]
async fn blocks_without_data_neither_are_repeats_nor_hide_one() {
    let rig = Rig::new(|policy| (policy.dedupe, policy.ids) = (true, Ids::Upstream));
    let (membership, mut publisher) = rig.begin();
    publish(&mut publisher, [event("a"), id_alone("1"), id_alone("1"), retry(70), event("a")]);
    assert_eq!(read(&membership, 1), "data: a\n\nid: 1\n\nid: 1\n\nretry: 70\n");
}

#[tokio::test]
async fn assigned_ids_have_no_gap_where_repeats_were_dropped() {
    let rig = Rig::new(|policy| policy.dedupe = true);
    let (membership, mut publisher) = rig.begin();
    publish(&mut publisher, [event("a"), event("a"), event("b")]);
    let epoch = &membership.topic.epoch;
    let (first, second) = (epoch.id(1), epoch.id(2));
    assert_eq!(read(&membership, 1), format!("data: a\nid: {first}\n\ndata: b\nid: {second}\n\n"));
}

#[tokio::test]
async fn an_ended_topic_can_be_read_to_its_end_and_stays_ended() {
    let rig = Rig::new(|_| {});
    let (membership, mut publisher) = rig.begin();
    publisher.open();
    publish(&mut publisher, [event("1")]);
    drop(publisher);
    assert!(read(&membership, 1).starts_with("data: 1\n"));
    assert_eq!(membership.phase(), Phase::Ended(End::Stopped));
    assert_eq!(rig.hub.topic_count(), 0);
}

#[tokio::test]
async fn a_refusal_reaches_every_connection_that_is_interested() {
    let rig = Rig::new(|_| {});
    let (one, publisher) = rig.begin();
    let other = rig.join();
    let refusal = Refusal { status: 204, content_type: None, location: None, body: Bytes::new() };
    publisher.refuse(refusal.clone());
    for membership in [one, other] {
        assert_eq!(membership.phase(), Phase::Ended(End::Refused(Arc::new(refusal.clone()))));
    }
    assert_eq!(rig.hub.topic_count(), 0);
}

#[tokio::test]
async fn every_gauge_is_back_at_zero_when_all_have_left() {
    let metrics = Arc::<Metrics>::default();
    let rig = Rig::counted_by(&metrics, |policy| policy.replay.events = 2);
    let route = rig.policy.metrics.clone();
    let (membership, mut publisher) = rig.begin();
    publish(&mut publisher, [event("1"), event("2"), event("3")]);
    let held = membership.topic.read().replay.bytes() as i64;
    let account = Subscription::begin(route.clone(), StartKind::Live);
    let gauges =
        || (route.topics.get(), route.subscribers.get(), metrics.replay_buffer_bytes.get());
    assert_eq!(gauges(), (1, 1, held));
    account.end(EndReason::Lagging);
    drop(publisher);
    assert_eq!(gauges(), (0, 0, held), "it has no feed, and what is kept can still be read");
    drop(membership);
    assert_eq!(gauges(), (0, 0, 0));
    assert_eq!(route.ended(EndReason::Lagging).get(), 1);
    drop(Subscription::begin(route.clone(), StartKind::Missed));
    assert_eq!(
        (route.ended(EndReason::Client).get(), route.started(StartKind::Missed).get()),
        (1, 1)
    );
}
