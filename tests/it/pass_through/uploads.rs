//! Request bodies: they stream, arrive whole, and end exactly once.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use super::{ALL_WAYS, OK, SOON, WAYS, asked_again, before, content};
use crate::{
    client::{Http2Connection, SentBody, collect, within},
    origin::{Buffering, Nginx, PhpFpm, RawConnection, RawListener},
};

const LARGE: usize = 24 << 20;

#[tokio::test]
async fn an_upload_arrives_while_it_is_still_being_sent() {
    for way in ALL_WAYS {
        let upstream = RawListener::bind().await;
        let sluice = before(upstream.address()).await;
        let (sender, body) = SentBody::new();
        let post = Request::post("/upload").body(body).expect("a request");
        let client = async { collect(way.send(&sluice, post).await, SOON).await.1 };
        let play = async {
            let (mut connection, head) = upstream.accept().await;
            assert_eq!(head.values("transfer-encoding"), ["chunked"], "{way:?}");
            assert_eq!(head.header("content-length"), None, "{way:?}");
            for piece in ["first", "other"] {
                sender.send(SentBody::data(piece)).await.expect("a client that sends");
                assert_eq!(bytes(&mut connection, 10).await, format!("5\r\n{piece}\r\n"));
            }
            drop(sender);
            assert_eq!(bytes(&mut connection, 5).await, "0\r\n\r\n", "{way:?}");
            connection.send(OK).await.expect("a reader");
            connection
        };
        let (connection, answer) =
            within("an upload", SOON, async { tokio::join!(play, client) }).await;
        assert_eq!(&answer[..], b"ok", "{way:?}");
        asked_again(&sluice, &upstream, connection).await;
    }
}

#[tokio::test]
async fn an_upload_with_a_length_streams_and_keeps_it() {
    for way in WAYS {
        let upstream = RawListener::bind().await;
        let sluice = before(upstream.address()).await;
        let (sender, body) = SentBody::new();
        let post = Request::post("/upload").header("content-length", "10").body(body);
        let client =
            async { collect(way.send(&sluice, post.expect("a request")).await, SOON).await.1 };
        let play = async {
            let (mut connection, head) = upstream.accept().await;
            assert_eq!(head.values("content-length"), ["10"], "{way:?}");
            assert_eq!(head.header("transfer-encoding"), None, "{way:?}");
            for piece in ["first", "other"] {
                sender.send(SentBody::data(piece)).await.expect("a client that sends");
                assert_eq!(bytes(&mut connection, 5).await, piece);
            }
            // Over HTTP/2 the body ends with an empty DATA frame all the same.
            drop(sender);
            connection.send(OK).await.expect("a reader");
            connection
        };
        let (connection, answer) =
            within("an upload", SOON, async { tokio::join!(play, client) }).await;
        assert_eq!(&answer[..], b"ok", "{way:?}");
        asked_again(&sluice, &upstream, connection).await;
    }
}

/// Pingora 0.9.1 by itself writes the last chunk twice for a body without a length that ends with
/// an empty DATA frame (its issue 935), and the second one becomes part of the next request.
#[tokio::test]
async fn an_http2_body_ends_once_however_its_last_frame_looks() {
    let bodies: [(&[&str], &str); 4] = [
        (&["hello", ""], "5\r\nhello\r\n0\r\n\r\n"),
        (&["hello"], "5\r\nhello\r\n0\r\n\r\n"),
        (&["hello", "again", ""], "5\r\nhello\r\n5\r\nagain\r\n0\r\n\r\n"),
        (&["", "hello", "", ""], "5\r\nhello\r\n0\r\n\r\n"),
    ];
    for (frames, wire) in bodies {
        let upstream = RawListener::bind().await;
        let sluice = before(upstream.address()).await;
        let client = Http2Connection::open(sluice.tls, true).await;
        let post = Request::post("/upload").body(()).expect("a request");
        let (response, mut body) = client.send(post, false).await;
        let (mut connection, _) = within("a request", SOON, upstream.accept()).await;
        let mut got = String::new();
        for (at, frame) in frames.iter().enumerate() {
            let last = at + 1 == frames.len();
            body.send_data(Bytes::from(*frame), last).expect("an open stream");
            if !frame.is_empty() {
                // One at a time, so that two frames do not become one chunk.
                got += &bytes(&mut connection, frame.len() + 5).await;
            }
        }
        got += &bytes(&mut connection, wire.len() - got.len()).await;
        assert_eq!(got, wire, "{frames:?}");
        connection.send(OK).await.expect("a reader");
        assert_eq!(within("the answer", SOON, response).await.expect("an answer").status(), 200);
        asked_again(&sluice, &upstream, connection).await;
    }
}

#[tokio::test]
async fn an_http2_body_of_an_empty_frame_alone_is_no_body_or_an_empty_one() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    let client = Http2Connection::open(sluice.tls, true).await;
    let post = Request::post("/upload").body(()).expect("a request");
    let (response, mut body) = client.send(post, false).await;
    body.send_data(Bytes::new(), true).expect("an open stream");
    let (mut connection, head) = within("a request", SOON, upstream.accept()).await;
    if head.header("transfer-encoding").is_some() {
        assert_eq!(bytes(&mut connection, 5).await, "0\r\n\r\n");
    } else {
        assert!(matches!(head.header("content-length"), None | Some("0")), "{}", head.raw);
    }
    connection.send(OK).await.expect("a reader");
    assert_eq!(within("the answer", SOON, response).await.expect("an answer").status(), 200);
    asked_again(&sluice, &upstream, connection).await;
}

#[tokio::test]
async fn a_large_upload_arrives_whole_and_comes_back_whole() {
    let fpm = PhpFpm::start(2).await;
    fpm.add_page("copy.php", "<?php echo file_get_contents('php://input');");
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let sluice = before(nginx.address()).await;
    let sent = content(LARGE);
    for way in WAYS {
        let put = Request::put("/copy.php").body(Full::new(sent.clone())).expect("a request");
        let (head, got) = way.fetch(&sluice, put).await;
        assert_eq!(head.status, 200, "{way:?}");
        assert!(got == sent, "{} of {LARGE} bytes came back over {way:?}", got.len());
    }
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    let mut client = tokio::net::TcpStream::connect(sluice.plain).await.expect("a connection");
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut client, head.as_bytes()).await.expect("a write");
    let (mut connection, asked) = within("a request", SOON, upstream.accept()).await;
    assert_eq!(asked.header("expect"), Some("100-continue"));
    connection.send("HTTP/1.1 100 Continue\r\n\r\n").await.expect("a reader");
    let mut told = [0; 25];
    let read = tokio::io::AsyncReadExt::read_exact(&mut client, &mut told);
    within("the word to go on", SOON, read).await.expect("25 bytes");
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut client, b"hello").await.expect("a write");
    assert_eq!(bytes(&mut connection, 5).await, "hello");
}

/// So many bytes of what the gateway sends, as text.
async fn bytes(connection: &mut RawConnection, length: usize) -> String {
    let read = connection.read_body(length);
    let bytes = within(&format!("{length} bytes"), SOON, read).await.expect("an open connection");
    String::from_utf8(bytes).expect("text")
}
