//! Who shares a stream, and what that saves: one worker for any number of subscribers, and nobody
//! ever gets what was meant for somebody else.

use std::{collections::BTreeSet, time::Duration};

use http::Request;
use http_body_util::Empty;
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    client::{Event, Http1, Http2Connection, Protocol, SseStream, collect, request},
    origin::{Buffering, Nginx, Php, PhpFpm, PhpServer, RawOrigin, Step},
    sluice::Sluice,
    streams::{
        SOON,
        subscriber::{Subscriber, Way, host, page},
    },
};

/// As many as Debian's php-fpm has workers.
const WORKERS: usize = 5;
const CONNECTIONS: usize = 20;
const STREAMS_EACH: usize = 99;
const HTTP1: usize = 20;
/// How many events every one of them gets.
const EVENTS: usize = 5;
/// For what must not come: long against what comes, short for a test.
const A_WHILE: Duration = Duration::from_millis(1500);

const PUBLIC: &str = "vary: { cookies: [], headers: [] }";
const PERSONAL: &str = "/cookie.php?ms=50";

#[tokio::test]
async fn two_thousand_subscribers_take_one_worker_where_six_took_the_site_down() {
    let fpm = PhpFpm::start_with(WORKERS, Php::production().pace_ms(200)).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;

    let mut direct = Vec::new();
    for _ in 0..WORKERS {
        let mut stream = Http1::get(nginx.address(), "/numbered.php", &[]).await;
        stream.next_event(SOON).await;
        direct.push(stream);
    }
    let sixth = Http1::get(nginx.address(), "/numbered.php", &[]);
    assert!(timeout(A_WHILE, sixth).await.is_err(), "the sixth gets nothing");
    let page_without = Http1::get(nginx.address(), "/page.php", &[]);
    assert!(timeout(A_WHILE, page_without).await.is_err(), "nor does an ordinary page come");
    direct.clear();
    // The scripts notice it when they next write.
    fpm.requests().wait_for_running("/numbered.php", 0, SOON).await;
    let before = fpm.requests().count("/numbered.php");

    let sluice = Sluice::before(nginx.address(), "/numbered.php", "").await;
    let (connections, mut streams) = two_thousand(&sluice, "/numbered.php").await;
    assert_eq!(streams.len(), 2000);
    let (code, html) = page(&sluice, "/page.php").await;
    assert!(code == 200 && html.contains("An ordinary page"), "{html}");
    let (_, status) = page(&sluice, "/fpm-status").await;
    assert!(status.contains("active processes:     1\n"), "{status}");
    assert_eq!(sluice.metric("sluice_subscribers", &[]).await, 2000.0);
    all_get_the_same(&mut streams).await;
    assert_eq!(fpm.requests().count("/numbered.php") - before, 1);
    drop(connections);
}

/// On a few connections of HTTP/2 and some of HTTP/1.1, with and without TLS.
async fn two_thousand(sluice: &Sluice, path: &str) -> (Vec<Http2Connection>, Vec<SseStream>) {
    let (mut connections, mut streams) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        let connection = Http2Connection::open(sluice.tls, true).await;
        for _ in 0..STREAMS_EACH {
            streams.push(connection.get(path, &[]).await);
        }
        connections.push(connection);
    }
    let host = host(sluice);
    for _ in 0..HTTP1 / 2 {
        streams.push(Http1::get_tls(sluice.tls, path, &[("host", &host)]).await);
        streams.push(Http1::get(sluice.plain, path, &[("host", &host)]).await);
    }
    (connections, streams)
}

/// From the event on that the last to come begins with.
async fn all_get_the_same(streams: &mut [SseStream]) {
    let Some((last, others)) = streams.split_last_mut() else { panic!("nobody listens") };
    let expected = last.next_events(EVENTS, SOON).await;
    for stream in others {
        let mut got: Vec<Event> = Vec::new();
        // Those who came first have more events before it: five for every second.
        for _ in 0..1000 {
            let event = stream.next_event(SOON).await;
            if !got.is_empty() || event == expected[0] {
                got.push(event);
            }
            if got.len() == EVENTS {
                break;
            }
        }
        assert_eq!(got, expected);
    }
}

#[tokio::test]
async fn users_with_different_cookies_or_credentials_never_share_by_default() {
    let php = PhpServer::start(8).await;
    let sluice = Sluice::before(php.address(), "/cookie.php", "").await;
    let kim = ("cookie", "PHPSESSID=kimkimkimkimkimkimkimkimki; user=kim");
    let lee = ("cookie", "PHPSESSID=leeleeleeleeleeleeleeleele; user=lee");
    let token = |name| ("authorization", name);
    let users = [
        vec![kim],
        vec![lee],
        vec![kim, token("Bearer kim")],
        vec![token("Bearer kim")],
        vec![token("Bearer lee")],
        vec![],
    ];
    for (n, headers) in users.iter().enumerate() {
        // Two tabs of one user share: neither does another user get in nor a worker get lost.
        for way in [Way::Http2, Way::Http1] {
            let mut tab = Subscriber::listen_with(&sluice, way, PERSONAL, headers).await;
            let told = told(&tab.next_event(SOON).await);
            let user = headers.iter().find_map(|(_, value)| value.split("user=").nth(1));
            assert_eq!(told["cookies"]["user"].as_str(), user, "{way:?} {headers:?}");
            let credential = headers.iter().find(|(name, _)| *name == "authorization");
            assert_eq!(told["authorization"].as_str(), credential.map(|(_, value)| *value));
            assert_eq!(tab.header("set-cookie"), "", "{way:?} {headers:?}");
        }
        assert_eq!(php.requests().count("/cookie.php"), n + 1);
    }
}

#[tokio::test]
async fn a_public_route_shares_among_all_and_tells_the_site_of_none() {
    let php = PhpServer::start(4).await;
    let sluice = Sluice::before(php.address(), "/cookie.php", PUBLIC).await;
    let mut sessions = BTreeSet::new();
    let mut subscribers = Vec::new();
    for user in ["kim", "lee", "park"] {
        let cookie = format!("PHPSESSID={user}; user={user}");
        let headers = [("cookie", &*cookie), ("authorization", user), ("x-user", user)];
        for way in Way::ALL {
            let mut tab = Subscriber::listen_with(&sluice, way, PERSONAL, &headers).await;
            let told = told(&tab.next_event(SOON).await);
            assert_eq!(told["cookies"], Value::Object(serde_json::Map::new()));
            assert_eq!(told["authorization"], Value::Null);
            sessions.insert(told["session"].as_str().expect("a session").to_owned());
            subscribers.push(tab);
        }
    }
    assert_eq!(sessions.len(), 1, "the gateway's own session, and no other");
    let seen = php.requests().of("/cookie.php");
    assert_eq!(seen.len(), 1);
    let names: Vec<&str> = seen[0].headers.keys().map(String::as_str).collect();
    assert_eq!(names, ["accept", "cache-control", "connection", "host", "user-agent", "via"]);
}

#[tokio::test]
async fn a_cookie_that_the_shared_script_sets_reaches_nobody() {
    let php = PhpServer::start(4).await;
    let direct = Http1::get(php.address(), PERSONAL, &[]).await;
    assert!(direct.header("set-cookie").starts_with("PHPSESSID="), "it does set one");
    drop(direct);
    for settings in [PUBLIC, "linger: 0s"] {
        let sluice = Sluice::before(php.address(), "/cookie.php", settings).await;
        for mut subscriber in Subscriber::of_every_way(&sluice, PERSONAL).await {
            let session = told(&subscriber.next_event(SOON).await)["session"].clone();
            assert!(session.is_string());
            for (name, value) in &subscriber.head().headers {
                assert!(!["set-cookie", "expires", "pragma"].contains(&name.as_str()), "{name}");
                assert!(!value.to_str().expect("ASCII").contains("PHPSESSID"), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_listed_cookie_parts_topics_and_reaches_the_site_and_others_do_neither() {
    let php = PhpServer::start(4).await;
    let vary = "vary: { cookies: [user], headers: [] }";
    let sluice = Sluice::before(php.address(), "/cookie.php", vary).await;
    for (cookie, requests) in [("a=1; user=kim", 1), ("user=kim; b=2", 1), ("user=lee", 2)] {
        let headers = [("cookie", cookie)];
        let mut tab = Subscriber::listen_with(&sluice, Way::Http2, PERSONAL, &headers).await;
        tab.next_event(SOON).await;
        let seen = php.requests().of("/cookie.php");
        assert_eq!(seen.len(), requests, "{cookie}");
        let sent = &seen[requests - 1].headers["cookie"];
        assert!(cookie.contains(sent) && sent.starts_with("user=") && !sent.contains(';'));
    }
}

#[tokio::test]
async fn ordinary_pages_beside_a_public_stream_keep_their_cookies() {
    let php = PhpServer::start(4).await;
    let sluice = Sluice::before(php.address(), "/cookie.php", PUBLIC).await;
    let get = Request::get("/status.php?cookie=a%3Db").header("cookie", "user=kim");
    let get = get.body(Empty::new()).expect("a request");
    let answer = request(Protocol::Http2, sluice.tls, true, get).await;
    let (head, ..) = collect(answer, SOON).await;
    assert_eq!(head.headers["set-cookie"], "a=b");
    assert_eq!(php.requests().of("/status.php")[0].headers["cookie"], "user=kim");
}

#[tokio::test]
async fn a_refused_topic_is_counted_no_more() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    let upstream = RawOrigin::start(vec![Step::send(refusal), Step::Finish]).await;
    let sluice = Sluice::before(upstream.address(), "/sse", PUBLIC).await;
    for protocol in [Protocol::Http2, Protocol::Http1] {
        let (address, is_tls) = match protocol {
            Protocol::Http2 => (sluice.tls, true),
            Protocol::Http1 => (sluice.plain, false),
        };
        let get = Request::get("/sse").header("host", "app.test").body(Empty::new());
        let answer = request(protocol, address, is_tls, get.expect("a request")).await;
        assert_eq!(answer.status(), 403);
        sluice.wait_for_metric("sluice_topics", &[], 0.0).await;
    }
}

/// What cookie.php tells of whom it takes for its listener.
fn told(event: &Event) -> Value {
    serde_json::from_str(&event.data).expect("JSON")
}
