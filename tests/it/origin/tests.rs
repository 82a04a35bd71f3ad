//! The origins themselves, without the gateway: each really behaves as legacy sites do.

mod apache;
mod mariadb;
mod nginx;
mod node;
mod php_fpm;
mod php_server;
mod process;
mod raw;
mod sqlite;

use std::{net::SocketAddr, time::Duration};

use http::{Request, StatusCode};
use http_body_util::Empty;

use crate::client::{Http1, Protocol, SseStream, collect, request};

/// For what comes at once. Generous: it only runs out when something is broken.
const SOON: Duration = Duration::from_secs(20);

/// For what must not come: long against the scripts' pace, short for a test.
const A_WHILE: Duration = Duration::from_millis(700);

/// Listens to a script.
async fn listen(address: SocketAddr, path: &str) -> SseStream {
    Http1::get(address, path, &[]).await
}

/// Fetches a page whole.
async fn page(address: SocketAddr, path: &str) -> (StatusCode, String) {
    let get = Request::get(path).body(Empty::new()).expect("a request");
    let response = request(Protocol::Http1, address, false, get).await;
    let (head, body, _) = collect(response, SOON).await;
    (head.status, String::from_utf8_lossy(&body).into_owned())
}

/// Whether a page comes within [`A_WHILE`].
async fn page_comes(address: SocketAddr, path: &str) -> bool {
    tokio::time::timeout(A_WHILE, page(address, path)).await.is_ok()
}

/// Every endless script of the site sends its events one by one, at its own pace.
async fn serves_every_script_one_by_one(address: SocketAddr) {
    let scripts =
        ["sse.php", "time.php", "ssedemo.php", "ssedemo_old.php", "numbered.php", "resume.php"];
    for script in scripts {
        let mut stream = listen(address, &format!("/{script}?ms=30")).await;
        assert_eq!(stream.head().status, 200, "{script}");
        assert!(stream.header("content-type").starts_with("text/event-stream"), "{script}");
        for _ in 0..3 {
            let event = stream.next_event(SOON).await;
            assert!(!event.data.is_empty(), "{script}");
            // Nothing else had been sent yet, but for the second event of the demos.
            assert!(stream.raw().len() < 1000, "{script} came in a lump: {}", stream.text());
        }
    }
}
