//! A listening socket: accepts, and gives each connection a task that it owns.
//!
//! Knows sockets only. What is spoken on them is the handler's business.

use std::{io, net::SocketAddr, os::fd::AsRawFd, sync::Arc, time::Duration};

use log::{error, warn};
use pingora::protocols::{
    GetSocketDigest, SocketDigest, TcpKeepalive, l4::stream::Stream as L4Stream,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};

use crate::drain::DrainWatch;

/// Connections that may wait to be accepted; the kernel lowers it to `net.core.somaxconn`.
const BACKLOG: u32 = 65_535;
/// How long accepting pauses when the process has no file descriptor left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(500);
/// A peer that vanished without a word is noticed after about two minutes of silence.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_COUNT: usize = 4;

/// What is done with an accepted connection.
pub trait Handler: Send + Sync + 'static {
    fn handle(self: Arc<Self>, connection: TcpStream) -> impl Future<Output = ()> + Send;
}

/// Binds now, so that a fault is one of the start.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until the drain starts, then waits for the connections to end. Dropping the future
/// ends them at once.
pub async fn run<H: Handler>(listener: TcpListener, handler: Arc<H>, mut drain: DrainWatch) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = drain.started() => break,
            accepted = listener.accept() => match accepted {
                Ok((connection, _peer)) => {
                    connections.spawn(handler.clone().handle(connection));
                }
                Err(error) => pause(&error).await,
            },
            Some(_finished) = connections.join_next() => {}
        }
    }
    drop(listener);
    drop(drain);
    while connections.join_next().await.is_some() {}
}

/// Wraps a socket for Pingora: unbuffered, without Nagle's delay, with dead peers noticed.
pub fn pingora_stream(connection: TcpStream) -> pingora::Result<L4Stream> {
    let fd = connection.as_raw_fd();
    let mut stream = L4Stream::from(connection);
    stream.set_socket_digest(SocketDigest::from_raw_fd(fd));
    stream.set_nodelay()?;
    stream.set_keepalive(&TcpKeepalive {
        idle: KEEPALIVE_IDLE,
        interval: KEEPALIVE_INTERVAL,
        count: KEEPALIVE_COUNT,
        user_timeout: KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_COUNT as u32,
    })?;
    Ok(stream)
}

async fn pause(error: &io::Error) {
    /// Too many open files, in the process or in the system.
    const EXHAUSTED: [i32; 2] = [24, 23];
    if error.raw_os_error().is_some_and(|code| EXHAUSTED.contains(&code)) {
        error!("No file descriptor is left for a new connection: {error}. Raise LimitNOFILE.");
        sleep(EXHAUSTED_PAUSE).await;
    } else {
        warn!("A connection was lost before it was accepted: {error}.");
    }
}
