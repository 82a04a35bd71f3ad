//! Clients that ask for a stream, and never read their socket again.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::{RecvStream, client};
use http::Request;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    select,
};

use crate::{
    client::{Tls, connect_tls, within},
    sluice::Sluice,
};

const SOON: Duration = Duration::from_secs(60);
/// The least that the kernel takes, so that little fits between gateway and client.
const RECEIVE_BUFFER: u32 = 4096;

/// An HTTP/1.1 client that stopped after the head.
pub struct StuckHttp1 {
    io: Box<dyn Io>,
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl StuckHttp1 {
    /// The host is that of the plaintext listener either way: one topic for all.
    pub async fn listen(sluice: &Sluice, tls: bool) -> Self {
        let mut io: Box<dyn Io> = if tls {
            let offer = Tls::offering(&["http/1.1"]);
            Box::new(connect_tls(sluice.tls, &offer).await.expect("a handshake"))
        } else {
            Box::new(narrow(sluice.plain).await)
        };
        let request = format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", sluice.plain);
        io.write_all(request.as_bytes()).await.expect("a request");
        let mut first = [0; 12];
        within("a head", SOON, io.read_exact(&mut first)).await.expect("a head");
        assert_eq!(&first, b"HTTP/1.1 200");
        Self { io }
    }

    /// Reads after all: everything up to the end of the connection, whichever way it ends.
    pub async fn rest(mut self, patience: Duration) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset, or TLS without a farewell, is an end like any other here.
        let _ = within("the end", patience, self.io.read_to_end(&mut rest)).await;
        rest
    }
}

/// An HTTP/2 client whose connection nobody drives once the heads are there. Its windows are as
/// open as a browser's.
pub struct StuckHttp2 {
    #[expect(dead_code, reason = "held, never read")]
    held: (client::Connection<TcpStream, Bytes>, Vec<RecvStream>),
}

impl StuckHttp2 {
    pub async fn listen(address: SocketAddr, streams: usize) -> Self {
        let mut builder = client::Builder::new();
        builder.initial_window_size(16 << 20).initial_connection_window_size(1 << 30);
        let shake = builder.handshake::<_, Bytes>(narrow(address).await);
        let (mut sender, mut connection) = shake.await.expect("a handshake");
        let mut bodies = Vec::new();
        for _ in 0..streams {
            let get = Request::get(format!("http://{address}/events")).body(()).expect("a request");
            let (response, _) = sender.send_request(get, true).expect("room for a stream");
            let head = async {
                select! {
                    head = response => head.expect("a head"),
                    end = &mut connection => panic!("the connection ended: {end:?}"),
                }
            };
            bodies.push(within("a head", SOON, head).await.into_body());
        }
        Self { held: (connection, bodies) }
    }
}

async fn narrow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(RECEIVE_BUFFER).expect("a smaller buffer");
    socket.connect(address).await.expect("a connection")
}
