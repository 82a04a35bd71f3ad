//! Pages of another origin: who may read, whose cookies go along, and what is never asked first.

use serde_json::{Value, json};

use super::{DEADLINE, LOG, NUMBERS, relay::Relay, site, sluice_on, streams};
use crate::{
    browser::{Browser, Page},
    origin::{
        PhpServer,
        port::{free_port, local},
    },
    sluice::Sluice,
};

/// Tells whose stream it is, to the pages of one site, as a legacy script would.
const WHOSE: &str = r#"<?php
$origin = $_SERVER['HTTP_ORIGIN'] ?? '';
if (preg_match('~^https?://app\.test:\d+$~', $origin)) {
    header("Access-Control-Allow-Origin: $origin");
    header('Access-Control-Allow-Credentials: true');
}
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
while (true) {
    echo 'data: ' . json_encode(['user' => $_COOKIE['user'] ?? null]) . "\n\n";
    ob_flush();
    flush();
    usleep(50000);
}
"#;

/// Resumes a stream as pages do that bring an EventSource of their own, up to its first event.
/// `Cache-Control` always has a preflight.
const FETCH: &str = "async (url, id) => {
    const { body } = await fetch(url, {
        headers: { 'Last-Event-ID': id, 'Cache-Control': 'no-cache' },
    });
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (let i = 0; i < 100 && !/data.*\\n\\n/.test(text); i++) {
        text += (await reader.read()).value;
    }
    await reader.cancel();
    return text;
}";

const PAGE: &str = "app.test";
/// Another origin, and the same site: cookies go there if the page says so.
const STREAM: &str = "events.app.test";
const FOREIGN: &str = "evil.test";

async fn sluice_before(php: &PhpServer, tls: u16, page_port: u16) -> Sluice {
    let page = format!("https://{PAGE}:{page_port}");
    let route = |path: &str, sse: &str| {
        format!("  - {{ path: '{path}', upstream: site, sse: {{ {sse} }} }}\n")
    };
    let cors = |origin: &str, more: &str| format!("cors: {{ origins: ['{origin}'], {more} }}");
    let routes = [
        route("/whose.php", &cors(&page, "credentials: true")),
        route("/nobodys.php", &cors(&page, "")),
        route("/everybodys.php", &cors("*", "")),
        route("/unlisted.php", ""),
        route("/numbered.php", &format!("retry: 300ms, {}", cors(&page, ""))),
        "  - { path: '/*', upstream: site }\n".to_owned(),
    ];
    let upstream = format!("upstreams: {{ site: {{ address: '{}' }} }}\n", php.address());
    sluice_on(tls, &format!("{upstream}routes:\n{}", routes.concat())).await
}

/// A page that has a cookie for its own site.
async fn visit(browser: &Browser, scheme: &str, host: &str, port: u16) -> Page {
    let page = browser.page().await;
    page.goto(&format!("{scheme}://{host}:{port}/semantics.html")).await;
    page.eval(&format!("document.cookie = 'user=anna; domain={host}'")).await;
    page
}

/// What a page records of a stream of the other origin, up to its second entry or its end; but
/// for the ids, which differ by design.
async fn heard(page: &Page, scheme: &str, port: u16, script: &str, credentials: bool) -> Value {
    let url = format!("{scheme}://{STREAM}:{port}{script}");
    page.eval(&format!("record('{url}', {{ withCredentials: {credentials} }})")).await;
    page.wait_for("log.length > 1 || source.readyState === EventSource.CLOSED", DEADLINE).await;
    let log = page.eval(&format!("{LOG}.slice(0, 2)")).await;
    let own = format!("{scheme}://{STREAM}:{port}");
    let mut log: Value = log.to_string().replace(&own, "the stream's").parse().expect("JSON");
    for entry in log.as_array_mut().expect("a log") {
        entry["lastEventId"].take();
    }
    log
}

#[tokio::test]
async fn a_listed_origin_reads_with_and_without_its_cookies_and_a_foreign_one_is_refused() {
    let (php, port) = (site(10).await, free_port());
    for name in ["whose.php", "nobodys.php", "everybodys.php", "unlisted.php"] {
        php.add_page(name, WHOSE);
    }
    let sluice = sluice_before(&php, port, port).await;
    let browser = Browser::start().await;
    let (direct, through) = (("http", php.address().port()), ("https", sluice.tls.port()));
    for (host, credentials, user) in [
        (PAGE, false, Some(Value::Null)),
        (PAGE, true, Some(json!("anna"))),
        (FOREIGN, false, None),
        (FOREIGN, true, None),
    ] {
        let mut logs = Vec::new();
        for (scheme, port) in [direct, through] {
            let page = visit(&browser, scheme, host, port).await;
            logs.push(heard(&page, scheme, port, "/whose.php", credentials).await);
            page.close().await;
        }
        assert_eq!(logs[1], logs[0], "{host}, credentials: {credentials}");
        match user {
            Some(user) => {
                let data = json!({ "user": user }).to_string();
                assert_eq!(logs[1][0]["handler"], "onopen", "{host}");
                assert_eq!(
                    (&logs[1][1]["data"], &logs[1][1]["origin"]),
                    (&json!(data), &json!("the stream's"))
                );
            }
            None => assert_eq!(
                (&logs[1][0]["handler"], &logs[1][0]["readyState"]),
                (&json!("onerror"), &json!(2))
            ),
        }
    }
}

#[tokio::test]
async fn a_route_lets_in_whom_its_cors_names_whatever_the_script_says() {
    let (php, port) = (site(10).await, free_port());
    for name in ["nobodys.php", "everybodys.php", "unlisted.php"] {
        php.add_page(name, WHOSE);
    }
    let sluice = sluice_before(&php, port, port).await;
    let browser = Browser::start().await;
    for (host, script, credentials, may) in [
        (PAGE, "/nobodys.php", false, true),
        (PAGE, "/nobodys.php", true, false),
        (FOREIGN, "/nobodys.php", false, false),
        (PAGE, "/everybodys.php", false, true),
        (FOREIGN, "/everybodys.php", false, true),
        (FOREIGN, "/everybodys.php", true, false),
        // The script allows it; but only the gateway's head reaches a page.
        (PAGE, "/unlisted.php", false, false),
    ] {
        let page = visit(&browser, "https", host, sluice.tls.port()).await;
        let log = heard(&page, "https", port, script, credentials).await;
        let wanted = if may { "onopen" } else { "onerror" };
        assert_eq!(log[0]["handler"], wanted, "{host} {script} {credentials}: {log}");
        page.close().await;
    }
}

/// Chromium asks first for no EventSource, whatever the id; other browsers do for some ids, and
/// `semantics.rs` holds that assigned ones are none of those.
#[tokio::test]
async fn an_event_source_resumes_across_origins_without_a_preflight() {
    let (php, tls) = (site(10).await, free_port());
    let relay = Relay::before(local(tls)).await;
    let port = relay.address.port();
    let sluice = sluice_before(&php, tls, port).await;
    let browser = Browser::start().await;
    let page = visit(&browser, "https", PAGE, port).await;
    page.eval(&format!("record('https://{STREAM}:{port}/numbered.php?ms=50')")).await;
    page.wait_for("seen('onmessage').length > 2", DEADLINE).await;
    relay.cut();
    page.wait_for("seen('onopen').length === 2", DEADLINE).await;
    page.eval("window.before = seen('onmessage').length").await;
    page.wait_for("seen('onmessage').length > before + 8", DEADLINE).await;

    let numbers = page.eval(NUMBERS).await;
    let count = numbers.as_array().expect("a list").len() as u64;
    let first = numbers[0].as_u64().expect("a number");
    assert_eq!(numbers, json!((first..first + count).collect::<Vec<_>>()));
    let resumed = streams(&page).pop().expect("a request");
    assert!(resumed.last_event_id.is_some(), "{resumed:?}");
    assert_eq!(preflights(&page), []);
    assert_eq!(sluice.metric("sluice_requests_total", &["status=\"204\""]).await, 0.0);
}

/// What an EventSource is spared, and that this test would see it.
#[tokio::test]
async fn a_page_that_resumes_by_fetch_is_preflighted_and_let_in_and_a_foreign_one_is_not() {
    let (php, port) = (site(10).await, free_port());
    let sluice = sluice_before(&php, port, port).await;
    let browser = Browser::start().await;
    let page = visit(&browser, "https", PAGE, port).await;
    let url = format!("https://{STREAM}:{port}/numbered.php?ms=50");
    page.eval(&format!("record('{url}')")).await;
    page.wait_for("seen('onmessage').length > 3", DEADLINE).await;
    let first = page.eval("log[1]").await;
    let fetch = format!("({FETCH})('{url}', {})", first["lastEventId"]);
    let text = page.eval(&fetch).await;
    let text = text.as_str().expect("text");
    let number: Value = first["data"].as_str().expect("data").parse().expect("JSON");
    let next = number["n"].as_u64().expect("a number") + 1;
    let data = text.lines().find_map(|line| line.strip_prefix("data: "));
    assert_eq!(data, Some(json!({ "n": next }).to_string().as_str()), "{text}");
    assert_eq!(preflights(&page), [Some(204)]);

    let foreign = visit(&browser, "https", FOREIGN, port).await;
    let refused = foreign.eval(&format!("{fetch}.catch(({{ message }}) => message)")).await;
    assert_eq!(refused, "Failed to fetch");
    assert_eq!(preflights(&foreign).len(), 1);
    // Refused by the browser: no stream was asked for.
    let statuses = async |status: &str| sluice.metric("sluice_requests_total", &[status]).await;
    assert_eq!(statuses("status=\"204\"").await, 2.0);
    assert_eq!(sluice.metric("sluice_subscriptions_total", &[]).await, 2.0);
}

/// The statuses that preflights got.
fn preflights(page: &Page) -> Vec<Option<u16>> {
    let requests = page.network().into_iter();
    requests.filter(|request| request.method == "OPTIONS").map(|request| request.status).collect()
}
