//! The answers that are the gateway's own: the head of every event stream, and short plain ones.
//!
//! No header of an upstream's response gets in here but a refusal's type and location (law 4).

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
};
use pingora::http::ResponseHeader;

use crate::{config::Cors, cors, refusal::Refusal};

/// A whole answer.
pub struct Answer {
    pub head: Box<ResponseHeader>,
    pub body: Bytes,
}

/// nginx and those that learned from it do not buffer a response that says so.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
/// `no-transform` keeps compressing proxies away, which would hold events back
/// (RFC 9111, section 5.2.2.6).
const NO_TRANSFORM: HeaderValue = HeaderValue::from_static("no-cache, no-transform");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// The head of every event stream.
pub fn stream_head(cors: &HeaderMap) -> Box<ResponseHeader> {
    let mut head = head(StatusCode::OK, 8);
    insert(&mut head, CONTENT_TYPE, EVENT_STREAM);
    insert(&mut head, CACHE_CONTROL, NO_TRANSFORM);
    insert(&mut head, X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    copy(cors, &mut head);
    head
}

/// The answer to HEAD on a shared route.
pub fn stream_head_only(cors: &HeaderMap) -> Answer {
    Answer { head: stream_head(cors), body: Bytes::new() }
}

/// The answer to a CORS preflight.
pub fn preflight(cors: &Cors, request: &HeaderMap) -> Answer {
    let mut headers = HeaderMap::new();
    cors::allow_preflight(cors, request, &mut headers);
    let mut head = head(StatusCode::NO_CONTENT, 8);
    copy(&headers, &mut head);
    Answer { head, body: Bytes::new() }
}

/// A status in one line of text, with nothing of the inside.
pub fn plain(status: u16) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = head(status, 4);
    insert(&mut head, CONTENT_TYPE, PLAIN_TEXT);
    insert(&mut head, CACHE_CONTROL, NO_STORE);
    let body = Bytes::from(format!("{} {reason}\n", status.as_u16()));
    with_length(head, body)
}

/// An upstream's refusal, relayed: status, type, location and body, and nothing else of it.
pub fn relayed(refusal: &Refusal, cors: &HeaderMap) -> Answer {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut head = head(status, 8);
    let mut text = |name, value: &Option<String>| {
        if let Some(Ok(value)) = value.as_ref().map(|value| HeaderValue::from_str(value)) {
            insert(&mut head, name, value);
        }
    };
    text(CONTENT_TYPE, &refusal.content_type);
    text(LOCATION, &refusal.location);
    insert(&mut head, CACHE_CONTROL, NO_STORE);
    copy(cors, &mut head);
    match status {
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED => Answer { head, body: Bytes::new() },
        _ => with_length(head, refusal.body.clone()),
    }
}

fn with_length(mut head: Box<ResponseHeader>, body: Bytes) -> Answer {
    insert(&mut head, CONTENT_LENGTH, HeaderValue::from(body.len()));
    Answer { head, body }
}

fn head(status: StatusCode, headers: usize) -> Box<ResponseHeader> {
    match ResponseHeader::build(status, Some(headers)) {
        Ok(head) => Box::new(head),
        Err(_) => unreachable!("any StatusCode makes a head"),
    }
}

fn insert(head: &mut ResponseHeader, name: HeaderName, value: HeaderValue) {
    // Typed names and values are valid: nothing is left to fail.
    let _ = head.insert_header(name, value);
}

fn copy(headers: &HeaderMap, head: &mut ResponseHeader) {
    for (name, value) in headers {
        let _ = head.append_header(name.clone(), value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relayed_refusal_keeps_status_type_location_and_body() {
        let refusal = Refusal {
            status: 302,
            content_type: Some("text/html".into()),
            location: Some("/login".into()),
            body: Bytes::from_static(b"go"),
        };
        let answer = relayed(&refusal, &HeaderMap::new());
        assert_eq!(answer.head.status, 302);
        assert_eq!(answer.head.headers[LOCATION], "/login");
        assert_eq!(answer.head.headers[CONTENT_LENGTH], "2");
        assert_eq!(&answer.body[..], b"go");
    }

    #[test]
    fn a_204_has_neither_body_nor_length() {
        let refusal =
            Refusal { status: 204, content_type: None, location: None, body: Bytes::new() };
        let answer = relayed(&refusal, &HeaderMap::new());
        assert!(!answer.head.headers.contains_key(CONTENT_LENGTH));
    }

    #[test]
    fn an_error_page_says_the_status_and_no_more() {
        assert_eq!(&plain(502).body[..], b"502 Bad Gateway\n");
    }
}
