//! How long an event takes from the upstream's write to the client's read, and from the
//! gateway's read to its handing to the last connection.

use std::time::Duration;

use super::{
    RUNS,
    clients::{Clients, Protocol},
    gateway::Gateway,
    median,
    upstream::Upstream,
};

const NAME: &str = "delay";
const RUN: Duration = Duration::from_secs(10);
const EVENTS_PER_SECOND: u32 = 10;

pub async fn run(wanted: &str) {
    if !NAME.contains(wanted) {
        return;
    }
    println!("\n| 1,000 subscribers, 10 events/s | p50 | p99 | p99 inside the gateway |");
    println!("|---|---|---|---|");
    for (name, protocol, connections, streams) in [
        ("h2+TLS 10x100", Protocol::Http2Tls, 10, 100),
        ("h2+TLS 1000x1", Protocol::Http2Tls, 1000, 1),
        ("h1 1000x1", Protocol::Http1, 1000, 1),
    ] {
        let (mut p50, mut p99, mut inside) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let upstream = Upstream::start().await;
            let gateway = Gateway::start(upstream.address()).await;
            let clients = Clients::open(&gateway, protocol, connections, streams).await;
            let events = upstream.publish(100, EVENTS_PER_SECOND, RUN).await;
            clients.wait_for(events * (connections * streams) as u64).await;
            p50.push(clients.delay_ms(0.50));
            p99.push(clients.delay_ms(0.99));
            inside.push(gateway.delivery_delay_ms(0.99).await);
        }
        let [p50, p99, inside] = [p50, p99, inside].map(median);
        println!("| {name} | {p50:.1} ms | {p99:.1} ms | {inside:.1} ms |");
    }
}
