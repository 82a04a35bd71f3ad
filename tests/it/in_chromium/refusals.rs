//! What a site says instead of a stream, on purpose: the page observes the same through Sluice.

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{DEADLINE, LOG, QUIET, Ways, semantics, site, streams};
use crate::{
    browser::{Browser, Outcome},
    origin::PhpServer,
    sluice::Sluice,
};

/// Ends its first stream, and then says that there is no more.
const DONE: &str = r#"<?php
if (isset($_SERVER['HTTP_LAST_EVENT_ID'])) { http_response_code(204); exit; }
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
echo "retry: 100\nid: 1\ndata: the only one\n\n";
"#;

/// A route for each script of this file.
async fn sluice_before(php: &PhpServer) -> Sluice {
    let shared = |path| {
        format!("  - {{ path: '{path}', upstream: site, sse: {{ linger: 0s, ids: upstream }} }}")
    };
    Sluice::start(&format!(
        "upstreams: {{ site: {{ address: '{}', max_streams: 20 }} }}
routes:
{}
{}
{}
  - {{ path: '/*', upstream: site }}
",
        php.address(),
        shared("/status.php"),
        shared("/numbered.php"),
        shared("/done.php"),
    ))
    .await
}

#[tokio::test]
async fn an_answer_that_is_no_stream_closes_the_event_source_for_ever() {
    let php = site(10).await;
    let sluice = sluice_before(&php).await;
    let browser = Browser::start().await;
    let ways = Ways::to(php.address(), &sluice);
    let answers = [
        ("code=204", 204),
        ("code=404", 404),
        ("code=410&type=text/event-stream&body=data:%20x%0A%0A", 410),
        ("code=200&type=text/html&body=data:%20x%0A%0A", 200),
        ("code=200&type=text/plain", 200),
    ];
    for way in ways.all() {
        let page = semantics(&browser, way).await;
        for (number, (query, status)) in answers.into_iter().enumerate() {
            page.eval(&format!("record('/status.php?{query}')")).await;
            page.wait_for("source.readyState === EventSource.CLOSED", DEADLINE).await;
            let log = page.eval(LOG).await;
            assert_eq!(log, json!([closed()]), "{query} on {way}");
            let asked = streams(&page);
            assert_eq!((asked.len(), asked[number].status), (number + 1, Some(status)), "{way}");
        }
        sleep(QUIET).await;
        assert_eq!(streams(&page).len(), answers.len(), "nothing is asked for again: {way}");
        page.close().await;
    }
    assert_eq!(php.requests().count("/status.php"), 3 * answers.len());
}

#[tokio::test]
async fn a_redirect_is_followed_to_the_stream() {
    let php = site(10).await;
    let sluice = sluice_before(&php).await;
    let browser = Browser::start().await;
    for way in Ways::to(php.address(), &sluice).all() {
        let page = semantics(&browser, way).await;
        for code in [301, 302, 307, 308] {
            let location = "/numbered.php?ms=100%26count=0";
            page.eval(&format!("record('/status.php?code={code}&location={location}')")).await;
            page.wait_for("seen('onmessage').length > 1", DEADLINE).await;
            let observed = page.eval("[log[0].handler, seen('onerror').length, source.url]").await;
            let url = format!("{way}/status.php?code={code}&location={location}");
            assert_eq!(observed, json!(["onopen", 0, url]), "{code} on {way}");
            let asked = streams(&page);
            let [.., moved, stream] = &asked[..] else { panic!("{asked:#?}") };
            assert_eq!((moved.status, stream.status), (Some(code), Some(200)), "{way}");
            assert_eq!(stream.url, format!("{way}/numbered.php?ms=100&count=0"));
            assert_eq!(stream.outcome, Outcome::Pending);
        }
        page.close().await;
    }
}

#[tokio::test]
async fn a_204_after_a_stream_stops_it_for_ever() {
    let php = site(10).await;
    php.add_page("done.php", DONE);
    let sluice = sluice_before(&php).await;
    let browser = Browser::start().await;
    let ways = Ways::to(php.address(), &sluice);
    for way in ways.all() {
        let page = semantics(&browser, way).await;
        let name = way.rsplit(':').next().expect("a port");
        page.eval(&format!("record('/done.php?way={name}')")).await;
        page.wait_for("source.readyState === EventSource.CLOSED", DEADLINE).await;
        let log = page
            .eval("log.map(({ handler, data, readyState }) => [handler, data, readyState])")
            .await;
        let wanted = json!([
            ["onopen", null, 1],
            ["onmessage", "the only one", 1],
            ["onerror", null, 0],
            ["onerror", null, 2],
        ]);
        assert_eq!(log, wanted, "{way}");
        sleep(QUIET).await;
        let statuses: Vec<_> = streams(&page).iter().map(|stream| stream.status).collect();
        assert_eq!(statuses, [Some(200), Some(204)], "{way}");
        page.close().await;
    }
}

/// The one entry of a stream that the browser gave up.
fn closed() -> Value {
    json!({
        "handler": "onerror", "type": "error", "data": null, "lastEventId": null,
        "origin": null, "readyState": 2,
    })
}
