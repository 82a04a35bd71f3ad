//! What a delivered event costs: CPU time of the gateway's process for each delivery, and memory
//! for each stream.

use std::time::Duration;

use super::{
    RUNS,
    clients::{Clients, Protocol},
    floor,
    gateway::Gateway,
    median,
    upstream::Upstream,
};

/// How long each run delivers.
const RUN: Duration = Duration::from_secs(3);
const FLOOR: &str = "floor: send(2) to 1000 plaintext sockets, 128 B";

struct Case {
    name: &'static str,
    protocol: Protocol,
    connections: usize,
    streams: usize,
    data_bytes: usize,
    events_per_second: u32,
}

const CASES: &[Case] = &[
    case("h2+TLS 50x100, 100 B", Protocol::Http2Tls, (50, 100), 100, 40),
    case("h2+TLS 50x100, 400 B", Protocol::Http2Tls, (50, 100), 400, 20),
    case("h2+TLS 50x100, 2000 B", Protocol::Http2Tls, (50, 100), 2000, 10),
    case("h2+TLS 1000x1, 100 B", Protocol::Http2Tls, (1000, 1), 100, 20),
    case("h1 1000x1, 100 B", Protocol::Http1, (1000, 1), 100, 20),
];

const fn case(
    name: &'static str,
    protocol: Protocol,
    (connections, streams): (usize, usize),
    data_bytes: usize,
    events_per_second: u32,
) -> Case {
    Case { name, protocol, connections, streams, data_bytes, events_per_second }
}

pub async fn run(wanted: &str) {
    println!("\n| case | CPU for each delivery | memory for each stream |\n|---|---|---|");
    if FLOOR.contains(wanted) {
        let cpu = median((0..RUNS).map(|_| floor::send_to_each(1000, 128, 20)).collect());
        println!("| {FLOOR} | {cpu:.2} us | |");
    }
    for case in CASES.iter().filter(|case| case.name.contains(wanted)) {
        let (mut cpu, mut memory) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let (each, stream) = once(case).await;
            cpu.push(each);
            memory.push(stream);
        }
        println!("| {} | {:.2} us | {:.1} KB |", case.name, median(cpu), median(memory));
    }
}

/// One run: microseconds of CPU for each delivery, kilobytes for each stream.
async fn once(case: &Case) -> (f64, f64) {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(upstream.address()).await;
    let empty = gateway.usage();
    let clients = Clients::open(&gateway, case.protocol, case.connections, case.streams).await;
    let streams = case.connections * case.streams;
    let idle = gateway.usage();
    let events = upstream.publish(case.data_bytes, case.events_per_second, RUN).await;
    clients.wait_for(events * streams as u64).await;
    let cpu = gateway.usage().since(&idle).cpu;
    let memory = idle.since(&empty).memory;
    let each = cpu.as_secs_f64() * 1e6 / clients.delivered() as f64;
    (each, memory as f64 / 1024.0 / streams as f64)
}
