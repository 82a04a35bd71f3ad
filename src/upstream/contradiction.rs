//! Notices an upstream's answer that speaks against sharing it.
//!
//! The events pass all the same, for the operator has said what may be shared; nothing else of
//! the answer does (law 4). But whoever wrote the script may have meant it for one user, so the
//! operator is told.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use http::{
    HeaderMap,
    header::{SET_COOKIE, VARY},
};
use log::warn;

use crate::{
    config::{self, Names},
    metrics::RouteMetrics,
};

/// What of a client a route's topic key holds whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Covered {
    cookies: bool,
    authorization: bool,
}

/// A header that speaks against sharing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contradiction {
    SetCookie,
    VaryCookie,
    VaryAuthorization,
    VaryAny,
}

/// Tells the operator, once for each route and header.
#[derive(Clone)]
pub(super) struct Contradictions {
    route: String,
    metrics: Arc<RouteMetrics>,
    told: Arc<[AtomicBool; 4]>,
}

impl Covered {
    pub fn by(vary: &config::Vary) -> Self {
        let authorization = match &vary.headers {
            Names::All => true,
            Names::Listed(names) => names.iter().any(|name| name == "authorization"),
        };
        Self { cookies: vary.cookies == Names::All, authorization }
    }

    /// The headers of a stream's head that speak against sharing it by this key.
    pub fn contradicted_by(self, head: &HeaderMap) -> Vec<Contradiction> {
        let mut found = Vec::new();
        if head.contains_key(SET_COOKIE) {
            found.push(Contradiction::SetCookie);
        }
        let varies = head
            .get_all(VARY)
            .into_iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii));
        for name in varies {
            match name.to_ascii_lowercase().as_slice() {
                b"*" => found.push(Contradiction::VaryAny),
                b"cookie" if !self.cookies => found.push(Contradiction::VaryCookie),
                b"authorization" if !self.authorization => {
                    found.push(Contradiction::VaryAuthorization);
                }
                _ => {}
            }
        }
        found
    }
}

impl Contradiction {
    fn header(self) -> &'static str {
        match self {
            Self::SetCookie => "Set-Cookie",
            Self::VaryCookie => "Vary: Cookie",
            Self::VaryAuthorization => "Vary: Authorization",
            Self::VaryAny => "Vary: *",
        }
    }
}

impl Contradictions {
    pub fn new(route: &str, metrics: Arc<RouteMetrics>) -> Self {
        Self { route: route.to_owned(), metrics, told: Arc::default() }
    }

    pub fn report(&self, found: &[Contradiction]) {
        for contradiction in found {
            self.metrics.sharing_contradicted.inc();
            if !self.told[*contradiction as usize].swap(true, Relaxed) {
                warn!(
                    "Route {}: the upstream answers a shared event stream with '{}', as if it \
                     were for one user. Its events are shared as 'vary' says, and the header goes \
                     to nobody. Check 'vary' if the events are not the same for everybody.",
                    self.route,
                    contradiction.header(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn found(vary: &'static str, cookies: bool, authorization: bool) -> Vec<Contradiction> {
        let mut head = HeaderMap::new();
        head.insert(VARY, HeaderValue::from_static(vary));
        Covered { cookies, authorization }.contradicted_by(&head)
    }

    #[test]
    fn what_the_key_holds_may_vary() {
        assert_eq!(found("Accept-Encoding, Cookie, Authorization", true, true), []);
    }

    #[test]
    fn what_the_key_does_not_hold_must_not() {
        assert_eq!(found("Accept-Encoding,cookie", false, true), [Contradiction::VaryCookie]);
        assert_eq!(found("AUTHORIZATION", true, false), [Contradiction::VaryAuthorization]);
        assert_eq!(found("*", true, true), [Contradiction::VaryAny]);
    }

    #[test]
    fn a_cookie_for_one_user_always_speaks_against_sharing() {
        let mut head = HeaderMap::new();
        head.insert(SET_COOKIE, HeaderValue::from_static("PHPSESSID=1"));
        let all = Covered { cookies: true, authorization: true };
        assert_eq!(all.contradicted_by(&head), [Contradiction::SetCookie]);
    }
}
