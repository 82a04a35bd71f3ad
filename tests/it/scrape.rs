//! What an operator sees: a real Prometheus at a gateway that is at work, and the admin listener.

mod admin;
mod busy;
mod contract;
mod values;
