//! A connection as the hub expects it to behave, and what its subscribers have received.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
};

use bytes::Bytes;

use super::{TOPICS, reference::Life};
use crate::{
    hub::{Batch, Mailbox, Membership, Subscription, tests::rig::text},
    metrics::EndReason,
};

#[derive(Default)]
pub struct Connection {
    pub mailbox: Arc<Mailbox>,
    /// By topic, which is its slot too.
    pub holds: [Option<Hold>; TOPICS],
    wakes: Arc<Counted>,
    /// What the mailbox must hold.
    posts: Vec<u32>,
    /// Whether the task waits, and how often it must have been woken by now.
    waits: bool,
    expected_wakes: usize,
}

/// A membership, and what the connection knows of it.
pub struct Hold {
    pub membership: Membership,
    /// Which of the world's lives it is a member of.
    pub life: usize,
    pub head: u64,
    pub subscribers: Vec<Subscriber>,
    /// Posted, and not read since.
    pub unread: bool,
}

pub struct Subscriber {
    pub account: Subscription,
    pub start: u64,
    pub preamble: Bytes,
    received: Vec<Bytes>,
    /// Takes nothing of what is read.
    pub stalled: bool,
    /// Its cursor, unless it has all that its connection has read.
    pub behind: Option<u64>,
}

#[derive(Default)]
struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Connection {
    /// A topic has news: that must have been posted, unless it was before and is still unread.
    pub fn expect_post(&mut self, life: usize) {
        for (slot, hold) in (0..).zip(&mut self.holds) {
            let Some(hold) = hold.as_mut().filter(|hold| hold.life == life) else { continue };
            if !std::mem::replace(&mut hold.unread, true) {
                self.posts.push(slot);
                self.expected_wakes += usize::from(std::mem::take(&mut self.waits));
            }
        }
    }

    /// Looks into the mailbox, and waits if there is nothing.
    pub fn take_posts(&mut self) {
        let waker = Waker::from(self.wakes.clone());
        let mut slots = Vec::new();
        let taken = self.mailbox.poll_take(&mut Context::from_waker(&waker), &mut slots);
        assert_eq!(slots, self.posts, "each topic with unread news is posted, and once");
        assert_eq!(taken.is_ready(), !slots.is_empty());
        self.waits = taken.is_pending();
        self.posts.clear();
    }

    pub fn compare(&self, lives: &[Life]) {
        assert_eq!(self.wakes.0.load(SeqCst), self.expected_wakes, "woken once for each wait");
        for hold in self.holds.iter().flatten() {
            let life = &lives[hold.life];
            assert!(hold.unread || hold.head == life.head() || hold.reads_on(), "a lost wake-up");
            assert_eq!(hold.membership.head(), life.head());
            for subscriber in &hold.subscribers {
                let cursor = subscriber.cursor(hold.head);
                assert_eq!(hold.membership.has_lagged(cursor), cursor < life.first_readable);
            }
        }
    }
}

impl Hold {
    /// A read that was cut off by its bytes: the connection knows that there is more.
    fn reads_on(&self) -> bool {
        self.head < self.membership.head()
    }
}

impl Subscriber {
    pub fn new(account: Subscription, start: u64, head: u64, preamble: Bytes) -> Self {
        let behind = (start < head).then_some(start);
        Self { account, start, preamble, received: Vec::new(), stalled: false, behind }
    }

    pub fn cursor(&self, head: u64) -> u64 {
        self.behind.unwrap_or(head)
    }

    /// Takes a batch that begins at its cursor; its connection has then read up to `head`.
    pub fn receive(&mut self, batch: &Batch, head: u64) {
        self.received.extend_from_slice(&batch.events);
        self.behind = (batch.next < head).then_some(batch.next);
    }

    pub fn received(&self) -> u64 {
        self.received.len() as u64
    }

    /// The account is closed, and what was received is a contiguous run from the start. Gives
    /// the client's last event ID.
    pub fn end(self, life: &Life, reason: Option<EndReason>) -> String {
        let run = life.run(self.start, self.start + self.received());
        let expected: String = run.iter().map(|entry| entry.text.as_str()).collect();
        let received = text(&self.received.concat());
        assert_eq!(received, expected, "no gap, no double, nothing else");
        if let Some(reason) = reason {
            self.account.end(reason);
        }
        last_event_id(&(text(&self.preamble) + &received))
    }
}

/// Read literally: every blank line commits the last `id` line (WHATWG HTML 9.2.6).
fn last_event_id(stream: &str) -> String {
    let (mut buffer, mut committed) = ("", "");
    for line in stream.lines() {
        if let Some(id) = line.strip_prefix("id:") {
            buffer = id.strip_prefix(' ').unwrap_or(id);
        }
        if line.is_empty() {
            committed = buffer;
        }
    }
    committed.to_owned()
}
