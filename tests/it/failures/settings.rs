//! Where a fresh subscriber begins, repeats, and the upstream's reconnection time.

use super::{A_WHILE, BOTH, CHUNKED, SOON, fresh, stream};
use crate::{
    client::Protocol,
    origin::{Gate, RawOrigin, Step},
    sluice::Sluice,
};

/// Three events at once, and a fourth when the test says so.
fn four(gate: &Gate) -> Vec<Step> {
    let more = [Step::Pause(gate.clone()), Step::chunk("data: 4\n\n")];
    [stream("data: 1\n\ndata: 2\n\ndata: 3\n\n"), more.to_vec()].concat()
}

#[tokio::test]
async fn a_late_subscriber_begins_as_the_route_says() {
    for (late_join, expected) in [("live", "4"), ("last", "34"), ("all", "1234")] {
        let gate = Gate::new();
        let origin = RawOrigin::start(four(&gate)).await;
        let sse = format!("late_join: {late_join}");
        let sluice = Sluice::before(origin.address(), "/events", &sse).await;
        let first = fresh(Protocol::Http2, &sluice).await;
        sluice.wait_for_metric("sluice_events_published_total", &[], 3.0).await;
        let mut late = Vec::new();
        for protocol in BOTH {
            late.push(fresh(protocol, &sluice).await);
        }
        gate.open();
        for listener in &mut late {
            let events = listener.next_events(expected.len(), SOON).await;
            let data: String = events.into_iter().map(|event| event.data).collect();
            assert_eq!(data, expected, "{late_join}");
            assert_eq!(listener.event_or_end(A_WHILE).await, None);
        }
        drop(first);
    }
}

#[tokio::test]
async fn a_subscriber_that_waited_for_the_upstream_gets_what_comes_with_its_head() {
    for protocol in BOTH {
        let gate = Gate::new();
        let origin = RawOrigin::start(four(&gate)).await;
        let sse = "late_join: live, open_wait: 30s";
        let sluice = Sluice::before(origin.address(), "/events", sse).await;
        let mut first = fresh(protocol, &sluice).await;
        gate.open();
        let events = first.next_events(4, SOON).await;
        let data: String = events.into_iter().map(|event| event.data).collect();
        assert_eq!(data, "1234");
    }
}

#[tokio::test]
async fn repeats_are_dropped_where_the_route_says_so_across_reconnects_too() {
    for (dedupe, expected) in [(true, "abab"), (false, "aabaabb")] {
        // The same row again and again, as a script does that selects the last one each time.
        let origin = RawOrigin::start_each(|number| match number {
            0 => [stream("data: a\n\ndata: a\n\ndata: b\n\ndata: a\n\n"), vec![Step::Finish]]
                .concat(),
            1 => stream("data: a\n\ndata: b\n\ndata: b\n\n"),
            _ => vec![],
        })
        .await;
        let sse = format!("dedupe: {dedupe}, late_join: all, retry: 50ms");
        let sluice = Sluice::before(origin.address(), "/events", &sse).await;
        for protocol in BOTH {
            let mut listener = fresh(protocol, &sluice).await;
            let events = listener.next_events(expected.len(), SOON).await;
            let data: String = events.into_iter().map(|event| event.data).collect();
            assert_eq!(data, expected);
            assert_eq!(listener.event_or_end(A_WHILE).await, None);
        }
    }
}

#[tokio::test]
async fn an_upstreams_reconnection_time_reaches_those_who_listen_and_those_who_come() {
    let gate = Gate::new();
    let origin = RawOrigin::start(vec![
        Step::head(CHUNKED),
        Step::chunk("data: 1\n\n"),
        Step::Pause(gate.clone()),
        Step::chunk("retry: 1234\n\nretry: 5x\n\nretry: -5\n\ndata: 2\n\n"),
    ])
    .await;
    let sluice = Sluice::before(origin.address(), "/events", "retry: 7s, late_join: last").await;
    let mut early = Vec::new();
    for protocol in BOTH {
        let mut listener = fresh(protocol, &sluice).await;
        assert_eq!(listener.next_event(SOON).await.data, "1");
        assert_eq!(listener.retry(), Some(7000), "the route's, until the upstream says another");
        early.push(listener);
    }
    gate.open();
    for listener in &mut early {
        assert_eq!(listener.next_event(SOON).await.data, "2");
        assert_eq!(listener.retry(), Some(1234));
    }
    for protocol in BOTH {
        let mut late = fresh(protocol, &sluice).await;
        assert_eq!(late.next_event(SOON).await.data, "2");
        assert!(late.text().starts_with("retry: 1234\n"), "{}", late.text());
    }
}
