//! The downstream side: from a client's connection to its event streams.
//!
//! ```text
//! listener -> connection -> route -> topic key -> hub.join -> connection writes
//! ```
//!
//! HTTP/2 connections are actors that own all their streams (law 1); an HTTP/1.1 connection has
//! one. What is no event stream is handed on through [`PassThrough`]. Never imports the upstream
//! side.

use std::{pin::Pin, sync::Arc};

use arc_swap::ArcSwap;
use pingora::protocols::http::v2::server::HttpSession;

use crate::{drain::DrainWatch, hub::Hub, metrics::Metrics, route::RouteTable};

pub mod admission;
pub mod answer;
pub mod http1;
pub mod http2;
pub mod listener;
pub mod tls;

/// What every connection needs.
pub struct Downstream {
    pub routes: ArcSwap<RouteTable>,
    pub hub: Arc<Hub>,
    pub metrics: Arc<Metrics>,
    pub drain: DrainWatch,
}

/// Where an HTTP/2 request goes that is no event stream of a shared route.
pub trait PassThrough: Send + Sync {
    fn proxy(&self, session: HttpSession) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}
