//! What the metrics say agrees with what happened, in the eyes of a real Prometheus.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::busy::{Busy, EVENTS, HTTP1, HTTP2_EACH, MISSING, PAGES, PATIENCE, SUBSCRIBERS, TOPICS};
use crate::{client::SseStream, prometheus::Prometheus};

/// Waits until an expression has this value.
async fn is(prometheus: &Prometheus, promql: &str, value: usize) {
    prometheus.wait_for(promql, |now| now == value as f64, PATIENCE).await;
}

#[tokio::test]
async fn a_prometheus_reads_what_happened() {
    let before = now();
    let begin = Instant::now();
    let mut busy = Busy::start().await;
    let prometheus = Prometheus::scraping(busy.sluice.admin).await;
    while_listening(&prometheus, before).await;

    busy.burst().await;
    busy.visit().await;
    let route = r#"{route="/burst.php"}"#;
    is(&prometheus, &format!("sluice_events_published_total{route}"), TOPICS.len() * EVENTS).await;
    is(&prometheus, &format!("sluice_events_delivered_total{route}"), SUBSCRIBERS * EVENTS).await;
    let bytes: usize = busy.streams.iter().map(|(_, stream)| event_bytes(stream)).sum();
    is(&prometheus, &format!("sluice_delivered_bytes_total{route}"), bytes).await;
    let discarded = format!("sluice_upstream_discarded_lines_total{route}");
    is(&prometheus, &discarded, TOPICS.len()).await;
    let received = format!("sluice_upstream_received_bytes_total{route}");
    let least = TOPICS.iter().map(|topic| EVENTS * (topic.len() + 24)).sum::<usize>();
    prometheus.wait_for(&received, |now| now >= least as f64, PATIENCE).await;
    // Each topic's connections were handed the events, in one go or in several.
    let handed = "sluice_delivery_delay_seconds_count";
    let handed = prometheus.query(handed).await.expect("a histogram");
    assert!((3.0..=((TOPICS.len() + HTTP1) * EVENTS) as f64).contains(&handed), "{handed}");
    assert!(prometheus.query("sluice_replay_buffer_bytes").await > Some(0.0));
    let answered = [
        ("/burst.php", 200, SUBSCRIBERS + 1), // and the HEAD
        ("/*", 200, PAGES + 1),               // and the POST
        ("/*", 404, MISSING),
    ];
    for (route, status, count) in answered {
        let promql = format!("sluice_requests_total{{route='{route}', status='{status}'}}");
        is(&prometheus, &promql, count).await;
    }

    let seen = read_a_heartbeat_each(&mut busy).await;
    busy.streams.clear();
    drop(busy.connection);
    after_all_have_left(&prometheus).await;
    let beats = prometheus.query("sluice_heartbeats_total").await.expect("a counter");
    let most = SUBSCRIBERS as f64 * (begin.elapsed().as_secs_f64() + 1.0);
    assert!(beats >= seen as f64 && beats <= most, "{seen} were seen, {beats} counted");
}

/// What is true while all listen and nothing was published.
async fn while_listening(prometheus: &Prometheus, before: f64) {
    let route = r#"{route="/burst.php"}"#;
    is(prometheus, &format!("sluice_subscribers{route}"), SUBSCRIBERS).await;
    is(prometheus, &format!("sluice_topics{route}"), TOPICS.len()).await;
    is(prometheus, r#"sluice_connections{protocol="http2"}"#, 1).await;
    is(prometheus, r#"sluice_connections{protocol="http1"}"#, HTTP1).await;
    is(prometheus, r#"sum(sluice_feeds{state="open"})"#, TOPICS.len()).await;
    is(prometheus, r#"sum(sluice_feeds{state!="open"})"#, 0).await;
    is(prometheus, r#"sum(sluice_subscriptions_total{start="live"})"#, SUBSCRIBERS).await;
    is(prometheus, r#"sum(sluice_subscriptions_total{start!="live"})"#, 0).await;
    is(prometheus, "sum(sluice_subscription_ends_total)", 0).await;
    is(prometheus, r#"sum(sluice_upstream_connects_total{outcome="stream"})"#, TOPICS.len()).await;
    is(prometheus, r#"sum(sluice_upstream_connects_total{outcome!="stream"}) or vector(0)"#, 0)
        .await;
    let connected = format!("sluice_upstream_connect_duration_seconds_count{route}");
    is(prometheus, &connected, TOPICS.len()).await;
    is(prometheus, "sum(sluice_events_published_total)", 0).await;
    is(prometheus, "sum(sluice_events_delivered_total)", 0).await;
    is(prometheus, "sluice_replay_buffer_bytes", 0).await;
    is(prometheus, "sluice_draining", 0).await;
    let version = env!("CARGO_PKG_VERSION");
    is(prometheus, &format!("sluice_build_info{{version='{version}'}}"), 1).await;
    let loaded = prometheus.query("sluice_config_last_reload_success_timestamp_seconds").await;
    let loaded = loaded.expect("a gauge");
    assert!((before - 1.0..=now()).contains(&loaded), "{before} {loaded}");
}

async fn after_all_have_left(prometheus: &Prometheus) {
    is(prometheus, "sum(sluice_subscribers)", 0).await;
    is(prometheus, "sum(sluice_topics)", 0).await;
    is(prometheus, "sum(sluice_connections)", 0).await;
    is(prometheus, "sum(sluice_feeds)", 0).await;
    is(prometheus, "sluice_replay_buffer_bytes", 0).await;
    is(prometheus, r#"sum(sluice_subscription_ends_total{reason="client"})"#, SUBSCRIBERS).await;
    is(prometheus, "sum(sluice_subscription_ends_total)", SUBSCRIBERS).await;
    is(prometheus, "sum(sluice_subscription_duration_seconds_count)", SUBSCRIBERS).await;
}

/// Reads every stream up to its first heartbeat, and counts all that were read.
async fn read_a_heartbeat_each(busy: &mut Busy) -> usize {
    let mut seen = 0;
    for (_, stream) in &mut busy.streams {
        while stream.comments().is_empty() {
            stream.next_bytes(PATIENCE).await.expect("an open stream");
        }
        seen += stream.comments().len();
    }
    assert!(seen >= HTTP2_EACH * TOPICS.len() + HTTP1);
    seen
}

/// How many bytes of a stream were events: neither preamble nor heartbeats.
fn event_bytes(stream: &SseStream) -> usize {
    let text = stream.text();
    let blocks = text.split_inclusive("\n\n").filter(|block| block.contains("data: "));
    let lines = blocks.flat_map(|block| block.split_inclusive('\n'));
    lines.filter(|line| !line.starts_with(':')).map(str::len).sum()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}
