//! Everything goes wrong for a minute, and nobody loses an event.
//!
//! Scripts die, php-fpm is reloaded, nginx is restarted, workers are killed, and subscribers'
//! connections are cut and come back with their `Last-Event-ID`. `SLUICE_CHAOS_SECONDS` makes it
//! longer.

mod audience;
mod trouble;

use std::{fs, time::Duration};

use crate::{
    client::eventually,
    origin::{Buffering, Nginx, PhpFpm},
    sluice::Sluice,
};

use audience::{Audience, Log};
use trouble::Trouble;

const SUBSCRIBERS: usize = 500;
const CONNECTIONS: usize = 25;
const PATIENCE: Duration = Duration::from_secs(60);

/// What the gateway is told of the route in both tests.
const SETTINGS: &str = "vary: { cookies: [], headers: [] }, retry: 100ms, heartbeat: 2s, \
                        replay: { events: 5000, bytes: 8MiB, age: 10m }";

#[tokio::test(flavor = "multi_thread")]
async fn no_subscriber_loses_an_event_whatever_happens_upstream_or_to_its_own_connection() {
    let fpm = PhpFpm::start(5).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let settings = format!("ids: assign, {SETTINGS}");
    let sluice = Sluice::before(nginx.address(), "/mortal.php", &settings).await;
    let audience = Audience::gather(sluice.tls, "/mortal.php?ms=50&odds=60", CONNECTIONS);
    let quiet = fpm.root().join("quiet");

    Trouble { fpm, nginx, script: "/mortal.php" }
        .make(duration(), async || fs::write(&quiet, "").expect("quieten the script"))
        .await;
    let published = settled(&sluice, "/mortal.php").await;
    let logs = audience.listen_up_to(published).await;

    assert_eq!(logs.len(), SUBSCRIBERS);
    for log in &logs {
        assert_whole(log, published);
        assert!(log.iter().all(|(_, data)| data.ends_with('}')), "no half event: {log:?}");
    }
    assert_nobody_was_sent_away(&sluice).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_ids_of_its_own_nothing_is_lost_between_script_and_subscriber() {
    let fpm = PhpFpm::start(5).await;
    let nginx = Nginx::before_fpm(&fpm, Buffering::Off).await;
    let settings = format!("ids: upstream, {SETTINGS}");
    let sluice = Sluice::before(nginx.address(), "/resume.php", &settings).await;
    let audience = Audience::gather(sluice.tls, "/resume.php?ms=50&count=40", CONNECTIONS);

    let trouble = Trouble { fpm, nginx, script: "/resume.php" };
    trouble.make(duration(), async || {}).await;
    let goal = published(&sluice, "/resume.php").await + 20;
    let logs = audience.listen_up_to(goal).await;

    assert_eq!(logs.len(), SUBSCRIBERS);
    for log in &logs {
        assert_whole(log, goal);
        // The script numbers its events by the id that it resumes from.
        assert!(log.iter().all(|(n, data)| *data == format!("{{\"n\":{n}}}")), "{log:?}");
    }
    assert_nobody_was_sent_away(&sluice).await;
}

fn duration() -> Duration {
    let seconds = std::env::var("SLUICE_CHAOS_SECONDS").ok();
    Duration::from_secs(seconds.map_or(60, |text| text.parse().expect("a number of seconds")))
}

/// Each event once, in order, from the subscriber's first to the last that was published.
fn assert_whole(log: &Log, last: u64) {
    let numbers: Vec<u64> = log.iter().map(|(number, _)| *number).collect();
    let first = *numbers.first().expect("an event");
    let whole: Vec<u64> = (first..=last).collect();
    assert!(first <= 20, "every subscriber was there from the beginning: {first}");
    assert_eq!(numbers[..whole.len().min(numbers.len())], whole[..], "once each, in order");
}

/// The number of published events, once the script is quiet.
async fn settled(sluice: &Sluice, route: &str) -> u64 {
    let mut last = 0;
    eventually("no further event is published", PATIENCE, async || {
        let before = std::mem::replace(&mut last, published(sluice, route).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
        before == last
    })
    .await;
    last
}

async fn published(sluice: &Sluice, route: &str) -> u64 {
    let label = format!("route=\"{route}\"");
    sluice.metric("sluice_events_published_total", &[&label]).await as u64
}

/// The gateway has ended no stream and has known every id that came back to it.
async fn assert_nobody_was_sent_away(sluice: &Sluice) {
    for reason in ["lagging", "upstream", "drain", "unauthorized", "shutdown"] {
        let label = format!("reason=\"{reason}\"");
        let ended = sluice.metric("sluice_subscription_ends_total", &[&label]).await;
        assert_eq!(ended, 0.0, "{reason}");
    }
    let missed = sluice.metric("sluice_subscriptions_total", &["start=\"missed\""]).await;
    assert_eq!(missed, 0.0);
    let resumed = sluice.metric("sluice_subscriptions_total", &["start=\"replayed\""]).await;
    assert!(resumed > SUBSCRIBERS as f64, "connections were cut and resumed: {resumed}");
}
