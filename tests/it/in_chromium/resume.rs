//! Streams that break between the browser and Sluice: the browser resumes, and nothing is lost.

use std::collections::HashSet;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{DEADLINE, NUMBERS, origin, relay::Relay, semantics, site, sluice_on, streams};
use crate::{
    browser::{Browser, Outcome, Page},
    client::eventually,
    origin::port::free_port,
    sluice::Sluice,
};

const CUTS: usize = 3;

#[tokio::test]
async fn a_cut_stream_resumes_with_its_last_event_id_and_gets_every_event_once_in_order() {
    let php = site(6).await;
    // Ten events come while the browser waits.
    let sluice = Sluice::before(php.address(), "/numbered.php", "retry: 500ms").await;
    let browser = Browser::start().await;
    for (scheme, address) in [("https", sluice.tls), ("http", sluice.plain)] {
        let relay = Relay::before(address).await;
        let page = semantics(&browser, &origin(scheme, relay.address)).await;
        // A query of its own: another topic for each way.
        page.eval(&format!("record('/numbered.php?ms=50&{scheme}')")).await;
        let mut before_cuts = Vec::new();
        for cut in 1..=CUTS {
            page.eval("window.before = seen('onmessage').length").await;
            page.wait_for("seen('onmessage').length > before + 2", DEADLINE).await;
            relay.cut();
            page.wait_for(&format!("seen('onerror').length === {cut}"), DEADLINE).await;
            before_cuts.push(last_id(&page).await);
            page.wait_for(&format!("seen('onopen').length === {cut} + 1"), DEADLINE).await;
        }
        page.eval("window.before = seen('onmessage').length").await;
        page.wait_for("seen('onmessage').length > before + 20", DEADLINE).await;

        let numbers = page.eval(NUMBERS).await;
        let numbers: Vec<_> = numbers.as_array().expect("a list").iter().map(number).collect();
        assert!(numbers.windows(2).all(|two| two[1] == two[0] + 1), "{scheme}: {numbers:?}");
        let asked: Vec<_> = streams(&page).into_iter().map(|s| s.last_event_id).collect();
        let (first, resumes) = asked.split_first().expect("requests");
        assert_eq!((first, resumes), (&None, &before_cuts[..]), "{scheme}");
        let states = page.eval("seen('onerror').map(({ readyState }) => readyState)").await;
        assert_eq!(states, json!(vec![0; CUTS]));
        page.close().await;
    }
    let replayed = sluice.metric("sluice_subscriptions_total", &["start=\"replayed\""]).await;
    assert_eq!(replayed, (2 * CUTS) as f64);
    assert_eq!(php.requests().count("/numbered.php"), 2, "upstream nothing was cut");
}

#[tokio::test]
async fn a_drain_ends_the_streams_and_the_browser_finds_the_next_gateway_on_the_same_port() {
    let (php, port) = (site(6).await, free_port());
    let rest = format!(
        "upstreams: {{ site: {{ address: '{}' }} }}
routes:
  - {{ path: '/numbered.php', upstream: site, sse: {{ retry: 700ms }} }}
  - {{ path: '/*', upstream: site }}
",
        php.address()
    );
    let mut first = sluice_on(port, &rest).await;
    let browser = Browser::start().await;
    let page = browser.page().await;
    let url = "/many.html?count=12&url=/numbered.php?ms=50";
    page.goto(&format!("{}{url}", origin("https", first.tls))).await;
    page.wait_for("state.sources.every(({ events }) => events > 1)", DEADLINE).await;

    first.signal(Signal::SIGTERM);
    page.wait_for("state.sources.every(({ errors }) => errors > 0)", DEADLINE).await;
    // Ended, not cut off, and none was sent away.
    let ended: Vec<_> = streams(&page).into_iter().take(12).map(|s| s.outcome).collect();
    assert_eq!(ended, vec![Outcome::Finished; 12]);
    assert_eq!(page.eval("state.sources.every(({ readyState }) => readyState === 0)").await, true);
    eventually("the first gateway has ended", DEADLINE, async || first.has_ended()).await;

    let second = sluice_on(port, &rest).await;
    page.wait_for("state.open === 12", DEADLINE).await;
    page.eval("window.before = state.sources.map(({ events }) => events)").await;
    let more = "state.sources.every(({ events }, i) => events > before[i] + 1)";
    page.wait_for(more, DEADLINE).await;
    // The second gateway has another epoch: it says that it does not know the old ids.
    second.wait_for_metric("sluice_subscriptions_total", &["start=\"missed\""], 12.0).await;
    let ids: HashSet<_> = streams(&page).into_iter().filter_map(|s| s.last_event_id).collect();
    assert!(!ids.is_empty());
    assert_eq!(php.requests().count("/numbered.php"), 2, "one for each gateway");
}

async fn last_id(page: &Page) -> Option<String> {
    let id = page.eval("seen('onmessage').at(-1).lastEventId").await;
    id.as_str().map(str::to_owned)
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}
