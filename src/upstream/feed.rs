//! One topic's feed: the task that keeps its upstream stream open.
//!
//! A stream that ends is opened again, after the reconnection time and from the feed's own last
//! event ID; subscribers notice nothing (law 6). Parser state never crosses connections (law 7).

use std::{mem, sync::Arc, time::Duration};

use log::{info, warn};
use tokio::{
    task::yield_now,
    time::{Instant, sleep, timeout},
};

use super::{
    Upstream,
    backoff::Backoff,
    buffering::{Diagnosis, HEAD_PATIENCE, LumpWatch},
    contradiction::Contradictions,
    kind::{Answer, Chunks, ConnectError, FeedKind},
    turn::Turn,
};
use crate::{
    hub::Publisher,
    metrics::{FeedState, RouteMetrics},
    refusal::Refusal,
    sse::{Bounds, Event, Parser},
    topic_key::TopicKey,
};

#[derive(Clone)]
pub(super) struct FeedSettings {
    /// For the log.
    pub route: String,
    pub retry: Duration,
    pub metrics: Arc<RouteMetrics>,
    pub diagnosis: Diagnosis,
    pub contradictions: Contradictions,
}

pub(super) struct Feed<K> {
    kind: K,
    upstream: Arc<Upstream>,
    key: TopicKey,
    settings: FeedSettings,
    /// The upstream's last event ID, for the next connect.
    last_event_id: Option<String>,
    backoff: Backoff,
    /// The log has said that the upstream is in trouble, and not yet that it is back.
    trouble_told: bool,
}

impl<K: FeedKind> Feed<K> {
    pub fn new(kind: K, upstream: Arc<Upstream>, key: TopicKey, settings: FeedSettings) -> Self {
        let backoff = Backoff::new(settings.retry);
        Self { kind, upstream, key, settings, last_event_id: None, backoff, trouble_told: false }
    }

    /// Runs until nobody has listened for the linger time, or the upstream refuses.
    pub async fn run(mut self, mut publisher: Publisher) {
        let mut abandonment = publisher.abandonment();
        let refused = tokio::select! {
            biased;
            () = abandonment.wait() => None,
            refusal = self.keep_open(&mut publisher) => Some(refusal),
        };
        if let Some(refusal) = refused {
            publisher.refuse(refusal);
        }
    }

    async fn keep_open(&mut self, publisher: &mut Publisher) -> Refusal {
        let metrics = self.settings.metrics.clone();
        loop {
            let mut state = StateGauge::new(&metrics, FeedState::Waiting);
            let turn = self.turn().await;
            state.set(FeedState::Connecting);
            match self.connect().await {
                Ok(Answer::Stream { body, contradictions }) => {
                    self.settings.contradictions.report(&contradictions);
                    state.set(FeedState::Open);
                    publisher.open();
                    self.read(body, publisher).await;
                }
                Ok(Answer::Refused(refusal)) => return refusal,
                Err(error) => {
                    publisher.open();
                    self.backoff.failed();
                    self.report(&error);
                }
            }
            drop(turn);
            state.set(FeedState::Backoff);
            sleep(self.backoff.delay()).await;
        }
    }

    /// Waits until the upstream may be asked for one more stream.
    async fn turn(&self) -> Turn {
        let turns = &self.upstream.turns;
        let turn = turns.take(|| {
            warn!(
                "Route {}: upstream {} has all its event streams open; topics wait their turn. \
                 Raise 'max_streams' there, or narrow 'vary' so that fewer topics exist.",
                self.settings.route,
                self.upstream.name(),
            );
        });
        let turn = turn.await;
        turns.stagger().await;
        turn
    }

    async fn connect(&self) -> Result<Answer, ConnectError> {
        let metrics = &self.settings.metrics;
        let begin = Instant::now();
        let mut connecting = self.kind.connect(&self.key, self.last_event_id.as_deref());
        let answer = match timeout(HEAD_PATIENCE, &mut connecting).await {
            Ok(answer) => answer,
            Err(_late) => {
                self.settings.diagnosis.head_is_late();
                connecting.await
            }
        };
        metrics.connected(match &answer {
            Ok(Answer::Stream { .. }) => "stream",
            Ok(Answer::Refused(_)) => "refused",
            Err(error) => error.outcome(),
        });
        if matches!(answer, Ok(Answer::Stream { .. })) {
            metrics.connect_duration.observe(begin.elapsed().as_secs_f64());
        }
        answer
    }

    async fn read(&mut self, mut stream: Box<dyn Chunks>, publisher: &mut Publisher) {
        let mut parser = Parser::new(Bounds::default());
        let mut lumps = LumpWatch::new();
        let mut events = Vec::new();
        let mut yielded = false;
        while let Some(chunk) = stream.next().await {
            let read_at = Instant::now();
            parser.push(&chunk, |event| events.push(event));
            self.count(chunk.len(), &mut parser);
            if lumps.read(chunk.len(), events.len(), read_at) {
                self.settings.diagnosis.events_come_in_lumps();
            }
            events.iter().for_each(|event| self.learn(event));
            yielded |= events.iter().any(|event| event.data.is_some());
            publisher.publish(events.drain(..), read_at);
            // An upstream that always has more would keep this task running, and the connections
            // that it has just woken on the same thread waiting, until they have lagged.
            yield_now().await;
        }
        match yielded {
            true => self.backoff.succeeded(),
            false => self.backoff.failed(),
        }
    }

    /// Keeps what the next connect needs to know.
    fn learn(&mut self, event: &Event) {
        if let Some(id) = &event.id {
            self.last_event_id = Some(id.clone());
        }
        if let Some(retry) = event.retry {
            self.backoff.set_base(Duration::from_millis(retry));
        }
        if event.data.is_some() && mem::take(&mut self.trouble_told) {
            info!("Route {}: upstream {} is back.", self.settings.route, self.upstream.name());
        }
    }

    fn count(&self, bytes: usize, parser: &mut Parser) {
        let tally = parser.take_tally();
        let metrics = &self.settings.metrics;
        metrics.received_bytes.inc_by(bytes as u64);
        metrics.discarded_lines.inc_by(tally.discarded_lines);
        metrics.oversized_events.inc_by(tally.oversized_events);
    }

    /// Says what is wrong once for each row of failures, not once for each of them.
    fn report(&mut self, error: &ConnectError) {
        if !mem::replace(&mut self.trouble_told, true) {
            warn!(
                "Route {}: upstream {} gives no event stream: {error}. Subscribers are kept \
                 waiting; the feed tries again.",
                self.settings.route,
                self.upstream.name(),
            );
        }
    }
}

/// Counts a feed under the state that it is in, and under none when it ends.
struct StateGauge<'a> {
    metrics: &'a RouteMetrics,
    state: FeedState,
}

impl<'a> StateGauge<'a> {
    fn new(metrics: &'a RouteMetrics, state: FeedState) -> Self {
        metrics.feeds(state).inc();
        Self { metrics, state }
    }

    fn set(&mut self, state: FeedState) {
        self.metrics.feeds(self.state).dec();
        self.metrics.feeds(state).inc();
        self.state = state;
    }
}

impl Drop for StateGauge<'_> {
    fn drop(&mut self) {
        self.metrics.feeds(self.state).dec();
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use pingora::connectors::TransportConnector;

    use super::*;
    use crate::{
        config::Config,
        hub::{Batch, FeedFuture, Feeds, Hub, Mailbox, Phase, Policy, StartFrom},
        metrics::Metrics,
        upstream::Diagnosis,
    };

    /// An upstream that has something to read whenever it is asked, as fast as it is asked.
    struct Flood;

    struct Chunk {
        left: usize,
    }

    const CHUNKS: usize = 100;
    const CHUNK_EVENTS: usize = 500;

    #[async_trait]
    impl FeedKind for Flood {
        async fn connect(&self, _: &TopicKey, _: Option<&str>) -> Result<Answer, ConnectError> {
            let body = Box::new(Chunk { left: CHUNKS });
            Ok(Answer::Stream { body, contradictions: Vec::new() })
        }
    }

    #[async_trait]
    impl Chunks for Chunk {
        async fn next(&mut self) -> Option<Bytes> {
            self.left = self.left.checked_sub(1)?;
            Some(format!("data: {}\n\n", "x".repeat(92)).repeat(CHUNK_EVENTS).into())
        }
    }

    struct Floods(Arc<Upstream>, FeedSettings);

    impl Feeds for Floods {
        fn feed(&self, key: TopicKey, publisher: Publisher) -> FeedFuture {
            Box::pin(Feed::new(Flood, self.0.clone(), key, self.1.clone()).run(publisher))
        }
    }

    fn policy() -> Arc<Policy> {
        let yaml = "listeners: [{ address: 127.0.0.1:0 }]
upstreams: { site: { address: '127.0.0.1:1' } }
routes: [{ path: /events, upstream: site, sse: { retry: 1h } }]
";
        let config = Config::from_yaml(yaml, "test").expect("a configuration");
        let sse = config.routes[0].sse.as_ref().expect("a shared route");
        let metrics = RouteMetrics::new(&Arc::new(Metrics::new()), "test");
        let upstream = config.upstreams["site"].clone();
        let upstream = Upstream::new(upstream, Arc::new(TransportConnector::new(None)));
        let settings = FeedSettings {
            route: "test".into(),
            retry: sse.retry,
            metrics: metrics.clone(),
            diagnosis: Diagnosis::new("test", metrics.clone()),
            contradictions: Contradictions::new("test", metrics.clone()),
        };
        Arc::new(Policy {
            ids: sse.ids,
            replay: sse.replay.clone(),
            late_join: sse.late_join,
            linger: sse.linger,
            dedupe: sse.dedupe,
            retry: sse.retry,
            metrics,
            feeds: Arc::new(Floods(upstream, settings)),
        })
    }

    #[tokio::test]
    async fn a_flood_lets_those_who_read_it_keep_up_on_the_same_thread() {
        let (hub, mailbox, policy) = (Hub::new(), Arc::<Mailbox>::default(), policy());
        let key = TopicKey::new(crate::topic_key::KeyParts::default());
        let membership = hub.join(&key, &StartFrom::Fresh, &policy, &mailbox, 0);
        let (mut cursor, mut batch, mut slots) =
            (membership.joined_at(), Batch::default(), Vec::new());
        while cursor <= (CHUNKS * CHUNK_EVENTS) as u64 {
            std::future::poll_fn(|cx| mailbox.poll_take(cx, &mut slots)).await;
            let phase = membership.read_new(cursor, usize::MAX, &mut batch).expect("kept up");
            assert_eq!(phase, Phase::Open);
            cursor = batch.next;
        }
    }
}
