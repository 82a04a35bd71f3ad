//! The endless scripts of the site, and what they must bring through the gateway.

use serde_json::Value;

use super::{
    SOON, assert_none_missing, assert_own_head, sharing_all_of,
    site::Site,
    subscriber::{Subscriber, Way},
};
use crate::client::Event;

/// A script, and what is true of any of its events one after the other.
pub struct Script {
    pub target: &'static str,
    pub check: fn(&[Event]),
}

/// Every PHP script that needs nothing but PHP.
pub const SCRIPTS: &[Script] = &[
    Script { target: "/sse.php?ms=40", check: greets_by_number },
    Script { target: "/time.php?ms=40", check: tells_the_time },
    Script { target: "/ssedemo.php?ms=40", check: pings },
    Script { target: "/ssedemo_old.php?ms=40", check: pings },
    Script { target: "/numbered.php?ms=40", check: counts },
    Script { target: "/numbered.php?ms=40&size=9000", check: counts },
];

/// The scripts that a buffering nginx lets through, because they ask it to.
pub const UNBUFFERED_BY_THEMSELVES: &[Script] =
    &[Script { target: "/ssedemo.php?ms=40", check: pings }];

/// Sends its next event only when the test has made a file: whoever holds an event back until
/// there are more of them never gets any further.
const STEPWISE: &str = r#"<?php
header('Content-Type: text/event-stream');
header('Cache-Control: no-cache');
header('X-Accel-Buffering: no');
for ($n = 0; $n < 100; $n++) {
    while (!file_exists(__DIR__ . "/step-$n")) {
        usleep(5000);
        clearstatcache();
    }
    echo "data: $n\n\n";
    ob_flush();
    flush();
}
"#;

/// Every script arrives whole by every way, from one upstream request, under the gateway's head.
pub async fn bring(site: &impl Site, scripts: &[Script]) {
    let sluice = sharing_all_of(site.address(), "").await;
    for Script { target, check } in scripts {
        let mut subscribers = Subscriber::of_every_way(&sluice, target).await;
        let mut all: Vec<Event> = Vec::new();
        for (subscriber, way) in subscribers.iter_mut().zip(Way::ALL) {
            assert_own_head(subscriber, way);
            let events = subscriber.next_events(4, SOON).await;
            assert_none_missing(&events);
            check(&events);
            all.extend(events);
        }
        // Equal ids mean equal events, whoever got them.
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.dedup();
        assert!(all.windows(2).all(|pair| pair[0].id != pair[1].id), "{target}: {all:?}");
        let requests = site.requests().all();
        let of_it = requests.iter().filter(|request| request.uri == *target).count();
        assert_eq!(of_it, 1, "{target}: {requests:?}");
    }
}

/// Each event is with every subscriber before the script sends the next.
pub async fn comes_one_by_one(site: &impl Site) {
    site.add_page("stepwise.php", STEPWISE);
    let sluice = sharing_all_of(site.address(), "").await;
    site.add_page("step-0", "");
    let mut subscribers = Subscriber::of_every_way(&sluice, "/stepwise.php").await;
    assert_eq!(subscribers[0].next_event(SOON).await.data, "0");
    for n in 1..6 {
        site.add_page(&format!("step-{n}"), "");
        for subscriber in &mut subscribers {
            assert_eq!(subscriber.next_event(SOON).await.data, n.to_string());
        }
    }
}

/// All numbers of a script that ends arrive, and those of its next runs, in one stream.
pub async fn goes_on_when_it_ends(site: &impl Site) {
    let sluice = sharing_all_of(site.address(), "").await;
    let mut subscribers = Subscriber::of_every_way(&sluice, "/numbered.php?ms=10&count=30").await;
    let events = subscribers[0].next_events(75, SOON).await;
    assert_none_missing(&events);
    let numbers: Vec<u64> = events.iter().map(number).collect();
    let expected: Vec<u64> = (0..75).map(|n| n % 30).collect();
    assert_eq!(numbers, expected);
    for subscriber in &mut subscribers[1..] {
        assert_none_missing(&subscriber.next_events(40, SOON).await);
    }
    let count = site.requests().count("/numbered.php");
    assert!((3..=5).contains(&count), "one run after the other, not {count} of them");
    // The shortest there is: one event and the end.
    let mut once = Subscriber::listen(&sluice, Way::Http2, "/once.php").await;
    assert_none_missing(&once.next_events(3, SOON).await);
}

/// The number that numbered.php gave an event.
pub fn number(event: &Event) -> u64 {
    let data: Value = serde_json::from_str(&event.data).expect("JSON");
    data["n"].as_u64().expect("a number")
}

fn counts(events: &[Event]) {
    let first = number(&events[0]);
    for (event, n) in events.iter().zip(first..) {
        assert_eq!(number(event), n, "{events:?}");
        // All or nothing of the padding.
        assert!(event.data.len() < 100 || event.data.len() == 9000, "{}", event.data.len());
    }
}

fn greets_by_number(events: &[Event]) {
    let number = |event: &Event| -> u64 {
        let start = r#"{"message":"Hello, this is event number "#;
        let number = event.data.strip_prefix(start).and_then(|rest| rest.strip_suffix("\"}"));
        number.expect("the greeting").parse().expect("a number")
    };
    for (event, n) in events.iter().zip(number(&events[0])..) {
        assert_eq!(number(event), n, "{events:?}");
        assert_eq!(event.event_type, "message");
    }
}

fn tells_the_time(events: &[Event]) {
    for event in events {
        let data: Value = serde_json::from_str(&event.data).expect("JSON");
        let time = data["time"].as_str().expect("a text");
        let digits = time.bytes().filter(u8::is_ascii_digit).count();
        assert!(time.len() == 8 && digits == 6 && time.contains(':'), "{time}");
    }
}

/// Pings with the time, and a word now and then.
fn pings(events: &[Event]) {
    for event in events {
        let start = match &*event.event_type {
            "ping" => r#"{"time": ""#,
            "message" => "A message at ",
            other => panic!("an event of type {other}"),
        };
        assert!(event.data.starts_with(start), "{event:?}");
    }
    assert!(events.iter().any(|event| event.event_type == "ping"), "{events:?}");
}
