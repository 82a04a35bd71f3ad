//! Trouble upstream that may pass: Sluice hides it, so that no page gives up.

use serde_json::json;

use super::{DEADLINE, NUMBERS, Ways, semantics, site};
use crate::{browser::Browser, client::eventually, origin::PhpServer, sluice::Sluice};

/// A script that is out of order until there is a file beside it.
const UNDER_REPAIR: &str = r#"<?php
if (!is_file(__DIR__ . '/repaired')) {
    http_response_code(503);
    header('Retry-After: 1');
    exit('Under repair');
}
require __DIR__ . '/numbered.php';
"#;

#[tokio::test]
async fn a_503_closes_the_stream_without_sluice_and_is_hidden_by_it_until_the_script_is_back() {
    let php = site(10).await;
    php.add_page("repair.php", UNDER_REPAIR);
    let settings = "retry: 100ms, linger: 0s";
    let sluice = Sluice::before(php.address(), "/repair.php", settings).await;
    let browser = Browser::start().await;
    let ways = Ways::to(php.address(), &sluice);
    let direct = semantics(&browser, &ways.direct).await;
    direct.eval("record('/repair.php?ms=50')").await;
    direct.wait_for("source.readyState === EventSource.CLOSED", DEADLINE).await;

    let mut pages = Vec::new();
    for way in [&ways.http1, &ways.http2] {
        let page = semantics(&browser, way).await;
        page.eval("record('/repair.php?ms=50')").await;
        page.wait_for("source.readyState === EventSource.OPEN", DEADLINE).await;
        pages.push(page);
    }
    wait_for_failure(&sluice, "status_5xx").await;
    php.add_page("repaired", "");
    for page in pages {
        page.wait_for("seen('onmessage').length > 2", DEADLINE).await;
        let handlers = page.eval("[...new Set(log.map(({ handler }) => handler))]").await;
        assert_eq!(handlers, json!(["onopen", "onmessage"]));
        assert_eq!(page.eval(&format!("{NUMBERS}.slice(0, 3)")).await, json!([0, 1, 2]));
    }
    // What the browser once gave up it does not take up again.
    assert_eq!(direct.eval("[source.readyState, log.length]").await, json!([2, 1]));
}

#[tokio::test]
async fn a_site_that_is_down_is_hidden_and_the_stream_begins_when_it_comes_back() {
    let (php, mut other) = (site(10).await, PhpServer::start(4).await);
    let sluice = Sluice::start(&format!(
        "upstreams: {{ site: {{ address: '{}' }}, other: {{ address: '{}' }} }}
routes:
  - {{ path: '/numbered.php', upstream: other, sse: {{ retry: 100ms }} }}
  - {{ path: '/*', upstream: site }}
",
        php.address(),
        other.address(),
    ))
    .await;
    other.stop();
    let browser = Browser::start().await;
    let ways = Ways::to(php.address(), &sluice);
    let mut pages = Vec::new();
    for way in [&ways.http1, &ways.http2] {
        let page = semantics(&browser, way).await;
        page.eval("record('/numbered.php?ms=50')").await;
        page.wait_for("source.readyState === EventSource.OPEN", DEADLINE).await;
        pages.push(page);
    }
    wait_for_failure(&sluice, "connect_error").await;
    assert_eq!(sluice.metric("sluice_events_published_total", &[]).await, 0.0);

    // It comes, goes in the middle of the stream, and comes again.
    for _ in 0..2 {
        other.restart().await;
        for page in &pages {
            page.eval("window.before = seen('onmessage').length").await;
            page.wait_for("seen('onmessage').length > before + 2", DEADLINE).await;
        }
        other.stop();
    }
    for page in &pages {
        let handlers = page.eval("[...new Set(log.map(({ handler }) => handler))]").await;
        assert_eq!(handlers, json!(["onopen", "onmessage"]));
        assert_eq!(page.eval("source.readyState").await, 1);
        // The script counts from 0 again, and Sluice carries what it says.
        assert_eq!(page.eval(&format!("{NUMBERS}.filter((n) => n === 0).length")).await, 2);
    }
}

/// Waits until the feed has failed to connect in this way.
async fn wait_for_failure(sluice: &Sluice, outcome: &str) {
    let label = format!("outcome=\"{outcome}\"");
    eventually(&label, DEADLINE, async || {
        sluice.metric("sluice_upstream_connects_total", &[&label]).await > 0.0
    })
    .await;
}
