//! What the operator is told of an upstream, once, with the fix by name: that it holds events back,
//! or that its answer speaks against sharing it.

use std::time::Duration;

use crate::{
    client::{Http2Connection, eventually},
    origin::{Buffering, Nginx, PhpFpm, PhpServer},
    sluice::Sluice,
};

/// The rules need some twenty seconds of a buffering server's time.
const PATIENCE: Duration = Duration::from_secs(120);
const SUSPECTED: &str = "sluice_upstream_buffering_suspected_total";
const PUBLIC: &str = "vary: { cookies: [], headers: [] }";

#[tokio::test]
async fn a_buffering_nginx_is_reported_with_the_directive_that_stops_it() {
    let fpm = PhpFpm::start(5).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::On).await;
    let sluice = Sluice::before(nginx.address(), "/numbered.php", PUBLIC).await;
    let client = Http2Connection::open(sluice.tls, true).await;
    // Some twenty events of 200 bytes fill nginx's buffer: a lump every seven seconds.
    let _stream = client.get("/numbered.php?ms=350&size=200", &[]).await;
    eventually("the lumps are noticed", PATIENCE, async || {
        sluice.log().contains("events come in lumps")
    })
    .await;
    assert!(sluice.log().contains("fastcgi_buffering off"), "{}", sluice.log());
    assert!(sluice.metric(SUSPECTED, &[]).await >= 1.0);
}

#[tokio::test]
async fn a_head_that_does_not_come_is_reported_once_for_a_route() {
    let php = PhpServer::start(4).await;
    let sluice = Sluice::before(php.address(), "/late.php", PUBLIC).await;
    let client = Http2Connection::open(sluice.tls, true).await;
    let _one = client.get("/late.php?s=600&topic=1", &[]).await;
    let _two = client.get("/late.php?s=600&topic=2", &[]).await;
    sluice.wait_for_metric(SUSPECTED, &[], 2.0).await;
    let log = sluice.log();
    assert_eq!(log.matches("sent no response head").count(), 1, "{log}");
    assert!(log.contains("proxy_buffering off"), "{log}");
}

#[tokio::test]
async fn a_script_that_flushes_is_never_suspected() {
    let fpm = PhpFpm::start(5).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let sluice = Sluice::before(nginx.address(), "/numbered.php", PUBLIC).await;
    let client = Http2Connection::open(sluice.tls, true).await;
    let mut stream = client.get("/numbered.php?ms=1&size=200", &[]).await;
    stream.next_events(1000, PATIENCE).await;
    assert_eq!(sluice.metric(SUSPECTED, &[]).await, 0.0);
}

#[tokio::test]
async fn a_script_that_sets_a_cookie_on_a_shared_stream_is_reported_once() {
    let php = PhpServer::start(4).await;
    let sluice = Sluice::before(php.address(), "/cookie.php", PUBLIC).await;
    let client = Http2Connection::open(sluice.tls, true).await;
    let mut one = client.get("/cookie.php?topic=1", &[]).await;
    let mut two = client.get("/cookie.php?topic=2", &[]).await;
    one.next_event(PATIENCE).await;
    two.next_event(PATIENCE).await;
    sluice.wait_for_metric("sluice_upstream_sharing_contradicted_total", &[], 2.0).await;
    let log = sluice.log();
    assert_eq!(log.matches("'Set-Cookie'").count(), 1, "{log}");
    assert!(log.contains("Check 'vary'"), "{log}");
}
