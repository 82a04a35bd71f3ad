//! UTF-8 text that arrives in pieces: decoded as it comes, never longer than allowed.
//!
//! Bad bytes become U+FFFD one by one or several at once, exactly as `String::from_utf8_lossy`
//! does it of the whole value (and the Encoding Standard's UTF-8 decoder of the whole stream),
//! wherever the pieces were cut.

use std::{mem, str};

/// The event has become larger than its bound. Nothing of it may be used any more.
#[derive(Debug)]
pub(super) struct Oversized;

/// Text that is still growing. Values are cut off its end when they are complete.
#[derive(Debug, Default)]
pub(super) struct Text {
    decoded: String,
    /// The first bytes of a character that the next piece may complete: never more than three.
    cut_off: Vec<u8>,
}

/// Stands for bytes that are no UTF-8.
const REPLACEMENT: &str = "\u{FFFD}";

impl Text {
    /// Appends undecoded bytes, as long as the text stays within `bytes_max`.
    pub(super) fn push(&mut self, bytes: &[u8], bytes_max: usize) -> Result<(), Oversized> {
        let rest = self.complete(bytes, bytes_max)?;
        // Almost always: whole characters, nothing bad.
        if let Ok(text) = str::from_utf8(rest) {
            return self.append(text, bytes_max);
        }
        let mut chunks = rest.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.append(chunk.valid(), bytes_max)?;
            let bad = chunk.invalid();
            if chunks.peek().is_none() && is_cut_off(bad) {
                self.cut_off.extend_from_slice(bad);
            } else if !bad.is_empty() {
                self.append(REPLACEMENT, bytes_max)?;
            }
        }
        Ok(())
    }

    /// Ends a value: a character that is still cut off will never be completed.
    pub(super) fn end_value(&mut self, bytes_max: usize) -> Result<(), Oversized> {
        if self.cut_off.is_empty() {
            return Ok(());
        }
        self.cut_off.clear();
        self.append(REPLACEMENT, bytes_max)
    }

    /// Takes the text from `at` on, in an allocation of just its size. That is a copy beside the
    /// text, until the caller's [`shrink_to`](Self::shrink_to), when there is text before `at`.
    pub(super) fn split_off(&mut self, at: usize) -> String {
        if at > 0 {
            return self.decoded.split_off(at);
        }
        // The usual order, nothing before the value: hand over the buffer itself, not a copy.
        let mut text = mem::take(&mut self.decoded);
        text.shrink_to_fit();
        text
    }

    pub(super) fn shrink_to(&mut self, bytes_max: usize) {
        self.decoded.shrink_to(bytes_max);
    }

    pub(super) fn into_string(self) -> String {
        self.decoded
    }

    pub(super) fn len(&self) -> usize {
        self.decoded.len()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.decoded.capacity() + self.cut_off.capacity()
    }

    /// Completes the character that the last piece cut off; gives back the bytes behind it.
    fn complete<'a>(
        &mut self,
        mut bytes: &'a [u8],
        bytes_max: usize,
    ) -> Result<&'a [u8], Oversized> {
        while !self.cut_off.is_empty()
            && let Some((&next, behind)) = bytes.split_first()
        {
            let mut longer = mem::take(&mut self.cut_off);
            longer.push(next);
            if is_cut_off(&longer) {
                self.cut_off = longer;
            } else if let Ok(character) = str::from_utf8(&longer) {
                self.append(character, bytes_max)?;
            } else {
                // Not a continuation: the byte stands for itself and is looked at again.
                self.append(REPLACEMENT, bytes_max)?;
                return Ok(bytes);
            }
            bytes = behind;
        }
        Ok(bytes)
    }

    /// Appends text, growing by doubling but never beyond `bytes_max`.
    fn append(&mut self, more: &str, bytes_max: usize) -> Result<(), Oversized> {
        let length = self.decoded.len() + more.len();
        if length > bytes_max {
            return Err(Oversized);
        }
        let capacity = self.decoded.capacity();
        if length > capacity {
            let target = length.max(capacity.saturating_mul(2).min(bytes_max));
            self.decoded.reserve_exact(target - self.decoded.len());
        }
        self.decoded.push_str(more);
        Ok(())
    }
}

/// Whether more bytes could make a character of these.
fn is_cut_off(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}
