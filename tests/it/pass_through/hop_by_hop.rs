//! Fields that are for one connection only (RFC 9110, section 7.6.1) go no further than it.

use http::Request;
use http_body_util::Full;

use super::{ALL_WAYS, OK, Way, before, get, header};
use crate::origin::RawListener;

#[tokio::test]
async fn hop_by_hop_fields_of_a_request_stay_here() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in [Way::Http1, Way::Http1Tls] {
        let asked = Request::get("/")
            .header("connection", "keep-alive, X-Inner")
            .header("connection", "x-second")
            .header("x-inner", "secret")
            .header("x-second", "secret")
            .header("x-outer", "kept")
            .header("keep-alive", "timeout=5, max=3")
            .header("proxy-connection", "keep-alive")
            .header("proxy-authorization", "Basic YTpi")
            .header("te", "trailers, deflate")
            .header("trailer", "x-sum")
            .header("upgrade", "h2c")
            .header("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA")
            .body(Full::default());
        let asked = asked.expect("a request");
        let (seen, ..) = way.exchange(&sluice, &upstream, asked, OK).await;
        for name in ["x-inner", "x-second", "keep-alive", "proxy-connection", "te", "trailer"] {
            assert_eq!(seen.header(name), None, "{name} over {way:?}");
        }
        assert_eq!(seen.header("upgrade"), None, "{way:?}");
        assert_eq!(seen.header("proxy-authorization"), None, "{way:?}");
        assert!(!seen.raw.contains("secret"), "{}", seen.raw);
        assert_eq!(seen.values("x-outer"), ["kept"], "{way:?}");
    }
}

#[tokio::test]
async fn a_client_cannot_have_what_the_gateway_says_taken_out() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for named in ["X-Forwarded-For", "Host", "close, x-forwarded-proto"] {
        let asked = Request::get("/").header("connection", named).body(Full::default());
        let asked = asked.expect("a request");
        let (head, _) = Way::Http1.fetch(&sluice, asked).await;
        assert_eq!((head.status.as_u16(), header(&head, "server")), (400, ""), "{named}");
    }
}

#[tokio::test]
async fn hop_by_hop_fields_of_an_answer_stay_here() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Inner\r\nX-Inner: secret\r\n\
                  Keep-Alive: timeout=5, max=100\r\nProxy-Connection: keep-alive\r\n\
                  Upgrade: h2,h2c\r\nTrailer: X-Sum\r\nTE: trailers\r\n\
                  Proxy-Authenticate: Basic realm=a\r\n\
                  X-Outer: kept\r\nContent-Length: 2\r\n\r\nok";
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in ALL_WAYS {
        let (_, head, body) = way.exchange(&sluice, &upstream, get("/"), answer).await;
        for name in ["x-inner", "proxy-connection", "upgrade", "trailer", "te"] {
            assert_eq!(header(&head, name), "", "{name} over {way:?}");
        }
        assert_eq!((header(&head, "x-outer"), &body[..]), ("kept", &b"ok"[..]), "{way:?}");
        // The gateway's own connection to the client is another one, with limits of its own.
        assert!(!header(&head, "keep-alive").contains("max=100"), "{way:?}: {head:?}");
        let own = if way.protocol() == crate::client::Protocol::Http1 { "keep-alive" } else { "" };
        assert_eq!(header(&head, "connection"), own, "{way:?}");
        assert_eq!(header(&head, "transfer-encoding"), "", "{way:?}");
    }
}
