//! Puts the house together from a configuration, and takes it apart again in order.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use arc_swap::ArcSwap;
use log::info;
use pingora::{
    apps::HttpServerApp, connectors::TransportConnector, proxy::http_proxy,
    server::configuration::ServerConf,
};
use thiserror::Error;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};

use crate::{
    admin::Admin,
    config::{self, Config},
    downstream::{Downstream, listener, tls},
    drain::{Drain, DrainWatch},
    gateway::Gateway,
    hub::{Hub, Policy},
    metrics::{Metrics, RouteMetrics},
    proxy::{Proxy, SiteProxy},
    route::{Route, RouteTable, StreamRoute},
    upstream::{HttpFeeds, Upstream},
};

/// Idle upstream connections kept for the rest of the site.
const UPSTREAM_POOL: usize = 128;

#[derive(Debug, Error)]
pub enum StartError {
    #[error("{address}: cannot listen there: {cause}; is another process, or an older Sluice?")]
    Listen { address: SocketAddr, cause: io::Error },
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

/// A running gateway. Dropping it ends every task at once.
pub struct App {
    /// The bound addresses, in the configuration's order.
    pub listeners: Vec<SocketAddr>,
    pub admin: Option<SocketAddr>,
    pub hub: Arc<Hub>,
    pub metrics: Arc<Metrics>,
    drain: Drain,
    proxy: Arc<pingora::proxy::HttpProxy<Proxy>>,
    tasks: JoinSet<()>,
}

impl App {
    /// Binds and starts everything, on the runtime that it is called on.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::new());
        let hub = Arc::new(Hub::new());
        let (drain, watch) = Drain::new();
        let upstreams = upstreams(config);
        let downstream = Arc::new(Downstream {
            routes: ArcSwap::from_pointee(routes(config, &upstreams, &metrics)),
            hub: hub.clone(),
            metrics: metrics.clone(),
            drain: watch.clone(),
        });
        let proxy = Proxy { downstream: downstream.clone(), upstreams };
        let proxy = Arc::new(http_proxy(&Arc::new(server_conf(config)), proxy));
        let mut app = Self {
            listeners: Vec::new(),
            admin: None,
            hub,
            metrics,
            drain,
            proxy,
            tasks: JoinSet::new(),
        };
        for listener in &config.listeners {
            app.listen(listener, &downstream, &watch)?;
        }
        if let Some(admin) = &config.admin {
            app.serve_admin(admin.address, &watch)?;
        }
        Ok(app)
    }

    /// Ends every stream with a word to its client, and waits for the connections to close; not
    /// longer than `at_most`.
    pub async fn shut_down(mut self, at_most: Duration) {
        self.metrics.draining.set(1);
        self.drain.start();
        self.proxy.http_cleanup().await;
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(at_most, ended).await.is_err() {
            info!("Some connections did not close in time and are cut.");
        }
    }

    fn listen(
        &mut self,
        config: &config::Listener,
        downstream: &Arc<Downstream>,
        watch: &DrainWatch,
    ) -> Result<(), StartError> {
        let acceptor = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let kind = if acceptor.is_some() { "TLS" } else { "plaintext" };
        let (socket, address) = bind(config.address)?;
        info!("Listening on {address} ({kind}).");
        self.listeners.push(address);
        let gateway = Gateway {
            acceptor,
            max_streams: config.max_streams,
            downstream: downstream.clone(),
            proxy: self.proxy.clone(),
            site: Arc::new(SiteProxy { proxy: self.proxy.clone(), drain: watch.clone() }),
        };
        self.tasks.spawn(listener::run(socket, Arc::new(gateway), watch.clone()));
        Ok(())
    }

    fn serve_admin(&mut self, address: SocketAddr, watch: &DrainWatch) -> Result<(), StartError> {
        let (socket, address) = bind(address)?;
        info!("Metrics and probes on {address}.");
        self.admin = Some(address);
        let admin = Admin { metrics: self.metrics.clone(), drain: watch.clone() };
        self.tasks.spawn(listener::run(socket, Arc::new(admin), watch.clone()));
        Ok(())
    }
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = listener::bind(address).and_then(|socket| {
        let address = socket.local_addr()?;
        Ok((socket, address))
    });
    bound.map_err(|cause| StartError::Listen { address, cause })
}

fn upstreams(config: &Config) -> HashMap<String, Arc<Upstream>> {
    let connector = Arc::new(TransportConnector::new(None));
    let upstream = |(name, upstream): (&String, &Arc<config::Upstream>)| {
        (name.clone(), Upstream::new(upstream.clone(), connector.clone()))
    };
    config.upstreams.iter().map(upstream).collect()
}

fn routes(
    config: &Config,
    upstreams: &HashMap<String, Arc<Upstream>>,
    metrics: &Arc<Metrics>,
) -> RouteTable {
    let route = |route: &Arc<config::Route>| {
        let metrics = RouteMetrics::new(metrics, &route.name);
        let upstream = upstreams[&route.upstream.name].clone();
        let stream = route.sse.as_ref();
        Arc::new(Route {
            name: route.name.clone(),
            path: route.path.clone(),
            host: route.host.clone(),
            upstream: route.upstream.name.clone(),
            stream: stream.map(|sse| Arc::new(stream_route(sse, &route.name, upstream, &metrics))),
            metrics,
            hinted: AtomicBool::new(false),
        })
    };
    RouteTable::new(config.routes.iter().map(route).collect())
}

fn stream_route(
    sse: &config::Sse,
    name: &str,
    upstream: Arc<Upstream>,
    metrics: &Arc<RouteMetrics>,
) -> StreamRoute {
    let policy = Policy {
        ids: sse.ids,
        replay: sse.replay.clone(),
        late_join: sse.late_join,
        linger: sse.linger,
        dedupe: sse.dedupe,
        retry: sse.retry,
        metrics: metrics.clone(),
        feeds: Arc::new(HttpFeeds::new(upstream, name, sse, metrics.clone())),
    };
    StreamRoute {
        policy: Arc::new(policy),
        vary: sse.vary.clone(),
        heartbeat: sse.heartbeat,
        open_wait: sse.open_wait,
        cors: sse.cors.clone(),
    }
}

/// What Pingora's proxy wants to know; the process itself is not run by Pingora's server.
fn server_conf(config: &Config) -> ServerConf {
    ServerConf {
        threads: config.server.threads.unwrap_or(1),
        upstream_keepalive_pool_size: UPSTREAM_POOL,
        ..ServerConf::default()
    }
}
