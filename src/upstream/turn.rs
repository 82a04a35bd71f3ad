//! Whose turn it is to connect: never more event streams than the upstream can bear, and never
//! two at the same instant.
//!
//! php-fpm's `pm = ondemand` leaves simultaneous connects hanging and serves the same ones at
//! once when they come 10 ms apart (measured), hence the stagger.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// An upstream's turns, shared by all feeds that lead there.
pub(super) struct Turns {
    streams: Arc<Semaphore>,
    stagger: Duration,
    next_connect: Mutex<Instant>,
}

/// The right to hold one event stream open, given back when dropped.
pub(super) struct Turn(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

impl Turns {
    pub fn new(max_streams: usize, stagger: Duration) -> Self {
        Self {
            streams: Arc::new(Semaphore::new(max_streams)),
            stagger,
            next_connect: Mutex::new(Instant::now()),
        }
    }

    /// A turn if one is free now; the connect may still have to be staggered.
    pub fn try_take(&self) -> Option<Turn> {
        self.streams.clone().try_acquire_owned().ok().map(Turn)
    }

    /// Waits for a turn, first come, first served. Cancel-safe.
    pub async fn take(&self) -> Turn {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn connects_are_staggered_and_streams_are_counted() {
        let turns = Turns::new(2, Duration::from_millis(20));
        let begin = Instant::now();
        let first = turns.take().await;
        let _second = turns.take().await;
        turns.stagger().await;
        turns.stagger().await;
        turns.stagger().await;
        assert_eq!(begin.elapsed(), Duration::from_millis(40));
        assert!(turns.try_take().is_none());
        drop(first);
        assert!(turns.try_take().is_some());
    }
}
