//! The gateway under test: the real binary, with a configuration of the test's own.

use std::{fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::{
    client::{Protocol, collect, eventually, request},
    origin::process::Process,
};

/// A running gateway with one TLS listener, one plaintext listener and the admin listener.
/// Killed when dropped.
pub struct Sluice {
    process: Process,
    /// Holds the configuration and the output.
    _directory: TempDir,
    pub tls: SocketAddr,
    pub plain: SocketAddr,
    pub admin: SocketAddr,
}

const LISTENERS: &str = "
listeners:
  - address: 127.0.0.1:0
    tls: { self_signed: [localhost, app.test, api.test] }
  - address: 127.0.0.1:0
admin:
  address: 127.0.0.1:0
log: { level: debug }
";

impl Sluice {
    /// Starts the gateway with these `upstreams:` and `routes:`.
    pub async fn start(upstreams_and_routes: &str) -> Self {
        Self::start_whole(&format!("{LISTENERS}{upstreams_and_routes}")).await
    }

    /// Starts the gateway before one upstream, with `sse` as the settings of one shared path.
    /// Everything else of the site passes through.
    pub async fn before(upstream: SocketAddr, path: &str, sse: &str) -> Self {
        Self::start(&format!(
            "upstreams: {{ site: {{ address: '{upstream}', max_streams: 100 }} }}
routes:
  - {{ path: '{path}', upstream: site, sse: {{ {sse} }} }}
  - {{ path: '/*', upstream: site }}
"
        ))
        .await
    }

    /// Starts the gateway with a whole configuration of three listeners, in this order: TLS,
    /// plaintext, admin.
    pub async fn start_whole(configuration: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("sluice.yaml");
        fs::write(&file, configuration).expect("write the configuration");
        let mut process = Process::spawn(command(&file), &directory.path().join("output"));
        let output = directory.path().join("output");
        process.wait_until("three listeners", async || addresses(&output).len() == 3).await;
        let [tls, plain, admin] = addresses(&output)[..] else { unreachable!("counted") };
        Self { process, _directory: directory, tls, plain, admin }
    }

    /// What the gateway has logged so far.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// The process id, for its share of CPU and memory.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    pub fn has_ended(&mut self) -> bool {
        self.process.has_ended()
    }

    /// The text of `/metrics`.
    pub async fn metrics(&self) -> String {
        self.admin_page("/metrics").await.1
    }

    /// An admin page's status and text.
    pub async fn admin_page(&self, path: &str) -> (u16, String) {
        let asked = hyper::Request::get(path)
            .header("host", "admin")
            .body(http_body_util::Empty::<bytes::Bytes>::new())
            .expect("a request");
        let response = request(Protocol::Http1, self.admin, false, asked).await;
        let (head, body, _) = collect(response, Duration::from_secs(10)).await;
        (head.status.as_u16(), String::from_utf8(body.into()).expect("text"))
    }

    /// The sum of a metric over the series that carry all these labels, such as
    /// `route="/sse.php"`. A metric without a sample is 0.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        sum(&self.metrics().await, name, labels)
    }

    /// Waits until a metric has this value.
    pub async fn wait_for_metric(&self, name: &str, labels: &[&str], value: f64) {
        let what = format!("{name}{labels:?} is {value}");
        eventually(&what, Duration::from_secs(30), async || {
            self.metric(name, labels).await == value
        })
        .await;
    }
}

fn command(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.arg("run").arg("--config").arg(file);
    command
}

/// The addresses that the gateway says it listens on, in the order of its listeners.
fn addresses(output: &Path) -> Vec<SocketAddr> {
    let text = fs::read_to_string(output).unwrap_or_default();
    let address = |line: &str| {
        let rest = ["Listening on ", "Metrics and probes on "]
            .iter()
            .find_map(|words| line.split_once(words))?
            .1;
        rest.split_whitespace().next()?.trim_end_matches('.').parse().ok()
    };
    text.lines().filter_map(address).collect()
}

fn sum(text: &str, name: &str, labels: &[&str]) -> f64 {
    text.lines()
        .filter_map(|line| line.rsplit_once(' '))
        .filter(|(series, _)| series.split('{').next() == Some(name))
        .filter(|(series, _)| labels.iter().all(|label| series.contains(label)))
        .map(|(_, value)| value.parse::<f64>().expect("a sample's value"))
        .sum()
}
