//! A TCP relay between browser and gateway, to break connections that neither of them ended.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// Relays until it is dropped.
pub struct Relay {
    pub address: SocketAddr,
    cuts: watch::Sender<usize>,
    _accepting: JoinSet<()>,
}

impl Relay {
    /// Listens on a port of its own, before a server that may not be there yet.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let cuts = watch::Sender::new(0);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, server, cuts.clone()));
        Self { address, cuts, _accepting: accepting }
    }

    /// Resets every connection of now. New ones are relayed as before.
    pub fn cut(&self) {
        self.cuts.send_modify(|count| *count += 1);
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, cuts: watch::Sender<usize>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(relay(client, server, cuts.subscribe()));
        while connections.try_join_next().is_some() {}
    }
}

async fn relay(mut client: TcpStream, server: SocketAddr, mut cut: watch::Receiver<usize>) {
    // A client of a server that is down sees its connection close.
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ended = copy_bidirectional(&mut client, &mut server) => {}
        _cut = cut.changed() => {
            // Dropping both resets them.
            let _ = (client.set_zero_linger(), server.set_zero_linger());
        }
    }
}
