//! What the site is told of the client, and that a client cannot say it for itself.

use http::Request;

use super::{ALL_WAYS, OK, WAYS, Way, before, get};
use crate::{
    client::within,
    origin::{Buffering, Nginx, PhpFpm, RawListener},
};

#[tokio::test]
async fn the_site_is_told_who_the_client_is_and_how_it_came() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in ALL_WAYS {
        let mut asked = get("/page?a=b");
        asked.headers_mut().insert("host", "app.test:8443".parse().expect("a host"));
        let (seen, ..) = way.exchange(&sluice, &upstream, asked, OK).await;
        let is_http2 = matches!(way, Way::Http2 | Way::Http2Plain);
        for (name, value) in [
            ("host", "app.test:8443"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-host", "app.test:8443"),
            ("x-forwarded-proto", if way.is_tls() { "https" } else { "http" }),
            ("via", if is_http2 { "2 sluice" } else { "1.1 sluice" }),
        ] {
            assert_eq!(seen.values(name), [value], "{name} over {way:?}");
        }
        assert_eq!((seen.target(), seen.version()), ("/page?a=b", "HTTP/1.1"), "{way:?}");
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_replaced() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in WAYS {
        let asked = Request::get("/")
            .header("host", "app.test")
            .header("x-forwarded-for", "6.6.6.6")
            .header("x-forwarded-for", "7.7.7.7, 8.8.8.8")
            .header("x-forwarded-proto", "gopher")
            .header("x-forwarded-host", "evil.test")
            .header("forwarded", "for=9.9.9.9")
            .header("x-real-ip", "9.9.9.9")
            .header("via", "1.0 fred")
            .body(http_body_util::Full::default());
        let asked = asked.expect("a request");
        let (seen, ..) = way.exchange(&sluice, &upstream, asked, OK).await;
        assert_eq!(seen.values("x-forwarded-for"), ["127.0.0.1"], "{way:?}");
        assert_eq!(seen.values("x-forwarded-host"), ["app.test"], "{way:?}");
        assert_ne!(seen.values("x-forwarded-proto"), ["gopher"], "{way:?}");
        assert_eq!(seen.values("x-forwarded-proto").len(), 1, "{way:?}");
        for claimed in ["6.6.6.6", "7.7.7.7", "8.8.8.8", "9.9.9.9", "gopher", "evil.test"] {
            assert!(!seen.raw.contains(claimed), "{claimed} over {way:?}: {}", seen.raw);
        }
        // A gateway adds itself to the way that a request came (RFC 9110, section 7.6.3).
        let via = seen.values("via").join(", ");
        let own = if way == Way::Http2 { "2 sluice" } else { "1.1 sluice" };
        assert_eq!(via, format!("1.0 fred, {own}"), "{way:?}");
    }
}

#[tokio::test]
async fn a_script_sees_the_client_s_headers() {
    let fpm = PhpFpm::start(2).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let sluice = before(nginx.address()).await;
    for way in WAYS {
        let asked = Request::get("/echo.php")
            .header("host", "app.test")
            .header("user-agent", "tests/1")
            .header("accept-language", "ko")
            .header("authorization", "Basic YTpi")
            .header("x-requested-with", "XMLHttpRequest")
            .body(http_body_util::Full::default());
        let answer = way.fetch(&sluice, asked.expect("a request"));
        let (_, body) = within("an answer", super::SOON, answer).await;
        let seen: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        for (name, value) in [
            ("host", "app.test"),
            ("user-agent", "tests/1"),
            ("accept-language", "ko"),
            ("authorization", "Basic YTpi"),
            ("x-requested-with", "XMLHttpRequest"),
            ("x-forwarded-for", "127.0.0.1"),
        ] {
            assert_eq!(seen["headers"][name], value, "{name} over {way:?}");
        }
    }
}
