//! A client's reading of an event stream, after the rules for EventSource.

use std::collections::VecDeque;

/// What an EventSource would hand to its listeners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// `message` unless the stream named it.
    pub event_type: String,
    pub data: String,
    /// The last event ID at the time of dispatch, which an earlier event may have set.
    pub id: String,
}

/// Turns bytes into events; lines may be cut anywhere.
#[derive(Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    /// The line before ended with CR: a LF that follows belongs to it.
    after_cr: bool,
    past_first_line: bool,
    event_type: String,
    data: Option<String>,
    id: String,
    last_event_id: String,
    retry: Option<u64>,
    comments: Vec<String>,
}

impl EventReader {
    pub(super) fn read(&mut self, bytes: &[u8], events: &mut VecDeque<Event>) {
        for &byte in bytes {
            let ends_cr_lf = std::mem::take(&mut self.after_cr) && byte == b'\n';
            match byte {
                _ if ends_cr_lf => {}
                b'\r' | b'\n' => {
                    self.after_cr = byte == b'\r';
                    self.end_line(events);
                }
                _ => self.line.push(byte),
            }
        }
    }

    pub(super) fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    pub(super) fn retry(&self) -> Option<u64> {
        self.retry
    }

    pub(super) fn comments(&self) -> &[String] {
        &self.comments
    }

    fn end_line(&mut self, events: &mut VecDeque<Event>) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let mut line = line.as_ref();
        if !std::mem::replace(&mut self.past_first_line, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            events.extend(self.dispatch());
        } else if let Some(comment) = line.strip_prefix(':') {
            self.comments.push(comment.to_owned());
        } else {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            self.field(field, value.strip_prefix(' ').unwrap_or(value));
        }
    }

    fn field(&mut self, field: &str, value: &str) {
        match field {
            "event" => self.event_type = value.to_owned(),
            "data" => match &mut self.data {
                Some(data) => *data = format!("{data}\n{value}"),
                None => self.data = Some(value.to_owned()),
            },
            "id" if !value.contains('\0') => self.id = value.to_owned(),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().or(self.retry);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Option<Event> {
        self.last_event_id.clone_from(&self.id);
        let event_type = std::mem::take(&mut self.event_type);
        let data = self.data.take()?;
        Some(Event {
            event_type: if event_type.is_empty() { "message".to_owned() } else { event_type },
            data,
            id: self.last_event_id.clone(),
        })
    }
}
