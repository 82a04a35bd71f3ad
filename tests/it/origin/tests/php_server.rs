//! `php -S`, and the scripts of the site, which are tried out on it.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;

use super::{SOON, listen, page, page_comes, serves_every_script_one_by_one};
use crate::{
    client::{End, Http1, Protocol, collect, eventually, request},
    origin::{Php, PhpServer},
};

#[tokio::test]
async fn php_server_sends_the_events_of_every_script_one_by_one() {
    let php = PhpServer::start(4).await;
    serves_every_script_one_by_one(php.address()).await;
}

#[tokio::test]
async fn php_server_closes_to_end_a_body_that_has_no_length() {
    let php = PhpServer::start(1).await;
    let mut stream = listen(php.address(), "/numbered.php?count=2&ms=1&size=100").await;
    assert_eq!(stream.header("connection"), "close");
    assert_eq!(stream.header("content-length"), "");
    let events = stream.next_events(2, SOON).await;
    assert!(events.iter().all(|event| event.data.len() == 100), "{events:?}");
    assert_eq!(stream.ended(SOON).await, End::Clean);
}

#[tokio::test]
async fn php_server_serves_as_many_at_a_time_as_it_has_workers() {
    let php = PhpServer::start(3).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(listen(php.address(), "/numbered.php?ms=50").await);
    }
    assert!(!page_comes(php.address(), "/page.php").await);
    assert_eq!(php.requests().running("/numbered.php"), 3);
    streams.clear();
    assert_eq!(page(php.address(), "/page.php").await.0, 200);
}

#[tokio::test]
async fn php_server_leaves_nobody_listening_when_it_stops_and_may_come_back() {
    let mut php = PhpServer::start(4).await;
    let address = php.address();
    php.stop();
    eventually("the port is closed", SOON, async || {
        tokio::net::TcpStream::connect(address).await.is_err()
    })
    .await;
    php.restart().await;
    assert_eq!(page(address, "/page.php").await.0, 200);
}

#[tokio::test]
async fn the_log_tells_who_asked_and_when_a_script_noticed_that_he_left() {
    let php = PhpServer::start(3).await;
    let headers = [("Last-Event-ID", "41"), ("Cookie", "user=kim")];
    let mut stream = Http1::get(php.address(), "/resume.php?ms=30", &headers).await;
    assert_eq!(stream.next_event(SOON).await.id, "42");
    let seen = php.requests().of("/resume.php");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].uri, "/resume.php?ms=30");
    assert_eq!(seen[0].method, "GET");
    assert_eq!(seen[0].last_event_id(), Some("41"));
    assert_eq!(seen[0].headers["cookie"], "user=kim");
    assert!(!seen[0].ended && seen[0].pid > 0);
    drop(stream);
    php.requests().wait_for_running("/resume.php", 0, SOON).await;
    assert_eq!(php.requests().count("/resume.php"), 1);
}

#[tokio::test]
async fn the_resuming_script_tells_its_reconnection_time() {
    let php = PhpServer::start(1).await;
    let mut stream = listen(php.address(), "/resume.php?ms=1&count=3&retry=1500").await;
    let events = stream.next_events(3, SOON).await;
    assert_eq!(events[2].id, "3");
    assert_eq!(events[2].data, r#"{"n":3}"#);
    assert_eq!(stream.retry(), Some(1500));
    assert_eq!(stream.last_event_id(), "3");
}

#[tokio::test]
async fn the_silent_script_sends_its_head_and_the_late_one_not_even_that() {
    let php = PhpServer::start(3).await;
    let mut silent = listen(php.address(), "/silent.php").await;
    assert_eq!(silent.head().status, 200);
    assert_eq!(silent.event_or_end(Duration::from_millis(200)).await, None);
    let late = tokio::time::timeout(
        Duration::from_millis(300),
        listen(php.address(), "/late.php?s=1&ms=10"),
    );
    assert!(late.await.is_err());
    let mut late = listen(php.address(), "/late.php?s=0.2&ms=10").await;
    assert_eq!(late.next_event(SOON).await.data, "late");
}

#[tokio::test]
async fn the_status_script_answers_whatever_it_is_asked_for() {
    let php = PhpServer::start(1).await;
    for code in [200, 204, 302, 401, 404, 500, 503] {
        let path = format!("/status.php?code={code}&location=/page.php&cookie=a%3Db");
        let stream = listen(php.address(), &path).await;
        assert_eq!(stream.head().status.as_u16(), code);
        assert_eq!(stream.header("location"), "/page.php");
        assert_eq!(stream.header("set-cookie"), "a=b");
    }
    let mut typed = listen(php.address(), "/status.php?type=text/plain&body=hello").await;
    assert!(typed.header("content-type").starts_with("text/plain"));
    typed.ended(SOON).await;
    assert_eq!(typed.text(), "hello");
}

#[tokio::test]
async fn the_personal_script_makes_a_session_and_knows_it_again() {
    let php = PhpServer::start(3).await;
    let mut first = listen(php.address(), "/cookie.php?ms=30&user=kim").await;
    let cookie = first.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    assert!(cookie.starts_with("PHPSESSID="), "{cookie}");
    assert!(first.next_event(SOON).await.data.contains(r#""user":"kim""#));
    let headers = [("Cookie", &*cookie), ("Authorization", "Bearer x")];
    let mut second = Http1::get(php.address(), "/cookie.php?ms=30", &headers).await;
    assert_eq!(second.header("set-cookie"), "");
    let data: Value = serde_json::from_str(&second.next_event(SOON).await.data).expect("JSON");
    assert_eq!(data["user"], "kim");
    assert_eq!(data["authorization"], "Bearer x");
}

#[tokio::test]
async fn a_script_without_a_buffer_to_flush_says_so_after_every_event() {
    let php = PhpServer::start_with(1, Php::without_ini().pace_ms(20)).await;
    let mut stream = listen(php.address(), "/time.php").await;
    stream.next_events(3, SOON).await;
    assert!(stream.text().contains("<b>Notice</b>:  ob_flush(): Failed"), "{}", stream.text());
}

#[tokio::test]
async fn the_notices_script_spoils_lines_only_when_it_warns_inside_them() {
    let php = PhpServer::start_with(3, Php::development()).await;
    let mut between = listen(php.address(), "/notices.php?ms=20").await;
    assert_eq!(between.next_events(2, SOON).await[1].data, r#"{"n": 1}"#);
    assert!(between.text().contains("<b>Warning</b>"), "{}", between.text());
    let mut inside = listen(php.address(), "/notices.php?ms=20&where=inside&html=0").await;
    assert_eq!(inside.next_event(SOON).await.data, r#"{"n": 0, "user": ""#);
}

#[tokio::test]
async fn ordinary_pages_uploads_and_echoes_work() {
    let php = PhpServer::start(1).await;
    let (status, html) = page(php.address(), "/page.php").await;
    assert!(status == StatusCode::OK && html.contains("An ordinary page"), "{html}");
    assert!(page(php.address(), "/").await.1.contains("A legacy site"));
    let body = Full::new(Bytes::from(vec![b'x'; 3 << 20]));
    let post = Request::post("/upload.php").body(body).expect("a request");
    let answer = request(Protocol::Http1, php.address(), false, post).await;
    let (_, body, _) = collect(answer, SOON).await;
    let answer: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(answer["bytes"], 3 << 20);
    let put = Request::put("/echo.php?a=b").header("X-One", "1").body(Full::from("hi"));
    let answer = request(Protocol::Http1, php.address(), false, put.expect("a request")).await;
    let (_, body, _) = collect(answer, SOON).await;
    let answer: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(answer["method"], "PUT");
    assert_eq!(answer["uri"], "/echo.php?a=b");
    assert_eq!(answer["headers"]["x-one"], "1");
    assert_eq!(answer["body"], "hi");
}

#[tokio::test]
async fn the_doorkeeper_admits_known_visitors_until_a_file_says_otherwise() {
    let right = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(right.path(), "204").expect("write");
    let file = right.path().to_string_lossy().into_owned();
    let plain = PhpServer::start(1).await;
    let with_file = PhpServer::start_with(1, Php::production().env("MAY_LISTEN_STATUS", &file));
    let with_file = with_file.await;
    for (cookie, code) in [("user=kim", 204), ("user=banned", 403), ("other=1", 401)] {
        let answer = Http1::get(plain.address(), "/may_listen.php", &[("Cookie", cookie)]).await;
        assert_eq!(answer.head().status.as_u16(), code);
    }
    for code in [204, 403] {
        std::fs::write(right.path(), code.to_string()).expect("write");
        assert_eq!(page(with_file.address(), "/may_listen.php").await.0.as_u16(), code);
    }
}

#[tokio::test]
async fn a_test_may_add_scripts_of_its_own() {
    let php = PhpServer::start(1).await;
    php.add_page("own.php", "<?php echo 6 * 7;");
    assert_eq!(page(php.address(), "/own.php").await.1, "42");
    let once = listen(php.address(), "/once.php").await.next_event(SOON).await;
    assert!(once.data.contains("pid"), "{once:?}");
}
