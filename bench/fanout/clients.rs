//! The subscribers: they count bytes of events and keep nothing.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::sleep,
};
use tokio_rustls::TlsConnector;

use super::{gateway::Gateway, upstream::events};

#[derive(Clone, Copy)]
pub enum Protocol {
    Http1,
    Http2Tls,
}

/// Open streams; closed when dropped.
pub struct Clients {
    delivered: Arc<AtomicU64>,
    _streams: JoinSet<()>,
}

pub async fn connect(
    gateway: &Gateway,
    protocol: Protocol,
    connections: usize,
    streams: usize,
) -> Clients {
    let delivered = Arc::new(AtomicU64::new(0));
    let opened = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let counts = (delivered.clone(), opened.clone());
        match protocol {
            Protocol::Http1 => tasks.spawn(http1(gateway.plain, counts)),
            Protocol::Http2Tls => tasks.spawn(http2(gateway.tls, streams, counts)),
        };
        // One after the other, so that a handshake storm is not what is measured.
        sleep(Duration::from_millis(1)).await;
    }
    let all = (connections * streams) as u64;
    wait("all streams are open", || opened.load(Relaxed) == all).await;
    Clients { delivered, _streams: tasks }
}

impl Clients {
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Relaxed)
    }

    /// Waits until every stream has every event of a run; returns how many deliveries that were.
    pub async fn wait_for(&self, before: u64, rate: u32, run: Duration, streams: f64) -> u64 {
        let all = events(rate, run) * streams as u64;
        wait("all events are delivered", || self.delivered() - before >= all).await;
        self.delivered() - before
    }
}

async fn wait(what: &str, ready: impl Fn() -> bool) {
    for _ in 0..6000 {
        if ready() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("waited a minute in vain: {what}");
}

type Counts = (Arc<AtomicU64>, Arc<AtomicU64>);

async fn http1(address: SocketAddr, (delivered, opened): Counts) {
    let mut socket = TcpStream::connect(address).await.expect("connect");
    let request = b"GET /events HTTP/1.1\r\nHost: bench\r\n\r\n";
    socket.write_all(request).await.expect("ask");
    let mut buffer = [0; 16 * 1024];
    let mut first = true;
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        count(&buffer[..n], &delivered);
        if std::mem::take(&mut first) {
            opened.fetch_add(1, Relaxed);
        }
    }
}

async fn http2(address: SocketAddr, streams: usize, (delivered, opened): Counts) {
    let socket = TcpStream::connect(address).await.expect("connect");
    let name = ServerName::try_from("localhost").expect("a name");
    let tls = TlsConnector::from(Arc::new(any_certificate())).connect(name, socket).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 24);
    let (mut send, connection) =
        builder.handshake::<_, Bytes>(tls.expect("TLS")).await.expect("HTTP/2");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        // It ends when the gateway does.
        let _ = connection.await;
    });
    for _ in 0..streams {
        let request = Request::get("https://bench/events").body(()).expect("a request");
        send = send.ready().await.expect("room for a stream");
        let (response, _) = send.send_request(request, true).expect("ask");
        let (delivered, opened) = (delivered.clone(), opened.clone());
        tasks.spawn(async move {
            let mut body = response.await.expect("a head").into_body();
            opened.fetch_add(1, Relaxed);
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
                count(&data, &delivered);
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// Counts events by their `data` field; a bench's events are written whole and hold one each.
fn count(bytes: &[u8], delivered: &AtomicU64) {
    let events = bytes.windows(6).filter(|window| window == b"data: ").count();
    delivered.fetch_add(events as u64, Relaxed);
}

fn any_certificate() -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// The gateway's certificate is made at its start; there is nothing to check it against.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
