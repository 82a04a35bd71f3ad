//! Every script of a legacy site, under every server that such sites run on, through Sluice.
//!
//! ```text
//! site      a PHP site, whichever server it runs on
//! script    the endless scripts, and what they must bring
//! php       the scripts under php -S, php-fpm and Apache
//! node      plain Node and Express
//! database  the scripts that poll a table
//! notices   what PHP prints between events and nobody may see
//! ```

mod database;
mod node;
mod notices;
mod php;
mod script;
mod site;
pub mod subscriber;

use std::{net::SocketAddr, time::Duration};

use self::subscriber::{Subscriber, Way};
use crate::{client::Event, sluice::Sluice};

/// For what comes at once. Generous: it only runs out when something is broken.
pub const SOON: Duration = Duration::from_secs(30);

/// Starts a gateway that shares every path of a site. Feeds end with their last subscriber, so
/// that none takes a worker from the next script.
async fn sharing_all_of(upstream: SocketAddr, settings: &str) -> Sluice {
    Sluice::start(&format!(
        "upstreams: {{ site: {{ address: '{upstream}', max_streams: 100 }} }}
routes:
  - {{ path: '/*', upstream: site, sse: {{ retry: 50ms, linger: 0s, {settings} }} }}
"
    ))
    .await
}

/// The head of a stream is the gateway's own, to the last header.
fn assert_own_head(subscriber: &Subscriber, way: Way) {
    let head = subscriber.head();
    assert_eq!(head.status, 200);
    let mut headers: Vec<(&str, &str)> = Vec::new();
    for (name, value) in &head.headers {
        headers.push((name.as_str(), value.to_str().expect("an ASCII header")));
    }
    headers.sort_unstable();
    let mut expected = vec![
        ("cache-control", "no-cache, no-transform"),
        ("content-type", "text/event-stream"),
        ("date", subscriber.header("date")),
        ("x-accel-buffering", "no"),
    ];
    if way != Way::Http2 {
        expected.extend([("connection", "keep-alive"), ("transfer-encoding", "chunked")]);
        expected.sort_unstable();
    }
    assert_eq!(headers, expected, "{way:?}");
}

/// The gateway's ids say which events these are: none is missing between the first and the last.
fn assert_none_missing(events: &[Event]) {
    let places: Vec<_> = events.iter().map(place).collect();
    for pair in places.windows(2) {
        let ((epoch, number), (next_epoch, next)) = (pair[0], pair[1]);
        assert_eq!((next_epoch, next), (epoch, number + 1), "{events:?}");
    }
}

/// An assigned id in its two parts.
fn place(event: &Event) -> (&str, u64) {
    let (epoch, number) = event.id.rsplit_once('-').expect("an assigned id");
    (epoch, number.parse().expect("a number"))
}
