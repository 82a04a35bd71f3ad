//! What a page observes of a stream that goes well, without Sluice and through it.

use std::collections::HashSet;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{DEADLINE, NUMBERS, QUIET, Ways, fpm_site, recorded, semantics, site};
use crate::{browser::Browser, sluice::Sluice};

/// A script with everything that the format has, and what is no part of it. Its comments at the
/// end are there to notice that a client has left.
const EVERYTHING: &str = r#"<?php
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
$blocks = [
    ": a comment\n\n",
    "data: plain\n\n",
    "event: tick\ndata: named\n\n",
    "event: other\ndata: nobody listens\n\n",
    "data: two\ndata: lines\n\n",
    "data: crlf\r\n\r\n",
    "data: cr\r\r",
    "id: 7\ndata: with an id\n\n",
    "data: inherits the id\n\n",
    "event: tick\nid: 8-\u{c9}\ndata: {\"named\": \"with an id\"}\n\n",
    "event: tick\n\n",
    "unknown: field\n<br />\ndata: after a stray line\n\n",
    "data\n\n",
    "data:\ndata:\n\n",
    "data:  one space stays\n\n",
    "id\ndata: no id any more\n\n",
    "data: \u{c548}\u{b155} \u{1f600}\n\n",
    "id: 9\n\n",
    "event: tick\ndata: last\n\n",
];
foreach ($blocks as $block) {
    echo $block;
    ob_flush();
    flush();
    usleep(5000);
}
while (true) {
    echo ":\n\n";
    ob_flush();
    flush();
    usleep(100000);
}
"#;

/// One event right after the head, and then nothing but comments.
const AT_ONCE: &str = r#"<?php
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
echo "data: now\n\n";
while (true) {
    ob_flush();
    flush();
    usleep(100000);
    echo ":\n\n";
}
"#;

/// As many as HTTP/1.1 allows.
const STREAMS: usize = 6;

const RECORD_TICK: &str = "types: ['tick']";
const LAST_SEEN: &str = "log.some(({ data }) => data === 'last')";

#[tokio::test]
async fn the_page_records_the_same_without_sluice_and_through_it() {
    let php = site(12).await;
    php.add_page("everything.php", EVERYTHING);
    let settings = "ids: upstream, linger: 0s";
    let sluice = Sluice::before(php.address(), "/everything.php", settings).await;
    let browser = Browser::start().await;
    let ways = Ways::to(php.address(), &sluice);
    for init in ["", "withCredentials: true"] {
        let record = format!("record('/everything.php', {{ {RECORD_TICK}, {init} }})");
        let direct = recorded(&browser, &ways.direct, &record, LAST_SEEN).await;
        let entries = direct.as_array().expect("a log");
        assert_eq!((entries.len(), &entries[0]["handler"]), (16, &json!("onopen")), "{direct:#}");
        for way in [&ways.http1, &ways.http2] {
            // Between two pages the topic ends: each is the first subscriber of a new one.
            sluice.wait_for_metric("sluice_topics", &[], 0.0).await;
            assert_eq!(recorded(&browser, way, &record, LAST_SEEN).await, direct, "{way}");
        }
    }
}

/// The difference by design: with `ids: assign` each event has an id, another one each.
#[tokio::test]
async fn assigned_ids_are_all_that_differs_where_the_gateway_names_them() {
    let php = site(12).await;
    php.add_page("everything.php", EVERYTHING);
    let sluice = Sluice::before(php.address(), "/everything.php", "linger: 0s").await;
    let browser = Browser::start().await;
    let ways = Ways::to(php.address(), &sluice);
    let record = format!("record('/everything.php', {{ {RECORD_TICK} }})");
    let (direct, _) = without_ids(recorded(&browser, &ways.direct, &record, LAST_SEEN).await);
    for way in [&ways.http1, &ways.http2] {
        sluice.wait_for_metric("sluice_topics", &[], 0.0).await;
        let (log, ids) = without_ids(recorded(&browser, way, &record, LAST_SEEN).await);
        assert_eq!(log, direct, "{way}");
        let (opened, ids) = ids.split_first().expect("onopen");
        assert_eq!(opened, &Value::Null);
        let distinct: HashSet<_> = ids.iter().map(|id| id.as_str().expect("an id")).collect();
        assert_eq!(distinct.len(), 15, "{ids:?}");
        // Safelisted bytes and few of them: no browser asks before it sends such an id.
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(
            distinct.iter().all(|id| (10..=128).contains(&id.len()) && id.chars().all(is_plain)),
            "{ids:?}"
        );
    }
}

/// The difference by design: the end of a script is between Sluice and the site.
#[tokio::test]
async fn a_script_that_ends_is_an_error_to_the_page_without_sluice_and_nothing_through_it() {
    let php = site(12).await;
    let settings = "ids: upstream, linger: 0s";
    let sluice = Sluice::before(php.address(), "/resume.php", settings).await;
    let browser = Browser::start().await;
    let ways = Ways::to(php.address(), &sluice);
    let (record, until) =
        ("record('/resume.php?retry=100&count=3&ms=20')", "seen('onmessage').length >= 9");
    for way in ways.all() {
        let page = semantics(&browser, way).await;
        page.eval(record).await;
        page.wait_for(until, DEADLINE).await;
        // Not one is lost or comes twice, whoever reconnects.
        let numbers = page.eval(&format!("{NUMBERS}.slice(0, 9)")).await;
        assert_eq!(numbers, json!([1, 2, 3, 4, 5, 6, 7, 8, 9]), "{way}");
        let handlers =
            page.eval("log.slice(0, 8).map((entry) => [entry.handler, entry.readyState])").await;
        let (opened, heard) = (json!(["onopen", 1]), json!(["onmessage", 1]));
        let mut wanted = vec![heard; 8];
        wanted[0] = opened.clone();
        if way == ways.direct {
            (wanted[4], wanted[5]) = (json!(["onerror", 0]), opened);
        } else {
            assert_eq!(page.eval("seen('onerror').length").await, 0, "{way}");
        }
        assert_eq!(handlers, json!(wanted), "{way}");
        page.close().await;
        sluice.wait_for_metric("sluice_topics", &[], 0.0).await;
    }
}

#[tokio::test]
async fn a_closed_event_source_hears_nothing_more_and_its_stream_ends() {
    let php = site(12).await;
    let sluice = Sluice::before(php.address(), "/numbered.php", "linger: 0s").await;
    let browser = Browser::start().await;
    for way in Ways::to(php.address(), &sluice).all() {
        let page = semantics(&browser, way).await;
        page.eval("record('/numbered.php?ms=50')").await;
        page.wait_for("seen('onmessage').length > 1", DEADLINE).await;
        let length = page.eval("(source.close(), log.length)").await;
        assert_eq!(page.eval("source.readyState").await, 2, "{way}");
        sleep(QUIET).await;
        assert_eq!(page.eval("log.length").await, length, "{way}");
        php.requests().wait_for_running("/numbered.php", 0, DEADLINE).await;
        assert_eq!(sluice.metric("sluice_subscribers", &[]).await, 0.0, "{way}");
    }
    assert_eq!(php.requests().count("/numbered.php"), 3);
}

/// A script may say all it has to say at once with its head; who made it run must get that.
#[tokio::test]
async fn the_first_subscriber_gets_the_first_event_however_fast_it_comes() {
    let (fpm, nginx) = fpm_site(STREAMS + 2).await;
    fpm.add_page("at_once.php", AT_ONCE);
    let sluice = Sluice::before(nginx.address(), "/at_once.php", "linger: 0s").await;
    let browser = Browser::start().await;
    for way in Ways::to(nginx.address(), &sluice).all() {
        let page = browser.page().await;
        // Each has a topic of its own.
        page.goto(&format!("{way}/many.html?count={STREAMS}&url=/at_once.php?i={{i}}")).await;
        page.wait_for(&format!("state.open === {STREAMS}"), DEADLINE).await;
        page.wait_for(&format!("state.events === {STREAMS}"), DEADLINE).await;
        page.close().await;
        fpm.requests().wait_for_running("/at_once.php", 0, DEADLINE).await;
    }
}

/// Nothing is written to such a stream that could fail: only its reset tells of the end.
#[tokio::test]
async fn a_closed_stream_that_was_silent_frees_its_topic_at_once() {
    let php = site(12).await;
    php.add_page("at_once.php", AT_ONCE);
    let settings = "linger: 0s, heartbeat: 1h";
    let sluice = Sluice::before(php.address(), "/at_once.php", settings).await;
    let browser = Browser::start().await;
    let ways = Ways::to(php.address(), &sluice);
    for way in [&ways.http1, &ways.http2] {
        let page = semantics(&browser, way).await;
        page.eval("record('/at_once.php')").await;
        page.wait_for("seen('onmessage').length === 1", DEADLINE).await;
        page.eval("source.close()").await;
        sluice.wait_for_metric("sluice_subscribers", &[], 0.0).await;
        php.requests().wait_for_running("/at_once.php", 0, DEADLINE).await;
    }
}

/// A log without the ids, and the ids.
fn without_ids(mut log: Value) -> (Value, Vec<Value>) {
    let entries = log.as_array_mut().expect("a log");
    let ids = entries.iter_mut().map(|entry| entry["lastEventId"].take()).collect();
    (log, ids)
}
