//! A tiny HTTP/1.1 server of event streams, so that the harness can be tested without Sluice.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Serves until it is dropped.
pub struct SseServer {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Head>>>,
    _accepting: JoinSet<()>,
}

/// What a client asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub path: String,
    pub last_event_id: Option<String>,
    pub cookie: Option<String>,
}

/// What it gets.
pub enum Answer {
    Html(&'static str),
    /// An event stream that ends after these bytes.
    Ends(&'static str),
    /// An event stream that stays open after these bytes.
    Stays(&'static str),
    MovedTo(&'static str),
    NoContent,
}

impl SseServer {
    /// `answer` is told the request and how many for the same path came before it.
    pub async fn start(answer: fn(&Head, usize) -> Answer) -> SseServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let seen = Arc::default();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, answer, Arc::clone(&seen)));
        SseServer { address, seen, _accepting: accepting }
    }

    /// The requests for a path, oldest first.
    pub fn seen(&self, path: &str) -> Vec<Head> {
        self.seen.lock().iter().filter(|head| head.path == path).cloned().collect()
    }
}

async fn accept(
    listener: TcpListener,
    answer: fn(&Head, usize) -> Answer,
    seen: Arc<Mutex<Vec<Head>>>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, answer, Arc::clone(&seen)));
    }
}

/// Every connection carries one request, so the end of a stream is the end of its connection.
async fn serve(stream: TcpStream, answer: fn(&Head, usize) -> Answer, seen: Arc<Mutex<Vec<Head>>>) {
    let mut stream = BufReader::new(stream);
    let Some(head) = read_head(&mut stream).await else {
        return; // A connection opened ahead of need and closed again.
    };
    let answer = {
        let mut seen = seen.lock();
        let before = seen.iter().filter(|other| other.path == head.path).count();
        seen.push(head.clone());
        answer(&head, before)
    };
    let (status, header, body) = match &answer {
        Answer::Html(body) => ("200 OK", "Content-Type: text/html", *body),
        Answer::Ends(body) | Answer::Stays(body) => {
            ("200 OK", "Content-Type: text/event-stream", *body)
        }
        Answer::MovedTo(path) => ("302 Found", &*format!("Location: {path}"), ""),
        Answer::NoContent => ("204 No Content", "Content-Type: text/plain", ""),
    };
    let response = format!("HTTP/1.1 {status}\r\n{header}\r\nConnection: close\r\n\r\n{body}");
    if stream.write_all(response.as_bytes()).await.is_ok() && matches!(answer, Answer::Stays(_)) {
        // Nothing more comes from the client but its end.
        let _ = stream.read(&mut [0]).await;
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Option<Head> {
    let mut lines = stream.lines();
    let request = lines.next_line().await.ok()??;
    let path = request.split(' ').nth(1)?.split('?').next()?.to_owned();
    let mut head = Head { path, ..Head::default() };
    while let Some(line) = lines.next_line().await.ok()?.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_ascii_lowercase().as_str() {
            "last-event-id" => head.last_event_id = Some(value.to_owned()),
            "cookie" => head.cookie = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(head)
}
