//! What the upstream said instead of a stream, on purpose.

use std::time::Duration;

use tokio::{task::JoinSet, time::sleep};

use super::{A_WHILE, BOTH, CHUNKED, ENDS, Listener, SOON, answer, fresh, listen, stream};
use crate::{
    client::{End, Http2Connection, Protocol, SseStream},
    origin::{Gate, PhpServer, RawOrigin, Step},
    sluice::Sluice,
};

/// The most of a refusal's body that is relayed.
const BODY_MAX: usize = 16 * 1024;

/// Status line, headers and body as the upstream sends them.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("200 OK", "Content-Type: text/html; charset=utf-8\r\nSet-Cookie: a=b\r\n", "<p>login</p>"),
    ("200 OK", "", "no type at all"),
    ("301 Moved Permanently", "Location: /new\r\nContent-Type: text/plain\r\n", "moved"),
    ("302 Found", "Location: https://example.com/?a=1\r\nSet-Cookie: a=b\r\n", ""),
    ("403 Forbidden", "Content-Type: text/html\r\nServer: inside/1.0\r\n", "no"),
    ("404 Not Found", "Content-Type: text/html\r\nX-Powered-By: inside\r\n", "not here"),
];

/// What any relayed answer must be like.
fn check(stream: &SseStream, status: &str, headers: &str) {
    assert_eq!(stream.head().status.as_str(), &status[..3]);
    let sent = |name: &str| {
        let line = headers.split("\r\n").find_map(|line| line.strip_prefix(name));
        line.map_or("", |value| value.trim_start_matches(": "))
    };
    assert_eq!(stream.header("content-type"), sent("Content-Type"));
    assert_eq!(stream.header("location"), sent("Location"));
    for name in ["set-cookie", "x-powered-by", "via"] {
        assert_eq!(stream.header(name), "", "{name} of {status}");
    }
    assert!(!stream.header("server").contains("inside"));
}

#[tokio::test]
async fn a_refusal_is_relayed_to_every_waiting_subscriber_over_both_versions() {
    for (status, headers, body) in REFUSALS {
        let gate = Gate::new();
        let mut steps = vec![Step::Pause(gate.clone())];
        steps.extend(answer(status, headers, body));
        let origin = RawOrigin::start(steps).await;
        let sluice = Sluice::before(origin.address(), "/events", "open_wait: 30s").await;
        let http2 = Http2Connection::open(sluice.plain, false).await;
        let wait = async {
            let listen = |protocol| fresh(protocol, &sluice);
            let (a, b, c) = tokio::join!(
                listen(Protocol::Http1),
                listen(Protocol::Http1),
                listen(Protocol::Http2)
            );
            vec![a.stream, b.stream, c.stream]
        };
        let two = async { tokio::join!(http2.get("/events", &[]), http2.get("/events", &[])) };
        let release = async {
            sleep(A_WHILE).await;
            // One pass would do if all are in time; a late one gets an answer of its own.
            (0..5).for_each(|_| gate.open());
        };
        let (mut streams, (d, e), ()) = tokio::join!(wait, two, release);
        streams.extend([d, e]);
        for stream in &mut streams {
            check(stream, status, headers);
            assert_eq!(stream.ended(SOON).await, End::Clean);
            assert_eq!(stream.text(), *body);
        }
        assert!(origin.heads().len() < streams.len(), "they shared an answer");
        let counted = sluice.metric("sluice_subscriptions_total", &[]).await;
        assert_eq!(counted, 0.0, "no event stream was begun");
    }
}

#[tokio::test]
async fn a_204_is_relayed_without_a_body() {
    let origin = RawOrigin::start(vec![Step::send("HTTP/1.1 204 No Content\r\n\r\n")]).await;
    let sluice = Sluice::before(origin.address(), "/events", "").await;
    for protocol in BOTH {
        let mut stopped = fresh(protocol, &sluice).await;
        check(&stopped, "204 No Content", "");
        assert_eq!(stopped.header("content-length"), "");
        assert_eq!((stopped.ended(SOON).await, stopped.raw()), (End::Clean, &b""[..]));
    }
}

#[tokio::test]
async fn a_large_or_endless_body_is_relayed_as_far_as_it_is_at_hand_and_within_bounds() {
    let large = "x".repeat(100_000);
    let origin = RawOrigin::start_each(move |number| match number {
        0 | 1 => answer("404 Not Found", "Content-Type: text/plain\r\n", &large),
        // The rest never comes.
        _ => vec![Step::send("HTTP/1.1 403 Forbidden\r\nContent-Length: 900\r\n\r\nhalf")],
    })
    .await;
    let sluice = Sluice::before(origin.address(), "/events", "open_wait: 30s").await;
    for (status, length) in [("404", BODY_MAX), ("403", 4)] {
        for protocol in BOTH {
            let mut refused = fresh(protocol, &sluice).await;
            assert_eq!(refused.head().status.as_str(), status);
            assert_eq!(refused.header("content-length"), length.to_string());
            assert_eq!((refused.ended(SOON).await, refused.raw().len()), (End::Clean, length));
        }
    }
}

#[tokio::test]
async fn a_real_scripts_refusals_are_relayed() {
    let php = PhpServer::start(3).await;
    let sluice = Sluice::before(php.address(), "/status.php", "").await;
    for code in [204, 302, 401, 404] {
        for protocol in BOTH {
            let path = format!("/status.php?code={code}&location=/page.php&cookie=a%3Db");
            let refused = listen(protocol, &sluice, &path, &[]).await;
            assert_eq!(refused.head().status.as_u16(), code);
            assert_eq!(refused.header("location"), "/page.php");
            assert_eq!(refused.header("set-cookie"), "");
        }
    }
}

#[tokio::test]
async fn a_refusal_after_the_answer_ends_the_streams_and_the_next_request_gets_it() {
    for (status, body) in [("404 Not Found", "gone"), ("204 No Content", ""), ("200 OK", "html")] {
        let gate = Gate::new();
        let first = gate.clone();
        let origin = RawOrigin::start_each(move |number| match number {
            0 => [stream("data: 1\n\n"), vec![Step::Pause(first.clone()), Step::Finish]].concat(),
            _ if status.starts_with("204") => vec![Step::send("HTTP/1.1 204 No Content\r\n\r\n")],
            _ => answer(status, "Content-Type: text/html\r\n", body),
        })
        .await;
        let sse = "retry: 20ms, late_join: last, heartbeat: 1h";
        let sluice = Sluice::before(origin.address(), "/events", sse).await;
        let mut listeners: Vec<Listener> = Vec::new();
        for protocol in BOTH {
            listeners.push(fresh(protocol, &sluice).await);
        }
        for listener in &mut listeners {
            assert_eq!(listener.next_event(SOON).await.data, "1");
        }
        gate.open();
        for listener in &mut listeners {
            assert_eq!(listener.ended(SOON).await, End::Clean);
            assert!(listener.text().ends_with("retry: 20\n"), "{}", listener.text());
        }
        sluice.wait_for_metric(ENDS, &[r#"reason="upstream""#], 2.0).await;
        for protocol in BOTH {
            let mut next = fresh(protocol, &sluice).await;
            assert_eq!(next.head().status.as_str(), &status[..3]);
            next.ended(SOON).await;
            assert_eq!(next.text(), body);
        }
    }
}

#[tokio::test]
async fn a_forced_route_takes_any_200_for_a_stream_and_no_other_status() {
    const SPOILT: &str = "\u{feff}<br />\n<b>Warning</b>:  Cannot modify header information\n\
                          data: 1\n\n";
    let script = |number| match number {
        0 => [
            vec![Step::head("Content-Type: text/html\r\nTransfer-Encoding: chunked")],
            vec![Step::chunk(SPOILT), Step::Finish],
        ]
        .concat(),
        _ => answer("404 Not Found", "", "gone"),
    };
    let origin = RawOrigin::start_each(script).await;
    let sse = "force: true, retry: 20ms, late_join: last";
    let sluice = Sluice::before(origin.address(), "/events", sse).await;
    let mut forced = fresh(Protocol::Http2, &sluice).await;
    assert_eq!(forced.header("content-type"), "text/event-stream");
    assert_eq!(forced.next_event(SOON).await.data, "1");
    assert_eq!(forced.ended(SOON).await, End::Clean);
    assert!(!forced.text().contains("Warning"), "{}", forced.text());
    assert_eq!(fresh(Protocol::Http1, &sluice).await.head().status, 404);
}

#[tokio::test]
async fn a_head_later_than_open_wait_does_not_delay_the_client() {
    for protocol in BOTH {
        let gate = Gate::new();
        let steps =
            vec![Step::Pause(gate.clone()), Step::head(CHUNKED), Step::chunk("data: 1\n\n")];
        let origin = RawOrigin::start(steps).await;
        let sse = "open_wait: 100ms, heartbeat: 1s";
        let sluice = Sluice::before(origin.address(), "/events", sse).await;
        let mut early = fresh(protocol, &sluice).await;
        assert_eq!(early.head().status, 200, "the upstream has said nothing");
        assert_eq!(early.event_or_end(Duration::from_millis(1500)).await, None);
        assert!(!early.comments().is_empty(), "it gets heartbeats");
        gate.open();
        assert_eq!(early.next_event(SOON).await.data, "1");
    }
}

#[tokio::test]
async fn the_first_subscriber_waits_for_the_upstreams_head() {
    let gate = Gate::new();
    let mut steps = vec![Step::Pause(gate.clone())];
    steps.extend(answer("403 Forbidden", "", "no"));
    let origin = RawOrigin::start(steps).await;
    let sluice = Sluice::before(origin.address(), "/events", "open_wait: 30s").await;
    let plain = sluice.plain;
    let mut clients = JoinSet::new();
    clients.spawn(async move { crate::client::Http1::get(plain, "/events", &[]).await });
    sleep(A_WHILE).await;
    assert!(clients.try_join_next().is_none(), "nothing is answered before the upstream spoke");
    gate.open();
    let refused = clients.join_next().await.expect("a client").expect("an answer");
    assert_eq!(refused.head().status, 403);
}

#[tokio::test]
async fn a_refusal_later_than_open_wait_ends_the_stream_and_is_relayed_next() {
    let gate = Gate::new();
    let late = gate.clone();
    let origin = RawOrigin::start_each(move |number| {
        let wait = (number == 0).then(|| Step::Pause(late.clone()));
        wait.into_iter().chain(answer("403 Forbidden", "", "no")).collect()
    })
    .await;
    let sluice = Sluice::before(origin.address(), "/events", "open_wait: 100ms").await;
    let mut early = fresh(Protocol::Http2, &sluice).await;
    assert_eq!(early.head().status, 200);
    gate.open();
    assert_eq!(early.ended(SOON).await, End::Clean);
    assert_eq!(fresh(Protocol::Http2, &sluice).await.head().status, 403);
}
