//! Trouble that may pass: subscribers notice nothing but heartbeats, and the stream goes on.

use std::time::Duration;

use super::{BOTH, CHUNKED, CONNECTS, ENDS, SOON, answer, fresh, listen, stream};
use crate::{
    client::Protocol,
    origin::{
        PhpServer, RawOrigin, Step,
        port::{free_port, local},
    },
    sluice::Sluice,
};

/// What each kind of trouble is counted as, and how it looks.
fn troubles() -> Vec<(&'static str, Vec<Step>)> {
    let gzip = "Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\
                Transfer-Encoding: chunked";
    let html = "Content-Type: text/html\r\n";
    vec![
        ("status_5xx", answer("500 Internal Server Error", "", "")),
        // A script that failed before its first byte, with its own type.
        ("status_5xx", answer("500 Oops", "Content-Type: text/event-stream\r\n", "")),
        ("status_5xx", answer("502 Bad Gateway", html, "<h1>Bad Gateway</h1>")),
        ("status_5xx", answer("503 Service Unavailable", "Retry-After: 1\r\n", "")),
        ("status_5xx", answer("504 Gateway Time-out", html, "<h1>Time-out</h1>")),
        ("head_error", vec![Step::Finish]),
        ("head_error", vec![Step::Reset]),
        ("head_error", vec![Step::send("HTTP/1.1 200 OK\r\nContent-Ty"), Step::Finish]),
        ("encoded", vec![Step::head(gzip), Step::chunk(b"\x1f\x8b\x08\0data: x\n\n")]),
    ]
}

#[tokio::test]
async fn trouble_at_the_first_connect_is_hidden_and_the_stream_begins_when_it_is_over() {
    for (outcome, trouble) in troubles() {
        let origin = RawOrigin::start_each(move |number| match number {
            0 | 1 => trouble.clone(),
            _ => stream("data: 1\n\n"),
        })
        .await;
        let sse = "retry: 50ms, late_join: all, open_wait: 30s";
        let sluice = Sluice::before(origin.address(), "/events", sse).await;
        let mut listeners = Vec::new();
        for protocol in BOTH {
            let mut listener = fresh(protocol, &sluice).await;
            assert_eq!(listener.head().status, 200, "{outcome}");
            assert_eq!(listener.header("content-type"), "text/event-stream");
            assert_eq!(listener.next_event(SOON).await.data, "1");
            let text = listener.text();
            assert!(text.starts_with("retry: 50\nid: ") && !text.contains("<h1>"), "{text}");
            listeners.push(listener);
        }
        let outcome = format!(r#"outcome="{outcome}""#);
        assert_eq!(sluice.metric(CONNECTS, &[&outcome]).await, 2.0, "{outcome}");
        assert_eq!(sluice.metric(ENDS, &[]).await, 0.0);
        let says = sluice.log().lines().filter(|line| line.contains("gives no event")).count();
        assert_eq!(says, 1, "one line for one row of failures: {}", sluice.log());
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_in_the_middle_goes_on_without_its_half_event() {
    let cuts = [
        vec![Step::Finish],
        vec![Step::Reset],
        vec![Step::last_chunk()],
        // A chunk that says it is longer than it is.
        vec![Step::send("ff\r\ndata: cut\n"), Step::Finish],
    ];
    for cut in cuts {
        let origin = RawOrigin::start_each(move |number| match number {
            // A byte order mark begins each stream, and is no part of it.
            0 => [stream("\u{feff}data: 1\n\nevent: cut\ndata: ha"), cut.clone()].concat(),
            1 => answer("503 Service Unavailable", "", ""),
            _ => stream("\u{feff}lf\n\ndata: 2\n\n"),
        })
        .await;
        let sse = "retry: 50ms, late_join: all";
        let sluice = Sluice::before(origin.address(), "/events", sse).await;
        for protocol in BOTH {
            let mut listener = fresh(protocol, &sluice).await;
            let events = listener.next_events(2, SOON).await;
            assert_eq!((&*events[0].data, &*events[1].data), ("1", "2"));
            assert_eq!(events[1].event_type, "message", "nothing of the cut event remains");
            let text = listener.text();
            assert!(!text.contains("cut") && !text.contains('\u{feff}'), "{text}");
        }
    }
}

#[tokio::test]
async fn a_stream_of_a_server_that_is_restarted_goes_on() {
    let mut php = PhpServer::start(3).await;
    let sse = "retry: 100ms, heartbeat: 1s, late_join: last, ids: upstream";
    let sluice = Sluice::before(php.address(), "/resume.php", sse).await;
    let mut listeners = Vec::new();
    for protocol in BOTH {
        listeners.push(listen(protocol, &sluice, "/resume.php?ms=50", &[]).await);
    }
    for listener in &mut listeners {
        listener.next_events(2, SOON).await;
    }
    php.stop();
    sluice.wait_for_metric("sluice_feeds", &[r#"state="open""#], 0.0).await;
    let mut ids = Vec::new();
    for listener in &mut listeners {
        // What was on its way, and then silence.
        while let Some(event) = listener.event_or_end(Duration::from_millis(1500)).await {
            ids.push(event.expect("it does not end").id);
        }
        assert!(!listener.comments().is_empty(), "it gets heartbeats");
    }
    // Who comes while it is down is let in too.
    let mut late = listen(Protocol::Http2, &sluice, "/resume.php?ms=50", &[]).await;
    assert_eq!(late.head().status, 200);
    let last: u64 = late.next_event(SOON).await.id.parse().expect("a number");
    assert!(sluice.metric(CONNECTS, &[r#"outcome="connect_error""#]).await > 0.0);
    php.restart().await;
    listeners.push(late);
    for listener in &mut listeners {
        let next: u64 = listener.next_event(SOON).await.id.parse().expect("a number");
        assert_eq!(next, last + 1, "the script was told where the feed was");
    }
    assert_eq!(sluice.metric(ENDS, &[]).await, 0.0);
}

#[tokio::test]
async fn an_upstream_that_refuses_connections_shows_as_silence_with_heartbeats() {
    let sse = "retry: 50ms, heartbeat: 1s";
    let sluice = Sluice::before(local(free_port()), "/events", sse).await;
    for protocol in BOTH {
        let mut waiting = fresh(protocol, &sluice).await;
        assert_eq!(waiting.head().status, 200);
        assert_eq!(waiting.event_or_end(Duration::from_millis(1500)).await, None);
        assert!(!waiting.comments().is_empty(), "it gets heartbeats");
    }
    assert!(sluice.metric(CONNECTS, &[r#"outcome="connect_error""#]).await >= 2.0);
    assert!(sluice.log().contains("is 'address' right?"), "{}", sluice.log());
}

#[tokio::test]
async fn a_stream_with_the_none_trick_is_a_stream() {
    let head = format!("{CHUNKED}\r\nContent-Encoding: none");
    let origin = RawOrigin::start(vec![Step::head(&head), Step::chunk("data: 1\n\n")]).await;
    let sluice = Sluice::before(origin.address(), "/events", "late_join: last").await;
    for protocol in BOTH {
        let mut listener = fresh(protocol, &sluice).await;
        assert_eq!(listener.header("content-encoding"), "");
        assert_eq!(listener.next_event(SOON).await.data, "1");
    }
}
