//! Subscribers who write down what they get, and whose connections are cut at random.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{PATIENCE, SUBSCRIBERS};
use crate::client::{End, Event, Http2Connection, SseStream};

/// What one subscriber got, over all its connections: the number in the id, and the data.
pub type Log = Vec<(u64, String)>;

/// Subscribers, spread over connections.
pub struct Audience {
    households: JoinSet<Vec<Log>>,
    /// The number after which a subscriber may go home; 0 while it is not known.
    goal: watch::Sender<u64>,
}

/// The subscribers behind one connection, which share its fate.
struct Household {
    gateway: SocketAddr,
    path: &'static str,
    members: Vec<Member>,
    goal: watch::Receiver<u64>,
}

#[derive(Default)]
struct Member {
    log: Log,
    last_event_id: String,
}

impl Audience {
    pub fn gather(gateway: SocketAddr, path: &'static str, connections: usize) -> Self {
        let goal = watch::Sender::new(0);
        let mut households = JoinSet::new();
        for _ in 0..connections {
            let members = (0..SUBSCRIBERS / connections).map(|_| Member::default()).collect();
            let household = Household { gateway, path, members, goal: goal.subscribe() };
            households.spawn(household.live());
        }
        Self { households, goal }
    }

    /// Lets everybody listen until they have this number, and collects what they wrote down.
    pub async fn listen_up_to(mut self, goal: u64) -> Vec<Log> {
        self.goal.send_replace(goal);
        let mut logs = Vec::new();
        while let Some(household) = self.households.join_next().await {
            logs.extend(household.expect("a household without panic"));
        }
        logs
    }
}

impl Household {
    /// Connects, listens, is cut off, and again, until the goal is known; then once to the end.
    async fn live(mut self) -> Vec<Log> {
        while *self.goal.borrow() == 0 {
            let cut = Instant::now() + Duration::from_millis(fastrand::u64(1000..8000));
            self.listen(cut).await;
        }
        self.listen(Instant::now() + PATIENCE).await;
        self.members.into_iter().map(|member| member.log).collect()
    }

    /// One connection's life, up to `cut` or to the goal, whichever is first.
    async fn listen(&mut self, cut: Instant) {
        let connection = Http2Connection::open(self.gateway, true).await;
        let mut listening = JoinSet::new();
        for member in self.members.drain(..) {
            let id = member.last_event_id.clone();
            let headers: &[_] = if id.is_empty() { &[] } else { &[("last-event-id", &*id)] };
            let stream = connection.get(self.path, headers).await;
            assert_eq!(stream.head().status, 200);
            listening.spawn(member.listen(stream, cut, self.goal.clone()));
        }
        while let Some(member) = listening.join_next().await {
            self.members.push(member.expect("a member without panic"));
        }
        // Now the connection is dropped, with all its streams, as a lost network does.
    }
}

impl Member {
    async fn listen(
        mut self,
        mut stream: SseStream,
        cut: Instant,
        goal: watch::Receiver<u64>,
    ) -> Self {
        while Instant::now() < cut && !self.has(*goal.borrow()) {
            match stream.event_or_end(Duration::from_millis(200)).await {
                Some(Ok(event)) => self.note(event),
                Some(Err(End::Clean)) => panic!("the gateway ended a stream"),
                Some(Err(End::Broken(why))) => panic!("the gateway broke a stream: {why}"),
                None => sleep(Duration::ZERO).await,
            }
        }
        // What was read and not taken yet belongs to the id that is sent next time.
        while let Some(Ok(event)) = stream.event_or_end(Duration::ZERO).await {
            self.note(event);
        }
        self.last_event_id = stream.last_event_id().to_owned();
        self
    }

    fn note(&mut self, event: Event) {
        let number = event.id.rsplit('-').next().and_then(|n| n.parse().ok());
        self.log.push((number.expect("a number in the id"), event.data));
    }

    /// Whether the goal is known and reached.
    fn has(&self, goal: u64) -> bool {
        goal > 0 && self.log.last().is_some_and(|(number, _)| *number >= goal)
    }
}
