//! The clients themselves, against servers of the same libraries.

mod events;
mod http1;
mod http2;
mod server;
