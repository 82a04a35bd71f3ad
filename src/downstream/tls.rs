//! TLS of the listeners: certificates, ALPN, the handshake.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use pingora::{
    listeners::tls::Acceptor,
    protocols::{l4::stream::Stream as L4Stream, tls::TlsStream},
};
use rustls::{
    ServerConfig,
    client::verify_server_name,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName,
        pem::{self, PemObject},
    },
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};
use thiserror::Error;
use tokio::time::timeout;

use crate::config::{CertificateFiles, Tls};

/// A client that has not finished its handshake by then has no honest reason.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Error)]
pub enum TlsError {
    #[error("{path}: the certificate cannot be read: {cause}; it must be PEM, leaf first")]
    Certificate { path: PathBuf, cause: pem::Error },
    #[error("{path}: the key cannot be read: {cause}; it must be PEM, without a passphrase")]
    Key { path: PathBuf, cause: pem::Error },
    #[error("{cert} and {key} do not go together: {cause}; give the key of this certificate")]
    Mismatch { cert: PathBuf, key: PathBuf, cause: rustls::Error },
    #[error("a self-signed certificate for {names:?} cannot be made: {cause}; check the names")]
    SelfSigned { names: Vec<String>, cause: rcgen::Error },
    #[error("TLS cannot be set up: {0}; report this as a fault of Sluice")]
    Setup(#[from] rustls::Error),
}

/// Makes the acceptor of a listener: TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.
pub fn acceptor(tls: &Tls) -> Result<Acceptor, TlsError> {
    let certificates = match tls {
        Tls::Files(files) => {
            Certificates { keys: files.iter().map(load).collect::<Result<_, _>>()? }
        }
        Tls::SelfSigned(names) => Certificates { keys: vec![self_signed(names)?] },
    };
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Acceptor::from_server_config(Arc::new(config)))
}

/// Shakes hands. `None`: the client did not get through, which is its own affair.
pub async fn handshake(acceptor: &Acceptor, stream: L4Stream) -> Option<TlsStream<L4Stream>> {
    timeout(HANDSHAKE_TIMEOUT, acceptor.tls_handshake(stream)).await.ok()?.ok()
}

/// The listener's certificates, in the configuration's order.
struct Certificates {
    /// Never empty; the first serves every name that no other one is for.
    keys: Vec<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits =
            |key: &&Arc<CertifiedKey>| hello.server_name().is_some_and(|name| is_for(key, name));
        self.keys.iter().find(fits).or_else(|| self.keys.first()).cloned()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificates({})", self.keys.len())
    }
}

/// Whether a certificate names this host (RFC 9525, section 6.3).
fn is_for(key: &CertifiedKey, name: &str) -> bool {
    let (Some(leaf), Ok(name)) = (key.cert.first(), ServerName::try_from(name)) else {
        return false;
    };
    ParsedCertificate::try_from(leaf).is_ok_and(|leaf| verify_server_name(&leaf, &name).is_ok())
}

fn load(files: &CertificateFiles) -> Result<Arc<CertifiedKey>, TlsError> {
    let CertificateFiles { cert, key } = files;
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(|cause| TlsError::Certificate { path: cert.clone(), cause })?;
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|cause| TlsError::Key { path: key.clone(), cause })?;
    let certified = CertifiedKey::from_der(chain, secret, &ring::default_provider());
    let mismatch = |cause| TlsError::Mismatch { cert: cert.clone(), key: key.clone(), cause };
    Ok(Arc::new(certified.map_err(mismatch)?))
}

fn self_signed(names: &[String]) -> Result<Arc<CertifiedKey>, TlsError> {
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|cause| TlsError::SelfSigned { names: names.to_vec(), cause })?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let chain = vec![made.cert.der().clone()];
    Ok(Arc::new(CertifiedKey::from_der(chain, key.into(), &ring::default_provider())?))
}
