//! The HTTP kind of feed: one HTTP/1.1 connection for each topic, on TCP or a unix socket.
//!
//! Pingora's client session reads the body, whether chunked, of a given length, or ended by the
//! close. The connection never goes back to a pool.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use pingora::protocols::http::v1::client::HttpSession;
use tokio::time::timeout;

use super::{
    Upstream,
    answer::{Head, understand},
    contradiction::Covered,
    kind::{Answer, Chunks, ConnectError, FeedKind},
    request::request,
};
use crate::{
    refusal::{BODY_MAX, Refusal},
    topic_key::TopicKey,
};

/// How long the body of a refusal is waited for: it is at hand, or it is not worth a wait.
const REFUSAL_BODY_WAIT: Duration = Duration::from_secs(2);

pub(super) struct Http1 {
    upstream: Arc<Upstream>,
    force: bool,
    covered: Covered,
}

struct Body(HttpSession);

impl Http1 {
    pub fn new(upstream: Arc<Upstream>, force: bool, covered: Covered) -> Self {
        Self { upstream, force, covered }
    }

    /// Connects to one address after the other until one takes it.
    async fn open(&self) -> Result<HttpSession, ConnectError> {
        let first = self.upstream.next_turn();
        let mut tried = 0;
        loop {
            let opened = self.open_at(first + tried).await;
            tried += 1;
            if opened.is_ok() || tried >= self.upstream.address_count() {
                return opened;
            }
        }
    }

    async fn open_at(&self, turn: usize) -> Result<HttpSession, ConnectError> {
        let peer = self.upstream.peer(turn).await.map_err(ConnectError::Resolve)?;
        let stream = self
            .upstream
            .connector
            .new_stream(&peer)
            .await
            .map_err(|error| ConnectError::Connect(cause(&error)))?;
        let mut session = HttpSession::new_with_options(stream, &peer);
        // Pingora's session does not take it from the peer.
        session.read_timeout = peer.options.read_timeout;
        Ok(session)
    }
}

#[async_trait]
impl FeedKind for Http1 {
    async fn connect(
        &self,
        key: &TopicKey,
        last_event_id: Option<&str>,
    ) -> Result<Answer, ConnectError> {
        let broken = |error: Box<pingora::Error>| ConnectError::Head(cause(&error));
        let request = request(key, last_event_id).map_err(broken)?;
        let mut session = self.open().await?;
        session.write_request_header(Box::new(request)).await.map_err(broken)?;
        // No deadline by default: a script that waits for its first row sends no head before it.
        session.read_response().await.map_err(broken)?;
        while session.get_status().is_some_and(|status| matches!(status.as_u16(), 100..=199)) {
            session.read_response().await.map_err(broken)?;
        }
        let head = session.resp_header().ok_or_else(|| ConnectError::Head("no head".into()))?;
        match understand(head, self.force)? {
            Head::Stream => Ok(Answer::Stream {
                contradictions: self.covered.contradicted_by(&head.headers),
                body: Box::new(Body(session)),
            }),
            Head::Refused(refusal) => Ok(Answer::Refused(with_body(refusal, session).await)),
        }
    }
}

#[async_trait]
impl Chunks for Body {
    async fn next(&mut self) -> Option<Bytes> {
        self.0.read_body_bytes().await.ok().flatten()
    }
}

/// Reads a refusal's body as far as it is at hand and within bounds.
async fn with_body(mut refusal: Refusal, session: HttpSession) -> Refusal {
    let mut session = Body(session);
    let mut body = BytesMut::new();
    let reading = async {
        while body.len() < BODY_MAX {
            match session.next().await {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
    };
    // Late or not, what came is relayed.
    let _ = timeout(REFUSAL_BODY_WAIT, reading).await;
    body.truncate(BODY_MAX);
    refusal.body = body.freeze();
    refusal
}

/// Pingora's error without its layers: the kind, and the cause below it.
fn cause(error: &pingora::Error) -> String {
    match &error.cause {
        Some(cause) => format!("{}: {cause}", error.etype().as_str()),
        None => error.etype().as_str().to_owned(),
    }
}
