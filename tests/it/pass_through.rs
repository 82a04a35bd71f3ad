//! The rest of the site through the gateway: what is no shared event stream passes as it is.
//!
//! By real clients of both HTTP versions, before real sites; where bytes count, before an
//! upstream of the test's own.

mod addresses;
mod answers;
mod connections;
mod cookies;
mod event_streams;
mod failures;
mod forwarded;
mod hop_by_hop;
mod methods;
mod routing;
mod site;
mod trailers;
mod uploads;
mod websocket;

use std::{error::Error, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response, response::Parts};
use http_body_util::{Empty, Full};
use hyper::body::{Body, Incoming};

use crate::{
    client::{Protocol, collect, request, within},
    origin::{RawConnection, RawListener, RequestHead},
    sluice::Sluice,
};

/// For what comes at once. Generous: it only runs out when something is broken.
const SOON: Duration = Duration::from_secs(30);

/// A small whole answer that keeps the connection.
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/// How a client comes to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Http2,
    Http1,
    /// By prior knowledge, without TLS.
    Http2Plain,
    Http1Tls,
}

/// The two ways that browsers and simple clients come.
const WAYS: [Way; 2] = [Way::Http2, Way::Http1];

const ALL_WAYS: [Way; 4] = [Way::Http2, Way::Http1, Way::Http2Plain, Way::Http1Tls];

impl Way {
    fn protocol(self) -> Protocol {
        match self {
            Self::Http2 | Self::Http2Plain => Protocol::Http2,
            Self::Http1 | Self::Http1Tls => Protocol::Http1,
        }
    }

    fn is_tls(self) -> bool {
        matches!(self, Self::Http2 | Self::Http1Tls)
    }

    fn address(self, sluice: &Sluice) -> SocketAddr {
        if self.is_tls() { sluice.tls } else { sluice.plain }
    }

    /// Sends a request on a connection of its own; the answer's body is still to come.
    async fn send<B>(self, sluice: &Sluice, sent: Request<B>) -> Response<Incoming>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
    {
        request(self.protocol(), self.address(sluice), self.is_tls(), sent).await
    }

    /// Sends a request, and reads the answer whole.
    async fn fetch(self, sluice: &Sluice, sent: Request<Full<Bytes>>) -> (Parts, Bytes) {
        let (head, body, _) = collect(self.send(sluice, sent).await, SOON).await;
        (head, body)
    }

    /// Fetches a page.
    async fn get(self, sluice: &Sluice, path: &str) -> (Parts, Bytes) {
        self.fetch(sluice, get(path)).await
    }

    /// A request and its answer, with the upstream's part played by the test: it answers with
    /// these bytes. What it was asked is told too.
    async fn exchange(
        self,
        sluice: &Sluice,
        upstream: &RawListener,
        sent: Request<Full<Bytes>>,
        answer: &str,
    ) -> (RequestHead, Parts, Bytes) {
        let play = async {
            let (mut connection, head) = upstream.accept().await;
            connection.send(answer).await.expect("a gateway that reads");
            // Held until the answer has been read.
            (connection, head)
        };
        let ((_connection, asked), (head, body)) = tokio::join!(play, self.fetch(sluice, sent));
        (asked, head, body)
    }
}

/// A request for a page.
fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::default()).expect("a request")
}

/// A gateway that passes everything on to one upstream.
async fn before(upstream: SocketAddr) -> Sluice {
    before_with(upstream, "").await
}

/// The same with more settings of the upstream.
async fn before_with(upstream: SocketAddr, settings: &str) -> Sluice {
    Sluice::start(&format!(
        "upstreams: {{ site: {{ address: '{upstream}', {settings} }} }}
routes:
  - {{ path: '/*', upstream: site }}
"
    ))
    .await
}

/// The connection is used again, and its next request begins where the one before ended.
async fn asked_again(sluice: &Sluice, upstream: &RawListener, mut connection: RawConnection) {
    let next = async {
        loop {
            let play = async {
                tokio::select! {
                    head = connection.read_head() => {
                        let head = head.expect("a request");
                        assert!(head.raw.starts_with("GET /next HTTP/1.1\r\n"), "{:?}", head.raw);
                        connection.send(OK).await.expect("a reader");
                        true
                    }
                    // The client has its answer before the gateway has put the connection back.
                    (mut other, _) = upstream.accept() => {
                        let last = OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
                        other.send(last).await.expect("a reader");
                        other.finish().await.expect("a polite end");
                        false
                    }
                }
            };
            let (done, (_, body)) = tokio::join!(play, Way::Http1.fetch(sluice, get("/next")));
            assert_eq!(&body[..], b"ok");
            if done {
                break;
            }
        }
    };
    within("a request on the same connection", SOON, next).await;
}

/// A header's value as text; empty when it is missing.
fn header<'a>(head: &'a Parts, name: &str) -> &'a str {
    head.headers.get(name).map_or("", |value| value.to_str().expect("an ASCII header"))
}

/// Bytes that differ everywhere, so that a lost, doubled or moved piece shows.
fn content(length: usize) -> Bytes {
    (0_u32..).flat_map(|n| n.wrapping_mul(0x9E37_79B1).to_le_bytes()).take(length).collect()
}

/// No body at all.
fn no_body() -> Empty<Bytes> {
    Empty::new()
}
