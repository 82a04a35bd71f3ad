//! A site that falls silent for longer than its `read_timeout` is asked again, unnoticed.

use std::time::Duration;

use crate::{client::Http1, origin::PhpServer, sluice::Sluice};

/// Generous: a loaded machine must not fail a test.
const SOON: Duration = Duration::from_secs(30);

/// The first run says `$first` and is silent from then on; later runs send an event at once.
const STUCK: &str = "<?php
header('Content-Type: text/event-stream');
$seen = file_exists('seen');
touch('seen');
if ($seen) { echo \"data: again\\n\\n\"; } else { $first }
ob_flush();
flush();
sleep(600);
";

async fn listens_before(first: &str) -> (PhpServer, Sluice) {
    let php = PhpServer::start(5).await;
    php.add_page("stuck.php", &STUCK.replace("$first", first));
    let sluice = Sluice::start(&format!(
        "upstreams: {{ site: {{ address: '{}', read_timeout: 500ms }} }}
routes: [{{ path: /stuck.php, upstream: site, sse: {{ retry: 100ms }} }}]
",
        php.address()
    ))
    .await;
    (php, sluice)
}

#[tokio::test]
async fn a_script_that_falls_silent_is_asked_again_and_its_subscribers_stay() {
    let (_php, sluice) = listens_before("echo \"data: once\\n\\n\";").await;
    let mut stream = Http1::get(sluice.plain, "/stuck.php", &[]).await;
    assert_eq!(stream.next_event(SOON).await.data, "once");
    assert_eq!(stream.next_event(SOON).await.data, "again");
}

#[tokio::test]
async fn a_script_that_sends_no_head_is_asked_again() {
    let (_php, sluice) = listens_before("sleep(600);").await;
    let mut stream = Http1::get(sluice.plain, "/stuck.php", &[]).await;
    assert_eq!(stream.next_event(SOON).await.data, "again");
}
