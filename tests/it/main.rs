//! The one integration binary: Sluice against real origins, real clients and a real browser.

mod actors;
mod browser;
mod chaos;
mod client;
mod config;
mod demo;
mod diagnosis;
mod failures;
mod floors;
mod format;
mod framings;
mod heartbeats;
mod in_chromium;
mod lagging;
mod origin;
mod pass_through;
mod prometheus;
mod read_timeout;
mod readme;
mod resumes;
mod scrape;
mod sharing;
mod shutdown;
mod sluice;
mod stalls;
mod streams;
