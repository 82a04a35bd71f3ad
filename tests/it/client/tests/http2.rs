//! The clients of HTTP/2.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Empty};

use super::server::{Http2Server, acceptor};
use crate::client::{
    End, Http2Connection, Http2Options, Protocol, SentBody, Tls, collect, connect_tls, request,
};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn many_streams_share_one_connection() {
    let server = Http2Server::start(None).await;
    let connection = Http2Connection::open(server.address, false).await;
    let mut streams = Vec::new();
    for number in 0..40 {
        streams.push(connection.get(&format!("/{number}"), &[("Last-Event-ID", "3")]).await);
    }
    for stream in &mut streams {
        assert_eq!(stream.next_events(2, SOON).await[1].data, "2");
    }
    assert_eq!(connection.max_streams(), 50);
    assert_eq!(streams[7].header("x-uri"), format!("http://{}/7", server.address));
}

#[tokio::test]
async fn tls_negotiates_what_the_test_offers() {
    let server = Http2Server::start(Some(acceptor(&["h2", "http/1.1"]))).await;
    let connection = Http2Connection::open(server.address, true).await;
    let mut stream = connection.get("/", &[]).await;
    assert_eq!(stream.next_event(SOON).await.data, "1");
    let offer = Tls::offering(&["h2", "http/1.1"]).to("example.com");
    let tls = connect_tls(server.address, &offer).await.expect("a handshake");
    assert_eq!(tls.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
}

#[tokio::test]
async fn a_request_streams_its_body_and_trailers_both_ways() {
    let server = Http2Server::start(Some(acceptor(&["h2"]))).await;
    let (sender, body) = SentBody::new();
    let post = Request::post("/echo").body(body).expect("a request");
    let response = request(Protocol::Http2, server.address, true, post).await;
    let mut body = response.into_body();
    for piece in ["one", "two"] {
        sender.send(SentBody::data(piece)).await.expect("a reader");
        let frame = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(frame.into_data().expect("data"), piece);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "2".parse().expect("a value"));
    sender.send(SentBody::trailers(trailers)).await.expect("a reader");
    let end = body.collect().await.expect("an end");
    assert_eq!(end.trailers().expect("trailers")["x-got"], "1");
}

#[tokio::test]
async fn a_host_header_becomes_the_authority() {
    let server = Http2Server::start(None).await;
    let get = Request::post("/echo").header("Host", "a.test").body(Empty::<Bytes>::new());
    let get = get.expect("a request");
    let (head, _, trailers) =
        collect(request(Protocol::Http2, server.address, false, get).await, SOON).await;
    assert_eq!(head.headers["x-uri"], "http://a.test/echo");
    assert!(trailers.is_some());
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_the_server_by_flow_control() {
    let server = Http2Server::start(None).await;
    let options = Http2Options { stream_window: 10, connection_window: 65_535 };
    let connection = Http2Connection::open_with(server.address, None, options).await;
    let mut stream = connection.get("/", &[]).await;
    // Ten bytes are an event of nine and one more; the rest comes as it is read.
    assert_eq!(stream.next_bytes(SOON).await.expect("bytes").len(), 9);
    assert_eq!(stream.next_events(2, SOON).await.len(), 2);
}

#[tokio::test]
async fn a_test_may_send_a_body_itself_and_see_the_end_of_the_connection() {
    let server = Http2Server::start(None).await;
    let mut connection = Http2Connection::open(server.address, false).await;
    let post = Request::post("/echo").body(()).expect("a request");
    let (response, mut body) = connection.send(post, false).await;
    body.send_data(Bytes::from("hello"), true).expect("a stream");
    let mut answer = response.await.expect("a response").into_body();
    assert_eq!(answer.data().await.expect("data").expect("no error"), "hello");
    let mut open = connection.get("/", &[]).await;
    drop(server);
    assert!(matches!(open.ended(SOON).await, End::Broken(_)));
    let _how = connection.closed(SOON).await;
}
