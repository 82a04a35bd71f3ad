//! Ports for servers that cannot tell which one they got.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below the range that the system gives to outgoing connections, so that no client takes a port
/// between our look at it and the server's bind.
const FIRST: u32 = 10_000;
const COUNT: u32 = 20_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port of 127.0.0.1 where nobody listens. Each is given once in a process, and other processes
/// begin elsewhere.
pub fn free_port() -> u16 {
    // Steps by a prime, so that processes with neighbouring ids are far apart.
    let start = process::id().wrapping_mul(101);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let port = u16::try_from(port).expect("FIRST + COUNT is a port");
        if is_free(port) {
            return port;
        }
    }
    panic!("no free port among {COUNT}")
}

/// Whether a server could listen there now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(local(port)).is_ok()
}

/// The address of a port on this machine.
pub fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
