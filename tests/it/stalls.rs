//! Clients that stop at some point of the way, and events that come at once: nobody is held for
//! ever, and nobody who reads is left behind.

use std::time::Duration;

use bytes::Bytes;
use h2::client::Connection;
use http::Request;
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::{
    client::{Http2Connection, Tls, connect_tls, eventually, within},
    lagging::resident,
    origin::{Gate, RawOrigin, Step},
    sluice::Sluice,
    streams::{SOON, subscriber::Subscriber},
};

const REQUEST: &[u8] = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// More than all socket buffers on the way hold, in events of one kilobyte, as fast as `gate` lets.
fn flood(gate: &Gate) -> Vec<Step> {
    let event = format!("data: {}\n\n", "x".repeat(1016));
    let burst = Step::Send(Bytes::from(event.repeat(16)));
    let head = Step::head("Content-Type: text/event-stream");
    let bursts = std::iter::repeat_n([Step::Pause(gate.clone()), burst], 2000).flatten();
    [head].into_iter().chain(bursts).collect()
}

/// A client that asks and never reads costs nothing once its place has left the replay buffer.
async fn is_let_go(tls: bool) {
    let gate = Gate::new();
    let origin = RawOrigin::start(flood(&gate)).await;
    let sluice = Sluice::before(origin.address(), "/events", "linger: 0s").await;
    let mut client: Box<dyn AsyncWrite + Unpin> = match tls {
        true => Box::new(connect_tls(sluice.tls, &Tls::offering(&["http/1.1"])).await.unwrap()),
        false => Box::new(TcpStream::connect(sluice.plain).await.unwrap()),
    };
    client.write_all(REQUEST).await.expect("a request");
    client.flush().await.expect("a request");
    let pace = async {
        loop {
            gate.open();
            sleep(Duration::from_millis(1)).await;
        }
    };
    let let_go = async {
        let ends = "sluice_subscription_ends_total";
        sluice.wait_for_metric(ends, &["reason=\"lagging\""], 1.0).await;
        sluice.wait_for_metric("sluice_connections", &["http1"], 0.0).await;
    };
    tokio::select! {
        () = let_go => {}
        () = pace => {}
    }
}

#[tokio::test]
async fn a_plain_http1_client_that_stops_reading_is_let_go() {
    is_let_go(false).await;
}

#[tokio::test]
async fn a_tls_http1_client_that_stops_reading_is_let_go() {
    is_let_go(true).await;
}

#[tokio::test]
async fn a_tls_client_that_never_speaks_http2_is_let_go() {
    let origin = RawOrigin::start(vec![]).await;
    let sluice = Sluice::before(origin.address(), "/events", "linger: 0s").await;
    let mut client = connect_tls(sluice.tls, &Tls::offering(&["h2"])).await.expect("a connection");
    let closed = async { while client.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {} };
    within("the end of the connection", Duration::from_secs(20), closed).await;
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_is_forgotten_at_once() {
    let origin = RawOrigin::start(vec![]).await;
    let settings = "linger: 0s, open_wait: 30s";
    let sluice = Sluice::before(origin.address(), "/events", settings).await;
    let connection = Http2Connection::open(sluice.plain, false).await;
    let (response, body) = connection.send(Request::get("/events").body(()).unwrap(), true).await;
    let open = async || origin.open_connections() == 1;
    eventually("the feed asks", SOON, open).await;
    drop((response, body));
    let left = async || origin.open_connections() == 0;
    eventually("the feed has ended", Duration::from_secs(10), left).await;
}

/// Every subscriber gets all the events of `body`, sent at once.
async fn all_get(events: usize, body: String, settings: &str) {
    let gate = Gate::new();
    let origin = RawOrigin::start(vec![
        Step::head("Content-Type: text/event-stream"),
        Step::Pause(gate.clone()),
        Step::send(body),
    ])
    .await;
    let sluice = Sluice::before(origin.address(), "/events", settings).await;
    let mut subscribers = Subscriber::of_every_way(&sluice, "/events").await;
    gate.open();
    for subscriber in &mut subscribers {
        let mut got = 0;
        while got < events {
            match subscriber.event_or_end(SOON).await {
                Some(Ok(_)) => got += 1,
                other => panic!("{other:?} after {got} of {events}"),
            }
        }
    }
}

#[tokio::test]
async fn a_burst_of_more_events_than_the_replay_buffer_keeps_reaches_those_who_read() {
    // Seven times its thousand events, and within its megabyte.
    all_get(7000, format!("data: {}\n\n", "x".repeat(92)).repeat(7000), "").await;
}

#[tokio::test]
async fn a_large_event_is_not_pushed_out_by_a_small_one_behind_it() {
    let body = format!("data: {}\n\ndata: small\n\n", "x".repeat((1 << 20) - 16));
    all_get(2, body, "").await;
}

#[tokio::test]
async fn an_event_larger_than_a_small_replay_buffer_is_not_pushed_out_either() {
    let body = format!("data: {}\n\ndata: small\n\n", "x".repeat(500_000));
    all_get(2, body, "replay: { bytes: 64KiB }").await;
}

/// 256 streams whose windows are open and whose socket nobody reads, beside one that is read, so
/// that the test knows when every event was offered to all.
#[tokio::test]
async fn tiny_events_for_a_socket_that_nobody_reads_cost_a_bounded_amount_of_memory() {
    /// One by one, so that each is a frame of its own: as many as h2's 64 KiB a stream hold.
    const EVENTS: usize = 1800;
    /// Without a bound on frames it is over 100 MB; with it a stream holds at most 64 frames.
    const ALLOWED: usize = 48 << 20;
    let gate = Gate::new();
    let event = Step::send("data: x\n\n");
    let events = std::iter::repeat_n([Step::Pause(gate.clone()), event], EVENTS).flatten();
    let head = Step::head("Content-Type: text/event-stream");
    let origin = RawOrigin::start([head].into_iter().chain(events).collect()).await;
    let settings = "replay: { events: 100000 }, heartbeat: 60s";
    let sluice = Sluice::before(origin.address(), "/events", settings).await;
    let reader = Http2Connection::open(sluice.plain, false).await;
    let mut reader = reader.get("/events", &[]).await;
    let (_connection, _unread) = unread_streams(&sluice, 256).await;
    let before = resident(sluice.id());
    for _ in 0..EVENTS {
        gate.open();
        reader.next_event(SOON).await;
    }
    let grown = resident(sluice.id()).saturating_sub(before);
    assert!(grown < ALLOWED, "grown by {grown} bytes");
}

type Unread = (Connection<TcpStream, Bytes>, Vec<http::Response<h2::RecvStream>>);

/// Opens streams, and returns them with the connection that nobody drives any more.
async fn unread_streams(sluice: &Sluice, streams: usize) -> Unread {
    let socket = TcpStream::connect(sluice.plain).await.expect("a connection");
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(16 << 20).initial_connection_window_size(1 << 30);
    let shaken = builder.handshake::<_, Bytes>(socket).await;
    let (send, mut connection) = shaken.expect("an HTTP/2 handshake");
    let mut responses = Vec::new();
    let asking = async {
        for _ in 0..streams {
            let mut send = send.clone().ready().await.expect("room for a stream");
            let request = Request::get(format!("http://{}/events", sluice.plain)).body(());
            let asked = send.send_request(request.expect("a request"), true);
            responses.push(asked.expect("asked").0.await.expect("a head"));
        }
    };
    tokio::select! {
        () = asking => {}
        ended = &mut connection => panic!("the connection ended: {ended:?}"),
    }
    (connection, responses)
}
