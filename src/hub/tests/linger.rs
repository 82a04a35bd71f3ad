//! How long a feed outlives its last subscriber.

use std::time::Duration;

use tokio::time::{Instant, advance};

use super::rig::{Rig, event, key, poll, publish, read};
use crate::hub::Phase;

const LINGER: Duration = Duration::from_secs(10);
const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_topic_is_abandoned_when_nobody_was_there_for_the_linger_time() {
    let rig = Rig::new(|_| {});
    let (membership, publisher) = rig.begin();
    let mut abandonment = publisher.abandonment();
    let mut wait = Box::pin(abandonment.wait());
    advance(LINGER * 3).await;
    assert!(poll(&mut wait).is_pending(), "somebody is there");
    drop(membership);
    assert!(poll(&mut wait).is_pending());
    advance(LINGER - MOMENT).await;
    assert!(poll(&mut wait).is_pending(), "not yet");
    advance(MOMENT).await;
    assert!(poll(&mut wait).is_ready());
    assert_eq!(rig.hub.topic_count(), 0, "it is out of the table at once");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_in_time_finds_the_topic_as_it_was() {
    let rig = Rig::new(|_| {});
    let (membership, mut publisher) = rig.begin();
    let mut abandonment = publisher.abandonment();
    let mut wait = Box::pin(abandonment.wait());
    publish(&mut publisher, [event("1")]);
    drop(membership);
    assert!(poll(&mut wait).is_pending());
    advance(LINGER - MOMENT).await;
    let back = rig.join();
    assert_eq!(back.joined_at(), 2);
    assert!(read(&back, 1).starts_with("data: 1\n"));
    advance(LINGER * 3).await;
    assert!(poll(&mut wait).is_pending(), "a join in between keeps it");
    drop(back);
    assert!(poll(&mut wait).is_pending(), "the linger starts anew");
    advance(LINGER).await;
    assert!(poll(&mut wait).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_visit_between_two_looks_starts_the_linger_anew_or_ends_on_time() {
    let rig = Rig::new(|_| {});
    let (membership, publisher) = rig.begin();
    let mut abandonment = publisher.abandonment();
    let mut wait = Box::pin(abandonment.wait());
    drop(membership);
    assert!(poll(&mut wait).is_pending());
    advance(LINGER / 2).await;
    drop(rig.join());
    let left = Instant::now();
    while poll(&mut wait).is_pending() {
        assert!(left.elapsed() <= LINGER, "it never ends");
        advance(LINGER / 10).await;
    }
    assert_eq!(rig.hub.topic_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_join_at_the_instant_of_the_end_gets_a_live_topic_either_way() {
    let rig = Rig::new(|_| {});
    let (membership, publisher) = rig.begin();
    let mut abandonment = publisher.abandonment();
    let mut wait = Box::pin(abandonment.wait());
    drop(membership);
    assert!(poll(&mut wait).is_pending());
    // The time is over, and the join comes before the feed has noticed. Which of the two it looks
    // at first is left to chance, hence several rounds.
    for _ in 0..30 {
        advance(LINGER).await;
        let before = rig.join();
        assert!(poll(&mut wait).is_pending(), "the feed goes on for it");
        assert!(rig.publisher().is_none(), "no second feed");
        assert_eq!((before.phase(), rig.hub.topic_count()), (Phase::Opening, 1));
        drop(before);
        assert!(poll(&mut wait).is_pending());
    }
    // The other order: the feed has noticed and has not ended yet.
    advance(LINGER).await;
    assert!(poll(&mut wait).is_ready());
    let after = rig.join();
    let mut anew = rig.publisher().expect("a second feed");
    drop(wait);
    drop(publisher);
    assert_eq!((after.phase(), rig.hub.topic_count()), (Phase::Opening, 1));
    publish(&mut anew, [event("1")]);
    assert!(read(&after, after.joined_at()).starts_with("data: 1\n"));
}

#[tokio::test(start_paused = true)]
async fn without_linger_a_topic_ends_with_its_last_connection() {
    let rig = Rig::new(|policy| policy.linger = Duration::ZERO);
    let (one, publisher) = rig.begin();
    let other = rig.join();
    let mut abandonment = publisher.abandonment();
    let mut wait = Box::pin(abandonment.wait());
    drop(one);
    assert_eq!(rig.hub.interest_count(&key("/events")), 1);
    advance(LINGER).await;
    assert!(poll(&mut wait).is_pending());
    drop(other);
    // Even no time is over at the clock's next tick only.
    let ended = poll(&mut wait).is_ready() || {
        advance(MOMENT).await;
        poll(&mut wait).is_ready()
    };
    assert!(ended);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_dropped_abandons_nothing() {
    let rig = Rig::new(|_| {});
    let (membership, publisher) = rig.begin();
    drop(membership);
    let mut abandonment = publisher.abandonment();
    for _ in 0..3 {
        assert!(poll(&mut Box::pin(abandonment.wait())).is_pending());
        advance(LINGER).await;
    }
    assert_eq!(rig.hub.topic_count(), 1);
}
