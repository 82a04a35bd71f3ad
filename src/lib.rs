//! Sluice: a reverse-proxy gateway for Server-Sent Events.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]
pub mod admin;
pub mod app;
pub mod config;
pub mod cors;
pub mod downstream;
pub mod drain;
pub mod gateway;
pub mod hub;
pub mod metrics;
pub mod proxy;
pub mod refusal;
pub mod route;
pub mod sse;
pub mod topic_key;
pub mod upstream;
