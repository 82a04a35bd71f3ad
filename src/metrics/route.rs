//! One route's handles: labels resolved once, when the route table is built.

use std::sync::Arc;

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge};

use super::Metrics;

/// Handles of everything that is counted by route.
#[derive(Debug)]
pub struct RouteMetrics {
    pub subscribers: IntGauge,
    pub topics: IntGauge,
    feeds: [IntGauge; 4],
    started: [IntCounter; 3],
    ended: [IntCounter; 6],
    pub published: IntCounter,
    pub delivered: IntCounter,
    pub delivered_bytes: IntCounter,
    pub received_bytes: IntCounter,
    pub discarded_lines: IntCounter,
    pub oversized_events: IntCounter,
    pub buffering_suspected: IntCounter,
    pub sharing_contradicted: IntCounter,
    pub subscription_duration: Histogram,
    pub connect_duration: Histogram,
    connects: IntCounterVec,
    requests: IntCounterVec,
    route: String,
    /// Those that are not by route, for the loops that hold only this.
    pub process: Arc<Metrics>,
}

/// Where an event stream to a client began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartKind {
    Live,
    /// A resume that was found in the replay buffer.
    Replayed,
    /// A resume that was too old, or of another epoch.
    Missed,
}

/// Why an event stream to a client ended. Every one ends for exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    Client,
    Lagging,
    Upstream,
    Drain,
    Unauthorized,
    Shutdown,
}

/// What a feed is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedState {
    /// The upstream has as many event streams open as it may have.
    Waiting,
    /// Connecting, or waiting for the response head.
    Connecting,
    Open,
    /// Waiting before it connects again.
    Backoff,
}

impl RouteMetrics {
    pub fn new(process: &Arc<Metrics>, route: &str) -> Arc<Self> {
        let all = &process.families;
        let ended = |reason| all.ends.with_label_values(&[route, reason]);
        let started = |start| all.subscriptions.with_label_values(&[route, start]);
        let feeds = |state| all.feeds.with_label_values(&[route, state]);
        Arc::new(Self {
            subscribers: all.subscribers.with_label_values(&[route]),
            topics: all.topics.with_label_values(&[route]),
            feeds: ["waiting", "connecting", "open", "backoff"].map(feeds),
            started: ["live", "replayed", "missed"].map(started),
            ended: ["client", "lagging", "upstream", "drain", "unauthorized", "shutdown"]
                .map(ended),
            published: all.published.with_label_values(&[route]),
            delivered: all.delivered.with_label_values(&[route]),
            delivered_bytes: all.delivered_bytes.with_label_values(&[route]),
            received_bytes: all.received_bytes.with_label_values(&[route]),
            discarded_lines: all.discarded_lines.with_label_values(&[route]),
            oversized_events: all.oversized.with_label_values(&[route]),
            sharing_contradicted: all.sharing_contradicted.with_label_values(&[route]),
            buffering_suspected: all.buffering_suspected.with_label_values(&[route]),
            subscription_duration: all.subscription_duration.with_label_values(&[route]),
            connect_duration: all.connect_duration.with_label_values(&[route]),
            connects: all.connects.clone(),
            requests: all.requests.clone(),
            route: route.to_owned(),
            process: process.clone(),
        })
    }

    pub fn feeds(&self, state: FeedState) -> &IntGauge {
        &self.feeds[state as usize]
    }

    pub fn started(&self, start: StartKind) -> &IntCounter {
        &self.started[start as usize]
    }

    pub fn ended(&self, reason: EndReason) -> &IntCounter {
        &self.ended[reason as usize]
    }

    /// Counts a connect for an event stream. Rare, so the label is looked up each time.
    pub fn connected(&self, outcome: &'static str) {
        self.connects.with_label_values(&[self.route.as_str(), outcome]).inc();
    }

    /// Counts an answered request.
    pub fn answered(&self, status: u16) {
        self.requests.with_label_values(&[self.route.as_str(), &status.to_string()]).inc();
    }
}
