//! Event streams over HTTP/1.1: one connection each, as a browser opens them.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::{
    HEAD_DEADLINE, SseStream,
    body::ReceivedBody,
    request::with_headers,
    tls::{Tls, connect},
    within,
};

/// A client of HTTP/1.1.
pub struct Http1;

impl Http1 {
    /// Listens to `path`, over plain TCP.
    pub async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> SseStream {
        Self::get_over(address, None, path, headers).await
    }

    /// Listens to `path`, over TLS that offers only HTTP/1.1.
    pub async fn get_tls(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> SseStream {
        let tls = Tls::offering(&["http/1.1"]);
        Self::get_over(address, Some(&tls), path, headers).await
    }

    /// Listens to `path`, over TLS as the test wants it, or none.
    pub async fn get_over(
        address: SocketAddr,
        tls: Option<&Tls>,
        path: &str,
        headers: &[(&str, &str)],
    ) -> SseStream {
        let host = tls.map_or_else(|| address.to_string(), |tls| tls.server_name.clone());
        let listen = async {
            let io = TokioIo::new(connect(address, tls).await);
            let (mut sender, connection) = http1::handshake(io).await.expect("a connection");
            let mut driver = JoinSet::new();
            driver.spawn(async {
                // How a connection ended shows in the body, where the test sees it.
                let _ = connection.await;
            });
            let request = with_headers(Request::get(path), headers, Some(&host))
                .body(Empty::<Bytes>::new())
                .expect("a request");
            let response = sender.send_request(request).await.expect("a response");
            let (head, body) = response.into_parts();
            SseStream::new(head, ReceivedBody::Http1(body, driver))
        };
        within(&format!("the head of {path}"), HEAD_DEADLINE, listen).await
    }
}
