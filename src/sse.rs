//! The event stream format (WHATWG HTML 9.2): what one block says, how it is read, how it is
//! written.
//!
//! ```text
//! upstream bytes -> Parser (line: name, value) -> draft (bounded text) -> Event -> encode -> wire
//! ```
//!
//! The way in is liberal, as 9.2.6 demands; the way out is one canonical form. Bytes are never
//! relayed: what is no field (a PHP notice with a server path, say) ends here.
//!
//! Here lives the format alone: no IO, no async, no clock, and no notion of topics or subscribers.

mod draft;
mod encode;
mod event;
mod fragments;
mod line;
mod parser;
mod text;

pub use event::Event;
pub use fragments::{HEARTBEAT, comment, retry_line};
pub use parser::{Bounds, Parser, Tally};
