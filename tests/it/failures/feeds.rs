//! How many feeds there are, when they begin, and how long they stay.

use std::time::{Duration, Instant};

use super::{A_WHILE, BOTH, ENDS, SOON, fresh, listen, stream};
use crate::{
    client::{Protocol, eventually},
    origin::RawOrigin,
    sluice::Sluice,
};

const WAITING: &[&str] = &[r#"state="waiting""#];
const FEEDS: &str = "sluice_feeds";

async fn before(origin: &RawOrigin, upstream: &str, sse: &str) -> Sluice {
    Sluice::start(&format!(
        "upstreams: {{ site: {{ address: '{}', {upstream} }} }}
routes:
  - {{ path: /events, upstream: site, sse: {{ {sse} }} }}
",
        origin.address()
    ))
    .await
}

#[tokio::test]
async fn feeds_connect_no_closer_together_than_the_stagger() {
    const STAGGER: Duration = Duration::from_millis(300);
    let origin = RawOrigin::start(stream("data: 1\n\n")).await;
    let sluice = before(&origin, "connect_stagger: 300ms", "late_join: last").await;
    let topics = ["/events?1", "/events?2", "/events?3", "/events?4"];
    let mut listeners = Vec::new();
    for path in topics {
        listeners.push(async { listen(Protocol::Http1, &sluice, path, &[]).await });
    }
    let [a, b, c, d] = listeners.try_into().ok().expect("four");
    tokio::join!(a, b, c, d);
    let mut at: Vec<_> = origin.heads().iter().map(|head| head.at).collect();
    at.sort();
    assert_eq!(at.len(), 4);
    // A request that was sent in time may be seen late, and then the next one is close to it;
    // over all of them that evens out.
    assert!(at[3] - at[0] >= STAGGER * 3 - A_WHILE, "{:?}", at[3] - at[0]);
}

#[tokio::test]
async fn a_topic_over_max_streams_waits_its_turn_and_its_subscribers_do_not_notice() {
    let origin = RawOrigin::start(stream("data: 1\n\n")).await;
    let sse = "late_join: last, linger: 0s, heartbeat: 1s";
    let sluice = before(&origin, "max_streams: 1", sse).await;
    let first = listen(Protocol::Http2, &sluice, "/events?1", &[]).await;
    let mut waiting = Vec::new();
    for protocol in BOTH {
        let mut listener = listen(protocol, &sluice, "/events?2", &[]).await;
        assert_eq!(listener.head().status, 200);
        assert_eq!(listener.event_or_end(Duration::from_millis(1500)).await, None);
        assert!(!listener.comments().is_empty(), "it gets heartbeats");
        waiting.push(listener);
    }
    assert_eq!(sluice.metric(FEEDS, WAITING).await, 1.0);
    assert_eq!(sluice.metric(FEEDS, &[r#"state="open""#]).await, 1.0);
    assert_eq!(origin.heads().len(), 1);
    let log = sluice.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("wait their turn")).collect();
    assert!(lines.len() == 1 && lines[0].contains("Raise 'max_streams'"), "{log}");
    drop(first);
    for listener in &mut waiting {
        assert_eq!(listener.next_event(SOON).await.data, "1");
    }
    assert_eq!(origin.heads()[1].target(), "/events?2");
    assert_eq!(sluice.metric(FEEDS, WAITING).await, 0.0);
}

#[tokio::test]
async fn a_feed_stays_for_the_linger_time_and_serves_who_comes_back() {
    const LINGER: Duration = Duration::from_secs(3);
    let origin = RawOrigin::start(stream("data: 1\n\n")).await;
    let sluice = before(&origin, "max_streams: 4", "linger: 3s, late_join: last").await;
    let mut left = Instant::now();
    for protocol in BOTH {
        let mut listener = fresh(protocol, &sluice).await;
        assert_eq!(listener.next_event(SOON).await.data, "1");
        left = Instant::now();
        drop(listener);
        sluice.wait_for_metric("sluice_subscribers", &[], 0.0).await;
    }
    assert_eq!((origin.open_connections(), origin.heads().len()), (1, 1), "one for both");
    eventually("the feed is closed", SOON, async || origin.open_connections() == 0).await;
    assert!(left.elapsed() >= LINGER, "{:?}", left.elapsed());
    sluice.wait_for_metric("sluice_topics", &[], 0.0).await;
    assert_eq!(sluice.metric(FEEDS, &[]).await, 0.0);
    assert_eq!(sluice.metric("sluice_replay_buffer_bytes", &[]).await, 0.0);
    assert_eq!(sluice.metric(ENDS, &[r#"reason="client""#]).await, 2.0);
    let mut anew = fresh(Protocol::Http2, &sluice).await;
    assert_eq!(anew.next_event(SOON).await.data, "1");
    assert_eq!(origin.heads().len(), 2);
}
