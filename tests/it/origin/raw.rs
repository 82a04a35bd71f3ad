//! An origin that sends exactly the bytes that a test says, at the borders that it says.

mod connection;
mod head;
mod step;

pub use connection::{RawConnection, RawListener};
pub use head::RequestHead;
pub use step::{Gate, Step};

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::task::JoinSet;

/// An HTTP/1.1 server that plays a script on each connection. Its tasks end with it.
pub struct RawOrigin {
    address: SocketAddr,
    seen: Arc<Seen>,
    #[expect(dead_code, reason = "held to be aborted with the origin")]
    acceptor: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    heads: Mutex<Vec<RequestHead>>,
    open: AtomicUsize,
}

impl RawOrigin {
    /// Plays the same steps on every connection, once its first request head has arrived.
    pub async fn start(steps: Vec<Step>) -> Self {
        Self::start_each(move |_| steps.clone()).await
    }

    /// Plays steps by the number of the connection, from 0.
    pub async fn start_each(script: impl Fn(usize) -> Vec<Step> + Send + 'static) -> Self {
        let listener = RawListener::bind().await;
        let address = listener.address();
        let seen = Arc::new(Seen::default());
        let mut acceptor = JoinSet::new();
        let watch = Arc::clone(&seen);
        acceptor.spawn(async move {
            let mut players = JoinSet::new();
            let mut number = 0;
            loop {
                let connection = listener.accept_silently().await;
                players.spawn(play(connection, script(number), Arc::clone(&watch)));
                number += 1;
                // What has ended need not be kept.
                while players.try_join_next().is_some() {}
            }
        });
        Self { address, seen, acceptor }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The request heads so far, in the order of their arrival.
    pub fn heads(&self) -> Vec<RequestHead> {
        self.seen.heads.lock().expect("no panic").clone()
    }

    /// How many connections are open: neither ended by their script nor by the peer.
    pub fn open_connections(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }
}

async fn play(connection: RawConnection, steps: Vec<Step>, seen: Arc<Seen>) {
    seen.open.fetch_add(1, Ordering::SeqCst);
    // Errors are the peer's leaving, at any point: the script has ended then.
    let _ = play_steps(connection, steps, &seen).await;
    seen.open.fetch_sub(1, Ordering::SeqCst);
}

async fn play_steps(
    mut connection: RawConnection,
    steps: Vec<Step>,
    seen: &Seen,
) -> std::io::Result<()> {
    await_request(&mut connection, seen).await?;
    for step in steps {
        match step {
            Step::Send(bytes) => connection.send(&bytes).await?,
            Step::Pause(gate) => {
                tokio::select! {
                    () = gate.pass() => {}
                    () = connection.left() => return Ok(()),
                }
            }
            Step::NextRequest => await_request(&mut connection, seen).await?,
            Step::Finish => return connection.finish().await,
            Step::Reset => return connection.reset(),
        }
    }
    connection.left().await;
    Ok(())
}

async fn await_request(connection: &mut RawConnection, seen: &Seen) -> std::io::Result<()> {
    let head = connection.read_head().await?;
    seen.heads.lock().expect("no panic").push(head);
    Ok(())
}
