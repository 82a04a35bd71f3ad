//! Answers, byte by byte: they stream, pass untouched, and a broken one is broken to the client.

use http_body_util::BodyExt as _;

use super::{ALL_WAYS, SOON, WAYS, Way, before, get, header};
use crate::{
    client::within,
    origin::{Gate, RawListener, RawOrigin, Step},
};

#[tokio::test]
async fn an_answer_arrives_while_it_is_still_being_made() {
    let framings = [
        ("Transfer-Encoding: chunked", ["4\r\nsome\r\n", "4\r\nmore\r\n"], Step::last_chunk()),
        ("Content-Length: 8", ["some", "more"], Step::send("")),
        // As PHP's own server does it: the end of the connection is the end of the page.
        ("Connection: close", ["some", "more"], Step::Finish),
    ];
    for way in ALL_WAYS {
        for (framing, [first, second], last) in &framings {
            let gate = Gate::new();
            let pause = || Step::Pause(gate.clone());
            let pieces = [pause(), Step::send(first), pause(), Step::send(second), pause()];
            let script = [&[Step::head(framing)], &pieces[..], std::slice::from_ref(last)].concat();
            let upstream = RawOrigin::start(script).await;
            let sluice = before(upstream.address()).await;
            let answer = way.send(&sluice, get("/").map(|_| super::no_body())).await;
            assert_eq!(answer.status(), 200, "{framing} over {way:?}");
            let mut body = answer.into_body();
            for wanted in ["some", "more"] {
                gate.open();
                let frame = within("a piece", SOON, body.frame()).await.expect("a frame");
                let data = frame.expect("no error").into_data().expect("data");
                assert_eq!(data, wanted, "{framing} over {way:?}");
            }
            gate.open();
            let rest = within("the end", SOON, body.collect()).await.expect("a clean end");
            assert!(rest.to_bytes().is_empty(), "{framing} over {way:?}");
        }
    }
}

#[tokio::test]
async fn a_broken_answer_is_broken_to_the_client_too() {
    let framings = [
        vec![Step::head("Transfer-Encoding: chunked"), Step::chunk("some"), Step::Finish],
        vec![Step::head("Content-Length: 8"), Step::send("some"), Step::Finish],
        vec![Step::head("Transfer-Encoding: chunked"), Step::chunk("some"), Step::Reset],
        vec![Step::head("Transfer-Encoding: chunked"), Step::send("xyz\r\n"), Step::Finish],
    ];
    for way in ALL_WAYS {
        for script in &framings {
            let upstream = RawOrigin::start(script.clone()).await;
            let sluice = before(upstream.address()).await;
            let answer = way.send(&sluice, get("/").map(|_| super::no_body())).await;
            let end = within("the end", SOON, answer.into_body().collect()).await;
            let end = end.map(|body| body.to_bytes());
            assert!(end.is_err(), "{script:?} over {way:?} became {end:?}");
        }
    }
}

#[tokio::test]
async fn a_compressed_answer_stays_as_it_is() {
    // Not even gzip: whoever touched it would fail or change it.
    let zipped = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\
                  Vary: Accept-Encoding\r\nContent-Length: 7\r\n\r\n\x1f zip \n";
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in WAYS {
        let mut asked = get("/");
        let accepted = "br;q=1.0, gzip;q=0.8".parse().expect("a value");
        asked.headers_mut().insert("accept-encoding", accepted);
        let (asked, head, body) = way.exchange(&sluice, &upstream, asked, zipped).await;
        assert_eq!(asked.values("accept-encoding"), ["br;q=1.0, gzip;q=0.8"], "{way:?}");
        assert_eq!(header(&head, "content-encoding"), "gzip", "{way:?}");
        assert_eq!(header(&head, "vary"), "Accept-Encoding", "{way:?}");
        assert_eq!(header(&head, "content-length"), "7", "{way:?}");
        assert_eq!(&body[..], b"\x1f zip \n", "{way:?}");
    }
}

#[tokio::test]
async fn a_plain_answer_is_not_compressed_on_the_way() {
    let page = "x".repeat(4096);
    let plain =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4096\r\n\r\n{page}");
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in WAYS {
        let mut asked = get("/");
        asked.headers_mut().insert("accept-encoding", "gzip, br".parse().expect("a value"));
        let (_, head, body) = way.exchange(&sluice, &upstream, asked, &plain).await;
        assert_eq!(header(&head, "content-encoding"), "", "{way:?}");
        assert_eq!(body, page, "{way:?}");
    }
}

#[tokio::test]
async fn the_site_s_own_headers_pass_untouched() {
    let answer = "HTTP/1.1 203 Whatever\r\nServer: Old/1.0\r\nX-Powered-By: PHP/5.2\r\n\
                  Cache-Control: private, max-age=3\r\nContent-Type: text/html; charset=euc-kr\r\n\
                  X-Twice: a\r\nX-Twice: b\r\nDate: Thu, 01 Jan 2004 00:00:00 GMT\r\n\
                  WWW-Authenticate: Basic realm=\"a\"\r\nContent-Length: 2\r\n\r\nok";
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in WAYS {
        let (_, head, _) = way.exchange(&sluice, &upstream, get("/"), answer).await;
        assert_eq!(head.status, 203, "{way:?}");
        for (name, value) in [
            ("server", "Old/1.0"),
            ("x-powered-by", "PHP/5.2"),
            ("cache-control", "private, max-age=3"),
            ("content-type", "text/html; charset=euc-kr"),
            ("www-authenticate", "Basic realm=\"a\""),
        ] {
            assert_eq!(header(&head, name), value, "{name} over {way:?}");
        }
        let twice: Vec<_> = head.headers.get_all("x-twice").iter().collect();
        assert_eq!(twice, ["a", "b"], "{way:?}");
    }
}

/// PHP's own server and mod_php answer some requests in HTTP/1.0; the version is that of whoever
/// sends (RFC 9110, section 6.2).
#[tokio::test]
async fn an_old_site_s_answer_comes_in_the_gateway_s_version() {
    let old = "HTTP/1.0 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops";
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in [Way::Http1, Way::Http1Tls] {
        let (_, head, body) = way.exchange(&sluice, &upstream, get("/"), old).await;
        assert_eq!((head.status.as_u16(), &body[..]), (500, &b"oops"[..]), "{way:?}");
        assert_eq!(head.version, http::Version::HTTP_11, "{way:?}");
    }
}
