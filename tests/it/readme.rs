//! What README.md says stays true: its configurations load, and its figures can be had again.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use bytes::Bytes;
use http_body_util::Empty;
use sluice::config::Config;

use crate::{
    client::{Http2Connection, Protocol, SseStream, collect, eventually, request, within},
    origin::{Buffering, Nginx, Php, PhpFpm},
    sluice::Sluice,
};

/// Generous: a loaded machine must not fail a test.
const SOON: Duration = Duration::from_secs(60);

const CONNECTIONS: usize = 10;
const LISTENERS: usize = 2000;

#[test]
fn every_configuration_in_the_readme_loads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(path).expect("README.md");
    let blocks: Vec<&str> =
        readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "README.md shows a configuration");
    for block in blocks {
        if let Err(error) = Config::from_yaml(block, "README.md") {
            panic!("{error}\n{block}");
        }
    }
}

#[tokio::test]
async fn two_thousand_listeners_cost_one_worker_of_five_and_pages_still_come() {
    let fpm = PhpFpm::start_with(5, Php::production().pace_ms(1000)).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let public = "vary: { cookies: [], headers: [] }";
    let sluice = Sluice::before(nginx.address(), "/sse.php", public).await;

    let (_connections, mut streams) =
        within("2,000 listeners", SOON, listen_to(&sluice, "/sse.php")).await;
    for stream in &mut streams {
        stream.next_event(SOON).await;
    }
    assert_eq!(sluice.metric("sluice_subscribers", &["/sse.php"]).await, 2000.0);
    assert_eq!(fpm.requests().running("/sse.php"), 1);
    // A worker that has just answered is still counted for a moment.
    eventually("one worker of five is taken", SOON, async || {
        page(nginx.address(), "/fpm-status").await.1.contains("active processes:     1\n")
    })
    .await;
    assert_eq!(page(sluice.plain, "/page.php").await.0, 200);
}

async fn listen_to(sluice: &Sluice, path: &str) -> (Vec<Http2Connection>, Vec<SseStream>) {
    let (mut connections, mut streams) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        let connection = Http2Connection::open(sluice.tls, true).await;
        for _ in 0..LISTENERS / CONNECTIONS {
            streams.push(connection.get(path, &[]).await);
        }
        connections.push(connection);
    }
    (connections, streams)
}

/// A page's status and text.
async fn page(address: SocketAddr, path: &str) -> (u16, String) {
    let asked = hyper::Request::get(path).body(Empty::<Bytes>::new()).expect("a request");
    let response = request(Protocol::Http1, address, false, asked).await;
    let (head, body, _) = collect(response, SOON).await;
    (head.status.as_u16(), String::from_utf8_lossy(&body).into_owned())
}
