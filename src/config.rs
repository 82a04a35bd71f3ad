//! What the operator meant: the checked configuration, with every default filled in.
//!
//! Everything above this floor reads these types and never sees YAML. How a file becomes a
//! [`Config`], and what is said of a bad one, lives in the rooms below.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

mod address;
mod bounds;
mod check;
mod faults;
mod file;
mod findings;
mod key_path;
mod load;
mod locate;
mod nearest;
mod read;
mod syntax;
mod tree;
mod units;

pub use faults::{ConfigError, Fault, Faults};

/// A whole configuration file, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub server: Server,
    /// At least one.
    pub listeners: Vec<Listener>,
    pub admin: Option<Admin>,
    pub upstreams: BTreeMap<String, Arc<Upstream>>,
    /// In the file's order: the first match wins.
    pub routes: Vec<Arc<Route>>,
    pub log: Log,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Worker threads; `None` is one per core.
    pub threads: Option<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub address: SocketAddr,
    /// Without it the listener speaks HTTP/1.1, and HTTP/2 by prior knowledge.
    pub tls: Option<Tls>,
    /// HTTP/2 streams that one connection may hold open.
    pub max_streams: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Tls {
    /// PEM files, chosen by SNI; the first is the default. Never empty.
    Files(Vec<CertificateFiles>),
    /// A certificate made at start for these names, to try Sluice out. Never empty.
    SelfSigned(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct CertificateFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    pub address: SocketAddr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    pub name: String,
    /// Never empty.
    pub addresses: Vec<Address>,
    pub tls: Option<UpstreamTls>,
    /// Event streams that this gateway may hold open there at once.
    pub max_streams: usize,
    /// The least time between two connects for event streams.
    pub connect_stagger: Duration,
    pub connect_timeout: Duration,
    /// `None`: silence is normal for an event stream.
    pub read_timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A host name or an address literal (IPv6 without brackets), and a port.
    Tcp {
        host: String,
        port: u16,
    },
    Unix(PathBuf),
}

#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamTls {
    pub sni: String,
    pub verify: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The host, if it has one, and the path as it was written; names the route in metrics and
    /// logs, and no two routes have the same.
    pub name: String,
    pub path: PathPattern,
    /// In lower case, without a port.
    pub host: Option<String>,
    pub upstream: Arc<Upstream>,
    /// `None`: an ordinary reverse-proxy route.
    pub sse: Option<Sse>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PathPattern {
    Exact(String),
    /// `/events/*` is the prefix `/events/`.
    Prefix(String),
}

/// How a route's streams are shared, kept and resumed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sse {
    pub vary: Vary,
    pub ids: Ids,
    pub heartbeat: Duration,
    /// Told to clients, and the feed's first reconnect delay.
    pub retry: Duration,
    pub replay: Replay,
    pub late_join: LateJoin,
    /// How long a feed outlives its last subscriber.
    pub linger: Duration,
    /// How long the first subscriber waits for the upstream's head.
    pub open_wait: Duration,
    /// Any 200 is an event stream, whatever its type.
    pub force: bool,
    /// Drop an event that equals the one before it.
    pub dedupe: bool,
    pub cors: Option<Cors>,
}

/// What goes into the topic key, and with it upstream, besides host and path.
#[derive(Clone, Debug, PartialEq)]
pub struct Vary {
    pub query: Names,
    pub cookies: Names,
    /// In lower case.
    pub headers: Names,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Names {
    All,
    /// In the listed order, without repeats. May be empty: none.
    Listed(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// The script's own.
    Upstream,
    /// Every event gets one of the gateway's.
    Assign,
}

/// The bounds of a replay buffer; whichever is reached first.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    pub events: usize,
    pub bytes: usize,
    pub age: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LateJoin {
    Live,
    Last,
    All,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cors {
    /// Compared whole, never by prefix; never `*` with credentials.
    pub origins: Vec<String>,
    pub credentials: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    pub level: log::LevelFilter,
}
