//! How a connection learns which of its topics have something new.
//!
//! One per connection, however many streams it holds. Carries slot numbers, never events.

use std::{
    future::poll_fn,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

/// Slots with news, and the connection's waker.
#[derive(Debug, Default)]
pub struct Mailbox {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Each slot at most once: a topic posts again only after its last post was read.
    posted: Vec<u32>,
    waker: Option<Waker>,
}

impl Mailbox {
    /// Tells the connection that the topic in `slot` has news, and wakes it.
    pub(super) fn post(&self, slot: u32) {
        let mut inner = self.inner.lock();
        inner.posted.push(slot);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Moves all posted slots into `slots`, which keeps its capacity. Pending, with the waker
    /// kept, if there are none.
    pub fn poll_take(&self, cx: &mut Context<'_>, slots: &mut Vec<u32>) -> Poll<()> {
        self.poll_posted(cx, |posted| slots.append(posted))
    }

    /// Waits for news. For a connection with a single topic, which needs no slots. Cancel-safe.
    pub async fn wait(&self) {
        poll_fn(|cx| self.poll_posted(cx, Vec::clear)).await;
    }

    fn poll_posted(&self, cx: &mut Context<'_>, take: impl FnOnce(&mut Vec<u32>)) -> Poll<()> {
        let mut inner = self.inner.lock();
        if inner.posted.is_empty() {
            if !inner.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                inner.waker = Some(cx.waker().clone());
            }
            return Poll::Pending;
        }
        take(&mut inner.posted);
        Poll::Ready(())
    }
}
