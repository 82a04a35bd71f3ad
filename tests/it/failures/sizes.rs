//! The largest event that is carried, and one that is larger.

use super::{BOTH, CHUNKED, SOON, fresh};
use crate::{
    client::Protocol,
    origin::{Gate, RawOrigin, Step},
    sluice::Sluice,
};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn an_event_of_one_mebibyte_passes_and_a_larger_one_is_dropped_and_counted() {
    let gate = Gate::new();
    let event = |size: usize| Step::chunk(format!("data: {}\n\n", "x".repeat(size)));
    let origin = RawOrigin::start(vec![
        Step::head(CHUNKED),
        Step::Pause(gate.clone()),
        event(MIB),
        Step::Pause(gate.clone()),
        event(MIB + 1),
        // Without an end of line in sight.
        Step::chunk("y".repeat(3 * MIB)),
        Step::chunk("\ndata: z\n\n"),
        Step::chunk("data: after\n\n"),
    ])
    .await;
    let sluice = Sluice::before(origin.address(), "/events", "").await;
    let mut listeners = Vec::new();
    for protocol in BOTH {
        listeners.push(fresh(protocol, &sluice).await);
    }
    gate.open();
    for listener in &mut listeners {
        assert_eq!(listener.next_event(SOON).await.data.len(), MIB);
    }
    gate.open();
    for listener in &mut listeners {
        // A line that is no field is not an event, however long, and spoils none.
        assert_eq!(listener.next_event(SOON).await.data, "z");
        assert_eq!(listener.next_event(SOON).await.data, "after");
    }
    assert_eq!(sluice.metric("sluice_upstream_oversized_events_total", &[]).await, 1.0);
    assert_eq!(sluice.metric("sluice_upstream_discarded_lines_total", &[]).await, 1.0);
    assert_eq!(origin.heads().len(), 1, "the topic went on with the same stream");
    assert_eq!(fresh(Protocol::Http2, &sluice).await.head().status, 200);
}
