//! What the upstream is told of the client that stands before the gateway, and what of its answer
//! goes no further than the gateway.

use http::{
    HeaderName, StatusCode, Version,
    header::{
        CONNECTION, CONTENT_LENGTH, COOKIE, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
    },
};
use pingora::{
    Result,
    http::{RequestHeader, ResponseHeader},
    proxy::Session,
};

use crate::downstream::admission;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const HOP_BY_HOP: [HeaderName; 6] =
    [CONNECTION, KEEP_ALIVE, HeaderName::from_static("proxy-connection"), TE, TRAILER, UPGRADE];
/// Says where the body ends: never taken out, whoever nominates it.
const FRAMING: [HeaderName; 2] = [CONTENT_LENGTH, TRANSFER_ENCODING];

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
    // Other names for the same claim, which some sites believe.
    for name in ["Forwarded", "X-Real-IP"] {
        request.remove_header(name);
    }
    let is_tls = session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
    request.insert_header("X-Forwarded-Proto", if is_tls { "https" } else { "http" })?;
    let host = admission::host(received).to_owned();
    if !host.is_empty() {
        request.insert_header(HOST, host.as_str())?;
        request.insert_header("X-Forwarded-Host", host)?;
    }
    join_cookies(request)?;
    // RFC 9110, section 7.6.3: a gateway adds itself to what came before.
    request.append_header(VIA, via(received.version))?;
    Ok(())
}

/// Takes out what is for the connection to the upstream only (RFC 9110, section 7.6.1), and the
/// announcement of trailers, which Pingora drops. `Transfer-Encoding` is Pingora's business.
pub(super) fn strip_hop_by_hop(response: &mut ResponseHeader) {
    if response.status == StatusCode::SWITCHING_PROTOCOLS {
        return; // Its `Connection` and `Upgrade` are the answer.
    }
    let nominated: Vec<HeaderName> = response
        .headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| !FRAMING.contains(name))
        .collect();
    for name in nominated.iter().chain(&HOP_BY_HOP) {
        response.remove_header(name);
    }
}

/// Frames the answer for the client's version: HTTP/1.0 knows no chunks (RFC 9112, section 6.1),
/// and only HTTP/1 is told how long its idle connection is kept.
pub(super) fn suit_version(session: &mut Session, response: &mut ResponseHeader) -> Result<()> {
    if session.is_http2() || response.status.is_informational() {
        return Ok(());
    }
    response.set_version(Version::HTTP_11); // That of the sender: the site's may be older.
    if session.req_header().version < Version::HTTP_11
        && response.remove_header(&TRANSFER_ENCODING).is_some()
    {
        session.set_keepalive(None); // Its end is that of the connection.
    }
    match session.get_keepalive() {
        Some(seconds) if seconds > 0 => {
            response.insert_header(KEEP_ALIVE, format!("timeout={seconds}"))
        }
        _ => Ok(()),
    }
}

/// HTTP/2 may split `Cookie` into several fields; HTTP/1.1 has one (RFC 9113, section 8.2.3).
fn join_cookies(request: &mut RequestHeader) -> Result<()> {
    let crumbs: Vec<&[u8]> =
        request.headers.get_all(COOKIE).iter().map(|value| value.as_bytes()).collect();
    if crumbs.len() > 1 {
        let whole = crumbs.join(&b"; "[..]);
        request.insert_header(COOKIE, whole)?;
    }
    Ok(())
}

fn via(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "2 sluice",
        Version::HTTP_10 => "1.0 sluice",
        _ => "1.1 sluice",
    }
}
