//! The upstream: one connection, events of a given size at a given pace.

use std::{
    net::SocketAddr,
    sync::LazyLock,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, tcp::OwnedWriteHalf},
    sync::{Mutex, mpsc},
    time::{MissedTickBehavior, interval},
};

pub struct Upstream {
    address: SocketAddr,
    connections: Mutex<mpsc::Receiver<OwnedWriteHalf>>,
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (sender, connections) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (mut read, mut write) = connection.into_split();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
                let mut request = [0; 4096];
                let asked = read.read(&mut request).await;
                if asked.is_err() || write.write_all(head.as_bytes()).await.is_err() {
                    continue;
                }
                // Kept open for the gateway; what it sends is nothing.
                tokio::spawn(async move { while let Ok(1..) = read.read(&mut request).await {} });
                if sender.send(write).await.is_err() {
                    return;
                }
            }
        });
        Self { address, connections: Mutex::new(connections) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends events for so long on the first connection; returns how many. Each begins with the
    /// time of its writing.
    pub async fn publish(&self, data_bytes: usize, each_second: u32, run: Duration) -> u64 {
        let connection = self.connections.lock().await.recv().await;
        let mut connection = connection.expect("the gateway has connected");
        let mut tick = interval(Duration::from_secs(1) / each_second);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let events = (f64::from(each_second) * run.as_secs_f64()).round() as u64;
        for _ in 0..events {
            tick.tick().await;
            let event = format!("data: {:x<data_bytes$}\n\n", clock());
            connection.write_all(event.as_bytes()).await.expect("write to the gateway");
        }
        // Dropping it would end the stream; the feed would come back, and that would be measured.
        std::mem::forget(connection);
        events
    }
}

/// Nanoseconds of this process's clock.
pub fn clock() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}
