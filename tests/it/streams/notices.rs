//! What PHP prints between events, with the paths of the server in it, and nobody may see.

use super::{
    SOON, assert_none_missing,
    script::{SCRIPTS, bring},
    sharing_all_of,
    site::{Site, apache, fpm, php_server},
    subscriber::{Subscriber, Way},
};
use crate::{
    client::Http1,
    origin::{Buffering, Php},
};

/// What gives a notice away: its markup, its words, the path of the script.
const TRACES: [&str; 5] = ["<b>", "Notice", "Warning", ".php", "on line"];

/// The scripts that flush a buffer which a PHP without php.ini does not have.
const NOISY: [&str; 3] = ["/sse.php?ms=30", "/time.php?ms=30", "/ssedemo_old.php?ms=30"];

async fn no_notice_passes(site: &impl Site) {
    let sluice = sharing_all_of(site.address(), "").await;
    let between = ["/notices.php?ms=30", "/notices.php?ms=30&html=0"];
    for target in NOISY.into_iter().chain(between) {
        let mut direct = Http1::get(site.address(), target, &[]).await;
        direct.next_events(4, SOON).await;
        assert!(direct.text().contains("on line"), "no notice: {}", direct.text());
        for way in Way::ALL {
            let mut subscriber = Subscriber::listen(&sluice, way, target).await;
            assert_none_missing(&subscriber.next_events(4, SOON).await);
            let text = subscriber.text();
            let trace = TRACES.iter().find(|trace| text.contains(**trace));
            assert_eq!(trace, None, "{target}: {text}");
        }
    }
}

#[tokio::test]
async fn notices_of_php_server_do_not_pass() {
    no_notice_passes(&php_server(Php::without_ini()).await).await;
}

#[tokio::test]
async fn notices_of_php_fpm_do_not_pass() {
    no_notice_passes(&fpm(Php::without_ini(), Buffering::Off).await).await;
}

#[tokio::test]
async fn notices_of_mod_php_do_not_pass() {
    no_notice_passes(&apache(Php::without_ini()).await).await;
}

#[tokio::test]
async fn scripts_that_print_notices_bring_all_their_events() {
    bring(&php_server(Php::without_ini()).await, SCRIPTS).await;
}

#[tokio::test]
async fn a_warning_in_the_midst_of_a_line_costs_the_rest_of_it_and_shows_no_path() {
    let site = php_server(Php::development()).await;
    let sluice = sharing_all_of(site.address(), "").await;
    for (html, data) in [("1", r#"{"n": 0, "user": "<br />"#), ("0", r#"{"n": 0, "user": ""#)] {
        let target = format!("/notices.php?ms=30&where=inside&html={html}");
        let mut subscriber = Subscriber::listen(&sluice, Way::Http2, &target).await;
        let event = subscriber.next_event(SOON).await;
        // As any EventSource reads it.
        assert_eq!(event.data, data);
        subscriber.next_event(SOON).await;
        assert!(!subscriber.text().contains("on line"), "{}", subscriber.text());
    }
}
