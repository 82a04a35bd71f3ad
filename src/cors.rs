//! Cross-origin answers of a route (Fetch, section 3.3): exact origins, never a prefix.

use http::{
    HeaderMap, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
        ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
    },
};

use crate::config::Cors;

/// A preflight may be remembered for two hours, the most that Chromium keeps.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// Whether this is a preflight for an event stream (Fetch, section 3.3.2), given that its own
/// method is OPTIONS. One for another method is the site's to answer, as that request is.
pub fn is_preflight(request: &HeaderMap) -> bool {
    let method = request.get(ACCESS_CONTROL_REQUEST_METHOD);
    request.contains_key(ORIGIN) && method.is_some_and(|method| method == "GET")
}

/// Adds what an answer to this request needs, which is nothing for an origin not listed.
pub fn allow(cors: &Cors, request: &HeaderMap, answer: &mut HeaderMap) {
    let any = cors.origins.iter().any(|origin| origin == "*");
    if any && !cors.credentials {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        return;
    }
    // The answer depends on the origin even where it is refused: caches must know.
    answer.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = request.get(ORIGIN) else { return };
    if !cors.origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()) {
        return;
    }
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if cors.credentials {
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
}

/// As [`allow`], for a preflight. `Last-Event-ID` needs one when it is long or odd.
pub fn allow_preflight(cors: &Cors, request: &HeaderMap, answer: &mut HeaderMap) {
    allow(cors, request, answer);
    if answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        let headers = HeaderValue::from_static("Last-Event-ID, Cache-Control");
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
        answer.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(origins: &[&str], credentials: bool, origin: &'static str) -> HeaderMap {
        let origins = origins.iter().map(|origin| origin.to_string()).collect();
        let cors = Cors { origins, credentials };
        let mut request = HeaderMap::new();
        request.insert(ORIGIN, HeaderValue::from_static(origin));
        let mut answer = HeaderMap::new();
        allow_preflight(&cors, &request, &mut answer);
        answer
    }

    #[test]
    fn a_preflight_for_another_method_is_left_to_the_site() {
        let mut request = HeaderMap::new();
        request.insert(ORIGIN, HeaderValue::from_static("https://a.test"));
        assert!(!is_preflight(&request));
        for (method, is_ours) in [("GET", true), ("POST", false)] {
            request.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static(method));
            assert_eq!(is_preflight(&request), is_ours, "{method}");
        }
    }

    #[test]
    fn an_origin_is_compared_whole() {
        let allowed = |origin| {
            answer(&["https://app.example.com"], true, origin)
                .contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
        };
        assert!(allowed("https://app.example.com"));
        assert!(!allowed("https://app.example.com.evil.test"));
        assert!(!allowed("https://app.example"));
        assert!(!allowed("http://app.example.com"));
        assert!(!allowed("null"));
    }

    #[test]
    fn credentials_are_allowed_only_where_the_route_says_so() {
        let with = answer(&["https://a.test"], true, "https://a.test");
        assert_eq!(with[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        let without = answer(&["https://a.test"], false, "https://a.test");
        assert!(!without.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }

    #[test]
    fn the_answer_says_that_it_depends_on_the_origin() {
        assert_eq!(answer(&["https://a.test"], false, "https://b.test")[VARY], "Origin");
        assert!(!answer(&["*"], false, "https://b.test").contains_key(VARY));
    }
}
