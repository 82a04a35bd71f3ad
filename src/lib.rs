//! Sluice: a reverse-proxy gateway for Server-Sent Events.
//!
//! It stands before a site whose scripts loop, echo and flush, speaks TLS and HTTP/2 to browsers,
//! and turns any number of client streams of one topic into one upstream stream. Everything else
//! of the site passes through.
//!
//! # The two ways through the house
//!
//! ```text
//!  client                                                                       upstream
//!    |                                                                             |
//!    |  downstream::listener                                    upstream::http1    |
//!    |  downstream::http2 | http1                               upstream::feed     |
//!    |  route -> topic_key                                      sse::Parser        |
//!    |  hub.join -> Membership  <--- replay buffer <---  Publisher <- sse::Event   |
//!    v  connection writes              (hub)                                       v
//! ```
//!
//! A request finds its [`route`], which makes a [`topic_key`] of it; with that the connection
//! joins the [`hub`] and reads events by cursor. A feed is built from the key alone; it connects
//! [`upstream`], parses [`sse`], and publishes to the hub, which wakes the connections. The two
//! meet in the hub and nowhere else. What is no event stream goes through [`proxy`].
//!
//! # Laws
//!
//! 1. A connection is an actor, a subscriber is a cursor: no task, timer or queue per stream.
//! 2. An event is encoded once; subscribers share its bytes.
//! 3. What is not in the topic key is not sent upstream.
//! 4. Nothing of a shared upstream response but its events reaches a client.
//! 5. No subscriber slows a topic; nothing is unbounded.
//! 6. A browser is never sent away by accident: trouble upstream stays hidden.
//! 7. Nothing half is ever published; parser state never crosses upstream connections.
//! 8. Replay and live join without gap or double, in one critical section.
//! 9. Every subscription ends with exactly one counted reason; every task has an owner.
//! 10. The hub knows no HTTP, no Pingora, no YAML; the two sides never import each other.
//!
//! # Floors
//!
//! Imports go downward only; `tests/it/floors.rs` guards it.
//!
//! | floor | rooms |
//! |---|---|
//! | 5 | main |
//! | 4 | [`app`], [`gateway`], [`proxy`], [`admin`]: wiring |
//! | 3 | [`downstream`], [`route`], [`cors`] and, apart from them, [`upstream`] |
//! | 2 | [`hub`] |
//! | 1 | [`config`], [`metrics`], [`drain`] |
//! | 0 | [`sse`], [`topic_key`], [`refusal`]: no IO, no async, no clock |

#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod admin;
pub mod app;
pub mod gateway;
pub mod proxy;

pub mod cors;
pub mod downstream;
pub mod route;
pub mod upstream;

pub mod hub;

pub mod config;
pub mod drain;
pub mod metrics;

pub mod refusal;
pub mod sse;
pub mod topic_key;
