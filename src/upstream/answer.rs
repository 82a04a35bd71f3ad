//! How an upstream's response head is understood: a stream, a refusal, or trouble.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use pingora::http::ResponseHeader;

use super::kind::ConnectError;
use crate::refusal::Refusal;

/// A head's meaning, before any of the body is read.
#[derive(Debug)]
pub(super) enum Head {
    Stream,
    /// The body is still to be filled in.
    Refused(Refusal),
}

/// Reads the status before the type: a failing script may answer 500 as `text/event-stream`.
/// 5xx is trouble that may pass; every other refusal is meant. `force` takes any 200 for a
/// stream, for scripts whose warnings spoil the header.
pub(super) fn understand(head: &ResponseHeader, force: bool) -> Result<Head, ConnectError> {
    let status = head.status.as_u16();
    if head.status.is_server_error() || head.status.is_informational() {
        return Err(ConnectError::Status(status));
    }
    if status == 200 && (force || is_event_stream(head)) {
        return match foreign_encoding(head) {
            Some(encoding) => Err(ConnectError::Encoded(encoding)),
            None => Ok(Head::Stream),
        };
    }
    Ok(Head::Refused(Refusal {
        status,
        content_type: text(head, CONTENT_TYPE),
        location: text(head, LOCATION),
        body: bytes::Bytes::new(),
    }))
}

/// Compares the type's essence: parameters such as `charset` do not matter (WHATWG MIME
/// Sniffing, section 4; WHATWG HTML 9.2.3).
fn is_event_stream(head: &ResponseHeader) -> bool {
    text(head, CONTENT_TYPE).is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// A content coding that was applied for real. `none` is a trick of old scripts against
/// compression, and means identity.
fn foreign_encoding(head: &ResponseHeader) -> Option<String> {
    let harmless = ["", "none", "identity"];
    text(head, CONTENT_ENCODING)
        .filter(|value| !harmless.iter().any(|name| value.trim().eq_ignore_ascii_case(name)))
}

fn text(head: &ResponseHeader, name: http::HeaderName) -> Option<String> {
    Some(String::from_utf8_lossy(head.headers.get(name)?.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&'static str, &str)]) -> ResponseHeader {
        let mut head = ResponseHeader::build(status, None).unwrap();
        for (name, value) in headers {
            head.insert_header(*name, *value).unwrap();
        }
        head
    }

    #[test]
    fn any_parameter_of_the_type_is_a_stream() {
        for value in [
            "text/event-stream",
            "text/event-stream;charset=UTF-8",
            "Text/Event-Stream ; charset=euc-kr",
        ] {
            let head = head(200, &[("Content-Type", value)]);
            assert!(matches!(understand(&head, false), Ok(Head::Stream)), "{value}");
        }
    }

    #[test]
    fn a_type_that_only_begins_alike_is_refused_unless_forced() {
        let head = head(200, &[("Content-Type", "text/event-streamfoo")]);
        assert!(matches!(understand(&head, false), Ok(Head::Refused(_))));
        assert!(matches!(understand(&head, true), Ok(Head::Stream)));
    }

    #[test]
    fn a_failing_script_is_trouble_even_with_the_right_type() {
        let head = head(500, &[("Content-Type", "text/event-stream")]);
        assert!(matches!(understand(&head, true), Err(ConnectError::Status(500))));
    }

    #[test]
    fn a_refusal_keeps_its_type_and_location_and_no_cookie() {
        let head = head(302, &[("Location", "/login"), ("Set-Cookie", "a=b")]);
        let Ok(Head::Refused(refusal)) = understand(&head, false) else { panic!() };
        assert_eq!((refusal.status, refusal.location.as_deref()), (302, Some("/login")));
    }

    #[test]
    fn a_compressed_stream_is_trouble_and_the_none_trick_is_not() {
        let with = |encoding| {
            head(200, &[("Content-Type", "text/event-stream"), ("Content-Encoding", encoding)])
        };
        assert!(matches!(understand(&with("gzip"), false), Err(ConnectError::Encoded(_))));
        assert!(matches!(understand(&with("none"), false), Ok(Head::Stream)));
    }
}
