//! The scripts under each of PHP's servers.

use super::{
    SOON,
    script::{
        SCRIPTS, UNBUFFERED_BY_THEMSELVES, bring, comes_one_by_one, goes_on_when_it_ends, number,
    },
    sharing_all_of,
    site::{apache, fpm, php_server},
    subscriber::{Subscriber, Way},
};
use crate::origin::{Buffering, Php};

#[tokio::test]
async fn php_server_brings_every_script_to_all_from_one_request() {
    bring(&php_server(Php::production()).await, SCRIPTS).await;
}

#[tokio::test]
async fn php_fpm_brings_every_script_to_all_from_one_request() {
    bring(&fpm(Php::production(), Buffering::Off).await, SCRIPTS).await;
}

#[tokio::test]
async fn php_fpm_behind_a_buffering_nginx_brings_the_script_that_forbids_it() {
    let site = fpm(Php::production(), Buffering::On).await;
    bring(&site, UNBUFFERED_BY_THEMSELVES).await;
    comes_one_by_one(&site).await;
}

#[tokio::test]
async fn mod_php_brings_every_script_to_all_from_one_request() {
    bring(&apache(Php::production()).await, SCRIPTS).await;
}

#[tokio::test]
async fn events_from_php_server_come_one_by_one() {
    comes_one_by_one(&php_server(Php::production()).await).await;
}

#[tokio::test]
async fn events_from_php_fpm_come_one_by_one() {
    comes_one_by_one(&fpm(Php::production(), Buffering::Off).await).await;
}

#[tokio::test]
async fn events_from_mod_php_come_one_by_one() {
    comes_one_by_one(&apache(Php::production()).await).await;
}

#[tokio::test]
async fn a_script_of_php_server_that_ends_is_opened_again_in_the_same_stream() {
    goes_on_when_it_ends(&php_server(Php::production()).await).await;
}

#[tokio::test]
async fn a_script_of_php_fpm_that_ends_is_opened_again_in_the_same_stream() {
    goes_on_when_it_ends(&fpm(Php::production(), Buffering::Off).await).await;
}

#[tokio::test]
async fn a_script_of_mod_php_that_ends_is_opened_again_in_the_same_stream() {
    goes_on_when_it_ends(&apache(Php::production()).await).await;
}

#[tokio::test]
async fn another_query_is_another_topic_with_a_run_of_the_script_of_its_own() {
    let site = php_server(Php::production()).await;
    let sluice = sharing_all_of(site.address(), "").await;
    let targets = ["/numbered.php?ms=30&tab=1", "/numbered.php?ms=30&tab=2", "/numbered.php"];
    let mut subscribers = Vec::new();
    for target in targets {
        let mut subscriber = Subscriber::listen(&sluice, Way::Http2, target).await;
        // Each run begins at 0.
        assert_eq!(number(&subscriber.next_event(SOON).await), 0, "{target}");
        subscribers.push(subscriber);
    }
    let seen: Vec<_> = site.requests().all().into_iter().map(|request| request.uri).collect();
    assert_eq!(seen, targets);
}

#[tokio::test]
async fn the_feed_ends_the_script_when_nobody_has_listened_for_the_linger_time() {
    let site = php_server(Php::production()).await;
    let sluice = sharing_all_of(site.address(), "").await;
    let mut subscribers = Subscriber::of_every_way(&sluice, "/numbered.php?ms=20").await;
    subscribers[2].next_event(SOON).await;
    subscribers.truncate(1);
    subscribers[0].next_events(3, SOON).await;
    assert_eq!(site.requests().running("/numbered.php"), 1);
    subscribers.clear();
    site.requests().wait_for_running("/numbered.php", 0, SOON).await;
}
