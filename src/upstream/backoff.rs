//! How long a feed waits before it connects again.

use std::time::Duration;

/// Doubling stops here: an upstream that is back is found within a minute.
const DELAY_MAX: Duration = Duration::from_secs(60);
/// A script that says `retry: 0` must not make the feed spin.
const DELAY_MIN: Duration = Duration::from_millis(50);
/// A script's own reconnection time is kept up to here; beyond it the topic would be given up.
const BASE_MAX: Duration = Duration::from_secs(3600);
/// The delay is spread over this share of itself, so that feeds cut at once return apart.
const JITTER: f64 = 0.25;

/// Doubles with each connect that yielded no event.
#[derive(Debug)]
pub(super) struct Backoff {
    /// The upstream's own reconnection time, or the route's.
    base: Duration,
    failures: u32,
}

impl Backoff {
    pub fn new(base: Duration) -> Self {
        Self { base, failures: 0 }
    }

    /// The upstream has named its reconnection time.
    pub fn set_base(&mut self, base: Duration) {
        self.base = base.min(BASE_MAX);
    }

    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// The time to wait now, with jitter.
    pub fn delay(&self) -> Duration {
        self.ceiling().mul_f64(1.0 - JITTER * fastrand::f64())
    }

    fn ceiling(&self) -> Duration {
        let base = self.base.max(DELAY_MIN);
        let doubled = 2u32.checked_pow(self.failures.saturating_sub(1)).unwrap_or(u32::MAX);
        base.saturating_mul(doubled).min(DELAY_MAX.max(base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_ended_is_asked_for_again_after_the_reconnection_time() {
        let backoff = Backoff::new(Duration::from_secs(3));
        assert_eq!(backoff.ceiling(), Duration::from_secs(3));
        let delay = backoff.delay();
        assert!(delay <= Duration::from_secs(3) && delay >= Duration::from_millis(2250));
    }

    #[test]
    fn failures_double_the_delay_up_to_a_minute_and_an_event_resets_it() {
        let mut backoff = Backoff::new(Duration::from_secs(3));
        let mut ceilings = vec![];
        for _ in 0..7 {
            backoff.failed();
            ceilings.push(backoff.ceiling().as_secs());
        }
        assert_eq!(ceilings, [3, 6, 12, 24, 48, 60, 60]);
        backoff.succeeded();
        assert_eq!(backoff.ceiling(), Duration::from_secs(3));
    }

    #[test]
    fn a_reconnection_time_of_zero_does_not_spin_and_a_long_one_is_kept() {
        let mut backoff = Backoff::new(Duration::ZERO);
        assert_eq!(backoff.ceiling(), DELAY_MIN);
        backoff.set_base(Duration::from_secs(300));
        backoff.failed();
        backoff.failed();
        assert_eq!(backoff.ceiling(), Duration::from_secs(300));
        backoff.set_base(Duration::from_millis(u64::MAX));
        assert_eq!(backoff.ceiling(), BASE_MAX);
    }
}
