//! The metrics that users script against: their names, kinds and labels, and what is never told.

use std::collections::{BTreeMap, BTreeSet};

use super::busy::Busy;
use crate::prometheus::promtool_check_metrics;

/// Name without the prefix, kind, and labels.
const CONTRACT: &[(&str, &str, &[&str])] = &[
    ("connections", "gauge", &["protocol"]),
    ("subscribers", "gauge", &["route"]),
    ("topics", "gauge", &["route"]),
    ("feeds", "gauge", &["route", "state"]),
    ("replay_buffer_bytes", "gauge", &[]),
    ("draining", "gauge", &[]),
    ("build_info", "gauge", &["version"]),
    ("config_last_reload_success_timestamp_seconds", "gauge", &[]),
    ("subscriptions_total", "counter", &["route", "start"]),
    ("subscription_ends_total", "counter", &["reason", "route"]),
    ("events_published_total", "counter", &["route"]),
    ("events_delivered_total", "counter", &["route"]),
    ("delivered_bytes_total", "counter", &["route"]),
    ("heartbeats_total", "counter", &[]),
    ("upstream_connects_total", "counter", &["outcome", "route"]),
    ("upstream_received_bytes_total", "counter", &["route"]),
    ("upstream_discarded_lines_total", "counter", &["route"]),
    ("requests_total", "counter", &["route", "status"]),
    ("delivery_delay_seconds", "histogram", &[]),
    ("subscription_duration_seconds", "histogram", &["route"]),
    ("upstream_connect_duration_seconds", "histogram", &["route"]),
];
/// Of the contract too, and not there yet: nothing is rejected, and nothing reloads.
const NOT_YET: &[&str] = &["subscriptions_rejected_total", "config_reloads_total"];

/// One line of the text format.
struct Sample<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
}

#[tokio::test]
async fn every_metric_of_the_contract_is_there_and_promtool_finds_nothing_to_say() {
    let mut busy = Busy::start().await;
    busy.burst().await;
    busy.visit().await;
    let text = busy.sluice.metrics().await;
    assert_eq!(promtool_check_metrics(&text), Ok(()));

    let samples = samples(&text);
    for (name, kind, labels) in CONTRACT {
        let name = format!("sluice_{name}");
        assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name}: {text}");
        let sampled = if *kind == "histogram" { format!("{name}_count") } else { name };
        let of_name: Vec<_> = samples.iter().filter(|sample| sample.name == sampled).collect();
        assert!(!of_name.is_empty(), "{sampled}: {text}");
        for sample in of_name {
            assert!(sample.labels.keys().eq(labels.iter()), "{sampled} {:?}", sample.labels);
        }
    }
    for name in NOT_YET {
        assert!(!text.contains(&format!("sluice_{name}")), "{name} has come: move it up");
    }
    assert!(samples.iter().all(|sample| sample.name.starts_with("sluice_")));
    // Those that may take a while to happen are there from the start, at 0.
    let values = |name: &str, label: &str| {
        let of_name = samples.iter().filter(|sample| sample.name == name);
        of_name.filter_map(|sample| sample.labels.get(label).copied()).collect::<BTreeSet<_>>()
    };
    let reasons = ["client", "drain", "lagging", "shutdown", "unauthorized", "upstream"];
    assert_eq!(values("sluice_subscription_ends_total", "reason"), reasons.into());
    let starts = ["live", "missed", "replayed"];
    assert_eq!(values("sluice_subscriptions_total", "start"), starts.into());
}

#[tokio::test]
async fn no_label_tells_of_a_topic_a_client_or_a_url() {
    let mut busy = Busy::start().await;
    busy.burst().await;
    busy.visit().await;
    let text = busy.sluice.metrics().await;
    for told in ["secret", "127.0.0.1", "app.test", "status.php", "echo.php", "?", "who="] {
        let found = text.lines().find(|line| !line.starts_with('#') && line.contains(told));
        assert_eq!(found, None);
    }
    let known =
        ["le", "outcome", "protocol", "reason", "route", "start", "state", "status", "version"];
    for sample in samples(&text) {
        for (label, value) in sample.labels {
            assert!(known.contains(&label), "{} has {label}", sample.name);
            let routes = ["/burst.php", "/*"];
            assert!(label != "route" || routes.contains(&value), "{} {value}", sample.name);
        }
    }
    // What a client asks for, however often, makes no new series.
    let series = samples(&text).len();
    busy.visit().await;
    assert_eq!(samples(&busy.sluice.metrics().await).len(), series);
}

/// All samples. No label's value here holds a quote or a comma.
fn samples(text: &str) -> Vec<Sample<'_>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| sample(line).unwrap_or_else(|| panic!("no sample: {line}"))).collect()
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let (series, value) = line.rsplit_once(' ')?;
    value.parse::<f64>().ok()?;
    let Some((name, rest)) = series.split_once('{') else {
        return Some(Sample { name: series, labels: BTreeMap::new() });
    };
    let pairs = rest.strip_suffix('}')?.split(',');
    let labels = pairs.map(|pair| {
        let (label, value) = pair.split_once("=\"")?;
        Some((label, value.strip_suffix('"')?))
    });
    Some(Sample { name, labels: labels.collect::<Option<_>>()? })
}
