//! The wire of the Chrome DevTools Protocol: commands, their replies, and each page's events.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::process::Pipes;
use super::record::Record;

/// Longer than any command takes on a machine that is busy compiling.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// One CDP connection, shared by a browser and its pages.
pub struct Connection {
    commands: mpsc::Sender<Vec<u8>>,
    last_id: AtomicU64,
    shared: Arc<Shared>,
    /// Writes commands and reads replies; aborted with the connection.
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    /// Who waits for the reply to which command; `None` once no more replies can come.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Reply>>>>,
    /// What each session (an attached page) has reported.
    records: Mutex<HashMap<String, watch::Sender<Record>>>,
}

type Reply = Result<Value, String>;

impl Connection {
    pub fn over(pipes: Pipes) -> Connection {
        let shared = Arc::new(Shared::default());
        *shared.waiting.lock() = Some(HashMap::new());
        // A task writes, so that a caller who gives up cannot leave half a command in the pipe.
        let (commands, queue) = mpsc::channel(16);
        let mut tasks = JoinSet::new();
        tasks.spawn(write(queue, pipes.commands));
        tasks.spawn(read(pipes.replies, Arc::clone(&shared)));
        Connection { commands, last_id: AtomicU64::new(0), shared, _tasks: tasks }
    }

    /// Sends a command, to a page's session or to the browser itself, and waits for its result.
    pub async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Reply {
        match timeout(CALL_DEADLINE, self.exchange(session, method, params)).await {
            Ok(reply) => reply,
            Err(_) => Err(format!("{method} has no reply after {CALL_DEADLINE:?}.")),
        }
    }

    /// Collects a session's events from now on.
    pub fn record(&self, session: &str) -> watch::Receiver<Record> {
        let (record, changes) = watch::channel(Record::default());
        self.shared.records.lock().insert(session.to_owned(), record);
        changes
    }

    async fn exchange(&self, session: Option<&str>, method: &str, params: Value) -> Reply {
        let ended = || format!("Chromium has ended before it replied to {method}.");
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);

        let (reply, replied) = oneshot::channel();
        self.shared.waiting.lock().as_mut().ok_or_else(ended)?.insert(id, reply);
        self.commands.send(bytes).await.map_err(|_| ended())?;
        replied.await.map_err(|_| ended())?
    }
}

async fn write(mut queue: mpsc::Receiver<Vec<u8>>, mut pipe: ChildStdin) {
    while let Some(command) = queue.recv().await {
        if pipe.write_all(&command).await.is_err() {
            return;
        }
    }
}

async fn read(pipe: ChildStdout, shared: Arc<Shared>) {
    let mut pipe = BufReader::new(pipe);
    let mut bytes = Vec::new();
    while pipe.read_until(0, &mut bytes).await.is_ok() && bytes.pop() == Some(0) {
        let message = serde_json::from_slice(&bytes).expect("Chromium writes JSON");
        shared.take(message);
        bytes.clear();
    }
    shared.waiting.lock().take();
}

impl Shared {
    fn take(&self, mut message: Value) {
        if let Some(id) = message["id"].as_u64() {
            let waiting = self.waiting.lock().as_mut().and_then(|waiting| waiting.remove(&id));
            let reply = match message.get("error") {
                Some(error) => Err(error.to_string()),
                None => Ok(message["result"].take()),
            };
            // Whoever gave up waiting is not interested any more.
            let _ = waiting.map(|waiting| waiting.send(reply));
        } else if let (Some(session), Some(method)) =
            (message["sessionId"].as_str(), message["method"].as_str())
            && let Some(record) = self.records.lock().get(session)
        {
            record.send_modify(|record| record.event(method, &message["params"]));
        }
    }
}
