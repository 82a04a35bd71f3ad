//! Sluice's figures: what a delivery costs, how long it takes, and what clients that do not read
//! do to those that do.
//!
//! The real binary runs as a process of its own; upstream and clients are in this one. Absolute
//! figures depend on the machine: compare those of one run, above all with the floor, a bare
//! `send(2)` for each subscriber of a plaintext socket.
//!
//! `cargo bench --bench figures [-- NAME]` runs all of them, or those whose name contains NAME.

mod clients;
mod delay;
mod fanout;
mod floor;
mod gateway;
mod stalled;
mod upstream;

/// Runs of each case; the median counts.
const RUNS: usize = 5;

#[tokio::main]
async fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let wanted = wanted.unwrap_or_default();
    fanout::run(&wanted).await;
    delay::run(&wanted).await;
    stalled::run(&wanted).await;
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
