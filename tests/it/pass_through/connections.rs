//! Connections: kept, given up, and old-fashioned ones; towards the client and towards the site.

use std::net::SocketAddr;

use http::{Request, header::CONNECTION};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{OK, SOON, WAYS, Way, before, header};
use crate::{
    client::within,
    origin::{Buffering, Nginx, PhpFpm, RawOrigin, Step},
};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";

/// Everything that comes as an answer to these bytes, until the gateway closes the connection.
pub(super) async fn say(address: SocketAddr, words: impl AsRef<[u8]>) -> String {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    // A gateway that has heard enough may close before all was said.
    let _ = connection.write_all(words.as_ref()).await;
    let mut answer = Vec::new();
    let _ = within("a closed connection", SOON, connection.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn an_http1_connection_serves_many_requests_and_is_told_its_limit() {
    let upstream = RawOrigin::start(kept(20)).await;
    let sluice = before(upstream.address()).await;
    let stream = TcpStream::connect(sluice.plain).await.expect("a connection");
    let (mut sender, connection) =
        http1::handshake::<_, Full<bytes::Bytes>>(TokioIo::new(stream)).await.expect("a client");
    let driver = tokio::spawn(connection);
    for method in ["GET", "POST", "HEAD", "GET"] {
        let asked = Request::builder().method(method).uri("/").header("host", "a");
        let asked = asked.body(Full::from(if method == "POST" { "body" } else { "" }));
        let answer = within("an answer", SOON, sender.send_request(asked.expect("a request")));
        let (head, body) = answer.await.expect("an answer").into_parts();
        body.collect().await.expect("a body");
        assert_eq!((head.status.as_u16(), header(&head, "connection")), (200, "keep-alive"));
        assert_eq!(header(&head, "keep-alive"), "timeout=60");
    }
    let last = Request::get("/").header("host", "a").header(CONNECTION, "close");
    let last = sender.send_request(last.body(Full::default()).expect("a request")).await;
    let head = last.expect("an answer").into_parts().0;
    assert_eq!((header(&head, "connection"), header(&head, "keep-alive")), ("close", ""));
    within("the end", SOON, driver).await.expect("no panic").expect("a clean end");
}

/// Which of the two framings somebody else believes cannot be known: what follows may be the body
/// (RFC 9112, section 6.1).
#[tokio::test]
async fn a_request_framed_in_two_ways_is_the_last_of_its_connection() {
    let upstream = RawOrigin::start(vec![Step::send(OK), Step::Finish]).await;
    let sluice = before(upstream.address()).await;
    let asked = "POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\
                 Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let heard = say(sluice.plain, asked).await;
    assert!(heard.contains("\r\nConnection: close\r\n"), "{heard}");
    let seen = upstream.heads();
    assert_eq!((seen[0].target(), seen[0].header("content-length")), ("/one", None), "{seen:?}");
}

#[tokio::test]
async fn http2_has_no_keep_alive_field() {
    let upstream = RawOrigin::start(kept(2)).await;
    let sluice = before(upstream.address()).await;
    let (head, _) = Way::Http2.get(&sluice, "/").await;
    assert_eq!((header(&head, "keep-alive"), header(&head, "connection")), ("", ""));
}

#[tokio::test]
async fn an_http10_client_gets_what_it_can_read() {
    let answers = [CHUNKED, OK, "HTTP/1.1 200 OK\r\n\r\nok"];
    for answer in answers {
        let upstream = RawOrigin::start(vec![Step::send(answer), Step::Finish]).await;
        let sluice = before(upstream.address()).await;
        for host in ["Host: app.test\r\n", ""] {
            let heard = say(sluice.plain, format!("GET /old HTTP/1.0\r\n{host}\r\n")).await;
            let (head, body) = heard.split_once("\r\n\r\n").expect("an answer");
            assert!(head.starts_with("HTTP/1.") && head.contains(" 200 OK"), "{head}");
            assert_eq!(body, "ok", "{head} after {answer}");
            assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
        }
        let seen = upstream.heads();
        assert!(seen.iter().all(|head| head.values("via") == ["1.0 sluice"]), "{seen:?}");
    }
}

#[tokio::test]
async fn a_real_site_answers_an_http10_client() {
    let fpm = PhpFpm::start(2).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let sluice = before(nginx.address()).await;
    let heard = say(sluice.plain, "GET /page.php HTTP/1.0\r\nHost: app.test\r\n\r\n").await;
    assert!(heard.contains(" 200 OK\r\n") && heard.ends_with("</html>\n"), "{heard}");
}

#[tokio::test]
async fn a_request_that_names_no_host_is_refused() {
    let upstream = RawOrigin::start(vec![Step::send(OK), Step::Finish]).await;
    let sluice = before(upstream.address()).await;
    for host in ["", "Host:\r\n", "Host: \r\n"] {
        let asked = format!("GET / HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        let answer = say(sluice.plain, asked).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer} to {host:?}");
    }
    assert!(upstream.heads().is_empty());
}

#[tokio::test]
async fn a_huge_header_is_refused_and_the_gateway_lives_on() {
    let site = tempfile::tempdir().expect("a directory");
    std::fs::write(site.path().join("page.html"), "page").expect("write a page");
    let nginx = Nginx::static_site(site.path()).await;
    let sluice = before(nginx.address()).await;
    for size in [100 << 10, 2 << 20] {
        let huge = "a".repeat(size);
        let asked = format!(
            "GET /page.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Huge: {huge}\r\n\r\n"
        );
        let answer = say(sluice.plain, asked).await;
        let status = answer.split(' ').nth(1).unwrap_or("none");
        assert!(["400", "431"].contains(&status), "{status} for {size} bytes");
    }
    let huge = Request::get("/page.html").header("x-huge", "a".repeat(100 << 10));
    let huge = huge.body(Full::default()).expect("a request");
    let (head, _) = Way::Http2.fetch(&sluice, huge).await;
    assert_eq!(head.status, 431);
    for way in WAYS {
        assert_eq!(&way.get(&sluice, "/page.html").await.1[..], b"page", "{way:?}");
    }
}

/// Node closes after five seconds without a word, Apache after five: whoever keeps connections
/// meets closed ones.
#[tokio::test]
async fn a_site_that_closes_kept_connections_breaks_no_request() {
    let scripts = [
        // Closes as soon as it has answered.
        vec![Step::send(OK), Step::Finish],
        // Closes just when the next request comes.
        vec![Step::send(OK), Step::NextRequest, Step::Finish],
        vec![Step::send(OK), Step::NextRequest, Step::Reset],
    ];
    for script in scripts {
        let upstream = RawOrigin::start(script.clone()).await;
        let sluice = before(upstream.address()).await;
        for way in WAYS {
            for number in 0..5 {
                let (head, body) = way.get(&sluice, "/").await;
                assert_eq!(head.status, 200, "request {number} over {way:?}, {script:?}");
                assert_eq!(&body[..], b"ok");
            }
        }
    }
}

/// What may have been done must not be done twice (RFC 9110, section 9.2.2).
#[tokio::test]
async fn a_post_is_not_sent_again_after_the_site_may_have_seen_it() {
    let upstream = RawOrigin::start(vec![Step::send(OK), Step::NextRequest, Step::Finish]).await;
    let sluice = before(upstream.address()).await;
    for way in WAYS {
        for number in 1..=100 {
            let order = format!("/order/{number}/{way:?}");
            let post = Request::post(&order).body(Full::from("one")).expect("a request");
            let (head, _) = way.fetch(&sluice, post).await;
            let seen = upstream.heads();
            let sent = seen.iter().filter(|head| head.target() == order).count();
            assert_eq!(sent, 1, "{order} was sent {sent} times");
            // On a connection that was not kept it is answered.
            if head.status == 502 {
                break;
            }
            assert!(head.status == 200 && number < 100, "{order}: {head:?}");
        }
    }
}

/// A connection that answers so many requests, and stays.
fn kept(requests: usize) -> Vec<Step> {
    let next = [Step::NextRequest, Step::send(OK)];
    let first = [Step::send(OK)].into_iter();
    first.chain((1..requests).flat_map(|_| next.clone())).collect()
}
