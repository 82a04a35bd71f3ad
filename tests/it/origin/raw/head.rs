//! A request head as it arrived.

use std::time::Instant;

/// A request's first line and headers, byte for byte.
#[derive(Clone, Debug)]
pub struct RequestHead {
    /// Up to and with the blank line.
    pub raw: String,
    /// When the last of it arrived, for those who count the time between requests.
    pub at: Instant,
}

impl RequestHead {
    pub(super) fn new(raw: &[u8]) -> Self {
        Self { raw: String::from_utf8_lossy(raw).into_owned(), at: Instant::now() }
    }

    pub fn method(&self) -> &str {
        self.word(0)
    }

    /// Path and query, or whatever was asked for.
    pub fn target(&self) -> &str {
        self.word(1)
    }

    pub fn version(&self) -> &str {
        self.word(2)
    }

    /// The values of a header, in their order.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let headers = self.headers().into_iter();
        headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|pair| pair.1).collect()
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).first().copied()
    }

    /// All headers, in their order and spelling.
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let lines = self.raw.split("\r\n").skip(1);
        lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name, value.trim()))
            .collect()
    }

    fn word(&self, index: usize) -> &str {
        let line = self.raw.split("\r\n").next().unwrap_or_default();
        line.split(' ').nth(index).unwrap_or_default()
    }
}
