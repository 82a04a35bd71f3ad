//! When a feed connects again, and from where.

use std::time::Duration;

use super::{BOTH, SOON, answer, fresh, listen, stream};
use crate::{
    client::{Protocol, eventually},
    origin::{RawOrigin, RequestHead, Step},
    sluice::Sluice,
};

/// The least that jitter leaves of a delay.
const LEAST: f64 = 0.75;

/// The times between the heads.
fn gaps(heads: &[RequestHead]) -> Vec<Duration> {
    heads.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

async fn heads(origin: &RawOrigin, count: usize) -> Vec<RequestHead> {
    let what = format!("{count} requests");
    eventually(&what, SOON, async || origin.heads().len() >= count).await;
    origin.heads()
}

#[tokio::test]
async fn a_feed_connects_again_after_the_routes_reconnection_time() {
    let origin = RawOrigin::start([stream("data: 1\n\n"), vec![Step::Finish]].concat()).await;
    let sluice = Sluice::before(origin.address(), "/events", "retry: 400ms").await;
    let _listener = fresh(Protocol::Http2, &sluice).await;
    for gap in gaps(&heads(&origin, 4).await) {
        assert!(gap >= Duration::from_millis(400).mul_f64(LEAST), "{gap:?}");
        assert!(gap < Duration::from_secs(10), "a stream that gave an event is no failure");
    }
}

#[tokio::test]
async fn a_feed_connects_again_after_the_upstreams_own_reconnection_time() {
    let origin = RawOrigin::start_each(|number| match number {
        0 => [stream("retry: 900\ndata: 1\n\n"), vec![Step::Finish]].concat(),
        _ => stream("data: 2\n\n"),
    })
    .await;
    let sluice = Sluice::before(origin.address(), "/events", "retry: 10ms").await;
    let _listener = fresh(Protocol::Http2, &sluice).await;
    let gap = gaps(&heads(&origin, 2).await)[0];
    assert!(gap >= Duration::from_millis(900).mul_f64(LEAST), "{gap:?}");
}

#[tokio::test]
async fn connects_that_yield_no_event_are_further_and_further_apart_until_one_does() {
    const FAILURES: usize = 6;
    let origin = RawOrigin::start_each(|number| match number {
        FAILURES => [stream("data: 1\n\n"), vec![Step::Finish]].concat(),
        n if n % 3 == 0 => answer("500 Internal Server Error", "", ""),
        n if n % 3 == 1 => vec![Step::Reset],
        // All is well but for the events.
        _ => [stream("<br />\n<b>Fatal error</b>: no database\n"), vec![Step::Finish]].concat(),
    })
    .await;
    let sluice = Sluice::before(origin.address(), "/events", "retry: 50ms").await;
    let _listener = fresh(Protocol::Http2, &sluice).await;
    let gaps = gaps(&heads(&origin, FAILURES + 2).await);
    for (failures, gap) in gaps[..FAILURES].iter().enumerate() {
        let least = Duration::from_millis(50 << failures).mul_f64(LEAST);
        assert!(*gap >= least && *gap < SOON, "{failures}: {gap:?} is less than {least:?}");
    }
    // Before the event it waited for 1.2 s or more, and would have for 2.4 s.
    assert!(gaps[FAILURES] < Duration::from_millis(1200), "{gaps:?}");
    assert!(sluice.log().contains("is back"), "{}", sluice.log());
}

#[tokio::test]
async fn a_feed_asks_with_its_own_last_event_id_and_never_with_a_clients() {
    for ids in ["assign", "upstream"] {
        let origin = RawOrigin::start_each(|number| {
            let first = match number {
                0 => "id: a\ndata: 1\n\nid: b-\u{e9}\ndata: 2\n\ndata: 3\n\nid: cut\ndata: 4\n",
                1 => "id:\ndata: 5\n\n",
                _ => "data: 6\n\n",
            };
            let end = if number < 2 { vec![Step::Finish] } else { vec![] };
            [stream(first), end].concat()
        })
        .await;
        let sse = format!("retry: 50ms, late_join: all, ids: {ids}");
        let sluice = Sluice::before(origin.address(), "/events", &sse).await;
        for protocol in BOTH {
            let headers = [("Last-Event-ID", "clients-own")];
            let path = "/events?lastEventId=clients-own";
            let mut listener = listen(protocol, &sluice, path, &headers).await;
            let data = listener.next_events(5, SOON).await.into_iter().map(|event| event.data);
            assert_eq!(data.collect::<String>(), "12356");
        }
        let heads = heads(&origin, 3).await;
        assert_eq!(heads[0].header("last-event-id"), None);
        assert_eq!(heads[1].header("last-event-id"), Some("b-\u{e9}"), "of the last whole event");
        assert_eq!(heads[2].header("last-event-id"), None, "it was reset");
        assert!(heads.iter().all(|head| !head.raw.contains("clients-own")));
        assert_eq!(heads[0].target(), "/events");
    }
}
