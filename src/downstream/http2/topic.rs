//! A connection's streams of one topic: one membership, one head, any number of streams.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::Method;
use pingora::protocols::http::v2::server::HttpSession;
use tokio::time::{Duration, Instant};

use super::{
    Round, SEND_BUFFER,
    stream::{EventStream, Stalled, Written},
};
use crate::{
    downstream::{
        admission::Listen,
        answer::{self, Answer},
    },
    hub::{Batch, End, Lagged, Membership, Phase, Subscription},
    metrics::EndReason,
    route::Route,
    sse,
    topic_key::TopicKey,
};

pub(super) struct TopicStreams {
    membership: Membership,
    route: Arc<Route>,
    heartbeat: Duration,
    /// How far this connection has read the topic; the cursor of every stream not behind.
    head: u64,
    streams: Vec<EventStream>,
    waiting: Vec<Waiting>,
}

/// A request that is not answered yet: the upstream may still refuse it.
struct Waiting {
    session: Box<HttpSession>,
    listen: Listen,
    /// When it is answered, whatever the upstream does.
    until: Instant,
    /// The connection's place in the topic when it asked; what comes while it waits is its too.
    asked_at: u64,
}

impl TopicStreams {
    pub fn new(membership: Membership, listen: &Listen) -> Self {
        Self {
            head: membership.joined_at(),
            membership,
            route: listen.route.clone(),
            heartbeat: listen.stream.heartbeat,
            streams: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Whether any request here is not answered yet.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.waiting.is_empty()
    }

    /// Takes a request in: answered at once if the upstream has spoken, else within its time.
    pub fn add(
        &mut self,
        session: Box<HttpSession>,
        listen: Listen,
        batch: &mut Batch,
        round: Round,
    ) {
        // What is published already is read first: the id to resume from may be among it.
        self.deliver(batch, round);
        let until = round.now + listen.stream.open_wait;
        self.waiting.push(Waiting { session, listen, until, asked_at: self.head });
        self.settle(self.membership.phase(), batch, round);
    }

    /// Reads what is new and writes it to every stream that has room.
    pub fn deliver(&mut self, batch: &mut Batch, round: Round) {
        match self.membership.read_new(self.head, usize::MAX, batch) {
            Ok(phase) => {
                if !batch.is_empty() {
                    self.head = batch.next;
                    batch.gather(SEND_BUFFER);
                    self.write(batch, round);
                }
                self.settle(phase, batch, round);
            }
            Err(Lagged) => {
                self.end_streams(EndReason::Lagging);
                self.head = self.membership.head();
                self.settle(self.membership.phase(), batch, round);
            }
        }
    }

    /// Lets the streams that are behind catch up where there is room again; whether any did.
    pub fn catch_up(&mut self, cx: &mut Context<'_>, batch: &mut Batch, round: Round) -> bool {
        let mut total = Written::default();
        let mut streams = std::mem::take(&mut self.streams);
        streams.retain_mut(|stream| {
            while let Poll::Ready(room) = stream.poll_room(cx, round) {
                if room.is_err() || !self.catch_up_one(stream, batch, &mut total, round) {
                    return false;
                }
            }
            true
        });
        self.streams = streams;
        self.count(total);
        total.bytes > 0
    }

    /// Whether any stream here is behind.
    pub fn has_lagging(&self) -> bool {
        self.streams.iter().any(|stream| stream.behind.is_some())
    }

    /// Forgets the streams that their clients have reset, and the requests: a client could
    /// otherwise pile them up, as what it has reset is not counted among its streams.
    pub fn sweep(&mut self, cx: &mut Context<'_>) {
        self.streams.retain_mut(|stream| !stream.poll_gone(cx));
        self.waiting.retain_mut(|waiting| pin!(waiting.session.idle()).poll(cx).is_pending());
    }

    /// Writes heartbeats to the streams that were silent for long enough, answers those that
    /// have waited long enough, and tells when it wants to be called again.
    pub fn tick(&mut self, batch: &mut Batch, round: Round) -> Option<Instant> {
        let late =
            self.waiting.extract_if(.., |waiting| waiting.until <= round.now).collect::<Vec<_>>();
        late.into_iter().for_each(|waiting| self.open(waiting, batch, round));
        let heartbeat = self.heartbeat;
        let mut written = 0;
        self.streams.retain_mut(|stream| {
            if stream.written_at + heartbeat > round.now {
                return true;
            }
            let beat = stream.heartbeat(round.now);
            written += u64::from(matches!(beat, Ok(true)));
            beat.is_ok()
        });
        self.route.metrics.process.heartbeats.inc_by(written);
        self.next_tick()
    }

    /// When [`Self::tick`] has something to do.
    pub fn next_tick(&self) -> Option<Instant> {
        let heartbeat = self.heartbeat;
        let beats = self.streams.iter().map(|stream| stream.written_at + heartbeat);
        beats.chain(self.waiting.iter().map(|waiting| waiting.until)).min()
    }

    pub fn key(&self) -> &TopicKey {
        self.membership.key()
    }

    /// Ends everything here, and tells each client when to come back.
    pub fn end(&mut self, reason: EndReason) {
        self.end_streams(reason);
        for waiting in self.waiting.drain(..) {
            come_back(waiting, retry_line(self.membership.retry()));
        }
    }

    /// Writes a batch to every stream that has all before it.
    fn write(&mut self, batch: &Batch, round: Round) {
        let mut total = Written::default();
        let membership = &self.membership;
        let mut lagged = Vec::new();
        let mut at = 0;
        while let Some(stream) = self.streams.get_mut(at) {
            if stream.behind.is_some() {
                if stream.has_lagged(membership) {
                    lagged.push(self.streams.swap_remove(at));
                    continue;
                }
            } else {
                match stream.write(batch, round) {
                    Ok(written) => total += written,
                    Err(_gone) => {
                        self.streams.swap_remove(at);
                        continue;
                    }
                }
            }
            at += 1;
        }
        let line = || retry_line(self.membership.retry());
        lagged.into_iter().for_each(|stream| stream.end(EndReason::Lagging, line()));
        if let Some(read_at) = batch.read_at {
            let delay = read_at.elapsed().as_secs_f64();
            self.route.metrics.process.delivery_delay.observe(delay);
        }
        self.count(total);
    }

    /// Answers those that wait, or ends all, by what the upstream has said.
    fn settle(&mut self, phase: Phase, batch: &mut Batch, round: Round) {
        match phase {
            Phase::Opening => {}
            Phase::Open => {
                for waiting in std::mem::take(&mut self.waiting) {
                    self.open(waiting, batch, round);
                }
            }
            Phase::Ended(end) => {
                if let End::Refused(refusal) = &end {
                    for waiting in self.waiting.drain(..) {
                        let answer = answer::relayed(refusal, &waiting.listen.cors);
                        self.route.metrics.answered(refusal.status);
                        respond(waiting.session, answer);
                    }
                }
                self.end(EndReason::Upstream);
            }
        }
    }

    /// Answers a request with its stream.
    fn open(&mut self, waiting: Waiting, batch: &mut Batch, round: Round) {
        let Waiting { mut session, listen, asked_at, .. } = waiting;
        let head = answer::stream_head(&listen.cors);
        // A client that has gone meanwhile gets nothing and counts for nothing.
        let Ok(()) = session.write_response_header(head, false) else { return };
        let Some(send) = session.take_response_body_writer() else { return };
        self.route.metrics.answered(200);
        // Not the head: events may have come with the very news that answers the request.
        let start = self.membership.start(&listen.from, asked_at);
        let account = Subscription::begin(self.route.metrics.clone(), start.kind);
        let mut stream = EventStream::new(send, account, round.now);
        if stream.write_line(start.preamble, round.now).is_err() {
            return;
        }
        let mut written = Written::default();
        if start.cursor < self.head {
            stream.start_at(start.cursor);
            if !self.catch_up_one(&mut stream, batch, &mut written, round) {
                return;
            }
        }
        self.count(written);
        self.streams.push(stream);
    }

    /// Whether the stream lives on.
    fn catch_up_one(
        &self,
        stream: &mut EventStream,
        batch: &mut Batch,
        total: &mut Written,
        round: Round,
    ) -> bool {
        match stream.catch_up(&self.membership, self.head, batch, round) {
            Ok(written) => {
                *total += written;
                true
            }
            Err(Stalled::Gone) => false,
            // What outran it has been posted: its end is written with that.
            Err(Stalled::Lagged) => true,
        }
    }

    fn end_streams(&mut self, reason: EndReason) {
        for stream in self.streams.drain(..) {
            stream.end(reason, retry_line(self.membership.retry()));
        }
    }

    fn count(&self, written: Written) {
        self.route.metrics.delivered.inc_by(written.events);
        self.route.metrics.delivered_bytes.inc_by(written.bytes);
    }
}

/// Writes a whole answer; to HEAD, its head alone. Its body is within h2's window or is queued,
/// and it is small.
pub(super) fn respond(mut session: Box<HttpSession>, answer: Answer) {
    let end = answer.body.is_empty() || session.req_header().method == Method::HEAD;
    if session.write_response_header(answer.head, end).is_ok()
        && !end
        && let Some(mut send) = session.take_response_body_writer()
    {
        // A client that has gone meanwhile needs no answer.
        let _ = send.send_data(answer.body, true);
    }
}

/// Answers a request with a stream that ends at once: a browser gives up for ever on any other
/// status, and comes back after this one.
fn come_back(waiting: Waiting, line: Bytes) {
    let answer = Answer { head: answer::stream_head(&waiting.listen.cors), body: line };
    waiting.listen.route.metrics.answered(200);
    respond(waiting.session, answer);
}

fn retry_line(retry: Duration) -> Bytes {
    let mut line = BytesMut::new();
    sse::retry_line(retry, &mut line);
    line.freeze()
}
