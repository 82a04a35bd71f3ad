//! The upstream side: from a topic key to a publisher.
//!
//! ```text
//! feed: turn -> connect -> read -> parse -> publish, and again when the stream ends
//! ```
//!
//! Built from keys alone: no type of this side can hold a client's request (law 3), and what a
//! response says besides its events stays here (law 4). Never imports the downstream side.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use pingora::{connectors::TransportConnector, upstreams::peer::HttpPeer};

use crate::{
    config::{self, Address},
    hub::{FeedFuture, Feeds, Publisher},
    metrics::RouteMetrics,
    topic_key::TopicKey,
};

mod answer;
mod backoff;
mod buffering;
mod contradiction;
mod feed;
mod http1;
mod kind;
mod request;
mod resolve;
mod turn;

use buffering::Diagnosis;
use contradiction::{Contradictions, Covered};
use feed::{Feed, FeedSettings};
use http1::Http1;
use resolve::Resolver;
use turn::Turns;

/// How long an idle connection may wait in the pool. Node closes idle ones after 5 to 6 s and
/// Apache after 5 s (measured), so ours goes first.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// One of the configuration's upstreams, for feeds and for the rest of the site alike.
pub struct Upstream {
    config: Arc<config::Upstream>,
    connector: Arc<TransportConnector>,
    resolver: Resolver,
    turns: Turns,
    /// Which of several addresses the next connect begins with.
    next: AtomicUsize,
}

/// Fills the topics of one route over HTTP.
pub struct HttpFeeds {
    upstream: Arc<Upstream>,
    force: bool,
    covered: Covered,
    settings: FeedSettings,
}

impl Upstream {
    pub fn new(config: Arc<config::Upstream>, connector: Arc<TransportConnector>) -> Arc<Self> {
        Arc::new(Self {
            turns: Turns::new(config.max_streams, config.connect_stagger),
            config,
            connector,
            resolver: Resolver::default(),
            next: AtomicUsize::new(0),
        })
    }

    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// How many addresses there are to try, as far as names have been looked up.
    pub fn address_count(&self) -> usize {
        self.config.addresses.len() * self.resolver.most_addresses()
    }

    /// Where a connect begins; each after the first tries the address one further on.
    pub fn next_turn(&self) -> usize {
        self.next.fetch_add(1, Relaxed)
    }

    /// The address whose turn it is, with its name looked up, as Pingora's peer.
    pub async fn peer(&self, turn: usize) -> io::Result<HttpPeer> {
        let count = self.config.addresses.len();
        let (tls, sni) = match &self.config.tls {
            Some(tls) => (true, tls.sni.clone()),
            None => (false, String::new()),
        };
        let mut peer = match &self.config.addresses[turn % count] {
            Address::Tcp { host, port } => {
                // Each round over the configured addresses takes the next of every name's own.
                HttpPeer::new(self.resolver.resolve(host, *port, turn / count).await?, tls, sni)
            }
            Address::Unix(path) => {
                let path = path.to_str().ok_or(io::ErrorKind::InvalidInput)?;
                HttpPeer::new_uds(path, tls, sni).map_err(io::Error::other)?
            }
        };
        let verify = self.config.tls.as_ref().is_none_or(|tls| tls.verify);
        peer.options.verify_cert = verify;
        peer.options.verify_hostname = verify;
        peer.options.connection_timeout = Some(self.config.connect_timeout);
        peer.options.total_connection_timeout = Some(self.config.connect_timeout);
        peer.options.read_timeout = self.config.read_timeout;
        peer.options.idle_timeout = Some(IDLE_MAX);
        Ok(peer)
    }
}

impl HttpFeeds {
    pub fn new(
        upstream: Arc<Upstream>,
        route: &str,
        sse: &config::Sse,
        metrics: Arc<RouteMetrics>,
    ) -> Self {
        let settings = FeedSettings {
            route: route.to_owned(),
            retry: sse.retry,
            contradictions: Contradictions::new(route, metrics.clone()),
            diagnosis: Diagnosis::new(route, metrics.clone()),
            metrics,
        };
        Self { upstream, force: sse.force, covered: Covered::by(&sse.vary), settings }
    }
}

impl Feeds for HttpFeeds {
    fn feed(&self, key: TopicKey, publisher: Publisher) -> FeedFuture {
        let kind = Http1::new(self.upstream.clone(), self.force, self.covered);
        let feed = Feed::new(kind, self.upstream.clone(), key, self.settings.clone());
        Box::pin(feed.run(publisher))
    }
}
