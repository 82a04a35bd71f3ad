//! A raw origin's connection, which a script plays on or a test holds in its own hands.

use std::{
    io::{Error, ErrorKind, Result},
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::RequestHead;

/// A head of a request is never longer than this here.
const HEAD_MAX: usize = 1 << 20;

/// Where a test accepts connections itself.
pub struct RawListener {
    listener: TcpListener,
}

/// One connection. Dropping it closes it.
pub struct RawConnection {
    stream: TcpStream,
    /// Bytes that came after the last head.
    rest: Vec<u8>,
}

impl RawListener {
    /// Listens on a port of 127.0.0.1 that the system chooses.
    pub async fn bind() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        Self { listener }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("an address")
    }

    /// The next connection and its first request head.
    pub async fn accept(&self) -> (RawConnection, RequestHead) {
        let mut connection = self.accept_silently().await;
        let head = connection.read_head().await.expect("a request head");
        (connection, head)
    }

    /// The next connection, of which nothing was read.
    pub async fn accept_silently(&self) -> RawConnection {
        let (stream, _) = self.listener.accept().await.expect("a connection");
        // One write is one segment: borders are the point here.
        stream.set_nodelay(true).expect("no delay");
        RawConnection { stream, rest: Vec::new() }
    }
}

impl RawConnection {
    /// The next request head; an error when the peer leaves instead.
    pub async fn read_head(&mut self) -> Result<RequestHead> {
        loop {
            if let Some(at) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                let after = self.rest.split_off(at + 4);
                let head = std::mem::replace(&mut self.rest, after);
                return Ok(RequestHead::new(&head));
            }
            if self.stream.read_buf(&mut self.rest).await? == 0 || self.rest.len() > HEAD_MAX {
                return Err(Error::new(ErrorKind::UnexpectedEof, "no request head"));
            }
        }
    }

    /// So many bytes of a request's body.
    pub async fn read_body(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.rest.len() < length {
            if self.stream.read_buf(&mut self.rest).await? == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "no whole body"));
            }
        }
        let after = self.rest.split_off(length);
        Ok(std::mem::replace(&mut self.rest, after))
    }

    /// Sends bytes in one write.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Sends FIN, and waits until the peer has left too.
    pub async fn finish(&mut self) -> Result<()> {
        self.stream.shutdown().await?;
        self.left().await;
        Ok(())
    }

    /// Resets the connection, at once.
    pub fn reset(self) -> Result<()> {
        // The reset is what dropping the stream does then.
        self.stream.set_zero_linger()
    }

    /// Waits until the peer has left: closed its side, or reset the connection. What it sends
    /// until then can still be read as its next request.
    pub async fn left(&mut self) {
        while matches!(self.stream.read_buf(&mut self.rest).await, Ok(1..)) {
            self.rest.truncate(HEAD_MAX);
        }
    }
}
