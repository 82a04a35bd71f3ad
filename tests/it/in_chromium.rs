//! Sluice between a real browser and a real PHP site: what a page observes.
//!
//! Where a page could also talk to the site itself, the same page does both, and what it recorded
//! is compared. Its three ways to the site are [`Ways`].

mod cross_origin;
mod many;
mod refusals;
mod relay;
mod resume;
mod semantics;
mod six;
mod trouble;

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;

use crate::{
    browser::{Browser, Page, Request},
    origin::{Buffering, Nginx, PhpFpm, PhpServer},
    sluice::Sluice,
};

/// Long beside all that is awaited here, so that only what is broken takes as long.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long it is watched that nothing more comes.
const QUIET: Duration = Duration::from_millis(600);

const MANY: &str = include_str!("../pages/many.html");
const SEMANTICS: &str = include_str!("../pages/semantics.html");

/// Everything that semantics.html has recorded, with the page's own origin written as `own`.
const LOG: &str = "log.map((entry) =>
    ({ ...entry, origin: entry.origin === location.origin ? 'own' : entry.origin }))";
/// The numbers in the data of all events so far, for the scripts that count.
const NUMBERS: &str = "seen('onmessage').map(({ data }) => JSON.parse(data).n)";

/// The origins under which a browser reaches one site.
struct Ways {
    /// The site itself.
    direct: String,
    /// Through Sluice over HTTP/1.1.
    http1: String,
    /// Through Sluice over TLS and HTTP/2.
    http2: String,
}

impl Ways {
    fn to(site: SocketAddr, sluice: &Sluice) -> Self {
        Self {
            direct: origin("http", site),
            http1: origin("http", sluice.plain),
            http2: origin("https", sluice.tls),
        }
    }

    fn all(&self) -> [&str; 3] {
        [&self.direct, &self.http1, &self.http2]
    }
}

/// A PHP site with both test pages.
async fn site(workers: usize) -> PhpServer {
    let php = PhpServer::start(workers).await;
    php.add_page("many.html", MANY);
    php.add_page("semantics.html", SEMANTICS);
    php
}

/// The same for many streams at once: a worker of `php -S` that has accepted two connections
/// serves the second only after the first.
async fn fpm_site(workers: usize) -> (PhpFpm, Nginx) {
    let fpm = PhpFpm::start(workers).await;
    fpm.add_page("many.html", MANY);
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    (fpm, nginx)
}

/// The gateway with its TLS listener on a port that was known before.
async fn sluice_on(tls: u16, upstreams_and_routes: &str) -> Sluice {
    let listeners = format!(
        "listeners:
  - {{ address: '127.0.0.1:{tls}', tls: {{ self_signed: [app.test, events.app.test] }} }}
  - {{ address: '127.0.0.1:0' }}
admin: {{ address: '127.0.0.1:0' }}
"
    );
    Sluice::start_whole(&format!("{listeners}{upstreams_and_routes}")).await
}

fn origin(scheme: &str, address: SocketAddr) -> String {
    format!("{scheme}://app.test:{}", address.port())
}

/// Opens semantics.html of an origin.
async fn semantics(browser: &Browser, origin: &str) -> Page {
    let page = browser.page().await;
    page.goto(&format!("{origin}/semantics.html")).await;
    page
}

/// Opens an EventSource there, waits for a condition, and gives what was recorded.
async fn recorded(browser: &Browser, origin: &str, record: &str, until: &str) -> Value {
    let page = semantics(browser, origin).await;
    page.eval(record).await;
    page.wait_for(until, DEADLINE).await;
    let log = page.eval(LOG).await;
    page.close().await;
    log
}

/// The requests that EventSources made.
fn streams(page: &Page) -> Vec<Request> {
    page.network().into_iter().filter(|request| request.kind == "EventSource").collect()
}
