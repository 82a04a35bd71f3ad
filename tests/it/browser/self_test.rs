//! The harness, tested without Sluice: what it shows of a browser before a plain HTTP/1.1 server.

use std::collections::HashSet;
use std::time::Duration;

use nix::sys::signal::killpg;
use serde_json::json;

use super::sse_server::{Answer, Head, SseServer};
use super::{Browser, Outcome, Page, Request};

const DEADLINE: Duration = Duration::from_secs(20);

/// The two pages, and streams that stay, that end and resume, or that are something else.
fn answer(head: &Head, before: usize) -> Answer {
    match (head.path.as_str(), before) {
        ("/many.html", _) => Answer::Html(include_str!("../../pages/many.html")),
        ("/semantics.html", _) => Answer::Html(include_str!("../../pages/semantics.html")),
        ("/resumed", 0) => Answer::Ends("retry: 30\nid: 7\ndata: one\n\ndata: cut o"),
        ("/resumed", 1) => Answer::Ends("id: 8\ndata: two\n\n"),
        ("/resumed", _) => Answer::NoContent,
        ("/named", _) => Answer::Stays("data: plain\n\nevent: tick\ndata: named\n\n"),
        ("/moved", _) => Answer::MovedTo("/named"),
        ("/text", _) => Answer::Html("no event stream"),
        _ => Answer::Stays("data: hello\n\n"),
    }
}

async fn open(browser: &Browser, server: &SseServer, path: &str) -> Page {
    let page = browser.page().await;
    page.goto(&format!("http://app.test:{}{path}", server.address.port())).await;
    page
}

fn streams(requests: &[Request]) -> Vec<&Request> {
    requests.iter().filter(|request| request.kind == "EventSource").collect()
}

#[tokio::test]
async fn over_http_1_the_seventh_event_source_waits_until_another_closes() {
    let (server, browser) = (SseServer::start(answer).await, Browser::start().await);
    let page = open(&browser, &server, "/many.html?count=7&url=/quiet/{i}").await;
    page.wait_for("state.open === 6 && state.events === 6", DEADLINE).await;
    assert_eq!(page.eval("state.sources[6].readyState").await, 0);
    assert!(server.seen("/quiet/6").is_empty());

    let requests = page.network();
    let answered = streams(&requests).into_iter().filter(|request| request.status == Some(200));
    let connections: HashSet<_> = answered.map(|request| request.connection).collect();
    assert_eq!((connections.len(), connections.contains(&None)), (6, false));
    assert_eq!(streams(&requests)[0].protocol.as_deref(), Some("http/1.1"));
    assert_eq!(streams(&requests)[6].outcome, Outcome::Pending);

    page.eval("closeStream(0)").await;
    page.wait_for("state.sources[6].readyState === EventSource.OPEN", DEADLINE).await;
    assert_eq!(page.eval("state.open").await, 6);
    assert_eq!(page.eval("state.sources[6].lastData").await, "hello");
}

#[tokio::test]
async fn an_ended_stream_is_resumed_with_its_last_event_id_until_a_204() {
    let (server, browser) = (SseServer::start(answer).await, Browser::start().await);
    let page = open(&browser, &server, "/semantics.html").await;
    page.eval("record('/resumed')").await;
    page.wait_for("source.readyState === EventSource.CLOSED", DEADLINE).await;

    let events = "seen('onmessage').map(({ data, lastEventId }) => [data, lastEventId])";
    assert_eq!(page.eval(events).await, json!([["one", "7"], ["two", "8"]]));
    let states = "seen('onerror').map(({ readyState }) => readyState)";
    assert_eq!(page.eval(states).await, json!([0, 0, 2]));
    let ids = server.seen("/resumed").into_iter().map(|head| head.last_event_id);
    let wanted = [None, Some("7".to_owned()), Some("8".to_owned())];
    assert_eq!(ids.collect::<Vec<_>>(), wanted);
    let requests = page.network();
    let told = streams(&requests).into_iter().map(|request| request.last_event_id.clone());
    assert_eq!(told.collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn a_named_event_reaches_its_listener_alone_and_a_closed_source_stays_closed() {
    let (server, browser) = (SseServer::start(answer).await, Browser::start().await);
    let page = open(&browser, &server, "/semantics.html").await;
    page.eval("record('/named', { types: ['tick'] })").await;
    page.wait_for("log.length === 3", DEADLINE).await;
    let handlers = page.eval("log.map(({ handler, data }) => [handler, data])").await;
    assert_eq!(handlers, json!([["onopen", null], ["onmessage", "plain"], ["tick", "named"]]));

    page.eval("source.close()").await;
    assert_eq!(page.eval("source.readyState").await, 2);
    let ended = |requests: &[Request]| streams(requests)[0].outcome != Outcome::Pending;
    page.wait_for_network(ended, DEADLINE).await;
    assert_eq!(server.seen("/named").len(), 1);
}

#[tokio::test]
async fn a_redirected_stream_is_recorded_as_two_requests() {
    let (server, browser) = (SseServer::start(answer).await, Browser::start().await);
    let page = open(&browser, &server, "/semantics.html").await;
    page.eval("record('/moved')").await;
    page.wait_for("seen('onmessage').length === 1", DEADLINE).await;

    let requests = page.network();
    let streams = streams(&requests).into_iter();
    let told = streams.map(|request| (request.status, request.outcome.clone()));
    let (moved, opened) = ((Some(302), Outcome::Finished), (Some(200), Outcome::Pending));
    assert_eq!(told.collect::<Vec<_>>(), [moved, opened]);
}

#[tokio::test]
async fn what_a_page_logs_and_what_fails_is_recorded() {
    let (server, browser) = (SseServer::start(answer).await, Browser::start().await);
    let page = open(&browser, &server, "/semantics.html").await;
    page.eval("console.log('seven', 7, { seven: 7 })").await;
    page.eval("void setTimeout(() => { throw new Error('uncaught') })").await;
    page.eval("record('/text')").await;
    page.wait_for("source.readyState === EventSource.CLOSED", DEADLINE).await;
    // Chromium never connects to port 1.
    page.eval("fetch('http://app.test:1/').catch(() => {})").await;

    let failed = |request: &Request| matches!(request.outcome, Outcome::Failed(_));
    let requests = page.wait_for_network(|all| all.iter().any(failed), DEADLINE).await;
    let outcome = requests.into_iter().rfind(failed).map(|request| request.outcome);
    assert_eq!(outcome, Some(Outcome::Failed("net::ERR_UNSAFE_PORT".to_owned())));
    let console = page.console();
    for wanted in ["seven 7 Object", "uncaught", "MIME type"] {
        assert!(console.iter().any(|line| line.contains(wanted)), "{wanted}: {console:#?}");
    }
}

#[tokio::test]
async fn tabs_share_cookies_and_private_tabs_do_not() {
    let (server, browser) = (SseServer::start(answer).await, Browser::start().await);
    let first = open(&browser, &server, "/semantics.html").await;
    first.eval("document.cookie = 'user=anna'").await;
    first.close().await;
    open(&browser, &server, "/semantics.html").await;
    let url = format!("http://app.test:{}/semantics.html", server.address.port());
    browser.private_page().await.goto(&url).await;

    let cookies = server.seen("/semantics.html").into_iter().map(|head| head.cookie);
    assert_eq!(cookies.collect::<Vec<_>>(), [None, Some("user=anna".to_owned()), None]);
}

#[tokio::test]
async fn a_dropped_browser_leaves_neither_processes_nor_files() {
    let browser = Browser::start().await;
    let page = browser.page().await;
    let (group, home) = (browser.process.group(), browser.process.home().to_owned());
    page.screenshot(home.join("screenshot.png")).await;
    assert!(killpg(group, None).is_ok() && home.join("screenshot.png").is_file());

    drop(browser);
    assert!(!home.exists());
    // Killed children wait for the system's first process to notice.
    let gone = async {
        while killpg(group, None).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.expect("all of its processes have ended");
}
