//! The admin listener: its pages, and that it has no others.

use http::{HeaderMap, Method, Request};
use http_body_util::Empty;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::busy::PATIENCE;
use crate::{
    client::{Protocol, collect, request, within},
    origin::PhpServer,
    sluice::Sluice,
};

/// The type that names the text format and its version.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn sluice() -> (PhpServer, Sluice) {
    let php = PhpServer::start(3).await;
    let sluice = Sluice::before(php.address(), "/sse.php", "").await;
    (php, sluice)
}

async fn ask(sluice: &Sluice, method: Method, path: &str) -> (u16, HeaderMap, String) {
    let asked = Request::builder().method(method).uri(path);
    let asked = asked.body(Empty::<bytes::Bytes>::new()).expect("a request");
    let response = request(Protocol::Http1, sluice.admin, false, asked).await;
    let (head, body, _) = collect(response, PATIENCE).await;
    (head.status.as_u16(), head.headers, String::from_utf8(body.into()).expect("text"))
}

#[tokio::test]
async fn the_probes_answer_and_say_so_in_a_word() {
    let (_php, sluice) = sluice().await;
    for (path, word) in
        [("/healthz", "ok\n"), ("/readyz", "ready\n"), ("/readyz?full=1", "ready\n")]
    {
        let (status, headers, body) = ask(&sluice, Method::GET, path).await;
        assert_eq!((status, body.as_str()), (200, word), "{path}");
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    }
    let (status, headers, body) = ask(&sluice, Method::GET, "/metrics").await;
    assert_eq!((status, &headers["content-type"]), (200, &METRICS_TYPE.parse().expect("a type")));
    assert!(body.starts_with("# HELP sluice_") && body.ends_with('\n'), "{body}");
}

#[tokio::test]
async fn a_head_request_gets_the_head_alone() {
    let (_php, sluice) = sluice().await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        let mut connection = TcpStream::connect(sluice.admin).await.expect("a connection");
        let asked = format!("HEAD {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        connection.write_all(asked.as_bytes()).await.expect("written");
        let mut answer = String::new();
        within("the end of the answer", PATIENCE, connection.read_to_string(&mut answer))
            .await
            .expect("text");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(answer.find("\r\n\r\n"), Some(answer.len() - 4), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("content-length: 0\r"), "{answer}");
    }
}

#[tokio::test]
async fn other_paths_are_not_found_and_other_methods_not_allowed() {
    let (php, sluice) = sluice().await;
    for path in ["/metrics/", "/Metrics", "/healthz/x", "/page.php", "/sse.php", "//metrics"] {
        let (status, _, body) = ask(&sluice, Method::GET, path).await;
        assert_eq!(status, 404, "{path}: {body}");
        assert!(!body.contains("sluice_"), "{path}: {body}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        for path in ["/metrics", "/healthz", "/readyz", "/nowhere"] {
            let (status, headers, _) = ask(&sluice, method.clone(), path).await;
            assert_eq!(status, 405, "{method} {path}");
            // RFC 9110, section 15.5.6: a 405 names what is allowed.
            assert_eq!(headers["allow"], "GET, HEAD", "{method} {path}");
        }
    }
    assert_eq!(php.requests().all().len(), 0, "nothing of this went to the site");
}

#[tokio::test]
async fn the_admin_pages_are_on_no_other_listener() {
    let (_php, sluice) = sluice().await;
    for path in ["/metrics", "/healthz", "/readyz"] {
        let asked = Request::get(path).body(Empty::<bytes::Bytes>::new()).expect("a request");
        let response = request(Protocol::Http1, sluice.plain, false, asked).await;
        let (_, body, _) = collect(response, PATIENCE).await;
        let body = String::from_utf8_lossy(&body).into_owned();
        let own = ["sluice_", "ok\n", "ready\n"].iter().any(|word| body.starts_with(word));
        assert!(!own && !body.contains("sluice_"), "{path}: {body}");
    }
    let both = sluice.admin_page("/healthz").await;
    assert_eq!(both, (200, "ok\n".to_owned()));
}
