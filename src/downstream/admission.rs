//! What becomes of a request: a subscription, an answer of Sluice's own, or the rest of the site.

use std::sync::Arc;

use http::{HeaderMap, Method, Version, header::HOST};
use pingora::http::RequestHeader;

use super::answer::{self, Answer};
use crate::{
    config::Cors,
    cors,
    hub::StartFrom,
    route::{Route, RouteTable, StreamRoute, start_from, topic_key},
    topic_key::TopicKey,
};

pub enum Admission {
    Listen(Listen),
    Answer { answer: Answer, route: Option<Arc<Route>> },
    Proxy(Arc<Route>),
}

/// A client that wants a topic's events.
pub struct Listen {
    pub route: Arc<Route>,
    /// The route's, which has it: only such a route is listened to.
    pub stream: Arc<StreamRoute>,
    pub key: TopicKey,
    pub from: StartFrom,
    /// What the answer's head says of CORS.
    pub cors: HeaderMap,
}

/// Decides by route, method and headers; never waits.
pub fn admit(routes: &RouteTable, request: &RequestHeader) -> Admission {
    let host = host(request);
    // RFC 9112, section 3.2: only HTTP/1.0 may leave open whose resource it asks for.
    if host.is_empty() && request.version > Version::HTTP_10 {
        return Admission::Answer { answer: answer::plain(400), route: None };
    }
    let Some(route) = routes.find(host, request.uri.path()) else {
        return Admission::Answer { answer: answer::plain(404), route: None };
    };
    let own = |answer| Admission::Answer { answer, route: Some(route.clone()) };
    let Some(stream) = &route.stream else { return Admission::Proxy(route.clone()) };
    match (&request.method, &stream.cors) {
        (&Method::GET, cors) => Admission::Listen(Listen {
            route: route.clone(),
            stream: stream.clone(),
            key: topic_key(request, host, &stream.vary),
            from: start_from(request),
            cors: cors_headers(cors.as_ref(), &request.headers),
        }),
        // Never sent upstream: a script that loops would run for it for ever.
        (&Method::HEAD, cors) => {
            own(answer::stream_head_only(&cors_headers(cors.as_ref(), &request.headers)))
        }
        (&Method::OPTIONS, Some(cors)) if cors::is_preflight(&request.headers) => {
            own(answer::preflight(cors, &request.headers))
        }
        _ => Admission::Proxy(route.clone()),
    }
}

/// The request's authority: `:authority` on HTTP/2, `Host` on HTTP/1.1. Empty: none that can be
/// read.
pub fn host(request: &RequestHeader) -> &str {
    let header = || request.headers.get(HOST).and_then(|value| value.to_str().ok());
    match request.uri.authority() {
        Some(authority) => authority.as_str(),
        None => header().unwrap_or_default(),
    }
}

fn cors_headers(cors: Option<&Cors>, request: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(cors) = cors {
        cors::allow(cors, request, &mut headers);
    }
    headers
}
