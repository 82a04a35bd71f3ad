//! A small HTTP/2 server, plain or TLS, for the clients to be tried on.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, Request, Response};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::client::tls::Io;

/// `/echo` sends the request's body back, with trailers; anything else is an endless stream of
/// which the first two events are sent.
pub struct Http2Server {
    pub address: SocketAddr,
    #[expect(dead_code, reason = "held to be aborted with the server")]
    acceptor: JoinSet<()>,
}

impl Http2Server {
    pub async fn start(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut acceptor = JoinSet::new();
        acceptor.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let io: Box<dyn Io> = match &tls {
                    Some(tls) => Box::new(tls.accept(stream).await.expect("a handshake")),
                    None => Box::new(stream),
                };
                connections.spawn(serve(io));
            }
        });
        Self { address, acceptor }
    }
}

/// A server side of TLS with a certificate of its own making.
pub fn acceptor(alpn: &[&str]) -> TlsAcceptor {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider's own versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a matching key");
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(io: Box<dyn Io>) {
    let mut builder = h2::server::Builder::new();
    let handshake = builder.max_concurrent_streams(50).handshake(io);
    let mut connection = handshake.await.expect("a handshake");
    let mut answers = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        answers.spawn(answer(request, respond));
    }
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    let response = Response::builder().header("x-uri", head.uri.to_string()).body(());
    let mut stream = respond.send_response(response.expect("a head"), false).expect("a stream");
    if head.uri.path() != "/echo" {
        stream.send_data(Bytes::from("data: 1\n\n"), false).expect("a listener");
        stream.send_data(Bytes::from("data: 2\n\n"), false).expect("a listener");
        let _ = std::future::poll_fn(|context| stream.poll_reset(context)).await;
        return;
    }
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        stream.send_data(data, false).expect("a reader");
    }
    let trailers = body.trailers().await.expect("an end").unwrap_or_default();
    let mut answered = HeaderMap::new();
    answered.insert("x-got", trailers.len().into());
    stream.send_trailers(answered).expect("a reader");
}
