//! nginx: what its buffering costs, and its static files.

use http::Request;
use http_body_util::Empty;

use super::{A_WHILE, SOON, listen, page};
use crate::{
    client::{Protocol, collect, eventually, request},
    origin::{Buffering, Nginx, PhpFpm},
};

#[tokio::test]
async fn a_buffering_nginx_holds_even_the_head_back_unless_the_script_forbids_it() {
    let fpm = PhpFpm::start(4).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let held_back = listen(nginx.address(), "/sse.php?ms=100");
    assert!(tokio::time::timeout(A_WHILE, held_back).await.is_err());
    let mut demo = listen(nginx.address(), "/ssedemo.php?ms=100").await;
    assert_eq!(demo.header("x-accel-buffering"), "", "nginx keeps it to itself");
    demo.next_events(2, SOON).await;
}

#[tokio::test]
async fn a_buffering_nginx_sends_lumps_that_end_in_the_middle_of_an_event() {
    let fpm = PhpFpm::start(2).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let mut stream = listen(nginx.address(), "/time.php?ms=2").await;
    // nginx sends 4096 bytes of FastCGI records at a time, of which most hold an event.
    let mut cut = 0;
    for _ in 0..6 {
        let lump = stream.next_bytes(SOON).await.expect("a lump");
        assert!(lump.len() > 300, "{}", stream.text());
        cut += usize::from(!lump.ends_with(b"\n\n"));
    }
    assert!(cut > 0, "{}", stream.text());
}

#[tokio::test]
async fn static_files_have_ranges_and_tags_and_are_counted() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("digits.txt"), "0123456789").expect("a file");
    let nginx = Nginx::static_site(dir.path()).await;
    let get = Request::get("/digits.txt?x=1").header("Range", "bytes=2-4");
    let get = get.body(Empty::new()).expect("a request");
    let response = request(Protocol::Http1, nginx.address(), false, get).await;
    let (head, body, _) = collect(response, SOON).await;
    assert_eq!(head.status, 206);
    assert_eq!(body, "234");
    assert!(head.headers.contains_key("etag"));
    eventually("the request is logged", SOON, async || nginx.count("/digits.txt") == 1).await;
    let line = r#""GET /digits.txt?x=1 HTTP/1.1" 206 3 "-""#;
    assert_eq!(nginx.access_log(), [line]);
}

#[tokio::test]
async fn a_restarted_nginx_answers_on_the_same_port() {
    let fpm = PhpFpm::start(2).await;
    let mut nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let address = nginx.address();
    let mut stream = listen(address, "/numbered.php?ms=20").await;
    stream.next_event(SOON).await;
    nginx.restart().await;
    stream.ended(SOON).await;
    assert_eq!(nginx.address(), address);
    assert_eq!(page(address, "/page.php").await.0, 200);
    nginx.stop();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
