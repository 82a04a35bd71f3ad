//! The account of one event stream to a client: begun once, ended once, for one reason (law 9).

use std::sync::Arc;

use tokio::time::Instant;

use crate::metrics::{EndReason, RouteMetrics, StartKind};

/// Held for as long as the stream lives. Dropped without a word, the client has left.
#[derive(Debug)]
pub struct Subscription {
    metrics: Arc<RouteMetrics>,
    since: Instant,
    end: EndReason,
}

impl Subscription {
    pub fn begin(metrics: Arc<RouteMetrics>, start: StartKind) -> Self {
        metrics.started(start).inc();
        metrics.subscribers.inc();
        Self { metrics, since: Instant::now(), end: EndReason::Client }
    }

    /// Ends the account for a reason of the gateway's.
    pub fn end(mut self, reason: EndReason) {
        self.end = reason;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.metrics.ended(self.end).inc();
        self.metrics.subscribers.dec();
        self.metrics.subscription_duration.observe(self.since.elapsed().as_secs_f64());
    }
}
