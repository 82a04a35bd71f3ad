//! The rest of the site, through Pingora's proxy; and, over HTTP/1.1, the event streams too.
//!
//! Says to the upstream who the client is, and to the client nothing of the inside.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use log::{debug, info, warn};
use pingora::{
    ErrorSource, ErrorType, Result,
    apps::HttpServerApp,
    http::{RequestHeader, ResponseHeader},
    protocols::http::{ServerSession, v2::server::HttpSession as Http2Session},
    proxy::{FailToProxy, HttpProxy, ProxyHttp, Session},
    upstreams::peer::HttpPeer,
};

use crate::{
    downstream::{
        Downstream, PassThrough,
        admission::{self, Admission},
        answer, http1,
    },
    drain::DrainWatch,
    route::Route,
    upstream::Upstream,
};

mod forward;

/// How long an idle HTTP/1.1 connection is kept, in seconds. Pingora's own default is for ever
/// once a first request was read.
const KEEPALIVE_SECONDS: u64 = 60;

/// Pingora's hooks.
pub struct Proxy {
    pub downstream: Arc<Downstream>,
    /// By name.
    pub upstreams: HashMap<String, Arc<Upstream>>,
}

/// One request's state.
#[derive(Default)]
pub struct Context {
    route: Option<Arc<Route>>,
    /// Which address the first connect was to.
    first_turn: Option<usize>,
    /// Connects that failed so far.
    failed_connects: usize,
}

/// Where the HTTP/2 actor hands requests on to.
pub struct SiteProxy {
    pub proxy: Arc<HttpProxy<Proxy>>,
    pub drain: DrainWatch,
}

impl PassThrough for SiteProxy {
    fn proxy(&self, session: Http2Session) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let proxy = self.proxy.clone();
        let shutdown = self.drain.as_shutdown_watch();
        Box::pin(async move {
            proxy.process_new_http(ServerSession::new_http2(session), &shutdown).await;
        })
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context::default()
    }

    async fn early_request_filter(&self, session: &mut Session, _: &mut Context) -> Result<()> {
        // Not where the client or the framing of its request rules out another one.
        if session.get_keepalive().is_some() {
            session.set_keepalive(Some(KEEPALIVE_SECONDS));
        }
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Context) -> Result<bool> {
        let admission = admission::admit(&self.downstream.routes.load(), session.req_header());
        match admission {
            Admission::Listen(listen) => {
                http1::serve(session.as_downstream_mut(), listen, &self.downstream).await?;
                Ok(true)
            }
            Admission::Answer { answer, route } => {
                if let Some(route) = route {
                    route.metrics.answered(answer.head.status.as_u16());
                }
                http1::respond(session.as_downstream_mut(), answer).await?;
                Ok(true)
            }
            Admission::Proxy(route) => {
                ctx.route = Some(route);
                Ok(false)
            }
        }
    }

    async fn upstream_peer(&self, _: &mut Session, ctx: &mut Context) -> Result<Box<HttpPeer>> {
        let upstream = ctx.route.as_ref().and_then(|route| self.upstreams.get(&route.upstream));
        let upstream = upstream
            .ok_or_else(|| pingora::Error::explain(ErrorType::InternalError, "no upstream"))?;
        let first = *ctx.first_turn.get_or_insert_with(|| upstream.next_turn());
        let peer = upstream.peer(first + ctx.failed_connects).await.map_err(|cause| {
            pingora::Error::because(ErrorType::ConnectError, "name look-up", cause).into_up()
        })?;
        Ok(Box::new(peer))
    }

    /// Tries the next address, if there is one that was not tried.
    fn fail_to_connect(
        &self,
        _: &mut Session,
        _: &HttpPeer,
        ctx: &mut Context,
        mut error: Box<pingora::Error>,
    ) -> Box<pingora::Error> {
        ctx.failed_connects += 1;
        let upstream = ctx.route.as_ref().and_then(|route| self.upstreams.get(&route.upstream));
        let untried = upstream.is_some_and(|u| ctx.failed_connects < u.address_count());
        error.set_retry(untried);
        error
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        _: &mut Context,
    ) -> Result<()> {
        forward::describe_client(session, request)
    }

    /// Works round a fault of Pingora 0.9.1 (its issue 935): an HTTP/2 body that ends with an
    /// empty DATA frame would put the last chunk on the wire twice, and the second one would be
    /// the next request on that connection.
    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        _: &mut Context,
    ) -> Result<()> {
        if end_of_stream && body.as_ref().is_some_and(Bytes::is_empty) {
            *body = None;
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        ctx: &mut Context,
    ) -> Result<()> {
        if let Some(route) = &ctx.route {
            hint_at_sharing(route, response);
        }
        forward::strip_hop_by_hop(response);
        forward::suit_version(session, response)
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &pingora::Error,
        _: &mut Context,
    ) -> FailToProxy {
        let status = status_of(error);
        if let Some(status) = status
            && session.response_written().is_none()
        {
            session.set_keepalive(None);
            // A client that has gone meanwhile needs no error page.
            let _ = http1::respond(session.as_downstream_mut(), answer::plain(status)).await;
        }
        FailToProxy { error_code: status.unwrap_or(0), can_reuse_downstream: false }
    }

    /// Pingora's own error line names the client's URL; ours says what an operator can mend.
    fn suppress_error_log(&self, _: &Session, ctx: &Context, error: &pingora::Error) -> bool {
        if *error.esource() == ErrorSource::Upstream {
            let route = ctx.route.as_ref().map_or("none", |route| &route.name);
            warn!("Route {route}: the upstream failed: {}.", error.etype().as_str());
        }
        debug!("A request failed: {error}.");
        true
    }

    async fn logging(&self, session: &mut Session, _: Option<&pingora::Error>, ctx: &mut Context) {
        if let (Some(route), Some(response)) = (&ctx.route, session.response_written()) {
            route.metrics.answered(response.status.as_u16());
        }
    }
}

/// What a failed request is answered with; `None` if nobody is left to be told.
fn status_of(error: &pingora::Error) -> Option<u16> {
    use ErrorType::{
        ConnectTimedout, ConnectionClosed, HTTPStatus, ReadError, ReadTimedout, WriteError,
        WriteTimedout,
    };
    match (error.etype(), error.esource()) {
        (HTTPStatus(status), _) => Some(*status),
        (ConnectTimedout | ReadTimedout | WriteTimedout, ErrorSource::Upstream) => Some(504),
        (_, ErrorSource::Upstream) => Some(502),
        (WriteError | ReadError | ConnectionClosed, ErrorSource::Downstream) => None,
        (_, ErrorSource::Downstream) => Some(400),
        (_, ErrorSource::Internal | ErrorSource::Unset) => Some(500),
    }
}

/// Says once for each route that its event streams could be shared.
fn hint_at_sharing(route: &Route, response: &ResponseHeader) {
    if route.stream.is_some() {
        return; // An answer to another method: what can be shared there is shared.
    }
    let is_stream = response.headers.get(CONTENT_TYPE).is_some_and(|value| {
        value.as_bytes().to_ascii_lowercase().starts_with(b"text/event-stream")
    });
    if is_stream && !route.hinted.swap(true, Relaxed) {
        info!(
            "Route {}: an event stream passes through, with an upstream connection for each \
             client. A route of its own with 'sse:' would share it.",
            route.name,
        );
    }
}
