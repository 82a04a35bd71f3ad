//! What the tests listen and ask with: clients of both HTTP versions, and how to wait.
//!
//! They share no code with the gateway. In particular the parser in [`events`] is their own, so
//! that an error in the gateway's parser cannot hide behind the same error here.

mod body;
mod events;
mod eventually;
mod http1;
mod http2;
mod request;
mod stream;
mod tls;

mod tests;

pub use body::SentBody;
#[allow(unused_imports, reason = "for tests that name it")]
pub use events::Event;
pub use eventually::{eventually, within};
pub use http1::Http1;
pub use http2::{Http2Connection, Http2Options};
pub use request::{Protocol, collect, request};
pub use stream::{End, SseStream};
pub use tls::{Tls, connect_tls};

use std::time::Duration;

/// How long a client waits for the head of a response. Only a broken server takes longer, so it
/// is generous: a loaded machine must not fail a test.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);
