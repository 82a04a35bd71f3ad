//! Connections, plain and TLS. Any certificate is accepted: the tests judge the gateway's
//! behaviour, and its certificates are made for the occasion.

use std::{net::SocketAddr, sync::Arc};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// What a client says in its TLS greeting.
#[derive(Clone, Debug)]
pub struct Tls {
    pub server_name: String,
    /// The protocols it offers, in its order of preference; none: no ALPN at all.
    pub alpn: Vec<Vec<u8>>,
}

impl Tls {
    /// Offers `alpn`, to a server called localhost.
    pub fn offering(alpn: &[&str]) -> Self {
        Self {
            server_name: "localhost".to_owned(),
            alpn: alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect(),
        }
    }

    /// The same to a server of another name.
    pub fn to(mut self, server_name: &str) -> Self {
        server_name.clone_into(&mut self.server_name);
        self
    }
}

/// Anything bytes go over.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// Opens a connection, plain when there is no `tls`.
pub async fn connect(address: SocketAddr, tls: Option<&Tls>) -> Box<dyn Io> {
    match tls {
        Some(tls) => Box::new(connect_tls(address, tls).await.expect("a TLS handshake")),
        None => Box::new(connect_tcp(address).await),
    }
}

/// Opens a TLS connection; its session tells the negotiated protocol and the certificate.
pub async fn connect_tls(address: SocketAddr, tls: &Tls) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider's own versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(ring::default_provider())))
        .with_no_client_auth();
    config.alpn_protocols.clone_from(&tls.alpn);
    let name = ServerName::try_from(tls.server_name.clone()).expect("a host name");
    TlsConnector::from(Arc::new(config)).connect(name, connect_tcp(address).await).await
}

async fn connect_tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap_or_else(|error| {
        panic!("connect to {address}: {error}");
    });
    stream.set_nodelay(true).expect("no delay");
    stream
}

#[derive(Debug)]
struct AnyCertificate(CryptoProvider);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
