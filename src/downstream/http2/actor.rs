//! The connection's loop: the only task that touches its streams.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use pingora::protocols::{
    Digest,
    http::v2::server::{H2Accept, HttpSession},
};
use slab::Slab;
use tokio::{
    task::JoinSet,
    time::{Duration, Instant, Sleep, sleep_until},
};

use super::{
    H2Connection, Round,
    topic::{self, TopicStreams},
    wire::WireHandle,
};
use crate::{
    downstream::{
        Downstream, PassThrough,
        admission::{Admission, Listen, admit},
    },
    hub::{Batch, Mailbox},
    metrics::EndReason,
    topic_key::TopicKey,
};

/// Malformed requests after which a connection is closed; Pingora's own number.
const REJECTED_MAX: u32 = 32;
/// How far the timer is set ahead while there is nothing to wait for.
const IDLE: Duration = Duration::from_secs(3600);

pub(super) struct Actor {
    connection: H2Connection,
    digest: Arc<Digest>,
    wire: WireHandle,
    downstream: Arc<Downstream>,
    pass_through: Arc<dyn PassThrough>,
    mailbox: Arc<Mailbox>,
    topics: Slab<TopicStreams>,
    slots: HashMap<TopicKey, usize>,
    /// Topics with news; kept for its capacity, as is `batch`.
    news: Vec<u32>,
    batch: Batch,
    /// Fires when the first heartbeat or answer is due.
    timer: Pin<Box<Sleep>>,
    /// The requests for the rest of the site; they end with the connection.
    requests: JoinSet<()>,
    rejected: u32,
    /// How often the peer has taken everything that was written.
    flushed: u32,
    draining: bool,
}

/// What the connection woke up for.
enum Wake {
    Request(Box<HttpSession>),
    News,
    Timer,
    Closed,
}

impl Actor {
    pub fn new(
        connection: H2Connection,
        digest: Arc<Digest>,
        wire: WireHandle,
        downstream: Arc<Downstream>,
        pass_through: Arc<dyn PassThrough>,
    ) -> Self {
        Self {
            connection,
            digest,
            wire,
            downstream,
            pass_through,
            mailbox: Arc::default(),
            topics: Slab::new(),
            slots: HashMap::new(),
            news: Vec::new(),
            batch: Batch::default(),
            timer: Box::pin(sleep_until(Instant::now() + IDLE)),
            requests: JoinSet::new(),
            rejected: 0,
            flushed: 0,
            draining: false,
        }
    }

    pub async fn run(mut self) {
        let mut watch = self.downstream.drain.clone();
        // Registered once, not for each wake: all connections share the signal.
        let mut drain = pin!(watch.started());
        loop {
            let draining = self.draining;
            let wake = tokio::select! {
                biased;
                () = &mut drain, if !draining => {
                    self.drain();
                    continue;
                }
                wake = poll_fn(|cx| self.poll_wake(cx)) => wake,
            };
            match wake {
                Wake::Request(session) => self.admit(session),
                Wake::News => self.deliver(),
                Wake::Timer => self.tick(),
                Wake::Closed => return,
            }
        }
    }

    fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        loop {
            if let Poll::Ready(wake) = self.poll_drive(cx) {
                return Poll::Ready(wake);
            }
            while let Poll::Ready(Some(_finished)) = self.requests.poll_join_next(cx) {}
            if self.mailbox.poll_take(cx, &mut self.news).is_ready() {
                return Poll::Ready(Wake::News);
            }
            if self.timer.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Wake::Timer);
            }
            // A reset can only have come as bytes from the peer.
            if self.wire.take_has_read() {
                self.sweep(cx);
            }
            if !self.catch_up(cx) {
                return Poll::Pending;
            }
        }
    }

    /// Drives the connection until it waits for the peer, with nothing left that was gathered.
    fn poll_drive(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        loop {
            match self.poll_accept(cx) {
                Poll::Ready(wake) => return Poll::Ready(wake),
                Poll::Pending if self.wire.uncork() => {}
                Poll::Pending => {
                    if !self.wire.is_blocked() {
                        self.flushed = self.flushed.wrapping_add(1);
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// Reads, writes, and yields the next request.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        loop {
            // Made anew for each poll: after its only await, nothing in it waits.
            let accept = HttpSession::from_h2_conn(&mut self.connection, self.digest.clone());
            return Poll::Ready(match std::task::ready!(pin!(accept).poll(cx)) {
                Ok(Some(H2Accept::Session(session))) => Wake::Request(Box::new(session)),
                Ok(Some(H2Accept::Rejected)) if self.rejected < REJECTED_MAX => {
                    self.rejected += 1;
                    continue;
                }
                Ok(Some(H2Accept::Rejected)) | Ok(None) | Err(_) => Wake::Closed,
            });
        }
    }

    fn admit(&mut self, session: Box<HttpSession>) {
        match admit(&self.downstream.routes.load(), session.req_header()) {
            Admission::Listen(listen) => self.listen(session, listen),
            Admission::Answer { answer, route } => {
                if let Some(route) = route {
                    route.metrics.answered(answer.head.status.as_u16());
                }
                topic::respond(session, answer);
            }
            Admission::Proxy(_) => {
                self.requests.spawn(self.pass_through.proxy(*session));
            }
        }
    }

    fn listen(&mut self, session: Box<HttpSession>, listen: Listen) {
        let round = self.round();
        let slot = self.slot(&listen);
        let topic = &mut self.topics[slot];
        topic.add(session, listen, &mut self.batch, round);
        if self.draining {
            topic.end(EndReason::Drain);
        }
        let due = topic.next_tick();
        self.batch.clear();
        self.forget_if_empty(slot);
        self.set_timer(due);
    }

    /// The slot of a topic; joins it if this is the connection's first stream there.
    fn slot(&mut self, listen: &Listen) -> usize {
        if let Some(slot) = self.slots.get(&listen.key) {
            return *slot;
        }
        let entry = self.topics.vacant_entry();
        let slot = entry.key();
        let policy = &listen.stream.policy;
        let hub = &self.downstream.hub;
        let membership = hub.join(&listen.key, &listen.from, policy, &self.mailbox, slot as u32);
        entry.insert(TopicStreams::new(membership, listen));
        self.slots.insert(listen.key.clone(), slot);
        slot
    }

    /// Writes the news of every posted topic, gathered into as few writes as they fit in.
    fn deliver(&mut self) {
        let round = self.round();
        self.wire.cork();
        let mut news = std::mem::take(&mut self.news);
        for slot in news.drain(..) {
            // A post may come after its topic was left.
            if let Some(topic) = self.topics.get_mut(slot as usize) {
                let waited = topic.has_waiting();
                topic.deliver(&mut self.batch, round);
                // The timer stands at the end of their wait: a heartbeat may be due before it.
                let due = if waited { topic.next_tick() } else { None };
                self.forget_if_empty(slot as usize);
                self.set_timer(due);
            }
        }
        self.news = news;
        // Events that have left the replay buffer are not kept by silent connections.
        self.batch.clear();
    }

    fn tick(&mut self) {
        let round = self.round();
        self.wire.cork();
        let mut next: Option<Instant> = None;
        for (_, topic) in &mut self.topics {
            let due = topic.tick(&mut self.batch, round);
            next = [next, due].into_iter().flatten().min();
        }
        self.batch.clear();
        self.timer.as_mut().reset(next.unwrap_or(round.now + IDLE));
        self.forget_empty();
    }

    fn sweep(&mut self, cx: &mut Context<'_>) {
        self.topics.iter_mut().for_each(|(_, topic)| topic.sweep(cx));
        self.forget_empty();
    }

    /// Writes to the streams that are behind and whose clients have room again; whether any was.
    fn catch_up(&mut self, cx: &mut Context<'_>) -> bool {
        let mut wrote = false;
        let round = self.round();
        for (_, topic) in &mut self.topics {
            if topic.has_lagging() {
                wrote |= topic.catch_up(cx, &mut self.batch, round);
            }
        }
        self.batch.clear();
        if wrote {
            self.wire.cork();
        }
        wrote
    }

    fn drain(&mut self) {
        self.draining = true;
        self.connection.graceful_shutdown();
        self.wire.cork();
        for (_, topic) in &mut self.topics {
            topic.end(EndReason::Drain);
        }
        self.forget_empty();
    }

    fn round(&self) -> Round {
        Round { now: Instant::now(), flushed: self.flushed }
    }

    fn set_timer(&mut self, due: Option<Instant>) {
        if let Some(due) = due.filter(|due| *due < self.timer.deadline()) {
            self.timer.as_mut().reset(due);
        }
    }

    /// Leaves a topic that no stream of this connection listens to any more.
    fn forget_if_empty(&mut self, slot: usize) {
        if self.topics.get(slot).is_some_and(TopicStreams::is_empty) {
            let topic = self.topics.remove(slot);
            self.slots.remove(topic.key());
        }
    }

    fn forget_empty(&mut self) {
        let empty = |(slot, topic): (usize, &TopicStreams)| topic.is_empty().then_some(slot);
        let slots: Vec<usize> = self.topics.iter().filter_map(empty).collect();
        slots.into_iter().for_each(|slot| self.forget_if_empty(slot));
    }
}
