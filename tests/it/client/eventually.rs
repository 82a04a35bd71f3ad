//! Waiting on conditions, with a deadline: the alternative to sleeping and hoping.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

/// Between two looks at a condition: short for a test's pace, long for a processor's.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `predicate` says true, and panics with `what` when it has not by the deadline.
pub async fn eventually(what: &str, deadline: Duration, mut predicate: impl AsyncFnMut() -> bool) {
    let until = Instant::now() + deadline;
    while !predicate().await {
        assert!(Instant::now() < until, "not within {deadline:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
}

/// Awaits `future`, and panics with `what` when it takes longer than `deadline`.
pub async fn within<F: Future>(what: &str, deadline: Duration, future: F) -> F::Output {
    match timeout(deadline, future).await {
        Ok(output) => output,
        Err(_) => panic!("not within {deadline:?}: {what}"),
    }
}
