//! One event stream to a client: h2's send half, and how far it has got.

use std::{
    ops::AddAssign,
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::SendStream;
use tokio::time::Instant;

use super::{Round, SEND_BUFFER, SEND_FRAMES};
use crate::{
    hub::{Batch, Lagged, Membership, Subscription},
    metrics::EndReason,
    sse,
};

/// No queue: what it has not got yet stays in the replay buffer, and the place is a cursor.
pub(super) struct EventStream {
    send: SendStream<Bytes>,
    account: Subscription,
    pub written_at: Instant,
    /// Frames that h2 may hold of it, as far as is known, and when that was known.
    queued: usize,
    flushed: u32,
    /// `None`: it has all that its connection has read of the topic.
    pub behind: Option<Behind>,
}

/// Where a stream is that did not get all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    cursor: u64,
    /// How much of the event at the cursor has been sent, in bytes.
    offset: usize,
}

/// The client has reset the stream, or its connection is gone.
pub(super) struct Gone;

/// Why a stream that is behind did not get further.
pub(super) enum Stalled {
    Gone,
    Lagged,
}

/// What was written, for the metrics.
#[derive(Clone, Copy, Default)]
pub(super) struct Written {
    pub events: u64,
    pub bytes: u64,
}

impl EventStream {
    pub fn new(send: SendStream<Bytes>, account: Subscription, now: Instant) -> Self {
        Self { send, account, written_at: now, queued: 0, flushed: 0, behind: None }
    }

    /// Writes a few bytes of the gateway's own, at an event boundary.
    pub fn write_line(&mut self, line: Bytes, now: Instant) -> Result<(), Gone> {
        self.written_at = now;
        self.send.send_data(line, false).map_err(|_| Gone)
    }

    /// Writes a heartbeat if the client has room for it; one that has not is behind anyway.
    pub fn heartbeat(&mut self, now: Instant) -> Result<bool, Gone> {
        self.written_at = now;
        if self.behind.is_some() || self.capacity(sse::HEARTBEAT.len()) < sse::HEARTBEAT.len() {
            return Ok(false);
        }
        self.send.send_data(Bytes::from_static(sse::HEARTBEAT), false).map_err(|_| Gone)?;
        Ok(true)
    }

    /// Writes a batch to a stream that has everything before it; what does not fit leaves the
    /// stream behind.
    pub fn write(&mut self, batch: &Batch, round: Round) -> Result<Written, Gone> {
        let cursor = batch.next - batch.events.len() as u64;
        let written = match self.write_whole(batch, round)? {
            Some(written) => written,
            None => {
                self.behind = Some(Behind { cursor, offset: 0 });
                self.push(batch, round)?
            }
        };
        if written.bytes > 0 {
            self.written_at = round.now;
        }
        Ok(written)
    }

    /// Lets a stream that is behind catch up, as far as its client has room.
    pub fn catch_up(
        &mut self,
        membership: &Membership,
        head: u64,
        batch: &mut Batch,
        round: Round,
    ) -> Result<Written, Stalled> {
        let mut total = Written::default();
        while let Some(behind) = self.behind {
            if behind.cursor >= head {
                self.behind = None;
                break;
            }
            let until = head.min(behind.cursor + SEND_FRAMES as u64);
            membership
                .read_kept(behind.cursor, until, SEND_BUFFER, batch)
                .map_err(|Lagged| Stalled::Lagged)?;
            let written = self.write_next(batch, behind, round).map_err(|Gone| Stalled::Gone)?;
            if written.bytes == 0 {
                break;
            }
            total += written;
        }
        if total.bytes > 0 {
            self.written_at = round.now;
        }
        Ok(total)
    }

    /// Begins behind: everything from `cursor` on is still to come.
    pub fn start_at(&mut self, cursor: u64) {
        self.behind = Some(Behind { cursor, offset: 0 });
    }

    /// Whether what a stream still needs has left the replay buffer.
    pub fn has_lagged(&self, membership: &Membership) -> bool {
        self.behind.is_some_and(|behind| membership.has_lagged(behind.cursor))
    }

    /// Ready when a stream that is behind has room again, or is gone; else registers the task.
    pub fn poll_room(&mut self, cx: &mut Context<'_>, round: Round) -> Poll<Result<(), Gone>> {
        if self.behind.is_none() {
            return Poll::Pending;
        }
        if self.queued >= SEND_FRAMES {
            // The wire wakes the task when the peer has taken what is queued.
            return if self.frames_left(round) > 0 { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        match self.send.poll_capacity(cx) {
            Poll::Ready(Some(Ok(_))) => Poll::Ready(Ok(())),
            Poll::Ready(_) => Poll::Ready(Err(Gone)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Whether the client has reset the stream; registers the task if not.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> bool {
        self.send.poll_reset(cx).is_ready()
    }

    /// Ends the stream for a reason of the gateway's, with a last line where no event is cut:
    /// a line after half an event would become part of it.
    pub fn end(mut self, reason: EndReason, last_line: Bytes) {
        let in_event = self.behind.is_some_and(|behind| behind.offset > 0);
        let last = if in_event { Bytes::new() } else { last_line };
        // A stream that is gone already has been told by its client.
        let _ = self.send.send_data(last, true);
        self.account.end(reason);
    }

    /// Writes a batch in one frame, if there is room for all of it.
    fn write_whole(&mut self, batch: &Batch, round: Round) -> Result<Option<Written>, Gone> {
        let Some(whole) = &batch.gathered else { return Ok(None) };
        if self.frames_left(round) == 0 || self.capacity(batch.bytes) < batch.bytes {
            return Ok(None);
        }
        self.send_frame(whole.clone())?;
        Ok(Some(Written { events: batch.dispatched, bytes: batch.bytes as u64 }))
    }

    /// Writes a batch that begins where the stream is, as far as there is room.
    fn write_next(
        &mut self,
        batch: &mut Batch,
        behind: Behind,
        round: Round,
    ) -> Result<Written, Gone> {
        if behind.offset == 0 {
            batch.gather(SEND_BUFFER);
            if let Some(written) = self.write_whole(batch, round)? {
                self.behind = Some(Behind { cursor: batch.next, offset: 0 });
                return Ok(written);
            }
        }
        self.push(batch, round)
    }

    /// Sends of `batch`, which begins at the cursor, what there is room for.
    fn push(&mut self, batch: &Batch, round: Round) -> Result<Written, Gone> {
        let mut written = Written::default();
        let Some(mut at) = self.behind else { return Ok(written) };
        for event in &batch.events {
            if self.frames_left(round) == 0 {
                break;
            }
            let rest = event.slice(at.offset..);
            let room = self.capacity(rest.len()).min(rest.len());
            if room > 0 {
                self.send_frame(rest.slice(..room))?;
                written.bytes += room as u64;
            }
            if room < rest.len() {
                at.offset += room;
                // Ask for more, so that the task is woken when there is room.
                self.capacity(rest.len() - room);
                break;
            }
            written.events += 1;
            at = Behind { cursor: at.cursor + 1, offset: 0 };
        }
        self.behind = Some(at);
        Ok(written)
    }

    fn send_frame(&mut self, bytes: Bytes) -> Result<(), Gone> {
        self.queued += 1;
        self.send.send_data(bytes, false).map_err(|_| Gone)
    }

    /// How many more frames may be queued.
    fn frames_left(&mut self, round: Round) -> usize {
        if self.flushed != round.flushed {
            (self.flushed, self.queued) = (round.flushed, 0);
        }
        SEND_FRAMES.saturating_sub(self.queued)
    }

    /// Asks for room and tells how much there is now, in bytes. Never asks for more than one
    /// stream may buffer: what is reserved here is taken from the connection's other streams.
    fn capacity(&mut self, wanted: usize) -> usize {
        self.send.reserve_capacity(wanted.min(SEND_BUFFER));
        self.send.capacity()
    }
}

impl AddAssign for Written {
    fn add_assign(&mut self, more: Self) {
        self.events += more.events;
        self.bytes += more.bytes;
    }
}
