//! Apache with mod_php.

use super::{SOON, listen, page, serves_every_script_one_by_one};
use crate::{
    client::eventually,
    origin::{Apache, Php},
};

#[tokio::test]
async fn apache_sends_the_events_of_every_script_one_by_one() {
    let apache = Apache::mod_php().await;
    serves_every_script_one_by_one(apache.address()).await;
    assert_eq!(apache.requests().count("/time.php"), 1);
}

#[tokio::test]
async fn apache_gives_short_scripts_a_length_and_endless_ones_chunks() {
    let apache = Apache::mod_php_with(Php::production().pace_ms(20)).await;
    let mut once = listen(apache.address(), "/once.php").await;
    once.next_event(SOON).await;
    assert_ne!(once.header("content-length"), "");
    let mut endless = listen(apache.address(), "/sse.php").await;
    endless.next_event(SOON).await;
    assert_eq!(endless.header("transfer-encoding"), "chunked");
    assert!(page(apache.address(), "/").await.1.contains("A legacy site"));
}

#[tokio::test]
async fn apache_ends_a_script_whose_client_left_and_all_its_processes_when_it_stops() {
    let mut apache = Apache::mod_php().await;
    apache.add_page("own.php", "<?php echo PHP_SAPI;");
    assert_eq!(page(apache.address(), "/own.php").await.1, "apache2handler");
    let mut stream = listen(apache.address(), "/numbered.php?ms=20").await;
    stream.next_event(SOON).await;
    drop(stream);
    apache.requests().wait_for_running("/numbered.php", 0, SOON).await;
    let address = apache.address();
    apache.stop();
    eventually("the port is closed", SOON, async || {
        tokio::net::TcpStream::connect(address).await.is_err()
    })
    .await;
    apache.restart().await;
    assert_eq!(page(address, "/own.php").await.0, 200);
}
