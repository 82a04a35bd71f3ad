//! What Sluice is for: many streams of one page over one connection, few of them upstream.

use std::{collections::HashSet, fs, path::Path};

use serde_json::Value;

use super::{DEADLINE, fpm_site, origin, streams};
use crate::{
    browser::{Browser, Page, Request},
    origin::{Nginx, PhpFpm},
    sluice::Sluice,
};

const STREAMS: usize = 100;
const TOPICS: usize = 4;

/// A tab with a hundred open streams, and everything behind it.
struct Hundred {
    page: Page,
    browser: Browser,
    sluice: Sluice,
    fpm: PhpFpm,
    _nginx: Nginx,
}

impl Hundred {
    async fn open() -> Self {
        let (fpm, nginx) = fpm_site(TOPICS + 2).await;
        let shared = "vary: { query: all, cookies: [], headers: [] }, linger: 1s";
        let sluice = Sluice::before(nginx.address(), "/numbered.php", shared).await;
        let browser = Browser::start().await;
        let page = browser.page().await;
        let url = format!("/numbered.php?ms=200%26topic={{t}}%26topics={TOPICS}");
        let origin = origin("https", sluice.tls);
        let query = format!("count={STREAMS}&topics={TOPICS}&url={url}");
        page.goto(&format!("{origin}/many.html?{query}")).await;
        page.wait_for(&format!("state.open === {STREAMS}"), DEADLINE).await;
        Self { page, browser, sluice, fpm, _nginx: nginx }
    }

    /// Waits until every stream has got so many events more.
    async fn wait_for_events(&self, count: usize) {
        self.page.eval("window.before = state.sources.map(({ events }) => events)").await;
        let more =
            format!("state.sources.every(({{ events }}, i) => events >= before[i] + {count})");
        self.page.wait_for(&more, DEADLINE).await;
    }

    async fn assert_undisturbed(&self) {
        assert_eq!(self.page.eval("state.open").await, STREAMS);
        assert_eq!(self.page.eval("state.errors").await, 0);
    }
}

#[tokio::test]
async fn a_hundred_event_sources_share_one_connection_and_each_topic_one_upstream_stream() {
    let hundred = Hundred::open().await;
    hundred.wait_for_events(2).await;
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
    fs::create_dir_all(&screenshots).expect("a directory");
    hundred.page.screenshot(screenshots.join("a_hundred_streams.png")).await;
    hundred.assert_undisturbed().await;

    let streams = streams(&hundred.page);
    assert_eq!(streams.len(), STREAMS);
    for stream in &streams {
        assert_eq!((stream.protocol.as_deref(), stream.status), (Some("h2"), Some(200)));
    }
    // The page itself came over it too.
    let requests = hundred.page.network();
    let connections: HashSet<_> = requests.iter().map(|request| request.connection).collect();
    assert_eq!((connections.len(), connections.contains(&None)), (1, false), "{requests:#?}");

    let upstream = hundred.fpm.requests().of("/numbered.php");
    let topics: HashSet<_> = upstream.iter().map(|request| request.uri.clone()).collect();
    assert_eq!((upstream.len(), topics.len()), (TOPICS, TOPICS), "{topics:?}");
    assert_eq!(hundred.fpm.requests().running("/numbered.php"), TOPICS);
    hundred.sluice.wait_for_metric("sluice_subscribers", &[], STREAMS as f64).await;
    hundred.sluice.wait_for_metric("sluice_topics", &[], TOPICS as f64).await;
}

#[tokio::test]
async fn every_stream_of_a_topic_gets_the_same_events() {
    let hundred = Hundred::open().await;
    hundred.wait_for_events(2).await;
    // Between two events of a topic, its streams are all at the same one.
    let alike = "[0, 1, 2, 3].every((topic) => new Set(state.sources
        .filter((_, i) => i % 4 === topic).map(({ lastId }) => lastId)).size === 1)";
    hundred.page.wait_for(alike, DEADLINE).await;
    let ids = hundred.page.eval("[...new Set(state.sources.map(({ lastId }) => lastId))]").await;
    let epochs: HashSet<_> = ids.as_array().expect("an array").iter().map(epoch).collect();
    assert_eq!(epochs.len(), TOPICS, "each topic has ids of its own: {ids}");
    hundred.assert_undisturbed().await;
}

#[tokio::test]
async fn an_ordinary_page_and_a_form_load_while_a_hundred_streams_are_open() {
    let hundred = Hundred::open().await;
    hundred.fpm.add_page(
        "form.html",
        "<!doctype html><form method=post action=/echo.php?saved=1>
         <input name=user value='Anna &amp; Jürgen'><input name=note value='a=b&amp;c'></form>",
    );
    let origin = origin("https", hundred.sluice.tls);
    let tab = hundred.browser.page().await;
    tab.goto(&format!("{origin}/page.php")).await;
    assert_eq!(tab.eval("document.title").await, "An ordinary page");

    tab.goto(&format!("{origin}/form.html")).await;
    tab.eval("document.forms[0].submit()").await;
    tab.wait_for("location.pathname === '/echo.php' && document.body.innerText", DEADLINE).await;
    let echo = tab.eval("JSON.parse(document.body.innerText)").await;
    assert_eq!((&echo["method"], &echo["uri"]), (&"POST".into(), &"/echo.php?saved=1".into()));
    // The page names no charset: what matters is that the bytes arrived as they were sent.
    let body = echo["body"].as_str().expect("a body");
    assert!(body.starts_with("user=Anna+%26+J") && body.ends_with("&note=a%3Db%26c"), "{body}");

    // Both went over the connection that carries the streams.
    let of_streams = streams(&hundred.page)[0].connection;
    let mut pages = tab.network();
    // Not the icon that the browser looks for by itself.
    pages.retain(|request| request.kind == "Document");
    let over = |request: &Request| (request.status, request.connection);
    assert_eq!(pages.len(), 3, "{pages:#?}");
    assert!(pages.iter().all(|page| over(page) == (Some(200), of_streams)), "{pages:#?}");
    hundred.wait_for_events(2).await;
    hundred.assert_undisturbed().await;
}

#[tokio::test]
async fn a_closed_tab_frees_its_topics_and_their_workers() {
    let Hundred { page, sluice, fpm, browser: _browser, _nginx } = Hundred::open().await;
    page.close().await;
    sluice.wait_for_metric("sluice_subscribers", &[], 0.0).await;
    sluice.wait_for_metric("sluice_topics", &[], 0.0).await;
    fpm.requests().wait_for_running("/numbered.php", 0, DEADLINE).await;
}

/// The part of an assigned id that a topic's ids have in common.
fn epoch(id: &Value) -> String {
    let id = id.as_str().expect("an id");
    id.split('-').next().expect("a part").to_owned()
}
