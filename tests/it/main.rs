//! The one integration binary: Sluice against real origins, real clients and a real browser.

mod browser;
mod client;
mod config;
mod floors;
mod format;
mod origin;
mod prometheus;
mod sluice;
