//! Which requests reached an origin: what sharing is judged by.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use crate::client::eventually;

/// The file to which an origin's scripts report, one line at the start of a request and one at its
/// end.
pub struct RequestLog {
    file: PathBuf,
}

/// One request that a script saw.
#[derive(Clone, Debug)]
pub struct LoggedRequest {
    /// The process that served it.
    pub pid: u64,
    pub method: String,
    /// Path and query, as they arrived.
    pub uri: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The script has ended: by itself, or because it wrote to a client that had left.
    pub ended: bool,
}

impl RequestLog {
    pub(super) fn new(file: PathBuf) -> Self {
        fs::write(&file, "").expect("make a request log");
        super::home::open_to_all(&file);
        Self { file }
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// All requests so far, in the order of their starts.
    pub fn all(&self) -> Vec<LoggedRequest> {
        let text = fs::read_to_string(&self.file).expect("read a request log");
        // A line that is being written has no end yet.
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines: Vec<Value> =
            lines.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
        let ended: Vec<&Value> =
            lines.iter().filter(|line| line["at"] == "end").map(|line| &line["id"]).collect();
        let starts = lines.iter().filter(|line| line["at"] == "start");
        starts.map(|line| LoggedRequest::of(line, ended.contains(&&line["id"]))).collect()
    }

    /// The requests for a path, whatever their query.
    pub fn of(&self, path: &str) -> Vec<LoggedRequest> {
        self.all().into_iter().filter(|request| request.path() == path).collect()
    }

    /// How many requests for a path there were.
    pub fn count(&self, path: &str) -> usize {
        self.of(path).len()
    }

    /// How many requests for a path are running now.
    pub fn running(&self, path: &str) -> usize {
        self.of(path).iter().filter(|request| !request.ended).count()
    }

    /// Waits until so many requests for a path are running.
    pub async fn wait_for_running(&self, path: &str, count: usize, patience: Duration) {
        let what = format!("{count} running requests for {path}");
        eventually(&what, patience, async || self.running(path) == count).await;
    }
}

impl LoggedRequest {
    fn of(line: &Value, ended: bool) -> Self {
        let text = |key: &str| line[key].as_str().expect("a text").to_owned();
        let headers = line["headers"].as_object().expect("headers").iter();
        Self {
            pid: line["pid"].as_u64().expect("a process id"),
            method: text("method"),
            uri: text("uri"),
            headers: headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            ended,
        }
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.uri.split('?').next().unwrap_or_default()
    }

    pub fn last_event_id(&self) -> Option<&str> {
        self.headers.get("last-event-id").map(String::as_str)
    }
}
