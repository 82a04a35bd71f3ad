//! Whose turn it is to connect: never more event streams than the upstream can bear, and never
//! two at the same instant.
//!
//! php-fpm's `pm = ondemand` leaves simultaneous connects hanging and serves the same ones at
//! once when they come 10 ms apart (measured), hence the stagger.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// An upstream's turns, shared by all feeds that lead there.
pub(super) struct Turns {
    streams: Arc<Semaphore>,
    /// Feeds that wait for a turn.
    waiting: AtomicUsize,
    stagger: Duration,
    next_connect: Mutex<Instant>,
}

/// The right to hold one event stream open, given back when dropped.
pub(super) struct Turn(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

impl Turns {
    pub fn new(max_streams: usize, stagger: Duration) -> Self {
        Self {
            streams: Arc::new(Semaphore::new(max_streams)),
            waiting: AtomicUsize::new(0),
            stagger,
            next_connect: Mutex::new(Instant::now()),
        }
    }

    fn try_take(&self) -> Option<Turn> {
        self.streams.clone().try_acquire_owned().ok().map(Turn)
    }

    /// Waits for a turn, first come, first served. `is_full` is told when nobody waited before.
    /// Cancel-safe.
    pub async fn take(&self, is_full: impl FnOnce()) -> Turn {
        if let Some(turn) = self.try_take() {
            return turn;
        }
        if self.waiting.fetch_add(1, Relaxed) == 0 {
            is_full();
        }
        let _waiting = Waiting(&self.waiting);
        // The semaphore is never closed.
        match self.streams.clone().acquire_owned().await {
            Ok(permit) => Turn(permit),
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits until the connect may begin.
    pub async fn stagger(&self) {
        let at = {
            let mut next = self.next_connect.lock();
            let at = (*next).max(Instant::now());
            *next = at + self.stagger;
            at
        };
        sleep_until(at).await;
    }
}

/// Counts a feed as waiting until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn connects_are_staggered_and_streams_are_counted() {
        let turns = Turns::new(2, Duration::from_millis(20));
        let begin = Instant::now();
        let first = turns.take(|| panic!("one is free")).await;
        let _second = turns.take(|| panic!("one is free")).await;
        turns.stagger().await;
        turns.stagger().await;
        turns.stagger().await;
        assert_eq!(begin.elapsed(), Duration::from_millis(40));
        assert!(turns.try_take().is_none());
        drop(first);
        assert!(turns.try_take().is_some());
    }

    #[tokio::test]
    async fn a_full_upstream_is_reported_once_for_all_that_wait() {
        let turns = Arc::new(Turns::new(1, Duration::ZERO));
        let held = turns.take(|| panic!("one is free")).await;
        let told = Arc::new(AtomicUsize::new(0));
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (turns, told) = (turns.clone(), told.clone());
            waiting.spawn(async move { drop(turns.take(|| _ = told.fetch_add(1, Relaxed)).await) });
        }
        while turns.waiting.load(Relaxed) < 3 {
            tokio::task::yield_now().await;
        }
        drop(held);
        waiting.join_all().await;
        assert_eq!((told.load(Relaxed), turns.waiting.load(Relaxed)), (1, 0));
    }
}
