//! Methods: each reaches the site, with its body, whichever way the client comes.

use http::{Method, Request};
use serde_json::{Value, json};

use super::{ALL_WAYS, SOON, WAYS, Way, before, get, header};
use crate::client::eventually;
use crate::origin::{Buffering, Nginx, NodeApp, PhpFpm};

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "BREW"];

#[tokio::test]
async fn every_method_reaches_a_script_with_its_query_and_body() {
    let fpm = PhpFpm::start(4).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let sluice = before(nginx.address()).await;
    for way in ALL_WAYS {
        for method in METHODS {
            let sent = if method == "GET" { "" } else { "a=1&b=%20\n" };
            let asked =
                Request::builder().method(method).uri("/echo.php?q=1%2f&r").body(sent.into());
            let (head, body) = way.fetch(&sluice, asked.expect("a request")).await;
            assert_eq!(head.status, 200, "{method} over {way:?}");
            let seen: Value = serde_json::from_slice(&body).expect("JSON");
            let seen = [&seen["method"], &seen["uri"], &seen["body"]];
            let wanted = [&json!(method), &json!("/echo.php?q=1%2f&r"), &json!(sent)];
            assert_eq!(seen, wanted, "over {way:?}");
        }
    }
    assert_eq!(fpm.requests().count("/echo.php"), ALL_WAYS.len() * METHODS.len());
}

#[tokio::test]
async fn a_head_request_gets_the_head_alone_and_keeps_its_length() {
    let site = tempfile::tempdir().expect("a directory");
    std::fs::write(site.path().join("page.html"), "<p>page</p>").expect("write a page");
    let nginx = Nginx::static_site(site.path()).await;
    let sluice = before(nginx.address()).await;
    for way in ALL_WAYS {
        let mut asked = get("/page.html");
        *asked.method_mut() = Method::HEAD;
        let (head, body) = way.fetch(&sluice, asked).await;
        assert_eq!((head.status.as_u16(), &body[..]), (200, &b""[..]), "{way:?}");
        assert_eq!(header(&head, "content-length"), "11", "{way:?}");
        assert_eq!(header(&head, "content-type"), "text/html", "{way:?}");
    }
    let all = ALL_WAYS.len();
    eventually("each is logged", SOON, async || nginx.count("/page.html") == all).await;
    let methods = nginx.access_log();
    assert!(methods.iter().all(|line| line.starts_with("\"HEAD ")), "{methods:?}");
}

#[tokio::test]
async fn express_gets_a_post_of_json_and_refuses_what_it_does_not_know() {
    let express = NodeApp::express_v2().await;
    let sluice = before(express.address()).await;
    for way in WAYS {
        let post = |body: &'static str| {
            let post = Request::post("/api/users").header("content-type", "application/json");
            post.body(body.into()).expect("a request")
        };
        let (head, body) = way.fetch(&sluice, post(r#"{"firstname":"Jörg"}"#)).await;
        assert_eq!((head.status.as_u16(), body.len()), (201, 0), "{way:?}");
        // The site's own errors are the site's.
        assert_eq!(way.fetch(&sluice, post("{")).await.0.status, 400, "{way:?}");
        assert_eq!(way.get(&sluice, "/api/users").await.0.status, 404, "{way:?}");
    }
    let seen = express.requests().of("/api/users");
    let methods: Vec<&str> = seen.iter().map(|request| &*request.method).collect();
    assert_eq!(methods, ["POST", "POST", "GET", "POST", "POST", "GET"]);
}

#[tokio::test]
async fn connect_is_refused() {
    let site = tempfile::tempdir().expect("a directory");
    let nginx = Nginx::static_site(site.path()).await;
    let sluice = before(nginx.address()).await;
    let answer = super::connections::say(
        sluice.plain,
        "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    assert_eq!(Way::Http1.get(&sluice, "/none").await.0.status, 404);
    // nginx logs a request after it has answered it.
    eventually("the page is logged", SOON, async || nginx.count("/none") == 1).await;
    assert_eq!(nginx.access_log().len(), 1, "and nothing else");
}
