//! Clients that come back with a last event ID: replayed, or told that they missed something.

use std::time::Duration;

use crate::{
    client::Protocol,
    failures::{Listener, listen},
    origin::{Gate, RawOrigin, Step},
    sluice::Sluice,
};

const SOON: Duration = Duration::from_secs(30);
const A_WHILE: Duration = Duration::from_millis(300);
const BOTH: [Protocol; 2] = [Protocol::Http1, Protocol::Http2];
const IDS: [&str; 2] = ["assign", "upstream"];
const MISSED: &str = " missed: the last event ID is not in the replay buffer";
const STARTS: &str = "sluice_subscriptions_total";

/// Events 1 to 5 at once, with ids of the script's own; a sixth and a seventh when the test says.
struct Site {
    sluice: Sluice,
    #[expect(dead_code, reason = "held to be stopped with the test")]
    origin: RawOrigin,
    gate: Gate,
    /// The ids of the first five, as clients see them.
    ids: Vec<String>,
    #[expect(dead_code, reason = "held so that the topic lives")]
    first: Listener,
}

impl Site {
    async fn start(ids: &str, late_join: &str, more: &str) -> Self {
        let gate = Gate::new();
        let origin = RawOrigin::start(script(&gate)).await;
        let sse = format!("ids: {ids}, late_join: {late_join}, heartbeat: 1h{more}");
        let sluice = Sluice::before(origin.address(), "/events", &sse).await;
        let mut first = listen(Protocol::Http2, &sluice, "/events", &[]).await;
        let events = first.next_events(5, SOON).await;
        let ids = events.into_iter().map(|event| event.id).collect();
        Self { sluice, origin, gate, ids, first }
    }

    async fn starts(&self, start: &str) -> f64 {
        self.sluice.metric(STARTS, &[&format!(r#"start="{start}""#)]).await
    }
}

fn script(gate: &Gate) -> Vec<Step> {
    let five: String = (1..=5).map(|n| format!("id: {}\ndata: {n}\n\n", own_id(n))).collect();
    vec![
        Step::head("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked"),
        Step::chunk(five),
        Step::Pause(gate.clone()),
        Step::chunk("id: six\ndata: 6\n\n"),
        Step::Pause(gate.clone()),
        Step::chunk("id: seven\ndata: 7\n\n"),
    ]
}

/// Ids as scripts make them, with what is awkward in headers and in queries.
fn own_id(n: usize) -> String {
    format!("가-{n} a+b&c=%20\u{e9}")
}

/// As a form encodes it.
fn encoded(id: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let one = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        byte if plain(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    id.bytes().map(one).collect()
}

/// The data of the next events, joined, and nothing behind them.
async fn data(listener: &mut Listener, count: usize) -> String {
    let events = listener.next_events(count, SOON).await;
    events.into_iter().map(|event| event.data).collect()
}

#[tokio::test]
async fn a_resume_by_header_or_by_parameter_gets_all_that_came_after_and_then_live() {
    for ids in IDS {
        let site = Site::start(ids, "all", "").await;
        let mut resumed = Vec::new();
        for protocol in BOTH {
            let id = &site.ids[2];
            let header = [("Last-Event-ID", id.as_str())];
            let parameter = format!("/events?lastEventId={}", encoded(id));
            resumed.push(listen(protocol, &site.sluice, "/events", &header).await);
            resumed.push(listen(protocol, &site.sluice, &parameter, &[]).await);
        }
        for listener in &mut resumed {
            assert_eq!(data(listener, 2).await, "45", "{ids}");
            assert_eq!(listener.comments(), [""; 0], "nothing was missed");
        }
        site.gate.open();
        for listener in &mut resumed {
            assert_eq!(data(listener, 1).await, "6");
            assert_eq!(listener.event_or_end(A_WHILE).await, None);
            assert_eq!(listener.text().matches("data: ").count(), 3, "none came twice");
        }
        assert_eq!((site.starts("replayed").await, site.starts("missed").await), (4.0, 0.0));
    }
}

#[tokio::test]
async fn the_header_beats_the_parameter() {
    let site = Site::start("assign", "all", "").await;
    for protocol in BOTH {
        let parameter = format!("/events?lastEventId={}", encoded(&site.ids[0]));
        let header = [("Last-Event-ID", site.ids[3].as_str())];
        let mut resumed = listen(protocol, &site.sluice, &parameter, &header).await;
        assert_eq!(data(&mut resumed, 1).await, "5");
    }
}

#[tokio::test]
async fn an_empty_id_is_a_fresh_start() {
    let site = Site::start("assign", "all", "").await;
    for protocol in BOTH {
        for (path, headers) in
            [("/events?lastEventId=", [].as_slice()), ("/events", &[("Last-Event-ID", "")])]
        {
            let mut fresh = listen(protocol, &site.sluice, path, headers).await;
            assert_eq!(data(&mut fresh, 5).await, "12345");
        }
    }
    assert_eq!((site.starts("live").await, site.starts("missed").await), (5.0, 0.0));
}

#[tokio::test]
async fn a_resume_that_is_not_found_is_told_so_and_gets_what_a_late_subscriber_gets() {
    for ids in IDS {
        let site = Site::start(ids, "all", ", replay: { events: 5 }").await;
        let beyond = site.ids[4].replace('5', "9");
        (0..2).for_each(|_| site.gate.open());
        site.sluice.wait_for_metric("sluice_events_published_total", &[], 7.0).await;
        let mut count = 0.0;
        // Too old, never there, of another kind, hostile.
        for id in [&*site.ids[0], &*beyond, "가", "0", "\u{7f}", &"x".repeat(4000)] {
            let Ok(header) = http::HeaderValue::from_bytes(id.as_bytes()) else { continue };
            let id = std::str::from_utf8(header.as_bytes()).expect("a string").to_owned();
            for protocol in BOTH {
                let headers = [("Last-Event-ID", &*id)];
                let mut missed = listen(protocol, &site.sluice, "/events", &headers).await;
                assert_eq!(data(&mut missed, 5).await, "34567", "{ids} {id:?}");
                assert_eq!(missed.comments(), [MISSED]);
                count += 1.0;
                assert_eq!(site.starts("missed").await, count);
            }
        }
        // The one before the oldest that is kept is found: all after it is there.
        let headers = [("Last-Event-ID", site.ids[1].as_str())];
        let mut found = listen(Protocol::Http2, &site.sluice, "/events", &headers).await;
        assert_eq!(data(&mut found, 5).await, "34567");
        assert_eq!((site.starts("replayed").await, site.starts("missed").await), (1.0, count));
    }
}

#[tokio::test]
async fn a_missed_resume_on_a_live_route_begins_with_what_comes() {
    let site = Site::start("assign", "live", "").await;
    let mut resumed = Vec::new();
    for protocol in BOTH {
        let headers = [("Last-Event-ID", "another-1")];
        resumed.push(listen(protocol, &site.sluice, "/events", &headers).await);
    }
    site.gate.open();
    for listener in &mut resumed {
        assert_eq!(data(listener, 1).await, "6");
        assert_eq!(listener.comments(), [MISSED]);
    }
}

#[tokio::test]
async fn an_id_of_a_topic_that_ended_or_of_a_gateway_that_was_restarted_is_missed() {
    let origin = RawOrigin::start(script(&Gate::new())).await;
    let start = || Sluice::before(origin.address(), "/events", "linger: 0s, late_join: all");
    let mut sluice = start().await;
    let mut ids = Vec::new();
    for again in [false, true] {
        if again {
            sluice = start().await;
        }
        for life in 1..=2 {
            let headers = ids.last().map(|id: &String| ("Last-Event-ID", id.as_str()));
            let mut listener =
                listen(Protocol::Http1, &sluice, "/events", headers.as_slice()).await;
            let events = listener.next_events(5, SOON).await;
            assert_eq!(listener.comments().is_empty(), headers.is_none(), "{life}");
            ids.push(events[2].id.clone());
            drop(listener);
            sluice.wait_for_metric("sluice_topics", &[], 0.0).await;
        }
    }
    assert_eq!(sluice.metric(STARTS, &[r#"start="missed""#]).await, 2.0);
    let epochs: Vec<_> = ids.iter().map(|id| id.trim_end_matches("-3")).collect();
    assert!(epochs.iter().all(|epoch| epochs.iter().filter(|e| e == &epoch).count() == 1));
}

#[tokio::test]
async fn a_client_that_left_before_its_first_event_resumes_without_loss() {
    for ids in IDS {
        let site = Site::start(ids, "live", "").await;
        let mut told = Vec::new();
        for protocol in BOTH {
            let mut early = listen(protocol, &site.sluice, "/events", &[]).await;
            while early.last_event_id().is_empty() {
                early.next_bytes(SOON).await.expect("its place");
            }
            assert_eq!(early.last_event_id(), site.ids[4]);
            told.push((protocol, early.last_event_id().to_owned()));
        }
        site.sluice.wait_for_metric("sluice_subscribers", &[], 1.0).await;
        site.gate.open();
        site.sluice.wait_for_metric("sluice_events_published_total", &[], 6.0).await;
        for (protocol, id) in told {
            let headers = [("Last-Event-ID", id.as_str())];
            let mut resumed = listen(protocol, &site.sluice, "/events", &headers).await;
            assert_eq!(data(&mut resumed, 1).await, "6", "{ids}");
        }
        assert_eq!((site.starts("replayed").await, site.starts("missed").await), (2.0, 0.0));
    }
}

#[tokio::test]
async fn heartbeats_do_not_cost_a_resumed_client_its_place() {
    let gate = Gate::new();
    let origin = RawOrigin::start(script(&gate)).await;
    let sse = "ids: upstream, late_join: all, heartbeat: 1s";
    let sluice = Sluice::before(origin.address(), "/events", sse).await;
    for protocol in BOTH {
        let mut listener = listen(protocol, &sluice, "/events", &[]).await;
        let last = listener.next_events(5, SOON).await.pop().expect("five").id;
        let headers = [("Last-Event-ID", last.as_str())];
        let mut resumed = listen(protocol, &sluice, "/events", &headers).await;
        while resumed.comments().len() < 2 {
            resumed.next_bytes(SOON).await.expect("a heartbeat");
        }
        assert_eq!(resumed.last_event_id(), last);
    }
}
