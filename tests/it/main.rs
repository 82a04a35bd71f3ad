//! The one integration binary: Sluice against real origins, real clients and a real browser.

mod actors;
mod browser;
mod chaos;
mod client;
mod config;
mod diagnosis;
mod floors;
mod format;
mod in_chromium;
mod origin;
mod pass_through;
mod prometheus;
mod scrape;
mod sluice;
