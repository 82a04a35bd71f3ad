//! The format read literally: the judge of the parser.

use sluice::sse::{Event, Tally};

/// WHATWG HTML 9.2.5 and 9.2.6 word by word, of the whole stream at once, without any bound on
/// memory; `bound` only says which events count as oversized.
pub(super) fn literally(stream: &[u8], bound: usize) -> (Vec<Event>, Tally) {
    let decoded = String::from_utf8_lossy(stream);
    let decoded = decoded.strip_prefix('\u{feff}').unwrap_or(&decoded);
    let unified = decoded.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = unified.split('\n').collect();
    lines.pop(); // has no line end
    let (mut events, mut tally) = (Vec::new(), Tally::default());
    let (mut event, mut oversized) = (Event::default(), false);
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        let join_bytes = usize::from(name == "data");
        let data_bytes = event.data.as_ref().map_or(0, |data| data.len() + join_bytes);
        let id_bytes = event.id.as_ref().map_or(0, String::len);
        let grown = data_bytes + id_bytes + event.event_type.len() + value.len();
        match name {
            "" if line.is_empty() => {
                if event.data.is_none() {
                    event.event_type.clear();
                }
                let event = std::mem::take(&mut event);
                if !std::mem::take(&mut oversized) && !event.is_empty() {
                    events.push(event);
                }
            }
            "" => {}
            "event" | "data" | "id" | "retry" if oversized || grown > bound => {
                tally.oversized_events += u64::from(!oversized);
                oversized = true;
            }
            "event" => event.event_type = value.to_owned(),
            "data" => match &mut event.data {
                Some(data) => *data += &format!("\n{value}"),
                data => *data = Some(value.to_owned()),
            },
            "id" if value.contains('\0') => {}
            "id" => event.id = Some(value.to_owned()),
            "retry" if value.chars().all(|c| c.is_ascii_digit()) => {
                event.retry = value.parse().ok().or(event.retry);
            }
            "retry" => {}
            _ => tally.discarded_lines += 1,
        }
    }
    (events, tally)
}
