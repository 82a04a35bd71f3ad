//! Clients that never read, beside clients that do, on a busy topic.

use std::time::Duration;

use super::{
    clients::{Clients, Protocol},
    gateway::Gateway,
    upstream::Upstream,
};

const NAME: &str = "stalled";
const RUN: Duration = Duration::from_secs(30);
const EVENTS_PER_SECOND: u32 = 1000;
/// Connections and streams on each: 200 readers.
const READERS: (usize, usize) = (10, 20);
const STALLED: usize = 200;

pub async fn run(wanted: &str) {
    if !NAME.contains(wanted) {
        return;
    }
    println!(
        "\n| 200 readers, 1,000 events/s for 30 s | p99 | memory grew by | ended as lagging |"
    );
    println!("|---|---|---|---|");
    for (name, stalled) in [("alone", 0), ("beside 200 that never read", STALLED)] {
        let upstream = Upstream::start().await;
        let gateway = Gateway::start(upstream.address()).await;
        let _stalled = Clients::open_stalled(&gateway, stalled).await;
        let (connections, streams) = READERS;
        let readers = Clients::open(&gateway, Protocol::Http2Tls, connections, streams).await;
        let idle = gateway.usage();
        let events = upstream.publish(100, EVENTS_PER_SECOND, RUN).await;
        readers.wait_for(events * (connections * streams) as u64).await;
        let memory = gateway.usage().since(&idle).memory as f64 / (1024.0 * 1024.0);
        let p99 = readers.delay_ms(0.99);
        let lagging = gateway.lagging().await;
        println!("| {name} | {p99:.1} ms | {memory:.1} MB | {lagging} |");
    }
}
