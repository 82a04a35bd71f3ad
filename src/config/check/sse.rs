//! How a route is shared: its streams' timing, memory and ids.

use super::{
    cors,
    values::{choice, count, duration, size},
    vary,
};
use crate::config::{Ids, LateJoin, Replay, Sse, bounds, file, findings::At};

pub(super) fn sse(typed: &file::Sse, at: &At<'_>) -> Sse {
    let ids = [("assign", Ids::Assign), ("upstream", Ids::Upstream)];
    let late_join = [("live", LateJoin::Live), ("last", LateJoin::Last), ("all", LateJoin::All)];
    let no_replay = file::Replay::default();
    let no_vary = file::Vary::default();
    Sse {
        vary: vary::vary(typed.vary.given().unwrap_or(&no_vary), &at.key("vary")),
        ids: choice(&typed.ids, Ids::Assign, &ids, &at.key("ids")),
        heartbeat: duration(&typed.heartbeat, &bounds::HEARTBEAT, &at.key("heartbeat")),
        retry: duration(&typed.retry, &bounds::RETRY, &at.key("retry")),
        replay: replay(typed.replay.given().unwrap_or(&no_replay), &at.key("replay")),
        late_join: choice(&typed.late_join, LateJoin::Live, &late_join, &at.key("late_join")),
        linger: duration(&typed.linger, &bounds::LINGER, &at.key("linger")),
        open_wait: duration(&typed.open_wait, &bounds::OPEN_WAIT, &at.key("open_wait")),
        force: typed.force.given().copied().unwrap_or(false),
        dedupe: typed.dedupe.given().copied().unwrap_or(false),
        cors: typed.cors.given().map(|cors| cors::cors(cors, &at.key("cors"))),
    }
}

fn replay(typed: &file::Replay, at: &At<'_>) -> Replay {
    Replay {
        events: count(&typed.events, &bounds::REPLAY_EVENTS, &at.key("events")),
        bytes: size(&typed.bytes, &bounds::REPLAY_BYTES, &at.key("bytes")),
        age: duration(&typed.age, &bounds::REPLAY_AGE, &at.key("age")),
    }
}
