//! The one integration binary: Sluice against real origins, real clients and a real browser.

mod browser;
mod chaos;
mod client;
mod config;
mod diagnosis;
mod floors;
mod format;
mod origin;
mod prometheus;
mod sluice;
