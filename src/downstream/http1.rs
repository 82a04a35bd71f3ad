//! An event stream over HTTP/1.1: one connection, one stream, one task.
//!
//! Runs inside Pingora's request filter, which owns the session. The same hub, the same cursor
//! and the same ends as over HTTP/2.

use std::{ops::ControlFlow, pin::pin, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::{Method, Version, header::TRANSFER_ENCODING};
use pingora::{Error, ErrorType, Result, protocols::http::ServerSession};
use tokio::{
    select,
    time::{Duration, Instant, sleep, sleep_until, timeout},
};

use super::{
    Downstream,
    admission::Listen,
    answer::{self, Answer},
};
use crate::{
    drain::DrainWatch,
    hub::{Batch, End, Lagged, Mailbox, Membership, Phase, Subscription},
    metrics::EndReason,
    refusal::Refusal,
    sse,
};

/// What is gathered into one write, in bytes: one chunk, one TLS record, one system call.
const WRITE_MAX: usize = 16 * 1024;
/// How often a write that does not get on is checked for having lagged.
const LAG_CHECK: Duration = Duration::from_secs(1);
/// How long a stream's last line may take: a client that does not read is not waited for.
const LAST_LINE_WAIT: Duration = Duration::from_secs(1);

/// Serves one subscriber until the stream ends or the client leaves. An error is a connection
/// that broke, or that has to be dropped as it is.
pub async fn serve(
    session: &mut ServerSession,
    listen: Listen,
    downstream: &Downstream,
) -> Result<()> {
    let mailbox = Arc::<Mailbox>::default();
    let membership =
        downstream.hub.join(&listen.key, &listen.from, &listen.stream.policy, &mailbox, 0);
    let metrics = &listen.route.metrics;
    let mut drain = downstream.drain.clone();
    let opening = timeout(listen.stream.open_wait, opened(&membership, &mailbox));
    // Late or not, the client is answered: only a refusal in time is relayed.
    let refused = select! {
        opened = opening => opened.ok().flatten(),
        () = drain.started() => None,
    };
    if let Some(refusal) = refused {
        metrics.answered(refusal.status);
        return respond(session, answer::relayed(&refusal, &listen.cors)).await;
    }
    metrics.answered(200);
    let mut head = answer::stream_head(&listen.cors);
    if session.req_header().version == Version::HTTP_11 {
        head.insert_header(TRANSFER_ENCODING, "chunked")?;
    }
    session.write_response_header(head).await?;
    let start = membership.start(&listen.from, membership.joined_at());
    let account = Subscription::begin(metrics.clone(), start.kind);
    session.write_response_body(start.preamble, false).await?;
    let mut subscriber = Subscriber {
        session,
        heartbeat: listen.stream.heartbeat,
        drain,
        membership,
        mailbox,
        batch: Batch::default(),
        cursor: start.cursor,
        written_at: Instant::now(),
    };
    let over = subscriber.run().await;
    let is_whole = matches!(over, Over::AtBoundary(_)) && subscriber.finish().await;
    match over {
        Over::AtBoundary(reason) | Over::InWrite(reason) => account.end(reason),
        Over::Client => drop(account),
    }
    // Without an error Pingora would finish the body and say farewell, for which a client that
    // does not read would have to be waited for. Dropped, the connection is cut off.
    if is_whole { Ok(()) } else { Err(Error::new_down(ErrorType::ConnectionClosed)) }
}

/// Writes a whole answer; to HEAD, its head alone.
pub async fn respond(session: &mut ServerSession, answer: Answer) -> Result<()> {
    let is_head = session.req_header().method == Method::HEAD;
    session.write_response_header(answer.head).await?;
    let body = if is_head { Bytes::new() } else { answer.body };
    session.write_response_body(body, true).await
}

/// Waits until the upstream has spoken; a refusal if that was it.
async fn opened(membership: &Membership, mailbox: &Mailbox) -> Option<Arc<Refusal>> {
    loop {
        match membership.phase() {
            Phase::Opening => mailbox.wait().await,
            Phase::Ended(End::Refused(refusal)) => return Some(refusal),
            Phase::Open | Phase::Ended(End::Stopped) => return None,
        }
    }
}

struct Subscriber<'a> {
    session: &'a mut ServerSession,
    heartbeat: Duration,
    drain: DrainWatch,
    membership: Membership,
    mailbox: Arc<Mailbox>,
    /// Kept for its capacity.
    batch: Batch,
    cursor: u64,
    written_at: Instant,
}

/// Why a stream is over.
enum Over {
    /// The client left, or its connection broke.
    Client,
    /// The gateway ends it; between two events, so that there is room for a last line.
    AtBoundary(EndReason),
    /// The gateway ends it while the client does not read.
    InWrite(EndReason),
}

impl Subscriber<'_> {
    /// Writes until the stream is over.
    async fn run(&mut self) -> Over {
        loop {
            if let ControlFlow::Break(over) = self.step().await {
                return over;
            }
        }
    }

    /// Writes the last line and the end of the body; whether the client took them.
    async fn finish(&mut self) -> bool {
        let mut last = BytesMut::new();
        sse::retry_line(self.membership.retry(), &mut last);
        let write = self.session.write_response_body(last.freeze(), true);
        matches!(timeout(LAST_LINE_WAIT, write).await, Ok(Ok(())))
    }

    /// Writes what is new, then waits for more, for the heartbeat, or for an end.
    async fn step(&mut self) -> ControlFlow<Over> {
        self.write_new().await?;
        select! {
            biased;
            () = self.drain.started() => ControlFlow::Break(Over::AtBoundary(EndReason::Drain)),
            () = self.mailbox.wait() => ControlFlow::Continue(()),
            // Whatever comes after the request, a close or more bytes, ends the stream.
            _ = self.session.read_body_or_idle(true) => ControlFlow::Break(Over::Client),
            () = sleep_until(self.written_at + self.heartbeat) => {
                self.membership.policy().metrics.process.heartbeats.inc();
                self.write(Bytes::from_static(sse::HEARTBEAT)).await
            }
        }
    }

    async fn write_new(&mut self) -> ControlFlow<Over> {
        loop {
            let read = self.membership.read_new(self.cursor, WRITE_MAX, &mut self.batch);
            let phase = match read {
                Ok(phase) => phase,
                Err(Lagged) => {
                    return ControlFlow::Break(Over::AtBoundary(EndReason::Lagging));
                }
            };
            if self.batch.is_empty() {
                return match phase {
                    Phase::Ended(_) => ControlFlow::Break(Over::AtBoundary(EndReason::Upstream)),
                    Phase::Opening | Phase::Open => ControlFlow::Continue(()),
                };
            }
            self.cursor = self.batch.next;
            self.write(gather(&self.batch)).await?;
            self.count();
        }
    }

    /// Writes, and gives up when the client does not read while its place leaves the buffer.
    async fn write(&mut self, bytes: Bytes) -> ControlFlow<Over> {
        let Self { session, drain, membership, cursor, written_at, .. } = self;
        let mut write = pin!(session.write_response_body(bytes, false));
        loop {
            select! {
                biased;
                written = &mut write => {
                    *written_at = Instant::now();
                    return match written {
                        Ok(()) => ControlFlow::Continue(()),
                        Err(_) => ControlFlow::Break(Over::Client),
                    };
                }
                () = drain.started() => {
                    return ControlFlow::Break(Over::InWrite(EndReason::Drain));
                }
                () = sleep(LAG_CHECK) => {
                    if membership.has_lagged(*cursor) {
                        return ControlFlow::Break(Over::InWrite(EndReason::Lagging));
                    }
                }
            }
        }
    }

    fn count(&self) {
        let metrics = &self.membership.policy().metrics;
        metrics.delivered.inc_by(self.batch.dispatched);
        metrics.delivered_bytes.inc_by(self.batch.bytes as u64);
        if let Some(read_at) = self.batch.read_at {
            metrics.process.delivery_delay.observe(read_at.elapsed().as_secs_f64());
        }
    }
}

/// One write for several events; a single one is not copied.
fn gather(batch: &Batch) -> Bytes {
    match &batch.events[..] {
        [event] => event.clone(),
        events => events.concat().into(),
    }
}
