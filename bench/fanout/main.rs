//! What a delivered event costs: CPU time of the gateway's process for each delivery, and memory
//! for each stream.
//!
//! The real binary runs as a process of its own; upstream and clients are in this one. Absolute
//! figures depend on the machine: compare those of one run, above all with the floor, a bare
//! `send(2)` for each subscriber of a plaintext socket.
//!
//! `cargo bench --bench fanout [-- NAME]` runs all cases, or those whose name contains NAME.

use std::time::Duration;

mod clients;
mod floor;
mod gateway;
mod upstream;

use gateway::Gateway;
use upstream::Upstream;

/// Runs of each case; the median counts.
const RUNS: usize = 5;
/// How long each run delivers.
const RUN: Duration = Duration::from_secs(3);

struct Case {
    name: &'static str,
    protocol: clients::Protocol,
    connections: usize,
    streams: usize,
    data_bytes: usize,
    events_per_second: u32,
}

const CASES: &[Case] = &[
    case("h2+TLS 50x100, 100 B", clients::Protocol::Http2Tls, 50, 100, 100, 40),
    case("h2+TLS 50x100, 400 B", clients::Protocol::Http2Tls, 50, 100, 400, 20),
    case("h2+TLS 50x100, 2000 B", clients::Protocol::Http2Tls, 50, 100, 2000, 10),
    case("h2+TLS 1000x1, 100 B", clients::Protocol::Http2Tls, 1000, 1, 100, 20),
    case("h1 1000x1, 100 B", clients::Protocol::Http1, 1000, 1, 100, 20),
];

const fn case(
    name: &'static str,
    protocol: clients::Protocol,
    connections: usize,
    streams: usize,
    data_bytes: usize,
    events_per_second: u32,
) -> Case {
    Case { name, protocol, connections, streams, data_bytes, events_per_second }
}

#[tokio::main]
async fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let chosen = |name: &str| wanted.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()));
    println!("| case | CPU for each delivery | memory for each stream |\n|---|---|---|");
    if chosen("floor") {
        let cpu = median((0..RUNS).map(|_| floor::send_to_each(1000, 128, 20)).collect());
        println!("| floor: send(2) to 1000 plaintext sockets, 128 B | {cpu:.2} us | |");
    }
    for case in CASES.iter().filter(|case| chosen(case.name)) {
        let mut cpu = Vec::new();
        let mut memory = Vec::new();
        for _ in 0..RUNS {
            let (each, stream) = run(case).await;
            cpu.push(each);
            memory.push(stream);
        }
        let (cpu, memory) = (median(cpu), median(memory));
        println!("| {} | {cpu:.2} us | {memory:.1} KB |", case.name);
    }
}

/// One run: microseconds of CPU for each delivery, kilobytes for each stream.
async fn run(case: &Case) -> (f64, f64) {
    let upstream = Upstream::start().await;
    let gateway = Gateway::start(upstream.address()).await;
    let empty = gateway.usage();
    let clients = clients::connect(&gateway, case.protocol, case.connections, case.streams).await;
    let streams = (case.connections * case.streams) as f64;
    let idle = gateway.usage();
    let before = clients.delivered();
    upstream.publish(case.data_bytes, case.events_per_second, RUN).await;
    let delivered = clients.wait_for(before, case.events_per_second, RUN, streams).await;
    let cpu = gateway.usage().since(&idle).cpu;
    let memory = idle.since(&empty).memory;
    (cpu.as_secs_f64() * 1e6 / delivered as f64, memory as f64 / 1024.0 / streams)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
