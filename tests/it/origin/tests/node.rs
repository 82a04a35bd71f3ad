//! The Node applications.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::{A_WHILE, SOON, listen, page};
use crate::{
    client::{Http1, Protocol, request},
    origin::NodeApp,
};

const EVENTS: &str = "/api/users/event";

#[tokio::test]
async fn the_first_express_version_greets_everybody_at_its_pace() {
    let app = NodeApp::express_v1(40).await;
    let mut stream = listen(app.address(), EVENTS).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    for _ in 0..3 {
        let event = stream.next_event(SOON).await;
        assert_eq!((&*event.event_type, &*event.data), ("update", "Hello, world!"));
    }
    assert_eq!(stream.header("transfer-encoding"), "chunked");
    assert!(page(app.address(), "/").await.1.contains("EventSource"));
    assert_eq!(app.requests().count(EVENTS), 1);
    drop(stream);
    app.requests().wait_for_running(EVENTS, 0, SOON).await;
}

#[tokio::test]
async fn the_second_express_version_is_silent_until_somebody_registers() {
    let app = NodeApp::express_v2().await;
    let address = app.address();
    let mut waiting = tokio::spawn(async move { Http1::get(address, EVENTS, &[]).await });
    app.requests().wait_for_running(EVENTS, 1, SOON).await;
    let early = tokio::time::timeout(A_WHILE, &mut waiting).await;
    assert!(early.is_err(), "the head comes with the first event only");
    let user = Full::new(Bytes::from(r#"{"firstname":"Ö","lastname":"Kim"}"#));
    let post = Request::post("/api/users").header("Content-Type", "application/json").body(user);
    let answer = request(Protocol::Http1, address, false, post.expect("a request")).await;
    assert_eq!(answer.status(), 201);
    let mut stream = waiting.await.expect("a stream");
    let event = stream.next_event(SOON).await;
    assert_eq!(event.event_type, "update");
    assert_eq!(event.data, r#"{"firstname":"Ö","lastname":"Kim"}"#);
}

#[tokio::test]
async fn plain_node_tells_the_time_and_its_streams_end_when_it_stops() {
    let mut app = NodeApp::events(30).await;
    let mut stream = listen(app.address(), "/events").await;
    assert!(stream.next_event(SOON).await.data.contains("time"));
    app.stop();
    stream.ended(SOON).await;
    app.restart().await;
    listen(app.address(), "/events").await.next_event(SOON).await;
}
