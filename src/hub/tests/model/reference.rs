//! One life of a topic, with everything that was ever published in it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Block, Setting};
use crate::{
    config::{Ids, LateJoin},
    hub::{Phase, StartFrom},
    metrics::StartKind,
    sse::Event,
};

pub struct Life {
    setting: Setting,
    /// Of the ids that the gateway assigns.
    epoch: String,
    entries: Vec<Entry>,
    /// Sequence number of the first that the bounds let stay; the first of all is 1.
    pub first_kept: u64,
    /// What is over the bounds may still be read for a second, by those on their way to it.
    pub first_readable: u64,
    pub retry: Option<Duration>,
    pub phase: Phase,
}

pub struct Entry {
    pub text: String,
    /// The id that the block names itself.
    named: Option<String>,
    /// What a client's last event ID is after it.
    last_id: String,
    pub dispatches: bool,
    pub read_at: Instant,
}

impl Life {
    pub fn new(setting: Setting, epoch: String) -> Self {
        let (entries, retry) = (Vec::new(), None);
        Self {
            setting,
            epoch,
            entries,
            first_kept: 1,
            first_readable: 1,
            retry,
            phase: Phase::Opening,
        }
    }

    pub fn head(&self) -> u64 {
        self.entries.len() as u64 + 1
    }

    /// The entries of these sequence numbers, whether kept or not.
    pub fn run(&self, from: u64, until: u64) -> &[Entry] {
        &self.entries[from as usize - 1..until as usize - 1]
    }

    pub fn dispatched(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.dispatches).count() as u64
    }

    pub fn kept_bytes(&self) -> usize {
        self.run(self.first_kept, self.head()).iter().map(|entry| entry.text.len()).sum()
    }

    pub fn readable_bytes(&self) -> usize {
        self.run(self.first_readable, self.head()).iter().map(|entry| entry.text.len()).sum()
    }

    /// Takes a block; gives it as the upstream's parser would. `number` makes it unlike all others.
    pub fn take(&mut self, block: Block, number: u64, now: Instant) -> Event {
        let event = event(block, number);
        self.retry = event.retry.map(Duration::from_millis).or(self.retry);
        let assigns = self.setting.ids == Ids::Assign;
        let named = match (assigns, event.data.is_some()) {
            (true, true) => Some(self.assigned(self.head())),
            (true, false) => None,
            (false, _) => event.id.clone(),
        };
        let text = text(&event, named.as_deref());
        if !text.is_empty() {
            let before = self.entries.last().map_or("", |entry| &entry.last_id);
            let last_id = named.clone().unwrap_or_else(|| before.to_owned());
            let dispatches = event.data.is_some();
            self.entries.push(Entry { text, named, last_id, dispatches, read_at: now });
            self.evict(now);
        }
        event
    }

    /// Where a subscriber has to begin whose connection has read up to `head`.
    pub fn place(&self, from: &StartFrom, head: u64, now: Instant) -> (StartKind, u64) {
        let at_most = head.max(self.first_readable);
        let late = match self.setting.late_join {
            LateJoin::Live => at_most,
            LateJoin::Last => self
                .fresh_enough(now)
                .filter(|(_, e)| e.dispatches)
                .last()
                .map_or(at_most, |(sequence, _)| sequence),
            LateJoin::All => {
                self.fresh_enough(now).next().map_or(at_most, |(sequence, _)| sequence)
            }
        };
        match from {
            StartFrom::Fresh => (StartKind::Live, late.min(at_most)),
            StartFrom::Resume(id) => match self.named(std::str::from_utf8(id).expect("UTF-8")) {
                Some(sequence) if sequence + 1 >= self.first_kept && sequence < head => {
                    (StartKind::Replayed, sequence + 1)
                }
                _ => (StartKind::Missed, late.min(at_most)),
            },
        }
    }

    /// The last event ID of a client that has everything before `cursor`; the upstream's own are
    /// not known of a place that has fallen out.
    pub fn id_before(&self, cursor: u64) -> String {
        match self.setting.ids {
            Ids::Assign => self.assigned(cursor - 1),
            Ids::Upstream if cursor == 1 || cursor < self.first_readable => String::new(),
            Ids::Upstream => self.entries[cursor as usize - 2].last_id.clone(),
        }
    }

    /// The newest entry with this id. An assigned one may also be of an entry that does not show
    /// it, or of the place before all.
    fn named(&self, id: &str) -> Option<u64> {
        match self.setting.ids {
            Ids::Assign => (0..self.head()).find(|sequence| self.assigned(*sequence) == id),
            Ids::Upstream => {
                let names = |entry: &Entry| entry.named.as_deref() == Some(id);
                self.entries.iter().rposition(names).map(|index| index as u64 + 1)
            }
        }
    }

    fn assigned(&self, sequence: u64) -> String {
        format!("{}-{sequence}", self.epoch)
    }

    fn fresh_enough(&self, now: Instant) -> impl Iterator<Item = (u64, &Entry)> {
        let age = self.setting.replay.age;
        let kept = self.run(self.first_kept, self.head());
        (self.first_kept..).zip(kept).filter(move |(_, entry)| now - entry.read_at <= age)
    }

    fn evict(&mut self, now: Instant) {
        let bounds = self.setting.replay.clone();
        let is_over = |life: &Self| {
            let kept = life.run(life.first_kept, life.head());
            kept.len() > 1
                && (kept.len() > bounds.events
                    || life.kept_bytes() > bounds.bytes
                    || now - kept[0].read_at > bounds.age)
        };
        while is_over(self) {
            self.first_kept += 1;
        }
        let is_gone = |life: &Self| {
            let oldest = life.run(life.first_readable, life.first_kept).first();
            oldest.is_some_and(|oldest| {
                let behind_it = life.readable_bytes() - oldest.text.len();
                let most = life.setting.replay.bytes.max(256 * 1024);
                now - oldest.read_at >= Duration::from_secs(1) || behind_it > most
            })
        };
        while is_gone(self) {
            self.first_readable += 1;
        }
    }
}

fn event(block: Block, number: u64) -> Event {
    let data = |size| Some(format!("{number}{}", ".".repeat(size)));
    let id = Some(format!("u{number}"));
    match block {
        Block::Event { size } => Event { data: data(size), ..Event::default() },
        Block::Named { size } => Event { data: data(size), id, ..Event::default() },
        Block::IdAlone => Event { id, ..Event::default() },
        Block::IdReset => Event { id: Some(String::new()), ..Event::default() },
        Block::Retry { millis } => Event { retry: Some(millis), ..Event::default() },
    }
}

fn text(event: &Event, id: Option<&str>) -> String {
    let data = event.data.iter().map(|data| format!("data: {data}\n"));
    let id = id.map(|id| if id.is_empty() { "id:\n".to_owned() } else { format!("id: {id}\n") });
    let lines: String = data.chain(id).collect();
    let retry = event.retry.map_or(String::new(), |millis| format!("retry: {millis}\n"));
    let end = if lines.is_empty() { "" } else { "\n" };
    lines + &retry + end
}
