//! The one integration binary: Sluice against real origins, real clients and a real browser.

mod actors;
mod browser;
mod chaos;
mod client;
mod config;
mod diagnosis;
mod floors;
mod format;
mod framings;
mod heartbeats;
mod in_chromium;
mod origin;
mod pass_through;
mod prometheus;
mod scrape;
mod sharing;
mod shutdown;
mod sluice;
mod streams;
