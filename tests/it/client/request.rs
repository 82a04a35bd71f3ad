//! Any request over either version: for what passes through the gateway untouched.

use std::{error::Error, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header::HOST, request, response::Parts};
use http_body_util::BodyExt as _;
use hyper::{
    body::{Body, Incoming},
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::{
    HEAD_DEADLINE,
    tls::{Tls, connect},
    within,
};

/// The HTTP version that a request is made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// Sends one request on a connection of its own. The URI may be just a path.
///
/// The response's body is still coming; over HTTP/1.1 the connection can be upgraded with
/// `hyper::upgrade::on`. The connection's task ends by itself when both are done or dropped.
pub async fn request<B>(
    protocol: Protocol,
    address: SocketAddr,
    tls: bool,
    request: Request<B>,
) -> Response<Incoming>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
{
    let what = format!("the head of {} over {protocol:?}", request.uri());
    let send = async {
        match protocol {
            Protocol::Http1 => over_http1(address, tls, request).await,
            Protocol::Http2 => over_http2(address, tls, request).await,
        }
    };
    within(&what, HEAD_DEADLINE, send).await
}

/// Reads a response to its end: head, body and trailers.
pub async fn collect(
    response: Response<Incoming>,
    patience: Duration,
) -> (Parts, Bytes, Option<HeaderMap>) {
    let (head, body) = response.into_parts();
    let body = within("the end of a body", patience, body.collect()).await.expect("a whole body");
    let trailers = body.trailers().cloned();
    (head, body.to_bytes(), trailers)
}

/// Adds headers to a request, and the host unless it is among them.
pub(super) fn with_headers(
    mut request: request::Builder,
    headers: &[(&str, &str)],
    host: Option<&str>,
) -> request::Builder {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let named = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    match host {
        Some(host) if !named => request.header(HOST, host),
        _ => request,
    }
}

async fn over_http1<B>(
    address: SocketAddr,
    tls: bool,
    mut request: Request<B>,
) -> Response<Incoming>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let tls = tls.then(|| Tls::offering(&["http/1.1"]));
    let io = TokioIo::new(connect(address, tls.as_ref()).await);
    let (mut sender, connection) = http1::handshake(io).await.expect("a connection");
    tokio::spawn(connection.with_upgrades());
    let host = address.to_string().parse().expect("a host");
    request.headers_mut().entry(HOST).or_insert(host);
    sender.send_request(request).await.expect("a response")
}

async fn over_http2<B>(
    address: SocketAddr,
    tls: bool,
    mut request: Request<B>,
) -> Response<Incoming>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
{
    let scheme = if tls { "https" } else { "http" };
    let tls = tls.then(|| Tls::offering(&["h2"]));
    let io = TokioIo::new(connect(address, tls.as_ref()).await);
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), io).await.expect("a connection");
    tokio::spawn(connection);
    // HTTP/2 says the host in the URI's authority.
    let host = request.headers_mut().remove(HOST);
    let host = host.map_or(address.to_string(), |host| host.to_str().expect("a host").to_owned());
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    *request.uri_mut() = format!("{scheme}://{host}{path}").parse::<Uri>().expect("a URI");
    sender.send_request(request).await.expect("a response")
}
