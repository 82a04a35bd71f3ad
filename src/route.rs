//! The route table: what the configuration says of one path, made ready to serve.
//!
//! Knows paths, hosts and keys. Who connects upstream, and how, is not its business.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use crate::{
    config::{Cors, PathPattern, Vary},
    hub::Policy,
    metrics::RouteMetrics,
};

mod key;

pub use key::{start_from, topic_key};

/// All routes, in the configuration's order: the first match wins.
pub struct RouteTable {
    routes: Vec<Arc<Route>>,
}

pub struct Route {
    pub name: String,
    pub path: PathPattern,
    /// Lower case, without a port.
    pub host: Option<String>,
    /// The upstream's name.
    pub upstream: String,
    pub metrics: Arc<RouteMetrics>,
    /// `None`: an ordinary reverse-proxy route.
    pub stream: Option<Arc<StreamRoute>>,
    /// Whether the log has said that this route's event streams could be shared.
    pub hinted: AtomicBool,
}

/// What a shared route adds.
pub struct StreamRoute {
    pub policy: Arc<Policy>,
    pub vary: Vary,
    pub heartbeat: Duration,
    pub open_wait: Duration,
    pub cors: Option<Cors>,
}

impl RouteTable {
    pub fn new(routes: Vec<Arc<Route>>) -> Self {
        Self { routes }
    }

    /// The route of a request. `host` may carry a port, and the final dot of a whole name; `path`
    /// is compared as it was sent.
    pub fn find(&self, host: &str, path: &str) -> Option<&Arc<Route>> {
        self.routes.iter().find(|route| route.covers(host, path))
    }
}

impl Route {
    fn covers(&self, host: &str, path: &str) -> bool {
        let path_fits = match &self.path {
            PathPattern::Exact(exact) => path == exact,
            PathPattern::Prefix(prefix) => path.starts_with(prefix.as_str()),
        };
        path_fits && self.host.as_ref().is_none_or(|own| bare_name(host).eq_ignore_ascii_case(own))
    }
}

/// `example.com:8443` and `[::1]:8443` without their ports, `example.com.` without its final dot.
fn bare_name(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::bare_name;

    #[test]
    fn neither_a_port_nor_a_final_dot_is_part_of_a_host_name() {
        for (host, name) in [
            ("example.com:8443", "example.com"),
            ("example.com", "example.com"),
            ("example.com.", "example.com"),
            ("example.com.:80", "example.com"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(bare_name(host), name);
        }
    }
}
