//! php-fpm: the scarce workers that a legacy site lives on.

use std::time::Duration;

use super::{SOON, listen, page, page_comes, serves_every_script_one_by_one};
use crate::{
    client::{End, Http1},
    origin::{Buffering, Nginx, Php, PhpFpm},
};

#[tokio::test]
async fn php_fpm_behind_an_unbuffered_nginx_sends_every_script_one_by_one() {
    let fpm = PhpFpm::start(4).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    serves_every_script_one_by_one(nginx.address()).await;
}

#[tokio::test]
async fn with_five_workers_the_sixth_listener_hangs_and_so_does_every_page() {
    let fpm = PhpFpm::start_with(5, Php::production().pace_ms(50)).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let mut listeners = Vec::new();
    for _ in 0..5 {
        let mut stream = listen(nginx.address(), "/sse.php").await;
        stream.next_event(SOON).await;
        listeners.push(stream);
    }
    assert!(!page_comes(nginx.address(), "/sse.php").await, "the sixth listener");
    assert!(!page_comes(nginx.address(), "/page.php").await, "an ordinary page");
    let (file, _) = page(nginx.address(), "/index.html").await;
    assert_eq!(file, 200, "a static file needs no worker");
    let (_, status) = page(nginx.address(), "/fpm-status").await;
    assert!(status.contains("active processes:     5"), "{status}");
    listeners.clear();
    assert_eq!(page(nginx.address(), "/page.php").await.0, 200);
}

#[tokio::test]
async fn a_reload_cuts_the_streams_off_and_the_pool_works_again() {
    let mut fpm = PhpFpm::start(3).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let mut stream = listen(nginx.address(), "/numbered.php?ms=50").await;
    stream.next_event(SOON).await;
    fpm.reload().await;
    let end = stream.ended(SOON).await;
    assert!(matches!(end, End::Broken(_)), "no last chunk: {end:?}");
    let mut again = listen(nginx.address(), "/numbered.php?ms=50").await;
    again.next_events(2, SOON).await;
}

#[tokio::test]
async fn a_session_that_stays_locked_keeps_the_same_visitor_out() {
    let fpm = PhpFpm::start(4).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let cookie = ("Cookie", "PHPSESSID=abcdefghijklmnopqrstuvwxyz");
    let path = "/cookie.php?ms=30&lock=1";
    let mut first = Http1::get(nginx.address(), path, &[cookie]).await;
    first.next_event(SOON).await;
    let headers = [cookie];
    let second = Http1::get(nginx.address(), path, &headers);
    assert!(tokio::time::timeout(Duration::from_millis(500), second).await.is_err());
    let mut other = listen(nginx.address(), path).await;
    other.next_event(SOON).await;
    assert_eq!(fpm.requests().running("/cookie.php"), 3);
}

#[tokio::test]
async fn a_page_can_be_added_to_the_pools_site() {
    let fpm = PhpFpm::start(1).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    fpm.add_page("own.php", "<?php echo ini_get('display_errors'), getenv('ORIGIN_LOG') != '';");
    assert_eq!(page(nginx.address(), "/own.php").await.1, "01");
}
