//! The operator's listener: metrics and probes, over plain HTTP/1.1.

use std::sync::Arc;

use async_trait::async_trait;
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE},
};
use pingora::{
    apps::{ServerApp, http_app::ServeHttp},
    protocols::http::ServerSession,
};
use tokio::net::TcpStream;

use crate::{
    downstream::listener::{Handler, pingora_stream},
    drain::DrainWatch,
    metrics::Metrics,
};

/// The type of the text format that Prometheus asks for.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN_TYPE: &str = "text/plain; charset=utf-8";

pub struct Admin {
    pub metrics: Arc<Metrics>,
    pub drain: DrainWatch,
}

impl Handler for Admin {
    async fn handle(self: Arc<Self>, connection: TcpStream) {
        if let Ok(stream) = pingora_stream(connection) {
            let shutdown = self.drain.as_shutdown_watch();
            self.process_new(Box::new(stream), &shutdown).await;
        }
    }
}

#[async_trait]
impl ServeHttp for Admin {
    async fn response(&self, session: &mut ServerSession) -> Response<Vec<u8>> {
        let request = session.req_header();
        if !matches!(request.method, Method::GET | Method::HEAD) {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let mut answer = answer(status, PLAIN_TYPE, "GET or HEAD only\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match request.uri.path() {
            "/metrics" => answer(StatusCode::OK, METRICS_TYPE, self.metrics.encode()),
            "/healthz" => answer(StatusCode::OK, PLAIN_TYPE, "ok\n"),
            "/readyz" if self.drain.has_started() => {
                answer(StatusCode::SERVICE_UNAVAILABLE, PLAIN_TYPE, "draining\n")
            }
            "/readyz" => answer(StatusCode::OK, PLAIN_TYPE, "ready\n"),
            _ => answer(StatusCode::NOT_FOUND, PLAIN_TYPE, "/metrics /healthz /readyz\n"),
        }
    }
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    let length = HeaderValue::from(answer.body().len());
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
