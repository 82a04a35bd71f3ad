//! Heartbeats: only on silent streams, at the route's pace, and without any effect on a client.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    client::Event,
    origin::{Gate, PhpServer, RawOrigin, Step},
    sluice::Sluice,
    streams::{
        SOON,
        subscriber::{Subscriber, Way},
    },
};

/// The shortest pace there is.
const PACE: Duration = Duration::from_secs(1);
const HEARTBEAT: &str = "heartbeat: 1s";

/// Waits for so many heartbeats in all.
async fn heartbeats(subscriber: &mut Subscriber, count: usize) {
    let until = Instant::now() + SOON;
    while subscriber.comments().len() < count {
        let left = until.saturating_duration_since(Instant::now());
        let bytes = subscriber.next_bytes(left).await;
        assert!(bytes.is_some(), "an end instead of a heartbeat: {}", subscriber.text());
    }
}

/// The text with the id's epoch, which is another in every run, replaced by `E`.
fn without_epoch(subscriber: &Subscriber) -> String {
    let text = subscriber.text();
    let epoch = text.split("id: ").nth(1).and_then(|rest| rest.split('-').next());
    text.replace(epoch.expect("an id"), "E")
}

#[tokio::test]
async fn a_silent_stream_gets_heartbeats_at_the_routes_pace_and_nothing_else() {
    let php = PhpServer::start(3).await;
    let sluice = Sluice::before(php.address(), "/silent.php", HEARTBEAT).await;
    let begin = Instant::now();
    let mut subscribers = Subscriber::of_every_way(&sluice, "/silent.php").await;
    for subscriber in &mut subscribers {
        heartbeats(subscriber, 3).await;
        // Never early, each a pace after the one before; late only on a busy machine.
        let took = begin.elapsed();
        assert!(took >= PACE * 3 && took < PACE * 12, "three took {took:?}");
        assert_eq!(without_epoch(subscriber), "retry: 3000\nid: E-0\n\n:\n:\n:\n");
    }
    assert!(sluice.metric("sluice_heartbeats_total", &[]).await >= 9.0);
}

#[tokio::test]
async fn a_busy_stream_gets_no_heartbeat() {
    let php = PhpServer::start(3).await;
    let sluice = Sluice::before(php.address(), "/numbered.php", "heartbeat: 2s").await;
    let mut subscribers = Subscriber::of_every_way(&sluice, "/numbered.php?ms=50").await;
    let until = Instant::now() + Duration::from_millis(4500);
    while Instant::now() < until {
        for subscriber in &mut subscribers {
            subscriber.next_event(SOON).await;
        }
    }
    for subscriber in &subscribers {
        assert_eq!(subscriber.comments(), [""; 0]);
    }
    assert_eq!(sluice.metric("sluice_heartbeats_total", &[]).await, 0.0);
}

#[tokio::test]
async fn heartbeats_come_again_after_each_event_and_never_within_one() {
    let gate = Gate::new();
    let origin = RawOrigin::start(vec![
        Step::head("Content-Type: text/event-stream"),
        Step::send("data: one\n\ndata: half"),
        Step::Pause(gate.clone()),
        Step::send(" and half\nid: 5\n\n"),
    ])
    .await;
    let sluice = Sluice::before(origin.address(), "/events", HEARTBEAT).await;
    let mut subscribers = Subscriber::of_every_way(&sluice, "/events").await;
    for subscriber in &mut subscribers {
        heartbeats(subscriber, 2).await;
    }
    gate.open();
    for (subscriber, way) in subscribers.iter_mut().zip(Way::ALL) {
        heartbeats(subscriber, 4).await;
        let text = without_epoch(subscriber);
        let (before, after) = text.split_once("data: half and half\nid: E-2\n\n").expect("whole");
        assert!(before.ends_with(":\n:\n"), "{way:?}: {text}");
        assert!(!after.is_empty() && after.trim_matches([':', '\n']).is_empty(), "{way:?}: {text}");
    }
}

#[tokio::test]
async fn heartbeats_do_not_move_the_last_event_id() {
    let gate = Gate::new();
    let origin = RawOrigin::start(vec![
        Step::head("Content-Type: text/event-stream"),
        Step::Pause(gate.clone()),
        Step::send("id: 7\ndata: with\n\n"),
        Step::Pause(gate.clone()),
        Step::send("data: without\n\n"),
    ])
    .await;
    let settings = format!("{HEARTBEAT}, ids: upstream, open_wait: 50ms");
    let sluice = Sluice::before(origin.address(), "/events", &settings).await;
    let mut subscribers = Vec::new();
    for way in Way::ALL {
        // One that comes with an id: until the stream says one it must not lose its own.
        let headers = [("last-event-id", "an earlier one")];
        subscribers.push(Subscriber::listen_with(&sluice, way, "/events", &headers).await);
    }
    for subscriber in &mut subscribers {
        heartbeats(subscriber, 3).await;
        // A blank line would have told the client that its last event ID is empty now.
        assert!(!subscriber.text().contains("\n\n"), "{}", subscriber.text());
    }
    gate.open();
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.next_event(SOON).await, event("7", "with"));
        let so_far = subscriber.comments().len();
        heartbeats(subscriber, so_far + 2).await;
        assert_eq!(subscriber.last_event_id(), "7");
    }
    gate.open();
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.next_event(SOON).await, event("7", "without"));
    }
    // One that comes now is told the id before its first heartbeat.
    for way in Way::ALL {
        let mut late = Subscriber::listen(&sluice, way, "/events").await;
        heartbeats(&mut late, 1).await;
        assert_eq!(late.last_event_id(), "7");
    }
}

#[tokio::test]
async fn heartbeats_go_on_while_the_upstream_is_down_and_events_when_it_is_back() {
    let mut php = PhpServer::start(3).await;
    let settings = format!("{HEARTBEAT}, retry: 100ms");
    let sluice = Sluice::before(php.address(), "/numbered.php", &settings).await;
    let mut subscribers = Subscriber::of_every_way(&sluice, "/numbered.php?ms=50").await;
    for subscriber in &mut subscribers {
        subscriber.next_events(2, SOON).await;
    }
    php.stop();
    for subscriber in &mut subscribers {
        heartbeats(subscriber, 3).await;
    }
    php.restart().await;
    for subscriber in &mut subscribers {
        // Those from before it stopped, and then its first again, in the same stream.
        let mut data = String::new();
        for _ in 0..1000 {
            data = subscriber.next_event(SOON).await.data;
            if data == r#"{"n":0}"# {
                break;
            }
        }
        assert_eq!(data, r#"{"n":0}"#);
    }
}

#[tokio::test]
async fn a_stream_that_was_opened_early_does_not_wait_for_the_end_of_the_wait() {
    let php = PhpServer::start(3).await;
    let settings = format!("{HEARTBEAT}, open_wait: 30s");
    let sluice = Sluice::before(php.address(), "/silent.php", &settings).await;
    let begin = Instant::now();
    let mut subscriber = Subscriber::listen(&sluice, Way::Http2, "/silent.php").await;
    heartbeats(&mut subscriber, 1).await;
    let took = begin.elapsed();
    assert!(took < PACE * 12, "took {took:?}");
}

fn event(id: &str, data: &str) -> Event {
    Event { event_type: "message".to_owned(), data: data.to_owned(), id: id.to_owned() }
}
