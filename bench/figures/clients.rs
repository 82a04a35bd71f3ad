//! The subscribers: they count events and how late they are, and keep nothing.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
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

use super::{gateway::Gateway, upstream::clock};

#[derive(Clone, Copy)]
pub enum Protocol {
    Http1,
    Http2Tls,
}

/// Open streams; closed when dropped.
pub struct Clients {
    counts: Arc<Counts>,
    _streams: JoinSet<()>,
}

/// What all streams of a run add to.
#[derive(Default)]
struct Counts {
    opened: AtomicU64,
    delivered: AtomicU64,
    /// Nanoseconds from the upstream's write to the client's read.
    delays: Mutex<Vec<u64>>,
}

impl Clients {
    pub async fn open(
        gateway: &Gateway,
        protocol: Protocol,
        connections: usize,
        streams: usize,
    ) -> Self {
        let counts = Arc::<Counts>::default();
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            match protocol {
                Protocol::Http1 => tasks.spawn(http1(gateway.plain, counts.clone())),
                Protocol::Http2Tls => tasks.spawn(http2(gateway.tls, streams, counts.clone())),
            };
            // One after the other, so that a handshake storm is not what is measured.
            sleep(Duration::from_millis(1)).await;
        }
        let all = (connections * streams) as u64;
        wait("all streams are open", || counts.opened.load(Relaxed) == all).await;
        Self { counts, _streams: tasks }
    }

    /// Opens streams that never read their bodies, one on each connection.
    pub async fn open_stalled(gateway: &Gateway, connections: usize) -> Self {
        let counts = Arc::<Counts>::default();
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            tasks.spawn(stalled(gateway.tls, counts.clone()));
        }
        wait("all streams are open", || counts.opened.load(Relaxed) == connections as u64).await;
        Self { counts, _streams: tasks }
    }

    pub fn delivered(&self) -> u64 {
        self.counts.delivered.load(Relaxed)
    }

    /// Waits for so many deliveries in all.
    pub async fn wait_for(&self, all: u64) {
        wait("all events are delivered", || self.delivered() >= all).await;
    }

    /// A quantile of the delay, in milliseconds.
    pub fn delay_ms(&self, quantile: f64) -> f64 {
        let mut delays = self.counts.delays.lock().expect("no panic").clone();
        delays.sort_unstable();
        delays[((delays.len() - 1) as f64 * quantile) as usize] as f64 / 1e6
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

async fn http1(address: SocketAddr, counts: Arc<Counts>) {
    let mut socket = TcpStream::connect(address).await.expect("connect");
    let request = b"GET /events HTTP/1.1\r\nHost: bench\r\n\r\n";
    socket.write_all(request).await.expect("ask");
    let mut buffer = [0; 16 * 1024];
    let mut first = true;
    while let Ok(n @ 1..) = socket.read(&mut buffer).await {
        counts.take(&buffer[..n]);
        if std::mem::take(&mut first) {
            counts.opened.fetch_add(1, Relaxed);
        }
    }
}

async fn http2(address: SocketAddr, streams: usize, counts: Arc<Counts>) {
    let (mut send, mut tasks) = connect(address, 1 << 20).await;
    for _ in 0..streams {
        let response = ask(&mut send).await;
        let counts = counts.clone();
        tasks.spawn(async move {
            let mut body = response.await.expect("a head").into_body();
            counts.opened.fetch_add(1, Relaxed);
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
                counts.take(&data);
            }
        });
    }
    while tasks.join_next().await.is_some() {}
}

/// Opens a stream with the default window, and leaves it unread.
async fn stalled(address: SocketAddr, counts: Arc<Counts>) {
    let (mut send, mut tasks) = connect(address, 65_535).await;
    let _unread = ask(&mut send).await.await.expect("a head").into_body();
    counts.opened.fetch_add(1, Relaxed);
    while tasks.join_next().await.is_some() {}
}

async fn connect(address: SocketAddr, window: u32) -> (SendRequest<Bytes>, JoinSet<()>) {
    let socket = TcpStream::connect(address).await.expect("connect");
    let name = ServerName::try_from("localhost").expect("a name");
    let tls = TlsConnector::from(Arc::new(any_certificate())).connect(name, socket).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window).initial_connection_window_size(1 << 24);
    builder.data_frame_budget(1 << 30);
    let (send, connection) =
        builder.handshake::<_, Bytes>(tls.expect("TLS")).await.expect("HTTP/2");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        // It ends when the gateway does.
        let _ = connection.await;
    });
    (send, tasks)
}

async fn ask(send: &mut SendRequest<Bytes>) -> ResponseFuture {
    let request = Request::get("https://bench/events").body(()).expect("a request");
    *send = send.clone().ready().await.expect("room for a stream");
    send.send_request(request, true).expect("ask").0
}

impl Counts {
    /// Notes the events in a piece of a body, by the time in their `data` field. A piece that
    /// cuts an event in its field name or time would lose it; short events come whole.
    fn take(&self, bytes: &[u8]) {
        let now = clock();
        let mut events = 0;
        let mut delays = Vec::new();
        for at in bytes.windows(6).enumerate().filter(|(_, w)| w == b"data: ").map(|(at, _)| at) {
            events += 1;
            let digits = bytes[at + 6..].iter().take_while(|byte| byte.is_ascii_digit());
            let written = digits.fold(0, |n, digit| n * 10 + u64::from(digit - b'0'));
            delays.push(now.saturating_sub(written));
        }
        self.delays.lock().expect("no panic").append(&mut delays);
        self.delivered.fetch_add(events, Relaxed);
    }
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
