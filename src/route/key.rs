//! From a request to its topic key, by the route's `vary`, and to the place it resumes from.
//!
//! Names that are listed go into the key and upstream; all others go nowhere.

use bytes::Bytes;
use http::{HeaderMap, header::COOKIE};
use pingora::http::RequestHeader;

use crate::{
    config::{Names, Vary},
    hub::StartFrom,
    topic_key::{KeyParts, TopicKey},
};

/// The query parameter in which pages that build their own reconnect carry the last event ID.
const LAST_EVENT_ID: &str = "lastEventId";

/// Never part of a key, even where a route varies on all headers: hop-by-hop fields (RFC 9110,
/// section 7.6.1), framing, and what the feed says for itself.
const NEVER_VARIED: &[&str] = &[
    "accept",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "last-event-id",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

/// What anybody can claim to be. Pages get it replaced; a feed, which is for many, has none to put
/// in its place, so `all` leaves it out.
const CLAIMS: &[&str] =
    &["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// The key of the topic that a request asks for.
pub fn topic_key(request: &RequestHeader, host: &str, vary: &Vary) -> TopicKey {
    TopicKey::new(KeyParts {
        host: host.to_ascii_lowercase(),
        path: request.uri.path().to_owned(),
        query: query(request.uri.query(), &vary.query),
        cookie: cookie(&request.headers, &vary.cookies),
        headers: headers(&request.headers, &vary.headers),
    })
}

/// What the client has already: the header beats the query parameter. An empty id is none.
pub fn start_from(request: &RequestHeader) -> StartFrom {
    let header = request.headers.get("last-event-id");
    let id = match header {
        Some(value) => Bytes::copy_from_slice(value.as_bytes()),
        None => last_event_id_parameter(request.uri.query()).unwrap_or_default(),
    };
    if id.is_empty() { StartFrom::Fresh } else { StartFrom::Resume(id) }
}

fn query(query: Option<&str>, names: &Names) -> Option<String> {
    let pairs = || query.into_iter().flat_map(|query| query.split('&'));
    let kept: Vec<&str> = match names {
        Names::All => pairs().filter(|pair| name(pair) != LAST_EVENT_ID).collect(),
        Names::Listed(list) => list
            .iter()
            .filter(|listed| *listed != LAST_EVENT_ID)
            .flat_map(|listed| pairs().filter(move |pair| name(pair) == listed))
            .collect(),
    };
    (!kept.is_empty()).then(|| kept.join("&"))
}

fn name(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

/// The `Cookie` header with the cookies that the route varies on. HTTP/2 may split it into
/// several fields (RFC 9113, section 8.2.3).
fn cookie(headers: &HeaderMap, names: &Names) -> Vec<u8> {
    let crumbs = || {
        headers
            .get_all(COOKIE)
            .into_iter()
            .flat_map(|value| value.as_bytes().split(|b| *b == b';'))
            .map(<[u8]>::trim_ascii)
            .filter(|crumb| !crumb.is_empty())
    };
    let kept: Vec<&[u8]> = match names {
        Names::All => crumbs().collect(),
        Names::Listed(list) => list
            .iter()
            .flat_map(|listed| crumbs().filter(move |crumb| is_named(crumb, listed)))
            .collect(),
    };
    kept.join(&b"; "[..])
}

fn is_named(crumb: &[u8], name: &str) -> bool {
    crumb.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'='))
}

fn headers(headers: &HeaderMap, names: &Names) -> Vec<(String, Vec<u8>)> {
    let values = |name: &str| -> Vec<(String, Vec<u8>)> {
        headers.get_all(name).iter().map(|v| (name.to_owned(), v.as_bytes().to_vec())).collect()
    };
    match names {
        Names::All => {
            let mut kept: Vec<&str> = headers.keys().map(|name| name.as_str()).collect();
            kept.retain(|name| !NEVER_VARIED.contains(name) && !CLAIMS.contains(name));
            kept.sort_unstable();
            kept.into_iter().flat_map(values).collect()
        }
        Names::Listed(list) => list
            .iter()
            .filter(|name| !NEVER_VARIED.contains(&name.as_str()))
            .flat_map(|name| values(name))
            .collect(),
    }
}

/// The value of `lastEventId`, percent-decoded; the last one, as PHP reads repeated names.
fn last_event_id_parameter(query: Option<&str>) -> Option<Bytes> {
    let pair = query?.split('&').rfind(|pair| name(pair) == LAST_EVENT_ID)?;
    let value = pair.split_once('=')?.1;
    let id = percent_decode(value);
    // What can be in no id (WHATWG HTML 9.2.6) can have come from no event.
    (!id.iter().any(|b| matches!(b, 0 | b'\n' | b'\r'))).then(|| Bytes::from(id))
}

/// `application/x-www-form-urlencoded` decoding of one value (WHATWG URL, section 5.1).
fn percent_decode(value: &str) -> Vec<u8> {
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', ..) => {
                decoded.push(b' ');
                at += 1;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests;
