//! The socket below h2: gathers frames into few writes, and tells when the peer has spoken.
//!
//! h2 flushes each DATA frame from 256 bytes on by itself where the stream below is vectored:
//! one TLS record and one system call for each event and stream (measured: ten times the CPU for
//! each delivery). Here a flush does nothing while the actor holds the wire corked, and what was
//! gathered goes out in records of up to 16 KiB when it lets go.

use std::{
    fmt, io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
    raw_connect::ProxyDigest,
    tls::{SslDigest, TlsRef},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is gathered before it must be written: a full TLS record (RFC 8446, section 5.1).
const GATHER: usize = 16 * 1024;
/// An emptied buffer larger than this is given back: most connections are silent most of the
/// time, and ten thousand of them would hold 160 MB.
const KEEP: usize = 2 * 1024;

pub(super) struct Wire {
    inner: Stream,
    gathered: Vec<u8>,
    /// How much of `gathered` has been written.
    written: usize,
    flags: Arc<Flags>,
}

/// The actor's hold on its wire, which h2 owns. Only the connection's own task touches either.
pub(super) struct WireHandle(Arc<Flags>);

#[derive(Default)]
struct Flags {
    corked: AtomicBool,
    has_read: AtomicBool,
    is_blocked: AtomicBool,
}

impl WireHandle {
    /// Lets writes gather until [`Self::uncork`].
    pub fn cork(&self) {
        self.0.corked.store(true, Relaxed);
    }

    /// Whether the wire was corked; the next poll of the connection flushes.
    pub fn uncork(&self) -> bool {
        self.0.corked.swap(false, Relaxed)
    }

    /// Whether the peer has not taken all that was written.
    pub fn is_blocked(&self) -> bool {
        self.0.is_blocked.load(Relaxed)
    }

    /// Whether anything was read since the last call.
    pub fn take_has_read(&self) -> bool {
        self.0.has_read.swap(false, Relaxed)
    }
}

impl Wire {
    pub fn new(inner: Stream) -> (Self, WireHandle) {
        let flags = Arc::new(Flags::default());
        let wire = Self { inner, gathered: Vec::new(), written: 0, flags: flags.clone() };
        (wire, WireHandle(flags))
    }

    /// Writes out what was gathered.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Until it is written and flushed.
        self.flags.is_blocked.store(true, Relaxed);
        while self.written < self.gathered.len() {
            let rest = &self.gathered[self.written..];
            match ready!(Pin::new(&mut self.inner).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.written += n,
            }
        }
        self.written = 0;
        self.gathered.clear();
        if self.gathered.capacity() > KEEP {
            self.gathered = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.flags.has_read.store(true, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.gathered.len() + buf.len() > GATHER {
            ready!(self.poll_drain(cx))?;
            if buf.len() >= GATHER {
                return Pin::new(&mut self.inner).poll_write(cx, buf);
            }
        }
        self.gathered.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flags.corked.load(Relaxed) {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_drain(cx))?;
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.flags.is_blocked.store(false, Relaxed);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl Shutdown for Wire {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

impl UniqueID for Wire {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Wire {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Wire {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }
}

impl GetProxyDigest for Wire {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.get_proxy_digest()
    }
}

impl GetSocketDigest for Wire {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }
}

#[async_trait]
impl Peek for Wire {}
