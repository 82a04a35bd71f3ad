//! Event streams over HTTP/2: any number of them on one connection.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::{
    RecvStream, SendStream,
    client::{Builder, Connection, ResponseFuture, SendRequest},
};
use http::{Request, Response};
use tokio::task::JoinSet;

use super::{
    HEAD_DEADLINE, SseStream,
    body::ReceivedBody,
    request::with_headers,
    tls::{Io, Tls, connect},
    within,
};

/// A connection with its driver task, which ends when this is dropped.
pub struct Http2Connection {
    sender: SendRequest<Bytes>,
    driver: JoinSet<Result<(), h2::Error>>,
    /// `https://host`, the front of every request's URI.
    origin: String,
}

/// How much a server may send before the client reads.
#[derive(Clone, Copy, Debug)]
pub struct Http2Options {
    pub stream_window: u32,
    pub connection_window: u32,
}

impl Default for Http2Options {
    /// Windows so large that no test meets them by accident.
    fn default() -> Self {
        Self { stream_window: 16 << 20, connection_window: 1 << 30 }
    }
}

impl Http2Connection {
    /// Opens a connection: by prior knowledge on plain TCP, or by ALPN.
    pub async fn open(address: SocketAddr, tls: bool) -> Self {
        let tls = tls.then(|| Tls::offering(&["h2"]));
        Self::open_with(address, tls.as_ref(), Http2Options::default()).await
    }

    /// The same, as the test wants it.
    pub async fn open_with(address: SocketAddr, tls: Option<&Tls>, options: Http2Options) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let host = tls.map_or_else(|| address.ip().to_string(), |tls| tls.server_name.clone());
        let mut driver = JoinSet::new();
        let shake = handshake(connect(address, tls).await, options);
        let (sender, connection) = within("an HTTP/2 handshake", HEAD_DEADLINE, shake).await;
        driver.spawn(connection);
        Self { sender, driver, origin: format!("{scheme}://{host}:{}", address.port()) }
    }

    /// Listens to `path`.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> SseStream {
        let request = with_headers(Request::get(path), headers, None).body(()).expect("a request");
        let (head, body) = self.request(request).await.into_parts();
        SseStream::new(head, ReceivedBody::Http2(body))
    }

    /// Sends a request without a body; its URI may be just a path.
    pub async fn request(&self, request: Request<()>) -> Response<RecvStream> {
        let what = format!("the head of {}", request.uri());
        let (response, _) = self.send(request, true).await;
        within(&what, HEAD_DEADLINE, response).await.expect("a response")
    }

    /// Sends a request's head, and leaves body and response to the test.
    pub async fn send(
        &self,
        mut request: Request<()>,
        end_of_stream: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        if request.uri().authority().is_none() {
            let uri = format!("{}{}", self.origin, request.uri());
            *request.uri_mut() = uri.parse().expect("a URI");
        }
        let ready = within("room for a stream", HEAD_DEADLINE, self.sender.clone().ready());
        let mut sender = ready.await.expect("an open connection");
        sender.send_request(request, end_of_stream).expect("a request")
    }

    /// How many streams the server lets this connection have at a time.
    pub fn max_streams(&self) -> usize {
        self.sender.current_max_send_streams()
    }

    /// Waits until the connection is closed, and says how.
    pub async fn closed(&mut self, patience: Duration) -> Result<(), h2::Error> {
        let end = within("the end of the connection", patience, self.driver.join_next()).await;
        end.expect("asked only once").expect("a driver without panic")
    }
}

async fn handshake(
    io: Box<dyn Io>,
    options: Http2Options,
) -> (SendRequest<Bytes>, Connection<Box<dyn Io>, Bytes>) {
    Builder::new()
        .initial_window_size(options.stream_window)
        .initial_connection_window_size(options.connection_window)
        // Events are small frames by nature; a client that lags on purpose is not under attack.
        .data_frame_budget(1 << 30)
        .enable_push(false)
        .handshake(io)
        .await
        .expect("an HTTP/2 handshake")
}
