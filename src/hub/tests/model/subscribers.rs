//! The world's subscribers: where they begin, what they read, how they end.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    At, From,
    connection::{Hold, Subscriber},
    reference::Life,
    world::{Seen, World, name},
};
use crate::{
    hub::{
        Batch, Lagged, Phase, Start, StartFrom, Subscription,
        tests::rig::{id, text},
    },
    metrics::{EndReason, StartKind},
};

impl World<'_> {
    pub(super) fn subscribe(&mut self, at: At, from: From) {
        let ended = |life: &Life| matches!(life.phase, Phase::Ended(_));
        if self.connections[at.connection].holds[at.topic]
            .as_ref()
            .is_some_and(|hold| ended(&self.lives[hold.life]))
        {
            self.close(at, Some(EndReason::Upstream));
        }
        if self.hold(at).is_none() {
            self.join(at);
        }
        let life = self.feeds[at.topic].as_ref().map(|(_, life)| *life);
        let seen = match from {
            From::Seen(which) => pick(&self.seen, life, which),
            From::Fresh | From::Foreign => None,
        };
        let from = match (from, seen) {
            (From::Foreign, _) => StartFrom::Resume(id("foreign-1")),
            (_, Some(seen)) if !seen.last_id.is_empty() => StartFrom::Resume(id(&seen.last_id)),
            _ => StartFrom::Fresh,
        };
        let hold = self.connections[at.connection].holds[at.topic].as_mut().expect("joined");
        let life = &self.lives[hold.life];
        let start = hold.membership.start(&from, hold.head);
        let expected = life.place(&from, hold.head, Instant::now());
        assert_eq!((start.kind, start.cursor), expected);
        assert_eq!(text(&start.preamble), preamble(life, self.rig.policy.retry, &start));
        if let (StartKind::Replayed, Some(seen)) = (start.kind, seen) {
            assert_eq!(seen.life, hold.life, "an id is never mistaken for one of another life");
            assert!(start.cursor <= seen.has_until + 1, "a resume loses nothing");
        }
        self.met.start(start.kind);
        let account = Subscription::begin(self.rig.policy.metrics.clone(), start.kind);
        let subscriber = Subscriber::new(account, start.cursor, hold.head, start.preamble);
        hold.subscribers.push(subscriber);
    }

    fn join(&mut self, at: At) {
        let connection = &mut self.connections[at.connection];
        let membership = self.rig.hub.join(
            &name(at.topic),
            &StartFrom::Fresh,
            &self.rig.policy,
            &connection.mailbox,
            at.topic as u32,
        );
        let begun = self.rig.publisher();
        assert_eq!(begun.is_some(), self.feeds[at.topic].is_none(), "one feed for each topic");
        if let Some(publisher) = begun {
            let epoch = membership.topic.epoch.id(0);
            let epoch = epoch.trim_end_matches("-0").to_owned();
            self.feeds[at.topic] = Some((publisher, self.lives.len()));
            self.lives.push(Life::new(self.setting.clone(), epoch));
        }
        let life = self.feeds[at.topic].as_ref().expect("it has a feed").1;
        let head = membership.joined_at();
        assert_eq!(head, self.lives[life].head());
        let hold = Hold { membership, life, head, subscribers: Vec::new(), unread: false };
        connection.holds[at.topic] = Some(hold);
    }

    pub(super) fn read(&mut self, at: At, bytes: usize) {
        let Some(hold) = self.connections[at.connection].holds[at.topic].as_mut() else { return };
        let life = &self.lives[hold.life];
        hold.unread = false;
        let read = hold.membership.read_new(hold.head, bytes, &mut self.batch);
        assert_eq!(read.is_err(), hold.head < life.first_readable, "told exactly then");
        let Ok(phase) = read else {
            // No subscriber is further than its connection.
            while !hold_is_empty(self.hold(at)) {
                self.end(at, 0, Some(EndReason::Lagging));
            }
            let hold = self.hold(at).expect("checked");
            hold.head = hold.membership.head();
            return;
        };
        assert_eq!(phase, life.phase);
        check_batch(life, &self.batch, hold.head, life.head(), bytes);
        for subscriber in &mut hold.subscribers {
            match subscriber.behind {
                Some(_) => {}
                None if subscriber.stalled => {
                    subscriber.behind = (!self.batch.is_empty()).then_some(hold.head);
                }
                None => subscriber.receive(&self.batch, self.batch.next),
            }
        }
        self.met.delivered.set(self.met.delivered.get() + self.batch.dispatched);
        hold.head = self.batch.next;
        if matches!(phase, Phase::Ended(_)) && hold.head == life.head() {
            self.close(at, Some(EndReason::Upstream));
        }
    }

    pub(super) fn catch_up(&mut self, at: At, which: usize, bytes: usize) {
        let Some(hold) = self.connections[at.connection].holds[at.topic].as_mut() else { return };
        let life = &self.lives[hold.life];
        let Some(subscriber) = hold.subscribers.get_mut(which) else { return };
        subscriber.stalled = false;
        let Some(cursor) = subscriber.behind else { return };
        let read = hold.membership.read_kept(cursor, hold.head, bytes, &mut self.batch);
        assert_eq!(read == Err(Lagged), cursor < life.first_readable, "told exactly then");
        if read.is_err() {
            self.end(at, which, Some(EndReason::Lagging));
            return;
        }
        check_batch(life, &self.batch, cursor, hold.head, bytes);
        subscriber.receive(&self.batch, hold.head);
        self.met.delivered.set(self.met.delivered.get() + self.batch.dispatched);
    }

    pub(super) fn leave(&mut self, at: At, which: usize) {
        if self.hold(at).is_some_and(|hold| which < hold.subscribers.len()) {
            self.end(at, which, None);
        }
        if hold_is_empty(self.hold(at)) {
            self.connections[at.connection].holds[at.topic] = None;
        }
    }

    /// Ends all streams of a topic on one connection, which leaves the topic.
    pub(super) fn close(&mut self, at: At, reason: Option<EndReason>) {
        while !hold_is_empty(self.hold(at)) {
            self.end(at, 0, reason);
        }
        self.connections[at.connection].holds[at.topic] = None;
    }

    fn end(&mut self, at: At, which: usize, reason: Option<EndReason>) {
        let hold = self.connections[at.connection].holds[at.topic].as_mut().expect("checked");
        let subscriber = hold.subscribers.remove(which);
        let count = match reason {
            Some(EndReason::Lagging) => &self.met.lagged,
            _ => &self.met.ended,
        };
        count.set(count.get() + 1);
        let has_until = subscriber.start + subscriber.received() - 1;
        let life = hold.life;
        let last_id = subscriber.end(&self.lives[life], reason);
        self.seen.push(Seen { last_id, life, has_until });
    }
}

/// Mostly a client of the same life of the topic; also one of any topic and life.
fn pick(seen: &[Seen], life: Option<usize>, which: usize) -> Option<&Seen> {
    let any = which.is_multiple_of(4);
    let fits = |seen: &&Seen| any || Some(seen.life) == life;
    let candidates: Vec<&Seen> = seen.iter().filter(fits).collect();
    (!candidates.is_empty()).then(|| candidates[which % candidates.len()])
}

/// A batch is what the reference has from `from` on, not beyond `until`, and ends with the entry
/// that reaches `bytes`.
fn check_batch(life: &Life, batch: &Batch, from: u64, until: u64, bytes: usize) {
    let mut expected = 0;
    let mut size = 0;
    for entry in life.run(from, until) {
        if size >= bytes {
            break;
        }
        expected += 1;
        size += entry.text.len();
    }
    let run = life.run(from, from + expected);
    let texts: String = run.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(text(&batch.events.concat()), texts);
    assert_eq!((batch.next, batch.bytes), (from + expected, size));
    assert_eq!(batch.dispatched, run.iter().filter(|entry| entry.dispatches).count() as u64);
    assert_eq!(batch.read_at, run.first().map(|entry| entry.read_at));
}

fn preamble(life: &Life, retry: Duration, start: &Start) -> String {
    let retry = life.retry.unwrap_or(retry).as_millis();
    let missed = match start.kind {
        StartKind::Missed => ": missed: the last event ID is not in the replay buffer\n",
        _ => "",
    };
    let id = Some(life.id_before(start.cursor)).filter(|id| !id.is_empty());
    let id = id.map_or(String::new(), |id| format!("id: {id}\n\n"));
    format!("retry: {retry}\n{missed}{id}")
}

fn hold_is_empty(hold: Option<&mut Hold>) -> bool {
    hold.is_none_or(|hold| hold.subscribers.is_empty())
}
