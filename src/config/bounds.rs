//! Every default and every bound of the configuration, each with its reason, in this one place.
//!
//! A bound is here to catch a slip (a zero, a wrong unit), not to ration: the reason says what
//! goes wrong beyond it.

use std::time::Duration;

/// What a value is when left out, and between which values it makes sense, both included.
pub(super) struct Bound<T> {
    pub(super) default: T,
    pub(super) least: T,
    pub(super) most: T,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
const fn millis(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
const HOUR: Duration = secs(3600);

// === the file and what is said of it ===

/// Room for every route there may be; a larger file is not a configuration that someone wrote.
pub(super) const FILE_BYTES: u64 = MIB as u64;
/// Each fault costs a walk through the file, and nobody mends more in one sitting.
pub(super) const FAULTS: usize = 100;
/// Enough to find a text in the file without filling the screen with it.
pub(super) const SHOWN_CHARS: usize = 60;

// === server and listeners ===

/// More threads than cores only switch; this is above any machine's cores. Auto when left out.
pub(super) const THREADS_MOST: usize = 1024;
/// Streams of one HTTP/2 connection. The default is what browsers expect to find (100 and more);
/// beyond the most, one connection alone could hold hundreds of megabytes of stream state.
pub(super) const LISTENER_STREAMS: Bound<u32> = Bound { default: 256, least: 1, most: 65_536 };
/// A label of at most 63 bytes, 253 in all: the limits of DNS.
pub(super) const HOST_BYTES: usize = 253;
pub(super) const LABEL_BYTES: usize = 63;
/// The size of `sun_path` on Linux, less its final NUL.
pub(super) const UNIX_PATH_BYTES: usize = 107;

// === upstreams ===

/// Event streams held open upstream. The default spares a PHP site, where each takes a worker;
/// the most is what one address pair has ports for.
pub(super) const UPSTREAM_STREAMS: Bound<usize> = Bound { default: 4, least: 1, most: 65_535 };
/// Zero: no stagger. Beyond the most, a restart would take hours to reconnect its feeds.
pub(super) const CONNECT_STAGGER: Bound<Duration> =
    Bound { default: millis(20), least: Duration::ZERO, most: secs(10) };
/// Below the least a healthy host across a continent seems dead; at the most the kernel has given
/// up by itself (127 s of SYN retries).
pub(super) const CONNECT_TIMEOUT: Bound<Duration> =
    Bound { default: secs(5), least: millis(100), most: secs(120) };
/// Off when left out. Below the least every pause of a script would end its stream; beyond a day
/// it guards nothing.
pub(super) const READ_TIMEOUT_LEAST: Duration = millis(100);
pub(super) const READ_TIMEOUT_MOST: Duration = secs(24 * 3600);

// === sharing ===

/// The default is below the idle timeouts of common proxies (30 s and more). Shorter than the
/// least is load without use; beyond the most no middle box waits.
pub(super) const HEARTBEAT: Bound<Duration> =
    Bound { default: secs(15), least: secs(1), most: HOUR };
/// The default is what browsers take by themselves. Shorter than the least, a site that is down is
/// hammered; longer than the most, a stream that broke is as good as gone.
pub(super) const RETRY: Bound<Duration> = Bound { default: secs(3), least: millis(10), most: HOUR };
/// Zero events would keep nothing to resume from or to deliver; a million small ones are already
/// the largest buffer's worth.
pub(super) const REPLAY_EVENTS: Bound<usize> = Bound { default: 1000, least: 1, most: 1_000_000 };
/// At least room for one small event; a buffer is kept per topic, so the most is a whole gateway's.
pub(super) const REPLAY_BYTES: Bound<usize> = Bound { default: MIB, least: 512, most: 1024 * MIB };
/// Clients resume within seconds to minutes; what is older than a week is no resume.
pub(super) const REPLAY_AGE: Bound<Duration> =
    Bound { default: secs(600), least: secs(1), most: secs(7 * 24 * 3600) };
/// Zero: a feed ends with its last subscriber. Beyond the most it holds a worker for nobody.
pub(super) const LINGER: Bound<Duration> =
    Bound { default: secs(10), least: Duration::ZERO, most: HOUR };
/// Zero: answer at once. Beyond the most, clients and proxies before us have given up.
pub(super) const OPEN_WAIT: Bound<Duration> =
    Bound { default: secs(1), least: Duration::ZERO, most: secs(30) };

// === lists and texts ===

/// Every request walks the routes in order.
pub(super) const ROUTES: usize = 1000;
/// Names of one `vary` list: all of them are looked for in every request.
pub(super) const VARY_NAMES: usize = 64;
/// Origins of one route: compared one by one.
pub(super) const ORIGINS: usize = 256;
/// Addresses of one upstream, certificates or names of one listener: more is a generated file
/// gone wrong.
pub(super) const LIST_ITEMS: usize = 256;
/// Names of routes and upstreams become labels in every metric's line.
pub(super) const NAME_BYTES: usize = 64;
/// A request line longer than this is refused long before it is routed.
pub(super) const PATH_BYTES: usize = 1024;
