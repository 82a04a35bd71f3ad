//! Upstreams that frame, cut and end their streams in every way there is, and the exact request
//! that they get.

use std::{path::Path, time::Duration};

use tokio::{
    io::copy_bidirectional,
    net::{TcpStream, UnixListener},
    task::JoinSet,
    time::sleep,
};

use crate::{
    client::{Event, eventually},
    origin::{
        Gate, RawOrigin, Step,
        port::{free_port, local},
    },
    sluice::Sluice,
    streams::{
        SOON,
        subscriber::{Subscriber, Way, host},
    },
};

/// Reconnects at once, and says the upstream's own ids.
const SETTINGS: &str = "retry: 50ms, ids: upstream";
const CHUNKED: &str = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked";
const PLAIN: &str = "Content-Type: text/event-stream";

/// Two events with all that borders can go through: CR LF, a character of three bytes, fields.
const BODY: &[u8] =
    "event: a\r\ndata: h\u{20ac}llo\r\nid: 1\r\n\r\ndata: x\r\ndata: y\r\n\r\n".as_bytes();

fn expected() -> Vec<Event> {
    let event = |event_type: &str, data: &str| Event {
        event_type: event_type.to_owned(),
        data: data.to_owned(),
        id: "1".to_owned(),
    };
    vec![event("a", "h\u{20ac}llo"), event("message", "x\ny")]
}

async fn before(origin: &RawOrigin) -> Sluice {
    Sluice::before(origin.address(), "/events", SETTINGS).await
}

/// One subscriber's first `count` events from an origin that plays these steps on its first
/// connection, and on later ones only listens.
async fn events_of(steps: Vec<Step>, count: usize) -> Vec<Event> {
    let silent = vec![Step::head(PLAIN)];
    let origin = RawOrigin::start_each(move |n| if n == 0 { &steps } else { &silent }.clone());
    let origin = origin.await;
    let sluice = before(&origin).await;
    let mut subscriber = Subscriber::listen(&sluice, Way::Http2, "/events").await;
    subscriber.next_events(count, SOON).await
}

/// The data of events, which is all that most tests here look at.
async fn data_of(steps: Vec<Step>, count: usize) -> Vec<String> {
    events_of(steps, count).await.into_iter().map(|event| event.data).collect()
}

#[tokio::test]
async fn a_body_may_be_cut_between_any_two_bytes() {
    let gate = Gate::new();
    let second_half = gate.clone();
    // On one connection after the other, each with another border.
    let origin = RawOrigin::start_each(move |n| {
        let (one, two) = BODY.split_at(1 + n % (BODY.len() - 1));
        let pause = Step::Pause(second_half.clone());
        vec![Step::head(PLAIN), Step::send(one), pause, Step::send(two), Step::Finish]
    });
    let origin = origin.await;
    let sluice = before(&origin).await;
    let mut subscriber = Subscriber::listen(&sluice, Way::Http2, "/events").await;
    for border in 1..BODY.len() {
        let read = (border - 1) * BODY.len() + border;
        sluice.wait_for_metric("sluice_upstream_received_bytes_total", &[], read as f64).await;
        gate.open();
        assert_eq!(subscriber.next_events(2, SOON).await, expected(), "cut at {border}");
    }
}

#[tokio::test]
async fn chunks_may_hold_one_byte_each_and_be_cut_anywhere_themselves() {
    let bytes: Vec<Step> = BODY.chunks(1).map(Step::chunk).collect();
    let by_byte = [vec![Step::head(CHUNKED)], bytes, vec![Step::last_chunk()]].concat();
    assert_eq!(events_of(by_byte, 2).await, expected());
    // Every byte on the wire a write of its own: sizes, extensions and line ends included.
    let mut wire = format!("{:X};name=value\r\n", BODY.len()).into_bytes();
    wire.extend_from_slice(BODY);
    wire.extend_from_slice(b"\r\n0\r\nTrailer: t\r\n\r\n");
    let bits = wire.chunks(1).map(Step::send);
    let steps = [Step::head(CHUNKED)].into_iter().chain(bits).collect();
    assert_eq!(events_of(steps, 2).await, expected());
}

#[tokio::test]
async fn a_chunk_may_be_cut_in_its_size_and_in_its_line_ends() {
    let parts =
        ["1", "b", "\r", "\ndata: first\n\n", "data: second\n\n", "\r", "\n0", "\r\n", "\r\n"];
    let gate = Gate::new();
    let cut = parts.iter().flat_map(|part| [Step::Pause(gate.clone()), Step::send(part)]);
    let origin = RawOrigin::start([Step::head(CHUNKED)].into_iter().chain(cut).collect()).await;
    let sluice = before(&origin).await;
    let mut subscriber = Subscriber::listen(&sluice, Way::Http2, "/events").await;
    for _ in parts {
        gate.open();
        // Only to let the parts arrive apart; nothing depends on whether they do.
        sleep(Duration::from_millis(30)).await;
    }
    let events = subscriber.next_events(2, SOON).await;
    assert_eq!((&*events[0].data, &*events[1].data), ("first", "second"));
    // The last chunk was understood: the feed has asked again.
    eventually("another request", SOON, async || origin.heads().len() == 2).await;
}

#[tokio::test]
async fn events_that_come_with_the_head_reach_the_subscriber_that_opened_the_topic() {
    let head = format!("HTTP/1.1 200 OK\r\n{PLAIN}\r\n\r\n");
    let at_once = Step::send([head.as_bytes(), BODY].concat());
    let gate = Gate::new();
    let origin = RawOrigin::start(vec![Step::Pause(gate.clone()), at_once]).await;
    let sluice = Sluice::before(origin.address(), "/events", "ids: upstream, open_wait: 30s").await;
    for (n, way) in Way::ALL.into_iter().enumerate() {
        let path = format!("/events?{way:?}");
        // Nobody is answered before the upstream has spoken.
        let asked = async || origin.heads().len() > n;
        let let_go = async {
            eventually("the feed asks", SOON, asked).await;
            gate.open();
        };
        let (mut subscriber, ()) = tokio::join!(Subscriber::listen(&sluice, way, &path), let_go);
        assert_eq!(subscriber.next_events(2, SOON).await, expected(), "{way:?}");
    }
}

#[tokio::test]
async fn the_head_may_come_byte_by_byte() {
    let head = format!("HTTP/1.1 200 OK\r\n{PLAIN}\r\n\r\n");
    let bytes = head.as_bytes().chunks(1).map(Step::send);
    let steps = bytes.chain([Step::send(BODY)]).collect();
    assert_eq!(events_of(steps, 2).await, expected());
}

#[tokio::test]
async fn an_event_passes_on_before_the_rest_of_its_chunk_has_come() {
    let gate = Gate::new();
    let origin = RawOrigin::start(vec![
        Step::head(CHUNKED),
        Step::send("1b\r\ndata: first\n\n"),
        Step::Pause(gate.clone()),
        Step::send("data: second\n\n\r\n0\r\n\r\n"),
    ])
    .await;
    let sluice = before(&origin).await;
    let mut subscriber = Subscriber::listen(&sluice, Way::Http1, "/events").await;
    assert_eq!(subscriber.next_event(SOON).await.data, "first");
    gate.open();
    assert_eq!(subscriber.next_event(SOON).await.data, "second");
}

#[tokio::test]
async fn a_body_of_a_given_length_ends_there_and_is_asked_for_again() {
    let body = "data: poll\n\n";
    let steps = vec![
        Step::head(&format!("{PLAIN}\r\nContent-Length: {}", body.len())),
        Step::send(format!("{body}data: beyond its end\n\n")),
    ];
    let origin = RawOrigin::start(steps).await;
    let sluice = before(&origin).await;
    let mut subscriber = Subscriber::listen(&sluice, Way::Http2, "/events").await;
    let events = subscriber.next_events(3, SOON).await;
    assert!(events.iter().all(|event| event.data == "poll"), "{events:?}");
    assert!(origin.heads().len() >= 3);
}

#[tokio::test]
async fn a_half_event_at_the_end_is_dropped_and_never_joined_with_what_comes_next() {
    let ends: [fn() -> Vec<Step>; 5] = [
        // Closed; without the last chunk; with it; reset; shorter than its length.
        || vec![Step::head(PLAIN), Step::send("event: cut\ndata: half"), Step::Finish],
        || vec![Step::head(CHUNKED), Step::chunk("id: 9\ndata: half\n"), Step::Finish],
        || vec![Step::head(CHUNKED), Step::chunk("data: half\r"), Step::last_chunk()],
        || vec![Step::head(PLAIN), Step::send("event: cut\ndata: half\n"), Step::Reset],
        || {
            let head = format!("{PLAIN}\r\nContent-Length: 999");
            vec![Step::head(&head), Step::send(b"data: ha\xcc"), Step::Finish]
        },
    ];
    let count = ends.len();
    let origin = RawOrigin::start_each(move |n| {
        let whole = vec![Step::head(PLAIN), Step::send("\ndata: whole\n\n")];
        ends.get(n).map_or(whole, |end| end())
    });
    let origin = origin.await;
    let sluice = before(&origin).await;
    let mut subscriber = Subscriber::listen(&sluice, Way::Http2, "/events").await;
    let event = subscriber.next_event(SOON).await;
    let whole = Event { event_type: "message".into(), data: "whole".into(), id: String::new() };
    assert_eq!(event, whole);
    let heads = origin.heads();
    assert_eq!(heads.len(), count + 1);
    // The id of an event that was never received is not one to go on from.
    assert!(heads.iter().all(|head| head.header("last-event-id").is_none()));
}

#[tokio::test]
async fn a_byte_order_mark_is_dropped_at_the_start_of_each_connection_and_only_there() {
    let origin = RawOrigin::start(vec![
        Step::head(PLAIN),
        Step::send(b"\xef"),
        Step::send(b"\xbb\xbfdata: marked\n\n"),
        Step::send("\u{feff}data: no field\n\ndata: \u{feff}kept\n\n"),
        Step::Finish,
    ])
    .await;
    let sluice = before(&origin).await;
    let mut subscriber = Subscriber::listen(&sluice, Way::Http2, "/events").await;
    let events = subscriber.next_events(4, SOON).await;
    let data: Vec<&str> = events.iter().map(|event| &*event.data).collect();
    assert_eq!(data, ["marked", "\u{feff}kept", "marked", "\u{feff}kept"]);
}

#[tokio::test]
async fn bytes_that_are_no_utf8_are_replaced_and_the_stream_goes_on() {
    let steps = vec![Step::head(PLAIN), Step::send(b"data: a\xff\xed\x95b\n\ndata: c\x00d\n\n")];
    assert_eq!(data_of(steps, 2).await, ["a\u{fffd}\u{fffd}b", "c\0d"]);
}

#[tokio::test]
async fn heads_as_legacy_servers_send_them_open_the_stream() {
    let heads = [
        "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: none\r\nContent-Type: text/event-stream\r\n\r\n",
        "HTTP/1.1 200 \r\ncontent-type:Text/Event-Stream;charset=UTF-8\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-type: text/event-stream; charset=euc-kr\
         \r\nConnection: keep-alive\r\nHost: app.test\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
    ];
    for head in heads {
        let steps = vec![Step::send(head), Step::send("data: works\n\n")];
        assert_eq!(data_of(steps, 1).await, ["works"], "{head}");
    }
}

#[tokio::test]
async fn early_answers_may_come_long_before_the_head() {
    let gate = Gate::new();
    let origin = RawOrigin::start(vec![
        Step::send("HTTP/1.1 103 Early Hints\r\n\r\n"),
        Step::Pause(gate.clone()),
        Step::send("HTTP/1.1 103 Early Hints\r\n\r\n"),
        Step::head(CHUNKED),
        Step::chunk("data: works\n\n"),
    ])
    .await;
    let sluice = before(&origin).await;
    let listening = Subscriber::listen(&sluice, Way::Http1, "/events");
    let one_request = async || origin.heads().len() == 1;
    let (mut subscriber, ()) = tokio::join!(listening, async {
        eventually("a request", SOON, one_request).await;
        gate.open();
    });
    assert_eq!(subscriber.next_event(SOON).await.data, "works");
    assert_eq!(origin.heads().len(), 1);
}

#[tokio::test]
async fn an_upstream_may_be_a_unix_socket_or_a_name() {
    let origin = RawOrigin::start(vec![Step::head(PLAIN), Step::send(BODY)]).await;
    let directory = tempfile::tempdir().expect("a directory");
    let socket = directory.path().join("site.sock");
    let _relay = unix_socket_before(&origin, &socket);
    let name = format!("localhost:{}", origin.address().port());
    for address in [format!("unix:{}", socket.display()), name] {
        let sluice = Sluice::start(&format!(
            "upstreams: {{ site: {{ address: '{address}' }} }}
routes: [{{ path: /events, upstream: site, sse: {{ {SETTINGS} }} }}]
"
        ))
        .await;
        for way in [Way::Http2, Way::Http1] {
            let mut subscriber =
                Subscriber::listen(&sluice, way, &format!("/events?{way:?}")).await;
            assert_eq!(subscriber.next_events(2, SOON).await, expected(), "{address}");
        }
    }
    assert_eq!(origin.heads().len(), 4);
}

#[tokio::test]
async fn the_upstream_request_holds_what_the_key_holds_and_not_one_byte_more() {
    let origin = RawOrigin::start(vec![
        Step::head(PLAIN),
        Step::send("id: \u{c548}-1\ndata: x\n\nid: 2\ndata: half"),
        Step::Finish,
    ])
    .await;
    let vary = "vary: { query: [b, a], cookies: [user], headers: [x-tenant, authorization] }";
    let settings = format!("{SETTINGS}, {vary}");
    let sluice = Sluice::before(origin.address(), "/events", &settings).await;
    let client = [
        ("accept-encoding", "gzip, br, zstd"),
        ("accept-language", "ko"),
        ("accept", "*/*"),
        ("authorization", "Bearer kim"),
        ("cache-control", "max-age=0"),
        ("cookie", "theme=dark; user=kim; PHPSESSID=secret"),
        ("forwarded", "for=10.0.0.1"),
        ("last-event-id", "the client's"),
        ("origin", "https://app.test"),
        ("priority", "u=1"),
        ("referer", "https://app.test/"),
        ("user-agent", "a browser"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-tenant", "blue"),
    ];
    let path = "/events?a=1&lastEventId=7&c=3&b=%20x";
    for (n, way) in Way::ALL.into_iter().enumerate() {
        let mut subscriber = Subscriber::listen_with(&sluice, way, path, &client).await;
        subscriber.next_event(SOON).await;
        drop(subscriber);
        let enough = async || origin.heads().len() >= 2 * (n + 1);
        eventually("the feed asks again", SOON, enough).await;
    }
    let first = format!(
        "GET /events?b=%20x&a=1 HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\
         Cache-Control: no-cache\r\nUser-Agent: sluice/{version}\r\nVia: 1.1 sluice\r\n\
         Connection: close\r\nx-tenant: blue\r\nauthorization: Bearer kim\r\n\
         Cookie: user=kim\r\n",
        host = host(&sluice),
        version = env!("CARGO_PKG_VERSION"),
    );
    let heads = origin.heads();
    assert_eq!(heads[0].raw, format!("{first}\r\n"));
    // One topic, whichever way its subscribers came; and its own id, never the half event's.
    for again in &heads[1..] {
        assert_eq!(again.raw, format!("{first}Last-Event-ID: \u{c548}-1\r\n\r\n"));
    }
}

#[tokio::test]
async fn an_address_that_refuses_is_passed_over_for_the_next_at_once() {
    let origin = RawOrigin::start(vec![Step::head(PLAIN), Step::send(BODY)]).await;
    let (dead, alive) = (local(free_port()), origin.address());
    let sluice = Sluice::start(&format!(
        "upstreams: {{ site: {{ addresses: ['{dead}', '{alive}'] }} }}
routes: [{{ path: /events, upstream: site, sse: {{ retry: 1h, ids: upstream }} }}]
"
    ))
    .await;
    // Whichever address each topic begins with.
    for topic in 0..4 {
        let path = format!("/events?{topic}");
        let mut subscriber = Subscriber::listen(&sluice, Way::Http2, &path).await;
        assert_eq!(subscriber.next_events(2, SOON).await, expected(), "{path}");
    }
}

/// A Unix socket that leads to the origin.
fn unix_socket_before(origin: &RawOrigin, socket: &Path) -> JoinSet<()> {
    let listener = UnixListener::bind(socket).expect("a socket");
    let address = origin.address();
    let mut relay = JoinSet::new();
    relay.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut near, _) = listener.accept().await.expect("a connection");
            connections.spawn(async move {
                let mut far = TcpStream::connect(address).await.expect("the origin");
                // Its end is whichever side's; neither is judged here.
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    relay
}
