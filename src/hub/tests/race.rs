//! Joining while the feed publishes, with real threads.

use std::{
    hint,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::rig::{Rig, event, id, key, posted, publish, text};
use crate::{
    config::LateJoin,
    hub::{
        Batch, FeedFuture, Feeds, Hub, Mailbox, Membership, Phase, Policy, Publisher, StartFrom,
    },
    metrics::StartKind,
    topic_key::TopicKey,
};

const JOINERS: usize = 4;
/// How often each of them joins, reads a little and leaves.
const ROUNDS: usize = 400;
/// One event each, somewhere between so many joins.
const INSTANTS: usize = 10_000;
const JOINS: usize = 20;
/// A wait for news that is longer is a lost wake-up: the feed never pauses.
const PATIENCE: Duration = Duration::from_secs(20);

/// Gives each publisher to the feed's thread.
struct Sent(Mutex<Sender<Publisher>>);

impl Feeds for Sent {
    fn feed(&self, _: TopicKey, publisher: Publisher) -> FeedFuture {
        // Without a thread there is nobody left to publish for.
        let _ = self.0.lock().send(publisher);
        Box::pin(async {})
    }
}

/// One event and joins at the same time, and nothing after them that would mend a lost post.
#[tokio::test]
async fn a_join_at_the_instant_of_an_event_has_it_behind_it_or_is_posted_for_it() {
    let rig = Rig::new(|_| {});
    let (_keeper, mut publisher) = rig.begin();
    // Odd while both are at it.
    let turn = AtomicUsize::new(0);
    let mut faults = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..INSTANTS {
                spin_until(&turn, 2 * n + 1);
                publish(&mut publisher, [event(&n.to_string())]);
                turn.store(2 * n + 2, SeqCst);
            }
        });
        for n in 0..INSTANTS {
            turn.store(2 * n + 1, SeqCst);
            let joined = [(); JOINS].map(|()| {
                let mailbox = Arc::default();
                (rig.join_as(&mailbox, 0), mailbox)
            });
            spin_until(&turn, 2 * n + 2);
            for (membership, mailbox) in &joined {
                let comes_after = membership.head() > membership.joined_at();
                faults += usize::from(comes_after != (posted(mailbox) == [0]));
            }
        }
    });
    assert_eq!(faults, 0, "of {INSTANTS} times {JOINS} joins");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_join_while_the_feed_publishes_has_no_gap_and_no_double() {
    run(usize::MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_feed_that_ends_again_and_again_leaves_nobody_behind() {
    run(50).await;
}

/// A sleeping thread would wake too late to be at the same instant.
fn spin_until(turn: &AtomicUsize, value: usize) {
    for spins in 1_u32.. {
        if turn.load(SeqCst) == value {
            return;
        }
        // Where there is but one core, the other thread needs it.
        if spins.is_multiple_of(4096) { thread::yield_now() } else { hint::spin_loop() }
    }
}

/// Lets several connections join and leave a topic whose feed ends after so many events.
async fn run(life: usize) {
    let (sender, publishers) = channel();
    let rig = Rig::new(|policy| {
        policy.feeds = Arc::new(Sent(Mutex::new(sender)));
        // Small, so that eviction takes part; a reader that lags resumes and misses.
        policy.replay.events = 2000;
    });
    let (hub, policy) = (Arc::new(rig.hub), rig.policy);
    let done = Arc::new(AtomicBool::new(false));
    let feed = thread::spawn({
        let done = done.clone();
        move || feed(&publishers, life, &done)
    });
    let mut joiners = JoinSet::new();
    for _ in 0..JOINERS {
        joiners.spawn(join_again_and_again(hub.clone(), policy.clone()));
    }
    let mut outcomes = Vec::new();
    while let Some(outcome) = joiners.join_next().await {
        outcomes.push(outcome);
    }
    // First the feed is stopped: its thread would outlive a failure.
    done.store(true, SeqCst);
    feed.join().expect("a feed without a fault");
    outcomes.into_iter().for_each(|outcome| outcome.expect("a joiner without a fault"));
}

/// Numbers the events of each life from 1, as the hub does.
fn feed(publishers: &Receiver<Publisher>, life: usize, done: &AtomicBool) {
    while !done.load(SeqCst) {
        let Ok(mut publisher) = publishers.recv_timeout(Duration::from_millis(50)) else {
            continue;
        };
        publisher.open();
        let mut next = 1;
        while next <= life && !done.load(SeqCst) {
            let batch = next..next + 1 + next % 3;
            next = batch.end;
            publisher.publish(batch.map(|n| event(&n.to_string())), Instant::now());
            thread::yield_now();
        }
    }
}

async fn join_again_and_again(hub: Arc<Hub>, policy: Arc<Policy>) {
    let mut from = StartFrom::Fresh;
    for round in 0..ROUNDS {
        let mailbox = Arc::<Mailbox>::default();
        let membership = hub.join(&key("/events"), &from, &policy, &mailbox, 0);
        let start = membership.start(&from, membership.joined_at());
        match (&from, start.kind) {
            (StartFrom::Fresh, kind) => assert_eq!(kind, StartKind::Live),
            (StartFrom::Resume(last), StartKind::Replayed) => {
                let place = membership.topic.epoch.id(start.cursor - 1);
                assert_eq!(place.as_bytes(), &last[..], "it goes on where it was");
            }
            (StartFrom::Resume(_), _) => {}
        }
        if start.kind != StartKind::Replayed {
            assert_eq!(policy.late_join, LateJoin::Live);
            assert_eq!(start.cursor, membership.joined_at());
        }
        let has_until = read(&membership, &mailbox, start.cursor, 1 + round % 40).await;
        from = StartFrom::Resume(id(&membership.topic.epoch.id(has_until)));
        if round % 10 == 9 {
            from = StartFrom::Fresh;
        }
    }
}

/// Reads so many events or to the topic's end, and gives the last one's number.
async fn read(membership: &Membership, mailbox: &Mailbox, cursor: u64, events: usize) -> u64 {
    let mut next = cursor;
    let mut batch = Batch::default();
    let joined_at = membership.joined_at();
    while next < joined_at {
        if membership.read_kept(next, joined_at, 100, &mut batch).is_err() {
            return next - 1; // It has lagged, as a slow machine may let it.
        }
        check(membership, &batch, &mut next);
    }
    while next < cursor + events as u64 {
        // Always before the first look: what comes after the join is posted.
        let begin = Instant::now();
        // The timer wakes too, and finds the news that nobody was woken for.
        let _ = timeout(PATIENCE, mailbox.wait()).await;
        assert!(begin.elapsed() < PATIENCE, "no wake-up is lost");
        loop {
            let Ok(phase) = membership.read_new(next, 100, &mut batch) else { return next - 1 };
            check(membership, &batch, &mut next);
            match phase {
                _ if !batch.is_empty() => {}
                Phase::Ended(_) => return next - 1,
                _ => break,
            }
        }
    }
    next - 1
}

fn check(membership: &Membership, batch: &Batch, next: &mut u64) {
    for event in &batch.events {
        let expected = format!("data: {next}\nid: {}\n\n", membership.topic.epoch.id(*next));
        assert_eq!(text(event), expected, "no gap and no double");
        *next += 1;
    }
}
