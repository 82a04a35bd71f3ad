//! Where a connection's way parts: TLS or not, HTTP/2 to its actor, HTTP/1.1 to Pingora.

use std::{sync::Arc, time::Duration};

use pingora::{
    apps::ServerApp,
    listeners::tls::Acceptor,
    protocols::{ALPN, Ssl, Stream},
    proxy::HttpProxy,
};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    downstream::{
        Downstream, http2,
        listener::{Handler, pingora_stream},
        tls,
    },
    proxy::{Proxy, SiteProxy},
};

/// What an HTTP/2 client with prior knowledge says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long the first bytes of a plaintext connection are waited for.
const FIRST_BYTES: Duration = Duration::from_secs(60);
/// Between two looks at a preface that arrives in pieces.
const PREFACE_LOOK: Duration = Duration::from_millis(10);

/// Serves the connections of one listener.
pub struct Gateway {
    /// `None`: plaintext.
    pub acceptor: Option<Acceptor>,
    pub max_streams: u32,
    pub downstream: Arc<Downstream>,
    pub proxy: Arc<HttpProxy<Proxy>>,
    /// The same proxy, for the HTTP/2 actors.
    pub site: Arc<SiteProxy>,
}

impl Handler for Gateway {
    async fn handle(self: Arc<Self>, connection: TcpStream) {
        match &self.acceptor {
            Some(acceptor) => {
                let Ok(stream) = pingora_stream(connection) else { return };
                // Boxed: the handshake's state is large, and gone once it is done.
                let handshake = Box::pin(tls::handshake(acceptor, stream));
                let Some(stream) = handshake.await else { return };
                let is_http2 = matches!(stream.selected_alpn_proto(), Some(ALPN::H2));
                self.serve(Box::new(stream), is_http2).await;
            }
            None => {
                let looked = timeout(FIRST_BYTES, speaks_http2(&connection)).await;
                let Ok(Some(is_http2)) = looked else { return };
                let Ok(stream) = pingora_stream(connection) else { return };
                self.serve(Box::new(stream), is_http2).await;
            }
        }
    }
}

impl Gateway {
    async fn serve(&self, stream: Stream, is_http2: bool) {
        if is_http2 {
            let (downstream, site) = (self.downstream.clone(), self.site.clone());
            http2::serve(stream, self.max_streams, downstream, site).await;
        } else {
            let gauge = self.downstream.metrics.connections("http1");
            gauge.inc();
            let shutdown = self.downstream.drain.as_shutdown_watch();
            Box::pin(self.proxy.process_new(stream, &shutdown)).await;
            gauge.dec();
        }
    }
}

/// Whether a plaintext client begins with HTTP/2's preface; `None` if it left. Looks without
/// taking, and decides at the first byte that differs: a short HTTP/1.0 request is no longer
/// than part of the preface.
async fn speaks_http2(connection: &TcpStream) -> Option<bool> {
    let mut first = [0; PREFACE.len()];
    loop {
        match connection.peek(&mut first).await.ok()? {
            0 => return None,
            n if first[..n] != PREFACE[..n] => return Some(false),
            n if n == PREFACE.len() => return Some(true),
            // The rest is on its way; a peek would return at once with the same bytes.
            _ => sleep(PREFACE_LOOK).await,
        }
    }
}
