//! Clients that do not read, beside clients that do: law 5 against the real binary.
//!
//! The origin publishes in bursts, and the next one only when the readers have the last, so that
//! a slow machine does not make a reader lag too.

mod stuck;

use std::{fs, time::Duration};

use tokio::time::sleep;

use crate::{
    client::{End, Http1, Http2Connection, Http2Options, SseStream, eventually},
    origin::{Gate, RawOrigin, Step},
    sluice::Sluice,
};
use stuck::{StuckHttp1, StuckHttp2};

const SOON: Duration = Duration::from_secs(60);
const LAGGING: &[&str] = &[r#"route="/events""#, r#"reason="lagging""#];
const ENDS: &str = "sluice_subscription_ends_total";
const SUBSCRIBERS: &str = "sluice_subscribers";

/// Events in one burst, and the bytes of each: together more than a kernel keeps for a socket
/// after a few bursts, and less than the replay buffer.
const BURST: usize = 40;
const SIZE: usize = 16 * 1024;
/// 16 MB in all.
const BURSTS: usize = 25;
const REPLAY: &str = "replay: { events: 100, bytes: 4MiB }, heartbeat: 1s";

/// How long events that are over the bounds stay readable, and a little more.
const BURST_AGE: Duration = Duration::from_millis(1100);

/// An origin that publishes numbered events, burst by burst, and the gateway before it.
struct Site {
    sluice: Sluice,
    #[expect(dead_code, reason = "held to be stopped with the test")]
    origin: RawOrigin,
    gate: Gate,
    published: usize,
}

impl Site {
    async fn start(bursts: usize, burst: usize, size: usize, sse: &str) -> Self {
        let gate = Gate::new();
        let mut steps =
            vec![Step::head("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked")];
        for at in 0..bursts {
            let events = (at * burst..(at + 1) * burst).map(|n| block(n, size));
            steps.extend([Step::Pause(gate.clone()), Step::chunk(events.collect::<String>())]);
        }
        let origin = RawOrigin::start(steps).await;
        let sluice = Sluice::before(origin.address(), "/events", sse).await;
        Self { sluice, origin, gate, published: 0 }
    }

    /// Lets one burst out, and waits until all these clients have it, in order.
    async fn burst(&mut self, burst: usize, size: usize, readers: &mut [SseStream]) {
        self.gate.open();
        for reader in readers {
            for n in self.published..self.published + burst {
                assert_eq!(reader.next_event(SOON).await.data, data(n, size));
            }
        }
        self.published += burst;
    }

    async fn wait_for_published(&self, events: usize) {
        let route = &[r#"route="/events""#];
        self.sluice.wait_for_metric("sluice_events_published_total", route, events as f64).await;
    }
}

fn block(n: usize, size: usize) -> String {
    format!("data: {}\n\n", data(n, size))
}

fn data(n: usize, size: usize) -> String {
    let number = n.to_string();
    "_".repeat(size - number.len()) + &number
}

/// Several streams on one connection with windows of this size.
async fn http2(
    sluice: &Sluice,
    stream_window: u32,
    streams: usize,
) -> (Http2Connection, Vec<SseStream>) {
    let options = Http2Options { stream_window, ..Http2Options::default() };
    let connection = Http2Connection::open_with(sluice.plain, None, options).await;
    let mut listening = Vec::new();
    for _ in 0..streams {
        listening.push(connection.get("/events", &[]).await);
    }
    (connection, listening)
}

#[tokio::test]
async fn a_client_that_never_opens_its_window_lags_and_its_neighbours_do_not() {
    let mut site = Site::start(10, 50, 100, "replay: { events: 100 }").await;
    let (_closed, shut) = http2(&site.sluice, 0, 3).await;
    let (_open, mut readers) = http2(&site.sluice, 1 << 20, 2).await;
    readers.push(Http1::get(site.sluice.plain, "/events", &[]).await);
    for _ in 0..2 {
        site.burst(50, 100, &mut readers).await;
    }
    assert_eq!(site.sluice.metric(ENDS, LAGGING).await, 0.0, "all they need is still kept");
    site.burst(50, 100, &mut readers).await;
    sleep(BURST_AGE).await;
    site.burst(50, 100, &mut readers).await;
    site.sluice.wait_for_metric(ENDS, LAGGING, 3.0).await;
    for _ in 4..10 {
        site.burst(50, 100, &mut readers).await;
    }
    site.sluice.wait_for_metric(SUBSCRIBERS, &[], 3.0).await;
    assert_eq!(site.sluice.metric(ENDS, &[]).await, 3.0);
    drop(shut);
}

#[tokio::test]
async fn a_stream_that_is_not_read_lags_beside_one_of_its_own_connection_that_is() {
    let mut site = Site::start(BURSTS, BURST, SIZE, REPLAY).await;
    let (_connection, mut streams) = http2(&site.sluice, 256 * 1024, 2).await;
    let mut unread = streams.pop().expect("two streams");
    for _ in 0..BURSTS {
        site.burst(BURST, SIZE, &mut streams).await;
    }
    site.sluice.wait_for_metric(ENDS, LAGGING, 1.0).await;
    // What it had room for is a run from the start, then the end; nothing cut is dispatched.
    let mut next = 0;
    loop {
        match unread.event_or_end(SOON).await.expect("an end") {
            Ok(event) => assert_eq!(event.data, data(next, SIZE)),
            Err(end) => break assert_eq!(end, End::Clean),
        }
        next += 1;
    }
    assert!(next > 5 && next < 100, "{next} events fit into its windows");
}

#[tokio::test]
async fn a_stream_that_lagged_resumes_as_far_as_the_replay_buffer_reaches() {
    let mut site = Site::start(4, 50, 100, "replay: { events: 100 }, late_join: all").await;
    let (_shut, mut unread) = http2(&site.sluice, 300, 1).await;
    let (_open, mut readers) = http2(&site.sluice, 1 << 20, 1).await;
    for _ in 0..3 {
        site.burst(50, 100, &mut readers).await;
    }
    sleep(BURST_AGE).await;
    site.burst(50, 100, &mut readers).await;
    site.sluice.wait_for_metric(ENDS, LAGGING, 1.0).await;
    assert_eq!(unread[0].ended(SOON).await, End::Clean);
    assert_eq!(unread[0].retry(), Some(3000));
    let last_id = unread[0].last_event_id().to_owned();
    let again = Http2Connection::open(site.sluice.plain, false).await;
    let mut resumed = again.get("/events", &[("Last-Event-ID", &last_id)]).await;
    assert_eq!(resumed.next_event(SOON).await.data, data(100, 100), "the oldest that is kept");
    assert_eq!(resumed.next_events(99, SOON).await[98].data, data(199, 100));
}

#[tokio::test]
async fn clients_that_never_read_their_sockets_are_ended_over_both_versions() {
    let mut site = Site::start(BURSTS, BURST, SIZE, REPLAY).await;
    let (_open, mut readers) = http2(&site.sluice, 1 << 20, 1).await;
    readers.push(Http1::get(site.sluice.plain, "/events", &[]).await);
    let plain = StuckHttp1::listen(&site.sluice, false).await;
    let tls = StuckHttp1::listen(&site.sluice, true).await;
    let http2 = StuckHttp2::listen(site.sluice.plain, 2).await;
    site.sluice.wait_for_metric(SUBSCRIBERS, &[], 6.0).await;
    for _ in 0..BURSTS {
        site.burst(BURST, SIZE, &mut readers).await;
    }
    site.sluice.wait_for_metric(ENDS, LAGGING, 4.0).await;
    assert_eq!(site.sluice.metric(ENDS, &[]).await, 4.0, "and nobody else");
    // The two HTTP/1.1 connections are closed with their streams, and only the reader's stays.
    let http1 = [r#"protocol="http1""#];
    site.sluice.wait_for_metric("sluice_connections", &http1, 1.0).await;
    for unread in [plain, tls] {
        assert!(!unread.rest(SOON).await.ends_with(b"0\r\n\r\n"), "it was cut off");
    }
    drop(http2);
}

#[tokio::test]
async fn a_client_that_reads_again_in_time_catches_up_without_gap_or_double() {
    const LARGE: usize = 20_000;
    let mut site =
        Site::start(3, 20, LARGE, "replay: { events: 100, bytes: 4MiB }, heartbeat: 1s").await;
    // An event needs some twenty windows.
    let (_small, mut late) = http2(&site.sluice, 1000, 2).await;
    let (_open, mut readers) = http2(&site.sluice, 1 << 20, 1).await;
    site.burst(20, LARGE, &mut readers).await;
    site.burst(20, LARGE, &mut readers).await;
    // Heartbeats are due in the midst of an event, where they must not be written.
    sleep(Duration::from_millis(2500)).await;
    for stream in &mut late {
        for n in 0..30 {
            assert_eq!(stream.next_event(SOON).await.data, data(n, LARGE));
        }
    }
    site.burst(20, LARGE, &mut readers).await;
    for stream in &mut late {
        for n in 30..60 {
            assert_eq!(stream.next_event(SOON).await.data, data(n, LARGE));
        }
        let dispatched = stream.text().matches("data: ").count();
        assert_eq!(dispatched, 60, "none came twice");
    }
    assert_eq!(site.sluice.metric(ENDS, &[]).await, 0.0);
    // All caught up: the streams are live, and heartbeats are written again.
    let before = late[0].comments().len();
    eventually("a heartbeat", SOON, async || {
        let _ = late[0].event_or_end(Duration::from_millis(100)).await;
        late[0].comments().len() > before
    })
    .await;
}

#[tokio::test]
async fn an_event_larger_than_a_streams_buffer_arrives_whole_through_a_small_window() {
    const HUGE: usize = 700_000;
    let mut site = Site::start(2, 1, HUGE, "replay: { events: 10, bytes: 4MiB }").await;
    let (_small, mut readers) = http2(&site.sluice, 16_384, 2).await;
    readers.push(Http1::get(site.sluice.plain, "/events", &[]).await);
    site.burst(1, HUGE, &mut readers).await;
    site.burst(1, HUGE, &mut readers).await;
}

#[tokio::test]
async fn clients_that_never_read_cost_a_bounded_amount_of_memory() {
    /// The streams that do not read, by connections and streams of each.
    const STUCK: [usize; 2] = [10, 20];
    /// What one stream may hold, all told; it is 64 KiB in h2, and the kernel's buffers are not
    /// the gateway's. Kept without a bound, 16 MB a stream would make 3 GB.
    const PER_STREAM: usize = 128 * 1024;
    let mut site = Site::start(BURSTS, BURST, SIZE, REPLAY).await;
    let (_open, mut readers) = http2(&site.sluice, 1 << 20, 1).await;
    let mut stuck = Vec::new();
    for _ in 0..STUCK[0] {
        stuck.push(StuckHttp2::listen(site.sluice.plain, STUCK[1]).await);
    }
    let streams = STUCK[0] * STUCK[1];
    site.sluice.wait_for_metric(SUBSCRIBERS, &[], (streams + 1) as f64).await;
    let before = resident(site.sluice.id());
    for _ in 0..BURSTS {
        site.burst(BURST, SIZE, &mut readers).await;
    }
    site.wait_for_published(BURSTS * BURST).await;
    site.sluice.wait_for_metric(ENDS, LAGGING, streams as f64).await;
    let grown = resident(site.sluice.id()).saturating_sub(before);
    let allowed = streams * PER_STREAM + (32 << 20);
    assert!(grown < allowed, "grown by {grown} bytes, more than {allowed}");
}

/// The process's resident memory, in bytes.
pub fn resident(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    let kib: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}

#[tokio::test]
async fn a_burst_larger_than_the_whole_replay_buffer_outruns_nobody() {
    let mut site = Site::start(3, 1500, 20, "replay: { events: 10, bytes: 1KiB }").await;
    let (_open, mut readers) = http2(&site.sluice, 1 << 20, 20).await;
    readers.push(Http1::get(site.sluice.plain, "/events", &[]).await);
    for _ in 0..3 {
        site.burst(1500, 20, &mut readers).await;
    }
    assert_eq!(site.sluice.metric(ENDS, &[]).await, 0.0);
}
