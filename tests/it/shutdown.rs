//! The end of the process, the start of a second one, and `sluice check`.

use std::{
    fs,
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

use crate::{
    client::{End, Http1, Http2Connection, SseStream, eventually, within},
    origin::{
        NodeApp, RawOrigin, Step,
        port::{free_port, local},
    },
    streams::SOON,
};

/// The process ends "within a second or so"; the rest is for a busy machine.
const AT_MOST: Duration = Duration::from_secs(6);

/// A gateway whose exit status counts.
struct Gateway {
    child: Child,
    directory: TempDir,
    tls: SocketAddr,
    plain: SocketAddr,
}

impl Gateway {
    async fn start(upstream: SocketAddr) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let (tls, plain) = (local(free_port()), local(free_port()));
        let configuration = format!(
            "listeners:
  - {{ address: '{tls}', tls: {{ self_signed: [localhost] }} }}
  - {{ address: '{plain}' }}
upstreams: {{ site: {{ address: '{upstream}' }} }}
routes:
  - {{ path: /events, upstream: site, sse: {{ retry: 1234ms }} }}
  - {{ path: '/*', upstream: site }}
"
        );
        fs::write(directory.path().join("sluice.yaml"), configuration).expect("a configuration");
        let child = sluice(&["run", "-c", "sluice.yaml"], &directory).spawn().expect("a process");
        let gateway = Self { child, directory, tls, plain };
        eventually("both listeners are open", SOON, async || {
            TcpStream::connect(tls).await.is_ok() && TcpStream::connect(plain).await.is_ok()
        })
        .await;
        gateway
    }

    /// Signals it and waits for its end, which must be a good one and come soon.
    async fn ends_well_on(&mut self, signal: Signal) {
        let id = i32::try_from(self.child.id().expect("a running process")).expect("an id");
        let begin = Instant::now();
        kill(Pid::from_raw(id), signal).expect("a signal");
        let status = within("the end of the process", AT_MOST, self.child.wait()).await;
        let status = status.expect("a status");
        assert_eq!((status.code(), status.signal()), (Some(0), None), "{:?}", begin.elapsed());
    }
}

fn sluice(arguments: &[&str], directory: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.args(arguments).current_dir(directory.path()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end: what it said, and its exit status.
async fn ran(arguments: &[&str], directory: &TempDir) -> (Option<i32>, String) {
    let output = sluice(arguments, directory).output();
    let Output { status, stdout, stderr } =
        within("the end of the process", SOON, output).await.expect("a process");
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

async fn assert_ends_cleanly(stream: &mut SseStream) {
    assert_eq!(stream.ended(SOON).await, End::Clean);
    let text = stream.text();
    assert!(text.ends_with("\nretry: 1234\n"), "the last word is when to come back: {text}");
    // And not only the first word.
    assert_eq!(text.matches("retry: 1234\n").count(), 2, "{text}");
}

async fn live_streams_end_cleanly_on(signal: Signal) {
    let node = NodeApp::events(20).await;
    let mut gateway = Gateway::start(node.address()).await;
    let mut connection = Http2Connection::open(gateway.tls, true).await;
    let plaintext = Http2Connection::open(gateway.plain, false).await;
    let mut streams = vec![
        connection.get("/events", &[]).await,
        connection.get("/events", &[]).await,
        plaintext.get("/events", &[]).await,
        Http1::get_tls(gateway.tls, "/events", &[]).await,
        Http1::get(gateway.plain, "/events", &[]).await,
    ];
    for stream in &mut streams {
        stream.next_event(SOON).await;
    }
    // Open and idle: nothing that the process would have to wait for.
    let _idle = TcpStream::connect(gateway.plain).await.expect("a connection");
    let _idle_too = Http2Connection::open(gateway.tls, true).await;
    gateway.ends_well_on(signal).await;
    for stream in &mut streams {
        assert_ends_cleanly(stream).await;
    }
    if let Err(error) = connection.closed(SOON).await {
        // The client's own last words may meet a closed socket; the server blames nobody.
        assert!(error.is_io(), "{error:?}");
    }
    assert!(TcpStream::connect(gateway.tls).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn sigterm_ends_live_streams_cleanly_and_the_process_with_status_0() {
    live_streams_end_cleanly_on(Signal::SIGTERM).await;
}

#[tokio::test]
async fn sigint_ends_live_streams_cleanly_and_the_process_with_status_0() {
    live_streams_end_cleanly_on(Signal::SIGINT).await;
}

#[tokio::test]
async fn silent_streams_and_such_that_wait_for_an_answer_end_cleanly_too() {
    // The first connection gets a head and no event, the others get nothing.
    let head = vec![Step::head("Content-Type: text/event-stream")];
    let origin = RawOrigin::start_each(move |n| if n == 0 { head.clone() } else { vec![] }).await;
    let mut gateway = Gateway::start(origin.address()).await;
    let connection = Http2Connection::open(gateway.tls, true).await;
    let mut silent = vec![
        connection.get("/events", &[]).await,
        Http1::get_tls(gateway.tls, "/events?a=1", &[]).await,
        Http1::get(gateway.plain, "/events?a=2", &[]).await,
    ];
    gateway.ends_well_on(Signal::SIGTERM).await;
    for stream in &mut silent {
        assert_ends_cleanly(stream).await;
    }
}

#[tokio::test]
async fn without_any_stream_the_process_ends_at_once() {
    let origin = RawOrigin::start(vec![]).await;
    let mut gateway = Gateway::start(origin.address()).await;
    gateway.ends_well_on(Signal::SIGTERM).await;
}

#[tokio::test]
async fn a_second_instance_on_a_taken_address_says_so_and_fails() {
    let origin = RawOrigin::start(vec![]).await;
    let mut first = Gateway::start(origin.address()).await;
    let (status, said) = ran(&["run", "-c", "sluice.yaml"], &first.directory).await;
    assert_eq!(status, Some(1), "{said}");
    let words = format!("{}: cannot listen there", first.tls);
    assert!(said.contains(&words), "{said}");
    first.ends_well_on(Signal::SIGTERM).await;
}

#[tokio::test]
async fn check_tells_by_its_exit_status_whether_a_file_is_valid() {
    let origin = RawOrigin::start(vec![]).await;
    let gateway = Gateway::start(origin.address()).await;
    let directory = &gateway.directory;
    // Also while it is being served.
    let (status, said) = ran(&["check", "-c", "sluice.yaml"], directory).await;
    assert_eq!((status, said.trim_end()), (Some(0), "sluice.yaml: valid"));
    fs::write(directory.path().join("bad.yaml"), "listeners: []\nrouts: []\n").expect("a file");
    let (status, said) = ran(&["check", "-c", "bad.yaml"], directory).await;
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("routs") && said.contains("listeners"), "all faults: {said}");
    let (status, said) = ran(&["run", "-c", "bad.yaml"], directory).await;
    assert!(status == Some(1) && said.contains("routs"), "{said}");
    let (status, said) = ran(&["check", "-c", "missing.yaml"], directory).await;
    assert!(status == Some(1) && said.contains("missing.yaml"), "{said}");
    let (status, _) = ran(&["chekc"], directory).await;
    assert_eq!(status, Some(2), "a slip on the command line");
}
