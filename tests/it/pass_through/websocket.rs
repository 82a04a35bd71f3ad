//! WebSocket (RFC 6455) through the gateway: the handshake, then frames both ways.
//!
//! Over HTTP/1.1, as browsers do: the gateway does not offer WebSocket over HTTP/2 (RFC 8441), so
//! they open another connection for it.

use std::time::Duration;

use http::Request;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{SOON, Way, before, header, no_body};
use crate::{
    client::within,
    origin::{RawConnection, RawListener},
    sluice::Sluice,
};

/// The key and its answer of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLBMiTxaQ9kYGzzhZRbK+xOo=";

/// How long the server takes for its answer. Pingora 0.9.1 loses the race with one that answers
/// before the gateway looks at the connection again: it takes the end of the request's (empty)
/// body for the end of the WebSocket, and closes it.
const THINKING: Duration = Duration::from_millis(100);

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

#[tokio::test]
async fn a_websocket_echoes_frames_of_every_size() {
    for way in [Way::Http1, Way::Http1Tls] {
        let upstream = RawListener::bind().await;
        let sluice = before(upstream.address()).await;
        let client = async {
            let mut socket = upgraded(way, &sluice).await;
            for length in [0, 1, 125, 126, 65_535, 65_536, 300_000] {
                let sent: Vec<u8> = super::content(length).to_vec();
                write_frame(&mut socket, TEXT, &sent).await;
                let (kind, got) = within("an echo", SOON, read_frame(&mut socket)).await;
                assert!(kind == TEXT && got == sent, "{length} bytes over {way:?}");
            }
            write_frame(&mut socket, CLOSE, &[3, 232]).await;
            assert_eq!(within("the end", SOON, read_frame(&mut socket)).await.0, CLOSE);
            let end = within("the end", SOON, socket.read_u8()).await;
            assert!(end.is_err(), "{end:?}");
        };
        tokio::join!(echo(&upstream), client);
    }
}

#[tokio::test]
async fn a_server_may_speak_first() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    let play = async {
        let mut connection = accept(&upstream).await;
        connection.send([TEXT, 5, b'h', b'e', b'l', b'l', b'o']).await.expect("a reader");
        connection
    };
    let (_connection, mut socket) = tokio::join!(play, upgraded(Way::Http1, &sluice));
    let (_, said) = within("a greeting", SOON, read_frame(&mut socket)).await;
    assert_eq!(said, b"hello");
}

#[tokio::test]
async fn a_refused_handshake_is_an_ordinary_answer() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n";
    let asked = handshake("/socket").map(|_| http_body_util::Full::default());
    let (_, head, body) = Way::Http1.exchange(&sluice, &upstream, asked, answer).await;
    assert_eq!((head.status.as_u16(), &body[..]), (403, &b"no\n"[..]));
}

fn handshake(path: &str) -> Request<http_body_util::Empty<bytes::Bytes>> {
    Request::get(path)
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-key", KEY)
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "chat")
        .header("origin", "https://app.test")
        .body(no_body())
        .expect("a request")
}

async fn upgraded(way: Way, sluice: &Sluice) -> TokioIo<Upgraded> {
    let answer = way.send(sluice, handshake("/socket?room=1")).await;
    let (head, body) = answer.into_parts();
    assert_eq!(head.status, 101, "{way:?}");
    assert_eq!(header(&head, "upgrade").to_ascii_lowercase(), "websocket", "{way:?}");
    assert_eq!(header(&head, "connection").to_ascii_lowercase(), "upgrade", "{way:?}");
    assert_eq!(header(&head, "sec-websocket-accept"), ACCEPT, "{way:?}");
    assert_eq!(header(&head, "sec-websocket-protocol"), "chat", "{way:?}");
    let upgrade = hyper::upgrade::on(http::Response::from_parts(head, body));
    TokioIo::new(within("the upgrade", SOON, upgrade).await.expect("an upgrade"))
}

/// Accepts a WebSocket as a server does.
async fn accept(upstream: &RawListener) -> RawConnection {
    let (mut connection, head) = upstream.accept().await;
    let named = |name: &str| head.header(name).unwrap_or_default().to_ascii_lowercase();
    assert_eq!((head.target(), &*named("upgrade")), ("/socket?room=1", "websocket"));
    assert_eq!(named("connection"), "upgrade");
    assert_eq!(head.header("sec-websocket-key"), Some(KEY));
    assert_eq!(head.header("sec-websocket-version"), Some("13"));
    assert_eq!(named("origin"), "https://app.test");
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
    );
    tokio::time::sleep(THINKING).await;
    connection.send(answer).await.expect("a reader");
    connection
}

/// Answers every frame with its like, unmasked, and ends after a close.
async fn echo(upstream: &RawListener) {
    let mut connection = accept(upstream).await;
    loop {
        let head = connection.read_body(2).await.expect("a frame");
        assert_ne!(head[1] & 0x80, 0, "a client's frame is masked");
        let extended = match head[1] & 0x7f {
            126 => connection.read_body(2).await.expect("a length"),
            127 => connection.read_body(8).await.expect("a length"),
            _ => Vec::new(),
        };
        let length = length(head[1] & 0x7f, &extended);
        let mask = connection.read_body(4).await.expect("a mask");
        let data = connection.read_body(length).await.expect("data");
        let data = masked(&data, &mask);
        let answer = [&frame_head(head[0], length, 0)[..], &data].concat();
        connection.send(answer).await.expect("a reader");
        if head[0] == CLOSE {
            return;
        }
    }
}

async fn write_frame(socket: &mut TokioIo<Upgraded>, kind: u8, data: &[u8]) {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let frame = [&frame_head(kind, data.len(), 0x80)[..], &mask, &masked(data, &mask)].concat();
    socket.write_all(&frame).await.expect("an open socket");
    socket.flush().await.expect("an open socket");
}

async fn read_frame(socket: &mut TokioIo<Upgraded>) -> (u8, Vec<u8>) {
    let mut head = [0; 2];
    socket.read_exact(&mut head).await.expect("a frame");
    let size = match head[1] {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mut extended = vec![0; size];
    socket.read_exact(&mut extended).await.expect("a length");
    let mut data = vec![0; length(head[1], &extended)];
    socket.read_exact(&mut data).await.expect("data");
    (head[0], data)
}

/// The first bytes of a frame, with its length in as few bytes as hold it.
fn frame_head(kind: u8, length: usize, mask_bit: u8) -> Vec<u8> {
    let long = (length as u64).to_be_bytes();
    match length {
        0..126 => vec![kind, mask_bit | long[7]],
        126..65_536 => [&[kind, mask_bit | 126], &long[6..]].concat(),
        _ => [&[kind, mask_bit | 127], &long[..]].concat(),
    }
}

fn length(short: u8, extended: &[u8]) -> usize {
    match extended {
        [] => usize::from(short),
        bytes => bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
    }
}

fn masked(data: &[u8], mask: &[u8]) -> Vec<u8> {
    data.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect()
}
