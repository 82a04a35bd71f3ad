//! A topic key as an upstream request. The key is all there is to make it from (law 3).

use pingora::http::RequestHeader;

use crate::topic_key::TopicKey;

/// Builds the GET for a topic's stream. Two equal keys lead to byte-equal requests but for the
/// feed's own `Last-Event-ID`.
///
/// No `Accept-Encoding`: a compressed stream is held back by the compressor. `Connection: close`:
/// the connection never goes back to a pool, and an idle one would pin a worker.
pub(super) fn request(
    key: &TopicKey,
    last_event_id: Option<&str>,
) -> pingora::Result<RequestHeader> {
    let parts = key.parts();
    let mut request = RequestHeader::build("GET", key.target().as_bytes(), None)?;
    request.insert_header("Host", parts.host.as_str())?;
    request.insert_header("Accept", "text/event-stream")?;
    request.insert_header("Cache-Control", "no-cache")?;
    request.insert_header("User-Agent", concat!("sluice/", env!("CARGO_PKG_VERSION")))?;
    request.insert_header("Via", "1.1 sluice")?;
    request.insert_header("Connection", "close")?;
    for (name, value) in &parts.headers {
        request.append_header(name.clone(), value.as_slice())?;
    }
    if !parts.cookie.is_empty() {
        request.insert_header("Cookie", parts.cookie.as_slice())?;
    }
    if let Some(id) = last_event_id.filter(|id| !id.is_empty()) {
        request.insert_header("Last-Event-ID", id.as_bytes())?;
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic_key::KeyParts;

    #[test]
    fn a_request_holds_what_the_key_holds_and_the_feeds_own_id() {
        let key = TopicKey::new(KeyParts {
            host: "example.com".into(),
            path: "/sse.php".into(),
            query: Some("a=1&b=%20".into()),
            cookie: b"PHPSESSID=x".to_vec(),
            headers: vec![("authorization".into(), b"Bearer t".to_vec())],
        });
        let request = request(&key, Some("7-\u{e9}")).unwrap();
        assert_eq!(request.raw_path(), b"/sse.php?a=1&b=%20");
        let value = |name: &str| request.headers.get(name).map(|v| v.as_bytes().to_vec());
        assert_eq!(value("host").unwrap(), b"example.com");
        assert_eq!(value("cookie").unwrap(), b"PHPSESSID=x");
        assert_eq!(value("authorization").unwrap(), b"Bearer t");
        assert_eq!(value("last-event-id").unwrap(), "7-\u{e9}".as_bytes());
        assert_eq!(value("accept-encoding"), None);
    }
}
