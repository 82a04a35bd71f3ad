//! What Prometheus is told: every metric's name, labels and help, registered in one place.
//!
//! Labels are resolved when a route table is built; hot loops hold plain handles and add once per
//! batch. A topic, a client or a URL is never a label.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};

mod route;

pub use route::{EndReason, FeedState, RouteMetrics, StartKind};

/// Every metric of the process, on a registry of its own.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    connections: IntGaugeVec,
    pub replay_buffer_bytes: IntGauge,
    pub draining: IntGauge,
    pub heartbeats: IntCounter,
    /// Upstream read to handed to the connection, in seconds.
    pub delivery_delay: Histogram,
    pub(crate) families: RouteFamilies,
}

/// The metrics with a route label, from which each route takes its handles once.
#[derive(Debug)]
pub(crate) struct RouteFamilies {
    pub subscribers: IntGaugeVec,
    pub topics: IntGaugeVec,
    pub feeds: IntGaugeVec,
    pub subscriptions: IntCounterVec,
    pub ends: IntCounterVec,
    pub published: IntCounterVec,
    pub delivered: IntCounterVec,
    pub delivered_bytes: IntCounterVec,
    pub connects: IntCounterVec,
    pub received_bytes: IntCounterVec,
    pub discarded_lines: IntCounterVec,
    pub oversized: IntCounterVec,
    pub buffering_suspected: IntCounterVec,
    pub sharing_contradicted: IntCounterVec,
    pub requests: IntCounterVec,
    pub subscription_duration: HistogramVec,
    pub connect_duration: HistogramVec,
}

/// From well under a scheduling quantum to what a person notices.
const DELAY_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// From a page left at once to a tab that stays open for a day.
const SUBSCRIPTION_BUCKETS: &[f64] =
    &[1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 43_200.0, 86_400.0];
/// From a local socket to a script that answers when it has something to say.
const CONNECT_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

impl Metrics {
    pub fn new() -> Self {
        let make = Maker { registry: Registry::new() };
        let metrics = Self {
            connections: make.gauges("connections", "Open client connections.", &["protocol"]),
            replay_buffer_bytes: make.gauge("replay_buffer_bytes", "Bytes of kept events."),
            draining: make.gauge("draining", "1 while streams are being ended for good."),
            heartbeats: make.counter("heartbeats_total", "Heartbeat comments written."),
            delivery_delay: make.histogram(
                "delivery_delay_seconds",
                "From an event's upstream read to its handing to a connection.",
                DELAY_BUCKETS,
            ),
            families: RouteFamilies::new(&make),
            registry: make.registry.clone(),
        };
        make.gauges("build_info", "Always 1; the version is the label.", &["version"])
            .with_label_values(&[env!("CARGO_PKG_VERSION")])
            .set(1);
        make.timestamp(
            "config_last_reload_success_timestamp_seconds",
            "When the running configuration was loaded.",
        );
        metrics
    }

    /// Open connections of `http1` or `http2`.
    pub fn connections(&self, protocol: &'static str) -> IntGauge {
        self.connections.with_label_values(&[protocol])
    }

    /// The Prometheus text format.
    pub fn encode(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            // Only a metric family without samples or with mixed types cannot be encoded, and
            // `gather` yields neither.
            .unwrap_or_default()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl RouteFamilies {
    fn new(make: &Maker) -> Self {
        let route = &["route"];
        Self {
            subscribers: make.gauges("subscribers", "Open event streams to clients.", route),
            topics: make.gauges("topics", "Topics with a feed.", route),
            feeds: make.gauges("feeds", "Upstream streams by state.", &["route", "state"]),
            subscriptions: make.counters(
                "subscriptions_total",
                "Event streams begun, by where they began.",
                &["route", "start"],
            ),
            ends: make.counters(
                "subscription_ends_total",
                "Event streams ended.",
                &["route", "reason"],
            ),
            published: make.counters("events_published_total", "Events read upstream.", route),
            delivered: make.counters("events_delivered_total", "Events written.", route),
            delivered_bytes: make.counters("delivered_bytes_total", "Bytes of them.", route),
            connects: make.counters(
                "upstream_connects_total",
                "Connects for event streams.",
                &["route", "outcome"],
            ),
            received_bytes: make.counters(
                "upstream_received_bytes_total",
                "Body bytes of upstream event streams.",
                route,
            ),
            discarded_lines: make.counters(
                "upstream_discarded_lines_total",
                "Upstream lines that are neither a field nor a comment.",
                route,
            ),
            oversized: make.counters(
                "upstream_oversized_events_total",
                "Upstream events dropped for their size.",
                route,
            ),
            buffering_suspected: make.counters(
                "upstream_buffering_suspected_total",
                "Late response heads and lumps of events, as from a buffer upstream.",
                route,
            ),
            sharing_contradicted: make.counters(
                "upstream_sharing_contradicted_total",
                "Heads of shared streams that say they are for one user.",
                route,
            ),
            requests: make.counters(
                "requests_total",
                "Requests answered, event streams among them.",
                &["route", "status"],
            ),
            subscription_duration: make.histograms(
                "subscription_duration_seconds",
                "How long an event stream to a client lasted.",
                SUBSCRIPTION_BUCKETS,
            ),
            connect_duration: make.histograms(
                "upstream_connect_duration_seconds",
                "From the connect to the upstream's response head.",
                CONNECT_BUCKETS,
            ),
        }
    }
}

/// Registers one metric after the other under the prefix `sluice_`.
struct Maker {
    registry: Registry,
}

impl Maker {
    fn register<C: Collector + Clone + 'static>(&self, made: prometheus::Result<C>) -> C {
        // Names, labels and buckets are constants of this file: a fault here is one of the
        // program, and every start of it shows it.
        let metric = made.expect("a metric's name, labels and buckets are valid");
        self.registry.register(Box::new(metric.clone())).expect("a metric's name is used once");
        metric
    }

    fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.register(IntGauge::with_opts(opts(name, help)))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.register(IntGaugeVec::new(opts(name, help), labels))
    }

    fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.register(IntCounter::with_opts(opts(name, help)))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.register(IntCounterVec::new(opts(name, help), labels))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let opts = HistogramOpts::from(opts(name, help)).buckets(buckets.to_vec());
        self.register(Histogram::with_opts(opts))
    }

    fn histograms(&self, name: &str, help: &str, buckets: &[f64]) -> HistogramVec {
        let opts = HistogramOpts::from(opts(name, help)).buckets(buckets.to_vec());
        self.register(HistogramVec::new(opts, &["route"]))
    }

    fn timestamp(&self, name: &str, help: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.register(Gauge::with_opts(opts(name, help))).set(now.as_secs_f64().floor());
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("sluice")
}
