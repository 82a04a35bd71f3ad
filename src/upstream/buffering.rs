//! Notices an upstream that holds events back, and tells the operator how to stop it.
//!
//! nginx, Apache's proxy_fcgi and PHP itself gather a script's output by default: nothing comes
//! for minutes, not even the response head, and then dozens of events at once (measured: with
//! nginx's 4096 bytes of FastCGI records a clock's first event takes 100 s).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use log::warn;
use tokio::time::Instant;

use crate::metrics::RouteMetrics;

/// A head this late is reported. A script that waits for its first row may be innocent, so the
/// report says "may".
pub(super) const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Silence before a lump: a script that is only busy has shorter ones.
const SILENCE: Duration = Duration::from_secs(5);
/// Events that come in one read. A 4096-byte buffer holds 64 to 102 small ones (measured).
const LUMP_EVENTS: usize = 8;
/// What the body of a lump has at least, in bytes: short events make 2.8 KB of a 4096-byte
/// buffer, the rest being FastCGI's record heads (measured).
const LUMP_BYTES: usize = 2 * 1024;
/// One lump may be a script's own; two in a row are a buffer.
const LUMPS: u32 = 2;

/// What a route has been told; shared by its feeds, so that it is told once.
#[derive(Clone)]
pub(super) struct Diagnosis {
    route: String,
    metrics: Arc<RouteMetrics>,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    head: AtomicBool,
    lumps: AtomicBool,
}

/// Watches one upstream stream.
pub(super) struct LumpWatch {
    last_read: Instant,
    lumps: u32,
}

impl Diagnosis {
    pub fn new(route: &str, metrics: Arc<RouteMetrics>) -> Self {
        Self { route: route.to_owned(), metrics, told: Arc::default() }
    }

    /// The upstream has accepted the connection and sends no head.
    pub fn head_is_late(&self) {
        self.metrics.buffering_suspected.inc();
        if !self.told.head.swap(true, Relaxed) {
            warn!(
                "Route {}: the upstream has accepted a connection and sent no response head for \
                 {} s. It may have nothing to say yet, or a buffer holds it back: {FIXES}",
                self.route,
                HEAD_PATIENCE.as_secs(),
            );
        }
    }

    /// Events come in lumps.
    pub fn events_come_in_lumps(&self) {
        self.metrics.buffering_suspected.inc();
        if !self.told.lumps.swap(true, Relaxed) {
            warn!(
                "Route {}: events come in lumps after long silence, so a buffer holds them back: \
                 {FIXES}",
                self.route,
            );
        }
    }
}

const FIXES: &str = "in nginx set 'fastcgi_buffering off' or 'proxy_buffering off', in Apache \
                     'flushpackets=on', in the script call ob_flush() and flush(), or send the \
                     header 'X-Accel-Buffering: no'.";

impl LumpWatch {
    pub fn new() -> Self {
        Self { last_read: Instant::now(), lumps: 0 }
    }

    /// Takes note of one read; true when it makes the lumps certain.
    pub fn read(&mut self, bytes: usize, events: usize, at: Instant) -> bool {
        let silence = at.duration_since(self.last_read);
        self.last_read = at;
        let is_lump = silence >= SILENCE && events >= LUMP_EVENTS && bytes >= LUMP_BYTES;
        self.lumps = if is_lump { self.lumps + 1 } else { 0 };
        self.lumps == LUMPS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether any of these reads, each after so many seconds, was found to be one too many.
    fn suspects(reads: &[(u64, usize, usize)]) -> bool {
        let mut watch = LumpWatch::new();
        let mut at = watch.last_read;
        reads.iter().any(|(seconds, bytes, events)| {
            at += Duration::from_secs(*seconds);
            watch.read(*bytes, *events, at)
        })
    }

    #[test]
    fn a_clock_behind_nginx_s_buffer_is_suspected() {
        assert!(suspects(&[(100, 2856, 102), (102, 2856, 102)]));
    }

    #[test]
    fn a_script_that_sends_one_by_one_is_not() {
        assert!(!suspects(&[(5, 60, 1), (5, 60, 1), (5, 3000, 1), (5, 60, 1)]));
    }

    #[test]
    fn a_script_that_is_merely_busy_or_sends_one_batch_is_not() {
        assert!(!suspects(&[(1, 4000, 60), (1, 4000, 60), (1, 4000, 60)]));
        assert!(!suspects(&[(60, 4000, 60), (1, 60, 1), (60, 4000, 60), (1, 60, 1)]));
    }
}
