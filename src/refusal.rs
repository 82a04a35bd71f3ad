//! What an upstream said instead of an event stream, kept small so that it can be relayed.
//!
//! Plain data: the upstream side fills it in, the hub carries it unread, the downstream side
//! answers with it. Never holds a cookie or any other header.

use bytes::Bytes;

/// The most of a refusal's body that is kept, in bytes: enough for an error page's text.
pub const BODY_MAX: usize = 16 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub content_type: Option<String>,
    /// Where a redirect leads, as the upstream wrote it.
    pub location: Option<String>,
    /// At most [`BODY_MAX`] bytes.
    pub body: Bytes,
}
