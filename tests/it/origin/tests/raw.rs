//! The origin that sends bytes.

use super::{A_WHILE, SOON, listen};
use crate::{
    client::{End, Http1, eventually},
    origin::{Gate, RawListener, RawOrigin, Step},
};

const CHUNKED: &str = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked";

#[tokio::test]
async fn a_raw_origin_plays_its_steps_and_stops_where_the_test_says() {
    let gate = Gate::new();
    let origin = RawOrigin::start(vec![
        Step::head(CHUNKED),
        Step::chunk("data: split\r"),
        Step::Pause(gate.clone()),
        Step::chunk("\n\r"),
        Step::chunk(": still here\n"),
        Step::chunk("\ndata: x\n\n"),
        Step::last_chunk(),
    ])
    .await;
    let mut stream = Http1::get(origin.address(), "/a?b=c", &[("Last-Event-ID", "7")]).await;
    assert_eq!(stream.event_or_end(A_WHILE).await, None);
    gate.open();
    let data = stream.next_events(2, SOON).await;
    assert_eq!((&*data[0].data, &*data[1].data), ("split", "x"));
    assert_eq!(stream.ended(SOON).await, End::Clean);
    assert_eq!(stream.comments(), [" still here"]);
    let head = &origin.heads()[0];
    assert_eq!((head.method(), head.target(), head.version()), ("GET", "/a?b=c", "HTTP/1.1"));
    assert_eq!(head.header("last-event-id"), Some("7"));
    assert!(head.at.elapsed() < SOON && head.raw.ends_with("\r\n\r\n"));
}

#[tokio::test]
async fn a_raw_origin_ends_bodies_in_every_way() {
    let head = "Content-Type: text/event-stream";
    let length = format!("{head}\r\nContent-Length: 9");
    let origin = RawOrigin::start_each(move |number| match number {
        0 => vec![Step::head(head), Step::send("data: a\n\n"), Step::Finish],
        1 => vec![Step::head(&length), Step::send("data: a\n\n")],
        2 => vec![Step::head(CHUNKED), Step::chunk("data: a\n\n"), Step::Finish],
        _ => vec![Step::head(CHUNKED), Step::chunk("data: a\n\n"), Step::Reset],
    })
    .await;
    for clean in [true, true, false, false] {
        let mut stream = listen(origin.address(), "/").await;
        let end = stream.ended(SOON).await;
        assert_eq!(end == End::Clean, clean, "{end:?}");
    }
}

#[tokio::test]
async fn a_raw_origin_sees_that_a_client_left() {
    let origin = RawOrigin::start(vec![Step::head(CHUNKED)]).await;
    let stream = listen(origin.address(), "/").await;
    assert_eq!(origin.open_connections(), 1);
    drop(stream);
    eventually("the client left", SOON, async || origin.open_connections() == 0).await;
}

#[tokio::test]
async fn a_test_may_hold_the_connection_in_its_own_hands() {
    let listener = RawListener::bind().await;
    let address = listener.address();
    let client = tokio::spawn(async move { listen(address, "/own").await });
    let (mut connection, head) = listener.accept().await;
    assert_eq!(head.headers()[0].0.to_ascii_lowercase(), "host");
    let answer = format!("HTTP/1.1 200 OK\r\n{CHUNKED}\r\n\r\n9\r\ndata: a\n\n\r\n");
    connection.send(answer).await.expect("a client that reads");
    let mut stream = client.await.expect("a stream");
    assert_eq!(stream.next_event(SOON).await.data, "a");
    connection.reset().expect("a reset");
    assert!(matches!(stream.ended(SOON).await, End::Broken(_)));
}

#[tokio::test]
async fn a_kept_connection_is_asked_again() {
    let answer = Step::send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let origin = RawOrigin::start(vec![answer.clone(), Step::NextRequest, answer]).await;
    let mut peer = tokio::net::TcpStream::connect(origin.address()).await.expect("a connection");
    for number in 1..=2 {
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\na: 2\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut peer, request).await.expect("a write");
        eventually("a request arrives", SOON, async || origin.heads().len() == number).await;
    }
    assert_eq!(origin.heads()[1].values("a"), ["1", "2"]);
}

#[tokio::test]
async fn a_body_can_be_read_after_its_head() {
    let listener = RawListener::bind().await;
    let mut peer = tokio::net::TcpStream::connect(listener.address()).await.expect("a connection");
    let request = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
    tokio::io::AsyncWriteExt::write_all(&mut peer, request).await.expect("a write");
    let (mut connection, _) = listener.accept().await;
    assert_eq!(connection.read_body(5).await.expect("a body"), b"hello");
    connection.send("HTTP/1.1 204 No Content\r\n\r\n").await.expect("a reader");
    drop(peer);
    connection.finish().await.expect("a polite end");
}
