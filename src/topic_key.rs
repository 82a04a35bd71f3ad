//! The name of what is shared, and at once all that an upstream request may be made of.
//!
//! Law 3 lives here: a feed is built from a [`TopicKey`] and sees nothing else of any client, so
//! what is not in the key cannot reach the upstream, nor another subscriber. How a request
//! becomes a key is the route's business; how a key becomes a request is the upstream's.

use std::{fmt, sync::Arc};

/// Compared field by field, never as one joined text: no choice of names and values can make two
/// different keys collide.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TopicKey(Arc<KeyParts>);

/// What a key is made of. Names stand in the route's `vary` order, or as sent where that is `all`.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyParts {
    /// Lower case, with its port if the client gave one.
    pub host: String,
    /// As sent, undecoded, starting with `/`.
    pub path: String,
    /// As sent, undecoded, without the `?`. Never holds `lastEventId`.
    pub query: Option<String>,
    /// The value of a `Cookie` header; empty: none.
    pub cookie: Vec<u8>,
    /// Lower-case names. Never holds `cookie`, `host` or `last-event-id`.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl TopicKey {
    pub fn new(parts: KeyParts) -> Self {
        Self(Arc::new(parts))
    }

    pub fn parts(&self) -> &KeyParts {
        &self.0
    }

    /// The request target in origin form (RFC 9112, section 3.2.1).
    pub fn target(&self) -> String {
        match &self.0.query {
            Some(query) => format!("{}?{query}", self.0.path),
            None => self.0.path.clone(),
        }
    }
}

/// Host and path only: a key may hold credentials, and those are never printed.
impl fmt::Debug for TopicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0.host, self.0.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_when_a_value_moves_from_one_field_to_another() {
        let of = |path: &str, query: Option<&str>| {
            TopicKey::new(KeyParts {
                path: path.into(),
                query: query.map(Into::into),
                ..Default::default()
            })
        };
        assert_ne!(of("/a", Some("b")), of("/a?b", None));
        assert_eq!(of("/a", Some("b")).target(), of("/a?b", None).target());
    }

    #[test]
    fn a_key_never_prints_what_it_must_not() {
        let key = TopicKey::new(KeyParts {
            host: "example.com".into(),
            path: "/sse.php".into(),
            query: Some("token=secret".into()),
            cookie: b"PHPSESSID=secret".to_vec(),
            headers: vec![("authorization".into(), b"secret".to_vec())],
        });
        assert_eq!(format!("{key:?}"), "example.com/sse.php");
    }
}
