//! A topic key as an upstream request. The key is all there is to make it from (law 3).

use http::HeaderValue;
use pingora::http::RequestHeader;

use crate::topic_key::TopicKey;

/// Longer ids stay here, in bytes: servers take 8 KiB for a whole head, or for one line of it.
const ID_MAX: usize = 4 * 1024;

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
    if let Some(id) = last_event_id.and_then(id_value) {
        request.insert_header("Last-Event-ID", id)?;
    }
    Ok(request)
}

/// An id as a header's value, if it can be one. An upstream may name any, also one with control
/// characters, or longer than it would take back; a feed that insisted on it would never connect
/// again, or be refused for good.
fn id_value(id: &str) -> Option<HeaderValue> {
    let fits = (1..=ID_MAX).contains(&id.len());
    HeaderValue::from_bytes(id.as_bytes()).ok().filter(|_| fits)
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
    #[test]
    fn an_id_that_is_no_header_value_does_not_keep_a_feed_from_connecting() {
        let key = TopicKey::new(KeyParts { path: "/".into(), ..KeyParts::default() });
        for id in ["", "a\u{1}b", "\u{7f}", &"9".repeat(ID_MAX + 1)] {
            let request = request(&key, Some(id)).unwrap();
            assert!(!request.headers.contains_key("last-event-id"), "{id:?}");
        }
    }
}
