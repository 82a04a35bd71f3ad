//! The clients of HTTP/1.1.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::server::acceptor;
use crate::{
    client::{Http1, Protocol, SentBody, Tls, collect, connect_tls, request, within},
    origin::{RawListener, RawOrigin, Step},
};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_stream_over_tls_is_read_with_alpn_of_the_tests_choice() {
    for alpn in [vec!["http/1.1"], vec![]] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            let mut tls = acceptor(&["http/1.1"]).accept(stream).await.expect("a handshake");
            let mut head = [0; 1000];
            let length = tls.read(&mut head).await.expect("a head");
            let answer = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\ndata: secret\n\n";
            tls.write_all(answer).await.expect("a reader");
            tls.shutdown().await.expect("a reader");
            String::from_utf8_lossy(&head[..length]).into_owned()
        });
        let mut stream = match &*alpn {
            [] => Http1::get_over(address, Some(&Tls::offering(&[])), "/", &[]).await,
            _ => Http1::get_tls(address, "/", &[("A", "b")]).await,
        };
        assert_eq!(stream.next_event(SOON).await.data, "secret");
        let head = server.await.expect("a server");
        assert!(head.contains("host: localhost\r\n"), "{head}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_offered_protocol_refuses_the_handshake() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        acceptor(&["h2"]).accept(stream).await.is_err()
    });
    assert!(connect_tls(address, &Tls::offering(&["http/1.1"])).await.is_err());
    assert!(server.await.expect("a server"));
}

#[tokio::test]
async fn a_request_uploads_in_chunks_as_the_test_feeds_it() {
    let listener = RawListener::bind().await;
    let address = listener.address();
    let (sender, body) = SentBody::new();
    let post = Request::post("/up").body(body).expect("a request");
    let client = tokio::spawn(request(Protocol::Http1, address, false, post));
    let (mut connection, head) = listener.accept().await;
    assert_eq!(head.header("transfer-encoding"), Some("chunked"));
    sender.send(SentBody::data("abc")).await.expect("a reader");
    let piece = within("a chunk", SOON, connection.read_body(8)).await.expect("a chunk");
    assert_eq!(piece, b"3\r\nabc\r\n");
    drop(sender);
    assert_eq!(connection.read_body(5).await.expect("the end"), b"0\r\n\r\n");
    let answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";
    connection.send(answer).await.expect("a reader");
    let (head, body, _) = collect(client.await.expect("a response"), SOON).await;
    assert_eq!((head.status.as_u16(), &*body), (201, b"ok".as_slice()));
}

#[tokio::test]
async fn a_connection_can_be_upgraded() {
    let origin = RawOrigin::start(vec![
        Step::send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
        Step::send("welcome"),
    ])
    .await;
    let get = Request::get("/").header("Connection", "upgrade").header("Upgrade", "x");
    let get = get.body(Empty::<Bytes>::new()).expect("a request");
    let response = request(Protocol::Http1, origin.address(), false, get).await;
    assert_eq!(response.status(), 101);
    let upgraded = hyper::upgrade::on(response).await.expect("an upgrade");
    let mut greeting = [0; 7];
    let mut io = TokioIo::new(upgraded);
    within("a greeting", SOON, io.read_exact(&mut greeting)).await.expect("bytes");
    assert_eq!(&greeting, b"welcome");
}
