//! The event in progress: what the fields read so far make of it, within its bound.

use super::{
    event::Event,
    line::Field,
    text::{Oversized, Text},
};

/// What one block has said so far. A new one for each block.
#[derive(Debug)]
pub(super) struct Draft {
    /// The most that text, type and id may hold together, in bytes.
    event_bytes_max: usize,
    /// The data so far and behind it, from `value_at` on, the value being read. One buffer for
    /// both: a data line is already in its place when it ends, and is never held twice.
    text: Text,
    /// Where the value being read begins; `None` between two values.
    value_at: Option<usize>,
    has_data: bool,
    event_type: String,
    id: Option<String>,
    retry: Option<u64>,
}

impl Draft {
    pub(super) fn new(event_bytes_max: usize) -> Self {
        Self {
            event_bytes_max,
            text: Text::default(),
            value_at: None,
            has_data: false,
            event_type: String::new(),
            id: None,
            retry: None,
        }
    }

    /// Takes a part of the field's value, in undecoded bytes.
    pub(super) fn push(&mut self, field: Field, bytes: &[u8]) -> Result<(), Oversized> {
        self.open_value(field)?;
        self.text.push(bytes, self.text_bytes_max())
    }

    /// Ends the field's line, which may have had no value at all.
    pub(super) fn end_value(&mut self, field: Field) -> Result<(), Oversized> {
        let value_at = self.open_value(field)?;
        self.text.end_value(self.text_bytes_max())?;
        self.value_at = None;
        match field {
            Field::Data => self.has_data = true,
            Field::Event => self.event_type = self.text.split_off(value_at),
            Field::Id => self.end_id(value_at),
            Field::Retry => self.end_retry(value_at),
        }
        // The type and the id have moved out of the text, and so has their share of the bound.
        self.text.shrink_to(self.text_bytes_max());
        Ok(())
    }

    /// What the block says, at its blank line; `None` when it says nothing.
    pub(super) fn finish(self) -> Option<Event> {
        let data = self.has_data.then(|| self.text.into_string());
        let event_type = if data.is_some() { self.event_type } else { String::new() };
        let event = Event { event_type, data, id: self.id, retry: self.retry };
        (!event.is_empty()).then_some(event)
    }

    pub(super) fn held_bytes(&self) -> usize {
        let id = self.id.as_ref().map_or(0, String::capacity);
        self.text.held_bytes() + self.event_type.capacity() + id
    }

    /// Where the value begins, after the LF that joins it to the data line before.
    fn open_value(&mut self, field: Field) -> Result<usize, Oversized> {
        if let Some(value_at) = self.value_at {
            return Ok(value_at);
        }
        if field == Field::Data && self.has_data {
            self.text.push(b"\n", self.text_bytes_max())?;
        }
        Ok(*self.value_at.insert(self.text.len()))
    }

    /// An id with a NUL is ignored whole (9.2.6), so that an earlier one of the block stays.
    fn end_id(&mut self, value_at: usize) {
        let id = self.text.split_off(value_at);
        if !id.contains('\0') {
            self.id = Some(id);
        }
    }

    /// Anything but ASCII digits is ignored (9.2.6), and so is what no timer could ever wait for:
    /// more milliseconds than 64 bits count.
    fn end_retry(&mut self, value_at: usize) {
        let digits = self.text.split_off(value_at);
        // The check is needed beside the parse, which would take a plus sign as well.
        if digits.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(millis) = digits.parse()
        {
            self.retry = Some(millis);
        }
    }

    /// What the type and the id leave of the bound.
    fn text_bytes_max(&self) -> usize {
        let id = self.id.as_ref().map_or(0, String::len);
        self.event_bytes_max - self.event_type.len() - id
    }
}
