//! What the upstream is told of the client that stands before the gateway.

use http::{
    Version,
    header::{HOST, VIA},
};
use pingora::{Result, http::RequestHeader, proxy::Session};

use crate::downstream::admission;

/// Sets `X-Forwarded-*` and `Via`. What the client itself claims is replaced, not continued:
/// nothing says yet that it may be believed.
pub(super) fn describe_client(session: &Session, request: &mut RequestHeader) -> Result<()> {
    let received = session.req_header();
    match session.client_addr().and_then(|address| address.as_inet()) {
        Some(address) => {
            let client = address.ip().to_canonical().to_string();
            request.insert_header("X-Forwarded-For", client)?;
        }
        None => {
            request.remove_header("X-Forwarded-For");
        }
    }
    let is_tls = session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
    request.insert_header("X-Forwarded-Proto", if is_tls { "https" } else { "http" })?;
    let host = admission::host(received).to_owned();
    if !host.is_empty() {
        request.insert_header(HOST, host.as_str())?;
        request.insert_header("X-Forwarded-Host", host)?;
    }
    // RFC 9110, section 7.6.3: a gateway adds itself to what came before.
    request.append_header(VIA, via(received.version))?;
    Ok(())
}

fn via(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "2 sluice",
        Version::HTTP_10 => "1.0 sluice",
        _ => "1.1 sluice",
    }
}
