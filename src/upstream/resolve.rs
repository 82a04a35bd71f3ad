//! Host names to addresses, without blocking a worker thread.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{net::lookup_host, time::Instant};

/// How long a looked-up name is good for: short enough to follow a container that moved, long
/// enough that a busy site does not ask for every request.
const NAME_TTL: Duration = Duration::from_secs(5);

/// Names looked up a moment ago. As many entries as the configuration names hosts.
#[derive(Default)]
pub(super) struct Resolver {
    names: Mutex<HashMap<(String, u16), Found>>,
}

struct Found {
    addresses: Vec<SocketAddr>,
    at: Instant,
}

impl Resolver {
    /// One of the name's addresses, by `turn`; an address literal is itself.
    pub async fn resolve(&self, host: &str, port: u16, turn: usize) -> io::Result<SocketAddr> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(SocketAddr::new(ip, port));
        }
        let name = (host.to_owned(), port);
        if let Some(found) = self.names.lock().get(&name).filter(|f| f.at.elapsed() < NAME_TTL) {
            return Ok(found.addresses[turn % found.addresses.len()]);
        }
        let addresses: Vec<_> = lookup_host((host, port)).await?.collect();
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        }
        let address = addresses[turn % addresses.len()];
        self.names.lock().insert(name, Found { addresses, at: Instant::now() });
        Ok(address)
    }

    /// The most addresses that any name has: `localhost` is two, of which a server may listen on
    /// only one.
    pub fn most_addresses(&self) -> usize {
        self.names.lock().values().map(|found| found.addresses.len()).max().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_addresses_of_a_name_are_taken_in_turn() {
        let resolver = Resolver::default();
        assert_eq!(resolver.most_addresses(), 1);
        let addresses = ["[::1]:80", "127.0.0.1:80"].map(|address| address.parse().unwrap());
        let found = Found { addresses: addresses.to_vec(), at: Instant::now() };
        resolver.names.lock().insert(("localhost".into(), 80), found);
        for turn in 0..4 {
            let address = resolver.resolve("localhost", 80, turn).await.unwrap();
            assert_eq!(address, addresses[turn % 2]);
        }
        assert_eq!(resolver.most_addresses(), 2);
    }
}
