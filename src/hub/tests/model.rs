//! The hub against a naive reference that keeps everything for ever, in any interleaving.
//!
//! What one subscriber received must be a contiguous run of the reference's events from its
//! start; lagging is told exactly when the reference says so; a connection with unread news has
//! been posted, and once only. `world` plays the steps on both sides and compares after each.

mod connection;
mod reference;
mod steps;
mod subscribers;
mod world;

use std::{cell::Cell, sync::Arc, time::Duration};

use proptest::{prelude::*, test_runner::TestRunner};
use tokio::runtime;

use crate::metrics::{Metrics, StartKind};
use steps::{At, Block, From, Setting, Step, setting, step};
use world::World;

const CASES: u32 = 2000;
const STEPS: usize = 80;
const TOPICS: usize = 2;
const CONNECTIONS: usize = 3;

#[test]
fn any_interleaving_delivers_a_contiguous_run_and_tells_who_lagged() {
    let metrics = Arc::<Metrics>::default();
    let met = Met::default();
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..Default::default() };
    let case = (setting(), prop::collection::vec(step(), 1..STEPS));
    let outcome = TestRunner::new(config).run(&case, |(setting, steps)| {
        play(&metrics, setting, steps, &met);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // A model that never comes to what it is for proves nothing.
    for (what, count) in [
        ("replayed", &met.replayed),
        ("missed", &met.missed),
        ("lagged", &met.lagged),
        ("ended", &met.ended),
        ("delivered", &met.delivered),
    ] {
        assert!(count.get() > u64::from(CASES) / 20, "only {} were {what}", count.get());
    }
}

/// What all cases together came to.
#[derive(Default)]
struct Met {
    replayed: Cell<u64>,
    missed: Cell<u64>,
    lagged: Cell<u64>,
    ended: Cell<u64>,
    delivered: Cell<u64>,
}

impl Met {
    fn start(&self, kind: StartKind) {
        match kind {
            StartKind::Live => {}
            StartKind::Replayed => self.replayed.set(self.replayed.get() + 1),
            StartKind::Missed => self.missed.set(self.missed.get() + 1),
        }
    }
}

fn play(metrics: &Arc<Metrics>, setting: Setting, steps: Vec<Step>, met: &Met) {
    let clock = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    clock.expect("a runtime").block_on(async {
        let mut world = World::new(metrics, setting, met);
        for step in steps {
            match step {
                Step::Pass { millis } => tokio::time::advance(Duration::from_millis(millis)).await,
                step => world.take(step),
            }
            world.compare();
        }
        world.settle();
    });
    assert_eq!(metrics.replay_buffer_bytes.get(), 0, "all is given back");
}
