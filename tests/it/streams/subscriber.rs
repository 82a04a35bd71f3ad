//! A subscriber of Sluice, by each of the ways that clients come in.

use std::ops::{Deref, DerefMut};

use http::{Request, Response, StatusCode};
use http_body_util::{Empty, Full};
use hyper::body::Incoming;

use crate::{
    client::{Http1, Http2Connection, Protocol, SseStream, request},
    sluice::Sluice,
};

/// How a client comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over TLS, as browsers do.
    Http2,
    /// Over TLS.
    Http1Tls,
    /// Without TLS.
    Http1,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::Http2, Self::Http1Tls, Self::Http1];
}

/// An open stream, however it came in. All ways ask for the same host, and so for one topic.
pub struct Subscriber {
    stream: SseStream,
    #[expect(dead_code, reason = "held to be closed with the stream")]
    connection: Option<Http2Connection>,
}

impl Subscriber {
    /// Listens to `path`, without any header that a key could vary on.
    pub async fn listen(sluice: &Sluice, way: Way, path: &str) -> Self {
        Self::listen_with(sluice, way, path, &[]).await
    }

    /// The same with headers.
    pub async fn listen_with(
        sluice: &Sluice,
        way: Way,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        let host = host(sluice);
        let with_host = [&[("host", &*host)], headers].concat();
        let (stream, connection) = match way {
            Way::Http2 => {
                let connection = Http2Connection::open(sluice.tls, true).await;
                (connection.get(path, headers).await, Some(connection))
            }
            Way::Http1Tls => (Http1::get_tls(sluice.tls, path, &with_host).await, None),
            Way::Http1 => (Http1::get(sluice.plain, path, &with_host).await, None),
        };
        Self { stream, connection }
    }

    /// One subscriber for each way, in the order of [`Way::ALL`].
    pub async fn of_every_way(sluice: &Sluice, path: &str) -> Vec<Self> {
        let mut subscribers = Vec::new();
        for way in Way::ALL {
            subscribers.push(Self::listen(sluice, way, path).await);
        }
        subscribers
    }
}

impl Deref for Subscriber {
    type Target = SseStream;

    fn deref(&self) -> &SseStream {
        &self.stream
    }
}

impl DerefMut for Subscriber {
    fn deref_mut(&mut self) -> &mut SseStream {
        &mut self.stream
    }
}

/// The authority that every subscriber names.
pub fn host(sluice: &Sluice) -> String {
    format!("localhost:{}", sluice.tls.port())
}

/// Asks for an ordinary page, over HTTP/2.
pub async fn page(sluice: &Sluice, path: &str) -> (StatusCode, String) {
    let get = Request::get(path).body(Empty::new()).expect("a request");
    text(request(Protocol::Http2, sluice.tls, true, get).await).await
}

/// Posts JSON, over HTTP/2.
pub async fn post(sluice: &Sluice, path: &str, json: &str) -> (StatusCode, String) {
    let post = Request::post(path).header("content-type", "application/json");
    let post = post.body(Full::from(json.to_owned())).expect("a request");
    text(request(Protocol::Http2, sluice.tls, true, post).await).await
}

async fn text(response: Response<Incoming>) -> (StatusCode, String) {
    let (head, body, _) = crate::client::collect(response, super::SOON).await;
    (head.status, String::from_utf8_lossy(&body).into_owned())
}
