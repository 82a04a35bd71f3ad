//! Cookies pass both ways here: nothing of a route without `sse:` is shared.

use http::Request;
use http_body_util::Full;

use super::{ALL_WAYS, OK, WAYS, before, get};
use crate::origin::{Buffering, Nginx, PhpFpm, RawListener};

#[tokio::test]
async fn set_cookie_passes_once_for_each_cookie() {
    let answer = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/; HttpOnly\r\n\
                  Set-Cookie: b=2, 3; Expires=Thu, 01 Jan 2099 00:00:00 GMT\r\n\
                  Content-Length: 2\r\n\r\nok";
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in ALL_WAYS {
        let (_, head, _) = way.exchange(&sluice, &upstream, get("/"), answer).await;
        let cookies: Vec<_> = head.headers.get_all("set-cookie").iter().collect();
        let sent = ["a=1; Path=/; HttpOnly", "b=2, 3; Expires=Thu, 01 Jan 2099 00:00:00 GMT"];
        assert_eq!(cookies, sent, "{way:?}");
    }
}

/// HTTP/2 clients send one field for each cookie; a server of HTTP/1.1 reads only one
/// (RFC 9113, section 8.2.3).
#[tokio::test]
async fn the_site_gets_all_cookies_in_one_field() {
    let upstream = RawListener::bind().await;
    let sluice = before(upstream.address()).await;
    for way in WAYS {
        let asked = Request::get("/").header("cookie", "a=1; b=2").header("cookie", "c=3");
        let asked = asked.body(Full::default()).expect("a request");
        let (seen, ..) = way.exchange(&sluice, &upstream, asked, OK).await;
        assert_eq!(seen.values("cookie").join("; "), "a=1; b=2; c=3", "{way:?}");
        if way == super::Way::Http2 {
            assert_eq!(seen.values("cookie").len(), 1, "{}", seen.raw);
        }
    }
}

#[tokio::test]
async fn a_session_of_a_script_goes_on_from_page_to_page() {
    let fpm = PhpFpm::start(2).await;
    let count = "<?php session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;";
    fpm.add_page("count.php", count);
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let sluice = before(nginx.address()).await;
    for way in WAYS {
        let (head, first) = way.get(&sluice, "/count.php").await;
        let cookie = super::header(&head, "set-cookie").split(';').next().expect("a cookie");
        let asked = Request::get("/count.php").header("cookie", cookie);
        let (_, second) = way.fetch(&sluice, asked.body(Full::default()).expect("a request")).await;
        assert_eq!((&first[..], &second[..]), (&b"1"[..], &b"2"[..]), "{way:?}");
    }
}
