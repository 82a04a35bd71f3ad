//! A gateway at work: so many streams of so many topics, and some of the rest of the site.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;

use crate::{
    client::{Http1, Http2Connection, Protocol, SseStream, collect, request},
    origin::{Buffering, Nginx, PhpFpm},
    sluice::Sluice,
};

pub const TOPICS: [&str; 3] = ["red-secret", "green-secret", "blue-secret"];
/// Over one HTTP/2 connection, of each topic.
pub const HTTP2_EACH: usize = 10;
/// Over HTTP/1.1, of the first topic.
pub const HTTP1: usize = 2;
pub const SUBSCRIBERS: usize = TOPICS.len() * HTTP2_EACH + HTTP1;
/// What each topic sends once the test lets it.
pub const EVENTS: usize = 5;
/// Ordinary requests that are answered with 200, and with 404.
pub const PAGES: usize = 3;
pub const MISSING: usize = 2;

pub const PATIENCE: Duration = Duration::from_secs(30);

/// Says nothing until there is a file, then all at once; a stray line is among it. Its comments
/// at the end are there to notice that a client has left.
const BURST: &str = r#"<?php
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
echo ": ready\n\n";
ob_flush();
flush();
while (!is_file(__DIR__ . '/go')) {
    usleep(10000);
    clearstatcache();
}
echo "<br />\n";
for ($n = 1; $n <= 5; $n++) {
    echo "event: burst\ndata: {$_GET['topic']} $n\n\n";
}
while (true) {
    ob_flush();
    flush();
    usleep(100000);
    echo ":\n\n";
}
"#;

/// Everything runs until this is dropped.
pub struct Busy {
    pub sluice: Sluice,
    /// By topic.
    pub streams: Vec<(usize, SseStream)>,
    pub connection: Http2Connection,
    fpm: PhpFpm,
    _nginx: Nginx,
}

impl Busy {
    /// All subscribers are there, and nothing was published yet.
    pub async fn start() -> Self {
        let fpm = PhpFpm::start(TOPICS.len() + 2).await;
        fpm.add_page("burst.php", BURST);
        let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
        let settings = "vary: { query: [topic], cookies: [who], headers: [] }, heartbeat: 1s, \
                        linger: 0s";
        let sluice = Sluice::before(nginx.address(), "/burst.php", settings).await;
        let connection = Http2Connection::open(sluice.tls, true).await;
        let headers = [("cookie", "who=secret")];
        let mut streams = Vec::new();
        for (topic, name) in TOPICS.iter().enumerate() {
            let path = format!("/burst.php?topic={name}");
            for _ in 0..HTTP2_EACH {
                streams.push((topic, connection.get(&path, &headers).await));
            }
        }
        // The host is part of the topic.
        let host = format!("localhost:{}", sluice.tls.port());
        let headers = [headers[0], ("host", &host)];
        for _ in 0..HTTP1 {
            let path = format!("/burst.php?topic={}", TOPICS[0]);
            streams.push((0, Http1::get(sluice.plain, &path, &headers).await));
        }
        Self { sluice, streams, connection, fpm, _nginx: nginx }
    }

    /// Lets every topic send its events, and reads them on every stream.
    pub async fn burst(&mut self) {
        self.sluice.wait_for_metric("sluice_subscribers", &[], SUBSCRIBERS as f64).await;
        self.fpm.add_page("go", "");
        for (topic, stream) in &mut self.streams {
            for (n, event) in stream.next_events(EVENTS, PATIENCE).await.iter().enumerate() {
                assert_eq!(event.data, format!("{} {}", TOPICS[*topic], n + 1));
            }
        }
    }

    /// Asks for some of the rest of the site, over plain HTTP/1.1.
    pub async fn visit(&self) {
        for _ in 0..PAGES {
            assert_eq!(self.ask(Method::GET, "/page.php").await, 200);
        }
        for _ in 0..MISSING {
            assert_eq!(self.ask(Method::GET, "/status.php?code=404&secret=1").await, 404);
        }
        assert_eq!(self.ask(Method::POST, "/echo.php").await, 200);
        assert_eq!(self.ask(Method::HEAD, "/burst.php?topic=red-secret").await, 200);
    }

    async fn ask(&self, method: Method, path: &str) -> u16 {
        let asked = Request::builder().method(method).uri(path);
        let asked = asked.body(Full::<Bytes>::default()).expect("a request");
        let response = request(Protocol::Http1, self.sluice.plain, false, asked).await;
        collect(response, PATIENCE).await.0.status.as_u16()
    }
}
