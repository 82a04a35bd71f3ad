//! The one integration binary: Sluice against real origins, real clients and a real browser.

mod browser;
mod chaos;
mod client;
mod config;
mod diagnosis;
mod floors;
mod format;
mod in_chromium;
mod origin;
mod prometheus;
mod scrape;
mod sluice;
