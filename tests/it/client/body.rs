//! Bodies: the received ones of both HTTP versions as one, and sent ones that a test feeds.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinSet,
};

/// A response body on its way in.
pub(super) enum ReceivedBody {
    /// With the connection's task, which is this body's alone.
    Http1(Incoming, #[expect(dead_code, reason = "held to be dropped")] JoinSet<()>),
    Http2(h2::RecvStream),
}

impl ReceivedBody {
    /// The next bytes, or what broke the body, or nothing at its end.
    pub(super) async fn data(&mut self) -> Option<Result<Bytes, String>> {
        match self {
            Self::Http1(body, _) => loop {
                match body.frame().await? {
                    Ok(frame) => {
                        if let Ok(data) = frame.into_data() {
                            return Some(Ok(data));
                        }
                    }
                    Err(error) => return Some(Err(format!("{error:?}"))),
                }
            },
            Self::Http2(body) => match body.data().await? {
                Ok(data) => {
                    // Read means consumed: the server may send as much again.
                    let _ = body.flow_control().release_capacity(data.len());
                    Some(Ok(data))
                }
                Err(error) => Some(Err(error.to_string())),
            },
        }
    }
}

/// A request body that a test sends piece by piece. It ends when the sender is dropped.
pub struct SentBody {
    frames: Receiver<Frame<Bytes>>,
}

impl SentBody {
    /// The body, and the test's end of it. The channel holds one piece, so a send that returns
    /// means that the piece before it was taken.
    pub fn new() -> (Sender<Frame<Bytes>>, Self) {
        let (sender, frames) = channel(1);
        (sender, Self { frames })
    }

    /// A piece of data for the sender.
    pub fn data(bytes: impl Into<Bytes>) -> Frame<Bytes> {
        Frame::data(bytes.into())
    }

    /// Trailers for the sender: the last piece.
    pub fn trailers(trailers: HeaderMap) -> Frame<Bytes> {
        Frame::trailers(trailers)
    }
}

impl Body for SentBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.frames.poll_recv(context).map(|frame| frame.map(Ok))
    }
}
