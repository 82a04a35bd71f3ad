//! The hub on its own: its parts one by one, all of it against a naive model, and its one race.
//!
//! A feed is whatever holds a publisher, so here it is the test that holds it.

mod linger;
mod mailbox;
mod model;
mod publisher;
mod race;
mod replay;
mod rig;
mod start;
