//! What a client is told when the site fails: plain answers of the gateway's own.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, Request, response::Parts};
use http_body_util::Full;

use super::{ALL_WAYS, OK, SOON, WAYS, Way, before, before_with, get};
use crate::{
    client::{Http2Connection, within},
    origin::{
        RawListener, RawOrigin, Step,
        port::{free_port, local},
    },
    sluice::Sluice,
};

#[tokio::test]
async fn a_site_that_is_down_is_a_plain_502() {
    let sluice = before(local(free_port())).await;
    for way in ALL_WAYS {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let asked = Request::builder().method(method).uri("/page").body(Full::from("body"));
            let answer = way.fetch(&sluice, asked.expect("a request")).await;
            assert_is_plain(502, "502 Bad Gateway\n", way, &answer);
        }
        let mut asked = get("/page");
        *asked.method_mut() = Method::HEAD;
        let (head, body) = way.fetch(&sluice, asked).await;
        assert_eq!((head.status.as_u16(), body.len()), (502, 0), "{way:?}");
    }
    assert!(sluice.log().contains("Route /*: the upstream failed: Connect"), "{}", sluice.log());
}

#[tokio::test]
async fn a_site_that_never_answers_is_a_504_after_the_read_timeout() {
    let upstream = RawListener::bind().await;
    let sluice = before_with(upstream.address(), "read_timeout: 300ms").await;
    for way in ALL_WAYS {
        for half in ["", "HTTP/1.1 200 OK\r\nContent-"] {
            let play = async {
                let (mut connection, _) = upstream.accept().await;
                connection.send(half).await.expect("a reader");
                connection
            };
            let (_connection, answer) = tokio::join!(play, way.get(&sluice, "/"));
            assert_is_plain(504, "504 Gateway Timeout\n", way, &answer);
        }
    }
}

#[tokio::test]
async fn a_site_that_answers_nonsense_is_a_502() {
    for nonsense in ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n", ""] {
        let upstream = RawOrigin::start(vec![Step::send(nonsense), Step::Finish]).await;
        let sluice = before(upstream.address()).await;
        for way in WAYS {
            let answer = way.get(&sluice, "/").await;
            assert_is_plain(502, "502 Bad Gateway\n", way, &answer);
        }
    }
}

#[tokio::test]
async fn a_path_without_a_route_is_a_plain_404() {
    let upstream = RawListener::bind().await;
    let address = upstream.address();
    let sluice = Sluice::start(&format!(
        "upstreams: {{ site: {{ address: '{address}' }} }}
routes:
  - {{ path: '/app/*', upstream: site }}
"
    ))
    .await;
    for way in ALL_WAYS {
        let answer = way.get(&sluice, "/else").await;
        assert_is_plain(404, "404 Not Found\n", way, &answer);
        let mut asked = get("/else");
        *asked.method_mut() = Method::HEAD;
        let (head, body) = way.fetch(&sluice, asked).await;
        assert_eq!((head.status.as_u16(), body.len()), (404, 0), "{way:?}");
    }
}

#[tokio::test]
async fn an_error_leaves_the_rest_of_an_http2_connection_alone() {
    let upstream = RawOrigin::start_each(|number| match number {
        0 => vec![Step::Reset],
        _ => vec![Step::send(OK)],
    })
    .await;
    let sluice = before(upstream.address()).await;
    let client = Http2Connection::open(sluice.tls, true).await;
    for status in [502, 200] {
        let answer = client.request(Request::get("/").body(()).expect("a request")).await;
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_a_400() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    let asked = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n";
    let answer = within("an answer", SOON, super::connections::say(sluice.plain, asked)).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

/// A status, one line, and no header but those that every answer has.
fn assert_is_plain(status: u16, line: &str, way: Way, (head, body): &(Parts, Bytes)) {
    assert_eq!((head.status.as_u16(), &body[..]), (status, line.as_bytes()), "{way:?}");
    let names: BTreeSet<&str> = head.headers.keys().map(|name| name.as_str()).collect();
    let known = ["cache-control", "connection", "content-length", "content-type", "date"];
    assert!(names.is_subset(&known.into()), "{way:?}: {names:?}");
    assert_eq!(super::header(head, "content-type"), "text/plain; charset=utf-8", "{way:?}");
    assert_eq!(super::header(head, "cache-control"), "no-store", "{way:?}");
}
