//! Event streams that are not shared, and what of a shared route passes through.

use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};

use super::{ALL_WAYS, SOON, WAYS, Way, before, get, header, no_body};
use crate::{
    client::{End, Http1, Http2Connection, SseStream, eventually, within},
    origin::{Buffering, Gate, Nginx, NodeApp, PhpFpm, RawOrigin, Step},
    sluice::Sluice,
};

const HINT: &str = "would share it";

#[tokio::test]
async fn an_event_stream_of_an_ordinary_route_passes_event_by_event() {
    let gate = Gate::new();
    let upstream = RawOrigin::start(vec![
        // Closed, or the gateway would ask the ended script again.
        Step::head("Content-Type: text/event-stream;charset=UTF-8\r\nConnection: close"),
        Step::Pause(gate.clone()),
        Step::send("id: 7\r\ndata: one\r\n\r\n"),
        Step::Pause(gate.clone()),
        Step::send("odd: line\n: comment\ndata: t"),
        Step::Pause(gate.clone()),
        Step::send("wo\n\n"),
        Step::Finish,
    ])
    .await;
    let sluice = before(upstream.address()).await;
    for way in WAYS {
        let (mut stream, _connection) = listen(way, &sluice, "/events").await;
        assert_eq!(header(stream.head(), "content-type"), "text/event-stream;charset=UTF-8");
        for piece in ["id: 7\r\ndata: one\r\n\r\n", "odd: line\n: comment\ndata: t", "wo\n\n"] {
            gate.open();
            let bytes = stream.next_bytes(SOON).await.expect("a piece");
            assert_eq!(bytes, piece, "not as it came, over {way:?}");
        }
        assert_eq!(stream.ended(SOON).await, End::Clean, "{way:?}");
    }
    assert_eq!(upstream.heads().len(), WAYS.len(), "one upstream connection each");
}

#[tokio::test]
async fn the_log_says_once_for_each_route_that_a_stream_could_be_shared() {
    let node = NodeApp::events(20).await;
    let upstream = node.address();
    let sluice = Sluice::start(&format!(
        "upstreams: {{ site: {{ address: '{upstream}' }} }}
routes:
  - {{ path: /other, upstream: site }}
  - {{ path: '/*', upstream: site }}
"
    ))
    .await;
    for way in ALL_WAYS {
        let (mut stream, _connection) = listen(way, &sluice, "/events").await;
        stream.next_events(2, SOON).await;
    }
    assert_eq!(way_status(&sluice, "/other").await, 404);
    let log = sluice.log();
    assert_eq!(log.matches(HINT).count(), 1, "{log}");
    assert!(log.contains("Route /*: an event stream passes through"), "{log}");
    let patience = node.requests().wait_for_running("/events", 0, SOON);
    within("the streams have ended at the site too", SOON, patience).await;
}

#[tokio::test]
async fn a_post_that_answers_with_a_stream_on_a_shared_route_passes_unshared() {
    let fpm = PhpFpm::start(4).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let sluice = Sluice::before(nginx.address(), "/numbered.php", "heartbeat: 1h").await;
    let mut bodies = Vec::new();
    for way in WAYS {
        let post = Request::post("/numbered.php?ms=30").body(Full::from("question"));
        let answer = way.send(&sluice, post.expect("a request")).await;
        assert_eq!(answer.status(), 200, "{way:?}");
        bodies.push(answer.into_body());
    }
    fpm.requests().wait_for_running("/numbered.php", WAYS.len(), SOON).await;
    for body in &mut bodies {
        let frame = within("an event", SOON, body.frame()).await.expect("a frame");
        assert!(frame.expect("no error").is_data());
    }
    assert!(fpm.requests().all().iter().all(|request| request.method == "POST"));
    assert_eq!(sluice.metric("sluice_subscriptions_total", &[]).await, 0.0);
    // The route shares already what can be shared.
    assert!(!sluice.log().contains(HINT), "{}", sluice.log());
    drop(bodies);
    fpm.requests().wait_for_running("/numbered.php", 0, SOON).await;
}

#[tokio::test]
async fn a_head_request_for_a_shared_stream_never_reaches_the_site() {
    let fpm = PhpFpm::start(2).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let sluice = Sluice::before(nginx.address(), "/sse.php", "").await;
    for way in ALL_WAYS {
        let mut asked = get("/sse.php");
        *asked.method_mut() = Method::HEAD;
        let (head, body) = way.fetch(&sluice, asked).await;
        assert_eq!((head.status.as_u16(), body.len()), (200, 0), "{way:?}");
        assert_eq!(header(&head, "content-type"), "text/event-stream", "{way:?}");
        assert_eq!(header(&head, "cache-control"), "no-cache, no-transform", "{way:?}");
        assert_eq!(header(&head, "x-accel-buffering"), "no", "{way:?}");
    }
    assert_eq!(nginx.access_log(), Vec::<String>::new());
    assert_eq!(sluice.metric("sluice_subscriptions_total", &[]).await, 0.0);
    assert_eq!(sluice.metric("sluice_upstream_connects_total", &[]).await, 0.0);
}

#[tokio::test]
async fn a_client_that_leaves_an_unshared_stream_ends_it_at_the_site() {
    let upstream = RawOrigin::start(vec![
        Step::head("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked"),
        Step::chunk("data: one\n\n"),
    ])
    .await;
    let sluice = before(upstream.address()).await;
    for way in WAYS {
        let (mut stream, _connection) = listen(way, &sluice, "/").await;
        stream.next_event(SOON).await;
        assert_eq!(upstream.open_connections(), 1, "{way:?}");
        drop(stream);
        eventually("the site's connection is closed", SOON, async || {
            upstream.open_connections() == 0
        })
        .await;
    }
}

/// Listens; over HTTP/2 with the connection, which must outlive its stream.
async fn listen(way: Way, sluice: &Sluice, path: &str) -> (SseStream, Option<Http2Connection>) {
    match way {
        Way::Http1 => (Http1::get(sluice.plain, path, &[]).await, None),
        Way::Http1Tls => (Http1::get_tls(sluice.tls, path, &[]).await, None),
        Way::Http2 | Way::Http2Plain => {
            let connection = Http2Connection::open(way.address(sluice), way.is_tls()).await;
            (connection.get(path, &[]).await, Some(connection))
        }
    }
}

async fn way_status(sluice: &Sluice, path: &str) -> u16 {
    let answer = Way::Http1.send(sluice, get(path).map(|_| no_body())).await;
    answer.status().as_u16()
}
