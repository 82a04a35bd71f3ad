//! What may happen, and how it is made up.

use std::time::Duration;

use proptest::prelude::*;

use super::{CONNECTIONS, TOPICS};
use crate::config::{Ids, LateJoin, Replay};

/// What happens next.
#[derive(Clone, Debug)]
pub enum Step {
    Publish {
        topic: usize,
        blocks: Vec<Block>,
    },
    Open {
        topic: usize,
    },
    /// The feed ends; the next subscriber begins another life of the topic.
    Die {
        topic: usize,
    },
    Pass {
        millis: u64,
    },
    Subscribe {
        at: At,
        from: From,
    },
    /// The connection looks into its mailbox.
    Take {
        connection: usize,
    },
    /// It reads what is new, not much further than so many bytes.
    Read {
        at: At,
        bytes: usize,
    },
    /// A subscriber stops taking what is read.
    Stall {
        at: At,
        which: usize,
    },
    /// A subscriber takes again, not much more than so many bytes.
    CatchUp {
        at: At,
        which: usize,
        bytes: usize,
    },
    Leave {
        at: At,
        which: usize,
    },
    Close {
        connection: usize,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct At {
    pub connection: usize,
    pub topic: usize,
}

#[derive(Clone, Copy, Debug)]
pub enum From {
    Fresh,
    /// The last event ID of a subscriber that has left, or was ended.
    Seen(usize),
    /// An id that nobody was ever told.
    Foreign,
}

/// What the upstream sends. Sizes are of the data.
#[derive(Clone, Copy, Debug)]
pub enum Block {
    Event { size: usize },
    Named { size: usize },
    IdAlone,
    IdReset,
    Retry { millis: u64 },
}

#[derive(Clone, Debug)]
pub struct Setting {
    pub ids: Ids,
    pub late_join: LateJoin,
    pub replay: Replay,
}

pub fn setting() -> impl Strategy<Value = Setting> {
    let ids = prop_oneof![Just(Ids::Assign), Just(Ids::Upstream)];
    let late_join = prop_oneof![Just(LateJoin::Live), Just(LateJoin::Last), Just(LateJoin::All)];
    (ids, late_join, 1..20usize, 40..1000usize, prop_oneof![20..200u64, 500..5000u64]).prop_map(
        |(ids, late_join, events, bytes, age)| {
            let replay = Replay { events, bytes, age: Duration::from_millis(age) };
            Setting { ids, late_join, replay }
        },
    )
}

pub fn step() -> impl Strategy<Value = Step> {
    let at =
        || (0..CONNECTIONS, 0..TOPICS).prop_map(|(connection, topic)| At { connection, topic });
    let topic = 0..TOPICS;
    let blocks = prop::collection::vec(block(), 0..4);
    let from = prop_oneof![
        2 => Just(From::Fresh),
        4 => any::<usize>().prop_map(From::Seen),
        1 => Just(From::Foreign),
    ];
    let bytes = || prop_oneof![1..150usize, Just(usize::MAX)];
    prop_oneof![
        8 => (topic.clone(), blocks).prop_map(|(topic, blocks)| Step::Publish { topic, blocks }),
        1 => topic.clone().prop_map(|topic| Step::Open { topic }),
        1 => topic.prop_map(|topic| Step::Die { topic }),
        1 => (1..40u64).prop_map(|millis| Step::Pass { millis }),
        3 => (300..1200u64).prop_map(|millis| Step::Pass { millis }),
        5 => (at(), from).prop_map(|(at, from)| Step::Subscribe { at, from }),
        3 => (0..CONNECTIONS).prop_map(|connection| Step::Take { connection }),
        6 => (at(), bytes()).prop_map(|(at, bytes)| Step::Read { at, bytes }),
        2 => (at(), 0..4usize).prop_map(|(at, which)| Step::Stall { at, which }),
        4 => (at(), 0..4usize, bytes())
            .prop_map(|(at, which, bytes)| Step::CatchUp { at, which, bytes }),
        3 => (at(), 0..3usize).prop_map(|(at, which)| Step::Leave { at, which }),
        1 => (0..CONNECTIONS).prop_map(|connection| Step::Close { connection }),
    ]
}

fn block() -> impl Strategy<Value = Block> {
    prop_oneof![
        4 => (0..60usize).prop_map(|size| Block::Event { size }),
        4 => (0..60usize).prop_map(|size| Block::Named { size }),
        1 => Just(Block::IdAlone),
        1 => Just(Block::IdReset),
        1 => (1..100u64).prop_map(|millis| Block::Retry { millis }),
    ]
}
