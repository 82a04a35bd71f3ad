//! Plain Node, and both versions of the Express application with the rest of its site.

use std::net::SocketAddr;

use http::Request;
use http_body_util::Empty;

use super::{
    SOON, assert_none_missing, assert_own_head,
    subscriber::{Subscriber, Way, page, post},
};
use crate::{
    client::{Protocol, collect, request},
    origin::NodeApp,
    sluice::Sluice,
};

const USERS: &str = "/api/users/event";

async fn before(application: SocketAddr, path: &str) -> Sluice {
    Sluice::before(application, path, "retry: 50ms, linger: 0s, open_wait: 50ms").await
}

#[tokio::test]
async fn plain_node_brings_its_clock_to_all_from_one_request() {
    let node = NodeApp::events(40).await;
    let sluice = before(node.address(), "/events").await;
    for (subscriber, way) in
        Subscriber::of_every_way(&sluice, "/events").await.iter_mut().zip(Way::ALL)
    {
        assert_own_head(subscriber, way);
        let events = subscriber.next_events(4, SOON).await;
        assert_none_missing(&events);
        assert!(events.iter().all(|event| event.data.starts_with(r#"{"time":"2"#)), "{events:?}");
    }
    assert_eq!(node.requests().count("/events"), 1);
}

#[tokio::test]
async fn express_v1_brings_its_greeting_to_all_from_one_request() {
    let express = NodeApp::express_v1(40).await;
    let sluice = before(express.address(), USERS).await;
    for (subscriber, way) in Subscriber::of_every_way(&sluice, USERS).await.iter_mut().zip(Way::ALL)
    {
        assert_own_head(subscriber, way);
        let events = subscriber.next_events(4, SOON).await;
        assert_none_missing(&events);
        for event in events {
            assert_eq!((&*event.event_type, &*event.data), ("update", "Hello, world!"));
        }
    }
    assert_eq!(express.requests().count(USERS), 1);
}

#[tokio::test]
async fn express_v2_tells_all_of_each_user_before_the_next_is_posted() {
    let express = NodeApp::express_v2().await;
    let sluice = before(express.address(), USERS).await;
    // Express sends not even its head before the first event.
    let mut subscribers = Subscriber::of_every_way(&sluice, USERS).await;
    express.requests().wait_for_running(USERS, 1, SOON).await;
    for name in ["John", "François", "홍길동"] {
        let user = format!(r#"{{"firstname":"{name}"}}"#);
        assert_eq!(post(&sluice, "/api/users", &user).await.0, 201);
        for (subscriber, way) in subscribers.iter_mut().zip(Way::ALL) {
            assert_own_head(subscriber, way);
            let event = subscriber.next_event(SOON).await;
            assert_eq!((&*event.event_type, &*event.data), ("update", &*user));
        }
    }
    assert_eq!(express.requests().count(USERS), 1);
}

#[tokio::test]
async fn what_express_has_besides_its_stream_passes_through() {
    let express = NodeApp::express_v2().await;
    let sluice = before(express.address(), USERS).await;
    for (protocol, address, tls) in
        [(Protocol::Http2, sluice.tls, true), (Protocol::Http1, sluice.plain, false)]
    {
        let get = Request::get("/").header("range", "bytes=0-14").body(Empty::new());
        let answer = request(protocol, address, tls, get.expect("a request")).await;
        let (head, body, _) = collect(answer, SOON).await;
        assert_eq!(head.status, 206);
        assert_eq!(body, "<!DOCTYPE html>");
        assert_eq!(head.headers["x-powered-by"], "Express");
        assert!(head.headers.contains_key("etag"), "{head:?}");
    }
    // The stream's own path, by another method, is Express's to answer.
    assert_eq!(post(&sluice, USERS, "{}").await.0, 404);
    assert_eq!(post(&sluice, "/api/users", "{").await.0, 400);
    assert_eq!(page(&sluice, "/nothing").await.0, 404);
}
